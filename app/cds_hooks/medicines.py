"""One order or statement as far as the checks need it: which drug, which dose, until when."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from app.cds_hooks.bundles import Resource
from app.cds_hooks.dosage import DoseReading, read_dose
from app.cds_hooks.drugs import CodedText, Drug, Formulary, coding_of
from app.cds_hooks.fhir_json import member, objects, text_member
from app.cds_hooks.supply import dosage_instructions, last_day, started_on
from app.cds_hooks.words import depot_days, word_pattern, word_set

PAST = frozenset({"stopped", "completed", "ended"})
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_LOW_DOSE = re.compile(r"\bLDN\b|\blow[\s-]*dose\b", re.IGNORECASE)
_HAS_WORD = re.compile(r"[^\W\d_][^\W_]")
_NAME = re.compile(r"[^\W\d_]{2,}|[^\W\d_]\d+")
_MAX_DEPTH = 4
"""Of ingredients in ingredients: contained resources may refer to each other in a circle."""
_PRODUCTS = ("medicationCodeableConcept", "medicationReference", "medication")


@dataclass(frozen=True)
class Medicine:
    drug: Drug
    reference: str | None
    """`MedicationRequest/id`; null if it has no usable id."""
    names_product: bool
    """Whether the order says what is ordered; a draft may not say it yet."""
    is_past: bool
    is_proposed: bool
    """Whether somebody only suggests it."""
    started_on: date | None
    """When it was ordered, or began to be taken."""
    last_day: date | None
    """The latest day on which it can have been taken or can have acted."""
    is_depot: bool
    """Whether it is given once for a long time."""
    dose: DoseReading | None
    says_low_dose: bool
    reasons: CodedText
    is_selected: bool = True
    """Of a draft: whether it is the order that is being chosen."""

    @property
    def is_unread(self) -> bool:
        """Whether something is ordered, and what it is could not be read."""
        return self.names_product and not self.drug.is_known


@dataclass(frozen=True)
class MedicineReader:
    formulary: Formulary
    medications: Mapping[str, Resource]
    _drugs: dict[CodedText, Drug] = field(default_factory=dict)
    """What was recognised in this request: long lists name the same product again and again."""

    def medicine(self, order: Resource) -> Medicine:
        strengths: list[Any] = []
        product = self._product(order, order, strengths, _MAX_DEPTH)
        drug = Drug() if order.get("doNotPerform") is True else self.drug(product)
        acting_days = depot_days(product)
        return Medicine(
            drug=drug,
            reference=reference_of(order),
            names_product=any(order.get(name) for name in _PRODUCTS),
            is_past=text_member(order, "status") in PAST,
            is_proposed=text_member(order, "intent") == "proposal",
            started_on=started_on(order),
            last_day=last_day(order, acting_days),
            is_depot=acting_days > 0,
            dose=read_dose(dosage_instructions(order), product.words, strengths) if drug.is_naltrexone else None,
            says_low_dose=any(map(_LOW_DOSE.search, product.words)),
            reasons=self._reasons(order),
        )

    def drug(self, product: CodedText) -> Drug:
        """What a product is recognised as. The only call of the recogniser."""
        if is_supply(product.words) or is_rescue(product.words):
            return Drug()
        if (drug := self._drugs.get(product)) is None:
            drug = self._drugs[product] = self.formulary.recognise(product)
        is_recognised = drug.is_naltrexone or drug.is_opioid
        is_known = drug.is_known and _names_something(product.words)
        return drug if is_recognised else replace(drug, is_known=is_known)

    def _product(self, part: Resource, order: Resource, strengths: list[Any], depth: int) -> CodedText:
        """The codes and words of an order, a Medication or an ingredient, and of what they refer to.

        Appends the strengths of ingredients to `strengths`.
        """
        product = CodedText()
        if depth == 0:
            return product
        for name in ("medicationCodeableConcept", "itemCodeableConcept", "code"):
            product += concept_text(part.get(name))
        for name in ("medicationReference", "itemReference"):
            product += self._referenced(part.get(name), order, strengths, depth)
        for name in ("medication", "item"):  # R5
            product += concept_text(member(part, name, "concept"))
            product += self._referenced(member(part, name, "reference"), order, strengths, depth)
        for ingredient in objects(part.get("ingredient")):
            strengths.append(ingredient.get("strength"))
            product += self._product(ingredient, order, strengths, depth - 1)
        return product

    def _referenced(self, reference: Any, order: Resource, strengths: list[Any], depth: int) -> CodedText:
        """The words of a reference and of the resource to which it leads."""
        product = CodedText(words=_words(member(reference, "display")))
        target = text_member(reference, "reference")
        if target.startswith("#"):
            contained = objects(order.get("contained"))
            resource: Resource | None = next((c for c in contained if c.get("id") == target[1:]), None)
        else:
            resource = self.medications.get(target) or self.medications.get(short_reference(target))
        return product + self._product(resource, order, strengths, depth - 1) if resource else product

    def _reasons(self, order: Resource) -> CodedText:
        reasons = CodedText()
        for reason in [*objects(order.get("reasonCode")), *objects(order.get("reason"))]:
            reasons += concept_text(reason.get("concept") or reason)
        for reference in objects(order.get("reasonReference")):
            reasons += self._referenced(reference, order, [], _MAX_DEPTH)
        return reasons


def reference_of(resource: Resource) -> str | None:
    identifier = text_member(resource, "id")
    return f"{resource.get('resourceType')}/{identifier}" if _ID.fullmatch(identifier) else None


def short_reference(target: str) -> str:
    """`MedicationRequest/1` of any address of it, with or without server and version."""
    return "/".join(target.split("/_history", 1)[0].split("/")[-2:])


def concept_text(concept: Any) -> CodedText:
    """The codes and words of a CodeableConcept."""
    codings = objects(member(concept, "coding"))
    displays = [word for coding in codings for word in _words(coding.get("display"))]
    codes = [code for coding in codings if (code := coding_of(coding))]
    return CodedText(tuple(codes), (*_words(member(concept, "text")), *displays))


def _words(text: Any) -> tuple[str, ...]:
    return (text[:1000],) if isinstance(text, str) and _HAS_WORD.search(text) else ()


def _names_something(words: tuple[str, ...]) -> bool:
    """Whether there is a word that could be the name of a medicine: `see comments` has none."""
    found = {name for text in words for name in _NAME.findall(text.lower())}
    return not word_set("placeholders").issuperset(found)


# --- what is not taken for its opioid -----------------------------------------------------------------------------

_SUPPLY = re.compile(
    r"\btest(?:ing|er)?[\s-]*(?:strips?|kits?|cards?|cups?|panels?|cassettes?|devices?|sticks?|swabs?)\b"
    r"|\b(?:drugs?|urine|saliva|tox\w*|immuno\w*)[\s-]+(?:\w+[\s-]+)?(?:tests?|testing|screens?|screening|assays?)\b"
    r"|\bdip[\s-]*(?:cards?|sticks?)\b|\bimmunoassays?\b|\btest\w*streifen\b|\bbandelettes? de test"
    r"|\btiras? reactivas?\b|\btiras? de prueba\b",
    re.IGNORECASE,
)
"""Names of things that detect a drug."""
_JOINED = re.compile(r"(?:/|\+|-|&|\band\b)[\s\d.,]*(?:mg|mcg)?\s*$", re.IGNORECASE)
"""Ends with what joins two drugs of one product."""


def is_supply(words: tuple[str, ...]) -> bool:
    """Whether a product is a test for a drug, which names the drug but does not hold it."""
    return any(map(_SUPPLY.search, words))


def is_rescue(words: tuple[str, ...]) -> bool:
    """Whether a product is an antagonist to be carried for an overdose, such as a naloxone kit.

    An antagonist that is joined to another drug (`buprenorphine / naloxone`) is a part of that product.
    """
    antagonist, rescue = word_pattern("antagonists"), word_pattern("rescue_words")
    return any(antagonist.search(text) and rescue.search(text) and not _is_joined(text, antagonist) for text in words)


def _is_joined(text: str, antagonist: re.Pattern[str]) -> bool:
    return any(_JOINED.search(text[: match.start()]) for match in antagonist.finditer(text))
