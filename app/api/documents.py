"""Documents: publications, web pages and labels, in the formats of reference managers too."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json
from sqlalchemy import select

from app.api import common, formats
from app.api.presentation import Selected, refuse_unless_json
from app.api.tables import add_table_route
from app.bibliography import ALL_FORMATS, formatted, reference_list
from app.bibliography.styles import Style
from app.claims import catalogue_queries as catalogue
from app.claims import rendering as render
from app.claims.catalogue_queries import DOCUMENT_SORTS
from app.claims.catalogue_responses import DocumentWithEvidence
from app.claims.filters import CLAIMS
from app.claims.models import Citation, Claim, ClaimOrigin
from app.claims.queries import keys_of_ids
from app.claims.responses import ClaimEvidence, ClaimSummary, OriginRead
from app.claims.schemas import ClaimWrite
from app.core.content import ResponseModel
from app.core.vocabulary import Status
from app.grading.method import Method, current_method
from app.grading.trace import WhatIf, evidence_if
from app.http import conditional
from app.http.conditional import LinkedBody, query_etag
from app.http.problems import responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.linked_data import schema_org
from app.registry import BY_TYPE
from app.sources.models import Document
from app.sources.schemas import DocumentRef, DocumentWrite
from app.sources.vocabulary import Standing
from app.storage.paging import ListQuery, Page, SortedQuery, statement_page
from app.storage.read_view import ReadView
from app.storage.records import CurrentRecords, DatabaseRecords
from app.storage.resource import Key, RecordReader
from app.storage.selection import Selection

router = APIRouter(tags=["documents"])


class DocumentListQuery(catalogue.DocumentQuery, Selected):
    format: formats.ReferenceFormat | None = None
    """Goes before the `Accept` header."""
    style: Style | None = None
    """Of formatted references (`format=text`); AMA unless named."""


_DOCUMENTS = common.StoredList("document", catalogue.documents, DOCUMENT_SORTS, {"Vary": formats.VARY})


@router.get(
    "/v1/documents",
    operation_id="listDocuments",
    summary="Publications, web pages and labels",
    response_model=common.ListOf[DocumentWithEvidence],
    responses=formats.documented(formats.REFERENCE_OFFERS, "One page, as JSON or as references.")
    | responses(406, 422, 503),
)
async def list_documents(
    request: Request, query: Annotated[DocumentListQuery, query_of(DocumentListQuery)]
) -> Response:
    """Documents with their identifiers and standing. A well-formed DOI or PMID that is not recorded finds nothing.

    In the formats of reference managers too, by `Accept` or `format`; the page and its `Link` stay the same. Whole
    reference lists are at `/v1/bibliography`.
    """
    choice = formats.choose(request, formats.REFERENCE_OFFERS, query.format, query.style)
    if choice.format == "json":
        return await common.answer_list(request, _DOCUMENTS, query)
    refuse_unless_json(query)
    return await answer_references(request, query, choice)


async def answer_references(request: Request, query: catalogue.DocumentQuery, choice: formats.Choice) -> Response:
    """One page of documents as references."""
    return await reads_of(request).run(request, _list_references, request, query, choice)


def _list_references(
    view: ReadView, request: Request, query: catalogue.DocumentQuery, choice: formats.Choice
) -> Response:
    def body() -> LinkedBody:
        page = common.select_page(view, query, catalogue.documents(view, query), DOCUMENT_SORTS)
        documents = reference_list.documents(CurrentRecords(view.session), page.ids)
        references = formatted.references(view.session, documents, choice.style)
        text = ALL_FORMATS[choice.format].render(references, choice.style or "")
        return LinkedBody(text.encode(), common.link_to(common.next_address(request, page.next_cursor)))

    tag = conditional.etag(query_etag(request, view.state).encode(), choice.content_type)
    return formats.formatted_response(request, choice, tag, body, file_name="documents")


async def answer_reference(request: Request, id: str, query: common.ItemQuery, choice: formats.Choice) -> Response:
    """One document as a reference."""
    return await formats.answer_formatted(request, Key("document", id), query, choice, _cited_form)


formats.add_format_addresses(
    router,
    formats.FormatAddresses(
        "/v1/documents",
        "listDocuments",
        "Publications, web pages and labels",
        "One page of documents as references; the next is named by the `Link` header.",
        (422, 503),
    ),
    catalogue.DocumentQuery,
    answer_references,
)
formats.add_format_addresses(
    router,
    formats.FormatAddresses(
        "/v1/documents/{id}",
        "getDocument",
        "One document",
        "The document with this id as a reference, now or, with `serial`, as it was.",
        (404, 410, 422, 503),
    ),
    common.ItemQuery,
    answer_reference,
)


add_table_route(router, "document", catalogue.DocumentQuery, catalogue.documents, DOCUMENT_SORTS)


class DocumentItemQuery(common.RecordQuery):
    format: formats.DocumentFormat | None = None
    """Goes before the `Accept` header."""
    style: Style | None = None
    """Of a formatted reference (`format=text`); AMA unless named."""


@router.get(
    "/v1/documents/{id}",
    operation_id="getDocument",
    summary="One document",
    response_model=DocumentWithEvidence,
    responses=formats.documented(formats.DOCUMENT_OFFERS, "The document, as JSON, JSON-LD or a reference.")
    | responses(404, 406, 410, 422, 503),
)
async def get_document(
    request: Request, id: common.RecordId, query: Annotated[DocumentItemQuery, query_of(DocumentItemQuery)]
) -> Response:
    """The document with this id, now or, with `serial`, as it was. A retired one answers 410 with its successor, and
    200 at the serials at which it was published.

    By `Accept` or `format` also as CSL-JSON, BibTeX, RIS, formatted text in a `style`, or JSON-LD.
    """
    choice = formats.choose(request, formats.DOCUMENT_OFFERS, query.format, query.style)
    return await formats.answer_formatted(request, Key("document", id), query, choice, _cited_form)


def _cited_form(body: bytes, records: DatabaseRecords, choice: formats.Choice) -> bytes:
    """The document as other systems cite it."""
    document = DocumentWithEvidence.model_validate_json(body)
    if choice.format == "jsonld":
        return to_json(schema_org.document(document))
    cited = formatted.references(records.session, [records.content(Key("document", document.id))], choice.style)
    return ALL_FORMATS[choice.format].render(cited, choice.style or "").encode()


common.add_item_routes(router, "document", has_formats=True)


# --- what a document states ---------------------------------------------------------------------------------------


class StatementRead(OriginRead):
    """Something that the document states, and the claim that it is a statement of."""

    claim: ClaimSummary
    """The claim with its verdict; its `origins` name every other place."""


class StatementList(common.ListOf[StatementRead]):
    """The statements of a document, in its order."""

    document: DocumentRef
    standing: Standing


class StatementQuery(ListQuery):
    """The statements in the order of the document."""


@router.get(
    "/v1/documents/{id}/statements",
    operation_id="listDocumentStatements",
    summary="What a document states, with the evidence for each statement",
    response_model=StatementList,
    responses=responses(404, 410, 422, 503),
)
async def list_document_statements(
    request: Request, id: common.RecordId, query: Annotated[StatementQuery, query_of(StatementQuery)]
) -> Response:
    """The document, annotated: every statement in its order, with what it asserts, how that stands to the source that
    the document gives for it (`fit`), and the claim with its verdict. A document is no evidence for its own statements.

    Documents whose statements nobody has recorded have none.
    """
    return await reads_of(request).run(request, _document_statements, request, id, query)


def _document_statements(view: ReadView, request: Request, id: str, query: StatementQuery) -> Response:
    common.get_current(view, BY_TYPE["document"], id)

    def body() -> LinkedBody:
        document, items, page = statements_page(view, id, query)
        return common.page_body(request, page, [item.model_dump_json().encode() for item in items], _about(document))

    return common.list_response(request, view, body)


def statements_page(view: ReadView, id: str, query: StatementQuery) -> tuple[DocumentWrite, list[StatementRead], Page]:
    """The document, and a page of what it states."""
    session = view.session
    records = CurrentRecords(session)
    document: DocumentWrite = records.content(Key("document", id))
    (key,) = keys_of_ids(session, Document, [id], "id")
    stated = (
        select(Claim.id, ClaimOrigin.position)
        .join(Claim, Claim.pk == ClaimOrigin.claim_pk)
        .where(ClaimOrigin.document_pk == key, Claim.status == Status.published)
    )
    rows, page = statement_page(session, stated, (ClaimOrigin.position, Claim.id), query.page_request(id))
    summaries = render.summaries(session, {row.id for row in rows})
    records.prefetch(Key("claim", claim_id) for claim_id in summaries)
    items = []
    for claim_id, position, *_ in rows:
        claim: ClaimWrite = records.content(Key("claim", claim_id))
        (origin,) = (o for o in claim.origins if (o.document, o.position) == (id, position))
        items.append(StatementRead(claim=summaries[claim_id], **dict(render.origin(records, origin))))
    return document, items, page


# --- what rests on a document -------------------------------------------------------------------------------------


class ImpactRead(ResponseModel):
    """What a claim's answer is with the document and what it would be without it."""

    claim: ClaimSummary
    before: ClaimEvidence
    """As published."""
    after: ClaimEvidence
    """As if the document were retracted; the same as before where it already is."""
    changes_answer: bool
    """Whether consensus, leaning or certainty would change."""


