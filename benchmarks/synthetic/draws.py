"""What synthetic records say: every one a pure function of the seed and its own number, so that none must be kept.

Words, concepts and studies are drawn by Zipf's law, as in real collections. The names are made up, and every claim and
title says that it is synthetic. What a record says falls into two parts. Its *make* is one of few: the profile of a
study, the pattern of a claim. All grades and counts follow from it. Its *facts* are its own: ids, words, numbers.
"""

import itertools
from bisect import bisect
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from app.claims.vocabulary import Kind, Stance
from app.sources.vocabulary import Design

_CITATIONS = (2, 3, 1, 4, 2, 5, 0, 3)
"""Citations of each claim in turn: 2.5 on average, so that a claim's first key follows from its number."""
EIGHT = len(_CITATIONS)
PER_EIGHT = sum(_CITATIONS)
PROFILES = 24
"""Studies have these profiles in turn."""
_VARIANTS = 8
"""Patterns of claims with each place among eight."""
_WORDS = 20_000
_COMMON = """
    pain fatigue sleep dose placebo score change week group baseline outcome trial people symptom daily measured
    reported response quality scale follow treatment adult sample interval median difference severity function mood
""".split()  # noqa: SIM905 - read as a text
CONCEPTS = {
    "intervention": (8, "compound"),
    "condition": (60, "syndrome"),
    "mechanism": (15, "pathway"),
    "side_effect": (15, "reaction"),
    "outcome": (12, "index"),
}
"""Type of concept → how many there are, and what they are called."""
_KINDS = (Kind.efficacy, Kind.safety, Kind.mechanism, Kind.dosing)
_SPECIAL = {Kind.efficacy: "outcome", Kind.safety: "side_effect", Kind.mechanism: "mechanism"}
"""The type of concept that claims of a kind name besides intervention and conditions."""
_STANCES = tuple(Stance)
_DESIGNS = (
    Design.randomized_parallel_trial, Design.uncontrolled_trial, Design.randomized_crossover_trial,
    Design.case_control, Design.cross_sectional, Design.systematic_review, Design.dose_finding,
)  # fmt: skip
_PEOPLE = (8, 12, 20, 31, 40, 60, 86, 99, 140, 220, 410, 1200)
_DOSES = ("1.5", "3", "4.5", "4.5", "4.5", "6")
_FIRST_YEAR, _LAST_YEAR = 1985, 2025


# --- how much -----------------------------------------------------------------------------------------------------


