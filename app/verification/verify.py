"""Verifies citations: is the source recorded, is it the one that is meant, does it stand, and what does it say?

No text of any source is held here, only findings in our own words, titles and short quotations. So a quotation is never
confirmed against a source; it is only found in one of those, or not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from pydantic_core import from_json
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.claims import rendering as render
from app.claims.models import Citation, Claim, QuotedText
from app.claims.responses import CitationRead, ClaimSummary
from app.concepts.disclaimer import disclaimer_about
from app.core import deadline
from app.core.folding import words
from app.core.vocabulary import Status
from app.search import service
from app.sources import identifiers
from app.sources.models import Document, DocumentIdentifier, DocumentStudyLink, Study, StudyIdentifier
from app.sources.schemas import DocumentRef, DocumentWrite
from app.sources.standing import checked_on
from app.sources.vocabulary import IdentifierScheme, Standing, StudyRole
from app.storage.history import StoredRecord, current_bodies
from app.storage.near_ids import FirstNearIds
from app.storage.read_view import ReadView
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from app.verification import titles
from app.verification.advice import NOTICE, advice_on
from app.verification.findings import Findings
from app.verification.schemas import (
    CitationToVerify,
    CitationVerified,
    ItemFault,
    NearClaim,
    QuoteCheck,
    ReplacedRecord,
    SourceLink,
    SourceLinks,
    SourceOnClaim,
    TitleCheck,
    VerificationAnswer,
    VerificationRequest,
    VerifiedSource,
)
from app.verification.vocabulary import QuoteResult, TitleResult, VerificationResult

MAX_NEAR_CLAIMS = 3
MAX_CITATIONS = 5
"""Citations shown of one source on one claim."""
FEWEST_QUOTED_WORDS = 4
_MAX_SUCCESSORS = 10
_OWN_REPORTS = (StudyRole.primary, StudyRole.secondary, StudyRole.protocol)


@dataclass(frozen=True)
class CarriedRecord:
    """The document or study that carries an identifier, and how its citations are found."""

    read: VerifiedSource
    cited: ColumnElement[bool]
    """Of citations: whether they cite it."""
    related: ColumnElement[bool] | None
    """Of citations: whether they cite another document on a study that it reports; null where there is no study."""
    title: str | None


class ClaimLookup(NamedTuple):
    """What a claim id or a sentence led to."""

    summary: ClaimSummary | None = None
    replaced: ReplacedRecord | None = None
    fault: ItemFault | None = None
    near: tuple[ClaimSummary, ...] = ()
    """The claims nearest to a sentence that none of them states."""


CitationIds = Mapping[str, Sequence[str]]
"""Ids of the citations of one source, by the claim that they belong to; those that weigh more first."""


@dataclass(frozen=True)
class CitationLookup:
    """What was looked up for one citation, before the bodies of recorded citations are read for all together."""

    position: int
    item: CitationToVerify
    claim: ClaimLookup
    is_identified: bool
    source: CarriedRecord | None
    title: TitleCheck | None
    quote: QuoteCheck | None
    cited: CitationIds
    related: CitationIds


def verify(view: ReadView, request: VerificationRequest) -> VerificationAnswer:
    """One answer for every citation, in the order of the request."""
    near = FirstNearIds(view.session)
    comparisons = [
        _compare(view, near, position, item) for position, item in enumerate(deadline.checked(request.items))
    ]
    recorded = _recorded_citations(view, comparisons)
    items = tuple(_verified(comparison, recorded) for comparison in comparisons)
    return VerificationAnswer(items=items, notice=NOTICE, disclaimer=disclaimer_about(view.session, ()))


def _compare(view: ReadView, near: FirstNearIds, position: int, item: CitationToVerify) -> CitationLookup:
    session = view.session
    claim = _claim_by_id(session, near, item.claim) if item.claim else _claim_by_text(session, item.sentence or "")
    identified = identifiers.identify(item.identifier)
    source = _carrier(session, *identified) if identified else None
    claim_ids = [summary.id for summary in ((claim.summary,) if claim.summary else claim.near)]
    return CitationLookup(
        position=position,
        item=item,
        claim=claim,
        is_identified=identified is not None,
        source=source,
        title=_title_check(session, item.title, source) if item.title and source else None,
        quote=_quote_check(view, item.quote, source) if item.quote and source else None,
        cited=_citation_ids(session, source.cited, claim_ids) if source else {},
        related=_citation_ids(session, source.related, claim_ids) if source and source.related is not None else {},
    )


def _verified(comparison: CitationLookup, recorded: Mapping[str, SourceOnClaim]) -> CitationVerified:
    def citations(ids: CitationIds, claim: ClaimSummary | None) -> tuple[SourceOnClaim, ...]:
        return tuple(recorded[citation_id] for citation_id in ids.get(claim.id, ())) if claim else ()

    claim, source = comparison.claim, comparison.source
    findings = Findings(
        claim=claim.summary,
        replaced=claim.replaced,
        source=source.read if source else None,
        title=comparison.title,
        quote=comparison.quote,
        citations=citations(comparison.cited, claim.summary),
        related=citations(comparison.related, claim.summary),
        nearest=tuple(NearClaim(claim=near, citations=citations(comparison.cited, near)) for near in claim.near),
    )
    result = _result(comparison, findings)
    faults = [claim.fault] if claim.fault else []
    if not comparison.is_identified:
        message = (
            "Write a DOI, PMID, PMCID, NCT or EudraCT number, such as 10.1002/art.37734 or pmid:23359310. "
            "Digits alone are no PMID."
        )
        faults.append(ItemFault(field="identifier", code="malformed_identifier", message=message, did_you_mean=()))
    return CitationVerified(
        position=comparison.position,
        result=result,
        advice=advice_on(result, findings),
        errors=tuple(faults),
        **findings._asdict(),
    )


# --- the verdict --------------------------------------------------------------------------------------------------


def _result(comparison: CitationLookup, findings: Findings) -> VerificationResult:
    """The first result that fits: first what makes the rest meaningless, then what warns."""
    if not comparison.is_identified:
        return VerificationResult.identifier_unreadable
    if comparison.item.claim is not None and findings.claim is None:
        return VerificationResult.claim_retired if findings.replaced else VerificationResult.claim_unknown
    if findings.source is None:
        return VerificationResult.source_unknown
    if findings.title is not None and findings.title.result is TitleResult.different:
        return VerificationResult.other_title
    if findings.source.standing is Standing.retracted:
        return VerificationResult.retracted
    if findings.claim is None:
        return _result_of_sentence(findings.nearest)
    if findings.citations:
        return _result_of_stances({str(citation.stance) for citation in findings.citations})
    return VerificationResult.other_report if findings.related else VerificationResult.not_cited


def _result_of_sentence(nearest: Sequence[NearClaim]) -> VerificationResult:
    if not nearest:
        return VerificationResult.no_claim_near
    is_cited = any(near.citations for near in nearest)
    return VerificationResult.compare_claims if is_cited else VerificationResult.not_cited_nearby


def _result_of_stances(stances: set[str]) -> VerificationResult:
    """Stances are results by name; who cites a source for both sides is told that it points both ways."""
    if {"supports", "disputes"} <= stances:
        return VerificationResult.mixed
    ranked = ("mixed", "supports", "disputes", "inconclusive", "background", "not_assessed")
    return VerificationResult(next(stance for stance in ranked if stance in stances))


# --- the claim ----------------------------------------------------------------------------------------------------


def _claim_by_text(session: Session, sentence: str) -> ClaimLookup:
    """The claim that states just this, or those that are nearest to it."""
    hits = service.search(session, sentence, {"type": ["claim"]}).hits[:MAX_NEAR_CLAIMS]
    summaries = render.summaries(session, [hit.id for hit in hits]) if hits else {}
    near = tuple(summaries[hit.id] for hit in hits)
    same = next((summary for summary in near if words(summary.statement) == words(sentence)), None)
    return ClaimLookup(near=near) if same is None else ClaimLookup(same)


def _claim_by_id(session: Session, near: FirstNearIds, claim_id: str) -> ClaimLookup:
    """The claim with this id, or the successor of a retired one."""
    published = _published(session, "claim", claim_id)
    if published is not None:
        summary = render.summaries(session, [published])[published]
        is_retired = published != claim_id
        return ClaimLookup(summary, ReplacedRecord(id=claim_id, successor=published) if is_retired else None)
    if session.scalar(select(Claim.pk).where(Claim.id == claim_id)) is not None:
        message = "This claim was retired, and no other took its place."
        fault = ItemFault(field="claim", code="retired", message=message, did_you_mean=())
        return ClaimLookup(replaced=ReplacedRecord(id=claim_id, successor=None), fault=fault)
    message = "There is no claim with this id. GET /v1/search finds claims."
    others = near.of("claim", claim_id)
    return ClaimLookup(fault=ItemFault(field="claim", code="unknown_value", message=message, did_you_mean=others))


# --- the source ---------------------------------------------------------------------------------------------------


def _carrier(session: Session, scheme: IdentifierScheme, normal: str) -> CarriedRecord | None:
    """The published document with the identifier, else the study; the successor of a retired one."""
    carried = select(Document.id).join(DocumentIdentifier)
    carried = carried.where(DocumentIdentifier.scheme == scheme, DocumentIdentifier.normal == normal)
    document = _published(session, "document", session.scalar(carried.order_by(Document.id).limit(1)))
    if document is not None:
        return _carrying_document(session, document, scheme, normal)
    registered = select(Study.id).join(StudyIdentifier)
    registered = registered.where(StudyIdentifier.scheme == scheme, StudyIdentifier.normal == normal)
    study = _published(session, "study", session.scalar(registered.order_by(Study.status, Study.id).limit(1)))
    return _carrying_study(session, study, scheme, normal) if study is not None else None


def _published(session: Session, record_type: str, record_id: str | None) -> str | None:
    """The record's id if it is published, else that of its successor; null if there is none."""
    for _ in range(1 + _MAX_SUCCESSORS):
        row = session.execute(
            select(StoredRecord.status, StoredRecord.successor).where(
                StoredRecord.type == record_type, StoredRecord.id == record_id
            )
        ).one_or_none()
        if row is None:
            return None
        if row.status == Status.published:
            return record_id
        record_id = row.successor
    return None


