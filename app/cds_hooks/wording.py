"""Sentences of cards about orders. A drug appears under our own name for it: no text of a record is repeated."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from string import Formatter

from app.cds_hooks.medicines import Medicine
from app.cds_hooks.rules import Finding, Rule
from app.cds_hooks.schemas import CardCoding
from app.claims.schemas import OverrideReason
from app.concepts.manifest_cds import (
    MAX_SUMMARY_LENGTH,
    CdsEvidence,
    CdsInteraction,
    CdsManifest,
    CdsReason,
    CdsTexts,
)
from app.core.english import inline, join_and

MAX_NAMED = 3
"""Medicines of one side that a card names; the others are counted."""

_OWN_REASONS = "urn:ldn-evidence:override-reasons"
_CHECKED = CdsReason(code="checked-otherwise", label="Checked in another way")
"""Offered with every card that says that a check is incomplete."""

_SUMMARIES = {
    Rule.both_drafted: "{first} and {second}, drafted together: a contraindication is recorded.",
    Rule.first_drafted: "{first} with current {second}: a contraindication is recorded.",
    Rule.second_drafted: "{second} with current {first}: a contraindication is recorded.",
    Rule.both_current: "{first} and {second}, both current: a contraindication is recorded.",
    Rule.proposed: "{first} and {second}, one of them only proposed: a contraindication is recorded.",
    Rule.cautioned: "{first} with {second}: an interaction is recorded.",
    Rule.first_after_second: "{first} drafted, {second} until recently: a contraindication is recorded.",
    Rule.second_after_first: "{second} drafted, {first} until recently: a contraindication is recorded.",
    Rule.reason_check: "{first}: a warning is recorded for the condition that it is ordered for.",
    Rule.patient_check: "{first}: a warning is recorded for what stands in the record.",
    Rule.incomplete: "Check incomplete: not all medicines could be read. Look at the list of medicines.",
    Rule.record_incomplete: "Check incomplete: a list of diagnoses or allergies could not be read. Look at the record.",
}
_SITUATIONS = {
    Rule.both_drafted: "Drafted together: {first} and {second}.",
    Rule.first_drafted: "Drafted: {first}. On the list of current medicines: {second}.",
    Rule.second_drafted: "Drafted: {second}. On the list of current medicines: {first}.",
    Rule.both_current: "On the list of current medicines: {first} and {second}.",
    Rule.proposed: "Ordered or proposed: {first} and {second}.",
    Rule.cautioned: "Drafted or current: {first} and {second}.",
    Rule.first_after_second: "Drafted: {first}. Ended recently, or at a time that was not read: {second}.",
    Rule.second_after_first: "Drafted: {second}. Ended recently, or at a time that was not read: {first}.",
    Rule.reason_check: "Drafted, with a reason of which a warning is recorded: {first}.",
    Rule.patient_check: "Drafted: {first}. In the record: what a warning is recorded for.",
    Rule.incomplete: "Whether medicines meet that must not could not be checked in full: {gaps}.",
    Rule.record_incomplete: "Drafted: {first}. The record could not be checked in full: {gaps}.",
}
_NOTED = frozenset({
    Rule.both_drafted, Rule.first_drafted, Rule.second_drafted, Rule.both_current, Rule.proposed,
    Rule.first_after_second,
})  # fmt: skip
"""Cards that show the note of their interaction rules."""
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~])")


def codings(reasons: Iterable[OverrideReason | CdsReason]) -> list[CardCoding]:
    """Override reasons as a card offers them."""
    return [CardCoding(code=reason.code, system=_OWN_REASONS, display=reason.label) for reason in reasons]


def override_reasons(finding: Finding) -> list[CardCoding]:
    """Of cards that are not about interactions."""
    return codings(
        [_CHECKED] if finding.rule is Rule.record_incomplete or not finding.check else finding.check.override_reasons
    )


def reason_codes(cds: CdsManifest, reasons: Iterable[OverrideReason]) -> set[str]:
    """Every code that a card can offer."""
    checks = (*cds.reason_checks, *cds.patient_checks)
    of_checks = {reason.code for check in checks for reason in check.override_reasons}
    return {_CHECKED.code} | of_checks | {reason.code for reason in reasons}


@dataclass(frozen=True)
class Wording:
    """The sentences of cards: those of the data set, else plain ones."""

    cds: CdsManifest

    def name(self, finding: Finding) -> str:
        """What the rule is called for those who make a card again: never changes while the manifest names it."""
        if finding.rule is Rule.evidence and self.cds.evidence:
            return self.cds.evidence.name
        if name := self._texts(finding).name:
            return name
        of = finding.check.id if finding.check and finding.rule is not Rule.record_incomplete else ""
        if finding.interactions and finding.rule is not Rule.incomplete:
            of = next(iter(finding.interactions[0].rules))
        rule = "check-incomplete" if finding.rule is Rule.incomplete else finding.rule.value.replace("_", "-")
        return f"{of}-{rule}" if of else rule

    def note(self, finding: Finding) -> str | None:
        """A paragraph in bold."""
        if note := self._texts(finding).note:
            return note
        entry = self._entry(finding)
        return entry.note if entry and finding.rule in _NOTED else None

    def summary(self, finding: Finding) -> str:
        template = self._texts(finding).summary or _SUMMARIES[finding.rule]
        slots = {field for _, field, _, _ in Formatter().parse(template) if field}
        bare = template.format(first="", second="", answer="")
        max_length = (MAX_SUMMARY_LENGTH - len(bare)) // max(len(slots), 1)
        names = [_short_names(side, max_length) for side in (finding.first, finding.second)]
        text = template.format(first=names[0], second=names[1], answer="")
        return f"{text[:1].upper()}{text[1:]}"

    def situation(self, finding: Finding, today: date | None, max_named: int = MAX_NAMED) -> str:
        """Which orders meet, with their dates; at most so many of each side, and how many others there are."""
        return (self._texts(finding).situation or _SITUATIONS[finding.rule]).format(
            first=_orders(finding.first, today, max_named) or self.cds.sides[0],
            second=_orders(finding.second, today, max_named) or self.cds.sides[1],
            gaps=join_and([gap.words for gap in finding.gaps] or ["a list could not be read"]),
        )

    def _texts(self, finding: Finding) -> CdsTexts:
        """What the manifest says, which may be nothing."""
        if finding.rule is Rule.incomplete:
            return self.cds.incomplete
        if finding.rule is Rule.record_incomplete:
            return self.cds.record_incomplete
        if finding.check:
            checks = (*self.cds.reason_checks, *self.cds.patient_checks)
            return next((check for check in checks if check.id == finding.check.id), finding.check)
        entry = self._entry(finding)
        return (
            next((texts for rule, texts in entry.texts.items() if rule == finding.rule), _NOTHING)
            if entry
            else _NOTHING
        )

    def _entry(self, finding: Finding) -> CdsInteraction | None:
        rules = {rule for interaction in finding.interactions for rule in interaction.rules}
        return next((entry for entry in self.cds.interactions if not rules.isdisjoint(entry.rules)), None)


_NOTHING = CdsTexts()


def _short_names(medicines: tuple[Medicine, ...], max_length: int) -> str:
    names = _names(medicines)
    text = (names[0] if names else "") + (f" and {len(names) - 1} more" if len(names) > 1 else "")
    return text if len(text) <= max_length else "see below"


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


def dose_text(medicines: tuple[Medicine, ...], evidence: CdsEvidence) -> str:
    """The doses that were read, with their bands."""
    sentences = []
    for medicine in medicines:
        if medicine.dose is None:
            sentences.append(evidence.unread_dose)
            continue
        bands = join_and(
            f"{tier.label.lower()} ({inline(tier.definition).rstrip('.')})" for tier in medicine.dose.tiers
        )
        sentences.append(f"Dose read: {medicine.dose.text}; band: {bands}.")
        sentences += [note for tier in medicine.dose.tiers if (note := evidence.tier_notes.get(tier.value))]
    return " ".join(dict.fromkeys(sentences))


def unverified_reason(names: Iterable[str]) -> str:
    """Says that a reason was recognised by a code that is not verified."""
    return (
        f"The reason of the order was read as {join_and(map(inline, names))} by a SNOMED CT code that is unverified "
        "here: sources differ about it. Check that this is meant."
    )


def evidence_summary(evidence: CdsEvidence, verdict: str | None) -> str:
    """The verdict with its direction, not the number of studies: one large trial can outweigh many small ones."""
    text = evidence.summary_with_answer.format(first="", second="", answer=verdict or "")
    return text if verdict and len(text) <= MAX_SUMMARY_LENGTH else evidence.summary


def escaped(text: str) -> str:
    """The text without the meaning that Markdown would give it."""
    return _MARKUP.sub(r"\\\1", text)
