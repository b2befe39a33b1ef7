"""`/dosing-ranges`: the scale of doses with its bands and the doses of studies; and one dose."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from app.api.common import select_page
from app.claims import catalogue_queries as catalogue
from app.claims.catalogue_responses import DosingRangeRead, StudyWithEvidence
from app.claims.schemas import Schedule
from app.concepts.dose_tiers import dose_tiers
from app.concepts.manifest import current_units
from app.concepts.manifest_doses import DoseTiers
from app.concepts.models import Concept
from app.core.english import join_sentences, quantity
from app.http.queries import query_of
from app.http.reads import reads_of
from app.sources.queries import retracted_studies
from app.storage.history import current_bodies
from app.storage.paging import MAX_LIMIT
from app.storage.read_view import ReadView
from app.storage.rows import key_of
from app.web.contraindications import contraindications
from app.web.pages import page_response
from app.web.plots_doses import DoseSpan, dose_plot, span_text, spans_of_ranges, spans_of_studies
from app.web.records import NO_PARAMETERS, Listing, RecordId, answer_listing, read_record, shortened

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
    """The scale shows the doses that the list selects, and those of studies that meet its condition. A study does not
    say of which intervention its doses are, so that a list of one intervention leaves them out."""

    def more(view: ReadView, _records: Sequence[Any]) -> dict[str, Any]:
        everything = query.model_copy(update={"limit": MAX_LIMIT, "cursor": None, "sort": "dose"})
        page = select_page(view, everything, catalogue.dosing_ranges(view, everything), catalogue.DOSING_RANGE_SORTS)
        ranges = [DosingRangeRead.model_validate_json(body) for body in current_bodies(view, "dosing_range", page.ids)]
        tiers = _tiers(view, ranges)
        with_studies = tiers is not None and not query.intervention
        spans = _study_spans(view, query.condition) if with_studies else []
        title = "Recorded doses and doses of studies" if with_studies else "Recorded doses"
        units = current_units(view.session)
        return {"plot": dose_plot([*spans_of_ranges(ranges, units), *spans], title, tiers, units)}

    return await answer_listing(request, DOSING_RANGES, query, more)


@router.get("/dosing-ranges/{id}", dependencies=NO_PARAMETERS)
async def dose(request: Request, id: RecordId) -> Response:
    return await reads_of(request).run(request, _dose, request, id)


def _dose(view: ReadView, request: Request, dose_id: str) -> Response:
    read: DosingRangeRead = read_record(view, "dosing_range", dose_id)
    conditions = tuple(condition.id for condition in read.conditions)
    units = current_units(view.session)
    (span,) = spans_of_ranges([read], units)
    tiers = _tiers(view, [read])
    with_studies = tiers is not None and bool(conditions)
    spans = _study_spans(view, conditions) if with_studies else []
    title = "This dose, and the doses of studies in the same conditions" if with_studies else "This dose"
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
        contraindications=contraindications(view.session, _intervention(view, read)),
        schedule=_schedule_text(read.schedule),
        daily=span_text(span, units),
        plot=dose_plot([span, *spans], title, tiers, units),
    )


def _intervention(view: ReadView, dose: DosingRangeRead) -> Concept:
    return view.session.get_one(Concept, key_of(view.session, Concept, dose.intervention.id, "intervention"))


def _schedule_text(schedule: Schedule) -> str | None:
    """How often, in the words of the source or else from its numbers, such as `1 dose every week`; null if unknown."""
    if schedule.text or not (schedule.count and schedule.period and schedule.period_unit):
        return schedule.text
    unit = schedule.period_unit.label.lower()
    period = unit if schedule.period == 1 else f"{schedule.period} {unit}s"
    return f"{quantity(schedule.count, 'dose', 'doses')} every {period}"


def _tiers(view: ReadView, ranges: Sequence[DosingRangeRead]) -> DoseTiers | None:
    """The bands that hold for all of these ranges; null where there are none, or different ones."""
    found = [dose_tiers(view.session, drug) for drug in {read.intervention.id for read in ranges}]
    return found[0] if found and all(tiers == found[0] for tiers in found) else None


def _study_spans(view: ReadView, conditions: tuple[str, ...]) -> list[DoseSpan]:
    """The doses of the first 200 studies in these conditions, or of all studies where none is named."""
    query = catalogue.StudyQuery(condition=conditions, limit=MAX_LIMIT)
    page = select_page(view, query, catalogue.studies(view, query), catalogue.STUDY_SORTS)
    studies = [StudyWithEvidence.model_validate_json(body) for body in current_bodies(view, "study", page.ids)]
    return spans_of_studies(studies, current_units(view.session), retracted_studies(view.session, page.ids))
