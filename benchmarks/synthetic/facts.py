"""What synthetic records say: each record is a pure function of the seed and its number, so that none is stored.

Words, concepts and studies are drawn by Zipf's law, as in real collections. The names are made up, and every claim and
title says that it is synthetic. A record has two parts. Its *pattern* (a study's profile, a claim's pattern) is one of
few, and all grades and counts follow from it. Its *facts* are its own: ids, words, numbers.
"""

import itertools
from bisect import bisect
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from app.claims.vocabulary import Kind, Stance
from app.concepts.study_designs import SHIPPED_DESIGNS
from app.concepts.terms import StudyDesignTerm

_CITATIONS = (2, 3, 1, 4, 2, 5, 0, 3)
"""Citations of each claim in turn: 2.5 on average, so that a claim's first key follows from its number."""
CYCLE = len(_CITATIONS)
PROFILES = 24
"""Studies have these profiles in turn."""
_VARIANTS = 8
"""Patterns of claims for each position in the cycle."""
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
"""Type of concept → how many there are, and the noun in their names."""
_KINDS = (Kind.efficacy, Kind.safety, Kind.mechanism, Kind.dosing)
_EXTRA_CONCEPT = {Kind.efficacy: "outcome", Kind.safety: "side_effect", Kind.mechanism: "mechanism"}
"""The type of concept that claims of a kind name besides intervention and conditions."""
_STANCES = tuple(Stance)
_DESIGNS = tuple(map(SHIPPED_DESIGNS.design, (
    "randomized_parallel_trial", "uncontrolled_trial", "randomized_crossover_trial", "case_control", "cross_sectional",
    "systematic_review", "dose_finding",
)))  # fmt: skip
_PARTICIPANTS = (8, 12, 20, 31, 40, 60, 86, 99, 140, 220, 410, 1200)
_DOSES = ("1.5", "3", "4.5", "4.5", "4.5", "6")
_FIRST_YEAR, _LAST_YEAR = 1985, 2025


