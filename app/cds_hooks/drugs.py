"""Which drug a record means: naltrexone, an opioid, a combination of them, something else, or nobody can tell.

A drug is named here by the list's own word for it; the text of the record is read and never repeated.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
LISTS = Path(__file__).with_name("drugs.json")

_METHYL = re.compile(r"methyl[\s-]*naltrexone", re.IGNORECASE)
"""Another drug: it stays outside of the brain and is given together with opioids."""

_JOINED = re.compile(
    r"(morphine|oxycodone)[^.;()]{0,40}?(/|\+|-|&|\band\b|\bwith\b)\s*naltrexone"
    r"|naltrexone[^.;()]{0,40}?(/|\+|-|&)\s*(morphine|oxycodone)",
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
class Product:
    """What a medication says of itself: its codes and its words, in the order in which they were found."""

    codes: tuple[Coding, ...] = ()
    words: tuple[str, ...] = ()

    def __add__(self, other: "Product") -> "Product":
        return Product(self.codes + other.codes, self.words + other.words)


@dataclass(frozen=True)
class Drug:
    """What a product was recognised as."""

    naltrexone: bool = False
    """Naltrexone, alone or with a drug that is no opioid."""
    opioid: bool = False
    combination: bool = False
    """A fixed combination with naltrexone: not low-dose naltrexone, whatever its strength."""
    name: str = ""
    codes: tuple[Coding, ...] = ()
    """The codes by which it was recognised; empty where it was a word."""
    known: bool = True
    """False where there is neither a word nor a code of our lists to go by."""


@dataclass(frozen=True)
class Formulary:
    """The lists, turned round: code or word → our name for the drug."""

    naltrexone_codes: frozenset[Coding]
    naltrexone_words: re.Pattern[str]
    combination_codes: Mapping[Coding, tuple[str, bool]]
    combination_words: Mapping[str, tuple[str, bool]]
    opioid_codes: Mapping[Coding, str]
    opioid_words: Mapping[str, str]
    atc: tuple[str, ...]
    atc_except: frozenset[str]
    _patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)

    def recognise(self, product: Product) -> Drug:
        named = self._combination(product)
        if named:
            return named
        naltrexone = self._naltrexone(product)
        opioid = self._opioid(product)
        if naltrexone and opioid:
            if (naltrexone.codes and opioid.codes) or any(map(_JOINED.search, product.words)):
                name = f"{opioid.name} with naltrexone"
                return Drug(opioid=True, combination=True, name=name, codes=(*opioid.codes, *naltrexone.codes))
            # One of them is only mentioned ("do not take with oxycodone"): the code decides, else what comes first.
            if bool(naltrexone.codes) != bool(opioid.codes):
                return naltrexone if naltrexone.codes else opioid
            return naltrexone if self._comes_first(product) else opioid
        return naltrexone or opioid or Drug(known=bool(product.words))

    def _comes_first(self, product: Product) -> bool:
        """Whether naltrexone is named before any opioid."""
        text = " ".join(product.words)
        ours, theirs = self.naltrexone_words.search(text), self._patterns["opioid"].search(text)
        return ours is not None and (theirs is None or ours.start() < theirs.start())

    def _combination(self, product: Product) -> Drug | None:
        for coding in product.codes:
            if coding in self.combination_codes:
                name, opioid = self.combination_codes[coding]
                return Drug(naltrexone=not opioid, opioid=opioid, combination=True, name=name, codes=(coding,))
        if word := self._found(product, "combination"):
            name, opioid = self.combination_words[word]
            return Drug(naltrexone=not opioid, opioid=opioid, combination=True, name=name)
        return None

    def _naltrexone(self, product: Product) -> Drug | None:
        codes = tuple(coding for coding in product.codes if coding in self.naltrexone_codes)
        words = [_METHYL.sub(" ", text) for text in product.words]
        if not codes and not any(self.naltrexone_words.search(text) for text in words):
            return None
        partner = any(re.search(r"\bbupropion\b", text, re.IGNORECASE) for text in words)
        return Drug(
            naltrexone=True,
            combination=partner,
            name="bupropion with naltrexone" if partner else "naltrexone",
            codes=codes,
        )

    def _opioid(self, product: Product) -> Drug | None:
        names: list[str] = []
        codes = []
        for coding in product.codes:
            if coding in self.opioid_codes:
                names.append(self.opioid_codes[coding])
                codes.append(coding)
            elif self._opioid_by_atc(coding):
                codes.append(coding)
        if word := self._found(product, "opioid"):
            names.append(self.opioid_words[word])
        if not names and not codes:
            return None
        return Drug(opioid=True, name=next(filter(None, names), "an opioid"), codes=tuple(codes))

    def _opioid_by_atc(self, coding: Coding) -> bool:
        code = coding.code.upper()
        return coding.system == ATC and code.startswith(self.atc) and code not in self.atc_except

    def _found(self, product: Product, kind: str) -> str | None:
        pattern = self._patterns[kind]
        return next((match[0].lower() for text in product.words if (match := pattern.search(text))), None)


def load(value_set: Path | None = None) -> Formulary:
    """The built-in lists with the operator's codes laid over them; ValueSetError where those cannot be read."""
    lists = json.loads(LISTS.read_text(encoding="utf-8"))
    ours, opioids = lists["naltrexone"], lists["opioids"]
    combinations = [(c, (c["name"], c["opioid"])) for c in lists["combinations"]]
    opioid_words = {
        word.lower(): entry["name"] for entry in opioids["ingredients"] for word in (entry["name"], *entry["names"])
    }
    combination_words = {word.lower(): meaning for entry, meaning in combinations for word in entry["names"]}
    built_in = {Coding(RXNORM, code): entry["name"] for entry in opioids["ingredients"] for code in entry["rxnorm"]}
    added = dict(_value_set(value_set)) if value_set else {}
    return Formulary(
        naltrexone_codes=frozenset(
            [*(Coding(RXNORM, code) for code in ours["rxnorm"]), *(Coding(ATC, code) for code in ours["atc"])]
        ),
        naltrexone_words=any_of(ours["names"]),
        combination_codes={
            Coding(RXNORM, code): meaning for entry, meaning in combinations for code in entry["rxnorm"]
        },
        combination_words=combination_words,
        opioid_codes=added | built_in,
        opioid_words=opioid_words,
        atc=tuple(opioids["atc"]),
        atc_except=frozenset(opioids["atc_except"]),
        _patterns={"combination": any_of(combination_words), "opioid": any_of(opioid_words)},
    )


