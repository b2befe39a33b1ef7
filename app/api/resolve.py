"""From an identifier or a code to the records that carry it."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.concepts.manifest import current_code_systems
from app.concepts.models import Concept
from app.concepts.queries import by_code
from app.concepts.vocabulary import CODE_SYSTEMS, CodeRelation
from app.core.content import ResponseModel
from app.core.errors import Fault, InvalidInput, nearest
from app.core.vocabulary import Status
from app.http import conditional
from app.http.conditional import conditional_response
from app.http.problems import declared_parameters_only, responses
from app.http.reads import reads_of
from app.registry import BY_TYPE
from app.sources.identifiers import IdentifierError, identify, normalise
from app.sources.models import Document, DocumentIdentifier, Study, StudyIdentifier
from app.sources.vocabulary import IdentifierScheme
from app.storage.read_view import ReadView

router = APIRouter(tags=["resolve"], dependencies=[Depends(declared_parameters_only)])

SYSTEMS = tuple(dict.fromkeys((*map(str, IdentifierScheme), *CODE_SYSTEMS.shipped)))
"""Those that every data set has."""


class Match(ResponseModel):
    """Why the record was found."""

    system: str
    code: str
    """The code or identifier that the record carries; wider than the one asked for where an ancestor matched."""
    relation: CodeRelation
    """How the code's meaning relates to the record; identifiers are exact."""


class ResolvedLinks(ResponseModel):
    self: str


class Resolved(ResponseModel):
    type: str
    id: str
    name: str
    match: Match
    links: ResolvedLinks


class ResolvedList(ResponseModel):
    items: list[Resolved]


Identifier = Annotated[
    str,
    Query(
        min_length=3,
        max_length=250,
        description="`system:value`, such as `pmid:23359310`, `doi:10.1002/art.37734`, `rxnorm:7243`, `icd10cm:G35.A`; "
        "or an address such as `https://doi.org/10.1002/art.37734`. "
        f"Systems: {', '.join(SYSTEMS)}, and those that the data set adds (`/v1/vocabularies`).",
    ),
]


@router.get(
    "/v1/resolve",
    operation_id="resolve",
    summary="Find records by identifier or code",
    response_model=ResolvedList,
    responses=responses(422, 503),
)
async def resolve(request: Request, identifier: Identifier) -> Response:
    """Records that carry the identifier or code; none is an empty list. A code that is not recorded is looked for by
    its wider codes (`K50.10` → `K50.1` → `K50`), and `match` says which one was found."""
    return await reads_of(request).run(request, _resolve, request, identifier)


def _resolve(view: ReadView, request: Request, identifier: str) -> Response:
    written, _, value = identifier.partition(":")
    system, session = written.strip().lower(), view.session
    if system in list(IdentifierScheme):
        items = _by_identifier(session, IdentifierScheme(system), value)
        if system in CODE_SYSTEMS.shipped:
            items += _by_code(session, system, value.strip())
    elif identified := identify(identifier):
        items = _by_identifier(session, *identified)
    elif code_system := current_code_systems(session).named(written):
        items = _by_code(session, code_system, value.strip())
    else:
        allowed = tuple(dict.fromkeys((*map(str, IdentifierScheme), *current_code_systems(session).ids)))
        fault = Fault(
            "query", "identifier", "unknown_system", "Write system:value with one of the systems in `allowed`.",
            allowed, nearest(system, allowed),
        )  # fmt: skip
        raise InvalidInput("The identifier's system is not known here.", errors=[fault])
    body = ResolvedList(items=items).model_dump_json().encode()
    return conditional_response(request, conditional.etag(body), body)


def _by_identifier(session: Session, scheme: IdentifierScheme, value: str) -> list[Resolved]:
    try:
        normal = normalise(scheme, value)
    except IdentifierError as error:
        fault = Fault("query", "identifier", "malformed_identifier", f"After `{scheme}:` it {error}.")
        raise InvalidInput("The identifier cannot be read.", errors=[fault]) from error
    match = Match(system=scheme, code=normal, relation=CodeRelation.exact)
    items = []
    for record_type, table, name, identifiers in (
        ("document", Document, Document.label, DocumentIdentifier),
        ("study", Study, Study.name, StudyIdentifier),
    ):
        carriers = (
            select(table.id, name)
            .join(identifiers)
            .where(identifiers.scheme == scheme, identifiers.normal == normal, table.status == Status.published)
            .order_by(table.id)
        )
        items += [_resolved(record_type, *row, match) for row in session.execute(carriers)]
    return items


def _by_code(session: Session, system: str, code: str) -> list[Resolved]:
    if not re.fullmatch(r"[!-~]{1,100}", code):
        fault = Fault(
            "query",
            "identifier",
            "malformed_code",
            f"After `{system}:` comes a code without spaces.",
        )
        raise InvalidInput("The code cannot be read.", errors=[fault])
    items = []
    for pk, row in by_code(session, system, code):
        concept = session.get_one(Concept, pk)
        match = Match(system=system, code=row.code, relation=CodeRelation(row.relation))
        items.append(_resolved(concept.type, concept.id, concept.name, match))
    return items


def _resolved(record_type: str, record_id: str, name: str, match: Match) -> Resolved:
    links = ResolvedLinks(self=f"{BY_TYPE[record_type].path}/{record_id}")
    return Resolved(type=record_type, id=record_id, name=name, match=match, links=links)
