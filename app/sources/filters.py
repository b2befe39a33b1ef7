"""What lists of studies and documents are filtered by."""

from typing import Any

from sqlalchemy import ColumnElement, String, case, cast, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from app.concepts.models import Concept
from app.core.filters import PUBLISHED, Filterable, Values
from app.core.vocabulary import Status
from app.sources.models import Document, Study, StudyCondition

_STUDIES = Study.status == Status.published
_DOCUMENTS = Document.status == Status.published


def _study(name: str, value: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Values:
    return select(Study.pk, literal(name), value).where(_STUDIES, value.is_not(None))


def _document(name: str, value: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Values:
    return select(Document.pk, literal(name), value).where(_DOCUMENTS, value.is_not(None))


STUDIES = Filterable(
    Study,
    (
        _study(PUBLISHED.name, literal(PUBLISHED.value)),
        _study("design", Study.design),
        _study("evidence_source", Study.evidence_source),
        _study("recruitment", Study.recruitment),
        _study("results", Study.results),
        _study("is_review", case((Study.is_review, "true"), else_="false")),
        select(StudyCondition.study_pk, literal("condition"), Concept.id)
        .join(Concept, Concept.pk == StudyCondition.concept_pk)
        .join(Study, Study.pk == StudyCondition.study_pk)
        .where(_STUDIES),
    ),
    walked=frozenset({"condition", "design"}),
    flags=frozenset({"is_review"}),
)

DOCUMENTS = Filterable(
    Document,
    (
        _document(PUBLISHED.name, literal(PUBLISHED.value)),
        _document("kind", Document.kind),
        _document("standing", Document.standing),
        _document("year", cast(Document.year, String)),
    ),
    walked=frozenset({"year"}),
)
