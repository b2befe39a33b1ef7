"""The claims on cards, read from the history of the data set so that a card can be made again later."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.bibliography.from_documents import WARNINGS, reader_url, reference
from app.bibliography.styles import Style, format_reference
from app.cds_hooks.drugs import CodedText, any_of
from app.cds_hooks.rules import Rule
from app.claims import rendering
from app.claims.derived import ClaimDerived
from app.claims.responses import ClaimSummary
from app.claims.rules import VOTING_FORMS
from app.claims.schemas import CitationWrite, ClaimWrite
from app.claims.vocabulary import Stance
from app.concepts.code_systems import URIS
from app.concepts.queries import ancestors
from app.concepts.schemas import ConceptWrite
from app.concepts.vocabulary import CodeRelation, CodeSystem
from app.core.vocabulary import Status
from app.sources.schemas import DocumentWrite
from app.storage.history import state_at
from app.storage.records import RecordsAt
from app.storage.resource import Key

_CONTRAINDICATION = "naltrexone-opioid-contraindication"
_WITHDRAWAL = "naltrexone-precipitated-withdrawal"
CLAIMS_BY_RULE: dict[Rule, tuple[str, ...]] = {
    Rule.both_drafted: (_CONTRAINDICATION, _WITHDRAWAL),
    Rule.naltrexone_meets_opioid: (_CONTRAINDICATION, _WITHDRAWAL),
    Rule.opioid_meets_naltrexone: (_CONTRAINDICATION, "naltrexone-opioid-analgesic-antagonism"),
    Rule.both_current: (_CONTRAINDICATION, _WITHDRAWAL),
    Rule.naltrexone_after_opioid: ("naltrexone-opioid-free-interval", _WITHDRAWAL),
    Rule.opioid_after_naltrexone: ("naltrexone-overdose-after-stopping",),
    Rule.incomplete: (_CONTRAINDICATION,),
    Rule.evidence: ("ldn-not-fda-approved",),
}
CLAIMS_BY_CONDITION: dict[str, tuple[str, ...]] = {
    "fibromyalgia": ("ldn-fibromyalgia-pain",),
    "arthritis-pain": ("ldn-arthritis-pain",),
    "chronic-pain": ("ldn-chronic-pain",),
    "crohns-disease": ("ldn-crohns-response", "ldn-crohns-remission"),
    "ulcerative-colitis": ("ldn-ulcerative-colitis-response",),
    "inflammatory-bowel-disease": ("ldn-ibd-remission",),
    "multiple-sclerosis": ("ldn-ms-quality-of-life", "ldn-ms-fatigue"),
    "me-cfs": ("ldn-me-cfs-response",),
    "long-covid": ("ldn-long-covid-symptoms",),
    "rheumatoid-arthritis": ("ldn-rheumatoid-arthritis-medication-use",),
    "hashimotos-thyroiditis": ("ldn-hashimotos",),
    "opioid-induced-hyperalgesia": ("ldn-opioid-induced-hyperalgesia-pain-tolerance",),
}
"""The claims on whether low-dose naltrexone helps in a condition."""

_REASON_SYSTEMS = {URIS[s]: s for s in (CodeSystem.snomed, CodeSystem.icd10cm, CodeSystem.icd11)} | {
    "http://hl7.org/fhir/sid/icd-10": CodeSystem.icd10cm
}
_MIN_WORD_LENGTH = 5
"""Abbreviations such as FM and MS have other meanings too."""
_SIDES = (Stance.supports, Stance.disputes)


@dataclass(frozen=True)
class CardSource:
    """A citation of a claim, as a card shows it."""

    stance: Stance
    text: str
    url: str | None
    finding: str | None


@dataclass(frozen=True)
class CardClaim:
    """A claim with what must be read with it."""

    summary: ClaimSummary
    version: int
    permalink: str
    """Path-absolute."""
    sources: tuple[CardSource, ...]
    has_votes: bool
    """Whether studies count for or against it, which they do not for labels and regulatory facts."""


@dataclass(frozen=True)
class Topic:
    """A condition with claims, and its codes and names."""

    condition: str
    codes: frozenset[tuple[str, str]]
    words: re.Pattern[str]


@dataclass
class ClaimMemory:
    """What was read at one serial, which never changes."""

    claims: dict[str, CardClaim | None] = field(default_factory=dict)
    topics: tuple[Topic, ...] | None = None


class ClaimReader:
    """The claims as they were at a serial."""

    def __init__(self, session: Session, serial: int, memory: ClaimMemory) -> None:
        self._session = session
        self._serial = serial
        self._memory = memory
        self._records = RecordsAt(session, serial)

    def claims(self, ids: Iterable[str]) -> tuple[CardClaim, ...]:
        """Those of the claims that were published at the serial."""
        return tuple(claim for claim_id in ids if (claim := self._claim(claim_id)))

    def topics(self, reasons: CodedText) -> tuple[Topic, ...]:
        """The conditions with claims among the reasons of an order."""
        if self._memory.topics is None:
            self._memory.topics = tuple(self._read_topics())
        codes = {
            (system.value, code)
            for coding in reasons.codes
            if (system := _REASON_SYSTEMS.get(coding.system))
            for code in ancestors(system, coding.code.upper())
        }
        return tuple(
            topic for topic in self._memory.topics if topic.codes & codes or any(map(topic.words.search, reasons.words))
        )

    def _read_topics(self) -> Iterator[Topic]:
        for condition in CLAIMS_BY_CONDITION:
            try:
                content: ConceptWrite = self._records.content(Key("condition", condition))
            except KeyError:
                continue
            codes = {(c.system.value, c.code) for c in content.codes if c.relation is not CodeRelation.related}
            words = [word for word in (content.name, *content.synonyms) if len(word) >= _MIN_WORD_LENGTH]
            yield Topic(condition, frozenset(codes), any_of(words))

    def _claim(self, claim_id: str) -> CardClaim | None:
        if claim_id not in self._memory.claims:
            self._memory.claims[claim_id] = self._read_claim(claim_id)
        return self._memory.claims[claim_id]

    def _read_claim(self, claim_id: str) -> CardClaim | None:
        key = Key("claim", claim_id)
        state = state_at(self._session, *key, self._serial)
        if state is None or state.status != Status.published:
            return None
        content: ClaimWrite = self._records.content(key)
        derived: ClaimDerived = self._records.derived(key)
        by_id = {citation.id: citation for citation in content.citations}
        ordered = [by_id[citation_id] for citation_id in derived.order]
        has_votes = content.form in VOTING_FORMS
        return CardClaim(
            summary=rendering.summary(self._records, claim_id),
            version=state.version,
            permalink=f"/v1/claims/{claim_id}?serial={state.serial}",
            sources=tuple(map(self._source, _selected_citations(ordered, has_votes))),
            has_votes=has_votes,
        )

    def _source(self, citation: CitationWrite) -> CardSource:
        document: DocumentWrite = self._records.content(Key("document", citation.document))
        url, text = reader_url(document), format_reference(reference(document), Style.ama)
        if url:
            text = text.removesuffix(f" {url}")  # the link shows it already
        standing = document.standing[-1].standing
        if standing in WARNINGS:
            text = f"[{standing.label.upper()}] {text}"
        return CardSource(citation.stance, text, url, citation.finding)


def _selected_citations(ordered: list[CitationWrite], has_votes: bool) -> list[CitationWrite]:
    """The strongest of each side, and an undecided one if a side has none; without votes, the first two of any side."""
    if not has_votes:
        return [citation for citation in ordered if citation.stance in _SIDES][:2]
    first = {citation.stance: citation for citation in reversed(ordered)}
    sides = [citation for citation in ordered if citation.stance in _SIDES and citation is first[citation.stance]]
    undecided = [first[stance] for stance in (Stance.mixed, Stance.inconclusive) if stance in first]
    return sides if len(sides) == 2 else sides + undecided[:1]
