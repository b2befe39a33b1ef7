"""The filters of lists of studies and documents."""

from sqlalchemy import ColumnElement, String, case, cast, literal
from sqlalchemy.orm import InstrumentedAttribute

from app.concepts.models import Concept
from app.core.vocabulary import Status
from app.sources.models import Document, Study, StudyCondition
from app.storage.filter_bitmaps import PUBLISHED
from app.storage.filter_index import Column, FilterSpec, values

_STUDIES = Study.status == Status.published


def as_flag(condition: ColumnElement[bool] | InstrumentedAttribute[bool]) -> Column:
    """`true` or `false`, as a query parameter writes it."""
    return case((condition, "true"), else_="false")


STUDIES = FilterSpec(
    Study,
    (
        values(
            Study.pk,
            {
                PUBLISHED.name: literal(PUBLISHED.value),
                "design": Study.design,
                "evidence_source": Study.evidence_source,
                "recruitment": Study.recruitment,
                "results": Study.results,
                "is_review": as_flag(Study.is_review),
            },
        ).where(_STUDIES),
        values(StudyCondition.study_pk, {"condition": Concept.id})
        .join(Concept, Concept.pk == StudyCondition.concept_pk)
        .join(Study, Study.pk == StudyCondition.study_pk)
        .where(_STUDIES),
    ),
    ordered=frozenset({"condition", "design"}),
)

DOCUMENTS = FilterSpec(
    Document,
    (
        values(
            Document.pk,
            {
                PUBLISHED.name: literal(PUBLISHED.value),
                "kind": Document.kind,
                "standing": Document.standing,
                "year": cast(Document.year, String),
            },
        ).where(Document.status == Status.published),
    ),
    ordered=frozenset({"year"}),
)
