"""Briefs: what is known of an intervention in a condition, as JSON, Markdown or a page."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.api.common import ListOf, gone, list_response, page_body
from app.briefs import builder, selection
from app.briefs.rendering import CONTENT_SECURITY_POLICY, html, markdown
from app.briefs.responses import BriefFoot, BriefLinks, BriefRead
from app.claims.queries import Names
from app.concepts.manifest import current_code_systems, current_manifest
from app.concepts.models import Concept
from app.concepts.queries import by_code, concept_keys
from app.concepts.schemas import ConceptRef
from app.concepts.vocabulary import CodeRelation
from app.core.content import QueryModel, ResponseModel
from app.core.errors import Fault, InvalidInput, NotFound
from app.core.text import SLUG_LENGTH, SLUG_PATTERN
from app.core.vocabulary import Status
from app.grading.method import current_method
from app.http import conditional
from app.http.conditional import LinkedBody, conditional_response
from app.http.negotiation import negotiate
from app.http.problems import responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.registry import BY_TYPE
from app.storage.database import Database
from app.storage.near_ids import unknown_record
from app.storage.paging import ListQuery, statement_page
from app.storage.read_view import ReadView
from app.storage.records import CurrentRecords
from app.storage.resource import Key

router = APIRouter(tags=["briefs"])


class Format(StrEnum):
    json = "json"
    markdown = "markdown"
    html = "html"


MEDIA_TYPES = {
    Format.json: "application/json",
    Format.markdown: "text/markdown",
    Format.html: "text/html",
}
"""In the order in which they are offered to a client that takes anything."""

_SECURITY = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


# --- which briefs there are ---------------------------------------------------------------------------------------


class BriefListQuery(ListQuery):
    intervention: Names = ()
    """Id, or code such as `rxnorm:7243`."""
    condition: Names = ()
    """Id, or code such as `icd10cm:M79.7`."""


class BriefEntryLinks(BriefLinks):
    pass


class BriefEntry(ResponseModel):
    """A pair that at least one claim names."""

    intervention: ConceptRef
    condition: ConceptRef
    statements: int
    """Claims that name both."""
    studies: int
    """Studies, other than reviews, that those claims cite."""
    links: BriefEntryLinks


@router.get(
    "/v1/briefs",
    operation_id="listBriefs",
    summary="The briefs that have something to tell",
    response_model=ListOf[BriefEntry],
    responses=responses(422, 503),
)
async def list_briefs(request: Request, query: Annotated[BriefListQuery, query_of(BriefListQuery)]) -> Response:
    """Pairs of intervention and condition that claims name, by intervention, then condition. Any other known pair has
    a brief too, which says that nothing is recorded."""
    return await reads_of(request).run(request, _list_briefs, request, query)


def _list_briefs(view: ReadView, request: Request, query: BriefListQuery) -> Response:
    session = view.session
    statement, intervention, condition = selection.pairs()
    for name, concept in (("intervention", intervention), ("condition", condition)):
        if names := getattr(query, name):
            statement = statement.where(concept.pk.in_(concept_keys(session, name, names, name)))

    def body() -> LinkedBody:
        rows, page = statement_page(session, statement, (intervention.id, condition.id), query.page_request())
        items = [
            BriefEntry(
                intervention=ConceptRef(id=row.intervention, name=row.intervention_name),
                condition=ConceptRef(id=row.condition, name=row.condition_name),
                statements=row.statements,
                studies=row.studies,
                links=BriefEntryLinks.of(row.intervention, row.condition),
            )
            for row in rows
        ]
        return page_body(request, page, [item.model_dump_json().encode() for item in items])

    return list_response(request, view, body)


# --- one brief ----------------------------------------------------------------------------------------------------

_CODE_PATTERN = r"[a-z0-9_]+:[A-Za-z0-9][A-Za-z0-9.\-]{0,60}"
IdOrCode = Annotated[
    str,
    Path(
        max_length=SLUG_LENGTH + 30,
        pattern=f"^({SLUG_PATTERN.strip('^$')}|{_CODE_PATTERN})$",
        description="An id, or a code such as `rxnorm:7243` or `icd10cm:M79.7`.",
    ),
]


class BriefQuery(QueryModel):
    format: Format | None = None
    """Goes before the `Accept` header."""


@router.get(
    "/v1/briefs/{intervention}/{condition}",
    operation_id="getBrief",
    summary="What is known of an intervention in a condition",
    response_model=BriefRead,
    responses={
        200: {
            "content": {MEDIA_TYPES[kind]: {"schema": {"type": "string"}} for kind in (Format.markdown, Format.html)},
            "description": "The brief; of a known pair without evidence, one that says so.",
        },
        **responses(404, 406, 410, 422, 503),
    },
)
async def get_brief(
    request: Request, intervention: IdOrCode, condition: IdOrCode, query: Annotated[BriefQuery, query_of(BriefQuery)]
) -> Response:
    """Every sentence is a claim with its version, caveat, certainty in words and numbered footnotes with their stance;
    disputing evidence stands beside supporting; every reference is listed once."""
    accept = None if query.format else request.headers.get("accept")
    media_type = negotiate(accept, list(MEDIA_TYPES.values())).media_type
    chosen = query.format or next(name for name, offered in MEDIA_TYPES.items() if offered == media_type)
    return await reads_of(request).run(request, _brief, request, intervention, condition, chosen)


def _brief(view: ReadView, request: Request, intervention: str, condition: str, format: Format) -> Response:
    pair = pair_named(view.session, intervention, condition)
    address = f"/v1/briefs/{pair.intervention}/{pair.condition}"
    headers = {"Vary": "Accept, Accept-Encoding", "Content-Location": f"{address}?format={format}"}
    if format is Format.html:
        headers |= _SECURITY
    return conditional_response(
        request,
        conditional.etag(b"", view.state.name, address, format),
        lambda: _rendered(view, pair, format).encode(),
        media_type=MEDIA_TYPES[format],
        headers=headers,
    )


def brief_file(database: Database, intervention: str, condition: str, format: Format) -> str:
    """The brief as the text of a file; NotFound or Gone for what is not there."""
    with database.view() as view:
        return _rendered(view, pair_named(view.session, intervention, condition), format)


def read_brief(view: ReadView, pair: selection.Pair) -> BriefRead:
    session = view.session
    chosen = selection.claim_ids(session, pair)
    method = current_method(session)
    foot = BriefFoot(
        release=view.release,
        serial=view.serial,
        consensus_method=method.consensus,
        certainty_method=method.certainty,
        licence=current_manifest(session).licence,
    )
    records = CurrentRecords(session)
    records.prefetch((Key("claim", claim_id) for claim_id in chosen), depth=1)
    return builder.build(session, records, pair, chosen, foot)


def _rendered(view: ReadView, pair: selection.Pair, format: Format) -> str:
    brief = read_brief(view, pair)
    if format is Format.markdown:
        return markdown(brief)
    return html(brief, current_manifest(view.session).language) if format is Format.html else brief.model_dump_json()


# --- names and formats --------------------------------------------------------------------------------------------


def pair_named(session: Session, intervention: str, condition: str) -> selection.Pair:
    """The pair of two ids or codes; NotFound with the nearest ids, or Gone with the successor."""
    keys = _key(session, "intervention", intervention), _key(session, "condition", condition)
    return selection.pair_of(session, *keys)


def _key(session: Session, record_type: str, name: str) -> int:
    """The concept with this id, or the one that fits this code best."""
    if ":" in name:
        return _key_of_code(session, record_type, name)
    row = session.execute(
        select(Concept.pk, Concept.status, Concept.successor).where(Concept.type == record_type, Concept.id == name)
    ).one_or_none()
    if row is None:
        detail = f"There is no {record_type} with this id."
        raise unknown_record(session, record_type, name, detail, parameter=record_type)
    if row.status == Status.retired:
        raise gone(BY_TYPE[record_type], row.successor)
    return int(row.pk)


def _key_of_code(session: Session, record_type: str, name: str) -> int:
    system, _, code = name.partition(":")
    allowed = current_code_systems(session).ids
    if system not in allowed:
        message = "Write a code as system:code with one of the systems in `allowed`."
        fault = Fault("path", record_type, "unknown_system", message, allowed)
        raise InvalidInput("The code's system is not known here.", errors=[fault])
    found = by_code(session, system, code, record_type)
    if not found:
        raise NotFound(f"No {record_type} carries this code, nor a wider one.")
    order = list(CodeRelation)
    return min(found, key=lambda match: (order.index(CodeRelation(match[1].relation)), match[0]))[0]
