"""`/`: search, the evidence map, what people ask, and the first call for developers with its answer."""

import json
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.types import ASGIApp

from app.concepts.manifest import Manifest, current_manifest
from app.core.errors import AppError
from app.core.http_client import in_process_client
from app.http.problems import declared_parameters_only
from app.http.reads import reads_of
from app.questions.relevance import concept_key
from app.storage.read_view import ReadView
from app.web.evidence_map import MapDrawing, drawing_for
from app.web.pages import page_response

router = APIRouter(include_in_schema=False, dependencies=[Depends(declared_parameters_only)])

SHOWN = (
    "items", "id", "statement", "evidence", "verdict", "label", "answer", "counts_text", "caveat", "citations",
    "stance", "finding", "document", "title", "name", "doi", "pmid", "total", "next",
)  # fmt: skip
"""Fields that the shortened answer keeps, where they are."""
LEFT_OUT = "\N{HORIZONTAL ELLIPSIS}"


@router.get("/")
async def start(request: Request) -> Response:
    reads = reads_of(request)
    manifest = await reads.run(request, _manifest)
    answer = await ask(request.app, manifest.first_call)
    return await reads.run(request, _start, request, answer)


def _manifest(view: ReadView) -> Manifest:
    return current_manifest(view.session)


def _start(view: ReadView, request: Request, answer: bytes | None) -> Response:
    manifest = current_manifest(view.session)
    return page_response(
        request,
        view,
        "web/start.html",
        title=manifest.title,
        description=manifest.description,
        json_address="/v1/meta",
        drawing=_drawing(view, manifest),
        answer=shortened(answer) if answer else None,
    )


def _drawing(view: ReadView, manifest: Manifest) -> MapDrawing | None:
    """The map of the data set's own intervention; null where there is none, or where it is too large for a page."""
    if manifest.default_intervention is None:
        return None
    try:
        key = concept_key(view.session, "intervention", manifest.default_intervention, "intervention")
        return drawing_for(view, key)
    except AppError:
        return None


async def ask(app: ASGIApp, address: str) -> bytes | None:
    """What the API answers at one of its addresses; null unless it is a 200."""
    async with in_process_client(app) as client:
        answer = await client.get(address)
    return answer.content if answer.status_code == 200 else None


def shortened(answer: bytes) -> str:
    """The JSON of an answer with the first entry of each list and the fields of SHOWN; an ellipsis for all else."""
    return json.dumps(_short(json.loads(answer)), ensure_ascii=False, indent=2)


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: _short(one) for name, one in value.items() if name in SHOWN and one not in (None, [], {})}
        return kept if len(kept) == len(value) else kept | {LEFT_OUT: LEFT_OUT}
    if isinstance(value, list):
        first = [_short(one) for one in value[:1]]
        return first if len(value) < 2 else [*first, f"{LEFT_OUT} {len(value) - 1} more"]
    return value