class Size(NamedTuple):
    """How many records of each type there are."""

    claims: int

    @property
    def studies(self) -> int:
        """Three for ten claims, and fewer in large collections; each is reported by one document."""
        return max(PROFILES, min(self.claims * 3 // 10, 20_000 + self.claims * 18 // 100))

    def citations_before(self, claim: int) -> int:
        """Citations of all claims before this one; claims count from 0."""
        return claim // CYCLE * sum(_CITATIONS) + sum(_CITATIONS[: claim % CYCLE])


class _Zipf:
    """Draws positions 0, 1, 2 ... of which each is rarer than the one before."""

    def __init__(self, size: int, exponent: float = 1.0) -> None:
        self.sums = list(itertools.accumulate(1 / (position + 2) ** exponent for position in range(size)))

    def draw(self, random: Random) -> int:
        return bisect(self.sums, random.random() * self.sums[-1])


# --- patterns -----------------------------------------------------------------------------------------------------


class Profile(NamedTuple):
    """What a study and the document that reports it share with many others."""

    design: StudyDesignTerm
    participants: int | None
    dose: str
    month: int
    is_registered: bool


class PatternCitation(NamedTuple):
    """A citation, as far as grades depend on it."""

    stance: Stance
    profile: int


class Pattern(NamedTuple):
    """What a claim shares with many others."""

    kind: Kind
    concept_types: tuple[str, ...]
    """Types of the concepts that it names, in the order of a claim's fields."""
    has_population: bool
    has_timepoint: bool
    has_caveat: bool
    citations: tuple[PatternCitation, ...]


# --- facts --------------------------------------------------------------------------------------------------------


class ConceptFacts(NamedTuple):
    pk: int
    id: str
    name: str
    synonym: str


class SourceFacts(NamedTuple):
    """Of a study and of the document that reports it; they have the same key."""

    pk: int
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


class Topic(NamedTuple):
    """A claim's pattern and concepts: cheap, and all that counting needs."""

    pattern: int
    positions: tuple[int, ...]
    """In the lists of concepts, in the order of the pattern's `concept_types`."""


class CompleteClaim(NamedTuple):
    """All facts of one claim, with its concepts and citations."""

    claim: ClaimFacts
    concepts: tuple[ConceptFacts, ...]
    citations: tuple[tuple[CitationFacts, SourceFacts], ...]

    def flat(self) -> tuple[Any, ...]:
        """Every fact, in one order for each pattern."""
        return (*self.claim, *itertools.chain(*self.concepts), *itertools.chain(*itertools.chain(*self.citations)))


class FactGenerator:
    """Makes every record's facts on demand; sources made lately are remembered."""

    def __init__(self, seed: int, size: Size) -> None:
        self._seed = seed
        self._size = size
        self._words = _pseudo_words()
        self.concepts = self._concepts()
        self.profiles = [self._profile(number) for number in range(PROFILES)]
        self.patterns = [self._pattern(number) for number in range(CYCLE * _VARIANTS)]
        self._variants = _Zipf(_VARIANTS, 0.7)
        self._concept_positions = {record_type: _Zipf(count) for record_type, (count, _) in CONCEPTS.items()}
        self._source_rounds = _Zipf(size.studies // PROFILES, 0.6)
        self.source = lru_cache(20_000)(self._source)

    def _random(self, purpose: int, number: int) -> Random:
        return Random((self._seed << 64) | (purpose << 56) | number)  # noqa: S311 - reproducible, not secret

    def _sentences(self, random: Random, *lengths: int) -> list[str]:
        words = random.choices(self._words, cum_weights=_WORD_POSITIONS.sums, k=sum(lengths))
        ends = itertools.accumulate(lengths)
        return [" ".join(words[end - length : end]) for end, length in zip(ends, lengths, strict=True)]

    # --- concepts -------------------------------------------------------------------------------------------------

    def _concepts(self) -> dict[str, list[ConceptFacts]]:
        pks = itertools.count(1)
        concepts = {}
        for record_type, (count, noun) in CONCEPTS.items():
            names = [word.capitalize() for word in self._words[200 + 100 * sum(map(ord, noun)) % 5000 :]]
            slug = record_type.replace("_", "-")
            concepts[record_type] = [
                ConceptFacts(
                    pk=next(pks),
                    id=f"synthetic-{slug}-{number:03d}",
                    name=f"{names[number]} {noun}",
                    synonym=f"{names[number]} {names[number + 100]}",
                )
                for number in range(count)
            ]
        return concepts

    # --- studies and documents ------------------------------------------------------------------------------------

    def _profile(self, number: int) -> Profile:
        random = self._random(1, number)
        design = _DESIGNS[_DESIGN_POSITIONS.draw(random)]
        return Profile(
            design=design,
            participants=None if design.is_review else random.choice(_PARTICIPANTS),
            dose=random.choice(_DOSES),
            month=1 + number % 12,
            is_registered=number % 3 == 0,
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
        """The condition of the participants of a study."""
        return self.concepts["condition"][self._concept_positions["condition"].draw(self._random(4, source))]

    # --- claims ---------------------------------------------------------------------------------------------------

    def _pattern(self, number: int) -> Pattern:
        random = self._random(5, number)
        kind = _KINDS[_KIND_POSITIONS.draw(random)]
        conditions = ("condition",) if random.random() < 0.75 else ("condition", "condition")
        extra = (_EXTRA_CONCEPT[kind],) if kind in _EXTRA_CONCEPT else ()
        citations: dict[tuple[Any, ...], PatternCitation] = {}
        profiles: set[int] = set()
        while len(citations) < _CITATIONS[number % CYCLE]:
            citation = PatternCitation(_STANCES[_STANCE_POSITIONS.draw(random)], random.randrange(PROFILES))
            profile = self.profiles[citation.profile]
            alike = (citation.stance, profile.design, profile.participants)  # their order would depend on the year
            if alike not in citations and citation.profile not in profiles:
                citations[alike] = citation
                profiles.add(citation.profile)
        return Pattern(
            kind=kind,
            concept_types=("intervention", *conditions, *extra),
            has_population=random.random() < 0.3,
            has_timepoint=random.random() < 0.5,
            has_caveat=random.random() < 0.4,
            citations=tuple(citations.values()),
        )

    def topic(self, number: int) -> Topic:
        return self._topic(self._random(3, number), number)

    def _topic(self, random: Random, number: int) -> Topic:
        pattern = number % CYCLE + CYCLE * self._variants.draw(random)
        positions: list[int] = []
        for record_type in self.patterns[pattern].concept_types:
            position = self._concept_positions[record_type].draw(random)
            while record_type == "condition" and position in positions[1:]:
                position = self._concept_positions[record_type].draw(random)
            positions.append(position)
        return Topic(pattern, tuple(positions))

    def claim(self, number: int) -> tuple[Topic, CompleteClaim]:
        random = self._random(3, number)
        topic = self._topic(random, number)
        pattern = self.patterns[topic.pattern]
        named = zip(pattern.concept_types, topic.positions, strict=True)
        concepts = tuple([self.concepts[record_type][position] for record_type, position in named])
        statement, caveat, *findings = self._sentences(random, 14, 8, *[10] * len(pattern.citations))
        claim = ClaimFacts(
            pk=number + 1,
            id=f"synthetic-claim-{number:07d}",
            statement=f"Synthetic: in {concepts[1].name}, {statement}.",
            caveat=f"Synthetic caveat: {caveat}.",
            timepoint=f"{random.randrange(2, 52)} weeks",
            reviewed_on=f"2025-{random.randrange(1, 13):02d}-15",
        )
        citations = []
        for pk, (cited, finding) in enumerate(
            zip(pattern.citations, findings, strict=True), start=self._size.citations_before(number) + 1
        ):
            citation = _citation(random, pk, finding)
            citations.append((citation, self.source(self._source_rounds.draw(random) * PROFILES + cited.profile)))
        return topic, CompleteClaim(claim, concepts, tuple(citations))


def _citation(random: Random, pk: int, finding: str) -> CitationFacts:
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
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    random = Random(7)  # noqa: S311 - reproducible, not secret
    words = dict.fromkeys(_COMMON)
    while len(words) < _WORDS:
        words["".join(random.choices(syllables, k=random.choice((2, 3, 3, 4))))] = None
    return list(words)


_WORD_POSITIONS = _Zipf(_WORDS)
_KIND_POSITIONS = _Zipf(len(_KINDS))
_STANCE_POSITIONS = _Zipf(len(_STANCES))
_DESIGN_POSITIONS = _Zipf(len(_DESIGNS), 0.5)