def _carrying_document(session: Session, document_id: str, scheme: IdentifierScheme, normal: str) -> CarriedRecord:
    document: DocumentWrite = CurrentRecords(session).content(Key("document", document_id))
    in_force = document.current_standing
    own_studies = [link.study for link in document.studies if link.role in _OWN_REPORTS]
    key = select(Document.pk).where(Document.id == document_id).scalar_subquery()
    studies = select(Study.pk).where(Study.id.in_(own_studies))
    read = VerifiedSource(
        type="document",
        id=document.id,
        name=document.label,
        title=document.title,
        scheme=scheme,
        identifier=normal,
        url=identifiers.address(scheme, normal),
        standing=in_force.standing,
        standing_checked_on=checked_on(document.standing),
        notice=in_force.notice,
        documents=(),
        links=SourceLinks(self=render.address("documents", document.id)),
    )
    related = Citation.study_pk.in_(studies) & (Citation.document_pk != key) if own_studies else None
    return CarriedRecord(read, Citation.document_pk == key, related, document.title)


def _carrying_study(session: Session, study_id: str, scheme: IdentifierScheme, normal: str) -> CarriedRecord:
    reports = (
        select(Document.id, Document.label, Document.standing)
        .join(DocumentStudyLink, DocumentStudyLink.document_pk == Document.pk)
        .join(Study, Study.pk == DocumentStudyLink.study_pk)
        .where(Study.id == study_id, Document.status == Status.published, DocumentStudyLink.role.in_(_OWN_REPORTS))
        .order_by(Document.year, Document.id)
        .limit(MAX_CITATIONS)
    )
    name = session.scalars(select(Study.name).where(Study.id == study_id)).one()
    documents = session.execute(reports).all()
    read = VerifiedSource(
        type="study",
        id=study_id,
        name=name,
        title=None,
        scheme=scheme,
        identifier=normal,
        url=identifiers.address(scheme, normal),
        standing=Standing.retracted if any(row.standing == Standing.retracted for row in documents) else None,
        standing_checked_on=None,
        notice=None,
        documents=tuple(DocumentRef(id=row.id, label=row.label) for row in documents),
        links=SourceLinks(self=render.address("studies", study_id)),
    )
    return CarriedRecord(read, Citation.study_pk.in_(select(Study.pk).where(Study.id == study_id)), None, None)


