"""What a request tells of a patient's medicines, read leniently from R4 JSON. It lives as long as the request.

Record systems send what no validator accepts (a Bundle without `type`, an order without a drug), so nothing here is
validated: what can be read is read, and what cannot is remembered as a gap in the check.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from app.cds_hooks import dosage
from app.cds_hooks.drugs import Drug, Formulary, Product, coding_of

MEDICATIONS, STOPPED, STATEMENTS = "medications", "stopped", "statements"
RECENT = timedelta(days=30)
"""How long after its last date an ended medicine is still told. The label's 7 to 10 days are a minimum for short-acting
opioids, and nothing was read for others, so this is wider."""

_ORDERS = ("MedicationRequest", "MedicationStatement")
_IGNORED = frozenset({"entered-in-error", "cancelled", "not-taken"})
_PAST = frozenset({"stopped", "completed", "ended"})
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DEEPEST = 4
"""Ingredients of ingredients; contained resources may name each other in a circle."""


class Gap(StrEnum):
    """Why the list of medicines may be incomplete."""

    omitted = "omitted"
    refused = "refused"
    paged = "paged"
    unreadable = "unreadable"
    unrecognised = "unrecognised"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Gap.omitted: "a list of medicines was not sent",
    Gap.refused: "the record system refused or qualified a list of medicines",
    Gap.paged: "only the first page of a list of medicines was sent",
    Gap.unreadable: "a list of medicines could not be read",
    Gap.unrecognised: "a medicine was sent without a name, under codes that are not known here",
}


@dataclass(frozen=True)
class Medicine:
    """One order or statement, as far as the check needs it."""

    drug: Drug
    reference: str | None
    """`MedicationRequest/id`; null where it has no usable id."""
    past: bool
    last: date | None
    """The latest date that the record carries: of an ended medicine, the day on which it was taken at the latest."""
    dose: dosage.DoseReading | None
    says_low_dose: bool
    reasons: Product
    """Why it was ordered, in codes and words."""


@dataclass(frozen=True)
class Chart:
    """All that was read."""

    drafts: tuple[Medicine, ...]
    current: tuple[Medicine, ...]
    past: tuple[Medicine, ...]
    gaps: frozenset[Gap]
    sent: bool
    """Whether any list of medicines was sent at all."""
    today: date | None
    """The request's own idea of the day, so that the same request always gets the same answer."""

    def recently(self, medicine: Medicine) -> bool:
        return medicine.last is None or self.today is None or self.today - medicine.last <= RECENT


def read(
    formulary: Formulary,
    draft_orders: Mapping[str, Any] | None,
    selections: Iterable[str],
    prefetch: Mapping[str, Any] | None,
    wanted: Iterable[str],
) -> Chart:
    """The drafts (of `selections` alone, where those are among them), and what the prefetch says is and was taken."""
    bundles = [draft_orders, *(prefetch or {}).values()]
    reader = _Reader(formulary, _medications(bundles))
    orders = [resource for resource in _resources(draft_orders) if resource.get("resourceType") in _ORDERS]
    chosen = set(selections)
    selected = [order for order in orders if _reference(order) in chosen] or orders
    drafts = [reader.medicine(order) for order in selected if _status(order) not in _IGNORED | _PAST]
    ending = [reader.medicine(order) for order in orders if _status(order) in _IGNORED | _PAST]
    gaps: set[Gap] = set()
    sent = False
    found: list[Medicine] = []
    for key in wanted:
        if prefetch is None or key not in prefetch:
            gaps.add(Gap.omitted)
            continue
        sent = True
        gaps.update(_gaps(prefetch[key]))
        for resource in _resources(prefetch[key]):
            if resource.get("resourceType") in _ORDERS and _status(resource) not in _IGNORED:
                found.append(reader.medicine(resource))
    if any(not medicine.drug.known and not medicine.past for medicine in found):
        gaps.add(Gap.unrecognised)
    found = [replace(m, past=True) if _is_among(m, ending) else m for m in found if not _is_among(m, drafts)]
    days = [m.last for m in drafts if m.last] or [m.last for m in found if m.last]
    return Chart(
        drafts=tuple(drafts),
        current=tuple(medicine for medicine in found if not medicine.past),
        past=tuple(medicine for medicine in found if medicine.past),
        gaps=frozenset(gaps),
        sent=sent,
        today=max(days, default=None),
    )


