"""Writes studies and documents as rows, and lists what they refer to."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.concepts.manifest import manifest_in_force
from app.concepts.models import Concept
from app.sources import models
from app.sources.identifiers import normalise
from app.sources.schemas import DocumentWrite, Identifier, StudyWrite
from app.storage.history import batches
from app.storage.resource import FieldReference, Key
from app.storage.rows import RowWriter, column_values

_INCLUDES_COLUMNS = ("completeness", "designs", "study_count", "participants", "searched_on")
_NOTICE_COLUMNS = ("doi", "url", "text")


def study_references(study: StudyWrite) -> Iterator[FieldReference]:
    for index, condition in enumerate(study.conditions):
        yield FieldReference(f"conditions[{index}]", Key("condition", condition))
    for index, included in enumerate(study.includes.studies if study.includes else ()):
        yield FieldReference(f"includes.studies[{index}]", Key("study", included))


def apply_study(rows: RowWriter, study: StudyWrite) -> None:
    includes = study.includes
    values = column_values(models.Study, study) | {
        "is_review": False,  # until `mark_reviews`, since designs are those of the data set
        **{f"includes_{name}": getattr(includes, name, None) for name in _INCLUDES_COLUMNS},
    }
    rows.put(models.Study, study.id, values)


def mark_reviews(session: Session, study_ids: Iterable[str]) -> None:
    """Write which of the stored studies are reviews, by the designs of the data set."""
    reviews, table = manifest_in_force(session).study_designs.reviews, models.Study.__table__.c
    for some in batches(study_ids):
        session.execute(
            update(models.Study.__table__).where(table.id.in_(some)).values(is_review=table.design.in_(reviews))  # type: ignore[arg-type]
        )


def link_study(rows: RowWriter, study: StudyWrite) -> None:
    owner = {"study_pk": rows.key(models.Study, study.id)}
    rows.replace(models.StudyIdentifier, owner, map(_identifier, study.registry_ids))
    rows.replace(
        models.StudyCondition,
        owner,
        ({"concept_pk": rows.key(Concept, condition, "condition")} for condition in study.conditions),
    )
    rows.replace(models.StudyArm, owner, (with_floats(arm.model_dump()) for arm in study.arms))
    rows.replace(models.StudyLimitation, owner, ({"limitation": limitation} for limitation in study.limitations))
    rows.replace(
        models.StudyInclusion,
        {"review_pk": owner["study_pk"]},
        ({"study_pk": rows.key(models.Study, s)} for s in (study.includes.studies if study.includes else ())),
    )


def document_references(document: DocumentWrite) -> Iterator[FieldReference]:
    for index, entry in enumerate(document.studies):
        yield FieldReference(f"studies[{index}].study", Key("study", entry.study))


def apply_document(rows: RowWriter, document: DocumentWrite) -> None:
    derived = {"year": year_of(document.issued), "standing": document.current_standing.standing}
    rows.put(models.Document, document.id, column_values(models.Document, document) | derived)


def link_document(rows: RowWriter, document: DocumentWrite) -> None:
    owner = {"document_pk": rows.key(models.Document, document.id)}
    rows.replace(models.DocumentIdentifier, owner, map(_identifier, document.identifiers))
    rows.replace(
        models.DocumentStanding,
        owner,
        (
            {
                "standing": entry.standing,
                "on_date": entry.on,
                "source": entry.source,
                **{f"notice_{name}": getattr(entry.notice, name, None) for name in _NOTICE_COLUMNS},
            }
            for entry in document.standing
        ),
    )
    rows.replace(
        models.DocumentStudyLink,
        owner,
        ({"study_pk": rows.key(models.Study, entry.study), "role": entry.role} for entry in document.studies),
    )


def year_of(issued: str | None) -> int | None:
    return int(issued[:4]) if issued else None


def _identifier(identifier: Identifier) -> dict[str, str]:
    normal = normalise(identifier.scheme, identifier.value)
    return {"scheme": identifier.scheme, "value": identifier.value, "normal": normal}


def with_floats(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with decimals as the double-precision numbers of the tables; the record's content keeps them exact."""
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}
