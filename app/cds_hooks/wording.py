"""Sentences of cards about orders. A drug appears under our own name for it: no text of a record is repeated."""

import re
from collections.abc import Iterable
from datetime import date

from app.cds_hooks.medicines import Medicine
from app.cds_hooks.rules import Finding, Rule
from app.cds_hooks.schemas import MAX_SUMMARY_LENGTH, CardCoding
from app.claims.schemas import OverrideReason
from app.core.english import inline, join_and

LABEL_WARNING = (
    "The contraindication is from the label of the 50 mg product. No low-dose trial on record here tested naltrexone "
    "together with an opioid: nothing here says that a low dose removes the hazard."
)
NO_CHECK = "This is not evidence that the patient takes no opioid and no naltrexone: look at the list of medicines."
MAX_NAMED = 3
"""Medicines of one side that a card names; the others are counted."""

_OWN_REASONS = "urn:ldn-evidence:override-reasons"
_INTERVAL_OVER = CardCoding(
    code="opioid-free-days-passed", system=_OWN_REASONS, display="The opioid-free days have passed"
)
_PLANNED = CardCoding(code="planned-with-the-patient", system=_OWN_REASONS, display="Planned with the patient")
_CHECKED = CardCoding(code="checked-otherwise", system=_OWN_REASONS, display="Checked in another way")
OWN_REASONS: dict[Rule, list[CardCoding]] = {
    Rule.cautioned: [_PLANNED],
    Rule.opioid_use_disorder: [_INTERVAL_OVER, _PLANNED],
    Rule.liver_disease: [_PLANNED, _CHECKED],
    Rule.hypersensitivity: [_PLANNED, _CHECKED],
    Rule.incomplete: [_CHECKED],
    Rule.record_incomplete: [_CHECKED],
    Rule.evidence: [],
}
"""Reasons that a prescriber may give for not following a card, of the checks that are not interaction rules."""

_SUMMARIES = {
    Rule.both_drafted: "Naltrexone and an opioid ({opioid}) drafted together: the US label contraindicates this.",
    Rule.naltrexone_meets_opioid: "Naltrexone with a current opioid ({opioid}): the US label contraindicates this.",
    Rule.opioid_meets_naltrexone: "Opioid ({opioid}) with current naltrexone: the US label contraindicates this.",
    Rule.both_current: "Naltrexone and an opioid ({opioid}) both current: the US label contraindicates this.",
    Rule.proposed: "Naltrexone and an opioid ({opioid}), one of them only proposed: the US label contraindicates both.",
    Rule.cautioned: "Naltrexone with {opioid}: naltrexone may stop it from working, or cause withdrawal.",
    Rule.naltrexone_after_opioid: "Opioid ({opioid}) until recently: US label asks for opioid-free days first.",
    Rule.opioid_after_naltrexone: "Naltrexone until recently: US label warns of opioids ({opioid}) afterwards.",
    Rule.opioid_use_disorder: "Opioid use disorder: US label asks for opioid-free days before naltrexone.",
    Rule.liver_disease: "Naltrexone and a recorded liver disease: US labels warn of liver injury.",
    Rule.hypersensitivity: "A recorded allergy to naltrexone: the US label contraindicates naltrexone.",
    Rule.incomplete: "Opioid check incomplete: not all medicines could be read. Look at the list of medicines.",
    Rule.record_incomplete: "Check incomplete: a list of diagnoses or allergies could not be read. Look at the record.",
}
_SITUATIONS = {
    Rule.both_drafted: "Drafted together: {naltrexone} and {opioids}.",
    Rule.naltrexone_meets_opioid: "Drafted: {naltrexone}. On the list of current medicines: {opioids}.",
    Rule.opioid_meets_naltrexone: "Drafted: {opioids}. On the list of current medicines: {naltrexone}.",
    Rule.both_current: "On the list of current medicines: {naltrexone} and {opioids}.",
    Rule.proposed: "Ordered or proposed: {naltrexone} and {opioids}.",
    Rule.cautioned: "Drafted or current: {naltrexone} and {opioids}.",
    Rule.naltrexone_after_opioid: "Drafted: {naltrexone}. Ended recently, or at a time that was not read: {opioids}.",
    Rule.opioid_after_naltrexone: "Drafted: {opioids}. Ended recently, or at a time that was not read: {naltrexone}.",
    Rule.opioid_use_disorder: (
        "Drafted for opioid use disorder: {naltrexone}. Opioids that were not prescribed are on no list of medicines."
    ),
    Rule.liver_disease: "Drafted: {naltrexone}. On the list of diagnoses: a disease of the liver.",
    Rule.hypersensitivity: "Drafted: {naltrexone}. On the list of allergies: naltrexone.",
    Rule.incomplete: "Whether naltrexone and an opioid meet could not be checked in full: {gaps}.",
    Rule.record_incomplete: "Drafted: {naltrexone}. The record could not be checked in full: {gaps}.",
}
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~])")


