"""`/dosing-ranges`: the scale of doses with its bands and the doses of studies; and one dose."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from app.api.common import select_page
from app.claims import catalogue_queries as catalogue
from app.claims.catalogue_responses import DosingRangeRead, StudyWithEvidence
from app.concepts.dose_tiers import dose_tiers
from app.core.english import join_sentences, quantity
from app.http.queries import query_of
from app.http.reads import reads_of
from app.storage.history import current_bodies
from app.storage.paging import MAX_LIMIT
from app.storage.read_view import ReadView
from app.web.concepts import NoParameters
from app.web.pages import page_response
from app.web.plots import Plot
from app.web.plots_doses import dose_plot, span_text, spans_of_ranges, spans_of_studies
from app.web.records import Listing, RecordId, answer_listing, read_record, shortened

router = APIRouter(include_in_schema=False)

DOSING_RANGES = Listing(
    "dosing_range",
    catalogue.DosingRangeQuery,
    catalogue.dosing_ranges,
    catalogue.DOSING_RANGE_SORTS,
    "Doses",
    "Doses that were studied, recommended or reported, as their sources word them. None of them is advice.",
    "web/doses.html",
)


@router.get("/dosing-ranges")
async def doses(
    request: Request, query: Annotated[catalogue.DosingRangeQuery, query_of(catalogue.DosingRangeQuery)]
) -> Response:
    """The scale shows the doses that the list selects, and those of studies that meet its condition."""

    def more(view: ReadView) -> dict[str, Any]:
        everything = query.model_copy(update={"limit": MAX_LIMIT, "cursor": None, "sort": "dose"})
        page = select_page(view, everything, catalogue.dosing_ranges(view, everything), catalogue.DOSING_RANGE_SORTS)
        ranges = [DosingRangeRead.model_validate_json(body) for body in current_bodies(view, "dosing_range", page.ids)]
        return {"plot": _plot(view, ranges, query.condition, "Recorded doses and doses of studies")}

    return await answer_listing(request, DOSING_RANGES, query, more)


@router.get("/dosing-ranges/{id}")
async def dose(request: Request, id: RecordId, _query: Annotated[NoParameters, query_of(NoParameters)]) -> Response:
    return await reads_of(request).run(request, _dose, request, id)


def _dose(view: ReadView, request: Request, dose_id: str) -> Response:
    read: DosingRangeRead = read_record(view, "dosing_range", dose_id)
    conditions = tuple(condition.id for condition in read.conditions)
    (span,) = spans_of_ranges([read])
    return page_response(
        request,
        view,
        "web/dose.html",
        title=f"{read.intervention.name}: {read.dose_text}",
        description=shortened(
            join_sentences(
                f"{read.intervention.name}, {read.dose_text}: {read.basis.label.lower()}.",
                f"{quantity(len(read.claims), 'claim names', 'claims name')} this dose.",
            )
        ),
        json_address=read.links.self,
        dose=read,
        daily=span_text(span),
        plot=_plot(view, [read], conditions, "This dose, and the doses of studies in the same conditions"),
    )


def _plot(view: ReadView, ranges: list[DosingRangeRead], conditions: tuple[str, ...], title: str) -> Plot | None:
    """With the doses of the first 200 studies in these conditions, or of all studies where none is named."""
    query = catalogue.StudyQuery(condition=conditions, limit=MAX_LIMIT)
    page = select_page(view, query, catalogue.studies(view, query), catalogue.STUDY_SORTS)
    studies = [StudyWithEvidence.model_validate_json(body) for body in current_bodies(view, "study", page.ids)]
    drugs = dict.fromkeys(read.intervention.id for read in ranges)
    tiers = next(filter(None, (dose_tiers(view.session, drug) for drug in drugs)), None)
    return dose_plot([*spans_of_ranges(ranges), *spans_of_studies(studies)], title, tiers)
