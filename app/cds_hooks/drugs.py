"""Which drug a medication of a request means, and which rules it is in.

The drugs are recognised by `app.concepts.recognition`, like everywhere; interaction rules of the data set say which of
them must not meet. A drug is named by our own word for it; the text of the record is read and never repeated.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.claims.interaction_rules import interaction_rules
from app.claims.schemas import InteractionRuleWrite
from app.claims.vocabulary import InteractionSeverity
from app.concepts.code_systems import RXNORM, SHIPPED_SYSTEMS
from app.concepts.dose_tiers import dose_tiers
from app.concepts.drug_index import drug_index
from app.concepts.manifest import current_manifest, current_units
from app.concepts.manifest_cds import CdsManifest
from app.concepts.manifest_doses import DoseTiers
from app.concepts.recognition import DrugIndex, DrugRecord, Recognition, UnrecognizedReason
from app.concepts.units import MASS, SHIPPED_UNITS, Units
from app.concepts.vocabulary import DRUG_CLASS
from app.storage.serial_memory import SerialMemory


@dataclass(frozen=True)
class Coding:
    system: str
    code: str

    def __str__(self) -> str:
        return f"{self.system}|{self.code}"


@dataclass(frozen=True)
class CodedText:
    """The codes and words of a medication or a reason, in the order in which they were found."""

    codes: tuple[Coding, ...] = ()
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, texts: Iterable["CodedText"]) -> "CodedText":
        """All of them together, each code and text once."""
        texts = tuple(texts)
        codes = dict.fromkeys(code for text in texts for code in text.codes)
        return cls(tuple(codes), tuple(dict.fromkeys(words for text in texts for words in text.words)))


@dataclass(frozen=True)
class Drug:
    """What a medication was recognised as."""

    name: str = ""
    ids: frozenset[str] = frozenset()
    """Of the drugs, classes and regimens that it is, several for a combination."""
    is_watched: bool = False
    """The intervention that the data set's checks are about, alone or with a drug that it may be given with."""
    is_warned_of: bool = False
    """In a rule that contraindicates."""
    is_combination: bool = False
    """A fixed combination: not what the evidence on the intervention is about, whatever its strength."""
    codes: tuple[Coding, ...] = ()
    """The codes by which it was recognised; empty if it was by a word."""
    is_known: bool = True
    """False if no code of the medication is known here and its words do not say which medicine it is."""


@dataclass(frozen=True)
class Interaction:
    """Interaction rules of one severity that share a card, with the ids of all drugs of their two sets."""

    rules: Mapping[str, frozenset[str]]
    """Their ids, each with the drugs of its second set."""
    first: frozenset[str]
    second: frozenset[str]
    is_loud: bool
    """Whether the rules contraindicate."""
    louder: frozenset[str] = frozenset()
    """Of quiet rules: the second sets of rules that contraindicate with the same drugs, which warn already."""

    def is_first(self, drug: Drug) -> bool:
        return not drug.ids.isdisjoint(self.first) and drug.ids.isdisjoint(self.second if self.is_loud else self.louder)

    def is_second(self, drug: Drug) -> bool:
        others = frozenset[str]() if self.is_loud else self.first | self.louder
        return not drug.ids.isdisjoint(self.second) and drug.ids.isdisjoint(others)

    def concerns(self, drug: Drug) -> bool:
        return self.is_first(drug) or self.is_second(drug)

    def rules_for(self, drugs: Iterable[Drug]) -> Iterable[str]:
        """Ids of the rules in whose second set the drugs are, in the order of the drugs; all where none is given."""
        found = [rule for drug in drugs for rule, ids in self.rules.items() if not drug.ids.isdisjoint(ids)]
        return dict.fromkeys(found or self.rules)


