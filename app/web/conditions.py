"""`/conditions`, and the page of a condition: in short, for clinicians, and everything, on one address."""

from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.api.briefs import pair_named, read_brief
from app.briefs.rendering import page_words
from app.briefs.selection import Pair, most_studied_intervention, other_interventions
from app.claims import catalogue_queries as catalogue
from app.claims.catalogue_responses import ConditionRead
from app.claims.vocabulary import HARM_KINDS
from app.concepts.disclaimer import disclaimer_about
from app.concepts.manifest import current_manifest
from app.concepts.models import Concept
from app.core.content import QueryModel
from app.core.english import date_in_words, inline, join_sentences
from app.core.errors import NotFound
from app.core.text import Slug
from app.grading.wording import counted_text
from app.http.queries import query_of
from app.http.reads import reads_of
from app.linked_data import schema_org
from app.questions.headlines import headlines
from app.questions.relevance import concept_key
from app.storage.paging import MAX_LIMIT
from app.storage.read_view import ReadView
from app.web.condition_data import ConditionEvidence, OutcomeLine, by_label, condition_evidence, warned_of
from app.web.contraindications import by_condition, contraindications
from app.web.figures import NOT_REPORTED
from app.web.pages import page_address, page_response
from app.web.plots import Plot
from app.web.plots_forest import ComparedSides, forest_plots
from app.web.records import Listing, answer_listing

router = APIRouter(include_in_schema=False)

MAX_STUDIES_IN_SHORT = 3
MAX_PLOTS = 3


class Layer(StrEnum):
    """How much of a page stands open."""

    short = "short"
    clinicians = "clinicians"
    everything = "everything"


class ConditionListQuery(catalogue.ConceptQuery):
    limit: int = Field(default=MAX_LIMIT, ge=1, le=MAX_LIMIT)
    sort: Literal["id", "-id", "name", "-name"] = "name"


class ConditionQuery(QueryModel):
    intervention: Slug | None = None
    """The data set's own intervention unless given."""
    layer: Layer = Layer.short


# --- the list -----------------------------------------------------------------------------------------------------


CONDITIONS = Listing(
    "condition",
    ConditionListQuery,
    partial(catalogue.concepts, "condition"),
    catalogue.CONCEPT_SORTS,
    "Conditions",
    "Diseases and states in which treatments were studied, with one answer for each.",
    "web/conditions.html",
)


@router.get("/conditions")
async def condition_list(
    request: Request, query: Annotated[ConditionListQuery, query_of(ConditionListQuery)]
) -> Response:
    """The answers are those on the intervention that the address names, else on the data set's own."""

    def more(view: ReadView, conditions: Sequence[ConditionRead]) -> dict[str, Any]:
        name = next(iter(query.intervention), current_manifest(view.session).default_intervention)
        if name is None:
            return {"intervention": None, "answers": {}, "contraindicated": {}}
        key = concept_key(view.session, "intervention", name, "intervention")
        intervention = view.session.get_one(Concept, key)
        return {
            "title": f"Conditions, and what is known of {inline(intervention.name)} in each",
            "intervention": intervention.id,
            "contraindicated": by_condition(contraindications(view.session, intervention)),
            "answers": headlines(view.session, key, [condition.id for condition in conditions]),
        }

    return await answer_listing(request, CONDITIONS, query, more)


# --- one condition ------------------------------------------------------------------------------------------------


@router.get("/conditions/{id}")
async def condition_page(
    request: Request, id: str, query: Annotated[ConditionQuery, query_of(ConditionQuery)]
) -> Response:
    return await reads_of(request).run(request, _page, request, id, query)


def _page(view: ReadView, request: Request, condition: str, query: ConditionQuery) -> Response:
    session, manifest = view.session, current_manifest(view.session)
    pair = pair_named(
        session, query.intervention or manifest.default_intervention or _most_studied(session, condition), condition
    )
    evidence = condition_evidence(view, pair)
    title = f"{evidence.intervention.name} and {inline(evidence.condition.name)}"
    return page_response(
        request,
        view,
        "web/condition.html",
        title=title,
        description=_description(evidence),
        json_address=f"/v1/briefs/{pair.intervention}/{pair.condition}",
        page=evidence,
        pair=pair,
        layer=query.layer,
        address=_address(pair, query),
        others=other_interventions(session, pair),
        warned=warned_of(evidence.warnings),
        undecided=by_label(
            (line.claim.verdict.label, line.name, line.claim.id)
            for line in evidence.outcomes
            if not _in_full(evidence, line)
        ),
        in_full=[line for line in evidence.outcomes if _in_full(evidence, line)],
        side_effects_decided=[line for line in evidence.side_effects if line.is_decided],
        side_effects_open=by_label(
            (line.claim.verdict.label, name, line.claim.id)
            for line in evidence.side_effects
            if line.content.wording and not line.is_decided
            for name in line.names
        ),
        plots=_plots(evidence),
        studies_in_short=evidence.studies[:MAX_STUDIES_IN_SHORT],
        disclaimer=disclaimer_about(session, [pair.intervention]),
        linked_data=schema_org.condition_page(title, evidence.condition, evidence.intervention, evidence.reviewed_on),
        brief=read_brief(view, pair) if query.layer is Layer.everything else None,
        not_reported=NOT_REPORTED,
        harm_kinds=sorted(HARM_KINDS),
        date_in_words=date_in_words,
        inline_name=inline,
        **page_words(page_address),
    )


def _most_studied(session: Session, condition_id: str) -> str:
    """The intervention of which most is claimed in the condition, for a data set that names none of its own."""
    found = most_studied_intervention(session, condition_id)
    if found is None:
        raise NotFound("No treatment is recorded in this condition: add one to the address, as `intervention`.")
    return found


def _plots(evidence: ConditionEvidence) -> list[tuple[str, Plot]]:
    """The first plots, each with the id of its claim; the pages of the claims have all of them."""
    drawn = (
        (line.claim.id, plot)
        for line in evidence.outcomes
        for plot in forest_plots(line.trace.forest, ComparedSides(evidence.intervention.name, line.comparator))
    )
    return list(islice(drawn, MAX_PLOTS))


def _in_full(evidence: ConditionEvidence, line: OutcomeLine) -> bool:
    return line.is_decided or (evidence.headline is not None and line.claim.id == evidence.headline.id)


def _description(evidence: ConditionEvidence) -> str:
    """What the coverage says of the pair, with the verdict and both sides of the claim that it is about."""
    summary, claim = evidence.coverage.summary, evidence.coverage.summary.headline_claim
    if claim is None:
        return summary.text
    sides = None if claim.counts_text else counted_text(None, claim)
    return join_sentences(f"{claim.verdict.label}.", summary.text, sides)


def _address(pair: Pair, query: ConditionQuery) -> str:
    """The address of the page with the intervention that was asked for, for its other layers."""
    chosen = f"intervention={pair.intervention}&" if query.intervention else ""
    return f"/conditions/{pair.condition}?{chosen}layer="
