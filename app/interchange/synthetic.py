"""What synthetic records say: every one a pure function of the seed and its own number, so that none must be kept.

Words, conditions and studies are drawn by Zipf's law, as in real collections. The names are made up, and every claim
and title says that it is synthetic.
"""

import itertools
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import Any

from app.concepts.schemas import ConditionWrite, InterventionWrite, MechanismWrite, OutcomeWrite, SideEffectWrite
from app.concepts.vocabulary import Better, InterventionLevel
from app.core.resource import Key
from app.evidence.schemas import Attached, Checked, CitationWrite, ClaimWrite, Estimate, Locator
from app.evidence.vocabulary import (
    AttachedBy,
    Basis,
    CitationRole,
    Comparison,
    Directness,
    Effect,
    EvidenceLevel,
    Favours,
    Form,
    Kind,
    Measure,
    POperator,
    Stance,
    StanceReason,
    Verification,
)
from app.sources.schemas import Arm, Author, DocumentStudy, DocumentWrite, Identifier, StandingEntry, StudyWrite
from app.sources.vocabulary import (
    ArmRole,
    Blinding,
    Design,
    DocumentKind,
    EvidenceSource,
    IdentifierScheme,
    Standing,
    StudyRole,
)

_CITATIONS = (2, 3, 1, 4, 2, 5, 0, 3)
"""Citations of each claim in turn: 2.5 on average, so that a claim's first key follows from its number."""
EIGHT = len(_CITATIONS)
PER_EIGHT = sum(_CITATIONS)
_WORDS = 20_000
_COMMON = """
    pain fatigue sleep dose placebo score change week group baseline outcome trial people symptom daily measured
    reported response quality scale follow treatment adult sample interval median difference severity function mood
""".split()  # noqa: SIM905 - read as a text
_CONCEPTS: tuple[tuple[str, type[Any], int, str], ...] = (
    ("intervention", InterventionWrite, 8, "compound"),
    ("condition", ConditionWrite, 60, "syndrome"),
    ("mechanism", MechanismWrite, 15, "pathway"),
    ("side_effect", SideEffectWrite, 15, "reaction"),
    ("outcome", OutcomeWrite, 12, "index"),
)
_KINDS = (Kind.efficacy, Kind.safety, Kind.mechanism, Kind.dosing)
_STANCES = tuple(Stance)
_DESIGNS = (
    Design.randomized_parallel_trial, Design.uncontrolled_trial, Design.randomized_crossover_trial,
    Design.case_control, Design.cross_sectional, Design.systematic_review, Design.dose_finding,
)  # fmt: skip
_PEOPLE = (8, 12, 20, 31, 40, 60, 86, 99, 140, 220, 410, 1200)
_REASONS = {Stance.disputes: StanceReason.opposite, Stance.inconclusive: StanceReason.wide_ci}
_FAVOURS = {Stance.supports: Favours.intervention, Stance.disputes: Favours.comparator}
_YEARS = range(1985, 2026)
_CHECKED = Checked.model_construct(result=Verification.verified, basis=Basis.abstract, checked_on="2025-06-01")
_UNCHECKED = Checked.model_construct(result=Verification.unverified)
_BY_CURATOR = Attached(by=AttachedBy.curator)
_NOWHERE = Locator()


class _Zipf:
    """Draws places 0, 1, 2 ... of which each is the rarer the later it comes."""

    def __init__(self, size: int, exponent: float = 1.0) -> None:
        self._sums = list(itertools.accumulate(1 / (place + 2) ** exponent for place in range(size)))

    def draw(self, random: Random) -> int:
        return bisect(self._sums, random.random() * self._sums[-1])

    def some(self, random: Random, count: int) -> list[int]:
        return random.choices(range(len(self._sums)), cum_weights=self._sums, k=count)