@dataclass(frozen=True)
class Formulary:
    """The drugs that are recognised, those that rules warn of, and those that the data set's checks are about."""

    index: DrugIndex
    interactions: tuple[Interaction, ...]
    watched: frozenset[str]
    """Ids of the intervention that the checks are about, and of its dose regimens."""
    cds: CdsManifest
    words: "OrderWords"
    tiers: DoseTiers | None = None
    """The bands of doses of the intervention that the checks are about."""
    units: Units = SHIPPED_UNITS
    """The units of the data set."""

    @property
    def kind_of_doses(self) -> str:
        """The unit that stands for the kind of doses that are read: that of the bands."""
        measure = self.units.measure(self.tiers.unit) if self.tiers else None
        return measure.of if measure else MASS

    @cached_property
    def loud(self) -> tuple[Interaction, ...]:
        return tuple(interaction for interaction in self.interactions if interaction.is_loud)

    @cached_property
    def quiet(self) -> tuple[Interaction, ...]:
        return tuple(interaction for interaction in self.interactions if not interaction.is_loud)

    @cached_property
    def first(self) -> frozenset[str]:
        """Ids in the first sets of the rules that contraindicate."""
        return frozenset[str]().union(*(interaction.first for interaction in self.loud))

    @cached_property
    def second(self) -> frozenset[str]:
        return frozenset[str]().union(*(interaction.second for interaction in self.loud))

    def matters(self, drug: Drug) -> bool:
        """Whether there is anything to check about it."""
        return drug.is_watched or any(interaction.concerns(drug) for interaction in self.interactions)

    def recognise(self, medication: CodedText) -> Drug:
        by_code = self._by_code(medication.codes)
        readings = [self.index.by_text(text, suggest=False) for text in medication.words]
        drugs = self._drugs(list(by_code), readings)
        if not drugs:
            is_named = any(reading.unread or reading.reason is UnrecognizedReason.not_a_drug for reading in readings)
            return Drug(is_known=is_named or any(reading.near for reading in readings))
        codes = tuple(dict.fromkeys(coding for drug in drugs for coding in by_code.get(drug, ())))
        ids = frozenset(drug.id for drug in drugs)
        return Drug(
            name=self._name(drugs),
            ids=ids,
            is_watched=not ids.isdisjoint(self.watched) and ids.isdisjoint(self.second - self.watched),
            is_warned_of=not ids.isdisjoint(self.first | self.second),
            is_combination=not ids.isdisjoint(self.watched) and len(drugs) > 1,
            codes=codes,
        )

    def _by_code(self, codings: Iterable[Coding]) -> dict[DrugRecord, list[Coding]]:
        """The drugs that codes name, each with its codes."""
        drugs: dict[DrugRecord, list[Coding]] = {}
        for coding in codings:
            system = self.index.systems.identified(coding.system)
            if system is not None:
                for drug in self.index.by_coding(system, coding.code).drugs:
                    drugs.setdefault(drug, []).append(coding)
        return drugs

    def _drugs(self, coded: Sequence[DrugRecord], readings: Sequence[Recognition]) -> list[DrugRecord]:
        """Codes decide. Words add the other ingredients of the same product, and say which drug of a class is meant."""
        products = [reading.drugs for reading in readings if reading.drugs]
        if coded:
            added = [drugs for drugs in products if len(drugs) > 1 and not set(drugs).isdisjoint(coded)]
            if all(drug.kind == DRUG_CLASS for drug in coded):
                added += products[:1]
            return self._specific([*coded, *(drug for drugs in added for drug in drugs)])
        named = products[:1] if any(self._is_warned_of(drugs) for drugs in products[:1]) else products
        drugs = [drug for product in named for drug in product]
        if not self._is_warned_of(drugs):
            drugs += [drug for reading in readings for drug in reading.mentioned]
        return self._specific(drugs)

    def _is_warned_of(self, drugs: Iterable[DrugRecord]) -> bool:
        return any(drug.id in self.first | self.second for drug in drugs)

    @staticmethod
    def _specific(drugs: Iterable[DrugRecord]) -> list[DrugRecord]:
        """Without classes, where a drug is named too."""
        unique = list(dict.fromkeys(drugs))
        return [drug for drug in unique if drug.kind != DRUG_CLASS] or unique

    def _name(self, drugs: Sequence[DrugRecord]) -> str:
        """What is combined with a drug of the first set goes before it; otherwise only drugs of the second set are
        named, if there are any."""
        first = [drug for drug in drugs if drug.id in self.first]
        others = [drug for drug in drugs if drug.id not in self.first]
        if not first:
            others = [drug for drug in others if drug.id in self.second] or others
        return " with ".join(dict.fromkeys(map(self._lower_case, (*others, *first))))

    def _lower_case(self, drug: DrugRecord) -> str:
        """The drug's name as it stands inside a sentence; a dose regimen goes by the name of its drug."""
        drug = self.index.drug_of(drug)
        return f"{drug.name[:1].lower()}{drug.name[1:]}"


def load_formulary(session: Session) -> Formulary:
    """The drugs and rules at the serial that the session sees, kept in memory until it moves."""
    return _memory.get(session)


