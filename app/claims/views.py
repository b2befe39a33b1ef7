"""Variants of a claim that a request can ask for: fewer citations embedded, doses and inherited harms marked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claims.dose_responses import DoseAmount, DoseTotal, dose_fields
from app.claims.doses import DailyDose, from_stored
from app.claims.models import Citation, Claim
from app.claims.vocabulary import DoseMatch, Stance
from app.concepts.manifest import current_units
from app.concepts.schemas import ConceptRef, Inheritance
from app.core.content import ResponseModel

Embedded = Literal["all", "top", "none"]
"""Which citations a claim is shown with."""


class DoseCount(ResponseModel):
    """How many citations on this page match the dose that was asked for; none was left out."""

    low_pg_per_day: int | None
    """The range that was asked for, in picograms a day, both ends inclusive; null where it is open, no whole number, or
    no mass."""
    high_pg_per_day: int | None
    low_amount: DoseAmount | None
    """The same, exact whatever the period; null where it is open or no mass."""
    high_amount: DoseAmount | None
    """The upper end, exact whatever the period; null where it is open or no mass."""
    total: DoseTotal
    """The range in whatever unit. Studied doses whose totals have another unit are `not_comparable`."""
    overlaps: int
    outside: int
    not_comparable: int
    """Citations of doses in units that cannot be compared with that of the range."""
    not_reported: int


def claim_list_fields(dose: DoseCount | None, coverage: Sequence[ResponseModel], is_coverage_truncated: bool) -> bytes:
    """The fields that only lists of claims have, each with a comma in front."""
    questions = b",".join(question.model_dump_json().encode() for question in coverage)
    return b',"dose":%b,"coverage":[%b],"coverage_truncated":%b' % (
        to_json(dose),
        questions,
        to_json(is_coverage_truncated),
    )


def with_citations(record: dict[str, Any], embedded: Embedded) -> dict[str, Any]:
    """The claim with all its citations, with the first, strongest one of the supporting and of the disputing side
    (`top`), or with none."""
    if embedded == "all":
        return record
    citations: list[dict[str, Any]] = record["citations"]
    strongest = [] if embedded == "none" else [_first(citations, Stance.supports), _first(citations, Stance.disputes)]
    kept = [citation for citation in citations if citation["id"] in strongest]
    is_cut = record["citations_truncated"] or len(kept) < len(citations)
    return record | {"citations": kept, "citations_truncated": is_cut}


def _first(citations: Sequence[Mapping[str, Any]], stance: Stance) -> str | None:
    return next((citation["id"] for citation in citations if citation["stance"] == stance), None)


def with_inheritance(bodies: Sequence[bytes], inherited: Mapping[str, Inheritance]) -> list[bytes]:
    """The claims, each marked that is about one of the interventions whose harms are inherited."""
    if not inherited:
        return list(bodies)
    marks = {
        _marked(line.steps[-1].intervention, None): _marked(line.steps[-1].intervention, line)
        for line in inherited.values()
    }
    marked = []
    for body in bodies:
        mark = next((mark for mark in marks if mark in body), None)
        marked.append(body if mark is None else body.replace(mark, marks[mark], 1))
    return marked


def _marked(about: ConceptRef, line: Inheritance | None) -> bytes:
    """What a claim is about, and how it is inherited, as they stand side by side in its JSON."""
    mark = b"null" if line is None else line.model_dump_json().encode()
    return b'"intervention":%b,"inheritance":%b' % (about.model_dump_json().encode(), mark)


def mark_doses(session: Session, claims: Sequence[Mapping[str, Any]], dose: DailyDose) -> DoseCount:
    """Set `dose_match` on every citation of the claims; how many of each there are."""
    matches = _matches(session, [claim["id"] for claim in claims], dose)
    counts: Counter[str] = Counter()
    for claim in claims:
        for citation in claim["citations"]:
            citation["dose_match"] = matches.get(citation["id"], DoseMatch.not_reported)
            counts[citation["dose_match"]] += 1
    return DoseCount(
        **dose_fields(dose, current_units(session).smallest(dose.of)),
        **{match.value: counts[match] for match in DoseMatch},
    )


def _matches(session: Session, claim_ids: Sequence[str], dose: DailyDose) -> Mapping[str, DoseMatch]:
    rows = session.execute(
        select(Citation.id, Citation.dose_low, Citation.dose_high, Citation.dose_of)
        .join(Claim, Claim.pk == Citation.claim_pk)
        .where(Claim.id.in_(claim_ids), Citation.dose_low.is_not(None))
    )
    return {
        citation: _match(dose, DailyDose(from_stored(low), from_stored(high), of or dose.of))
        for citation, low, high, of in rows
    }


def _match(asked: DailyDose, studied: DailyDose) -> DoseMatch:
    if asked.of != studied.of:
        return DoseMatch.not_comparable
    return DoseMatch.overlaps if asked.overlaps(studied) else DoseMatch.outside
