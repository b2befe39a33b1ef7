"""What lists of studies and documents are filtered by."""

from sqlalchemy import String, case, cast, literal

from app.concepts.models import Concept
from app.core.vocabulary import Status
from app.sources.models import Document, Study, StudyCondition
from app.storage.filter_bitmaps import PUBLISHED
from app.storage.filter_index import FilterSpec, values

_STUDIES = Study.status == Status.published


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
                "is_review": case((Study.is_review, "true"), else_="false"),
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