def _read_formulary(session: Session) -> Formulary:
    index, cds = drug_index(session), current_manifest(session).cds or CdsManifest()
    loud, quiet = _grouped(interaction_rules(session), cds)
    interactions = [_interaction(index, rules, is_loud=True) for rules in loud]
    for rules in quiet:
        one = _interaction(index, rules, is_loud=False)
        louder = (other.second for other in interactions if other.is_loud and not other.first.isdisjoint(one.first))
        interactions.append(replace(one, louder=frozenset[str]().union(*louder)))
    watched = index.expand([cds.intervention]) if cds.intervention else frozenset[str]()
    tiers = dose_tiers(session, cds.intervention) if cds.intervention else None
    return Formulary(index, tuple(interactions), watched, cds, OrderWords(cds), tiers, current_units(session))


def _interaction(index: DrugIndex, rules: tuple[InteractionRuleWrite, ...], *, is_loud: bool) -> Interaction:
    second = {rule.id: index.expand(rule.second) for rule in rules}
    return Interaction(
        second,
        first=index.expand(intervention for rule in rules for intervention in rule.first),
        second=frozenset[str]().union(*second.values()),
        is_loud=is_loud,
    )


def _grouped(
    rules: Sequence[InteractionRuleWrite], cds: CdsManifest
) -> tuple[list[tuple[InteractionRuleWrite, ...]], list[tuple[InteractionRuleWrite, ...]]]:
    """The rules that contraindicate and the quieter ones; those that the manifest names together share a group."""
    by_id = {rule.id: rule for rule in rules}
    named = [[by_id[one] for one in entry.rules if one in by_id] for entry in cds.interactions]
    taken = {rule.id for group in named for rule in group}
    groups = [*named, *([rule] for rule in rules if rule.id not in taken)]
    sorted_groups = tuple(
        [tuple(rule for rule in group if _is_loud(rule) is is_loud) for group in groups] for is_loud in (True, False)
    )
    loud, quiet = ([group for group in found if group] for found in sorted_groups)
    return loud, quiet


def _is_loud(rule: InteractionRuleWrite) -> bool:
    return rule.severity is InteractionSeverity.contraindicated


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Matches whole words, the longest first."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    whole = [re.escape(word) + ("(?![0-9])" if word[-1].isdigit() else "") for word in ordered]
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(whole)})(?![A-Za-z])", re.IGNORECASE)


def coding_of(entry: Mapping[str, Any]) -> Coding | None:
    """System and code, if both are there and of plausible length."""
    system, code = entry.get("system"), entry.get("code")
    if isinstance(system, str) and isinstance(code, str) and 0 < len(code) <= 64 and len(system) <= 200:
        return Coding(system.rstrip("/"), code.strip())
    return None


# --- words of orders that depend on the data set ------------------------------------------------------------------


class Depot(NamedTuple):
    """A product that is given once for a long time."""

    names: re.Pattern[str]
    codes: frozenset[Coding]
    days: int
    """How long it acts."""


class OrderWords:
    """What the manifest says of words in orders, ready for use."""

    def __init__(self, cds: CdsManifest) -> None:
        self.own = frozenset(word.lower() for word in cds.own_words)
        """Words for the intervention that may stand next to an amount of it."""
        self.antidotes = any_of(cds.antidotes) if cds.antidotes else None
        names = cds.evidence.names if cds.evidence else ()
        self._names = any_of_loosely(names) if names else None
        uri = SHIPPED_SYSTEMS.uri(RXNORM) or ""
        self._depots = tuple(
            Depot(any_of(depot.names), frozenset(Coding(uri, code) for code in depot.rxnorm), depot.days)
            for depot in cds.depots
        )

    def patterns(self) -> list[re.Pattern[str]]:
        """All that are searched for in orders."""
        named = [pattern for pattern in (self.antidotes, self._names) if pattern is not None]
        return [*named, *(depot.names for depot in self._depots)]

    def fits_evidence(self, words: Iterable[str]) -> bool:
        """Whether the name of a product says that it is what the evidence is about."""
        return self._names is not None and any(map(self._names.search, words))

    def depot_days(self, product: CodedText) -> int:
        """How many days a depot product acts; 0 for any other product."""
        return max((depot.days for depot in self._depots if _is_product(depot, product)), default=0)


def any_of_loosely(names: Iterable[str]) -> re.Pattern[str]:
    """Matches whole names, whose words may be joined by hyphens or by nothing."""
    joined = (r"[\s-]*".join(map(re.escape, name.split())) for name in names)
    return re.compile(rf"\b(?:{'|'.join(joined)})\b", re.IGNORECASE)


def _is_product(depot: Depot, product: CodedText) -> bool:
    return not depot.codes.isdisjoint(product.codes) or any(map(depot.names.search, product.words))


_memory: SerialMemory[Formulary] = SerialMemory(_read_formulary)
