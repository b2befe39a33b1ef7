"""`/claims/{id}`: a claim as a page for people, to which the links of cards lead."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.cds_hooks.cards import FOOT, sides_text
from app.cds_hooks.claims import ClaimMemory, ClaimReader
from app.core.templates import content_security_policy, page_style, render_template, style_digest
from app.http.problems import declared_parameters_only
from app.http.reads import reads_of
from app.storage.near_ids import unknown_record
from app.storage.read_view import ReadView

router = APIRouter()
STYLE = page_style("cds_hooks/claim.css")
CONTENT_SECURITY_POLICY = content_security_policy(style_src=style_digest(STYLE))
"""Allows the page's own style, by its digest, and nothing else."""


@router.get("/claims/{id}", include_in_schema=False, dependencies=[Depends(declared_parameters_only)])
async def claim_page(
    request: Request,
    id: Annotated[str, Path(max_length=100)],
    serial: Annotated[int | None, Query(ge=1, le=2_147_483_647)] = None,
) -> Response:
    return await reads_of(request).run(request, _page, id, serial)


def _page(view: ReadView, claim_id: str, serial: int | None) -> Response:
    at = min(serial or view.serial, view.serial)
    reader = ClaimReader(view.session, at, ClaimMemory())
    found = reader.claims([claim_id])
    if not found:
        detail = "There is no claim with this id at this serial."
        raise unknown_record(view.session, "claim", claim_id, detail, serial=serial)
    (claim,) = found
    html = render_template(
        "cds_hooks/claim.html",
        claim=claim,
        sides=sides_text(claim),
        sources=reader.all_sources(claim_id),
        serial=at,
        foot=FOOT,
        style=STYLE,
    )
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-cache"}
    return Response(html, headers=headers, media_type="text/html")
