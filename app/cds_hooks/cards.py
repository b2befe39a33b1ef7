"""Cards from findings. Every sentence on evidence is a claim, with its caveat, both sides and its certainty."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid5

from app.cds_hooks import schemas
from app.cds_hooks.chart import Medicine
from app.cds_hooks.claims import CLAIMS_BY_CONDITION, CLAIMS_BY_RULE, CardClaim, CardSource, ClaimReader
from app.cds_hooks.drugs import CodedText
from app.cds_hooks.rules import Finding, Rule
from app.cds_hooks.schemas import MAX_SUMMARY_LENGTH, Card, CardCoding
from app.cds_hooks.services import VERSION
from app.claims.responses import StanceCount
from app.claims.vocabulary import DoseTier, Leaning
from app.core.english import counted, inline, listed
from app.grading.wording import claimed_text

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
_USE_TYPES = "http://hl7.org/fhir/clinical-use-definition-type"
_WARNING_TOPIC = CardCoding(code="contraindication", system=_USE_TYPES, display="Contraindication")
_EVIDENCE_TOPIC = CardCoding(code="indication", system=_USE_TYPES, display="Indication")
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~])")


@dataclass(frozen=True)
class CardBuilder:
    """Makes the cards of one request: from the same data always the same cards."""

    claims: ClaimReader
    service: str
    serial: int
    base_url: str
    hook_instance: UUID

    def card(self, finding: Finding) -> Card:
        return self._evidence_card(finding) if finding.rule is Rule.evidence else self._safety_card(finding)

    def _safety_card(self, finding: Finding) -> Card:
        paragraphs = [_situation(finding)]
        if finding.rule.is_critical or finding.rule is Rule.naltrexone_after_opioid:
            paragraphs.append(f"**{LABEL_WARNING}**")
        if finding.rule is Rule.incomplete:
            paragraphs.append(f"**{NO_CHECK}**")
        claims = self.claims.claims(CLAIMS_BY_RULE[finding.rule])
        return self._card(finding, _summary(finding), paragraphs, claims)

    def _evidence_card(self, finding: Finding) -> Card:
        reasons = sum((medicine.reasons for medicine in finding.naltrexone), CodedText())
        topics = self.claims.topics(reasons)
        ids = [claim_id for topic in topics for claim_id in CLAIMS_BY_CONDITION[topic.condition]]
        paragraphs = [_dose_text(finding.naltrexone)]
        if not topics and reasons != CodedText():
            paragraphs.append(
                "On the reason given with the order no claim is shown here. This is not evidence of no effect."
            )
        elif not topics:
            paragraphs.append("The order gives no reason; shown is the question on which most is recorded.")
            ids = list(CLAIMS_BY_CONDITION["fibromyalgia"])
        claims = self.claims.claims([*CLAIMS_BY_RULE[Rule.evidence], *ids])
        verdict = next((claim.summary.answer for claim in claims if claim.has_votes and topics), None)
        return self._card(finding, _evidence_summary(verdict), paragraphs, claims)

    def _card(self, finding: Finding, summary: str, paragraphs: list[str], claims: tuple[CardClaim, ...]) -> Card:
        is_evidence = finding.rule is Rule.evidence
        indicator: schemas.Indicator = "critical" if finding.rule.is_critical else "info" if is_evidence else "warning"
        foot = f"*{FOOT} Serial {self.serial} of the data set.*"
        topic = _EVIDENCE_TOPIC if is_evidence else _WARNING_TOPIC
        suggestions = self._suggestions(finding)
        return Card(
            uuid=self._uuid(finding.rule),
            summary=summary,
            detail="\n\n".join([*paragraphs, *(_claim_text(claim, self.base_url) for claim in claims), foot]),
            indicator=indicator,
            source=schemas.Source(label="LDN Evidence", url=f"{self.base_url}/", topic=topic),
            suggestions=suggestions or None,
            selectionBehavior="at-most-one" if suggestions else None,
            overrideReasons=None if is_evidence else list(OVERRIDE_REASONS),
            links=[self._link(claim) for claim in claims] or None,
            extension=schemas.Extension(reproduction=self._reproduction(finding, claims)),
        )

    def _suggestions(self, finding: Finding) -> list[schemas.Suggestion]:
        draft = finding.removable
        if not finding.rule.is_critical or draft is None or draft.reference is None:
            return []
        label = f"Remove the drafted order of {draft.drug.name}"
        action = schemas.Action(description=label, resourceId=draft.reference)
        return [schemas.Suggestion(label=label, uuid=self._uuid(finding.rule, "remove"), actions=[action])]

    def _link(self, claim: CardClaim) -> schemas.Link:
        label = f"{claim.summary.id}: the claim with all its citations"
        return schemas.Link(label=label, url=f"{self.base_url}{claim.permalink}")

    def _reproduction(self, finding: Finding, claims: tuple[CardClaim, ...]) -> schemas.Reproduction:
        used = [
            schemas.ClaimUsed(id=claim.summary.id, version=claim.version, permalink=f"{self.base_url}{claim.permalink}")
            for claim in claims
        ]
        return schemas.Reproduction(
            serial=self.serial,
            service=self.service,
            service_version=VERSION,
            rule=finding.rule.value,
            naltrexone=_recognised_drugs(finding.naltrexone) or None,
            opioids=_recognised_drugs(finding.opioids) or None,
            dose=_dose(finding.naltrexone),
            gaps=[gap.value for gap in finding.gaps] or None,
            claims=used or None,
        )

    def _uuid(self, *parts: str) -> UUID:
        return uuid5(self.hook_instance, "/".join((self.service, str(self.serial), *parts)))


def _recognised_drugs(medicines: Iterable[Medicine]) -> list[schemas.RecognisedDrug]:
    return [
        schemas.RecognisedDrug(drug=medicine.drug.name, codes=[str(code) for code in medicine.drug.codes] or None)
        for medicine in medicines
    ]


def _dose(medicines: Iterable[Medicine]) -> schemas.ReadDose | None:
    """The first dose that was read."""
    dose = next((medicine.dose for medicine in medicines if medicine.dose), None)
    if dose is None:
        return None
    return schemas.ReadDose(
        low_pg_per_day=dose.daily.low,
        high_pg_per_day=dose.daily.high,
        tiers=[tier.value for tier in dose.tiers],
        read_from=dose.read_from,
    )


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
    template = _SUMMARIES[finding.rule]
    max_length = MAX_SUMMARY_LENGTH - len(template.format(opioid=""))
    return template.format(opioid=opioid if len(opioid) <= max_length else "see below")


def _situation(finding: Finding) -> str:
    opioids = _names(finding.opioids)
    if finding.rule is Rule.naltrexone_after_opioid:
        dated = (f"{opioid.drug.name} ({opioid.last_date or 'date not read'})" for opioid in finding.opioids)
        opioids = list(dict.fromkeys(dated))
    return _SITUATIONS[finding.rule].format(
        naltrexone=_escaped(listed(_names(finding.naltrexone) or ["naltrexone"])),
        opioids=_escaped(listed(opioids or ["an opioid"])),
        gaps=listed([gap.words for gap in finding.gaps] or ["a list of medicines could not be read"]),
    )


def _names(medicines: Iterable[Medicine]) -> list[str]:
    return list(dict.fromkeys(medicine.drug.name for medicine in medicines))


def _dose_text(medicines: tuple[Medicine, ...]) -> str:
    sentences = []
    for medicine in medicines:
        if medicine.dose is None:
            sentences.append("The dose was not read; the order is named as low-dose naltrexone.")
            continue
        bands = listed(f"{tier.label.lower()} ({inline(tier.definition).rstrip('.')})" for tier in medicine.dose.tiers)
        sentences.append(f"Dose read: {medicine.dose.text}; band: {bands}.")
        if DoseTier.intermediate in medicine.dose.tiers:
            sentences.append("That is above the low band; the claims below are on low doses.")
    return " ".join(dict.fromkeys(sentences))


def _evidence_summary(verdict: str | None) -> str:
    """The verdict with its direction, not the number of studies: one large trial can outweigh many small ones."""
    text = f"Off-label. {verdict}"
    if verdict and len(text) <= MAX_SUMMARY_LENGTH:
        return text
    return "Low-dose naltrexone: no low-dose product is FDA-approved. Open for the evidence, for and against."


# --- claims as Markdown -------------------------------------------------------------------------------------------


def _claim_text(claim: CardClaim, base_url: str) -> str:
    summary = claim.summary
    paragraphs = [f"**{_escaped(summary.answer)}**"]
    claimed = claimed_text(summary.answer, summary.statement)
    if claimed:
        paragraphs.append(_escaped(claimed))
    if summary.caveat:
        paragraphs.append(_escaped(summary.caveat))
    sides = [f"supporting {_side(summary.supports)}", f"disputing {_side(summary.disputes)}"]
    if summary.leaning is Leaning.disputes:
        sides.reverse()
    link = f"[Claim with all citations]({base_url}{claim.permalink})"
    paragraphs.append(f"On record: {'; '.join(sides)}. {link}")
    paragraphs.append("\n".join(f"- {_source_text(source)}" for source in claim.sources))
    return "\n\n".join(paragraphs)


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


def _source_text(source: CardSource) -> str:
    link = f" [Open]({source.url})" if source.url else ""
    finding = f" {_escaped(source.finding)}" if source.finding else ""
    return f"{source.stance.label}: {_escaped(source.text)}{link}{finding}"


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", text)
