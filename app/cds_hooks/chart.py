"""A patient's medicines as a request describes them, read leniently from R4 JSON. They live as long as the request.

Record systems send what no validator accepts (a Bundle without `type`, an order without a drug), so nothing is
validated: what can be read is read, and what cannot is a gap in the check.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from app.cds_hooks.dosage import DoseReading, read_dose
from app.cds_hooks.drugs import CodedText, Drug, Formulary, coding_of
from app.cds_hooks.fhir_json import member, objects, text_member

MEDICATIONS, STOPPED, STATEMENTS = "medications", "stopped", "statements"
RECENT = timedelta(days=30)
"""How long after its last date an ended medicine is still shown. The label's 7 to 10 days are a minimum for
short-acting opioids, and nothing was read about others, so this is wider."""

_ORDERS = ("MedicationRequest", "MedicationStatement")
_IGNORED = frozenset({"entered-in-error", "cancelled", "not-taken"})
_PAST = frozenset({"stopped", "completed", "ended"})
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOW_DOSE = re.compile(r"\bLDN\b|\blow[\s-]*dose\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]{2}")
_MAX_DEPTH = 4
"""Of ingredients in ingredients: contained resources may refer to each other in a circle."""

Resource = Mapping[str, Any]


class Gap(StrEnum):
    """Why the list of medicines may be incomplete."""

    omitted = "omitted"
    refused = "refused"
    paged = "paged"
    unreadable = "unreadable"
    unrecognised = "unrecognised"

    @property
    def words(self) -> str:
        return _GAP_WORDS[self]


_GAP_WORDS = {
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
    """`MedicationRequest/id`; null if it has no usable id."""
    is_past: bool
    last_date: date | None
    """The latest date in the record: an ended medicine was not taken after it."""
    dose: DoseReading | None
    says_low_dose: bool
    reasons: CodedText


@dataclass(frozen=True)
class Chart:
    drafts: tuple[Medicine, ...]
    current: tuple[Medicine, ...]
    past: tuple[Medicine, ...]
    gaps: frozenset[Gap]
    has_lists: bool
    """Whether any list of medicines was sent."""
    today: date | None
    """Today by the dates in the request, so that the same request always gets the same answer."""

    def is_recent(self, medicine: Medicine) -> bool:
        return medicine.last_date is None or self.today is None or self.today - medicine.last_date <= RECENT


def read_chart(
    formulary: Formulary,
    draft_orders: Any,
    selections: Iterable[str],
    prefetch: Mapping[str, Any] | None,
    list_names: Collection[str],
) -> Chart:
    """The drafts, limited to `selections` if those are among them, and the medicines in the lists of the prefetch."""
    lists = prefetch or {}
    reader = _MedicineReader(formulary, _medications([draft_orders, *lists.values()]))
    orders = list(_orders(draft_orders))
    chosen = set(selections)
    selected = [order for order in orders if _reference(order) in chosen] or orders
    drafts = [reader.medicine(order) for order in selected if _status(order) not in _IGNORED | _PAST]
    ending = [reader.medicine(order) for order in orders if _status(order) in _IGNORED | _PAST]
    gaps: set[Gap] = set()
    listed: list[Medicine] = []
    for name in list_names:
        gaps.update(_gaps(lists[name]) if name in lists else (Gap.omitted,))
        listed += [reader.medicine(order) for order in _orders(lists.get(name)) if _status(order) not in _IGNORED]
    if any(not medicine.drug.is_known and not medicine.is_past for medicine in listed):
        gaps.add(Gap.unrecognised)
    listed = [replace(m, is_past=True) if _is_among(m, ending) else m for m in listed if not _is_among(m, drafts)]
    dates = [m.last_date for m in drafts if m.last_date] or [m.last_date for m in listed if m.last_date]
    return Chart(
        drafts=tuple(drafts),
        current=tuple(medicine for medicine in listed if not medicine.is_past),
        past=tuple(medicine for medicine in listed if medicine.is_past),
        gaps=frozenset(gaps),
        has_lists=any(name in lists for name in list_names),
        today=max(dates, default=None),
    )


def _is_among(medicine: Medicine, drafts: Iterable[Medicine]) -> bool:
    """Whether a draft changes this order. The id alone is not enough: ids of drafts may be made up."""
    return medicine.reference is not None and any(
        draft.reference == medicine.reference and draft.drug.name == medicine.drug.name for draft in drafts
    )


# --- bundles ------------------------------------------------------------------------------------------------------


def _resources(value: Any) -> Iterator[Resource]:
    """The resources of a Bundle, or the one resource in its place."""
    if not isinstance(value, dict):
        return
    if "entry" not in value and value.get("resourceType") != "Bundle":
        yield value
    for entry in objects(value.get("entry")):
        if isinstance(resource := entry.get("resource"), dict):
            yield resource


def _orders(value: Any) -> Iterator[Resource]:
    return (resource for resource in _resources(value) if resource.get("resourceType") in _ORDERS)


def _gaps(value: Any) -> Iterator[Gap]:
    """What is missing in a list; null is the standard's word for an empty one."""
    if value is None:
        return
    if not isinstance(value, dict):
        yield Gap.unreadable
        return
    resources = list(_resources(value))
    if any(map(_is_refusal, resources)):
        yield Gap.refused
    if value.get("resourceType") not in ("Bundle", "OperationOutcome", *_ORDERS) and "entry" not in value:
        yield Gap.unreadable
    entries = value.get("entry")
    if entries is not None and (not isinstance(entries, list) or len(resources) < len(entries)):
        yield Gap.unreadable
    total = value.get("total")
    has_next = any(link.get("relation") == "next" for link in objects(value.get("link")))
    if has_next or (isinstance(total, int) and total > len(list(_orders(value)))):
        yield Gap.paged


