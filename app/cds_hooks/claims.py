"""The claims that cards show, read from the history of the data set: a card can be made again at any later time."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.bibliography.from_documents import WARNINGS, reader_url, reference
from app.bibliography.styles import Style, format_reference
from app.cds_hooks.drugs import Product, any_of
from app.cds_hooks.rules import Rule
from app.claims import rendering as render
from app.claims.derived import ClaimDerived
from app.claims.responses import ClaimSummary
from app.claims.rules import VOTING_FORMS
from app.claims.schemas import CitationWrite, ClaimWrite
from app.claims.vocabulary import Stance
from app.concepts.queries import ancestors
from app.concepts.schemas import ConceptWrite
from app.concepts.vocabulary import CodeRelation, CodeSystem
from app.core.vocabulary import Status
from app.grading.wording import certainty_text
from app.sources.schemas import DocumentWrite
from app.storage.history import state_at
from app.storage.records import RecordsAt
from app.storage.resource import Key

_CONTRAINDICATION = "naltrexone-opioid-contraindication"
_WITHDRAWAL = "naltrexone-precipitated-withdrawal"
BY_RULE: dict[Rule, tuple[str, ...]] = {
    Rule.both_drafted: (_CONTRAINDICATION, _WITHDRAWAL),
    Rule.naltrexone_meets_opioid: (_CONTRAINDICATION, _WITHDRAWAL),
    Rule.opioid_meets_naltrexone: (_CONTRAINDICATION, "naltrexone-opioid-analgesic-antagonism"),
    Rule.both_current: (_CONTRAINDICATION, _WITHDRAWAL),
    Rule.naltrexone_after_opioid: ("naltrexone-opioid-free-interval", _WITHDRAWAL),
    Rule.opioid_after_naltrexone: ("naltrexone-overdose-after-stopping",),
    Rule.incomplete: (_CONTRAINDICATION,),
    Rule.evidence: ("ldn-not-fda-approved",),
}
BY_CONDITION: dict[str, tuple[str, ...]] = {
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
"""Condition → the claims that answer whether low-dose naltrexone helps; a condition that is missing has none."""

_SYSTEMS = {
    "http://snomed.info/sct": CodeSystem.snomed,
    "http://hl7.org/fhir/sid/icd-10-cm": CodeSystem.icd10cm,
    "http://hl7.org/fhir/sid/icd-10": CodeSystem.icd10cm,
    "http://id.who.int/icd/release/11/mms": CodeSystem.icd11,
}
_SHORTEST_WORD = 5
"""Abbreviations such as FM and MS mean other things too."""
_SHOWN = (Stance.supports, Stance.disputes)


@dataclass(frozen=True)
class Shown:
    """A source, with what it found."""

    stance: Stance
    text: str
    url: str | None
    finding: str | None


@dataclass(frozen=True)
class Told:
    """A claim with all that must travel with it."""

    summary: ClaimSummary
    certainty: str
    version: int
    permalink: str
    """Path-absolute."""
    shown: tuple[Shown, ...]
    votes: bool
    """Whether studies vote on it; labels and regulatory facts have no sides to count studies on."""


@dataclass(frozen=True)
class Topic:
    """A condition on which there are claims, and how to recognise it."""

    condition: str
    name: str
    codes: frozenset[tuple[str, str]]
    words: re.Pattern[str]


@dataclass
class Memory:
    """What was read at one serial. What was published at a serial never changes, so it is kept."""

    claims: dict[str, "Told | None"] = field(default_factory=dict)
    topics: tuple[Topic, ...] | None = None


class Library:
    """The claims as they were at a serial."""

    def __init__(self, session: Session, serial: int, memory: Memory) -> None:
        self._session = session
        self._serial = serial
        self._memory = memory
        self._world = RecordsAt(session, serial)

    def claims(self, ids: Iterable[str]) -> tuple[Told, ...]:
        """Those that were published at the serial."""
        return tuple(told for claim_id in ids if (told := self._remembered(claim_id)))

    def topics(self, reasons: Product) -> tuple[Topic, ...]:
        """Conditions that an order gives as its reason and on which there are claims."""
        if self._memory.topics is None:
            self._memory.topics = tuple(self._topics())
        given = [
            (_SYSTEMS[coding.system], coding.code.upper()) for coding in reasons.codes if coding.system in _SYSTEMS
        ]
        wider = {(system.value, code) for system, leaf in given for code in ancestors(system, leaf)}
        return tuple(
            topic
            for topic in self._memory.topics
            if topic.codes & wider or any(topic.words.search(text) for text in reasons.words)
        )

    def _topics(self) -> Iterator[Topic]:
        for condition in BY_CONDITION:
            try:
                content: ConceptWrite = self._world.content(Key("condition", condition))
            except KeyError:
                continue
            codes = {(c.system.value, c.code) for c in content.codes if c.relation is not CodeRelation.related}
            words = [word for word in (content.name, *content.synonyms) if len(word) >= _SHORTEST_WORD]
            yield Topic(condition, content.name, frozenset(codes), any_of(words))

    def _remembered(self, claim_id: str) -> Told | None:
        if claim_id not in self._memory.claims:
            self._memory.claims[claim_id] = self._told(claim_id)
        return self._memory.claims[claim_id]

    def _told(self, claim_id: str) -> Told | None:
        state = state_at(self._session, "claim", claim_id, self._serial)
        if state is None or state.status != Status.published:
            return None
        content: ClaimWrite = self._world.content(Key("claim", claim_id))
        derived: ClaimDerived = self._world.derived(Key("claim", claim_id))
        by_id = {citation.id: citation for citation in content.citations}
        ordered = [by_id[citation] for citation in derived.order]
        votes = content.form in VOTING_FORMS
        return Told(
            summary=render.summary(self._world, claim_id),
            certainty=certainty_text(self._world, content, derived.evidence),
            version=state.version,
            permalink=f"/v1/claims/{claim_id}?serial={state.serial}",
            shown=tuple(self._shown(citation) for citation in _selection(ordered, votes)),
            votes=votes,
        )

    def _shown(self, citation: CitationWrite) -> Shown:
        document: DocumentWrite = self._world.content(Key("document", citation.document))
        url = reader_url(document)
        # A source that is known by its address alone has it in its text too; the link shows it.
        text = format_reference(reference(document), Style.ama)
        if url:
            text = text.removesuffix(f" {url}")
        standing = document.standing[-1].standing
        if standing in WARNINGS:
            text = f"[{standing.label.upper()}] {text}"
        return Shown(citation.stance, text, url, citation.finding)


def _selection(ordered: list[CitationWrite], votes: bool) -> list[CitationWrite]:
    """The strongest of each side; of a claim that is not voted on, the first two that carry it."""
    if not votes:
        return [citation for citation in ordered if citation.stance in _SHOWN][:2]
    first = {citation.stance: citation for citation in reversed(ordered)}
    sides = [citation for citation in ordered if citation.stance in _SHOWN and citation is first[citation.stance]]
    undecided = [first[stance] for stance in (Stance.mixed, Stance.inconclusive) if stance in first]
    return sides if len(sides) == 2 else sides + undecided[:1]
