"""Counts over citations (`docs/method.md`, section 5): a study and its people once, reviews apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.claims.responses import ByStance, StanceCount
from app.claims.rules import INFORMATIVE
from app.claims.vocabulary import Overlap, Stance


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


def tally(items: Iterable[Counted]) -> Tally:
    """Counts in all and by stance. A study counts under one stance; its people count once, as the largest number."""
    items = list(items)
    people, stance_of, in_all = _people(items), study_stances(items), amounts(items)

    def count(stance: Stance) -> StanceCount:
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
        by_stance=ByStance(**{stance.value: count(stance) for stance in Stance}),
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
    """People in each study other than reviews: the largest number that any citation gives; 0 where unknown."""
    people: dict[str, int] = {}
    for item in items:
        if item.study is not None and not item.is_review:
            people[item.study] = max(people.get(item.study, 0), item.people or 0)
    return people


def study_stances(items: Iterable[Counted]) -> dict[str, Stance]:
    """The stance of each study other than reviews (R3)."""
    by_study: dict[str, list[Counted]] = {}
    for item in items:
        if item.study is not None and not item.is_review:
            by_study.setdefault(item.study, []).append(item)
    return {study: _one_stance(cited) for study, cited in by_study.items()}


def _one_stance(cited: list[Counted]) -> Stance:
    """The stance of the highest-ranked informative analyses, mixed if these differ; else background or unassessed."""
    informative = [item for item in cited if item.stance in INFORMATIVE]
    if not informative:
        is_background = any(item.stance is Stance.background for item in cited)
        return Stance.background if is_background else Stance.not_assessed
    rank = max(item.rank for item in informative)
    stances = {item.stance for item in informative if item.rank == rank}
    return stances.pop() if len(stances) == 1 else Stance.mixed


def overlap(cited: set[str], includes: Iterable[tuple[frozenset[str], bool]]) -> Overlap:
    """Whether reviews include studies that are also cited themselves.

    `includes` holds, for each review, the studies that it lists and whether that list is complete.
    """
    reviews = list(includes)
    if any(cited & listed for listed, _ in reviews):
        return Overlap.some
    return Overlap.unknown if any(not is_complete for _, is_complete in reviews) else Overlap.none
