"""`/side-effects`, and one side effect: whether it happens, when it begins, how it goes on, what lessens it."""

from collections.abc import Container
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Request, Response

from app.claims import catalogue_queries as catalogue
from app.claims.catalogue_responses import AspectReference, Assertion, SideEffectRead
from app.claims.vocabulary import Aspect
from app.core.english import quantity
from app.http.queries import query_of
from app.http.reads import reads_of
from app.storage.read_view import ReadView
from app.web.concepts import concept_listing
from app.web.figures import frequency_text
from app.web.pages import page_response
from app.web.records import (
    NO_PARAMETERS,
    ClaimSection,
    RecordId,
    answer_listing,
    claim_sections,
    read_record,
    shortened,
    summaries,
)

router = APIRouter(include_in_schema=False)

SIDE_EFFECTS = concept_listing(
    "side_effect",
    "Side effects",
    "Unwanted effects: whether and how often they happen, when they begin, how they go on, and what lessens them.",
)
HEADINGS = {
    Aspect.occurrence: "Whether it happens, and how often",
    Aspect.severity: "How bad it is",
    Aspect.onset: "When it begins",
    Aspect.course: "How it goes on and ends",
    Aspect.mitigation: "What lessens it",
}
"""In the order in which a reader asks."""


class CountedRate(NamedTuple):
    """What a document counted on a claim whether the side effect happens."""

    claim: str
    reference: AspectReference


@router.get("/side-effects")
async def side_effects(
    request: Request, query: Annotated[catalogue.ConceptQuery, query_of(catalogue.ConceptQuery)]
) -> Response:
    return await answer_listing(request, SIDE_EFFECTS, query)


@router.get("/side-effects/{id}", dependencies=NO_PARAMETERS)
async def side_effect(request: Request, id: RecordId) -> Response:
    return await reads_of(request).run(request, _side_effect, request, id)


def _side_effect(view: ReadView, request: Request, side_effect_id: str) -> Response:
    read: SideEffectRead = read_record(view, "side_effect", side_effect_id)
    by_aspect: dict[Aspect, list[Assertion]] = {}
    for assertion in read.assertions:
        by_aspect.setdefault(assertion.aspect, []).append(assertion)
    asserted = {claim.id: claim for claim in summaries(view, [assertion.claim_id for assertion in read.assertions])}
    return page_response(
        request,
        view,
        "web/side_effect.html",
        title=read.name,
        description=shortened(f"{read.description} {quantity(read.evidence.claims, 'claim', 'claims')} on it."),
        json_address=read.links.self,
        concept=read,
        aspects=[
            (heading, [asserted[assertion.claim_id] for assertion in by_aspect[aspect]])
            for aspect, heading in HEADINGS.items()
            if aspect in by_aspect
        ],
        missing=[heading for aspect, heading in HEADINGS.items() if aspect not in by_aspect],
        rates=_rates(read),
        frequency_text=frequency_text,
        sections=[_without(section, asserted) for section in claim_sections(view, {"side_effect": side_effect_id})],
    )


def _without(section: ClaimSection, shown: Container[str]) -> ClaimSection:
    """The section without the claims that stand above it; its total counts what is left."""
    others = [claim for claim in section.claims if claim.id not in shown]
    return section._replace(claims=others, total=section.total - (len(section.claims) - len(others)))


def _rates(read: SideEffectRead) -> list[CountedRate]:
    """What the documents counted, in the order of the claims and of their citations."""
    return [
        CountedRate(claim.claim_id, reference)
        for claim in read.frequency
        for reference in claim.references
        if reference.frequencies
    ]
