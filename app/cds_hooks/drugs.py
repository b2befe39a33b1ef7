"""Which drug a medication of a request means: naltrexone, an opioid, a combination of them, or another drug.

The drugs are recognised by `app.concepts.recognition`, like everywhere; interaction rules of the data set say which of
them must not meet. A drug is named by our own word for it; the text of the record is read and never repeated.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.claims.interaction_rules import interaction_rules
from app.claims.vocabulary import InteractionSeverity
from app.concepts.code_systems import code_system
from app.concepts.manifest import current_manifest
from app.concepts.manifest_doses import DoseTiers
from app.concepts.recognition import DrugIndex, DrugRecord, Recognition, UnrecognizedReason, drug_index
from app.concepts.vocabulary import InterventionKind


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
    is_naltrexone: bool = False
    """Of the first set of a rule that contraindicates: naltrexone, alone or with a drug that is no opioid."""
    is_opioid: bool = False
    """Of the second set of such a rule."""
    is_combination: bool = False
    """A fixed combination with naltrexone: not low-dose naltrexone, whatever its strength."""
    cautions: tuple[str, ...] = ()
    """Claims of the quieter rules in whose second set it is, such as a medicine against diarrhea."""
    codes: tuple[Coding, ...] = ()
    """The codes by which it was recognised; empty if it was by a word."""
    is_known: bool = True
    """False if no code of the medication is known here and its words do not say which medicine it is."""


@dataclass(frozen=True)
class Formulary:
    """The drugs that are recognised, and those that rules warn of."""

    index: DrugIndex
    first: frozenset[str]
    """Ids of the drugs, classes and regimens in the first sets of the rules that contraindicate."""
    second: frozenset[str]
    quiet: tuple[tuple[frozenset[str], tuple[str, ...]], ...]
    """The second sets of the quieter rules, each with the claims to show."""
    tiers: DoseTiers | None = None
    """The bands of doses of the drug whose dose is read."""

    def recognise(self, medication: CodedText) -> Drug:
        by_code = self._by_code(medication.codes)
        readings = [self.index.by_text(text, suggest=False) for text in medication.words]
        drugs = self._drugs(list(by_code), readings)
        if not drugs:
            is_named = any(reading.unread or reading.reason is UnrecognizedReason.not_a_drug for reading in readings)
            return Drug(is_known=is_named or any(reading.near for reading in readings))
        codes = tuple(dict.fromkeys(coding for drug in drugs for coding in by_code.get(drug, ())))
        has_first = any(drug.id in self.first for drug in drugs)
        is_opioid = any(drug.id in self.second for drug in drugs)
        return Drug(
            name=self._name(drugs, has_first=has_first),
            is_naltrexone=has_first and not is_opioid,
            is_opioid=is_opioid,
            is_combination=has_first and len(drugs) > 1,
            cautions=() if is_opioid or has_first else self._cautions(drugs),
            codes=codes,
        )

    def _cautions(self, drugs: Sequence[DrugRecord]) -> tuple[str, ...]:
        claims = (claims for ids, claims in self.quiet if any(drug.id in ids for drug in drugs))
        return tuple(dict.fromkeys(claim for found in claims for claim in found))

    def _by_code(self, codings: Iterable[Coding]) -> dict[DrugRecord, list[Coding]]:
        """The drugs that codes name, each with its codes."""
        drugs: dict[DrugRecord, list[Coding]] = {}
        for coding in codings:
            system = code_system(coding.system)
            if system is not None:
                for drug in self.index.by_coding(system, coding.code).drugs:
                    drugs.setdefault(drug, []).append(coding)
        return drugs

    def _drugs(self, coded: Sequence[DrugRecord], readings: Sequence[Recognition]) -> list[DrugRecord]:
        """Codes decide. Words add the other ingredients of the same product, and say which drug of a class is meant."""
        products = [reading.drugs for reading in readings if reading.drugs]
        if coded:
            added = [drugs for drugs in products if len(drugs) > 1 and not set(drugs).isdisjoint(coded)]
            if all(drug.kind is InterventionKind.drug_class for drug in coded):
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
        return [drug for drug in unique if drug.kind is not InterventionKind.drug_class] or unique

    def _name(self, drugs: Sequence[DrugRecord], *, has_first: bool) -> str:
        """What is combined with a drug of the first set goes before it; otherwise only opioids are named, if there
        are any."""
        first = [drug for drug in drugs if drug.id in self.first]
        others = [drug for drug in drugs if drug.id not in self.first]
        if not has_first:
            others = [drug for drug in others if drug.id in self.second] or others
        return " with ".join(dict.fromkeys(map(self._lower_case, (*others, *first))))

    def _lower_case(self, drug: DrugRecord) -> str:
        """The drug's name as it stands inside a sentence; a dose regimen goes by the name of its drug."""
        drug = self.index.drug_of(drug)
        return f"{drug.name[:1].lower()}{drug.name[1:]}"


def load_formulary(session: Session) -> Formulary:
    """The drugs and rules at the serial that the session sees, kept in memory until it moves."""
    index = drug_index(session)
    rules = interaction_rules(session)
    loud = [rule for rule in rules if rule.severity is InteractionSeverity.contraindicated]
    first = index.expand(intervention for rule in loud for intervention in rule.first)
    tiers = (tiers for tiers in current_manifest(session).dose_tiers if tiers.intervention in first)
    return Formulary(
        index,
        first=first,
        second=index.expand(intervention for rule in loud for intervention in rule.second),
        quiet=tuple(
            (index.expand(rule.second), tuple(claim for one in rule.claims for claim in one.claims))
            for rule in rules
            if rule not in loud
        ),
        tiers=next(tiers, None),
    )


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