def any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Whole words, the longest first: `apomorphine` is not morphine, `Tylenol 325` not Tylenol 3."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    whole = [re.escape(word) + ("(?![0-9])" if word[-1].isdigit() else "") for word in ordered]
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(whole)})(?![A-Za-z])", re.IGNORECASE)


def _value_set(path: Path) -> Iterator[tuple[Coding, str]]:
    try:
        value_set = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueSetError(f"{path} cannot be read as JSON.") from error
    if not isinstance(value_set, dict) or value_set.get("resourceType") != "ValueSet":
        raise ValueSetError(f"{path} is not a FHIR ValueSet.")
    found = [*_contained(value_set.get("expansion")), *_enumerated(value_set.get("compose"))]
    if not found:
        raise ValueSetError(f"{path} lists no codes; save its expansion.")
    yield from ((coding, display or "an opioid") for coding, display in found)


def _contained(expansion: Any) -> Iterator[tuple[Coding, str]]:
    pending = [expansion]
    while pending:
        for entry in _objects(pending.pop(), "contains"):
            if coding := coding_of(entry):
                yield coding, _plain(entry.get("display"))
            pending.append(entry)


def _enumerated(compose: Any) -> Iterator[tuple[Coding, str]]:
    for include in _objects(compose, "include"):
        for concept in _objects(include, "concept"):
            if coding := coding_of({**concept, "system": include.get("system")}):
                yield coding, _plain(concept.get("display"))


def _objects(parent: Any, name: str) -> list[dict[str, Any]]:
    children = parent.get(name) if isinstance(parent, dict) else None
    return [child for child in children if isinstance(child, dict)] if isinstance(children, list) else []


def _plain(display: Any) -> str:
    return " ".join(str(display).split())[:60] if isinstance(display, str) else ""


def coding_of(entry: Mapping[str, Any]) -> Coding | None:
    """System and code, where both are there."""
    system, code = entry.get("system"), entry.get("code")
    if isinstance(system, str) and isinstance(code, str) and 0 < len(code) <= 64 and len(system) <= 200:
        return Coding(system.rstrip("/"), code.strip())
    return None
