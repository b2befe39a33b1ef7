"""Prepares a server's process for its first requests, so that the first of each kind costs no more than the second.

A process builds much only when it is first needed: SQL, templates, the OpenAPI document, the citation styles. On the
first request that is up to a second of CPU time in which others wait.
"""

from __future__ import annotations

import asyncio
import gc
import linecache
from collections.abc import Iterator

import structlog
from fastapi import FastAPI

from app.api.briefs import Format
from app.bibliography import FORMATS
from app.bibliography.reference import Reference
from app.bibliography.styles import Style, format_reference
from app.concepts.manifest import Manifest, current_manifest
from app.core.http_client import in_process_client
from app.core.logging import describe
from app.fhir.routes import MOUNT, R5
from app.fhir.types import TYPES


async def warm(app: FastAPI) -> None:
    """Do once what first requests would wait for. Failures are logged and change nothing: requests will meet them."""
    try:
        await asyncio.to_thread(app.openapi)
        async with in_process_client(app) as client:
            manifest = await asyncio.to_thread(_manifest, app)
            for address in _addresses(manifest):
                await client.get(address)
        for style in Style:  # loads the formatter, for references that are not stored
            await asyncio.to_thread(format_reference, Reference("warming", "webpage", "Warming"), style)
    except Exception as error:
        structlog.get_logger("app.warming").warning("not_warmed", **describe(error))
    linecache.clearcache()  # of sources that were read for the descriptions in them
    gc.collect()
    gc.freeze()  # what is here now stays: collections need not look at it again


def _manifest(app: FastAPI) -> Manifest:
    with app.state.reads.database.read() as session:
        return current_manifest(session)


def _addresses(manifest: Manifest) -> Iterator[str]:
    """One address of every kind. Those of records that are not here are answered 404, which does no harm."""
    claims = [question.claim for question in manifest.questions if question.claim]
    conditions = [question.condition for question in manifest.questions if question.condition]
    yield from manifest.examples.requests.values()
    if manifest.default_intervention and conditions:
        brief = f"/v1/briefs/{manifest.default_intervention}/{conditions[0]}"
        yield from (f"{brief}?format={name}" for name in Format)
    yield from (f"/v1/documents?format={name}&limit=1" for name in FORMATS)
    yield "/v1/claims?q=pain&facets=true&dose=4.5%20mg&limit=1"
    yield f"{MOUNT}{R5}/metadata"
    yield f"{MOUNT}{R5}/Library"
    yield from (f"{MOUNT}{R5}/{fhir_type.name}?_count=1" for fhir_type in TYPES)
    yield f"/infobutton?mainSearchCriteria.v.dn={manifest.default_intervention or '-'}&knowledgeResponseType=text/html"
    yield from ("/", "/docs", "/search?q=pain")
    yield from (f"/claims/{claim}" for claim in claims[:1])
    yield from (f"/conditions/{condition}" for condition in conditions[:1])
