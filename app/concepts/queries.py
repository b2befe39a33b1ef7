"""Looks concepts up by id or code, with or without narrower ones, and defines the filters of their lists."""

import re
from collections.abc import Sequence

from pydantic import BaseModel
from sqlalchemy import literal, or_, select
from sqlalchemy.orm import Session

from app.concepts.code_systems import ATC, ICD10CM, NDC
from app.concepts.manifest import current_code_systems, current_terms
from app.concepts.models import Concept, ConceptCode, InterventionMember
from app.concepts.terms import nearest_terms
from app.core.errors import Fault, InvalidInput, nearest
from app.core.shape import open_fields
from app.core.text import SLUG_PATTERN
from app.core.vocabulary import Status, vocabulary_name
from app.storage.filter_bitmaps import PUBLISHED
from app.storage.filter_index import FilterSpec, values
from app.storage.near_ids import IdFaults
from app.storage.read_view import ReadView


def filter_spec(record_type: str) -> FilterSpec:
    """The filter index of the concepts of one type. Filters on the claims that name them are in `claims/queries.py`."""
    is_one = Concept.type == record_type
    published = values(Concept.pk, {PUBLISHED.name: literal(PUBLISHED.value)})
    return FilterSpec(
        Concept,
        (published.where(is_one, Concept.status == Status.published),),
        is_one,
        ordered=frozenset({PUBLISHED.name}),  # the table holds other types in between
    )


def concept_keys(
    session: Session, record_type: str, names: Sequence[str], parameter: str, *, descendants: bool = False
) -> list[int]:
    """Keys of the concepts that a filter names by id or code; InvalidInput says for each that is none what is near, or
    what took over."""
    keys: list[int] = []
    faults = IdFaults(session, parameter, names)
    for position, name in enumerate(names, start=1):
        if ":" in name:
            try:
                keys.extend(_keys_of_code(session, record_type, name, parameter))
            except InvalidInput as error:
                for fault in error.errors:
                    faults.add(position, fault)
        elif (key := _key_of_id(session, record_type, name, position, faults)) is not None:
            keys.append(key)
    if faults:
        raise _refused(*faults.faults)
    return _with_children(session, keys) if descendants else keys


def refuse_unknown_terms(view: ReadView, query: BaseModel) -> None:
    """InvalidInput for values of parameters that are terms neither of the software nor of the data set."""
    faults = []
    for parameter, vocabulary in open_fields(type(query)).items():
        values = getattr(query, parameter)
        terms = current_terms(view.session).terms(vocabulary_name(vocabulary.name)) if values else ()
        known = tuple(term.id for term in terms)
        for position, value in enumerate(values, start=1):
            if value not in known:
                guesses = nearest_terms(value, terms) or None
                at = position if len(values) > 1 else None
                faults.append(Fault("query", parameter, "unknown_value", _UNKNOWN_TERM, known, guesses, position=at))
    if faults:
        raise InvalidInput("A parameter has a value that is not known here.", errors=faults)


_UNKNOWN_TERM = "Must be one of the values in `allowed`."


def concept_ids(
    view: ReadView, record_type: str, names: Sequence[str], parameter: str, *, descendants: bool = False
) -> list[str]:
    """Ids of the concepts that a filter names by id or code."""
    if not names:
        return []
    if not descendants and _are_published(view, record_type, names):
        return list(dict.fromkeys(names))
    session = view.session
    keys = concept_keys(session, record_type, names, parameter, descendants=descendants)
    return list(session.scalars(select(Concept.id).where(Concept.pk.in_(keys))))


def _are_published(view: ReadView, record_type: str, names: Sequence[str]) -> bool:
    """Whether all of these are ids of published concepts: most filters name concepts so, and need no more."""
    sql = "SELECT count(*) FROM concepts WHERE type = ? AND status = 'published' AND id IN ?"
    ((count,),) = view.spread(sql, record_type, list(names))
    return int(count) == len(set(names))


def _key_of_id(session: Session, record_type: str, name: str, position: int, faults: IdFaults) -> int | None:
    row = session.execute(
        select(Concept.pk, Concept.status, Concept.successor).where(Concept.type == record_type, Concept.id == name)
    ).one_or_none()
    if row is not None and row.status == Status.published:
        return int(row.pk)
    label = record_type.replace("_", " ")
    if row is not None:
        faults.add_retired(position, name, row.successor, f"This {label} was retired.")
        return None
    message = (
        f"There is no {label} with this id."
        if re.match(SLUG_PATTERN, name)
        else "An id is lower-case words joined by hyphens; a code is system:code."
    )
    faults.add_unknown(position, record_type, name, message)
    return None


def _keys_of_code(session: Session, record_type: str, name: str, parameter: str) -> list[int]:
    written, _, code = name.partition(":")
    systems = current_code_systems(session)
    system = systems.named(written)
    if system is None:
        allowed = systems.ids
        message = "Write a code as system:code."
        raise _refused(Fault("query", parameter, "unknown_system", message, allowed, nearest(written, allowed)))
    keys = [key for key, _ in by_code(session, system, code, record_type)]
    if not keys:
        raise _refused(Fault("query", parameter, "unknown_value", "No record carries this code, nor a wider one."))
    return keys


def by_code(session: Session, system: str, code: str, record_type: str | None = None) -> list[tuple[int, ConceptCode]]:
    """Published concepts with the code or, failing that, with the nearest wider one (`K50.10` → `K50.1` → `K50`)."""
    for candidate in ancestors(system, current_code_systems(session).normal(system, code)):
        statement = (
            select(Concept.pk, ConceptCode)
            .join(ConceptCode, ConceptCode.concept_pk == Concept.pk)
            .where(ConceptCode.system == system, ConceptCode.code == candidate, Concept.status == Status.published)
            .order_by(Concept.pk)
        )
        if record_type is not None:
            statement = statement.where(Concept.type == record_type)
        carriers = [(int(pk), row) for pk, row in session.execute(statement)]
        if carriers:
            return carriers
    return []


def ancestors(system: str, code: str) -> list[str]:
    """The code itself and then each wider one, for classifications whose codes grow to the right."""
    if system == ICD10CM and re.fullmatch(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?", code):
        return [code[:length] for length in range(len(code), 2, -1) if not code[:length].endswith(".")]
    if system == ATC and re.fullmatch(r"[A-Z]\d\d([A-Z]([A-Z](\d\d)?)?)?", code):
        return [code[:length] for length in (7, 5, 4, 3) if length <= len(code)]
    if system == NDC and re.fullmatch(r"\d{11}", code):
        return [code, code[:9]]
    return [code]


def _with_children(session: Session, keys: Sequence[int]) -> list[int]:
    """The concepts and all below them. One statement for each level."""
    tree, level = list(keys), list(keys)
    while level:
        members = select(InterventionMember.member_pk).where(InterventionMember.class_pk.in_(level))
        children = session.scalars(select(Concept.pk).where(or_(Concept.parent_pk.in_(level), Concept.pk.in_(members))))
        level = [child for child in children if child not in tree]
        tree.extend(level)
    return tree


def _refused(*faults: Fault) -> InvalidInput:
    return InvalidInput("A filter names something that does not exist here.", errors=faults)