def codings(reasons: Iterable[OverrideReason]) -> list[CardCoding]:
    """Override reasons of interaction rules as a card offers them."""
    return [CardCoding(code=reason.code, system=_OWN_REASONS, display=reason.label) for reason in reasons]


def reason_codes(reasons: Iterable[OverrideReason]) -> set[str]:
    """Every code that a card can offer, beside those of the interaction rules."""
    return {coding.code for codings in OWN_REASONS.values() for coding in codings} | {one.code for one in reasons}


def summary(finding: Finding) -> str:
    names = _names(finding.opioids)
    opioid = names[0] if names else ""
    if len(names) > 1:
        opioid += f" and {len(names) - 1} more"
    template = _SUMMARIES[finding.rule]
    max_length = MAX_SUMMARY_LENGTH - len(template.format(opioid=""))
    return template.format(opioid=opioid if len(opioid) <= max_length else "see below")


def situation(finding: Finding, today: date | None, max_named: int = MAX_NAMED) -> str:
    """Which orders meet, with their dates; at most so many of each side, and how many others there are."""
    return _SITUATIONS[finding.rule].format(
        naltrexone=_orders(finding.naltrexone, today, max_named) or "naltrexone",
        opioids=_orders(finding.opioids, today, max_named) or "an opioid",
        gaps=join_and([gap.words for gap in finding.gaps] or ["a list could not be read"]),
    )


def _orders(medicines: tuple[Medicine, ...], today: date | None, max_named: int) -> str:
    phrases = list(dict.fromkeys(_order(medicine, today) for medicine in medicines))
    others = len(phrases) - max_named
    return join_and([*phrases[:max_named], *([f"{others} more"] if others > 0 else [])]) if phrases else ""


def _order(medicine: Medicine, today: date | None) -> str:
    dose = f" {medicine.dose.text}" if medicine.dose else ""
    verb = "stated" if (medicine.reference or "").startswith("MedicationStatement") else "ordered"
    dates = [f"{verb} {medicine.started_on}" if medicine.started_on else "date not read"]
    has_end = medicine.last_day is not None and medicine.last_day != medicine.started_on
    if has_end and medicine.is_depot:
        dates.append(f"may act until {medicine.last_day}")
    elif has_end and medicine.last_day is not None and today is not None and medicine.last_day <= today:
        dates.append(f"until {medicine.last_day}" if medicine.is_past else f"supply until {medicine.last_day}")
    return f"{escaped(medicine.drug.name)}{dose} ({', '.join(dates)})"


def _names(medicines: Iterable[Medicine]) -> list[str]:
    return list(dict.fromkeys(medicine.drug.name for medicine in medicines))


def dose_text(medicines: tuple[Medicine, ...]) -> str:
    """The doses of naltrexone that were read, with their bands."""
    sentences = []
    for medicine in medicines:
        if medicine.dose is None:
            sentences.append("Dose not read; the order is named as low-dose naltrexone.")
            continue
        bands = join_and(
            f"{tier.label.lower()} ({inline(tier.definition).rstrip('.')})" for tier in medicine.dose.tiers
        )
        sentences.append(f"Dose read: {medicine.dose.text}; band: {bands}.")
        if any(tier.value == "intermediate" for tier in medicine.dose.tiers):
            sentences.append("That is above the low band; the claims below are on low doses.")
    return " ".join(dict.fromkeys(sentences))


def unverified_reason(names: Iterable[str]) -> str:
    """Says that a reason was recognised by a code that is not verified."""
    return (
        f"The reason of the order was read as {join_and(map(inline, names))} by a SNOMED CT code that is unverified "
        "here: sources differ about it. Check that this is meant."
    )


def evidence_summary(verdict: str | None) -> str:
    """The verdict with its direction, not the number of studies: one large trial can outweigh many small ones."""
    text = f"Off-label. {verdict}"
    if verdict and len(text) <= MAX_SUMMARY_LENGTH:
        return text
    return "Low-dose naltrexone: no low-dose product is FDA-approved. Open for the evidence, for and against."


def escaped(text: str) -> str:
    """The text without the meaning that Markdown would give it."""
    return _MARKUP.sub(r"\\\1", text)
