"""Reference lists: what any choice of claims, or a brief, rests on."""

from typing import Annotated, ClassVar, Literal, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.api.briefs import read_brief
from app.api.negotiation import REFERENCE_OFFERS, ReferenceFormat, answer, choose, documented
from app.api.records import list_tag, with_text
from app.bibliography import FORMATS
from app.bibliography import reference_list as bibliography
from app.bibliography.from_documents import reference
from app.bibliography.reference_list import Bibliography
from app.bibliography.styles import Style, format_reference
from app.briefs import selection as brief_claims
from app.claims import queries
from app.claims.queries import ClaimQuery
from app.concepts.queries import keys_named
from app.http import conditional as caching
from app.http.dataset import Dataset
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import responses
from app.publishing.records import CurrentRecords
from app.storage.filter_index import kept
from app.storage.history import Publication, StoredRecord

router = APIRouter(tags=["bibliography"])


class BibliographyQuery(ClaimQuery):
    """The filters of `/v1/claims`. A bibliography is given whole, so it has no pages and no views of citations."""

    limit: ClassVar[int]  # type: ignore[misc]
    cursor: ClassVar[None]  # type: ignore[misc]
    citations: ClassVar[Literal["all"]]  # type: ignore[misc]
    brief: Annotated[str, Field(max_length=200, pattern=r"^[!-.0-~]+/[!-.0-~]+$")] | None = None
    """The references of a brief, as `intervention/condition`, under the brief's own numbers where nothing else is
    asked for."""
    format: ReferenceFormat | None = None
    """Goes before the `Accept` header."""
    style: Style | None = None
    """Of formatted references; AMA unless named."""


class _Found(NamedTuple):
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
def get_bibliography(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[BibliographyQuery, Query()]
) -> Response:
    """Every document that the chosen claims cite, once, numbered in the order of first appearance. Documents that
    dispute a claim stand beside those that support it; retracted ones are marked in every format.

    Whole, or 422 `too_many_references`. Keys are document ids. By `Accept` or `format` as JSON, CSL-JSON, BibTeX, RIS
    or formatted text; the text inside the JSON is in the `style` too.
    """
    choice = choose(request, REFERENCE_OFFERS, query.format, query.style)
    tag = caching.etag(list_tag(request, dataset).encode(), choice.content_type)
    if caching.if_none_match(request.headers.get("if-none-match"), tag):
        return answer(request, choice, b"", tag, file_name="bibliography", headers=dataset.headers)
    found = _found(session, dataset, query)
    documents = bibliography.documents(CurrentRecords(session), found.ids)
    references = [reference(document) for document in documents]
    if choice.format == "json":
        style = query.style or Style.ama
        body = (
            Bibliography(
                style=style,
                how_to_cite=bibliography.how_to_cite(
                    serial=dataset.serial,
                    release=dataset.release,
                    published_at=session.scalar(select(Publication.at).where(Publication.serial == dataset.serial)),
                    part=found.part,
                    address=found.address,
                ),
                items=tuple(
                    bibliography.numbered(document, number, format_reference(cited, style))
                    for number, (document, cited) in enumerate(zip(documents, references, strict=True), 1)
                ),
                next=None,
                next_cursor=None,
                total=len(documents),
                total_is="exact",
            )
            .model_dump_json()
            .encode()
        )
    else:
        body = FORMATS[choice.format].render(references, choice.style or "").encode()
    return answer(request, choice, body, tag, file_name=found.name, headers=dataset.headers)


def _found(session: Session, dataset: Dataset, query: BibliographyQuery) -> _Found:
    asked = query.model_fields_set - {"format", "style"}
    ids: list[str] = []
    if query.brief is None or asked != {"brief"}:
        reading = kept(session, dataset.serial)
        claims = with_text(session, queries.claims(session, reading, query), query).keys(session, reading)
        ids = bibliography.cited_documents(session, claims, query.sort)
    if query.brief is not None:
        return _of_brief(session, dataset, query.brief, None if asked == {"brief"} else set(ids))
    if asked == {"id"} and len(query.id) == 1:
        claim = session.get_one(StoredRecord, ("claim", query.id[0]))
        part = bibliography.claim_part(claim.id, claim.version)
        return _Found(ids, claim.id, part, f"/v1/claims/{claim.id}?serial={claim.serial}")
    return _Found(ids, "bibliography", "", "/v1/meta")


def _of_brief(session: Session, dataset: Dataset, named: str, among: set[str] | None) -> _Found:
    """The brief's references, or those of them that the other filters ask for as well."""
    intervention, _, condition = named.partition("/")
    (intervention_pk,) = keys_named(session, "intervention", [intervention], "brief")[:1]
    (condition_pk,) = keys_named(session, "condition", [condition], "brief")[:1]
    brief = read_brief(session, dataset, brief_claims.pair_of(session, intervention_pk, condition_pk))
    ids = [cited.document.id for cited in brief.references if among is None or cited.document.id in among]
    if len(ids) > bibliography.MAX_REFERENCES:
        raise bibliography.TooManyReferences
    name = f"{brief.intervention.id}-{brief.condition.id}"
    return _Found(ids, name, bibliography.brief_part(brief.title), brief.links.self)