def _title_check(session: Session, given: str, source: CarriedRecord) -> TitleCheck:
    if source.title is None:
        return TitleCheck(result=TitleResult.not_recorded, recorded=None, similarity=None, other_document=None)
    result, similarity = titles.compare(given, source.title)
    other = _document_titled(session, given, source.read.id) if result is TitleResult.different else None
    return TitleCheck(result=result, recorded=source.title, similarity=similarity, other_document=other)


def _document_titled(session: Session, title: str, but: str) -> DocumentRef | None:
    """Another document with this title: what is probably meant where an identifier was mixed up."""
    hits = service.search(session, title[:400], {"type": ["document"]}).hits[:MAX_NEAR_CLAIMS]
    rows = select(Document.id, Document.label, Document.title).where(
        Document.id.in_([hit.id for hit in hits]), Document.id != but, Document.title.is_not(None)
    )
    for row in session.execute(rows.order_by(Document.id)):
        if titles.compare(title, row.title)[0] is not TitleResult.different:
            return DocumentRef(id=row.id, label=row.label)
    return None


# --- quotations ---------------------------------------------------------------------------------------------------


def _quote_check(view: ReadView, quote: str, source: CarriedRecord) -> QuoteCheck:
    """Looks in all that may hold words of a source, and in our own words, which are often taken for the source's."""
    quoted = words(quote)
    if len(quoted) < FEWEST_QUOTED_WORDS:
        return QuoteCheck(result=QuoteResult.too_short, citation=None)
    texts = view.session.execute(
        select(Citation.id, Citation.finding, Claim.statement)
        .join(Claim, Claim.pk == Citation.claim_pk)
        .where(source.cited, Claim.status == Status.published)
        .order_by(Citation.id)
    ).all()
    quotes = view.session.execute(
        select(Citation.id, QuotedText.text)
        .join(Claim, Claim.pk == Citation.claim_pk)
        .join(QuotedText, QuotedText.citation_pk == Citation.pk)
        .where(source.cited, Claim.status == Status.published)
        .order_by(Citation.id, QuotedText.position)
    )
    recorded = next((row.id for row in quotes if _contains(row.text, quoted)), None)
    if recorded is not None:
        return QuoteCheck(result=QuoteResult.in_recorded_quote, citation=recorded)
    if _contains(source.title, quoted):
        return QuoteCheck(result=QuoteResult.in_title, citation=None)
    ours = next((row.id for row in texts if _contains(row.finding, quoted) or _contains(row.statement, quoted)), None)
    result = QuoteResult.no_text_held if ours is None else QuoteResult.our_words
    return QuoteCheck(result=result, citation=ours)