def _is_among(medicine: Medicine, drafts: Iterable[Medicine]) -> bool:
    """Whether a draft changes this order. Ids alone do not tell: those of drafts may be made up."""
    return medicine.reference is not None and any(
        draft.reference == medicine.reference and draft.drug.name == medicine.drug.name for draft in drafts
    )


# --- bundles ------------------------------------------------------------------------------------------------------


def _resources(value: Any) -> Iterator[dict[str, Any]]:
    """The resources of a Bundle, or the one resource that stands in its place."""
    if not isinstance(value, dict):
        return
    if "entry" not in value and value.get("resourceType") != "Bundle":
        yield value
    for entry in _dicts(value.get("entry")):
        if isinstance(resource := entry.get("resource"), dict):
            yield resource


def _gaps(value: Any) -> Iterator[Gap]:
    """A null is the standard's way to say that there is nothing."""
    if value is None:
        return
    if not isinstance(value, dict):
        yield Gap.unreadable
        return
    resources = list(_resources(value))
    if any(_is_refusal(resource) for resource in resources):
        yield Gap.refused
    if value.get("resourceType") not in ("Bundle", "OperationOutcome", *_ORDERS) and "entry" not in value:
        yield Gap.unreadable
    entries = value.get("entry")
    if entries is not None and (not isinstance(entries, list) or len(resources) < len(entries)):
        yield Gap.unreadable
    if any(link.get("relation") == "next" for link in _dicts(value.get("link"))):
        yield Gap.paged
    total = value.get("total")
    matches = sum(resource.get("resourceType") in _ORDERS for resource in resources)
    if isinstance(total, int) and total > matches:
        yield Gap.paged


def _is_refusal(resource: Mapping[str, Any]) -> bool:
    if resource.get("resourceType") != "OperationOutcome":
        return False
    issues = _dicts(resource.get("issue"))
    return not issues or any(issue.get("severity") != "information" for issue in issues)


def _medications(bundles: Iterable[Any]) -> dict[str, dict[str, Any]]:
    """Medication resources by every address under which something may refer to them."""
    found: dict[str, dict[str, Any]] = {}
    for bundle in bundles:
        for entry in _dicts(bundle.get("entry")) if isinstance(bundle, dict) else []:
            resource = entry.get("resource")
            if isinstance(resource, dict) and resource.get("resourceType") == "Medication":
                if isinstance(identifier := resource.get("id"), str):
                    found[f"Medication/{identifier}"] = resource
                if isinstance(url := entry.get("fullUrl"), str):
                    found[url] = resource
    return found


def _status(order: Mapping[str, Any]) -> str:
    status = order.get("status")
    return status if isinstance(status, str) else ""


def _reference(resource: Mapping[str, Any]) -> str | None:
    identifier = resource.get("id")
    usable = isinstance(identifier, str) and _ID.fullmatch(identifier)
    return f"{resource.get('resourceType')}/{identifier}" if usable else None


# --- one order or statement ---------------------------------------------------------------------------------------


