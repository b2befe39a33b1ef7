"""Findings as cards. Every sentence on evidence comes from a claim, with its caveat, both sides and its certainty."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid5

from app.cds_hooks.claims import BY_CONDITION, BY_RULE, Library, Shown, Told
from app.cds_hooks.drugs import Product
from app.cds_hooks.reading import Medicine
from app.cds_hooks.rules import Finding, Rule
from app.cds_hooks.services import VERSION
from app.cds_hooks.shapes import (
    Action,
    Card,
    CardCoding,
    ClaimUsed,
    Extension,
    Indicator,
    Link,
    ReadDose,
    RecognisedDrug,
    Reproduction,
    Source,
    Suggestion,
)
from app.claims.responses import StanceCount
from app.claims.vocabulary import DoseTier, Leaning
from app.core.english import counted, inline, listed

LABEL_WARNING = (
    "The contraindication is from the US label of the 50 mg product. No low-dose trial that is on record here tested "
    "naltrexone together with an opioid, so nothing here says that a low dose removes the hazard."
)
NO_CHECK = "This is not evidence that the patient takes no opioid and no naltrexone: look at the list of medicines."
FOOT = (
    "A record of published evidence with its sources, not medical advice and not a guideline. Evidence may be missing, "
    "and absence of a record does not mean absence of risk or of effect."
)

_REASONS = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
_OWN_REASONS = "urn:ldn-evidence:override-reasons"
OVERRIDE_REASONS = (
    CardCoding(code="list-outdated", system=_OWN_REASONS, display="The list of medicines is out of date"),
    CardCoding(code="risk-benefit-ratio", system=_REASONS, display="Recipient assessment of risk/benefit ratio"),
    CardCoding(code="cds-not-applicable", system=_REASONS, display="PC CDS does not apply to patient"),
)
_TOPICS = {
    True: CardCoding(
        code="contraindication", system="http://hl7.org/fhir/clinical-use-definition-type", display="Contraindication"
    ),
    False: CardCoding(
        code="indication", system="http://hl7.org/fhir/clinical-use-definition-type", display="Indication"
    ),
}
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~])")


@dataclass(frozen=True)
class Maker:
    """Makes the cards of one request, always the same ones from the same data."""

    library: Library
    service: str
    serial: int
    base_url: str
    hook_instance: UUID

    def card(self, finding: Finding) -> Card:
        return self._evidence(finding) if finding.rule is Rule.evidence else self._safety(finding)

    # --- safety

    def _safety(self, finding: Finding) -> Card:
        claims = self.library.claims(BY_RULE[finding.rule])
        paragraphs = [_told_of(finding)]
        if finding.rule.is_critical or finding.rule is Rule.naltrexone_after_opioid:
            paragraphs.append(f"**{LABEL_WARNING}**")
        if finding.rule is Rule.incomplete:
            paragraphs.append(f"**{NO_CHECK}**")
        return self._card(
            finding,
            summary=_summary(finding),
            paragraphs=paragraphs,
            claims=claims,
            indicator="critical" if finding.rule.is_critical else "warning",
        )

    # --- evidence

    def _evidence(self, finding: Finding) -> Card:
        reasons = sum((medicine.reasons for medicine in finding.naltrexone), Product())
        topics = self.library.topics(reasons)
        ids = [claim for topic in topics for claim in BY_CONDITION[topic.condition]]
        paragraphs = [_dose_line(finding.naltrexone)]
        if not topics and reasons != Product():
            paragraphs.append(
                "On the reason given with the order no claim is shown here. This is not evidence of no effect."
            )
        elif not topics:
            paragraphs.append("The order gives no reason; shown is the question on which most is recorded.")
            ids = list(BY_CONDITION["fibromyalgia"])
        claims = self.library.claims([*BY_RULE[Rule.evidence], *ids])
        voted = [told for told in claims if told.votes and topics]
        return self._card(
            finding, summary=_evidence_summary(voted), paragraphs=paragraphs, claims=claims, indicator="info"
        )

    # --- both

    def _card(
        self, finding: Finding, *, summary: str, paragraphs: list[str], claims: tuple[Told, ...], indicator: Indicator
    ) -> Card:
        for told in claims:
            paragraphs.append(_claim(told, self.base_url))
        paragraphs.append(f"*{FOOT} Serial {self.serial} of the data set.*")
        suggestions = self._suggestions(finding)
        return Card(
            uuid=self._uuid(finding.rule),
            summary=summary,
            detail="\n\n".join(paragraphs),
            indicator=indicator,
            source=Source(label="LDN Evidence", url=f"{self.base_url}/", topic=_TOPICS[indicator != "info"]),
            suggestions=suggestions or None,
            selectionBehavior="at-most-one" if suggestions else None,
            overrideReasons=None if indicator == "info" else list(OVERRIDE_REASONS),
            links=[self._link(told) for told in claims] or None,
            extension=Extension(reproduction=self._reproduction(finding, claims)),
        )

    def _suggestions(self, finding: Finding) -> list[Suggestion]:
        draft = finding.removable
        if not finding.rule.is_critical or draft is None or draft.reference is None:
            return []
        what = f"Remove the drafted order of {draft.drug.name}"
        action = Action(description=what, resourceId=draft.reference)
        return [Suggestion(label=what, uuid=self._uuid(finding.rule, "remove"), actions=[action])]

    def _link(self, told: Told) -> Link:
        return Link(
            label=f"{told.summary.id}: the claim with all its citations", url=f"{self.base_url}{told.permalink}"
        )

    def _reproduction(self, finding: Finding, claims: tuple[Told, ...]) -> Reproduction:
        doses = [medicine.dose for medicine in finding.naltrexone if medicine.dose]
        dose = doses[0] if doses else None
        return Reproduction(
            serial=self.serial,
            service=self.service,
            service_version=VERSION,
            rule=finding.rule.value,
            naltrexone=_recognised(finding.naltrexone) or None,
            opioids=_recognised(finding.opioids) or None,
            dose=ReadDose(
                low_pg_per_day=dose.daily.low,
                high_pg_per_day=dose.daily.high,
                tiers=[tier.value for tier in dose.tiers],
                read_from=dose.read_from,
            )
            if dose
            else None,
            gaps=[gap.value for gap in finding.gaps] or None,
            claims=[
                ClaimUsed(id=told.summary.id, version=told.version, permalink=f"{self.base_url}{told.permalink}")
                for told in claims
            ]
            or None,
        )

    def _uuid(self, *parts: str) -> UUID:
        return uuid5(self.hook_instance, "/".join((self.service, str(self.serial), *parts)))


def _recognised(medicines: Iterable[Medicine]) -> list[RecognisedDrug]:
    return [
        RecognisedDrug(drug=medicine.drug.name, codes=[str(code) for code in medicine.drug.codes] or None)
        for medicine in medicines
    ]


# --- sentences on the order ---------------------------------------------------------------------------------------

_SUMMARIES = {
    Rule.both_drafted: "Naltrexone and an opioid ({opioid}) drafted together: the US label contraindicates this.",
    Rule.naltrexone_meets_opioid: "Naltrexone with a current opioid ({opioid}): the US label contraindicates this.",
    Rule.opioid_meets_naltrexone: "Opioid ({opioid}) with current naltrexone: the US label contraindicates this.",
    Rule.both_current: "Naltrexone and an opioid ({opioid}) both current: the US label contraindicates this.",
    Rule.naltrexone_after_opioid: "Opioid ({opioid}) until recently: US label asks for opioid-free days first.",
    Rule.opioid_after_naltrexone: "Naltrexone until recently: US label warns of opioids ({opioid}) afterwards.",
    Rule.incomplete: "Opioid check incomplete: not all medicines could be read. Look at the list of medicines.",
}
_SITUATIONS = {
    Rule.both_drafted: "Drafted together: {naltrexone} and {opioids}.",
    Rule.naltrexone_meets_opioid: "Drafted: {naltrexone}. On the list of current medicines: {opioids}.",
    Rule.opioid_meets_naltrexone: "Drafted: {opioids}. On the list of current medicines: {naltrexone}.",
    Rule.both_current: "On the list of current medicines: {naltrexone} and {opioids}.",
    Rule.naltrexone_after_opioid: "Drafted: {naltrexone}. Ended recently, or at a time that was not read: {opioids}.",
    Rule.opioid_after_naltrexone: "Drafted: {opioids}. Ended recently, or at a time that was not read: {naltrexone}.",
    Rule.incomplete: "Whether naltrexone and an opioid meet could not be checked in full: {gaps}.",
}


def _summary(finding: Finding) -> str:
    names = _names(finding.opioids)
    opioid = names[0] if names else ""
    if len(names) > 1:
        opioid += f" and {len(names) - 1} more"
    room = 139 - len(_SUMMARIES[finding.rule].format(opioid=""))
    return _SUMMARIES[finding.rule].format(opioid=opioid if len(opioid) <= room else "see below")


def _told_of(finding: Finding) -> str:
    return _SITUATIONS[finding.rule].format(
        naltrexone=_escaped(listed(_names(finding.naltrexone) or ["naltrexone"])),
        opioids=_escaped(listed(_dated(finding.opioids, finding.rule) or ["an opioid"])),
        gaps=listed([gap.words for gap in finding.gaps] or ["a list of medicines could not be read"]),
    )


def _names(medicines: Iterable[Medicine]) -> list[str]:
    return list(dict.fromkeys(medicine.drug.name for medicine in medicines))


def _dated(medicines: Iterable[Medicine], rule: Rule) -> list[str]:
    if rule is not Rule.naltrexone_after_opioid:
        return _names(medicines)
    return list(dict.fromkeys(f"{m.drug.name} ({m.last or 'date not read'})" for m in medicines))


def _dose_line(medicines: tuple[Medicine, ...]) -> str:
    told = []
    for medicine in medicines:
        if medicine.dose is None:
            told.append("The dose was not read; the order is named as low-dose naltrexone.")
            continue
        bands = listed(f"{tier.label.lower()} ({inline(tier.definition).rstrip('.')})" for tier in medicine.dose.tiers)
        told.append(f"Dose read: {medicine.dose.text}; band: {bands}.")
        if DoseTier.intermediate in medicine.dose.tiers:
            told.append("That is above the low band; the claims below are on low doses.")
    return " ".join(dict.fromkeys(told))


def _evidence_summary(voted: list[Told]) -> str:
    """The verdict with its direction. Not the number of studies on each side: one large trial outweighs many small."""
    text = f"Off-label. {voted[0].certainty}" if voted else ""
    if 0 < len(text) < 140:
        return text
    return "Low-dose naltrexone: no low-dose product is FDA-approved. Open for the evidence, for and against."


# --- claims as Markdown -------------------------------------------------------------------------------------------


def _claim(told: Told, base_url: str) -> str:
    summary = told.summary
    lines = [f"**{_escaped(summary.statement)}**"]
    if summary.caveat:
        lines.append(_escaped(summary.caveat))
    sides = [f"supporting {_side(summary.supports)}", f"disputing {_side(summary.disputes)}"]
    if summary.leaning is Leaning.disputes:
        sides.reverse()
    lines.append(
        f"On record: {'; '.join(sides)}. "
        f"{_escaped(told.certainty)} [Claim with all citations]({base_url}{told.permalink})"
    )
    return "\n\n".join(lines) + "\n\n" + "\n".join(f"- {_source(shown)}" for shown in told.shown)


def _side(side: StanceCount) -> str:
    parts = []
    if side.studies:
        people = f" ({counted(side.participants, 'person', 'people')})" if side.participants else ""
        parts.append(counted(side.studies, "study", "studies") + people)
    if side.reviews:
        parts.append(counted(side.reviews, "review", "reviews"))
    if not parts and side.documents:
        parts.append(counted(side.documents, "document", "documents"))
    return " and ".join(parts) or "none"


def _source(shown: Shown) -> str:
    text = _escaped(shown.text)
    linked = f"{text} [Open]({shown.url})" if shown.url else text
    finding = f" {_escaped(shown.finding)}" if shown.finding else ""
    return f"{shown.stance.label}: {linked}{finding}"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
