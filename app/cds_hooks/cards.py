"""Cards from findings. Every sentence on evidence is a claim, with its caveat, both sides and its certainty.

A critical card is read in seconds: it names both orders and what the label says, and leaves the claims to its links.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5

from app.cds_hooks import schemas, wording
from app.cds_hooks.claims import (
    CLAIMS_BY_CONDITION,
    SITUATIONS,
    CardClaim,
    CardSource,
    ClaimReader,
    Topic,
    coded_reasons,
)
from app.cds_hooks.drugs import CodedText
from app.cds_hooks.medicines import Medicine
from app.cds_hooks.rules import LABEL_CONDITIONS, Finding, Rule
from app.cds_hooks.schemas import Card, CardCoding
from app.cds_hooks.services import VERSION
from app.cds_hooks.wording import escaped
from app.claims.doses import whole
from app.claims.responses import StanceCount
from app.claims.vocabulary import Leaning
from app.core.english import quantity
from app.grading.wording import claimed_text

FOOT = (
    "A record of published evidence with its sources, not medical advice and not a guideline. Evidence may be missing, "
    "and absence of a record does not mean absence of risk or of effect."
)
SHORT_FOOT = "Not medical advice."
MAX_CRITICAL_WORDS = 90
"""Of the summary and detail of a critical card."""
_MAX_LINK_LABEL = 90
_LABEL_RULES = frozenset({Rule.naltrexone_after_opioid, Rule.proposed, Rule.opioid_use_disorder})
"""Warnings whose words are those of the label about opioids."""

_USE_TYPES = "http://hl7.org/fhir/clinical-use-definition-type"
_WARNING_TOPIC = CardCoding(code="contraindication", system=_USE_TYPES, display="Contraindication")
_EVIDENCE_TOPIC = CardCoding(code="indication", system=_USE_TYPES, display="Indication")


@dataclass(frozen=True)
class CardBuilder:
    """Makes the cards of one request: from the same data always the same cards."""

    claims: ClaimReader
    service: str
    serial: int
    base_url: str
    hook_instance: UUID
    today: date | None

    def card(self, finding: Finding) -> Card:
        if finding.rule is Rule.evidence:
            return self._evidence_card(finding)
        return self._critical_card(finding) if finding.rule.is_critical else self._warning_card(finding)

    def _critical_card(self, finding: Finding) -> Card:
        """Orders and statements of claims stand on the card as long as it stays short; at least one of each side."""
        claims = self.claims.for_rule(finding.rule)
        summary, foot = wording.summary(finding), f"*{SHORT_FOOT} Serial {self.serial}.*"
        warning = [] if finding.rule is Rule.hypersensitivity else [f"**{wording.LABEL_WARNING}**"]
        situations = (wording.situation(finding, self.today, named) for named in range(wording.MAX_NAMED, 0, -1))
        fitting = (situation for situation in situations if _is_short(summary, [situation, *warning], foot))
        paragraphs = [next(fitting, wording.situation(finding, self.today, 1)), *warning]
        for claim in claims:
            if _is_short(summary, [*paragraphs, claim.summary.statement], foot):
                paragraphs.append(escaped(claim.summary.statement))
        return self._card(finding, summary, [*paragraphs, foot], claims)

    def _warning_card(self, finding: Finding) -> Card:
        cautions = (claim for medicine in finding.opioids for claim in medicine.drug.cautions)
        claims = (*self.claims.for_rule(finding.rule), *self.claims.claims(dict.fromkeys(cautions)))
        paragraphs = [wording.situation(finding, self.today)]
        if finding.rule in _LABEL_RULES:
            paragraphs.append(f"**{wording.LABEL_WARNING}**")
        if finding.rule is Rule.incomplete:
            paragraphs.append(f"**{wording.NO_CHECK}**")
        return self._card(finding, wording.summary(finding), [*paragraphs, *self._claim_texts(claims)], claims)

    def _evidence_card(self, finding: Finding) -> Card:
        reasons = CodedText.of(medicine.reasons for medicine in finding.naltrexone)
        topics = [topic for topic in self.claims.topics(reasons) if topic.condition not in LABEL_CONDITIONS]
        ids = [claim_id for topic in topics for claim_id in CLAIMS_BY_CONDITION[topic.condition]]
        paragraphs = [wording.dose_text(finding.naltrexone)]
        if unsure := _unverified(topics, reasons):
            paragraphs.append(wording.unverified_reason(unsure))
        if not topics and reasons != CodedText():
            paragraphs.append(
                "On the reason given with the order no claim is shown here. This is not evidence of no effect."
            )
        elif not topics:
            paragraphs.append("The order gives no reason; shown is the question on which most is recorded.")
            ids = list(CLAIMS_BY_CONDITION["fibromyalgia"])
        claims = (*self.claims.for_rule(finding.rule), *self.claims.claims(ids))
        verdict = next((claim.summary.answer for claim in claims if claim.has_votes and topics), None)
        summary = wording.evidence_summary(verdict)
        return self._card(finding, summary, [*paragraphs, *self._claim_texts(claims)], claims)

    def _claim_texts(self, claims: tuple[CardClaim, ...]) -> list[str]:
        texts = [_claim_text(claim, self.base_url) for claim in claims]
        return [*texts, f"*{FOOT} Serial {self.serial} of the data set.*"]

    def _card(self, finding: Finding, summary: str, paragraphs: list[str], claims: tuple[CardClaim, ...]) -> Card:
        is_evidence = finding.rule is Rule.evidence
        indicator: schemas.Indicator = "critical" if finding.rule.is_critical else "info" if is_evidence else "warning"
        topic = _EVIDENCE_TOPIC if is_evidence else _WARNING_TOPIC
        suggestions = self._suggestions(finding)
        return Card(
            uuid=self._uuid(finding.rule),
            summary=summary,
            detail="\n\n".join(paragraphs),
            indicator=indicator,
            source=schemas.Source(label=self.claims.data_set_name, url=f"{self.base_url}/", topic=topic),
            suggestions=suggestions or None,
            selectionBehavior="at-most-one" if suggestions else None,
            overrideReasons=self._override_reasons(finding.rule) or None,
            links=[self._link(claim) for claim in claims] or None,
            extension=schemas.Extension(reproduction=self._reproduction(finding, claims)),
        )

    def _override_reasons(self, rule: Rule) -> list[CardCoding]:
        """Those of the interaction rules of the data set; of other checks, their own."""
        return wording.codings(self.claims.override_reasons()) if rule in SITUATIONS else wording.OWN_REASONS[rule]

    def _suggestions(self, finding: Finding) -> list[schemas.Suggestion]:
        draft = finding.removable
        if not finding.rule.is_critical or draft is None or draft.reference is None:
            return []
        label = f"Remove the drafted order of {draft.drug.name}"
        action = schemas.Action(description=label, resourceId=draft.reference)
        return [schemas.Suggestion(label=label, uuid=self._uuid(finding.rule, "remove"), actions=[action])]

    def _link(self, claim: CardClaim) -> schemas.Link:
        """To the page of a claim, under its statement."""
        statement = claim.summary.statement
        is_long = len(statement) > _MAX_LINK_LABEL
        label = f"{statement[:_MAX_LINK_LABEL].rsplit(' ', 1)[0]}\N{HORIZONTAL ELLIPSIS}" if is_long else statement
        return schemas.Link(label=label, url=f"{self.base_url}{claim.page}")

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


def _is_short(summary: str, paragraphs: list[str], foot: str) -> bool:
    return len(" ".join([summary, *paragraphs, foot]).split()) <= MAX_CRITICAL_WORDS


def _unverified(topics: Iterable[Topic], reasons: CodedText) -> list[str]:
    codes = coded_reasons(reasons)
    return [topic.name for topic in topics if topic.is_unverified(codes)]


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
        low_pg_per_day=whole(dose.daily.low),
        high_pg_per_day=whole(dose.daily.high),
        tiers=[tier.value for tier in dose.tiers],
        read_from=dose.read_from,
    )


# --- claims as Markdown -------------------------------------------------------------------------------------------


def _claim_text(claim: CardClaim, base_url: str) -> str:
    summary = claim.summary
    paragraphs = [f"**{escaped(summary.answer)}**"]
    if claimed := claimed_text(summary.answer, summary.statement):
        paragraphs.append(escaped(claimed))
    if summary.caveat:
        paragraphs.append(escaped(summary.caveat))
    link = f"[Claim with all citations]({base_url}{claim.page})"
    paragraphs.append(f"{sides_text(claim)} {link}")
    paragraphs.append("\n".join(f"- {_source_text(source)}" for source in claim.sources))
    return "\n\n".join(paragraphs)


def sides_text(claim: CardClaim) -> str:
    """What is on record for and against a claim; the side with more weight comes first."""
    sides = [f"supporting {_side(claim.summary.supports)}", f"disputing {_side(claim.summary.disputes)}"]
    if claim.summary.leaning is Leaning.disputes:
        sides.reverse()
    return f"On record: {'; '.join(sides)}."


def _side(side: StanceCount) -> str:
    parts = []
    if side.studies:
        people = f" ({quantity(side.participants, 'person', 'people')})" if side.participants else ""
        parts.append(quantity(side.studies, "study", "studies") + people)
    if side.reviews:
        parts.append(quantity(side.reviews, "review", "reviews"))
    if not parts and side.documents:
        parts.append(quantity(side.documents, "document", "documents"))
    return " and ".join(parts) or "none"


def _source_text(source: CardSource) -> str:
    link = f" [Open]({source.url})" if source.url else ""
    finding = f" {escaped(source.finding)}" if source.finding else ""
    return f"{source.stance.label}: {escaped(source.text)}{link}{finding}"
