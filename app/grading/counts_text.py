"""Who found what, as one sentence: both sides with their studies and people. Pure."""

from collections.abc import Iterable, Iterator, Sequence, Set
from typing import NamedTuple

from app.claims.vocabulary import (
    Consensus,
    Directness,
    Frame,
    Leaning,
    Stance,
)
from app.core.english import join_and, quantity
from app.grading.evidence import CitationEvidence, EvidenceUnit
from app.grading.verdict import VerdictBasis, is_current
from app.sources.vocabulary import IncludedDesigns

_FOUND = {
    Frame.benefit: ("found an effect", "found no difference that matters"),
    Frame.mechanism: ("found an effect", "found no difference that matters"),
    Frame.comparison: ("found a difference", "found no difference that matters"),
    Frame.state: ("found this", "did not find this"),
    Frame.harm: ("found more", "found no clear difference"),
    Frame.no_harm: ("found no clear difference", "found more"),
}
"""What the supporting and the disputing side found."""


class CountedSide(NamedTuple):
    """The units on one side, with what they found."""

    units: Sequence[EvidenceUnit]
    found: str


def counts_text(finding: VerdictBasis, units: Sequence[EvidenceUnit], items: Sequence[CitationEvidence]) -> str | None:
    """Who found what: the leaning side first, randomised trials named apart. Null where nothing was measured."""
    studies = [unit for unit in units if not unit.is_reviews]
    voting = frozenset(citation for unit in units if unit.is_reviews for citation in unit.citations)
    systematic = [item for item in items if item.design.is_systematic and is_current(item)]
    clauses = [*_reviews_that_vote(finding, systematic, voting)] if voting else []
    clauses += _studies(finding, studies)
    if not clauses:
        return None
    sentence = "; ".join(clauses)
    if finding.consensus is Consensus.conflicting and len(clauses) > 1:
        sentence = f"{finding.disagreeing}: {sentence}"
    beside = "" if voting else _reviews_beside(finding, studies, systematic)
    return f"{sentence[:1].upper()}{sentence[1:]}.{beside}"


def _studies(finding: VerdictBasis, studies: Sequence[EvidenceUnit]) -> list[str]:
    supports, disputes = _FOUND[finding.frame]
    counted_ones = [unit for unit in studies if unit.is_weighable or not unit.is_voter]
    against = [unit for unit in counted_ones if unit.stance is Stance.disputes]
    sides = [
        CountedSide([unit for unit in counted_ones if unit.stance is Stance.supports], supports),
        CountedSide([unit for unit in against if not unit.is_opposite], disputes),
        CountedSide([unit for unit in against if unit.is_opposite], "found the opposite"),
    ]
    if finding.leaning is Leaning.disputes:
        sides = [*sides[1:], sides[0]]
    sides.append(CountedSide([unit for unit in counted_ones if unit.stance is Stance.mixed], "found both"))
    clauses = [f"{_who(side.units)} {side.found}" for side in sides if side.units]
    for number, says in (
        (sum(not unit.is_voter for unit in counted_ones), "could not decide"),
        (len(studies) - len(counted_ones), "cannot be weighed"),
    ):
        if number:
            who = f"{number} more" if clauses else quantity(number, "study", "studies")
            clauses.append(f"{who} {says}")
    return clauses


def _who(units: Sequence[EvidenceUnit]) -> str:
    """`1 randomised trial and 4 other studies (185 people)`."""
    trials = [unit for unit in units if unit.randomized]
    laboratory = [unit for unit in units if not unit.human and not unit.randomized]
    others = len(units) - len(trials) - len(laboratory)
    parts = [
        quantity(len(trials), "randomised trial", "randomised trials") if trials else "",
        quantity(others, "other study", "other studies") if trials else quantity(others, "study", "studies"),
        quantity(len(laboratory), "laboratory study", "laboratory studies") if laboratory else "",
    ]
    if not others:
        parts[1] = ""
    people = "" if len(laboratory) == len(units) else f" ({_people([u.people for u in units if u not in laboratory])})"
    return join_and(part for part in parts if part) + people


def _people(numbers: Iterable[int | None]) -> str:
    numbers = list(numbers)
    total = sum(number or 0 for number in numbers)
    if not total:
        return "number of people not read"
    people = quantity(total, "person", "people")
    return f"at least {people}" if None in numbers else people


def _reviews_that_vote(
    finding: VerdictBasis, systematic: Sequence[CitationEvidence], voting: Set[str]
) -> Iterator[str]:
    supports, disputes = _FOUND[finding.frame]
    sides = [(Stance.supports, supports), (Stance.disputes, disputes)]
    if finding.leaning is Leaning.disputes:
        sides.reverse()
    is_first = True
    for stance, found in (*sides, (Stance.mixed, "found both")):
        reviews = _once(item for item in systematic if item.stance is stance and item.citation in voting)
        if reviews:
            is_first = False
            yield f"{_reviews(reviews)} {found}"
    undecided = len(_once(item for item in systematic if item.stance is Stance.inconclusive))
    if undecided:
        who = quantity(undecided, "review", "reviews") if is_first else f"{undecided} more"
        yield f"{who} could not tell"


def _reviews(reviews: Sequence[CitationEvidence]) -> str:
    """`2 reviews of trials (222 people in the larger)`: the people of the largest, never a sum."""
    of_trials = all(review.includes_designs is IncludedDesigns.randomized for review in reviews)
    number = quantity(len(reviews), "review", "reviews") + (" of trials" if of_trials else "")
    known = [review.people for review in reviews if review.people]
    if not known:
        return f"{number} (number of people not read)"
    among = {1: "", 2: " in the larger"}.get(len(reviews), " in the largest")
    return f"{number} ({quantity(max(known), 'person', 'people')}{among})"


def _reviews_beside(
    finding: VerdictBasis, studies: Sequence[EvidenceUnit], systematic: Sequence[CitationEvidence]
) -> str:
    """Direct reviews of trials that are not among the counted studies: they have no vote, and are named."""
    own = {unit.study for unit in studies}
    has_trial = any(unit.randomized for unit in studies)
    others = _once(
        item
        for item in systematic
        if item.directness is Directness.direct
        and item.includes_designs in (IncludedDesigns.randomized, IncludedDesigns.mixed)
        and (item.includes - own or not (item.includes or has_trial))
    )
    supports, disputes = _FOUND[finding.frame]
    found = {
        Stance.supports: supports,
        Stance.disputes: disputes,
        Stance.mixed: "found both",
        Stance.inconclusive: "could not tell",
    }
    clauses = [
        f"{number} {words}"
        for stance, words in found.items()
        if (number := sum(item.stance is stance for item in others))
    ]
    return f" Reviews of trials: {', '.join(clauses)}." if clauses else ""


def _once(items: Iterable[CitationEvidence]) -> list[CitationEvidence]:
    """One citation for each review."""
    return list({item.study or item.document: item for item in items}.values())
