"""Builds a brief: the claims that say what is known of a treatment in a condition, in the order of a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.bibliography import formatted
from app.bibliography.from_documents import reader_url
from app.bibliography.reference import Reference
from app.bibliography.styles import Style, format_reference
from app.briefs import responses
from app.briefs.selection import MAX_CLAIMS, SECTIONS, Pair, Place, places, restatements, that_fit
from app.claims import rendering as render
from app.claims.derived import ClaimDerived
from app.claims.models import LiteratureSearch, LiteratureSearchConcept
from app.claims.responses import ClaimSummary, DosingRangeRef
from app.claims.rules import VOTING_FORMS
from app.claims.schemas import CitationWrite, ClaimWrite, DosingRangeWrite, Origin
from app.claims.vocabulary import Consensus, Coverage, Stance
from app.concepts.disclaimer import disclaimer_about
from app.concepts.manifest import current_manifest
from app.concepts.models import Concept
from app.concepts.schemas import ConceptRef
from app.core import deadline
from app.core.english import inline, join_sentences
from app.grading.derive import people
from app.grading.wording import NO_ALL_CLEAR
from app.questions.coverage import coverage
from app.questions.searches import SearchMatch, recorded_searches
from app.sources.rendering import identified
from app.sources.schemas import DocumentRef, DocumentWrite, StudyWrite
from app.sources.vocabulary import IdentifierScheme, Interest, Standing
from app.storage.history import StoredRecord
from app.storage.resource import Key, RecordReader
from app.storage.rows import key_of

MAX_STATEMENTS = 200
"""Statements shown in one section."""

_NOTES = {
    "how-it-may-work": "Proposed explanations. That an explanation fits does not show that the treatment helps.",
    "dosing": "Doses that were studied or are in use. None of them is a recommendation.",
    "elsewhere": "Nothing here carries over: evidence in one condition is no evidence in another.",
}
_NOTHING = f"Nothing is recorded here. {NO_ALL_CLEAR}"


def build(
    session: Session, records: RecordReader, pair: Pair, claim_ids: Sequence[str], foot: responses.BriefFoot
) -> responses.BriefRead:
    """The brief on a pair, from the claims that `selection.claim_ids` selects for it."""
    builder = BriefBuilder(session, records, pair, claim_ids)
    sections = tuple(builder.section(section_id) for section_id in SECTIONS)
    evidence = coverage(
        session,
        intervention_pk=key_of(session, Concept, pair.intervention, "intervention"),
        condition_pk=key_of(session, Concept, pair.condition, "condition"),
    )
    intervention = evidence.intervention
    condition = ConceptRef(id=pair.condition, name=records.content(Key("condition", pair.condition)).name)
    headline = evidence.summary.headline_claim
    questions = open_questions(session, pair)
    return responses.BriefRead(
        title=f"{intervention.name} and {inline(condition.name)}",
        intervention=intervention,
        condition=condition,
        coverage=responses.BriefCoverage(status=evidence.status, sentence=evidence.sentence),
        notice=responses.BriefNotice(
            disclaimer=disclaimer_about(session, [pair.intervention]),
            summary=join_sentences(headline.answer, headline.counts_text) if headline else evidence.sentence,
            claim=headline,
        ),
        sections=sections,
        open_questions=questions[:MAX_STATEMENTS],
        open_questions_truncated=len(questions) > MAX_STATEMENTS,
        undecided=builder.undecided(sections),
        pending_studies=evidence.summary.pending,
        references=builder.references(session),
        origins=builder.origins(sections),
        foot=foot,
        links=responses.BriefLinks.of(pair.intervention, pair.condition),
    )


class _Document(NamedTuple):
    """What every mention of a document in a brief shows."""

    content: DocumentWrite
    ref: DocumentRef
    standing: Standing


class BriefBuilder:
    """Writes sentences in reading order and numbers the references as they first appear."""

    def __init__(self, session: Session, records: RecordReader, pair: Pair, claim_ids: Sequence[str]) -> None:
        self._records = records
        self._designs = current_manifest(session).study_designs
        self._pair = pair
        self._is_cut = len(claim_ids) > MAX_CLAIMS
        """Whether there are claims that were not even considered; nobody knows in which sections."""
        claim_ids = claim_ids[:MAX_CLAIMS]
        self._claims: dict[str, ClaimWrite] = {i: records.content(Key("claim", i)) for i in claim_ids}
        self._shown = that_fit(self._claims.values())
        self._derived: dict[str, ClaimDerived] = {i: records.derived(Key("claim", i)) for i in claim_ids}
        self._stamps = _stamps(session, claim_ids)
        self._places = places(pair, self._claims, lambda record_type, i: records.content(Key(record_type, i)).name)
        self._restatements = restatements(self._claims, self._places)
        self._restating = {claim_id for ids in self._restatements.values() for claim_id in ids}
        self._numbers: dict[str, int] = {}
        self._documents: dict[str, _Document] = {}

    # --- sections ---

    def section(self, section_id: str) -> responses.Section:
        ids = [i for i, place in self._places.items() if place.section == section_id and i not in self._restating]
        first = self._sort(i for i in ids if i in self._shown)[:MAX_STATEMENTS]
        return responses.Section(
            id=section_id,
            title=SECTIONS[section_id],
            note=_NOTES.get(section_id) if first else _NOTHING,
            statements=tuple(self._statement(claim_id) for claim_id in first),
            truncated=self._is_cut or len(ids) > len(first),
        )

    def _sort(self, ids: Iterable[str]) -> list[str]:
        """By topic; in a topic the claims that gather evidence come first, the most studied of them in front."""

        def topic(claim_id: str) -> Place:
            return self._places[claim_id]

        def weight(claim_id: str) -> tuple[bool, int, int, str]:
            evidence = self._derived[claim_id].evidence
            claim = self._claims[claim_id]
            votes = claim.form in VOTING_FORMS and bool(claim.citations)
            return (not votes, -evidence.study_count, -len(claim.citations), claim_id)

        by_topic = groupby(sorted(ids, key=lambda i: (topic(i).rank, topic(i).topic)), key=topic)
        groups = [(place, sorted(members, key=weight)) for place, members in by_topic]
        groups.sort(key=lambda group: (group[0].rank, weight(group[1][0])[:3], group[0].topic))
        return [claim_id for _, members in groups for claim_id in members]

    # --- sentences ---

    def _statement(self, claim_id: str) -> responses.Statement:
        deadline.check()
        claim = self._claims[claim_id]
        inheritance = self._pair.inherited.get(claim.intervention or "")
        dosing: DosingRangeWrite | None = (
            self._records.content(Key("dosing_range", claim.dosing_range)) if claim.dosing_range else None
        )
        return responses.Statement(
            **self._sentence_fields(claim_id),
            topic=self._places[claim_id].topic,
            inherited_from=inheritance.steps[-1].intervention if inheritance else None,
            inheritance=inheritance,
            dose=DosingRangeRef(id=dosing.id, dose_text=dosing.dose_text) if dosing else None,
            restated_by=tuple(
                responses.Sentence(**self._sentence_fields(i))
                for i in sorted(self._restatements.get(claim_id, ()))
                if i in self._shown
            ),
        )

    def _sentence_fields(self, claim_id: str) -> dict[str, Any]:
        claim, derived = self._claims[claim_id], self._derived[claim_id]
        summary = render.summary(self._records, claim_id)
        version, serial = self._stamps[claim_id]
        by_id = {citation.id: citation for citation in claim.citations}
        cited = [by_id[citation_id] for citation_id in derived.order]
        of_summary = (
            "verdict", "answer", "counts_text", "subgroup", "caveat", "caveat_required", "consensus", "leaning",
            "certainty", "supports", "disputes", "counts",
        )  # fmt: skip
        of_claim = ("kind", "form", "valid_from", "valid_to", "as_of")
        return {
            **{name: getattr(summary, name) for name in of_summary},
            **{name: getattr(claim, name) for name in of_claim},
            "text": summary.statement,
            "claim_id": claim_id,
            "version": version,
            "permalink": f"{summary.links.self}?serial={serial}",
            "cited": bool(cited),
            "footnotes": tuple(self._footnote(citation) for citation in cited),
            "citations": self._sides(cited),
            "origins": tuple(self._origin(origin) for origin in claim.origins),
        }

    def _footnote(self, citation: CitationWrite) -> responses.Footnote:
        document = self._document(citation.document)
        return responses.Footnote(
            number=self._numbers.setdefault(citation.document, len(self._numbers) + 1),
            citation_id=citation.id,
            stance=citation.stance,
            stance_label=citation.stance.label,
            extent=citation.extent,
            document=document.ref,
            standing=document.standing,
        )

    def _sides(self, cited: Sequence[CitationWrite]) -> responses.Sides:
        sides: dict[str, list[responses.BriefCitation]] = {stance.value: [] for stance in Stance}
        for citation in cited:
            sides[citation.stance.value].append(self._citation(citation))
        return responses.Sides(**{stance: tuple(citations) for stance, citations in sides.items()})

    def _citation(self, citation: CitationWrite) -> responses.BriefCitation:
        document = self._document(citation.document)
        study: StudyWrite | None = self._records.content(Key("study", citation.study)) if citation.study else None
        return responses.BriefCitation(
            number=self._numbers[citation.document],
            citation_id=citation.id,
            stance_reason=citation.stance_reason,
            directness=citation.directness,
            finding=citation.finding,
            design=study.design if study else None,
            design_label=self._designs.design(study.design).label if study else None,
            participants=people(citation, study),
            basis=citation.verification.basis,
            extent=citation.extent,
            extent_note=citation.extent_note,
            strength=citation.strength,
            quotes=citation.all_quotes,
            document=document.ref,
            standing=document.standing,
        )

    def _origin(self, origin: Origin) -> responses.BriefOrigin:
        return responses.BriefOrigin(
            document=self._document(origin.document).ref,
            section=origin.section,
            paragraph=origin.paragraph,
            reference_numbers=origin.reference_numbers,
            asserts=origin.asserts,
            fit=origin.fit,
            fit_label=origin.fit.label,
        )

    def _document(self, document_id: str) -> _Document:
        document = self._documents.get(document_id)
        if document is None:
            content: DocumentWrite = self._records.content(Key("document", document_id))
            document = _Document(content, _ref(content), content.current_standing.standing)
            self._documents[document_id] = document
        return document

    # --- the brief as a whole ---

    def undecided(self, sections: Iterable[responses.Section]) -> tuple[ClaimSummary, ...]:
        """Benefits and harms on which there is too little evidence to decide."""
        return tuple(
            render.summary(self._records, s.claim_id)
            for section in sections
            for s in section.statements
            if section.id in ("does-it-help", "side-effects") and s.consensus is Consensus.insufficient
        )

    def references(self, session: Session) -> tuple[responses.BriefReference, ...]:
        documents = [self._document(document_id).content for document_id in self._numbers]
        cited = formatted.references(session, documents, Style.ama)
        return tuple(map(_reference, self._numbers.values(), documents, cited))

    def origins(self, sections: Iterable[responses.Section]) -> tuple[DocumentRef, ...]:
        documents = {
            origin.document.id: origin.document
            for section in sections
            for statement in section.statements
            for sentence in (statement, *statement.restated_by)
            for origin in sentence.origins
        }
        return tuple(documents[document] for document in sorted(documents))


def _ref(document: DocumentWrite) -> DocumentRef:
    return DocumentRef(id=document.id, label=document.label)


def _reference(number: int, document: DocumentWrite, cited: Reference) -> responses.BriefReference:
    standing = document.current_standing
    return responses.BriefReference(
        number=number,
        document=_ref(document),
        text=format_reference(cited, Style.ama),
        doi=identified(document, IdentifierScheme.doi),
        pmid=identified(document, IdentifierScheme.pmid),
        standing=standing.standing,
        standing_label=standing.standing.label,
        notice=standing.notice,
        interest=document.interest,
        interest_label=None if document.interest is Interest.none_known else document.interest.label,
        self=render.address("documents", document.id),
        url=reader_url(document),
    )


def _stamps(session: Session, claim_ids: Sequence[str]) -> Mapping[str, tuple[int, int]]:
    """Current version and serial of each claim."""
    rows = session.execute(
        select(StoredRecord.id, StoredRecord.version, StoredRecord.serial).where(
            StoredRecord.type == "claim", StoredRecord.id.in_(claim_ids)
        )
    )
    return {claim_id: (version, serial) for claim_id, version, serial in rows}


def open_questions(session: Session, pair: Pair) -> tuple[SearchMatch, ...]:
    """Questions about the intervention, on this condition or on none, that were not answered."""
    on_some = select(LiteratureSearchConcept.search_pk).where(LiteratureSearchConcept.role == "condition")
    on_this = on_some.where(LiteratureSearchConcept.concept_pk == key_of(session, Concept, pair.condition, "condition"))
    searches = recorded_searches(
        session,
        LiteratureSearch.intervention_pk == key_of(session, Concept, pair.intervention, "intervention"),
        LiteratureSearch.coverage != Coverage.found,
        or_(LiteratureSearch.pk.in_(on_this), LiteratureSearch.pk.not_in(on_some)),
    )
    searched_first = sorted((search.match for search in searches), key=lambda match: match.coverage, reverse=True)
    return tuple(searched_first)
