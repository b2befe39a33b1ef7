"""Studies and documents: what claims rest on."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json

from app.api.negotiation import (
    DOCUMENT_OFFERS,
    REFERENCE_OFFERS,
    VARY,
    DocumentFormat,
    ReferenceFormat,
    answer,
    choose,
    documented,
)
from app.api.records import (
    ListOf,
    RecordId,
    add_item_routes,
    add_versions_route,
    answer_list,
    item_at,
    list_tag,
    next_address,
    with_text,
)
from app.bibliography import FORMATS
from app.bibliography import reference_list as bibliography
from app.bibliography.from_documents import reference
from app.bibliography.styles import Style
from app.claims import queries
from app.claims.queries import DOCUMENT_SORTS
from app.claims.responses import DocumentWithEvidence, StudyWithEvidence
from app.http import conditional as caching
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import responses
from app.linked_data import schema_org as linked_data
from app.storage.filter_index import kept
from app.storage.paging import paginate
from app.storage.records import CurrentRecords
from app.storage.resource import Key

studies = APIRouter(tags=["studies"])
documents = APIRouter(tags=["documents"])


@studies.get(
    "/v1/studies",
    operation_id="listStudies",
    summary="Studies, registered trials and reviews",
    response_model=ListOf[StudyWithEvidence],
    responses=responses(422, 503),
)
def list_studies(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[queries.StudyQuery, Query()]
) -> Response:
    """Pieces of research, whatever was published about them. A trial without results is a study too; a review is a
    study of its own kind (`is_review`)."""
    return answer_list(
        request, session, dataset, "study", query, lambda _kept: queries.studies(session, query), queries.STUDY_SORTS
    )


class DocumentListQuery(queries.DocumentQuery):
    format: ReferenceFormat | None = None
    """Goes before the `Accept` header."""
    style: Style | None = None
    """Of formatted references (`format=text`); AMA unless named."""


@documents.get(
    "/v1/documents",
    operation_id="listDocuments",
    summary="Publications, web pages and labels",
    response_model=ListOf[DocumentWithEvidence],
    responses=documented(REFERENCE_OFFERS, "One page, as JSON or as references.") | responses(406, 422, 503),
)
def list_documents(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[DocumentListQuery, Query()]
) -> Response:
    """Documents with their identifiers and standing. A well-formed DOI or PMID that is not recorded finds nothing.

    In the formats of reference managers too, by `Accept` or `format`; the page and its `Link` stay the same. Whole
    reference lists are at `/v1/bibliography`.
    """
    choice = choose(request, REFERENCE_OFFERS, query.format, query.style)
    if choice.format == "json":
        answered = answer_list(
            request,
            session,
            dataset,
            "document",
            query,
            lambda _kept: queries.documents(session, query),
            DOCUMENT_SORTS,
        )
        answered.headers["Vary"] = VARY
        return answered
    tag = caching.etag(list_tag(request, dataset).encode(), choice.content_type)
    found = with_text(session, queries.documents(session, query), query)
    page = paginate(session, kept(session, dataset.serial), found, query, sort=query.sort, columns=DOCUMENT_SORTS)
    cited = [reference(document) for document in bibliography.documents(CurrentRecords(session), page.ids)]
    following = next_address(request, page.next_cursor)
    return answer(
        request,
        choice,
        FORMATS[choice.format].render(cited, choice.style or "").encode(),
        tag,
        file_name="documents",
        headers=dataset.headers | ({"Link": f'<{following}>; rel="next"'} if following else {}),
    )


class DocumentItemQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    serial: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = None
    """Read the record as it was at this serial of the data set."""
    format: DocumentFormat | None = None
    """Goes before the `Accept` header."""
    style: Style | None = None
    """Of a formatted reference (`format=text`); AMA unless named."""


@documents.get(
    "/v1/documents/{id}",
    operation_id="getDocument",
    summary="One document",
    response_model=DocumentWithEvidence,
    responses=documented(DOCUMENT_OFFERS, "The document, as JSON, JSON-LD or a reference.")
    | responses(404, 406, 410, 422, 503),
)
def get_document(
    request: Request,
    session: ReadSession,
    dataset: CurrentDataset,
    id: RecordId,
    query: Annotated[DocumentItemQuery, Query()],
) -> Response:
    """The document with this id, now or, with `serial`, as it was. A retired one answers 410 with its successor, and
    200 at the serials at which it was published.

    By `Accept` or `format` also as CSL-JSON, BibTeX, RIS, formatted text in a `style`, or JSON-LD.
    """
    choice = choose(request, DOCUMENT_OFFERS, query.format, query.style)
    body, tag, world = item_at(session, dataset, "document", id, query.serial)
    if choice.format != "json":
        if choice.format == "jsonld":
            body = to_json(linked_data.document(DocumentWithEvidence.model_validate_json(body)))
        else:
            cited = reference(world.content(Key("document", id)))
            body = FORMATS[choice.format].render([cited], choice.style or "").encode()
        tag = caching.etag(body)
    return answer(
        request,
        choice,
        body,
        tag,
        file_name=id,
        headers=dataset.headers,
        cache_control=caching.IMMUTABLE if query.serial else caching.REVALIDATE,
    )


add_item_routes(studies, "study")
add_versions_route(documents, "document")
