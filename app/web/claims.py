"""`/claims/{id}`: what the evidence says of one statement, both sides with every citation. `/claims`: all of them."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Request, Response

from app.api.common import VersionsQuery, records_of_claim, versions_page
from app.claims import queries
from app.claims.responses import CitationBody, ClaimRead, StanceCount
from app.claims.vocabulary import Stance
from app.concepts.manifest import current_manifest
from app.core.content import QueryModel
from app.core.english import join_sentences, quantity
from app.core.text import Serial
from app.grading.trace import EvidenceTrace, WhatIf, trace
from app.http.queries import query_of
from app.http.reads import reads_of
from app.linked_data.schema_org import claim_review
from app.sources.vocabulary import Standing
from app.storage.read_view import ReadView
from app.web.pages import page_response
from app.web.plots import Plot
from app.web.plots_directions import direction_plot
from app.web.plots_forest import ComparedSides, forest_plots
from app.web.records import Listing, RecordId, answer_listing, read_record, shortened

router = APIRouter(include_in_schema=False)

CLAIMS = Listing(
    "claim",
    queries.ClaimQuery,
    queries.claims,
    queries.CLAIM_SORTS,
    "Claims",
    "What is claimed, and what the evidence says of it. The filters of the API work here too.",
    "web/claims.html",
)
SIDES = (Stance.supports, Stance.disputes)
SIDE_HEADINGS = {
    Stance.supports: "For the claim",
    Stance.disputes: "Against the claim",
    Stance.mixed: "Points both ways",
    Stance.inconclusive: "Could not decide",
    Stance.background: "Background",
    Stance.not_assessed: "Not assessed",
}


class PageQuery(QueryModel):
    serial: Serial | None = None
    """Read the record as it was at this serial; one that is not published yet is read as the newest."""


class EvidenceSide(NamedTuple):
    """The citations of one stance, and how much stands behind them."""

    heading: str
    size: str
    citations: Sequence[CitationBody]


@router.get("/claims")
async def claims(request: Request, query: Annotated[queries.ClaimQuery, query_of(queries.ClaimQuery)]) -> Response:
    return await answer_listing(request, CLAIMS, query)


@router.get("/claims/{id}")
async def claim(request: Request, id: RecordId, query: Annotated[PageQuery, query_of(PageQuery)]) -> Response:
    return await reads_of(request).run(request, _claim, request, id, query.serial)


def _claim(view: ReadView, request: Request, claim_id: str, asked: int | None) -> Response:
    serial = min(asked, view.serial) if asked else None
    read: ClaimRead = read_record(view, "claim", claim_id, serial)
    how = trace(records_of_claim(view, claim_id, serial), claim_id, WhatIf())
    versions, page = versions_page(view, "claim", claim_id, VersionsQuery())
    evidence = read.evidence
    return page_response(
        request,
        view,
        "web/claim.html",
        title=evidence.answer,
        description=shortened(
            join_sentences(f"{evidence.verdict.label}.", evidence.counts_text, f"What is claimed: {read.statement}")
        ),
        json_address=read.links.permalink if serial else read.links.self,
        claim=read,
        read_serial=serial,
        sides=_sides(read),
        figures=_plots(read, how),
        steps=how.steps,
        versions=versions,
        version_count=page.total,
        review=claim_review(read, current_manifest(view.session).publisher.name),
    )


def _sides(read: ClaimRead) -> list[EvidenceSide]:
    """By stance as the citations come, the weightier side first; both sides always, and retracted ones on their own."""
    standing = [c for c in read.citations if c.document.standing is not Standing.retracted]
    retracted = [c for c in read.citations if c.document.standing is Standing.retracted]
    present = dict.fromkeys(citation.stance for citation in standing)
    order = [*(stance for stance in present if stance in SIDES), *SIDES, *present]
    counts = read.evidence.by_stance
    sides = [
        EvidenceSide(
            SIDE_HEADINGS[stance],
            _size(getattr(counts, stance.value)),
            [citation for citation in standing if citation.stance is stance],
        )
        for stance in dict.fromkeys(order)
    ]
    if retracted:
        sides.append(EvidenceSide("Retracted: counts for nothing", _cited(len(retracted)), retracted))
    return sides


def _size(count: StanceCount) -> str:
    """`3 studies, 255 people; 1 review`; people are not added where none were read."""
    parts = []
    if count.studies:
        people = quantity(count.participants, "person", "people") if count.participants else "people not reported"
        parts.append(f"{quantity(count.studies, 'study', 'studies')}, {people}")
    if count.reviews:
        parts.append(quantity(count.reviews, "review", "reviews"))
    return "; ".join(parts) or _cited(count.citations)


def _cited(number: int) -> str:
    return quantity(number, "citation", "citations") if number else "no citation is recorded"


def _plots(read: ClaimRead, how: EvidenceTrace) -> list[Plot]:
    """The directions of all studies, and what can be compared by size; nothing for statements that gather no votes."""
    if read.wording is None:
        return []
    treatment = read.intervention.name if read.intervention else "the treatment"
    forest: list[Any] = list(forest_plots(how.forest, ComparedSides(treatment, read.comparator)))
    directions = direction_plot(how.forest, how.units)
    return [*([directions] if directions else []), *forest]
