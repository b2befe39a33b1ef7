"""`/infobutton`: HL7's context-aware knowledge retrieval by URL. A code from a record system leads to claims.

Who the patient is, who asks and from where may stand in the address too: it is accepted, never read, never kept.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fastapi import APIRouter, Request, Response
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from app.claims import rendering as render
from app.claims.disclaimer import DISCLAIMER
from app.claims.models import Claim, ClaimConcept, ClaimRelation
from app.claims.rules import VOTING_FORMS
from app.claims.vocabulary import HARM_KINDS, Form, Kind, RelationType
from app.concepts.models import Concept, ConceptSynonym
from app.concepts.queries import by_code
from app.concepts.vocabulary import CodeRelation, CodeSystem, InterventionLevel
from app.core.errors import Fault, MalformedRequest, NotAcceptable
from app.core.vocabulary import Status
from app.fhir.search import about_subject
from app.fhir.values import SYSTEMS
from app.fhir.wording import count, verdict
from app.grading.wording import certainty_text
from app.http.reads import reads_of
from app.infobutton.page import (
    ATOM,
    CONTENT_SECURITY_POLICY,
    Answer,
    AnswerClaim,
    AnswerGroup,
    AnswerLinks,
    atom,
    page,
)
from app.storage.history import Publication
from app.storage.read_view import ReadView
from app.storage.records import CurrentRecords
from app.storage.resource import Key

OIDS = {
    "2.16.840.1.113883.6.88": CodeSystem.rxnorm,
    "2.16.840.1.113883.6.90": CodeSystem.icd10cm,
    "2.16.840.1.113883.6.96": CodeSystem.snomed,
    "2.16.840.1.113883.6.177": CodeSystem.mesh,
    "2.16.840.1.113883.6.73": CodeSystem.atc,
    "2.16.840.1.113883.4.9": CodeSystem.unii,
}
_SYSTEMS = OIDS | {address: system for system, address in SYSTEMS.items()}

MAX_CLAIMS = 60
MAX_CRITERIA = 10
MAX_LENGTH = 200
TOLD_FORMS = (*VOTING_FORMS, Form.regulatory_status, Form.gap)
"""Statements that evidence can bear on, and those that say what is not known."""

_CRITERION = "mainsearchcriteria.v."
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,60}")
_PROBLEM_LIST = ("PROBLISTREV", "PROBLISTE")
_HARMS_FIRST = (*HARM_KINDS, *(kind for kind in Kind if kind not in HARM_KINDS))
_HELP_FIRST = (Kind.efficacy, *(kind for kind in _HARMS_FIRST if kind is not Kind.efficacy))

NOTHING = "Nothing is recorded here for what was asked. That is not evidence of no effect, and not evidence of no risk."
BOTH_DOSES = "A code of the drug does not tell the dose, so the drug and its low-dose regimen are both shown."


class Format(StrEnum):
    html = "text/html"
    atom = ATOM
    json = "application/json"


_FORMATS = {
    "text/html": Format.html,
    "text/xml": Format.atom,
    "application/xml": Format.atom,
    ATOM: Format.atom,
    "application/json": Format.json,
    "text/json": Format.json,
}


@dataclass(frozen=True)
class Criterion:
    """One thing that is looked for: a code, or a name as somebody wrote it."""

    system: CodeSystem | None
    code: str | None
    names: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    concept: Concept
    label: str
    harms_only: bool = False


def router(base: str) -> APIRouter:
    """`base` goes before path-absolute addresses: a page opened from a record system may be saved elsewhere."""
    made = APIRouter()

    # Not in the OpenAPI document: whatever a record system adds to the address has to be let through.
    @made.get("/infobutton", include_in_schema=False)
    async def answer_infobutton(request: Request) -> Response:
        return await reads_of(request).run(request, respond, request, base)

    return made


def respond(view: ReadView, request: Request, base: str) -> Response:
    session = view.session
    asked = {name.lower(): text[:MAX_LENGTH] for name, text in request.query_params.items()}
    kind = wanted(asked.get("knowledgeresponsetype"), request.headers.get("accept", ""))
    found = concepts(session, criteria(asked))
    order = _HELP_FIRST if asked.get("taskcontext.c.c", "").upper() in _PROBLEM_LIST else _HARMS_FIRST
    at = session.get_one(Publication, view.serial).at if view.serial else "1970-01-01T00:00:00Z"
    told = answer(session, found, order, at, base)
    # The address may name a patient: no cache may keep it.
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    if kind is Format.html:
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return Response(page(told), headers=headers, media_type="text/html")
    if kind is Format.atom:
        return Response(atom(told), headers=headers, media_type=f"{ATOM}; charset=utf-8")
    return Response(told.model_dump_json(), headers=headers, media_type="application/json")


# --- what is asked ----------------------------------------------------------------------------------------------------


def wanted(response_type: str | None, accept: str) -> Format:
    """`knowledgeResponseType` goes before `Accept`; people get a page."""
    if response_type:
        bare = response_type.partition(";")[0].strip().lower()
        if bare not in _FORMATS:
            raise NotAcceptable(Format)
        return _FORMATS[bare]
    first = (item.partition(";")[0].strip().lower() for item in accept.split(","))
    return next((_FORMATS[media] for media in first if media in _FORMATS), Format.html)


def criteria(asked: Mapping[str, str]) -> list[Criterion]:
    """What is looked for; a second translation of the code stands under the same names with a number."""
    found = []
    for suffix in ("", *map(str, range(1, MAX_CRITERIA))):
        code, system, *names = (
            asked.get(f"{_CRITERION}{name}{suffix}", "").strip() for name in ("c", "cs", "dn", "ot")
        )
        if code or any(names):
            found.append(
                Criterion(
                    system=_SYSTEMS.get(system.removeprefix("urn:oid:")),
                    code=code if _CODE.fullmatch(code) else None,
                    names=tuple(filter(None, names)),
                )
            )
    if not found:
        message = "Say what is looked for: `mainSearchCriteria.v.c` with `mainSearchCriteria.v.cs`, or `.v.dn`."
        raise MalformedRequest(message, errors=[Fault("query", "mainSearchCriteria.v.c", "missing", message)])
    return found


def concepts(session: Session, asked: Sequence[Criterion]) -> list[Found]:
    """What the first criterion that leads anywhere leads to; a drug brings its dose regimens along."""
    for criterion in asked:
        found: list[Found] = []
        for pk, relation in _matches(session, criterion):
            found += _with_regimens(session, session.get_one(Concept, pk), relation)
        if found:
            return list({one.concept.pk: one for one in found}.values())
    return []


def _matches(session: Session, asked: Criterion) -> list[tuple[int, CodeRelation]]:
    if asked.code and asked.system:
        coded = by_code(session, asked.system, asked.code)
        if coded:
            return [(pk, CodeRelation(row.relation)) for pk, row in coded]
    names = [name.lower() for name in asked.names]
    if not names:
        return []
    synonyms = select(ConceptSynonym.concept_pk).where(func.lower(ConceptSynonym.text).in_(names))
    named = select(Concept.pk).where(
        Concept.status == Status.published, or_(func.lower(Concept.name).in_(names), Concept.pk.in_(synonyms))
    )
    return [(pk, CodeRelation.exact) for pk in session.scalars(named.order_by(Concept.pk))]


def _with_regimens(session: Session, concept: Concept, relation: CodeRelation) -> list[Found]:
    if concept.type == "condition":
        return [Found(concept, concept.name), *_warnings(session, concept)]
    if concept.type != "intervention" or concept.level != InterventionLevel.drug:
        return [Found(concept, concept.name)]
    if relation is CodeRelation.narrow:
        return [Found(concept, f"{concept.name} (the drug; the code names one of its products)")]
    regimens = session.scalars(
        select(Concept)
        .where(
            Concept.parent_pk == concept.pk,
            Concept.level == InterventionLevel.regimen,
            Concept.status == Status.published,
        )
        .order_by(Concept.id)
    ).all()
    low = [Found(regimen, f"{regimen.name} (dose regimen of {concept.name.lower()})") for regimen in regimens]
    return [Found(concept, f"{concept.name} (the drug)"), *low]


def _warnings(session: Session, condition: Concept) -> list[Found]:
    """Harms of the dose regimens that are told of in the condition: no benefit is shown without them."""
    linked = select(ClaimConcept.claim_pk).where(ClaimConcept.concept_pk == condition.pk)
    told = select(Claim.intervention_pk).where(Claim.status == Status.published, Claim.pk.in_(linked))
    regimens = session.scalars(
        select(Concept)
        .where(Concept.pk.in_(told), Concept.level == InterventionLevel.regimen, Concept.status == Status.published)
        .order_by(Concept.id)
    )
    return [Found(regimen, f"{regimen.name}: warnings and side effects", harms_only=True) for regimen in regimens]


# --- what is told -----------------------------------------------------------------------------------------------------


def answer(session: Session, found: Sequence[Found], order: Sequence[Kind], at: str, base: str) -> Answer:
    levels = [one.concept.level for one in found]
    both_doses = InterventionLevel.drug in levels and InterventionLevel.regimen in levels
    return Answer(
        title=", ".join(one.concept.name for one in found if not one.harms_only) or "No match",
        updated=at,
        message=NOTHING if not found else BOTH_DOSES if both_doses else None,
        disclaimer=DISCLAIMER,
        groups=[_group(session, one, order, base) for one in found],
    )


def _group(session: Session, found: Found, order: Sequence[Kind], base: str) -> AnswerGroup:
    concept = found.concept
    ids = session.scalars(_telling(found)).all()
    records = CurrentRecords(session)
    records.prefetch((Key("claim", claim_id) for claim_id in ids), depth=1)
    claims = [_claim(records, claim_id, base) for claim_id in ids[:MAX_CLAIMS]]
    kinds = {kind.label: place for place, kind in enumerate(order)}
    return AnswerGroup(
        label=found.label,
        type=concept.type,
        id=concept.id,
        message=None if claims else NOTHING,
        claims=sorted(claims, key=lambda claim: kinds[claim.kind]),
        truncated=len(ids) > MAX_CLAIMS,
        links=AnswerLinks(
            claims=f"{base}/v1/claims?{concept.type}={concept.id}",
            briefs=f"{base}/v1/briefs?{concept.type}={concept.id}"
            if concept.type in ("intervention", "condition")
            else None,
        ),
    )


def _telling(found: Found) -> Select[str]:
    """Claims about the concept: harms first, so that no limit cuts them; what only says it again is left out."""
    again = select(ClaimRelation.claim_pk).where(ClaimRelation.type == RelationType.restates)
    harms_first = case((Claim.kind.in_(HARM_KINDS), 0), (Claim.kind == Kind.efficacy, 1), else_=2)
    return (
        select(Claim.id)
        .where(
            Claim.status == Status.published,
            Claim.form.in_(TOLD_FORMS),
            Claim.pk.not_in(again),
            _about(found.concept),
            Claim.kind.in_(HARM_KINDS if found.harms_only else tuple(Kind)),
        )
        .order_by(harms_first, Claim.citation_count.desc(), Claim.id)
        .limit(MAX_CLAIMS + 1)
    )


def _about(concept: Concept) -> ColumnElement[bool]:
    linked = Claim.pk.in_(select(ClaimConcept.claim_pk).where(ClaimConcept.concept_pk == concept.pk))
    if concept.type == "intervention":
        return or_(about_subject([concept.id]), linked)
    if concept.type == "outcome":
        return Claim.outcome_pk == concept.pk
    return and_(linked, Claim.intervention_pk.is_not(None))


def _claim(records: CurrentRecords, claim_id: str, base: str) -> AnswerClaim:
    key = Key("claim", claim_id)
    row, told = records.row(key), render.summary(records, claim_id)
    claim, derived = records.content(key), records.derived(key)
    return AnswerClaim(
        id=claim_id,
        kind=claim.kind.label,
        statement=told.statement,
        caveat=told.caveat,
        consensus=told.consensus,
        leaning=told.leaning,
        verdict=verdict(told),
        certainty=certainty_text(records, claim, derived.evidence),
        supporting=count(told.supports),
        disputing=count(told.disputes),
        link=f"{base}{told.links.self}?serial={row.serial if row else 1}",
        updated=row.updated_at if row else "",
    )
