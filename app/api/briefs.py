"""Briefs: what is known of an intervention in a condition, as JSON, Markdown or a page."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.api.meta import LICENCES
from app.api.records import ListOf, next_address
from app.briefs import builder as briefs
from app.briefs import selection as brief_claims
from app.briefs.markdown import markdown
from app.briefs.page import CONTENT_SECURITY_POLICY, html
from app.briefs.responses import BriefFoot, BriefRead, DataLicence
from app.claims.queries import Names
from app.concepts.models import Concept
from app.concepts.queries import by_code, keys_named
from app.concepts.schemas import ConceptRef
from app.concepts.vocabulary import CodeRelation, CodeSystem
from app.core.errors import Fault, Gone, InvalidInput, NotAcceptable, NotFound, nearest
from app.core.text import SLUG_LENGTH, SLUG_PATTERN
from app.core.vocabulary import Status
from app.grading.grade import METHOD
from app.http import conditional as caching
from app.http.dataset import Dataset
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import responses
from app.publishing.records import CurrentRecords
from app.registry import BY_TYPE
from app.storage.database import Database
from app.storage.history import RecordReference, StoredRecord
from app.storage.paging import ListQuery, decode, encode
from app.storage.resource import Key

router = APIRouter(tags=["briefs"])


class Format(StrEnum):
    json = "json"
    markdown = "markdown"
    html = "html"


MEDIA_TYPES = {Format.json: "application/json", Format.markdown: "text/markdown", Format.html: "text/html"}
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


class BriefEntryLinks(BaseModel):
    model_config = ConfigDict(extra="forbid")
    self: str
    markdown: str
    html: str
    claims: str


class BriefEntry(BaseModel):
    """A pair that at least one claim names."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

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
def list_briefs(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[BriefListQuery, Query()]
) -> Response:
    """Pairs of intervention and condition that claims name, by intervention, then condition. Any other known pair has
    a brief too, which says that nothing is recorded."""
    tag = caching.etag(b"", str(dataset.serial), request.url.path, request.url.query)
    statement, intervention, condition = brief_claims.pairs()
    if query.intervention:
        statement = statement.where(
            intervention.pk.in_(keys_named(session, "intervention", query.intervention, "intervention"))
        )
    if query.condition:
        statement = statement.where(condition.pk.in_(keys_named(session, "condition", query.condition, "condition")))
    if caching.if_none_match(request.headers.get("if-none-match"), tag):
        return caching.json_response(request, b"", tag, headers=dataset.headers)
    total = session.scalar(select(func.count()).select_from(statement.subquery())) or 0
    if query.cursor is not None:
        last_intervention, last_condition = decode(query.cursor, query.fingerprint())
        same = and_(intervention.id == last_intervention, condition.id > last_condition)
        statement = statement.where(or_(intervention.id > last_intervention, same))
    rows = session.execute(statement.order_by(intervention.id, condition.id).limit(query.limit + 1)).all()
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    cursor = encode(query.fingerprint(), [shown[-1].intervention, shown[-1].condition]) if more else None
    following = next_address(request, cursor)
    body = to_json(
        {
            "items": [
                _entry(
                    ConceptRef(id=row.intervention, name=row.intervention_name),
                    ConceptRef(id=row.condition, name=row.condition_name),
                    row.statements,
                    row.studies,
                ).model_dump()
                for row in shown
            ],
            "next": following,
            "next_cursor": cursor,
            "total": total,
            "total_is": "exact",
        }
    )
    headers = dataset.headers | ({"Link": f'<{following}>; rel="next"'} if following else {})
    return caching.json_response(request, body, tag, headers=headers)


def _entry(intervention: ConceptRef, condition: ConceptRef, statements: int, studies: int) -> BriefEntry:
    address = f"/v1/briefs/{intervention.id}/{condition.id}"
    return BriefEntry(
        intervention=intervention,
        condition=condition,
        statements=statements,
        studies=studies,
        links=BriefEntryLinks(
            self=address,
            markdown=f"{address}?format=markdown",
            html=f"{address}?format=html",
            claims=f"/v1/claims?intervention={intervention.id}&condition={condition.id}",
        ),
    )


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


class BriefQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

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
def get_brief(
    request: Request,
    session: ReadSession,
    dataset: CurrentDataset,
    intervention: IdOrCode,
    condition: IdOrCode,
    query: Annotated[BriefQuery, Query()],
) -> Response:
    """Every sentence is a claim with its version, caveat, certainty in words and numbered footnotes with their stance;
    disputing evidence stands beside supporting; every reference is listed once."""
    kind = query.format or negotiated(request.headers.get("accept"))
    pair = brief_claims.pair_of(
        session, _key(session, "intervention", intervention), _key(session, "condition", condition)
    )
    address = f"/v1/briefs/{pair.intervention}/{pair.condition}"
    headers = dataset.headers | {"Vary": "Accept, Accept-Encoding", "Content-Location": f"{address}?format={kind}"}
    if kind is Format.html:
        headers |= _SECURITY
    tag = caching.etag(b"", str(dataset.serial), address, kind)
    if caching.if_none_match(request.headers.get("if-none-match"), tag):
        return caching.json_response(request, b"", tag, headers=headers)
    body = _rendered(read_brief(session, dataset, pair), kind).encode()
    answer = caching.json_response(request, body, tag, headers=headers)
    if kind is not Format.json:
        answer.headers["Content-Type"] = f"{MEDIA_TYPES[kind]}; charset=utf-8"
    return answer