def _is_refusal(resource: Resource) -> bool:
    issues = objects(resource.get("issue"))
    is_serious = not issues or any(issue.get("severity") != "information" for issue in issues)
    return resource.get("resourceType") == "OperationOutcome" and is_serious


def _medications(bundles: Iterable[Any]) -> dict[str, Resource]:
    """Medication resources by every address under which something may refer to them."""
    medications: dict[str, Resource] = {}
    for entry in (entry for bundle in bundles for entry in objects(member(bundle, "entry"))):
        resource: Any = entry.get("resource")
        if member(resource, "resourceType") == "Medication":
            if identifier := text_member(resource, "id"):
                medications[f"Medication/{identifier}"] = resource
            if url := text_member(entry, "fullUrl"):
                medications[url] = resource
    return medications


def _status(order: Resource) -> str:
    return text_member(order, "status")


def _reference(resource: Resource) -> str | None:
    identifier = text_member(resource, "id")
    return f"{resource.get('resourceType')}/{identifier}" if _ID.fullmatch(identifier) else None


# --- one order or statement ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _MedicineReader:
    formulary: Formulary
    medications: Mapping[str, Resource]

    def medicine(self, order: Resource) -> Medicine:
        strengths: list[Any] = []
        product = self._product(order, order, strengths, _MAX_DEPTH)
        drug = Drug() if order.get("doNotPerform") is True else self.formulary.recognise(product)
        return Medicine(
            drug=drug,
            reference=_reference(order),
            is_past=_status(order) in _PAST,
            last_date=max(_dates(order), default=None),
            dose=read_dose(_dosage(order), product.words, strengths) if drug.is_naltrexone else None,
            says_low_dose=any(map(_LOW_DOSE.search, product.words)),
            reasons=_reasons(order),
        )

    def _product(self, part: Resource, order: Resource, strengths: list[Any], depth: int) -> CodedText:
        """The codes and words of an order, a Medication or an ingredient, and of what they refer to.

        Appends the strengths of ingredients to `strengths`.
        """
        product = CodedText()
        if depth == 0:
            return product
        for name in ("medicationCodeableConcept", "itemCodeableConcept", "code"):
            product += _concept(part.get(name))
        for name in ("medicationReference", "itemReference"):
            product += self._referenced(part.get(name), order, strengths, depth)
        for name in ("medication", "item"):  # R5
            product += _concept(member(part, name, "concept"))
            product += self._referenced(member(part, name, "reference"), order, strengths, depth)
        for ingredient in objects(part.get("ingredient")):
            strengths.append(ingredient.get("strength"))
            product += self._product(ingredient, order, strengths, depth - 1)
        return product

    def _referenced(self, reference: Any, order: Resource, strengths: list[Any], depth: int) -> CodedText:
        product = CodedText(words=_words(member(reference, "display")))
        target = text_member(reference, "reference")
        if target.startswith("#"):
            contained = objects(order.get("contained"))
            medication: Resource | None = next((c for c in contained if c.get("id") == target[1:]), None)
        else:
            tail = "/".join(target.split("/_history", 1)[0].split("/")[-2:])
            medication = self.medications.get(target) or self.medications.get(tail)
        return product + self._product(medication, order, strengths, depth - 1) if medication else product


def _concept(concept: Any) -> CodedText:
    codings = objects(member(concept, "coding"))
    displays = [word for coding in codings for word in _words(coding.get("display"))]
    codes = [code for coding in codings if (code := coding_of(coding))]
    return CodedText(tuple(codes), (*_words(member(concept, "text")), *displays))


def _words(text: Any) -> tuple[str, ...]:
    return (text[:1000],) if isinstance(text, str) and _WORD.search(text) else ()


def _reasons(order: Resource) -> CodedText:
    reasons = CodedText()
    for reason in [*objects(order.get("reasonCode")), *objects(order.get("reason"))]:
        reasons += _concept(reason.get("concept") or reason)
    for reference in objects(order.get("reasonReference")):
        reasons += CodedText(words=_words(reference.get("display")))
    return reasons


def _dosage(order: Resource) -> Any:
    return order.get("dosageInstruction", order.get("dosage"))


def _dates(order: Resource) -> Iterator[date]:
    """Every date in the order or statement itself."""
    repeats = [member(instruction, "timing", "repeat") for instruction in objects(_dosage(order))]
    periods = [
        order.get("effectivePeriod"),
        member(order, "dispenseRequest", "validityPeriod"),
        *(member(repeat, "boundsPeriod") for repeat in repeats),
    ]
    values = [order.get(name) for name in ("authoredOn", "effectiveDateTime", "dateAsserted")]
    values.append(member(order, "meta", "lastUpdated"))
    values += [member(period, end) for period in periods for end in ("start", "end")]
    for value in values:
        if isinstance(value, str) and (match := _DATE.match(value)):
            try:
                yield date.fromisoformat(match[0])
            except ValueError:
                continue
