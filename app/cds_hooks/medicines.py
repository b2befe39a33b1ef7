"""One order or statement as far as the checks need it: which drug, which dose, until when."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from app.cds_hooks.bounds import (
    CODE_WORK,
    DOSE_WORK,
    INSTRUCTION_WORK,
    MAX_DEPTH,
    MAX_PARTS,
    MAX_TEXT,
    ORDER_WORK,
    PART_WORK,
    REASON_WORK,
    SCANNED_PER_WORK,
    STRENGTH_WORK,
    TEXT_WORK,
    WorkCounter,
)
from app.cds_hooks.bundles import Resource
from app.cds_hooks.dosage import DoseReading, coded_product, read_dose
from app.cds_hooks.dose_text import Product, amount_words, read_product
from app.cds_hooks.drugs import CodedText, Coding, Drug, Formulary, coding_of
from app.cds_hooks.fhir_json import member, objects, text_member
from app.cds_hooks.supply import dosage_instructions, dose_texts, has_unread_instructions, last_day, started_on
from app.cds_hooks.words import word_pattern, word_set
from app.core import deadline

PAST = frozenset({"stopped", "completed", "ended"})
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_HAS_WORD = re.compile(r"[^\W\d_][^\W_]")
_NAME = re.compile(r"[^\W\d_]{2,}|[^\W\d_]\d+")
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
    fits_evidence: bool
    """Whether its name says that it is what the evidence is about."""
    reasons: CodedText
    """Of the intervention that the checks are about."""
    is_cut: bool = False
    """Whether there was too much of it to be read whole."""
    is_selected: bool = True
    """Of a draft: whether it is the order that is being chosen."""

    @property
    def is_unread(self) -> bool:
        """Whether something is ordered, and what it is could not be read."""
        return self.names_product and not self.drug.is_known


class MedicineReader:
    """Reads the orders of one request, within the bounds of `bounds.py`."""

    def __init__(self, formulary: Formulary, medications: Mapping[str, Resource]) -> None:
        self._formulary = formulary
        self._amounts = amount_words(formulary.kind_of_doses, formulary.units)
        self._words = formulary.words
        self._medications = medications
        self._products: dict[CodedText, _Product] = {}
        """What was recognised in this request: long lists name the same product again and again."""
        self.work = WorkCounter()

    def medicines(self, orders: Iterable[Resource]) -> tuple[list[Medicine], bool]:
        """The medicines of the orders, and whether they are all that there are."""
        medicines: list[Medicine] = []
        for order in orders:
            deadline.check()
            if self.work.is_spent:
                return medicines, False
            medicines.append(self.medicine(order))
        return medicines, True

    def medicine(self, order: Resource) -> Medicine:
        parts = _PartReader(order, self._medications)
        parts.read(order)
        product = self._product(parts.text)
        drug = Drug() if order.get("doNotPerform") is True else product.drug
        instructions = dosage_instructions(order)
        self.work.add(ORDER_WORK + parts.work + sum(map(_instruction_work, instructions)))
        dose, reasons, is_cut = None, CodedText(), parts.is_cut or has_unread_instructions(order)
        if drug.is_watched:
            texts = (text for one in instructions for text in dose_texts(one))
            self.work.add(DOSE_WORK * sum(map(len, texts)) + STRENGTH_WORK * len(parts.strengths))
            is_cut = is_cut or self.work.is_spent
            if not self.work.is_spent:
                named = coded_product(parts.strengths, self._amounts) or product.named
                dose = read_dose(instructions, named, self._words.own, self._amounts)
                dose = dose.in_bands(self._formulary.tiers, self._formulary.units) if dose else None
            reasons, has_unread_reasons = self._reasons(order)
            is_cut = is_cut or has_unread_reasons
        return Medicine(
            drug=drug,
            reference=reference_of(order),
            names_product=any(order.get(name) for name in _PRODUCTS),
            is_past=text_member(order, "status") in PAST,
            is_proposed=text_member(order, "intent") == "proposal",
            started_on=started_on(order),
            last_day=last_day(order, product.acting_days),
            is_depot=product.acting_days > 0,
            dose=dose,
            fits_evidence=product.fits_evidence,
            reasons=reasons,
            is_cut=is_cut,
        )

    def drug(self, text: CodedText) -> Drug:
        """What a product is recognised as."""
        return self._product(text).drug

    def _product(self, text: CodedText) -> "_Product":
        if (product := self._products.get(text)) is None:
            length = sum(map(len, text.words))
            self.work.add(TEXT_WORK * length + CODE_WORK * len(text.codes))
            drug, named = self._drug(text), Product()
            if drug.is_watched:
                self.work.add(TEXT_WORK * length)
                named = named if self.work.is_spent else read_product(text.words, self._amounts)
            fits_evidence = self._words.fits_evidence(text.words)
            product = self._products[text] = _Product(drug, named, self._words.depot_days(text), fits_evidence)
        return product

    def _drug(self, product: CodedText) -> Drug:
        """The only call of the recogniser."""
        if is_supply(product.words) or is_rescue(product.words, self._words.antidotes):
            return Drug()
        drug = self._formulary.recognise(product)
        is_recognised = drug.is_watched or drug.is_warned_of
        is_known = drug.is_known and _names_something(product.words)
        return drug if is_recognised else replace(drug, is_known=is_known)

    def _reasons(self, order: Resource) -> tuple[CodedText, bool]:
        """The reasons of an order, and whether some were not read."""
        parts = _PartReader(order, self._medications)
        for name in ("reasonCode", "reason"):
            for reason in objects(order.get(name), MAX_PARTS + 1):
                parts.add_concept(reason.get("concept") or reason)
        for reference in objects(order.get("reasonReference"), MAX_PARTS + 1):
            parts.follow(reference)
        self.work.add(parts.work + REASON_WORK * sum(map(len, parts.text.words)) + CODE_WORK * len(parts.text.codes))
        return parts.text, parts.is_cut


@dataclass(frozen=True)
class _Product:
    drug: Drug
    named: Product
    """The strength that its names say; of the intervention that the checks are about."""
    acting_days: int
    fits_evidence: bool


class _PartReader:
    """Gathers the codes and words of an order, of its ingredients, and of the resources to which it refers.

    Each resource is read once, for they may refer to each other in a circle.
    """

    def __init__(self, order: Resource, medications: Mapping[str, Resource]) -> None:
        self._order = order
        self._medications = medications
        self._codes: list[Coding] = []
        self._words: list[str] = []
        self._seen: set[int] = set()
        """`id` of the resources; the request holds them."""
        self._parts = 0
        self._scanned = 0
        """Characters in which a word was looked for."""
        self.strengths: list[Any] = []
        """Of ingredients."""
        self.is_cut = False
        """Whether something was not read because there is too much of it."""

    @property
    def text(self) -> CodedText:
        return CodedText(tuple(self._codes), tuple(self._words))

    @property
    def work(self) -> int:
        return self._parts * PART_WORK + self._scanned // SCANNED_PER_WORK

    def read(self, part: Resource, depth: int = 0) -> None:
        """An order, a Medication or an ingredient."""
        if id(part) in self._seen or not self._may_go_on(depth):
            return
        self._seen.add(id(part))
        for name in ("medicationCodeableConcept", "itemCodeableConcept", "code"):
            self.add_concept(part.get(name))
        for name in ("medicationReference", "itemReference"):
            self.follow(part.get(name), depth)
        for name in ("medication", "item"):  # R5
            self.add_concept(member(part, name, "concept"))
            self.follow(member(part, name, "reference"), depth)
        for ingredient in self._objects(part.get("ingredient")):
            self.strengths.append(ingredient.get("strength"))
            self.read(ingredient, depth + 1)

    def add_concept(self, concept: Any) -> None:
        """The codes and words of a CodeableConcept."""
        if not isinstance(concept, dict) or not self._may_go_on():
            return
        codings = self._objects(concept.get("coding"))
        self._codes += [code for coding in codings if (code := coding_of(coding))]
        self._add_words(concept.get("text"))
        for coding in codings:
            self._add_words(coding.get("display"))

    def follow(self, reference: Any, depth: int = 0) -> None:
        """The words of a reference and of the resource to which it leads."""
        if not isinstance(reference, dict) or not self._may_go_on():
            return
        self._add_words(reference.get("display"))
        target = text_member(reference, "reference")
        if target.startswith("#"):
            resource = self._contained.get(target[1:])
        else:
            resource = self._medications.get(target) or self._medications.get(short_reference(target))
        if resource is not None:
            self.read(resource, depth + 1)

    @cached_property
    def _contained(self) -> dict[str, Resource]:
        """The first resource with each id."""
        contained = objects(self._order.get("contained"))
        return {identifier: one for one in reversed(contained) if isinstance(identifier := one.get("id"), str)}

    def _objects(self, value: Any) -> list[dict[str, Any]]:
        """As many of a list as may still be read."""
        left = MAX_PARTS - self._parts
        found = objects(value, left)
        if isinstance(value, list) and len(value) > left:
            self.is_cut = True
        self._parts += len(found)
        return found

    def _may_go_on(self, depth: int = 0) -> bool:
        self._parts += 1
        is_in_bounds = self._parts <= MAX_PARTS and depth <= MAX_DEPTH
        self.is_cut = self.is_cut or not is_in_bounds
        return is_in_bounds

    def _add_words(self, text: Any) -> None:
        if not isinstance(text, str):
            return
        if len(text) > MAX_TEXT:
            self.is_cut = True
        text = text[:MAX_TEXT]
        self._scanned += len(text)
        if _HAS_WORD.search(text):
            self._words.append(text)


def _instruction_work(instruction: Resource) -> int:
    doses = instruction.get("doseAndRate")
    return INSTRUCTION_WORK * (1 + (len(doses) if isinstance(doses, list) else 0))


def reference_of(resource: Resource) -> str | None:
    identifier = text_member(resource, "id")
    return f"{resource.get('resourceType')}/{identifier}" if _ID.fullmatch(identifier) else None


def short_reference(target: str) -> str:
    """`MedicationRequest/1` of any address of it, with or without server and version."""
    return "/".join(target.split("/_history", 1)[0].split("/")[-2:])


def concept_text(*concepts: Any) -> tuple[CodedText, bool]:
    """The codes and words of CodeableConcepts, and whether there was too much of them to be read whole."""
    parts = _PartReader({}, {})
    for concept in concepts:
        parts.add_concept(concept)
    return parts.text, parts.is_cut


def _names_something(words: tuple[str, ...]) -> bool:
    """Whether there is a word that could be the name of a medicine: `see comments` has none."""
    found = {name for text in words for name in _NAME.findall(text.lower())}
    return not word_set("placeholders").issuperset(found)


# --- what is not taken for the drug that it names ---------------------------------------------------------------------

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


def is_rescue(words: tuple[str, ...], antidotes: re.Pattern[str] | None) -> bool:
    """Whether a product is an antidote to be carried for an overdose, such as a kit.

    An antidote that is joined to another drug is a part of that product.
    """
    if antidotes is None:
        return False
    rescue = word_pattern("rescue_words")
    return any(antidotes.search(text) and rescue.search(text) and not _is_joined(text, antidotes) for text in words)


def _is_joined(text: str, antidotes: re.Pattern[str]) -> bool:
    return any(_JOINED.search(text[: match.start()]) for match in antidotes.finditer(text))
