"""Why the grades are what they are: the trace of a claim, the reach of a document, and what people have set aside."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.api.records import ListOf, RecordId, body_at, get_current, list_response, list_tag, next_address
from app.claims import rendering as render
from app.claims.filters import CLAIMS
from app.claims.models import Citation, Claim
from app.claims.queries import keys_of_ids
from app.claims.responses import ClaimEvidence, ClaimSummary
from app.core.text import Slug
from app.grading.trace import EvidenceTrace, WhatIf, trace
from app.http import conditional as caching
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import responses
from app.publishing.maintenance import overrides_before
from app.registry import BY_TYPE
from app.sources.models import Document
from app.sources.schemas import DocumentRef, DocumentWrite
from app.sources.vocabulary import Standing
from app.storage.filter_index import kept
from app.storage.paging import ListQuery, Selection, SortedQuery, decode, encode, paginate
from app.storage.records import CurrentRecords, RecordsAt

claims = APIRouter(tags=["claims"])
documents = APIRouter(tags=["documents"])
overrides = APIRouter(tags=["overrides"])

NOT_STORED = "no-store"


class TraceQuery(WhatIf):
    serial: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = None
    """Read the evidence as it was at this serial, graded by today's method."""


@claims.get(
    "/v1/claims/{id}/evidence",
    operation_id="getClaimEvidence",
    summary="How the grades of one claim came to be",
    response_model=EvidenceTrace,
    responses=responses(404, 410, 422, 503),
)
def get_claim_evidence(
    request: Request,
    session: ReadSession,
    dataset: CurrentDataset,
    id: RecordId,
    query: Annotated[TraceQuery, Query()],
) -> Response:
    """Every rule in order with its inputs and result, the units with their weights, and the figures of every citation
    as a forest plot needs them.

    With any what-if parameter the same method runs on less evidence; such an answer is computed for you alone, and is
    neither kept nor cached.
    """
    if query.as_if_retracted:
        keys_of_ids(session, Document, query.as_if_retracted, "as_if_retracted")
    what_if = WhatIf(**query.model_dump(exclude={"serial"}))
    if query.serial is None:
        get_current(session, BY_TYPE["claim"], id)
        told = trace(CurrentRecords(session), id, what_if)
    else:
        body_at(session, dataset, BY_TYPE["claim"], id, query.serial)
        told = trace(RecordsAt(session, query.serial), id, what_if)
    body = told.model_dump_json().encode()
    kept = NOT_STORED if what_if.asked else caching.IMMUTABLE if query.serial else caching.REVALIDATE
    return caching.json_response(request, body, caching.etag(body), cache_control=kept, headers=dataset.headers)


class ImpactRead(BaseModel):
    """What a claim's answer is with the document and what it would be without it."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    claim: ClaimSummary
    before: ClaimEvidence
    """As published."""
    after: ClaimEvidence
    """As if the document were retracted; the same as before where it already is."""
    changes_answer: bool
    """Whether consensus, leaning or certainty would change."""


class ImpactList(ListOf[ImpactRead]):
    """The claims that rest on a document."""

    document: DocumentRef
    standing: Standing


class ImpactQuery(SortedQuery):
    sort: Literal["id", "-id"] = "id"


@documents.get(
    "/v1/documents/{id}/impact",
    operation_id="getDocumentImpact",
    summary="Which claims rest on a document, and what its retraction would change",
    response_model=ImpactList,
    responses=responses(404, 410, 422, 503),
)
def get_document_impact(
    request: Request,
    session: ReadSession,
    dataset: CurrentDataset,
    id: RecordId,
    query: Annotated[ImpactQuery, Query()],
) -> Response:
    """Each claim that cites the document, graded with it and as if it were retracted."""
    row = get_current(session, BY_TYPE["document"], id)
    document = DocumentWrite.model_validate_json(row.content)
    (key,) = keys_of_ids(session, Document, [id], "id")
    citing = select(Citation.claim_pk).where(Citation.document_pk == key)
    matching = Selection("claim", CLAIMS).also(Claim.pk.in_(citing))
    page = paginate(session, kept(session, dataset.serial), matching, query, sort=query.sort, columns={"id": Claim.id})
    bodies = [_impact(session, claim_id, id).model_dump_json().encode() for claim_id in page.ids]
    about = DocumentRef(id=document.id, label=document.label).model_dump_json().encode()
    extra = b',"document":%b,"standing":"%b"' % (about, document.standing[-1].standing.encode())
    return list_response(request, dataset, list_tag(request, dataset), bodies, page, extra)


def _impact(session: Session, claim_id: str, document_id: str) -> ImpactRead:
    world = CurrentRecords(session)
    told = trace(world, claim_id, WhatIf(as_if_retracted=[document_id]))
    before, after = told.as_published, told.evidence
    return ImpactRead(
        claim=render.summary(world, claim_id),
        before=before,
        after=after,
        changes_answer=(before.consensus, before.leaning, before.certainty)
        != (after.consensus, after.leaning, after.certainty),
    )


class OverrideEntry(BaseModel):
    """A derived value that a person has set aside."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    claim_id: Slug
    field: Literal["consensus", "certainty"]
    value: str
    reason: str
    author: str
    created_at: str
    expires_on: str
    """The first day on which it holds no more."""
    is_active: bool


class OverridesQuery(ListQuery):
    is_active: bool | None = None


@overrides.get(
    "/v1/overrides",
    operation_id="listOverrides",
    summary="Grades that a person has set aside",
    response_model=ListOf[OverrideEntry],
    responses=responses(422, 503),
)
def list_overrides(
    request: Request, session: ReadSession, dataset: CurrentDataset, query: Annotated[OverridesQuery, Query()]
) -> Response:
    """Every override with its author, reason and end, newest first. Normally there is none."""
    before = int(decode(query.cursor, query.fingerprint())[0]) if query.cursor is not None else None
    rows, total = overrides_before(session, before, query.limit + 1, is_active=query.is_active)
    shown = rows[: query.limit]
    cursor = encode(query.fingerprint(), [shown[-1].pk, ""]) if len(rows) > query.limit else None
    answer = ListOf[OverrideEntry](
        items=[
            OverrideEntry.model_validate({name: getattr(row, name) for name in _AS_IS} | {"author": row.author_id})
            for row in shown
        ],
        next=next_address(request, cursor),
        next_cursor=cursor,
        total=total,
        total_is="exact",
    )
    body = answer.model_dump_json().encode()
    return caching.json_response(request, body, caching.etag(body), headers=dataset.headers)


_AS_IS = ("claim_id", "field", "value", "reason", "created_at", "expires_on", "is_active")