def _contains(text: str | None, quoted: Sequence[str]) -> bool:
    """Whether the words stand in the text, one after the other."""
    return text is not None and f" {' '.join(quoted)} " in f" {' '.join(words(text))} "


# --- what the source says -----------------------------------------------------------------------------------------


def _citation_ids(session: Session, condition: ColumnElement[bool], claim_ids: Sequence[str]) -> CitationIds:
    """Citations of claims that meet the condition."""
    rows = session.execute(
        select(Citation.id, Claim.id.label("claim"))
        .join(Claim, Claim.pk == Citation.claim_pk)
        .where(condition, Claim.id.in_(claim_ids), Claim.status == Status.published)
        .order_by(Citation.position, Citation.id)
    )
    by_claim: dict[str, list[str]] = {}
    for row in rows:
        by_claim.setdefault(row.claim, []).append(row.id)
    return {claim_id: ids[:MAX_CITATIONS] for claim_id, ids in by_claim.items()}


def _recorded_citations(view: ReadView, comparisons: Iterable[CitationLookup]) -> dict[str, SourceOnClaim]:
    """The citations of all comparisons by id, read together."""
    chosen = [ids for one in comparisons for by_claim in (one.cited, one.related) for ids in by_claim.values()]
    unique = list(dict.fromkeys(chain.from_iterable(chosen)))
    bodies = current_bodies(view, "citation", unique)
    return dict(zip(unique, map(_on_claim, deadline.checked(bodies)), strict=True))


def _on_claim(body: bytes) -> SourceOnClaim:
    citation = CitationRead.model_validate(from_json(body))
    return SourceOnClaim(
        **{name: getattr(citation, name) for name in SourceOnClaim.model_fields.keys() - {"document", "links"}},
        document=DocumentRef(id=citation.document.id, label=citation.document.label),
        links=SourceLink(self=citation.links.self, claim=citation.links.claim),
    )
