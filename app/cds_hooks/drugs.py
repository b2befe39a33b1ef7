"""Recognises the drug of a medication: naltrexone, an opioid, a combination of them, or another drug.

A drug is named by our own word for it; the text of the record is read and never repeated.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from app.cds_hooks.fhir_json import member, objects, text_member
from app.concepts.code_systems import URIS
from app.concepts.vocabulary import CodeSystem

LISTS = Path(__file__).with_name("drugs.json")
UNNAMED_OPIOID = "an opioid"

_METHYL = re.compile(r"methyl[\s-]*naltrexone", re.IGNORECASE)
"""Another drug: it does not enter the brain and is given together with opioids."""

_BUPROPION = re.compile(r"\bbupropion\b", re.IGNORECASE)
_WITH_OPIOID = re.compile(
    r"(morphine|oxycodone)(?:[^.;()]|\.(?=\d)){0,40}?(/|\+|-|&|\band\b|\bwith\b)\s*naltrexone"
    r"|naltrexone(?:[^.;()]|\.(?=\d)){0,40}?(/|\+|-|&)\s*(morphine|oxycodone)",
    re.IGNORECASE,
)
"""One product of both, such as `morphine sulfate 20 MG / naltrexone hydrochloride 0.8 MG`."""


class ValueSetError(ValueError):
    """The operator's file cannot be used; the message says why."""


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

    def __add__(self, other: "CodedText") -> "CodedText":
        return CodedText(self.codes + other.codes, self.words + other.words)


@dataclass(frozen=True)
class Drug:
    """What a medication was recognised as."""

    name: str = ""
    is_naltrexone: bool = False
    """Naltrexone, alone or with a drug that is no opioid."""
    is_opioid: bool = False
    is_combination: bool = False
    """A fixed combination with naltrexone: not low-dose naltrexone, whatever its strength."""
    codes: tuple[Coding, ...] = ()
    """The codes by which it was recognised; empty if it was by a word."""
    is_known: bool = True
    """False if the medication has neither a word nor a code of our lists."""


@dataclass(frozen=True)
class DrugList:
    """Drugs by their codes and by their names in lower case."""

    by_code: Mapping[Coding, Drug]
    by_word: Mapping[str, Drug]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return any_of(self.by_word)

    def drug_in_words(self, words: Iterable[str]) -> Drug | None:
        match = next(filter(None, map(self.pattern.search, words)), None)
        return self.by_word[match[0].lower()] if match else None


@dataclass(frozen=True)
class Formulary:
    """The drugs that are recognised."""

    naltrexone: DrugList
    combinations: DrugList
    opioids: DrugList
    opioid_atc: tuple[str, ...]
    """Prefixes of ATC codes."""
    opioid_atc_except: frozenset[str]

    def recognise(self, medication: CodedText) -> Drug:
        if combination := self._combination(medication):
            return combination
        naltrexone, opioid = self._naltrexone(medication), self._opioid(medication)
        if not naltrexone or not opioid:
            return naltrexone or opioid or Drug(is_known=bool(medication.words))
        if (naltrexone.codes and opioid.codes) or any(map(_WITH_OPIOID.search, medication.words)):
            name, codes = f"{opioid.name} with naltrexone", (*opioid.codes, *naltrexone.codes)
            return Drug(name, is_opioid=True, is_combination=True, codes=codes)
        # One of them is only mentioned ("do not take with oxycodone"): the code decides, else what comes first.
        if bool(naltrexone.codes) != bool(opioid.codes):
            return naltrexone if naltrexone.codes else opioid
        return naltrexone if self._names_naltrexone_first(medication) else opioid

    def _names_naltrexone_first(self, medication: CodedText) -> bool:
        text = " ".join(medication.words)
        naltrexone, opioid = self.naltrexone.pattern.search(text), self.opioids.pattern.search(text)
        return naltrexone is not None and (opioid is None or naltrexone.start() < opioid.start())

    def _combination(self, medication: CodedText) -> Drug | None:
        coding = next((coding for coding in medication.codes if coding in self.combinations.by_code), None)
        if coding:
            return replace(self.combinations.by_code[coding], codes=(coding,))
        return self.combinations.drug_in_words(medication.words)

    def _naltrexone(self, medication: CodedText) -> Drug | None:
        codes = tuple(coding for coding in medication.codes if coding in self.naltrexone.by_code)
        words = [_METHYL.sub(" ", text) for text in medication.words]
        if not codes and not any(map(self.naltrexone.pattern.search, words)):
            return None
        has_partner = any(map(_BUPROPION.search, words))
        name = "bupropion with naltrexone" if has_partner else "naltrexone"
        return Drug(name, is_naltrexone=True, is_combination=has_partner, codes=codes)

    def _opioid(self, medication: CodedText) -> Drug | None:
        by_code = self.opioids.by_code
        codes = tuple(coding for coding in medication.codes if coding in by_code or self._is_opioid_by_atc(coding))
        drugs = [by_code[coding] for coding in codes if coding in by_code]
        if in_words := self.opioids.drug_in_words(medication.words):
            drugs.append(in_words)
        if not drugs and not codes:
            return None
        name = next((drug.name for drug in drugs if drug.name), UNNAMED_OPIOID)
        return Drug(name, is_opioid=True, codes=codes)

    def _is_opioid_by_atc(self, coding: Coding) -> bool:
        code = coding.code.upper()
        is_in_group = code.startswith(self.opioid_atc) and code not in self.opioid_atc_except
        return coding.system == URIS[CodeSystem.atc] and is_in_group


