"""The claims on cards, read from the history of the data set so that a card can be made again later."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.bibliography import formatted
from app.bibliography.from_documents import reader_url
from app.bibliography.reference import Reference
from app.bibliography.styles import Style, format_reference
from app.cds_hooks.drugs import CodedText, any_of
from app.cds_hooks.rules import Finding, Rule
from app.claims import rendering
from app.claims.derived import ClaimDerived
from app.claims.interaction_rules import rules_at
from app.claims.responses import ClaimSummary
from app.claims.rules import VOTING_FORMS
from app.claims.schemas import CitationWrite, ClaimWrite, InteractionRuleWrite, OverrideReason
from app.claims.vocabulary import InteractionSituation, Stance
from app.concepts.code_systems import ICD10CM, SNOMED, CodeSystems, code_systems_of
from app.concepts.manifest import UNDESCRIBED, Manifest, current_manifest, manifest_at
from app.concepts.manifest_cds import CdsManifest
from app.concepts.queries import ancestors
from app.concepts.schemas import ConceptWrite
from app.concepts.vocabulary import CodeRelation
from app.core.vocabulary import Status
from app.sources.schemas import DocumentWrite
from app.storage.history import state_at
from app.storage.records import RecordsAt
from app.storage.resource import Key

SITUATIONS = {
    Rule.both_drafted: InteractionSituation.together,
    Rule.first_drafted: InteractionSituation.first_starts,
    Rule.second_drafted: InteractionSituation.second_starts,
    Rule.both_current: InteractionSituation.together,
    Rule.proposed: InteractionSituation.unknown,
    Rule.first_after_second: InteractionSituation.first_after_second,
    Rule.second_after_first: InteractionSituation.second_after_first,
    Rule.incomplete: InteractionSituation.unknown,
}
"""How the drugs meet; the interaction rules of the data set say which claims are shown then."""

_ICD_10 = "http://hl7.org/fhir/sid/icd-10"
"""The international edition, whose categories ICD-10-CM shares."""
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
    """The address of its JSON; path-absolute."""
    page: str
    """The address of its page for people; path-absolute."""
    sources: tuple[CardSource, ...]
    has_votes: bool
    """Whether studies count for or against it, which they do not for labels and regulatory facts."""


Code = tuple[str, str]


@dataclass(frozen=True)
class Topic:
    """A condition that a reason may name, with its codes and names."""

    condition: str
    name: str
    codes: frozenset[Code]
    """Codes of the condition and of parts of it; codes below them mean parts of it too."""
    wider_codes: frozenset[Code]
    """Codes that mean more than the condition; codes below them may mean something else."""
    words: re.Pattern[str]

    def is_named_by(self, codes: Mapping[Code, frozenset[Code]], words: Iterable[str]) -> bool:
        """By one of the codes, each with itself and those that are wider, or by words."""
        return any(map(self._is_code, codes, codes.values())) or any(map(self.words.search, words))

    def _is_code(self, code: Code, with_wider: frozenset[Code]) -> bool:
        return code in self.wider_codes or not self.codes.isdisjoint(with_wider)

    def is_unverified(self, codes: Mapping[Code, frozenset[Code]]) -> bool:
        """Whether only a SNOMED CT code names it: sources differ about those."""
        known = [code for code, with_wider in codes.items() if self._is_code(code, with_wider)]
        return bool(known) and all(system == SNOMED for system, _ in known)


@dataclass
class ClaimMemory:
    """What was read at one serial, which never changes."""

    manifest: Manifest | None = None
    claims: dict[str, CardClaim | None] = field(default_factory=dict)
    topics: tuple[Topic, ...] | None = None
    rules: tuple[InteractionRuleWrite, ...] | None = None


class ClaimReader:
    """The claims as they were at a serial."""

    def __init__(self, session: Session, serial: int, memory: ClaimMemory) -> None:
        self._session = session
        self._serial = serial
        self._memory = memory
        self._records = RecordsAt(session, serial)
        if memory.manifest is None:
            memory.manifest = manifest_at(session, serial) or UNDESCRIBED
        manifest = memory.manifest
        self.data_set_name = manifest.name
        self.cds = manifest.cds or current_manifest(session).cds or CdsManifest()
        """As it was at the serial; an older data set did not hold it."""
        self.systems = code_systems_of(manifest.vocabularies)

    def claims(self, ids: Iterable[str]) -> tuple[CardClaim, ...]:
        """Those of the claims that were published at the serial."""
        return tuple(claim for claim_id in ids if (claim := self._claim(claim_id)))

    def of(self, finding: Finding) -> tuple[CardClaim, ...]:
        """The claims that a card rests on."""
        if finding.rule is Rule.evidence:
            return self.claims(self.cds.evidence.claims if self.cds.evidence else ())
        return self.claims(finding.check.claims if finding.check else dict.fromkeys(self._claims_of_rules(finding)))

    def override_reasons(self, finding: Finding) -> tuple[OverrideReason, ...]:
        """Why a prescriber may go on in spite of a card about an interaction."""
        return tuple(dict.fromkeys(reason for rule in self._rules(finding) for reason in rule.override_reasons))

    def _claims_of_rules(self, finding: Finding) -> Iterator[str]:
        """Those of the situation; all of a rule that says nothing of the situation."""
        situation = SITUATIONS.get(finding.rule)
        for rule in self._rules(finding):
            fitting = [claim for one in rule.claims if one.situation is situation for claim in one.claims]
            yield from fitting or (claim for one in rule.claims for claim in one.claims)

    def _rules(self, finding: Finding) -> Iterator[InteractionRuleWrite]:
        """The rules by which the medicines meet, as they were at the serial."""
        if self._memory.rules is None:
            self._memory.rules = rules_at(self._session, self._serial)
        by_id = {rule.id: rule for rule in self._memory.rules}
        for interaction in finding.interactions:
            yield from (by_id[rule] for rule in interaction.rules_for(m.drug for m in finding.second) if rule in by_id)

    def topics(self, reasons: CodedText) -> tuple[Topic, ...]:
        """The conditions that the reasons of an order name."""
        if self._memory.topics is None:
            self._memory.topics = tuple(self._read_topics())
        codes = coded_reasons(reasons, self.systems)
        return tuple(topic for topic in self._memory.topics if topic.is_named_by(codes, reasons.words))

    def conditions(self, reasons: CodedText) -> frozenset[str]:
        """The ids of these conditions."""
        return frozenset(topic.condition for topic in self.topics(reasons))

    def _read_topics(self) -> Iterator[Topic]:
        for condition in self._conditions():
            try:
                content: ConceptWrite = self._records.content(Key("condition", condition))
            except KeyError:
                continue
            codes = {
                wide: frozenset(
                    (code.system, self.systems.normal(code.system, code.code))
                    for code in content.codes
                    if code.relation is not CodeRelation.related and (code.relation is CodeRelation.broad) is wide
                )
                for wide in (False, True)
            }
            words = [word for word in (content.name, *content.synonyms) if len(word) >= _MIN_WORD_LENGTH]
            yield Topic(condition, content.name, codes[False], codes[True], any_of(words))

    def _conditions(self) -> Iterable[str]:
        """Those for which claims are shown, and those that change what is checked."""
        evidence = self.cds.evidence
        shown = evidence.conditions if evidence else {}
        others = {*(evidence.full_dose_conditions if evidence else ()), *(c.condition for c in self.cds.reason_checks)}
        return (*shown, *sorted(others - set(shown)))

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
            page=f"/claims/{claim_id}?serial={state.serial}",
            sources=self._sources(_selected_citations(ordered, has_votes)),
            has_votes=has_votes,
        )

    def _sources(self, citations: Sequence[CitationWrite]) -> tuple[CardSource, ...]:
        keys = [Key("document", citation.document) for citation in citations]
        documents: list[DocumentWrite] = [self._records.content(key) for key in keys]
        references = formatted.references(self._session, documents, Style.ama)
        return tuple(map(_source, citations, documents, references))


def _source(citation: CitationWrite, document: DocumentWrite, reference: Reference) -> CardSource:
    url, text = reader_url(document), format_reference(reference, Style.ama)
    if url:
        text = text.removesuffix(f" {url}")  # the link shows it already
    return CardSource(citation.stance, text, url, citation.finding)


def coded_reasons(reasons: CodedText, systems: CodeSystems) -> dict[Code, frozenset[Code]]:
    """The codes of reasons in the systems that are known here, each with itself and those that are wider."""
    found: set[Code] = set()
    for coding in reasons.codes:
        system = ICD10CM if coding.system == _ICD_10 else systems.identified(coding.system)
        if system is not None:
            found.add((system, systems.normal(system, coding.code)))
    return {(system, code): frozenset((system, wider) for wider in ancestors(system, code)) for system, code in found}


def _selected_citations(ordered: list[CitationWrite], has_votes: bool) -> list[CitationWrite]:
    """The strongest of each side, and an undecided one if a side has none; without votes, the first two of any side."""
    if not has_votes:
        return [citation for citation in ordered if citation.stance in _SIDES][:2]
    first = {citation.stance: citation for citation in reversed(ordered)}
    sides = [citation for citation in ordered if citation.stance in _SIDES and citation is first[citation.stance]]
    undecided = [first[stance] for stance in (Stance.mixed, Stance.inconclusive) if stance in first]
    return sides if len(sides) == 2 else sides + undecided[:1]
