"""Contraindications of an intervention, and of its drug and classes, for pages that show a dose or a condition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.claims import rendering
from app.claims.responses import ClaimSummary
from app.claims.schemas import ClaimWrite
from app.concepts.lineage import inheritances
from app.concepts.models import Concept
from app.questions.pair_records import contraindications_of
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from app.web.condition_data import MAX_HARMS


@dataclass(frozen=True)
class ContraindicationLine:
    """One claim that says for whom, or with what, the intervention must not be used."""

    claim: ClaimSummary
    conditions: tuple[str, ...]
    """Ids of the conditions that it names."""
    said_of: str | None
    """Of whom it is said, where that is the drug or a class."""


def contraindications(session: Session, intervention: Concept) -> list[ContraindicationLine]:
    """As many as the page of a condition reads, those on which most evidence bears first."""
    ids = contraindications_of(session, intervention.id, MAX_HARMS)
    inherited = inheritances(session, [intervention.pk]) if ids else {}
    records = CurrentRecords(session)
    records.prefetch((Key("claim", claim_id) for claim_id in ids), depth=1)
    lines = []
    for claim_id in ids:
        content: ClaimWrite = records.content(Key("claim", claim_id))
        line = inherited.get(content.intervention or "")
        summary = rendering.summary(records, claim_id)
        lines.append(ContraindicationLine(summary, content.conditions, line.text if line else None))
    return lines


def by_condition(lines: Sequence[ContraindicationLine]) -> Mapping[str, list[ContraindicationLine]]:
    """Id of each condition that is named → the contraindications that name it."""
    found: dict[str, list[ContraindicationLine]] = {}
    for line in lines:
        for condition in line.conditions:
            found.setdefault(condition, []).append(line)
    return found
