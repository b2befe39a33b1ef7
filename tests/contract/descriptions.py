"""OpenAPI descriptions of the interfaces that describe themselves in other ways: FHIR and Infobutton.

FHIR's is made from what the server says of itself, its CapabilityStatement. Infobutton's is made from the parameters of
HL7's standard that `docs/interop/infobutton.md` lists.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.fhir.request import MEDIA_TYPE, SUMMARIES
from app.fhir.search import MAX_VALUE_LENGTH
from app.http.bodies import FORM

Json = dict[str, Any]

TEXT: Json = {"type": "string", "pattern": r"^[^\u0000]*$"}
SEARCHED: Json = {**TEXT, "maxLength": MAX_VALUE_LENGTH}
FHIR_ID: Json = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
FORMATS = ("json", "application/json", MEDIA_TYPE)
REFUSED = ("400", "404", "406", "410")


def described(title: str, paths: Json) -> Json:
    return {"openapi": "3.1.0", "info": {"title": title, "version": "1"}, "paths": paths}


def answers(schema: Json, media_types: Iterable[str], error: Json, statuses: Iterable[str]) -> Json:
    refused = {status: {"description": "refused", "content": error} for status in statuses}
    return {"200": {"description": "found", "content": {name: {"schema": schema} for name in media_types}}, **refused}


def in_query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


# --- FHIR -------------------------------------------------------------------------------------------------------------


def fhir_description(statement: Mapping[str, Any], ids: Callable[[str], list[str]]) -> Json:
    """`ids` gives ids of published resources of a type, so that reads find something as well as nothing.

    What is not understood is ignored, as FHIR wants: unknown parameters, orders that are not supported, `_pretty`.
    """
    paths: Json = {"/fhir/r5/metadata": {"get": _fhir_operation("CapabilityStatement", _representation())}}
    for resource in statement["rest"][0]["resource"]:
        paths |= _resource_paths(resource, ids(resource["type"]))
    return described("FHIR", paths)


def _resource_paths(resource: Mapping[str, Any], ids: list[str]) -> Json:
    name = resource["type"]
    codes = {interaction["code"] for interaction in resource["interaction"]}
    record_id = {"name": "id", "in": "path", "required": True, "schema": {**FHIR_ID, "examples": ids}}
    version = {"name": "version", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
    read = _representation(sorted(set(SUMMARIES) - {"count"}))
    paths: Json = {}
    if "search-type" in codes:
        search = [*_search_parameters(resource["searchParam"], ids), *_representation(SUMMARIES)]
        paths[f"/fhir/r5/{name}"] = {"get": _fhir_operation("Bundle", search)}
        paths[f"/fhir/r5/{name}/_search"] = {"post": _search_by_form(search)}
    if "read" in codes:
        paths[f"/fhir/r5/{name}/{{id}}"] = {"get": _fhir_operation(name, [record_id, *read])}
    if "vread" in codes:
        paths[f"/fhir/r5/{name}/{{id}}/_history/{{version}}"] = {
            "get": _fhir_operation(name, [record_id, version, *read])
        }
    return paths


def _search_parameters(declared: Iterable[Mapping[str, str]], ids: list[str]) -> list[Json]:
    parameters = [in_query(p["name"], SEARCHED | ({"examples": ids} if p["name"] == "_id" else {})) for p in declared]
    return [
        *parameters,
        in_query("_count", {"type": "integer", "minimum": 0, "maximum": 999_999_999}),
        in_query("_sort", {**TEXT, "examples": ["_id", "-_id", "title", "-title"]}),
        in_query("_after", {"anyOf": [FHIR_ID, {"const": ""}], "examples": ids}),
    ]


def _representation(summaries: Iterable[str] = ()) -> list[Json]:
    elements = [in_query("_summary", {"enum": ["", *summaries]})] if summaries else []
    return [*elements, in_query("_format", {"enum": list(FORMATS)}), in_query("_pretty", TEXT)]


def _fhir_operation(resource_type: str, parameters: list[Json]) -> Json:
    """Every answer is a resource of the type, every refusal an OperationOutcome."""
    found, outcome = _of_type(resource_type), _of_type("OperationOutcome")
    error = {MEDIA_TYPE: {"schema": outcome}}
    return {"parameters": parameters, "responses": answers(found, (MEDIA_TYPE, "application/json"), error, REFUSED)}


def _search_by_form(parameters: list[Json]) -> Json:
    form = {
        "type": "object",
        "properties": {parameter["name"]: parameter["schema"] for parameter in parameters},
        "propertyNames": TEXT,
        "additionalProperties": {"not": {"pattern": r"\u0000"}},
    }
    body = {"content": {FORM: {"schema": form}}}
    operation = _fhir_operation("Bundle", [])
    refused = operation["responses"]["400"]
    return {**operation, "requestBody": body, "responses": {**operation["responses"], "413": refused, "415": refused}}


def _of_type(resource_type: str) -> Json:
    return {"type": "object", "properties": {"resourceType": {"const": resource_type}}, "required": ["resourceType"]}


# --- Infobutton -------------------------------------------------------------------------------------------------------

SYSTEMS = ("2.16.840.1.113883.6.88", "2.16.840.1.113883.6.90", "2.16.840.1.113883.6.96", "urn:unknown")
CODES = ("7243", "M99.97", "203082005", "no code")
TYPES = ("text/html", "text/xml", "application/json", "application/atom+xml")
NAMES = ("zelvane", "murmuria", "tralort")


def infobutton_description() -> Json:
    """Of `/infobutton`. Record systems add parameters of their own; a few of HL7's stand for them."""
    criteria = [
        in_query(f"mainSearchCriteria.v.{name}{number}", {**TEXT, "examples": list(known)})
        for number in ("", "1")
        for name, known in (("c", CODES), ("cs", SYSTEMS), ("dn", NAMES), ("ot", NAMES))
    ]
    others = ("patientPerson.administrativeGenderCode.c", "age.v.v", "performer", "informationRecipient.languageCode.c")
    parameters = [
        *criteria,
        in_query("taskContext.c.c", {**TEXT, "examples": ["PROBLISTREV", "MEDOE"]}),
        in_query("knowledgeResponseType", {"enum": list(TYPES)}),
        *(in_query(name, TEXT) for name in others),
    ]
    problem = {"application/problem+json": {"schema": {"type": "object", "required": ["status", "title"]}}}
    found = answers({}, ("text/html", "application/json", "application/atom+xml"), problem, ("400", "406", "422"))
    return described("Infobutton", {"/infobutton": {"get": {"parameters": parameters, "responses": found}}})