@dataclass(frozen=True)
class Size:
    """How many records of each kind there are."""

    claims: int

    @property
    def studies(self) -> int:
        """Three for ten claims, and fewer in large collections; each is reported by one document."""
        return max(10, min(self.claims * 3 // 10, 20_000 + self.claims * 18 // 100))

    def citations_before(self, claim: int) -> int:
        """Citations of all claims before this one; claims count from 0."""
        return claim // EIGHT * PER_EIGHT + sum(_CITATIONS[: claim % EIGHT])


class Contents:
    """Every record's content, made when it is asked for; those asked for lately are remembered."""

    def __init__(self, seed: int, size: Size) -> None:
        self.seed = seed
        self.size = size
        self.concepts = {record_type: self._concepts(record_type) for record_type, *_ in _CONCEPTS}
        self._zipf = {record_type: _Zipf(len(made)) for record_type, made in self.concepts.items()}
        self._studies = _Zipf(size.studies, 0.6)
        self.study = lru_cache(20_000)(self._study)
        self.document = lru_cache(20_000)(self._document)

    def content(self, key: Key) -> Any:
        """A concept, study or document by its key."""
        if key.type == "document":
            return self.document(number_of(key.id))
        if key.type == "study":
            return self.study(number_of(key.id))
        return self.concepts[key.type][number_of(key.id)]

    def _random(self, what: int, number: int) -> Random:
        return Random((self.seed << 64) | (what << 56) | number)  # noqa: S311 - reproducible, not secret

    def _concepts(self, record_type: str) -> list[Any]:
        _, write, count, noun = next(entry for entry in _CONCEPTS if entry[0] == record_type)
        more: dict[str, Any] = {}
        if write is InterventionWrite:
            more["level"] = InterventionLevel.drug
        if write is OutcomeWrite:
            more["better"] = Better.lower_
        names = _pseudo_words()[200 + 100 * sum(map(ord, noun)) % 5000 :]
        return [
            write(
                id=f"synthetic-{record_type.replace('_', '-')}-{number:03d}",
                name=f"{names[number].capitalize()} {noun}",
                synonyms=(f"{names[number].capitalize()} {names[number + 100]}",),
                description=f"Synthetic {noun} for measurements; it exists nowhere else.",
                **more,
            )
            for number in range(count)
        ]

    # --- studies and documents ------------------------------------------------------------------------------------

    def _study(self, number: int) -> StudyWrite:
        random = self._random(1, number)
        design = _DESIGNS[_DESIGN_PLACES.draw(random)]
        people = None if design.is_review else random.choice(_PEOPLE)
        arms: tuple[Arm, ...] = ()
        if people is not None:
            dose = Decimal(random.choice(("1.5", "3", "4.5", "4.5", "4.5", "6")))
            given = Arm(
                name="Active",
                role=ArmRole.intervention,
                participants=people // 2,
                dose_text=f"{dose} mg daily",
                dose_low=dose,
                dose_high=dose,
                dose_unit="mg",
                called_low_dose=True,
            )
            arms = (given, Arm(name="Placebo", role=ArmRole.comparator, participants=people // 2))
        return StudyWrite(
            id=f"synthetic-study-{number:06d}",
            name=f"Synthetic study {number}: {_sentence(random, 4)}",
            design=design,
            evidence_source=EvidenceSource.human_clinical,
            registry_ids=(Identifier(scheme=IdentifierScheme.nct, value=f"NCT{90_000_000 + number}"),)
            if number % 3 == 0
            else (),
            conditions=self._ids("condition", self._zipf["condition"].some(random, 1)),
            population=f"Adults, {_sentence(random, 6)}.",
            participants=people,
            arms=arms,
            blinding=Blinding.double_blind if design is Design.randomized_parallel_trial else None,
        )

    def _document(self, number: int) -> DocumentWrite:
        random = self._random(2, number)
        family = _pseudo_words()[random.randrange(1000, 9000)].capitalize()
        year = random.choice(_YEARS)
        return DocumentWrite(
            id=f"synthetic-document-{number:06d}",
            kind=DocumentKind.article_journal,
            label=f"{family} {year}",
            title=f"Synthetic report {number}: {_sentence(random, 9)}",
            authors=(Author(family=family, given="A B"), Author(family="Synthetic", given="C")),
            container_title="Journal of Synthetic Results",
            issued=f"{year}-{random.randrange(1, 13):02d}",
            volume=str(random.randrange(1, 80)),
            page=str(random.randrange(1, 900)),
            identifiers=(
                Identifier(scheme=IdentifierScheme.doi, value=f"10.5555/synthetic.{number}"),
                Identifier(scheme=IdentifierScheme.pmid, value=str(900_000_000 + number)),
            ),
            standing=(StandingEntry(standing=Standing.current, on="2025-06-01", source="synthetic"),),
            studies=(
                DocumentStudy(
                    study=f"synthetic-study-{number:06d}",
                    role=StudyRole.review if self.study(number).design.is_review else StudyRole.primary,
                ),
            ),
        )

    # --- claims ---------------------------------------------------------------------------------------------------

    def about(self, number: int) -> "About":
        """The head of a claim alone: cheap, and all that counting needs."""
        return self._about(self._random(3, number))

    def _about(self, random: Random) -> "About":
        kind = _KINDS[_KIND_PLACES.draw(random)]
        intervention = self._zipf["intervention"].draw(random)
        conditions = self._zipf["condition"].some(random, 1 if random.random() < 0.75 else 2)
        special = self._zipf["mechanism"].draw(random)  # as many side effects as mechanisms
        return About(
            kind=kind,
            intervention=intervention,
            conditions=tuple(dict.fromkeys(conditions)),
            mechanism=special if kind is Kind.mechanism else None,
            side_effect=special if kind is Kind.safety else None,
            outcome=self._zipf["outcome"].draw(random) if kind is Kind.efficacy else None,
        )

    def claim(self, number: int) -> ClaimWrite:
        """A legal claim with its citations. Unchecked, for speed: `publish` would find the same (tests hold that)."""
        random = self._random(3, number)
        about = self._about(random)
        name = f"synthetic-claim-{number:07d}"
        condition = self.concepts["condition"][about.conditions[0]].name
        outcome = self._id("outcome", about.outcome)
        return ClaimWrite.model_construct(
            id=name,
            kind=about.kind,
            form=Form.hypothesis if about.kind is Kind.mechanism else Form.general_effect,
            statement=f"Synthetic: in {condition}, {_sentence(random, 14)}.",
            effect=Effect.causes if about.kind is Kind.safety else Effect.improves,
            intervention=self._id("intervention", about.intervention),
            conditions=self._ids("condition", about.conditions),
            mechanisms=self._ids("mechanism", () if about.mechanism is None else (about.mechanism,)),
            side_effects=self._ids("side_effect", () if about.side_effect is None else (about.side_effect,)),
            outcome=outcome,
            evidence_level=EvidenceLevel.cell if about.kind is Kind.mechanism else None,
            population="Adults" if random.random() < 0.3 else None,
            timepoint=f"{random.randrange(2, 52)} weeks" if random.random() < 0.5 else None,
            caveat=f"Synthetic caveat: {_sentence(random, 8)}." if random.random() < 0.4 else None,
            reviewed_on=f"2025-{random.randrange(1, 13):02d}-15",
            citations=self._citations(random, name, number, outcome),
        )

    def _citations(self, random: Random, claim: str, number: int, outcome: str | None) -> tuple[CitationWrite, ...]:
        count = _CITATIONS[number % EIGHT]
        cited: dict[int, None] = {}
        while len(cited) < count:
            cited[self._studies.draw(random)] = None
        return tuple(
            self._citation(random, f"{claim}-c{place}", source, outcome) for place, source in enumerate(cited, start=1)
        )

    def _citation(self, random: Random, name: str, source: int, outcome: str | None) -> CitationWrite:
        stance = _STANCES[_STANCE_PLACES.draw(random)]
        design = self.study(source).design
        assessed = stance is not Stance.not_assessed
        measured = stance in _FAVOURS and not design.is_review
        return CitationWrite.model_construct(
            id=name,
            document=f"synthetic-document-{source:06d}",
            study=f"synthetic-study-{source:06d}",
            stance=stance,
            stance_reason=_REASONS.get(stance),
            directness=Directness.direct,
            role=CitationRole.review_synthesis if design.is_review else CitationRole.primary_result,
            finding=f"Synthetic finding: {_sentence(random, 10)}." if assessed else None,
            estimates=(_estimate(random, stance, outcome),) if measured else (),
            locator=_NOWHERE,
            attached_by=_BY_CURATOR,
            verification=_CHECKED if assessed else _UNCHECKED,
        )

    def _id(self, record_type: str, place: int | None) -> str | None:
        return None if place is None else str(self.concepts[record_type][place].id)

    def _ids(self, record_type: str, places: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.concepts[record_type][place].id for place in dict.fromkeys(places))


@dataclass(frozen=True)
class About:
    """What a claim is about, as places in the lists of concepts."""

    kind: Kind
    intervention: int
    conditions: tuple[int, ...]
    mechanism: int | None
    side_effect: int | None
    outcome: int | None

    def named(self) -> list[tuple[str, int]]:
        """Type and place of every concept, in the order of a claim's fields."""
        single = (
            ("intervention", self.intervention),
            *(("condition", place) for place in self.conditions),
            ("mechanism", self.mechanism),
            ("side_effect", self.side_effect),
            ("outcome", self.outcome),
        )
        return [(record_type, place) for record_type, place in single if place is not None]


def number_of(record_id: str) -> int:
    """The number at the end of a synthetic id."""
    return int(record_id.rpartition("-")[2])


def _estimate(random: Random, stance: Stance, outcome: str | None) -> Estimate:
    value = Decimal(random.randrange(10, 300)) / 100
    half = Decimal(random.randrange(5, 200)) / 100
    return Estimate(
        primary=True,
        outcome=outcome,
        measure=Measure.mean_difference,
        value=value,
        scale="0-10",
        ci_low=value - half,
        ci_high=value + half,
        ci_level=Decimal(95),
        p_operator=POperator.eq,
        p_value=Decimal(random.randrange(1, 1000)) / 1000,
        favours=_FAVOURS[stance],
        comparison=Comparison.between_groups,
    )


def _sentence(random: Random, count: int) -> str:
    words = _pseudo_words()
    return " ".join([words[place] for place in _WORD_PLACES.some(random, count)])


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
