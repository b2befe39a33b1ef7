"""`/claims/{id}`: what the evidence says of one statement, both sides with every citation. `/claims`: all of them."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Request, Response

from app.api.claims import inheritances_of_list
from app.api.common import ItemQuery, VersionsQuery, record_at, versions_page
from app.claims import queries
from app.claims.responses import CitationBody, ClaimRead, StanceCount
from app.claims.vocabulary import Stance
from app.concepts.manifest import current_manifest
from app.concepts.study_designs import StudyDesigns
from app.core.english import join_sentences, quantity
from app.grading.method import current_method
from app.grading.trace import EvidenceTrace, WhatIf, trace
from app.grading.wording import counted_text
from app.http.queries import query_of
from app.http.reads import reads_of
from app.linked_data.schema_org import claim_review
from app.registry import BY_TYPE
from app.sources.vocabulary import Standing
from app.storage.read_view import ReadView
from app.storage.records import CurrentRecords
from app.storage.resource import Key, RecordReader, Stamp
from app.web.pages import page_response
from app.web.plots import Plot
from app.web.plots_directions import direction_plot
from app.web.plots_forest import ComparedSides, forest_plots
from app.web.records import STANCE_HEADINGS, Listing, RecordId, answer_listing, read_record

router = APIRouter(include_in_schema=False)

CLAIMS = Listing(
    "claim",
    queries.ClaimQuery,
    queries.claims,
    queries.CLAIM_SORTS,
    "Claims",
    "What is claimed, and what the evidence says of it.",
    "web/claims.html",
)
SIDES = (Stance.supports, Stance.disputes)


class EvidenceSide(NamedTuple):
    """The citations of one stance, and how much stands behind them."""

    heading: str
    size: str
    citations: Sequence[CitationBody]


@router.get("/claims")
async def claims(request: Request, query: Annotated[queries.ClaimQuery, query_of(queries.ClaimQuery)]) -> Response:
    return await answer_listing(
        request, CLAIMS, query, lambda view, _claims: {"inherited": inheritances_of_list(view, query)}
    )


@router.get("/claims/{id}")
async def claim(request: Request, id: RecordId, query: Annotated[ItemQuery, query_of(ItemQuery)]) -> Response:
    return await reads_of(request).run(request, _claim, request, id, query.serial)


def _claim(view: ReadView, request: Request, claim_id: str, serial: int | None) -> Response:
    read, records = _read_claim(view, claim_id, serial)
    method = current_method(view.session, serial)
    how = trace(records, claim_id, WhatIf(), method)
    versions, page = versions_page(view, "claim", claim_id, VersionsQuery())
    evidence = read.evidence
    return page_response(
        request,
        view,
        "web/claim.html",
        title=evidence.answer,
        description=join_sentences(
            f"{evidence.verdict.label}.", counted_text(evidence.counts_text, evidence.by_stance), read.caveat
        ),
        json_address=read.links.permalink if serial else read.links.self,
        claim=read,
        read_serial=serial,
        sides=_sides(read),
        figures=_plots(read, how, method.designs),
        steps=how.steps,
        versions=versions,
        version_count=page.total,
        review=claim_review(read, current_manifest(view.session).publisher.name),
    )


def _read_claim(view: ReadView, claim_id: str, serial: int | None) -> tuple[ClaimRead, RecordReader]:
    """The claim, now or at a serial, and a reader that has read what it names."""
    if serial is not None:
        past, row = record_at(view, BY_TYPE["claim"], claim_id, serial)
        stamp = Stamp(row.version, row.serial, row.updated_at)
        then: Any = BY_TYPE["claim"].render(past, row.content, row.derived, stamp)
        return then, past
    read = read_record(view, "claim", claim_id)
    records = CurrentRecords(view.session)
    records.prefetch([Key("claim", claim_id)], depth=1)
    return read, records


def _sides(read: ClaimRead) -> list[EvidenceSide]:
    """By stance as the citations come, the weightier side first; both sides always, and retracted ones on their own."""
    standing = [c for c in read.citations if c.document.standing is not Standing.retracted]
    retracted = [c for c in read.citations if c.document.standing is Standing.retracted]
    present = dict.fromkeys(citation.stance for citation in standing)
    order = [*(stance for stance in present if stance in SIDES), *SIDES, *present]
    counts = read.evidence.by_stance
    sides = [
        EvidenceSide(
            STANCE_HEADINGS[stance],
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


def _plots(read: ClaimRead, how: EvidenceTrace, designs: StudyDesigns) -> list[Plot]:
    """The directions of all studies, and what can be compared by size; nothing for statements that gather no votes."""
    if read.wording is None:
        return []
    treatment = read.intervention.name if read.intervention else "the treatment"
    forest: list[Any] = list(forest_plots(how.forest, ComparedSides(treatment, read.comparator)))
    directions = direction_plot(how.forest, how.units, designs)
    return [*([directions] if directions else []), *forest]
