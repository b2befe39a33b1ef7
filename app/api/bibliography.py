"""Reference lists: what any choice of claims, or a brief, rests on."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, NamedTuple

from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.api.briefs import read_brief
from app.api.common import with_text
from app.api.formats import (
    REFERENCE_OFFERS,
    Choice,
    FormatAddresses,
    ReferenceFormat,
    add_format_addresses,
    choose,
    documented,
    formatted_response,
)
from app.bibliography import ALL_FORMATS, formatted, reference_list
from app.bibliography.reference_list import Bibliography
from app.bibliography.styles import Style
from app.briefs.selection import pair_of
from app.claims import queries
from app.claims.models import Claim
from app.claims.queries import CountedClaimQuery
from app.concepts.queries import concept_keys
from app.core import deadline
from app.http import conditional
from app.http.conditional import query_etag
from app.http.problems import responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.sources.schemas import DocumentWrite
from app.storage.filter_index import filter_index
from app.storage.history import StoredRecord
from app.storage.read_view import ReadView
from app.storage.records import CurrentRecords

router = APIRouter(tags=["bibliography"])


class ReferencesQuery(CountedClaimQuery):
    """The filters of `/v1/claims`. A bibliography is given whole, so it has no pages."""

    limit: ClassVar[int]  # type: ignore[misc]
    cursor: ClassVar[None]  # type: ignore[misc]


class BibliographyFilters(ReferencesQuery):
    brief: Annotated[str, Field(max_length=200, pattern=r"^[!-.0-~]+/[!-.0-~]+$")] | None = None
    """The references of a brief, as `intervention/condition`, under the brief's own numbers where nothing else is
    asked for."""


class BibliographyQuery(BibliographyFilters):
    format: ReferenceFormat | None = None
    """Goes before the `Accept` header."""
    style: Style | None = None
    """Of formatted references; AMA unless named."""


class ChosenReferences(NamedTuple):
    """Which documents a bibliography lists."""

    ids: list[str]
    name: str
    """Of a file that holds them."""
    part: str
    """Of the data set that was asked for, as `how_to_cite` names it; empty for the data set."""
    address: str


@router.get(
    "/v1/bibliography",
    operation_id="getBibliography",
    summary="The references of any choice of claims, or of a brief",
    response_model=Bibliography,
    responses=documented(REFERENCE_OFFERS, "The whole reference list.") | responses(406, 422, 503),
)
async def get_bibliography(
    request: Request, query: Annotated[BibliographyQuery, query_of(BibliographyQuery)]
) -> Response:
    """Every document that the chosen claims cite, once, numbered in the order of first appearance. Documents that
    dispute a claim stand beside those that support it; retracted ones are marked in every format.

    Whole, or 422 `too_many_references`. Keys are document ids. By `Accept` or `format` as JSON, CSL-JSON, BibTeX, RIS
    or formatted text; the text inside the JSON is in the `style` too.
    """
    choice = choose(request, REFERENCE_OFFERS, query.format, query.style)
    return await answer_bibliography(request, query, choice)


async def answer_bibliography(request: Request, query: ReferencesQuery, choice: Choice) -> Response:
    """What the chosen claims, or a brief, rest on, in the chosen format."""
    return await reads_of(request).run(request, bibliography_response, request, query, choice)


add_format_addresses(
    router,
    FormatAddresses(
        "/v1/bibliography",
        "getBibliography",
        "The references of any choice of claims, or of a brief",
        "Every document that the chosen claims cite, once, in the order of first appearance; whole, or 422 "
        "`too_many_references`.",
        (422, 503),
    ),
    BibliographyFilters,
    answer_bibliography,
)


def bibliography_response(view: ReadView, request: Request, query: ReferencesQuery, choice: Choice) -> Response:
    tag = conditional.etag(query_etag(request, view.state).encode(), choice.content_type)
    if conditional.matching_tag(request.headers.get("if-none-match"), tag) is not None:
        return formatted_response(request, choice, tag, b"", file_name="bibliography")
    chosen = _chosen(view, query)
    documents = reference_list.documents(CurrentRecords(view.session), chosen.ids)
    if choice.format == "json":
        body = _as_json(view, chosen, documents, getattr(query, "style", None) or Style.ama)
    else:
        references = formatted.references(view.session, deadline.checked(documents), choice.style)
        body = ALL_FORMATS[choice.format].render(references, choice.style or "").encode()
    return formatted_response(request, choice, tag, body, file_name=chosen.name)


def _as_json(view: ReadView, chosen: ChosenReferences, documents: Sequence[DocumentWrite], style: Style) -> bytes:
    references = formatted.references(view.session, deadline.checked(documents), style)
    bibliography = Bibliography(
        style=style,
        how_to_cite=reference_list.how_to_cite(view, chosen.address, chosen.part),
        items=tuple(
            reference_list.numbered(number, document, reference, style)
            for number, (document, reference) in enumerate(zip(documents, references, strict=True), 1)
        ),
        next=None,
        next_cursor=None,
        total=len(documents),
        total_is="exact",
        missing=(),
    )
    return bibliography.model_dump_json().encode()


def _chosen(view: ReadView, query: ReferencesQuery) -> ChosenReferences:
    asked = query.model_fields_set - {"format", "style"}
    brief = query.brief if isinstance(query, BibliographyFilters) else None
    if query.id:
        # No format of references can say that some are missing, so that none may be.
        queries.keys_of_ids(view.session, Claim, query.id, "id")
    ids: list[str] = []
    if brief is None or asked != {"brief"}:
        selection = with_text(view, queries.claims(view, query), query)
        ids = reference_list.cited_documents(view.session, selection.keys(view.session, filter_index(view)), query.sort)
    if brief is not None:
        return _of_brief(view, brief, None if asked == {"brief"} else set(ids))
    if asked == {"id"} and len(query.id) == 1:
        claim = view.session.get_one(StoredRecord, ("claim", query.id[0]))
        part = f"Claim {claim.id}, version {claim.version}"
        return ChosenReferences(ids, claim.id, part, f"/v1/claims/{claim.id}?serial={claim.serial}")
    return ChosenReferences(ids, "bibliography", "", "/v1/meta")


def _of_brief(view: ReadView, name: str, among: set[str] | None) -> ChosenReferences:
    """The brief's references, or those of them that the other filters ask for as well."""
    session = view.session
    intervention, _, condition = name.partition("/")
    (intervention_pk,) = concept_keys(session, "intervention", [intervention], "brief")[:1]
    (condition_pk,) = concept_keys(session, "condition", [condition], "brief")[:1]
    brief = read_brief(view, pair_of(session, intervention_pk, condition_pk))
    ids = [cited.document.id for cited in brief.references if among is None or cited.document.id in among]
    if len(ids) > reference_list.MAX_REFERENCES:
        raise reference_list.TooManyReferences
    file_name = f"{brief.intervention.id}-{brief.condition.id}"
    return ChosenReferences(ids, file_name, f"Brief: {brief.title}", brief.links.self)
