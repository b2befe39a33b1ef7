"""What an Infobutton request asks for: the criteria, the concepts they lead to, and the format of the answer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from app.claims.models import Claim, ClaimConcept
from app.concepts.drug_index import drug_index
from app.concepts.manifest import current_code_systems
from app.concepts.models import Concept
from app.concepts.queries import by_code
from app.concepts.vocabulary import DRUG, REGIMEN, CodeRelation
from app.core.errors import Fault, MalformedRequest, NotAcceptable
from app.core.folding import words
from app.core.vocabulary import Status
from app.infobutton.page import ATOM
from app.search.models import SearchEntry, SearchName

MAX_CRITERIA = 10

_CRITERION = "mainsearchcriteria.v."
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,60}")
_SEMANTIC_TAG = re.compile(r"(?<!\s)\s*\([^()]*\)\s*$")
"""As SNOMED CT ends its fully specified names."""


class InfobuttonFormat(StrEnum):
    html = "text/html"
    atom = ATOM
    json = "application/json"


_FORMATS = {
    "text/html": InfobuttonFormat.html,
    "text/xml": InfobuttonFormat.atom,
    "application/xml": InfobuttonFormat.atom,
    ATOM: InfobuttonFormat.atom,
    "application/json": InfobuttonFormat.json,
    "text/json": InfobuttonFormat.json,
}


@dataclass(frozen=True)
class Criterion:
    """One search term: a code, or names as a person wrote them."""

    system: str
    """As it was sent: an OID, a URI or a name; empty for none."""
    code: str | None
    names: tuple[str, ...]


@dataclass(frozen=True)
class InfobuttonConcept:
    """A concept that the answer is about, under the label of its group."""

    concept: Concept
    label: str
    harms_only: bool = False


def response_format(response_type: str | None, accept: str) -> InfobuttonFormat:
    """`knowledgeResponseType` decides, else `Accept`; NotAcceptable for an unknown `knowledgeResponseType`."""
    if response_type:
        # A `+` that was not percent-encoded arrives as a space: `application/atom+xml`.
        media_type = response_type.partition(";")[0].strip().lower().replace(" ", "+")
        if media_type not in _FORMATS:
            raise NotAcceptable(InfobuttonFormat)
        return _FORMATS[media_type]
    return _negotiate(accept, default=InfobuttonFormat.html)


def _negotiate(accept: str, *, default: InfobuttonFormat) -> InfobuttonFormat:
    """The first media type of the header that is offered here, whatever its quality."""
    media_types = (item.partition(";")[0].strip().lower() for item in accept.split(","))
    return next((_FORMATS[name] for name in media_types if name in _FORMATS), default)


def parse_criteria(parameters: Mapping[str, str]) -> list[Criterion]:
    """The criteria, in order. Further translations of a code have the same parameter names with a number."""
    criteria = []
    for suffix in ("", *map(str, range(1, MAX_CRITERIA))):
        code, system, *names = (
            parameters.get(f"{_CRITERION}{name}{suffix}", "").strip() for name in ("c", "cs", "dn", "ot")
        )
        if code and not system and not any(names):
            field = f"mainSearchCriteria.v.cs{suffix}"
            message = "A code means nothing without its code system: send its OID."
            raise MalformedRequest(message, errors=[Fault("query", field, "missing", message)])
        if code or any(names):
            valid_code = code if _CODE.fullmatch(code) else None
            criteria.append(Criterion(system, valid_code, tuple(filter(None, names))))
    if not criteria:
        message = "Say what is looked for: `mainSearchCriteria.v.c` with `mainSearchCriteria.v.cs`, or `.v.dn`."
        raise MalformedRequest(message, errors=[Fault("query", "mainSearchCriteria.v.c", "missing", message)])
    return criteria


def matching_concepts(session: Session, criteria: Sequence[Criterion]) -> list[InfobuttonConcept]:
    """The concepts of the first criterion that matches any, with the dose regimens of a drug."""
    for criterion in criteria:
        concepts = {
            match.concept.pk: match
            for pk, relation in _matches(session, criterion)
            for match in _with_related(session, session.get_one(Concept, pk), relation)
        }
        if concepts:
            return list(concepts.values())
    return []


def _matches(session: Session, criterion: Criterion) -> list[tuple[int, CodeRelation]]:
    """Keys of concepts, and how the code relates to each. A code goes before a name."""
    index = drug_index(session)
    system = current_code_systems(session).named(criterion.system)
    if criterion.code and system:
        drugs = index.by_coding(system, criterion.code)
        if drugs.drugs:
            return [(drug.pk, drugs.relation or CodeRelation.exact) for drug in drugs.drugs]
        coded = by_code(session, system, criterion.code)
        if coded:
            return [(pk, CodeRelation(row.relation)) for pk, row in coded]
    for name in criterion.names:
        named = [drug.pk for drug in index.by_text(name).drugs] or _named(session, name)
        if named:
            return [(pk, CodeRelation.exact) for pk in named]
    return []


def _named(session: Session, name: str) -> list[int]:
    """Keys of the concepts with a name, however it is written; a semantic tag such as `(disorder)` is put aside."""
    folded = {" ".join(words(one)) for one in (name, _SEMANTIC_TAG.sub("", name))} - {""}
    entries = (
        select(SearchEntry.type, SearchEntry.id)
        .join(SearchName, SearchName.entry_pk == SearchEntry.pk)
        .where(
            SearchName.folded.in_(folded),
            SearchName.is_concept,
            SearchName.is_start,
            SearchName.matched_on.in_(("name", "synonym")),
        )
    )
    matches = select(Concept.pk).where(tuple_(Concept.type, Concept.id).in_(entries)).order_by(Concept.pk)
    return list(session.scalars(matches))


def _with_related(session: Session, concept: Concept, relation: CodeRelation) -> list[InfobuttonConcept]:
    """The concept, and the dose regimens of a drug or the regimens studied in a condition."""
    if concept.type == "condition":
        return [InfobuttonConcept(concept, concept.name), *_warnings(session, concept)]
    if concept.type != "intervention" or concept.kind != DRUG:
        return [InfobuttonConcept(concept, concept.name)]
    if relation is CodeRelation.narrow:
        return [InfobuttonConcept(concept, f"{concept.name} (the drug; the code names one of its products)")]
    regimens = session.scalars(_regimens().where(Concept.parent_pk == concept.pk))
    return [
        InfobuttonConcept(concept, f"{concept.name} (the drug)"),
        *(InfobuttonConcept(r, f"{r.name} (dose regimen of {concept.name.lower()})") for r in regimens),
    ]


def _warnings(session: Session, condition: Concept) -> list[InfobuttonConcept]:
    """Harms of the dose regimens with claims on the condition: no benefit is shown without them."""
    linked = select(ClaimConcept.claim_pk).where(ClaimConcept.concept_pk == condition.pk)
    studied = select(Claim.intervention_pk).where(Claim.status == Status.published, Claim.pk.in_(linked))
    regimens = session.scalars(_regimens().where(Concept.pk.in_(studied)))
    return [InfobuttonConcept(r, f"{r.name}: warnings and side effects", harms_only=True) for r in regimens]


def _regimens() -> Select[Concept]:
    published = Concept.status == Status.published
    return select(Concept).where(Concept.kind == REGIMEN, published).order_by(Concept.id)