def brief_file(database: Database, intervention: str, condition: str, format: Format) -> str:
    """The brief as the text of a file; NotFound or Gone for what is not there."""
    with database.read() as session:
        dataset = Dataset.of(session)
        keys = _key(session, "intervention", intervention), _key(session, "condition", condition)
        return _rendered(read_brief(session, dataset, brief_claims.pair_of(session, *keys)), format)


def read_brief(session: Session, dataset: Dataset, pair: brief_claims.Pair) -> BriefRead:
    chosen = brief_claims.claim_ids(session, pair)
    foot = BriefFoot(
        release=dataset.release,
        serial=dataset.serial,
        consensus_method=METHOD.consensus,
        certainty_method=METHOD.certainty,
        licence=DataLicence(**LICENCES.data.model_dump()),
    )
    return briefs.build(session, _loaded(session, chosen), pair, chosen, foot)


def _rendered(brief: BriefRead, kind: Format) -> str:
    if kind is Format.markdown:
        return markdown(brief)
    return html(brief) if kind is Format.html else brief.model_dump_json()


def _loaded(session: Session, claims: Sequence[str]) -> CurrentRecords:
    """The claims and all that they name, read in two statements instead of one by one."""
    world = CurrentRecords(session)
    columns = (StoredRecord.type, StoredRecord.id, StoredRecord.content, StoredRecord.derived)
    named = and_(RecordReference.to_type == StoredRecord.type, RecordReference.to_id == StoredRecord.id)
    for statement in (
        select(*columns).where(StoredRecord.type == "claim", StoredRecord.id.in_(claims)),
        select(*columns)
        .join(RecordReference, named)
        .where(RecordReference.type == "claim", RecordReference.id.in_(claims), StoredRecord.type != "claim")
        .distinct(),
    ):
        for record_type, record_id, content, derived in session.execute(statement):
            resource, key = BY_TYPE[record_type], Key(record_type, record_id)
            world.overlay(key, resource.write.model_validate_json(content))
            world.overlay_derived(key, resource.derived.model_validate_json(derived))
    return world


# --- names and formats --------------------------------------------------------------------------------------------


def _key(session: Session, record_type: str, name: str) -> int:
    """The concept with this id, or the one that fits this code best."""
    if ":" in name:
        return _key_of_code(session, record_type, name)
    row = session.execute(
        select(Concept.pk, Concept.status, Concept.successor).where(Concept.type == record_type, Concept.id == name)
    ).one_or_none()
    if row is None:
        known = session.scalars(
            select(Concept.id)
            .where(Concept.type == record_type, Concept.status == Status.published)
            .order_by(Concept.id)
        ).all()
        fault = Fault(
            "path", record_type, "unknown_value", f"There is no {record_type} with this id.",
            did_you_mean=nearest(name, known) or None,
        )  # fmt: skip
        raise NotFound(fault.message, errors=[fault])
    if row.status == Status.retired:
        successor = f"{BY_TYPE[record_type].path}/{row.successor}" if row.successor else None
        raise Gone(f"This {record_type} was retired.", successor=row.successor, successor_url=successor)
    return int(row.pk)


def _key_of_code(session: Session, record_type: str, name: str) -> int:
    system, _, code = name.partition(":")
    if system not in list(CodeSystem):
        message = "Write a code as system:code with one of the systems in `allowed`."
        fault = Fault("path", record_type, "unknown_system", message, tuple(CodeSystem))
        raise InvalidInput("The code's system is not known here.", errors=[fault])
    found = by_code(session, CodeSystem(system), code, record_type)
    if not found:
        raise NotFound(f"No {record_type} carries this code, nor a wider one.")
    order = list(CodeRelation)
    return min(found, key=lambda match: (order.index(CodeRelation(match[1].relation)), match[0]))[0]


def negotiated(accept: str | None) -> Format:
    """The format that the client likes best (RFC 9110, section 12.5.1); NotAcceptable where it takes none of ours."""
    if accept is None or not accept.strip():
        return Format.json
    ranges = list(_ranges(accept))
    best = max(MEDIA_TYPES, key=lambda kind: _quality(ranges, MEDIA_TYPES[kind]))
    if not _quality(ranges, MEDIA_TYPES[best]):
        raise NotAcceptable(MEDIA_TYPES.values())
    return best


def _ranges(accept: str) -> Iterable[tuple[str, float]]:
    for item in accept.lower().split(","):
        media, *parameters = (part.strip() for part in item.split(";"))
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        yield media, float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 0.0


def _quality(ranges: Sequence[tuple[str, float]], media_type: str) -> float:
    """That of the most specific range which covers the type."""
    for wanted in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        for media, quality in ranges:
            if media == wanted:
                return quality
    return 0.0
