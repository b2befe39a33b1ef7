"""Cards from findings. Every sentence on evidence is a claim, with its caveat, both sides and its certainty.

A critical card is read in seconds: it names both orders and what the label says, and leaves the claims to its links.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from uuid import UUID, uuid5

from app.cds_hooks import schemas, wording
from app.cds_hooks.claims import CardClaim, CardSource, ClaimReader, Code, Topic, coded_reasons
from app.cds_hooks.drugs import CodedText
from app.cds_hooks.medicines import Medicine
from app.cds_hooks.rules import Finding, Rule
from app.cds_hooks.schemas import Card, CardCoding
from app.cds_hooks.services import VERSION
from app.cds_hooks.wording import Wording, escaped
from app.claims.doses import whole_picograms
from app.claims.responses import StanceCount
from app.claims.vocabulary import Leaning
from app.concepts.manifest_cds import CdsEvidence
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

    @cached_property
    def wording(self) -> Wording:
        return Wording(self.claims.cds)

    def cards(self, findings: Iterable[Finding]) -> list[Card]:
        """A card for each finding; none for evidence of which no claim is published."""
        cards = [(finding, self.card(finding)) for finding in findings]
        return [card for finding, card in cards if card.links or finding.rule is not Rule.evidence]

    def card(self, finding: Finding) -> Card:
        if finding.rule is Rule.evidence:
            return self._evidence_card(finding, self.claims.cds.evidence or CdsEvidence())
        return self._critical_card(finding) if finding.is_critical else self._warning_card(finding)

    def _critical_card(self, finding: Finding) -> Card:
        """Orders and statements of claims stand on the card as long as it stays short; at least one of each side."""
        claims = self.claims.of(finding)
        summary, foot = self.wording.summary(finding), f"*{SHORT_FOOT} Serial {self.serial}.*"
        note = self._note(finding)
        situations = (self.wording.situation(finding, self.today, named) for named in range(wording.MAX_NAMED, 0, -1))
        fitting = (situation for situation in situations if _is_short(summary, [situation, *note], foot))
        paragraphs = [next(fitting, self.wording.situation(finding, self.today, 1)), *note]
        for claim in claims:
            if _is_short(summary, [*paragraphs, claim.summary.statement], foot):
                paragraphs.append(escaped(claim.summary.statement))
        return self._card(finding, summary, [*paragraphs, foot], claims)

    def _warning_card(self, finding: Finding) -> Card:
        claims = self.claims.of(finding)
        paragraphs = [self.wording.situation(finding, self.today), *self._note(finding)]
        shown = () if finding.rule is Rule.record_incomplete else claims
        return self._card(finding, self.wording.summary(finding), [*paragraphs, *self._claim_texts(shown)], claims)

    def _note(self, finding: Finding) -> list[str]:
        note = self.wording.note(finding)
        return [f"**{note}**"] if note else []

    def _evidence_card(self, finding: Finding, evidence: CdsEvidence) -> Card:
        reasons = CodedText.of(medicine.reasons for medicine in finding.first)
        topics = [topic for topic in self.claims.topics(reasons) if topic.condition in evidence.conditions]
        ids = [claim_id for topic in topics for claim_id in evidence.conditions[topic.condition]]
        paragraphs = [wording.dose_text(finding.first, evidence)]
        if unsure := _unverified(topics, coded_reasons(reasons, self.claims.systems)):
            paragraphs.append(wording.unverified_reason(unsure))
        if not topics and reasons != CodedText():
            paragraphs.append(
                "On the reason given with the order no claim is shown here. This is not evidence of no effect."
            )
        elif not topics and evidence.default_condition:
            paragraphs.append("The order gives no reason; shown is the question on which most is recorded.")
            ids = list(evidence.conditions.get(evidence.default_condition, ()))
        claims = (*self.claims.of(finding), *self.claims.claims(ids))
        verdict = next((claim.summary.answer for claim in claims if claim.has_votes and topics), None)
        summary = wording.evidence_summary(evidence, verdict)
        return self._card(finding, summary, [*paragraphs, *self._claim_texts(claims)], claims)

    def _claim_texts(self, claims: tuple[CardClaim, ...]) -> list[str]:
        texts = [_claim_text(claim, self.base_url) for claim in claims]
        return [*texts, f"*{FOOT} Serial {self.serial} of the data set.*"]

    def _card(self, finding: Finding, summary: str, paragraphs: list[str], claims: tuple[CardClaim, ...]) -> Card:
        is_evidence = finding.rule is Rule.evidence
        indicator: schemas.Indicator = "critical" if finding.is_critical else "info" if is_evidence else "warning"
        topic = _EVIDENCE_TOPIC if is_evidence else _WARNING_TOPIC
        suggestions = self._suggestions(finding)
        return Card(
            uuid=self._uuid(self.wording.name(finding)),
            summary=summary,
            detail="\n\n".join(paragraphs),
            indicator=indicator,
            source=schemas.Source(label=self.claims.data_set_name, url=f"{self.base_url}/", topic=topic),
            suggestions=suggestions or None,
            selectionBehavior="at-most-one" if suggestions else None,
            overrideReasons=self._override_reasons(finding) or None,
            links=[self._link(claim) for claim in claims] or None,
            extension=schemas.Extension(reproduction=self._reproduction(finding, claims)),
        )

    def _override_reasons(self, finding: Finding) -> list[CardCoding]:
        """Those of the interaction rules of the data set; of other checks, their own."""
        if finding.rule is Rule.evidence:
            return []
        if finding.interactions:
            return wording.codings(self.claims.override_reasons(finding))
        return wording.override_reasons(finding)

    def _suggestions(self, finding: Finding) -> list[schemas.Suggestion]:
        draft = finding.removable
        if not finding.is_critical or draft is None or draft.reference is None:
            return []
        label = f"Remove the drafted order of {draft.drug.name}"
        action = schemas.Action(description=label, resourceId=draft.reference)
        return [
            schemas.Suggestion(label=label, uuid=self._uuid(self.wording.name(finding), "remove"), actions=[action])
        ]

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
        keys = self.claims.cds.keys
        sides = zip(keys, (finding.first, finding.second), strict=True)
        return schemas.Reproduction(
            serial=self.serial,
            service=self.service,
            service_version=VERSION,
            rule=self.wording.name(finding),
            dose=_dose(finding.first),
            gaps=[gap.value for gap in finding.gaps] or None,
            claims=used or None,
            **{key: _recognised_drugs(medicines) for key, medicines in sides if medicines},
        )

    def _uuid(self, *parts: str) -> UUID:
        return uuid5(self.hook_instance, "/".join((self.service, str(self.serial), *parts)))


def _is_short(summary: str, paragraphs: list[str], foot: str) -> bool:
    return len(" ".join([summary, *paragraphs, foot]).split()) <= MAX_CRITICAL_WORDS


def _unverified(topics: Iterable[Topic], codes: Mapping[Code, frozenset[Code]]) -> list[str]:
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
    low, high = whole_picograms(dose.daily)
    return schemas.ReadDose(
        low_pg_per_day=low,
        high_pg_per_day=high,
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
