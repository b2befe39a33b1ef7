"""What seeding would do: it is done in a transaction that the caller rolls back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claims.derived import ClaimDerived
from app.core.vocabulary import Status
from app.datasets.seed import SeedPlan, SeedResult, seed
from app.storage.history import StoredRecord


@dataclass(frozen=True)
class ShownGrade:
    """What readers are told of a claim."""

    verdict: str
    consensus: str
    certainty: str

    def __str__(self) -> str:
        return f"{self.verdict} ({self.consensus}, {self.certainty} certainty)"


@dataclass(frozen=True)
class GradeMove:
    """A published claim whose grade would be another."""

    claim: str
    before: ShownGrade
    after: ShownGrade


@dataclass(frozen=True)
class SeedPreview:
    """The result that seeding would have, and what it would do to claims that are published already."""

    result: SeedResult
    moves: tuple[GradeMove, ...]
    stale_caveats: tuple[str, ...]
    """Claims whose caveat would no longer rest on the evidence that it was written for."""


def preview(session: Session, directories: Path | Sequence[Path], plan: SeedPlan) -> SeedPreview:
    """Seed, and compare the claims before and after. Whoever calls this rolls the transaction back."""
    before = _derived(session)
    result = seed(session, directories, plan=plan)
    session.flush()
    after = _derived(session)
    both = sorted(before.keys() & after.keys())
    moves = [GradeMove(claim, _grade(before[claim]), _grade(after[claim])) for claim in both]
    return SeedPreview(
        result,
        tuple(move for move in moves if move.before != move.after),
        tuple(
            claim
            for claim in sorted(after)
            if after[claim].caveat_stale and not (claim in before and before[claim].caveat_stale)
        ),
    )


def _derived(session: Session) -> dict[str, ClaimDerived]:
    rows = session.execute(
        select(StoredRecord.id, StoredRecord.derived).where(
            StoredRecord.type == "claim", StoredRecord.status == Status.published
        )
    )
    return {claim: ClaimDerived.model_validate_json(derived) for claim, derived in rows}


def _grade(derived: ClaimDerived) -> ShownGrade:
    evidence = derived.evidence
    return ShownGrade(evidence.verdict.label, evidence.consensus, evidence.certainty)