def load_formulary(value_set: Path | None = None) -> Formulary:
    """The built-in lists with the operator's opioid codes; ValueSetError if those cannot be read."""
    lists = json.loads(LISTS.read_text(encoding="utf-8"))
    combinations = [
        (entry, Drug(entry["name"], not entry["opioid"], entry["opioid"], is_combination=True))
        for entry in lists["combinations"]
    ]
    opioids = [
        ({**entry, "names": [entry["name"], *entry["names"]]}, Drug(entry["name"], is_opioid=True))
        for entry in lists["opioids"]["ingredients"]
    ]
    added = {coding: Drug(name, is_opioid=True) for coding, name in _value_set(value_set)} if value_set else {}
    built_in = _drug_list(opioids)
    return Formulary(
        naltrexone=_drug_list([(lists["naltrexone"], Drug("naltrexone", is_naltrexone=True))]),
        combinations=_drug_list(combinations),
        opioids=DrugList(added | dict(built_in.by_code), built_in.by_word),
        opioid_atc=tuple(lists["opioids"]["atc"]),
        opioid_atc_except=frozenset(lists["opioids"]["atc_except"]),
    )


def _drug_list(entries: Iterable[tuple[Mapping[str, Any], Drug]]) -> DrugList:
    by_code: dict[Coding, Drug] = {}
    by_word: dict[str, Drug] = {}
    for entry, drug in entries:
        by_word |= {name.lower(): drug for name in entry["names"]}
        for system in (CodeSystem.rxnorm, CodeSystem.atc):
            by_code |= {Coding(URIS[system], code): drug for code in entry.get(system, ())}
    return DrugList(by_code, by_word)


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Matches whole words, the longest first: `apomorphine` is not morphine, `Tylenol 325` not Tylenol 3."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    whole = [re.escape(word) + ("(?![0-9])" if word[-1].isdigit() else "") for word in ordered]
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(whole)})(?![A-Za-z])", re.IGNORECASE)


def _value_set(path: Path) -> list[tuple[Coding, str]]:
    """The codes of a FHIR ValueSet with our names for them."""
    try:
        value_set = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueSetError(f"{path} cannot be read as JSON.") from error
    if member(value_set, "resourceType") != "ValueSet":
        raise ValueSetError(f"{path} is not a FHIR ValueSet.")
    entries = [*_expansion(value_set.get("expansion")), *_enumeration(value_set.get("compose"))]
    codes = [(coding, _display(entry) or UNNAMED_OPIOID) for entry in entries if (coding := coding_of(entry))]
    if not codes:
        raise ValueSetError(f"{path} lists no codes; save its expansion.")
    return codes


def _expansion(expansion: Any) -> Iterator[dict[str, Any]]:
    pending = [expansion]
    while pending:
        entries = objects(member(pending.pop(), "contains"))
        yield from entries
        pending += entries


def _enumeration(compose: Any) -> Iterator[dict[str, Any]]:
    for include in objects(member(compose, "include")):
        for concept in objects(include.get("concept")):
            yield {**concept, "system": include.get("system")}


def _display(entry: Mapping[str, Any]) -> str:
    return " ".join(text_member(entry, "display").split())[:60]


def coding_of(entry: Mapping[str, Any]) -> Coding | None:
    """System and code, if both are there and of plausible length."""
    system, code = entry.get("system"), entry.get("code")
    if isinstance(system, str) and isinstance(code, str) and 0 < len(code) <= 64 and len(system) <= 200:
        return Coding(system.rstrip("/"), code.strip())
    return None