class ImpactList(common.ListOf[ImpactRead]):
    """The claims that rest on a document."""

    document: DocumentRef
    standing: Standing


class ImpactQuery(SortedQuery):
    sort: Literal["id", "-id"] = "id"


@router.get(
    "/v1/documents/{id}/impact",
    operation_id="getDocumentImpact",
    summary="Which claims rest on a document, and what its retraction would change",
    response_model=ImpactList,
    responses=responses(404, 410, 422, 503),
)
async def get_document_impact(
    request: Request, id: common.RecordId, query: Annotated[ImpactQuery, query_of(ImpactQuery)]
) -> Response:
    """Each claim that cites the document, graded with it and as if it were retracted."""
    return await reads_of(request).run(request, _document_impact, request, id, query)


def _document_impact(view: ReadView, request: Request, id: str, query: ImpactQuery) -> Response:
    common.get_current(view, BY_TYPE["document"], id)

    def body() -> LinkedBody:
        session = view.session
        document: DocumentWrite = CurrentRecords(session).content(Key("document", id))
        (key,) = keys_of_ids(session, Document, [id], "id")
        citing = select(Citation.claim_pk).where(Citation.document_pk == key)
        selection = Selection("claim", CLAIMS).where(Claim.pk.in_(citing))
        page = common.select_page(view, query, selection, {"id": Claim.id})
        records = CurrentRecords(session)
        records.prefetch((Key("claim", claim_id) for claim_id in page.ids), depth=1)
        method = current_method(session)
        items = [_impact(records, claim_id, id, method).model_dump_json().encode() for claim_id in page.ids]
        return common.page_body(request, page, items, _about(document))

    return common.list_response(request, view, body)


def _about(document: DocumentWrite) -> bytes:
    """The document and its standing, beside the items of a list."""
    about = DocumentRef(id=document.id, label=document.label).model_dump_json().encode()
    return b',"document":%b,"standing":"%b"' % (about, document.current_standing.standing.encode())


def _impact(records: RecordReader, claim_id: str, document_id: str, method: Method) -> ImpactRead:
    before = records.derived(Key("claim", claim_id)).evidence
    after = evidence_if(records, claim_id, WhatIf(as_if_retracted=(document_id,)), method)
    return ImpactRead(
        claim=render.summary(records, claim_id),
        before=before,
        after=after,
        changes_answer=(before.consensus, before.leaning, before.certainty)
        != (after.consensus, after.leaning, after.certainty),
    )