class _Reader:
    def __init__(self, formulary: Formulary, medications: Mapping[str, dict[str, Any]]) -> None:
        self.formulary = formulary
        self.medications = medications

    def medicine(self, order: Mapping[str, Any]) -> Medicine:
        strengths: list[Any] = []
        product = self._product(order, order, strengths, _DEEPEST)
        drug = Drug() if order.get("doNotPerform") is True else self.formulary.recognise(product)
        instructions = order.get("dosageInstruction", order.get("dosage"))
        return Medicine(
            drug=drug,
            reference=_reference(order),
            past=_status(order) in _PAST,
            last=max(_dates(order), default=None),
            dose=dosage.read(instructions, product.words, strengths) if drug.naltrexone else None,
            says_low_dose=any(_LOW_DOSE.search(text) for text in product.words),
            reasons=_reasons(order),
        )

    def _product(self, part: Mapping[str, Any], order: Mapping[str, Any], strengths: list[Any], depth: int) -> Product:
        """The words and codes of an order, a Medication or an ingredient, and of what they refer to."""
        product = Product()
        if depth == 0:
            return product
        for name in ("medicationCodeableConcept", "itemCodeableConcept", "code"):
            product += _concept(part.get(name))
        for name in ("medicationReference", "itemReference"):
            product += self._referred(part.get(name), order, strengths, depth)
        for name in ("medication", "item"):  # R5
            both = part.get(name)
            if isinstance(both, dict):
                product += _concept(both.get("concept"))
                product += self._referred(both.get("reference"), order, strengths, depth)
        for ingredient in _dicts(part.get("ingredient")):
            strengths.append(ingredient.get("strength"))
            product += self._product(ingredient, order, strengths, depth - 1)
        return product

    def _referred(self, reference: Any, order: Mapping[str, Any], strengths: list[Any], depth: int) -> Product:
        if not isinstance(reference, dict):
            return Product()
        product = Product(words=_words(reference.get("display")))
        target = reference.get("reference")
        if not isinstance(target, str):
            return product
        if target.startswith("#"):
            contained = _dicts(order.get("contained"))
            medication = next((c for c in contained if c.get("id") == target[1:]), None)
        else:
            tail = "/".join(target.split("/_history", 1)[0].split("/")[-2:])
            medication = self.medications.get(target) or self.medications.get(tail)
        return product + self._product(medication, order, strengths, depth - 1) if medication else product


_LOW_DOSE = re.compile(r"\bLDN\b|\blow[\s-]*dose\b", re.IGNORECASE)


def _concept(concept: Any) -> Product:
    if not isinstance(concept, dict):
        return Product()
    codings = _dicts(concept.get("coding"))
    displays = [word for coding in codings for word in _words(coding.get("display"))]
    codes = [found for coding in codings if (found := coding_of(coding))]
    return Product(tuple(codes), (*_words(concept.get("text")), *displays))


def _words(text: Any) -> tuple[str, ...]:
    return (text[:1000],) if isinstance(text, str) and re.search(r"[A-Za-z]{2}", text) else ()


def _reasons(order: Mapping[str, Any]) -> Product:
    product = Product()
    for reason in [*_dicts(order.get("reasonCode")), *_dicts(order.get("reason"))]:
        product += _concept(reason.get("concept") or reason)
    for reference in _dicts(order.get("reasonReference")):
        product += Product(words=_words(reference.get("display")))
    return product


def _dates(order: Mapping[str, Any]) -> Iterator[date]:
    """Every date that the order or statement carries itself."""
    for name in ("authoredOn", "effectiveDateTime", "dateAsserted"):
        yield from _date(order.get(name))
    meta, dispense, effective = (order.get(name) for name in ("meta", "dispenseRequest", "effectivePeriod"))
    yield from _date(meta.get("lastUpdated")) if isinstance(meta, dict) else ()
    yield from _period(effective)
    if isinstance(dispense, dict):
        yield from _period(dispense.get("validityPeriod"))
    for instruction in _dicts(order.get("dosageInstruction", order.get("dosage"))):
        timing = instruction.get("timing")
        repeat = timing.get("repeat") if isinstance(timing, dict) else None
        yield from _period(repeat.get("boundsPeriod")) if isinstance(repeat, dict) else ()


def _period(period: Any) -> Iterator[date]:
    if isinstance(period, dict):
        yield from _date(period.get("start"))
        yield from _date(period.get("end"))


def _date(value: Any) -> Iterator[date]:
    if isinstance(value, str) and (match := _DATE.match(value)):
        try:
            yield date.fromisoformat(match[0])
        except ValueError:
            return


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
