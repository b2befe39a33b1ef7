"""Variants of a claim's stored body that a request can ask for: strongest citations only, doses marked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claims.doses import DailyDose
from app.claims.models import Citation, Claim
from app.claims.vocabulary import DoseMatch, Stance
from app.core.content import ResponseModel


class DoseCount(ResponseModel):
    """How many citations on this page match the dose that was asked for; none was left out."""

    low_pg_per_day: int | None
    """The range that was asked for, in picograms a day, both ends inclusive; null where it is open."""
    high_pg_per_day: int | None
    overlaps: int
    outside: int
    not_reported: int


def claim_list_fields(dose: DoseCount | None, coverage: Sequence[ResponseModel], is_coverage_truncated: bool) -> bytes:
    """The fields that only lists of claims have, each with a comma in front."""
    questions = b",".join(question.model_dump_json().encode() for question in coverage)
    return b',"dose":%b,"coverage":[%b],"coverage_truncated":%b' % (
        to_json(dose),
        questions,
        to_json(is_coverage_truncated),
    )


def strongest_citations(body: bytes) -> bytes:
    """The claim with only the first, strongest citation of the supporting and of the disputing side."""
    claim: dict[str, Any] = from_json(body)
    sides = (Stance.supports, Stance.disputes)
    first = {stance: next((c["id"] for c in claim["citations"] if c["stance"] == stance), None) for stance in sides}
    strongest = [citation for citation in claim["citations"] if citation["id"] in first.values()]
    claim["citations_truncated"] = claim["citations_truncated"] or len(strongest) < len(claim["citations"])
    claim["citations"] = strongest
    return to_json(claim)


def mark_doses(
    session: Session, claim_ids: Sequence[str], bodies: Sequence[bytes], dose: DailyDose
) -> tuple[list[bytes], DoseCount]:
    """The claims with `dose_match` on every citation, and how many of each there are."""
    matches = _matches(session, claim_ids, dose)
    counts: Counter[str] = Counter()
    marked = []
    for body in bodies:
        claim: dict[str, Any] = from_json(body)
        for citation in claim["citations"]:
            citation["dose_match"] = matches.get(citation["id"], DoseMatch.not_reported)
            counts[citation["dose_match"]] += 1
        marked.append(to_json(claim))
    return marked, DoseCount(
        low_pg_per_day=dose.low,
        high_pg_per_day=dose.high,
        **{match.value: counts[match] for match in DoseMatch},
    )


def _matches(session: Session, claim_ids: Sequence[str], dose: DailyDose) -> Mapping[str, DoseMatch]:
    rows = session.execute(
        select(Citation.id, Citation.dose_low_pg, Citation.dose_high_pg)
        .join(Claim, Claim.pk == Citation.claim_pk)
        .where(Claim.id.in_(claim_ids), Citation.dose_low_pg.is_not(None))
    )
    return {
        citation: DoseMatch.overlaps if dose.overlaps(DailyDose(low, high)) else DoseMatch.outside
        for citation, low, high in rows
    }
