"""Counts over citations (`docs/method.md`, section 5): a study and its people once, reviews apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.claims.responses import ByStance, ReviewCount, ReviewSides, StanceCount, VoteCounts, VoterCount
from app.claims.rules import INFORMATIVE
from app.claims.vocabulary import Overlap, Stance
from app.grading.consensus import people_in
from app.grading.evidence import CitationEvidence, EvidenceUnit


@dataclass(frozen=True)
class Counted:
    """What counting needs of one citation."""

    citation: str
    document: str
    stance: Stance
    rank: int = 0
    """Rank of the cited analysis within its study (R3): primary above secondary above exploratory."""
    study: str | None = None
    is_review: bool = False
    people: int | None = None
    is_analysed: bool = False
    """Whether these people were analysed for the finding, rather than taking part in the study."""


class Amounts(NamedTuple):
    studies: int
    """Studies other than reviews."""
    reviews: int
    participants: int
    """People in the studies; studies of unknown size add none."""


@dataclass(frozen=True)
class Tally:
    by_stance: ByStance
    citations: int
    documents: int
    studies: int
    reviews: int
    participants: int


_NOTHING = StanceCount(citations=0, documents=0, studies=0, reviews=0, participants=0)
_STANCES = {stance.value: stance for stance in Stance}


def tally(items: Iterable[Counted]) -> Tally:
    """Counts in all and by stance. A study counts under one stance; its people count once, as the largest number."""
    items = list(items)
    people, stance_of, in_all = _people(items), study_stances(items), amounts(items)
    taken_stances = {*(item.stance for item in items), *stance_of.values()}

    def count(stance: Stance) -> StanceCount:
        if stance not in taken_stances:
            return _NOTHING
        taken = [item for item in items if item.stance is stance]
        studies = [study for study, study_stance in stance_of.items() if study_stance is stance]
        return StanceCount(
            citations=len(taken),
            documents=len({item.document for item in taken}),
            studies=len(studies),
            reviews=len({item.study for item in taken if item.is_review}),
            participants=sum(people[study] for study in studies),
        )

    return Tally(
        by_stance=ByStance(**{name: count(stance) for name, stance in _STANCES.items()}),
        citations=len(items),
        documents=len({item.document for item in items}),
        studies=in_all.studies,
        reviews=in_all.reviews,
        participants=in_all.participants,
    )


def amounts(items: Sequence[Counted]) -> Amounts:
    """Studies, reviews and people, each counted once."""
    people = _people(items)
    return Amounts(
        len(people), len({item.study for item in items if item.is_review and item.study}), sum(people.values())
    )


def _people(items: Iterable[Counted]) -> dict[str, int]:
    """People in each study other than reviews, 0 where unknown: those of its highest-ranked informative analyses."""
    return {study: _people_in(_speaking(cited)) or 0 for study, cited in _by_study(items).items()}


def _by_study(items: Iterable[Counted]) -> dict[str, list[Counted]]:
    """The citations of each study other than reviews."""
    by_study: dict[str, list[Counted]] = {}
    for item in items:
        if item.study is not None and not item.is_review:
            by_study.setdefault(item.study, []).append(item)
    return by_study


def _people_in(items: Sequence[Counted]) -> int | None:
    known = [item for item in items if item.people is not None]
    analysed = [item for item in known if item.is_analysed]
    return max((item.people for item in analysed or known if item.people is not None), default=None)


def _speaking(cited: Sequence[Counted]) -> Sequence[Counted]:
    """R3: the highest-ranked informative analyses of a study; all where none is informative."""
    if len(cited) == 1:
        return cited
    informative = [item for item in cited if item.stance in INFORMATIVE]
    rank = max((item.rank for item in informative), default=0)
    return [item for item in informative if item.rank == rank] or cited


def study_stances(items: Iterable[Counted]) -> dict[str, Stance]:
    """The stance of each study other than reviews (R3)."""
    return {study: _one_stance(cited) for study, cited in _by_study(items).items()}


def _one_stance(cited: list[Counted]) -> Stance:
    """The stance of the highest-ranked informative analyses, mixed if these differ; else background or unassessed."""
    if not any(item.stance in INFORMATIVE for item in cited):
        is_background = any(item.stance is Stance.background for item in cited)
        return Stance.background if is_background else Stance.not_assessed
    stances = {item.stance for item in _speaking(cited)}
    return stances.pop() if len(stances) == 1 else Stance.mixed


# --- who votes -----------------------------------------------------------------------------------------------------


def vote_counts(
    units: Sequence[EvidenceUnit], informative: Iterable[CitationEvidence], by_stance: ByStance
) -> VoteCounts:
    """Studies and people by side, of the units that grade the claim; reviews and silent studies apart."""
    studies = [unit for unit in units if not unit.is_reviews]
    weighable = [unit for unit in studies if unit.is_weighable or not unit.is_voter]
    voting = {citation for unit in units if unit.is_reviews for citation in unit.citations}
    reviews = [item for item in informative if item.design.is_systematic]
    voting = {item.citation for item in reviews if item.citation in voting and item.stance is not Stance.inconclusive}
    return VoteCounts(
        supports=_voters(unit for unit in weighable if unit.stance is Stance.supports),
        disputes=_voters(unit for unit in weighable if unit.stance is Stance.disputes),
        mixed=_voters(unit for unit in weighable if unit.stance is Stance.mixed),
        undecided=_voters(unit for unit in weighable if not unit.is_voter),
        not_weighable=_voters(unit for unit in studies if unit not in weighable),
        background=by_stance.background.studies,
        not_assessed=by_stance.not_assessed.studies,
        voting_reviews=_review_sides(item for item in reviews if item.citation in voting),
        other_reviews=_review_sides(item for item in reviews if item.citation not in voting),
    )


def _voters(units: Iterable[EvidenceUnit]) -> VoterCount:
    units = list(units)
    trials = [unit for unit in units if unit.randomized]
    return VoterCount(
        studies=len(units),
        participants=sum(unit.people or 0 for unit in units),
        unknown_size=sum(unit.people is None for unit in units),
        randomized_trials=len(trials),
        randomized_participants=sum(unit.people or 0 for unit in trials),
    )


def _review_sides(items: Iterable[CitationEvidence]) -> ReviewSides:
    """Reviews by stance, each counted once; mixed where its own citations differ."""
    by_review: dict[str, list[CitationEvidence]] = {}
    for item in items:
        by_review.setdefault(item.study or item.document, []).append(item)
    sides: dict[Stance, list[int | None]] = {}
    for cited in by_review.values():
        stances = {item.stance for item in cited}
        stance = stances.pop() if len(stances) == 1 else Stance.mixed
        sides.setdefault(stance, []).append(people_in(cited))

    def count(stance: Stance) -> ReviewCount:
        people = sides.get(stance, [])
        return ReviewCount(
            reviews=len(people), largest_participants=max((n for n in people if n is not None), default=None)
        )

    return ReviewSides(
        supports=count(Stance.supports),
        disputes=count(Stance.disputes),
        mixed=count(Stance.mixed),
        undecided=count(Stance.inconclusive),
    )


def overlap(cited: set[str], includes: Iterable[tuple[frozenset[str], bool]]) -> Overlap:
    """Whether reviews include studies that are also cited themselves.

    `includes` holds, for each review, the studies that it lists and whether that list is complete.
    """
    reviews = list(includes)
    if any(cited & listed for listed, _ in reviews):
        return Overlap.some
    return Overlap.unknown if any(not is_complete for _, is_complete in reviews) else Overlap.none
