"""The finish of the OpenAPI document: what generators of clients and readers need beyond what FastAPI writes.

- Schemas have the names that a person would choose (`Claim`, `ClaimList`), and every property is described.
- Enumerations are closed in requests and open in answers: there they are strings, with the values known today in
  `x-extensible-enum`. Generators make plain strings of these; of `anyOf` with an enumeration many make classes that
  refuse an unknown value.
- Answers may gain fields, so that none is closed by `additionalProperties: false`; bodies of requests are.
- What `fields=` leaves of a record has a schema of its own (`ClaimPartial`). It is named by `x-partial` beside the
  schema of the answer: as an alternative to that it would make every field optional to clients that ask for all.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from app.api.presentation import LABEL, always_shown, has_choice
from app.core.shape import shape_of
from app.core.vocabulary import EXTENSIBLE
from app.registry import RESOURCES

Schema = dict[str, Any]
PREFIX = "#/components/schemas/"
DESCRIPTIONS = Path(__file__).with_name("descriptions.yaml")
"""Of properties and parameters that are no better described where they are declared."""

_NAMES = {
    "CitationBody": "EmbeddedCitation",
    "CoverageRead": "QuestionCoverage",
    "DocumentEmbed": "CitedDocument",
    "DocumentWithEvidence": "Document",
    "IncludedRead": "IncludedStudies",
    "InteractionCheckRead": "InteractionCheckResult",
    "ListOf_BriefEntry_": "BriefList",
    "ListOf_OverrideEntry_": "OverrideList",
    "SearchRead": "LiteratureSearch",
    "StatementRead": "DocumentStatement",
    "StudyEmbed": "CitedStudy",
    "StudyWithEvidence": "Study",
    "UnitRead": "EvidenceUnit",
}
_LIST = re.compile(r"ListOf_([A-Za-z]+)_")
_PARTIAL_DATE = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"
_PARTIAL_DATES = frozenset({
    "valid_from", "valid_to", "as_of", "issued", "accessed", "on", "checked_on", "searched_on", "reviewed_on",
    "stale_on", "standing_checked_on",
})  # fmt: skip
_ELSEWHERE = frozenset({"best", "doi", "pubmed", "url"})
"""Links that lead to other hosts."""


def schema_name(name: str) -> str:
    """The name of a model in the document: `ClaimRead` is `Claim` there, a list of them `ClaimList`."""
    if name in _NAMES:
        return _NAMES[name]
    if listed := _LIST.fullmatch(name):
        return f"{schema_name(listed[1])}List"
    return name.removesuffix("Read") or name


def finish(openapi: Schema) -> Schema:
    """The document as it is served. Parts of what is given stand elsewhere too, so a copy is changed."""
    openapi = copy.deepcopy(openapi)
    _rename(openapi)
    schemas: dict[str, Schema] = openapi["components"]["schemas"]
    _describe(openapi)
    _split_enumerations(openapi)
    _open_answers(openapi)
    for name, schema in schemas.items():
        _add_formats(name, schema)
    _add_labels(schemas)
    _add_partials(openapi)
    _state_security(openapi)
    openapi["components"]["schemas"] = dict(sorted(schemas.items()))
    return openapi


# --- names and words ----------------------------------------------------------------------------------------------


def _rename(openapi: Schema) -> None:
    schemas: dict[str, Schema] = openapi["components"]["schemas"]
    names = {name: schema_name(name) for name in schemas}
    taken = [name for name in names.values() if list(names.values()).count(name) > 1]
    if taken:
        raise ValueError(f"Two schemas have the same name: {', '.join(sorted(set(taken)))}")
    for node in _objects(openapi):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith(PREFIX):
            node["$ref"] = PREFIX + names[reference.removeprefix(PREFIX)]
    for old, new in names.items():
        schemas[new] = schemas.pop(old)
        schemas[new]["title"] = new


@cache
def _descriptions() -> Mapping[str, str]:
    """Descriptions by the name of a property or parameter, or of the schema and the property (`Claim.kind`)."""
    found: dict[str, str] = yaml.safe_load(DESCRIPTIONS.read_bytes())
    return found


def _describe(openapi: Schema) -> None:
    known = _descriptions()
    for name, schema in openapi["components"]["schemas"].items():
        if "description" not in schema:
            text = f"One page of a list of `{name.removesuffix('List')}`." if name.endswith("List") else None
            schema["description"] = known.get(name, text)
        for field, part in schema.get("properties", {}).items():
            text = part.get("description") or known.get(f"{name}.{field}") or known.get(field)
            part.pop("title", None)
            if text is not None:
                part["description"] = text
    for operation in _operations(openapi):
        for parameter in operation.get("parameters", []):
            text = parameter.get("description") or known.get(f"?{parameter['name']}") or known.get(parameter["name"])
            parameter["schema"].pop("title", None)
            if text is not None:
                parameter["description"] = text


# --- requests are closed, answers are open -----------------------------------------------------------------------


def _split_enumerations(openapi: Schema) -> None:
    """Give every enumeration that requests and answers share a twin for the requests, such as `StanceFilter`: a closed
    one or, of an open vocabulary, a text, since a data set may add values."""
    schemas = openapi["components"]["schemas"]
    answered, requested = _reachable(openapi, "responses"), _reachable(openapi, "parameters", "requestBody")
    twins = {name: f"{name}Filter" for name in answered & requested if {"enum", EXTENSIBLE} & schemas[name].keys()}
    for old, new in twins.items():
        schemas[new] = {key: value for key, value in schemas[old].items() if key != EXTENSIBLE} | {"title": new}
        if EXTENSIBLE in schemas[old]:
            schemas[new]["description"] += f" {_OPEN}"
    closed = [part for operation in _operations(openapi) for part in _requests(operation)]
    closed += [schemas[name] for name in requested - answered]
    for node in _objects(closed):
        name = str(node.get("$ref", "")).removeprefix(PREFIX)
        if name in twins:
            node["$ref"] = PREFIX + twins[name]


_OPEN = "A data set may add values: `/v1/vocabularies` lists them, and others are refused with the nearest."


def _open_answers(openapi: Schema) -> None:
    schemas = openapi["components"]["schemas"]
    answers = _reachable(openapi, "responses") - _reachable(openapi, "parameters", "requestBody")
    inline = [operation["responses"] for operation in _operations(openapi)]
    for node in _objects([inline, *(schemas[name] for name in answers)]):
        if node.get("additionalProperties") is False:
            del node["additionalProperties"]
        if isinstance(node.get("enum"), list) and node.get("type", "string") == "string":
            node["type"] = "string"
            node[EXTENSIBLE] = node.pop("enum")


def _requests(operation: Schema) -> Iterator[Any]:
    yield operation.get("parameters", [])
    yield operation.get("requestBody", {})


def _reachable(openapi: Schema, *parts: str) -> set[str]:
    """Names of the schemas that these parts of the operations lead to."""
    schemas = openapi["components"]["schemas"]
    found: set[str] = set()
    todo = [operation.get(part) for operation in _operations(openapi) for part in parts]
    while todo:
        for node in _objects(todo.pop()):
            name = str(node.get("$ref", "")).removeprefix(PREFIX)
            if name in schemas and name not in found:
                found.add(name)
                todo.append(schemas[name])
    return found


# --- formats ------------------------------------------------------------------------------------------------------


def _add_formats(name: str, schema: Schema) -> None:
    """Say what texts are by the names of their fields; numbers have 15 digits at most, so that a double holds them."""
    is_links = name.endswith(("Links", "Addresses"))
    for node in _objects(schema.get("properties", {})):
        if node.get("type") == "number":
            node["format"] = "double"
        if "prefixItems" in node and "items" not in node:
            node["items"] = node.pop("prefixItems")[0]  # pairs of one kind: many generators know no tuples
    for field, part in schema.get("properties", {}).items():
        for text in (node for node in [part, *part.get("anyOf", [])] if node.get("type") == "string"):
            text.update(_format(field, is_links=is_links) if text.keys().isdisjoint({"format", "pattern"}) else {})


def _format(field: str, *, is_links: bool) -> Schema:
    """What a text is, by the name of its field."""
    if field.endswith("_at"):
        return {"format": "date-time"}
    if field == "expires_on":
        return {"format": "date"}
    if field in _PARTIAL_DATES:
        return {"pattern": _PARTIAL_DATE}
    if field == "url" or (is_links and field in _ELSEWHERE):
        return {"format": "uri"}
    return {"format": "uri-reference"} if is_links or field in ("next", "permalink") else {}


# --- what `labels=` and `fields=` do to records ------------------------------------------------------------------


@cache
def _record_models() -> Mapping[str, type[BaseModel]]:
    """The models that records are made of, by the names of their schemas."""
    found: dict[str, type[BaseModel]] = {}
    todo: list[type[BaseModel]] = [resource.read for resource in RESOURCES]
    while todo:
        model = todo.pop()
        name = schema_name(model.__name__)
        if name not in found:
            found[name] = model
            todo += [field.model for field in shape_of(model).values() if field.model is not None]
    return found


def _add_labels(schemas: dict[str, Schema]) -> None:
    for name, model in _record_models().items():
        for field, shape in shape_of(model).items():
            if shape.vocabulary is not None:
                label = _label(schemas[name]["properties"][field])
                label["description"] = f"The label of `{field}`; only where the request has `labels=true`."
                schemas[name]["properties"][field + LABEL] = label


def _label(part: Schema) -> Schema:
    """The schema of the label of a value, of the labels of a list, or of null."""
    if "anyOf" in part:
        return {"anyOf": [_label(choice) for choice in part["anyOf"]]}
    if part.get("type") == "array":
        return {"type": "array", "items": {"type": "string"}}
    return {"type": "null"} if part.get("type") == "null" else {"type": "string"}


def _add_partials(openapi: Schema) -> None:
    schemas: dict[str, Schema] = openapi["components"]["schemas"]
    for name, model in _record_models().items():
        schemas[f"{name}Partial"] = _partial(schemas[name], model)
    lists = [f"{schema_name(resource.read.__name__)}List" for resource in RESOURCES]
    for name in lists:
        short = copy.deepcopy(schemas[name])
        of_items = short["properties"]["items"]["items"]
        of_items["$ref"] += "Partial"
        partial_list = f"{name.removesuffix('List')}PartialList"
        schemas[partial_list] = {**short, "title": partial_list}
    whole = {**{name: f"{name.removesuffix('List')}PartialList" for name in lists}}
    whole |= {name.removesuffix("List"): f"{name.removesuffix('List')}Partial" for name in lists}
    for operation in _operations(openapi):
        if any(parameter["name"] == "fields" for parameter in operation.get("parameters", [])):
            answer = operation["responses"]["200"]["content"]["application/json"]
            name = answer["schema"]["$ref"].removeprefix(PREFIX)
            answer["x-partial"] = {"$ref": PREFIX + whole[name]}
    _drop_unused(openapi)


def _partial(schema: Schema, model: type[BaseModel]) -> Schema:
    """The schema of what `fields=` leaves of an object: the same properties, few of them required."""
    partial = copy.deepcopy(schema)
    always = always_shown(model)
    for field, shape in shape_of(model).items():
        is_whole = shape.model is None or (field in always and not has_choice(model, field))
        for node in [] if is_whole else _objects(partial["properties"][field]):
            if "$ref" in node:
                node["$ref"] += "Partial"
    partial.pop("required", None)
    required = [field for field in schema["properties"] if field in always]
    name = f"{schema_name(model.__name__)}Partial"
    text = f"`{schema_name(model.__name__)}` with the fields that `fields=` names."
    return {**partial, "title": name, "description": text, **({"required": required} if required else {})}


def _drop_unused(openapi: Schema) -> None:
    schemas = openapi["components"]["schemas"]
    used = _reachable(openapi, "parameters", "requestBody", "responses")
    for name in schemas.keys() - used:
        del schemas[name]


# --- security -----------------------------------------------------------------------------------------------------


def _state_security(openapi: Schema) -> None:
    """Reading needs no key; calls of CDS Hooks carry the token of their record system, where issuers are configured."""
    openapi["security"] = []
    openapi["components"]["securitySchemes"] = {
        "cdsHooksToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The token that a record system signs for each call (CDS Hooks 2.0). Where no issuers are "
            "configured, calls from this machine need none.",
        }
    }
    for path, operations in openapi["paths"].items():
        if path.startswith("/cds-services/"):
            for operation in operations.values():
                operation["security"] = [{"cdsHooksToken": []}, {}]


# --- walking the document -----------------------------------------------------------------------------------------


def _operations(openapi: Schema) -> Iterator[Schema]:
    for operations in openapi["paths"].values():
        yield from operations.values()


def _objects(node: Any) -> Iterator[Schema]:
    """Every object in a part of the document, at any depth, without what stands in examples."""
    if isinstance(node, dict):
        yield node
        for name, part in node.items():
            if name not in ("examples", "example"):
                yield from _objects(part)
    elif isinstance(node, list | tuple):
        for part in node:
            yield from _objects(part)