class Size(NamedTuple):
    """How many records of each type there are."""

    claims: int

    @property
    def studies(self) -> int:
        """Three for ten claims, and fewer in large collections; each is reported by one document."""
        return max(PROFILES, min(self.claims * 3 // 10, 20_000 + self.claims * 18 // 100))

    def citations_before(self, claim: int) -> int:
        """Citations of all claims before this one; claims count from 0."""
        return claim // EIGHT * PER_EIGHT + sum(_CITATIONS[: claim % EIGHT])


class _Zipf:
    """Draws places 0, 1, 2 ... of which each is the rarer the later it comes."""

    def __init__(self, size: int, exponent: float = 1.0) -> None:
        self.sums = list(itertools.accumulate(1 / (place + 2) ** exponent for place in range(size)))
        self._total = self.sums[-1]

    def draw(self, random: Random) -> int:
        return bisect(self.sums, random.random() * self._total)


# --- of few makes -------------------------------------------------------------------------------------------------


class Profile(NamedTuple):
    """What a study and the document that reports it share with many others."""

    design: Design
    people: int | None
    dose: str
    month: int
    is_registered: bool


class Cited(NamedTuple):
    """A citation, as far as grades depend on it."""

    stance: Stance
    profile: int


class Pattern(NamedTuple):
    """What a claim shares with many others."""

    kind: Kind
    about: tuple[str, ...]
    """Types of the concepts that it names, in the order of a claim's fields."""
    has_population: bool
    has_timepoint: bool
    has_caveat: bool
    citations: tuple[Cited, ...]


# --- facts --------------------------------------------------------------------------------------------------------


class ConceptFacts(NamedTuple):
    pk: int
    id: str
    name: str
    synonym: str


class SourceFacts(NamedTuple):
    """Of a study and of the document that reports it."""

    pk: int
    """Of both."""
    study: str
    document: str
    name: str
    population: str
    title: str
    family: str
    year: int
    volume: str
    page: str
    doi: str
    pmid: str
    registry_id: str


class CitationFacts(NamedTuple):
    pk: int
    finding: str
    value: float
    ci_low: float
    ci_high: float
    p_value: float


class ClaimFacts(NamedTuple):
    pk: int
    id: str
    statement: str
    caveat: str
    timepoint: str
    reviewed_on: str


class About(NamedTuple):
    """What a claim is about, and its pattern: cheap, and all that counting needs."""

    pattern: int
    places: tuple[int, ...]
    """In the lists of concepts, in the order of the pattern's `about`."""


class Drawn(NamedTuple):
    """All that one claim says, its pattern apart."""

    claim: ClaimFacts
    concepts: tuple[ConceptFacts, ...]
    citations: tuple[tuple[CitationFacts, SourceFacts], ...]

    def flat(self) -> tuple[Any, ...]:
        """Every fact, in one order for each pattern."""
        return (*self.claim, *itertools.chain(*self.concepts), *itertools.chain(*itertools.chain(*self.citations)))


class Draws:
    """Every record's facts, drawn when they are asked for; sources asked for lately are remembered."""

    def __init__(self, seed: int, size: Size) -> None:
        self._seed = seed
        self._size = size
        self._words = _pseudo_words()
        self._word_sums = _WORD_PLACES.sums
        self.concepts = self._concepts()
        self.profiles = [self._profile(place) for place in range(PROFILES)]
        self.patterns = [self._pattern(place) for place in range(EIGHT * _VARIANTS)]
        self._variants = _Zipf(_VARIANTS, 0.7)
        self._zipf = {record_type: _Zipf(count) for record_type, (count, _) in CONCEPTS.items()}
        self._rounds = _Zipf(size.studies // PROFILES, 0.6)
        self.source = lru_cache(20_000)(self._source)

    def _random(self, what: int, number: int) -> Random:
        return Random((self._seed << 64) | (what << 56) | number)  # noqa: S311 - reproducible, not secret

    def _sentences(self, random: Random, *lengths: int) -> list[str]:
        words = random.choices(self._words, cum_weights=self._word_sums, k=sum(lengths))
        ends = itertools.accumulate(lengths)
        return [" ".join(words[end - length : end]) for end, length in zip(ends, lengths, strict=True)]

    # --- concepts -------------------------------------------------------------------------------------------------

    def _concepts(self) -> dict[str, list[ConceptFacts]]:
        pks = itertools.count(1)
        made = {}
        for record_type, (count, noun) in CONCEPTS.items():
            names = [word.capitalize() for word in self._words[200 + 100 * sum(map(ord, noun)) % 5000 :]]
            slug = record_type.replace("_", "-")
            made[record_type] = [
                ConceptFacts(
                    pk=next(pks),
                    id=f"synthetic-{slug}-{number:03d}",
                    name=f"{names[number]} {noun}",
                    synonym=f"{names[number]} {names[number + 100]}",
                )
                for number in range(count)
            ]
        return made

    # --- studies and documents ------------------------------------------------------------------------------------

    def _profile(self, place: int) -> Profile:
        random = self._random(1, place)
        design = _DESIGNS[_DESIGN_PLACES.draw(random)]
        return Profile(
            design=design,
            people=None if design.is_review else random.choice(_PEOPLE),
            dose=random.choice(_DOSES),
            month=1 + place % 12,
            is_registered=place % 3 == 0,
        )

    def _source(self, number: int) -> SourceFacts:
        random = self._random(2, number)
        name, population, title = self._sentences(random, 4, 6, 9)
        return SourceFacts(
            pk=number + 1,
            study=f"synthetic-study-{number:06d}",
            document=f"synthetic-document-{number:06d}",
            name=f"Synthetic study {number}: {name}",
            population=f"Adults, {population}.",
            title=f"Synthetic report {number}: {title}",
            family=self._words[random.randrange(1000, 9000)].capitalize(),
            year=random.randrange(_FIRST_YEAR, _LAST_YEAR + 1),
            volume=str(random.randrange(1, 80)),
            page=str(random.randrange(1, 900)),
            doi=f"10.5555/synthetic.{number}",
            pmid=str(900_000_000 + number),
            registry_id=f"NCT{90_000_000 + number}",
        )

    def condition_of(self, source: int) -> ConceptFacts:
        """The condition that people in a study have."""
        return self.concepts["condition"][self._zipf["condition"].draw(self._random(4, source))]

    # --- claims ---------------------------------------------------------------------------------------------------

    def _pattern(self, place: int) -> Pattern:
        random = self._random(5, place)
        kind = _KINDS[_KIND_PLACES.draw(random)]
        conditions = ("condition",) if random.random() < 0.75 else ("condition", "condition")
        special = (_SPECIAL[kind],) if kind in _SPECIAL else ()
        cited: dict[tuple[Any, ...], Cited] = {}
        profiles: set[int] = set()
        while len(cited) < _CITATIONS[place % EIGHT]:
            citation = Cited(_STANCES[_STANCE_PLACES.draw(random)], random.randrange(PROFILES))
            design, people, *_ = self.profiles[citation.profile]
            same = (citation.stance, design, people)  # would be shown by year, of which the pattern knows nothing
            if same not in cited and citation.profile not in profiles:
                cited[same] = citation
                profiles.add(citation.profile)
        return Pattern(
            kind=kind,
            about=("intervention", *conditions, *special),
            has_population=random.random() < 0.3,
            has_timepoint=random.random() < 0.5,
            has_caveat=random.random() < 0.4,
            citations=tuple(cited.values()),
        )

    def about(self, number: int) -> About:
        return self._about(self._random(3, number), number)

    def _about(self, random: Random, number: int) -> About:
        pattern = number % EIGHT + EIGHT * self._variants.draw(random)
        places: list[int] = []
        for record_type in self.patterns[pattern].about:
            place = self._zipf[record_type].draw(random)
            while record_type == "condition" and place in places[1:]:
                place = self._zipf[record_type].draw(random)
            places.append(place)
        return About(pattern, tuple(places))

    def claim(self, number: int) -> tuple[About, Drawn]:
        """The claim's pattern with places, and what it says."""
        random = self._random(3, number)
        about = self._about(random, number)
        pattern = self.patterns[about.pattern]
        concepts = tuple([self.concepts[name][place] for name, place in zip(pattern.about, about.places, strict=True)])
        statement, caveat, *findings = self._sentences(random, 14, 8, *[10] * len(pattern.citations))
        claim = ClaimFacts(
            pk=number + 1,
            id=f"synthetic-claim-{number:07d}",
            statement=f"Synthetic: in {concepts[1].name}, {statement}.",
            caveat=f"Synthetic caveat: {caveat}.",
            timepoint=f"{random.randrange(2, 52)} weeks",
            reviewed_on=f"2025-{random.randrange(1, 13):02d}-15",
        )
        first = self._size.citations_before(number) + 1
        return about, Drawn(
            claim,
            concepts,
            tuple(
                [
                    (
                        self._citation(random, first + position, finding),
                        self.source(self._rounds.draw(random) * PROFILES + cited.profile),
                    )
                    for position, (cited, finding) in enumerate(zip(pattern.citations, findings, strict=True))
                ]
            ),
        )

    def _citation(self, random: Random, pk: int, finding: str) -> CitationFacts:
        value, half = random.randrange(10, 300), random.randrange(5, 200)
        return CitationFacts(
            pk=pk,
            finding=f"Synthetic finding: {finding}.",
            value=value / 100,
            ci_low=(value - half) / 100,
            ci_high=(value + half) / 100,
            p_value=random.randrange(1, 1000) / 1000,
        )


@lru_cache(1)
def _pseudo_words() -> list[str]:
    """Common words first, then made-up ones; always the same."""
    consonants, vowels = "bdfgklmnprstvz", "aeiou"
    syllables = [c + v for c in consonants for v in vowels]
    random = Random(7)  # noqa: S311 - reproducible, not secret
    made = dict.fromkeys(_COMMON)
    while len(made) < _WORDS:
        made["".join(random.choices(syllables, k=random.choice((2, 3, 3, 4))))] = None
    return list(made)


_WORD_PLACES = _Zipf(_WORDS)
_KIND_PLACES = _Zipf(len(_KINDS))
_STANCE_PLACES = _Zipf(len(_STANCES))
_DESIGN_PLACES = _Zipf(len(_DESIGNS), 0.5)
