"""FHIR's small data types, as dictionaries, from our values."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import wraps
from typing import Any, ParamSpec

from app.concepts.code_systems import CodeSystems
from app.concepts.schemas import Code, ConceptWrite
from app.concepts.vocabulary import CodeRelation
from app.core.ucum import SYSTEM
from app.core.vocabulary import Term

Json = dict[str, Any]
Parameters = ParamSpec("Parameters")

CITO = "http://purl.org/spar/cito/"

SAME_MEANING = (CodeRelation.exact, CodeRelation.close)
"""FHIR wants all codings of a concept to mean the same, so wider and narrower codes are left out."""


def drops_empty(mapper: Callable[Parameters, Json]) -> Callable[Parameters, Json]:
    """Decorates a function that makes a resource: removes nulls and empty values, which FHIR forbids, at any depth."""

    @wraps(mapper)
    def make(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Json:
        resource: Json = _without_empty(mapper(*args, **kwargs))
        return resource

    return make


_NESTED = (dict, list, tuple)


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        items = (
            (name, _without_empty(inner) if isinstance(inner, _NESTED) else inner) for name, inner in value.items()
        )
        return {name: inner for name, inner in items if inner or _is_value(inner)}
    cleaned = (_without_empty(inner) if isinstance(inner, _NESTED) else inner for inner in value)
    return [inner for inner in cleaned if inner or _is_value(inner)]


def _is_value(inner: Any) -> bool:
    """Of what is false: whether it is a value, such as 0, rather than nothing."""
    return inner is not None and not isinstance(inner, (str, *_NESTED))


def json_number(value: Decimal | None) -> int | float | None:
    """Exact: our decimals have at most 15 digits."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _codeable(system: str, code: str, display: str | None) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def fhir_code(name: str, code: str, display: str | None = None) -> Json:
    """A code of one of FHIR's own code systems."""
    return _codeable(f"http://hl7.org/fhir/{name}", code, display)


def hl7_code(name: str, code: str, display: str | None = None) -> Json:
    """A code of HL7's terminology."""
    return _codeable(f"http://terminology.hl7.org/CodeSystem/{name}", code, display)


def term_text(term: Term | None) -> Json | None:
    """The label of one of our terms as text: no public terminology has a code for it."""
    return None if term is None else {"text": term.label}


def codeable_concept(concept: ConceptWrite, systems: CodeSystems) -> Json:
    """The name with the codes that mean the same and were verified."""
    codings = [
        {"system": uri, "code": systems.fhir_code(code.system, code.code)}
        for code in concept.codes
        if _is_shown(code) and (uri := systems.uri(code.system))
    ]
    return {"coding": codings, "text": concept.name}


def codeable_concepts(concepts: Sequence[ConceptWrite], systems: CodeSystems) -> Json | None:
    """Several concepts in one element: their names alone, because all codings of an element must mean the same."""
    if len(concepts) == 1:
        return codeable_concept(concepts[0], systems)
    return {"text": "; ".join(concept.name for concept in concepts)} if concepts else None


def _is_shown(code: Code) -> bool:
    return code.verified and code.relation in SAME_MEANING


def reference(resource_type: str, record_id: str, display: str | None = None) -> Json:
    return {"reference": f"{resource_type}/{record_id}", "display": display}


def quantity(value: Decimal | None, unit: str | None) -> Json | None:
    """A quantity in a UCUM unit, or the bare number if the unit is unknown."""
    if value is None:
        return None
    if unit is None:
        return {"value": json_number(value)}
    return {"value": json_number(value), "unit": unit, "system": SYSTEM, "code": unit}
