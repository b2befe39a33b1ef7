"""Prepares a server's process for its first requests, so that the first of each kind costs no more than the second.

A process builds much only when it is first needed: SQL, templates, the OpenAPI document, the citation styles. On the
first request that is up to a second of CPU time in which others wait.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import structlog
from fastapi import FastAPI

from app.api.briefs import Format
from app.api.examples import REQUESTS
from app.bibliography import FORMATS
from app.bibliography.reference import Reference
from app.bibliography.styles import Style, format_reference
from app.core.http_client import in_process_client
from app.core.logging import describe
from app.fhir.routes import MOUNT, R5
from app.fhir.types import TYPES


async def warm(app: FastAPI) -> None:
    """Do once what first requests would wait for. Failures are logged and change nothing: requests will meet them."""
    try:
        await asyncio.to_thread(app.openapi)
        async with in_process_client(app) as client:
            for address in _addresses():
                await client.get(address)
        for style in Style:  # loads the formatter, for references that are not stored
            await asyncio.to_thread(format_reference, Reference("warming", "webpage", "Warming"), style)
    except Exception as error:
        structlog.get_logger("app.warming").warning("not_warmed", **describe(error))
    gc.collect()
    gc.freeze()  # what is here now stays: collections need not look at it again


def _addresses() -> Iterator[str]:
    """One address of every kind. Those of records that are not here are answered 404, which does no harm."""
    yield from REQUESTS.values()
    yield from (f"/v1/briefs/low-dose-naltrexone/fibromyalgia?format={name}" for name in Format)
    yield from (f"/v1/documents?format={name}&limit=1" for name in FORMATS)
    yield "/v1/claims?q=pain&facets=true&dose=4.5%20mg&limit=1"
    yield f"{MOUNT}{R5}/metadata"
    yield f"{MOUNT}{R5}/Library"
    yield from (f"{MOUNT}{R5}/{fhir_type.name}?_count=1" for fhir_type in TYPES)
    yield "/infobutton?mainSearchCriteria.v.dn=naltrexone&knowledgeResponseType=text/html"
    yield from (
        "/claims/naltrexone-opioid-free-interval",
        "/",
        "/docs",
        "/search?q=pain",
        "/conditions/fibromyalgia",
    )
