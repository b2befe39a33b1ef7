"""The comparison of two OpenAPI documents sees every break, and takes no addition for one."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.breaking import Document, breaks

STANCE = {"type": "string", "enum": ["supports", "disputes"]}
DOCUMENT: Document = {
    "paths": {
        "/v1/claims": {
            "get": {
                "operationId": "listClaims",
                "parameters": [
                    {"in": "query", "name": "stance", "schema": {"type": "array", "items": STANCE, "maxItems": 50}},
                    {"in": "query", "name": "limit", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
                    {"in": "query", "name": "cursor", "schema": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Claim"}}}},
                    "422": {"content": {"application/problem+json": {"schema": {"type": "object"}}}},
                },
            },
            "post": {
                "operationId": "addClaim",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": {"text": {"type": "string", "maxLength": 10}, "note": {"type": "string"}},
                                "required": ["text"],
                            }
                        }
                    },
                },
                "responses": {"201": {}},
            },
        },
        "/v1/meta": {"get": {"operationId": "getMeta", "responses": {"200": {}}}},
    },
    "components": {
        "schemas": {
            "Claim": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "stance": STANCE,
                    "caveat": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Claim"}},
                    "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
                },
                "required": ["id", "stance", "caveat", "parts", "counts"],
            }
        }
    },
}


def _operation(document: Document, method: str = "get") -> Any:
    return document["paths"]["/v1/claims"][method]


def _claim(document: Document) -> Any:
    return document["components"]["schemas"]["Claim"]


def _body(document: Document) -> Any:
    return _operation(document, "post")["requestBody"]["content"]["application/json"]["schema"]


BREAKS: dict[str, tuple[Callable[[Document], Any], str]] = {
    "a path is removed": (lambda d: d["paths"].pop("/v1/meta"), "/v1/meta: removed"),
    "an operation is removed": (lambda d: d["paths"]["/v1/claims"].pop("post"), "POST /v1/claims: removed"),
    "an operation is renamed": (
        lambda d: _operation(d).update(operationId="claims"),
        "GET /v1/claims: operationId changed",
    ),
    "a parameter is removed": (
        lambda d: _operation(d)["parameters"].pop(1),
        "GET /v1/claims limit: parameter removed",
    ),
    "a parameter becomes required": (
        lambda d: _operation(d)["parameters"][1].update(required=True),
        "GET /v1/claims limit: parameter became required",
    ),
    "a required parameter is new": (
        lambda d: _operation(d)["parameters"].append(
            {"in": "query", "name": "key", "required": True, "schema": {"type": "string"}}
        ),
        "GET /v1/claims key: new required parameter",
    ),
    "a parameter changes its type": (
        lambda d: _operation(d)["parameters"][1].update(schema={"type": "string"}),
        "GET /v1/claims limit: type changed",
    ),
    "a parameter refuses null": (
        lambda d: _operation(d)["parameters"][2].update(schema={"type": "string"}),
        "GET /v1/claims cursor: type changed",
    ),
    "a request accepts fewer values": (
        lambda d: _operation(d)["parameters"][0]["schema"].update(items={"type": "string", "enum": ["supports"]}),
        "GET /v1/claims stance[]: fewer values accepted",
    ),
    "a request that was open gets an enumeration": (
        lambda d: _body(d)["properties"]["note"].update(enum=["a"]),
        "POST /v1/claims body.note: fewer values accepted",
    ),
    "a ceiling comes down": (
        lambda d: _operation(d)["parameters"][1]["schema"].update(maximum=100),
        "GET /v1/claims limit: narrower bounds",
    ),
    "a list of values becomes a text with no room for them": (
        lambda d: _operation(d)["parameters"][0]["schema"].update(items={"type": "string", "maxLength": 7}),
        "GET /v1/claims stance[]: narrower bounds",
    ),
    "a floor is new": (
        lambda d: _body(d)["properties"]["note"].update(minLength=1),
        "POST /v1/claims body.note: narrower bounds",
    ),
    "a pattern is new": (
        lambda d: _body(d)["properties"]["note"].update(pattern="^a"),
        "POST /v1/claims body.note: another pattern",
    ),
    "a field of a request becomes required": (
        lambda d: _body(d)["required"].append("note"),
        "POST /v1/claims body.note: field became required",
    ),
    "a media type is no longer accepted": (
        lambda d: _operation(d, "post")["requestBody"].update(content={}),
        "POST /v1/claims: application/json is no longer accepted",
    ),
    "a field is removed": (
        lambda d: _claim(d)["properties"].pop("stance"),
        "GET /v1/claims 200.stance: field removed",
    ),
    "a field may be absent": (
        lambda d: _claim(d)["required"].remove("caveat"),
        "GET /v1/claims 200.caveat: field became optional",
    ),
    "a field changes its type": (
        lambda d: _claim(d)["properties"].update(id={"type": "integer"}),
        "GET /v1/claims 200.id: type changed",
    ),
    "a field becomes nullable": (
        lambda d: _claim(d)["properties"].update(id={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        "GET /v1/claims 200.id: type changed",
    ),
    "the values of a map change their type": (
        lambda d: _claim(d)["properties"]["counts"].update(additionalProperties={"type": "string"}),
        "GET /v1/claims 200.counts{}: type changed",
    ),
    "a success is removed": (
        lambda d: _operation(d)["responses"].pop("200"),
        "GET /v1/claims 200: removed",
    ),
    "an answer changes its media type": (
        lambda d: _operation(d)["responses"]["422"].update(content={"application/json": {}}),
        "GET /v1/claims 422: application/problem+json removed",
    ),
}

ADDITIONS: dict[str, Callable[[Document], Any]] = {
    "nothing": lambda d: None,
    "a path": lambda d: d["paths"].update({"/v1/more": {"get": {}}}),
    "an optional parameter": lambda d: _operation(d)["parameters"].append(
        {"in": "query", "name": "q", "schema": {"type": "string"}}
    ),
    "a field of an answer": lambda d: _claim(d)["properties"].update(new={"type": "string"}),
    "a value of an answer's enumeration": lambda d: _claim(d)["properties"].update(
        stance={"type": "string", "enum": ["supports", "disputes", "mixed"]}
    ),
    "a value of a request's enumeration": lambda d: _operation(d)["parameters"][0]["schema"].update(
        items={"type": "string", "enum": ["supports", "disputes", "mixed"]}
    ),
    "a list of values that becomes a text with room for them": lambda d: _operation(d)["parameters"][0][
        "schema"
    ].update(items={"type": "string", "minLength": 1, "maxLength": 40}),
    "an optional field of a request": lambda d: _body(d)["properties"].update(new={"type": "string"}),
    "a wider bound": lambda d: _operation(d)["parameters"][1]["schema"].update(maximum=500),
    "an error": lambda d: _operation(d)["responses"].update({"410": {}}),
    "a field that is never null any more": lambda d: _claim(d)["properties"].update(caveat={"type": "string"}),
    "other words": lambda d: _claim(d)["properties"]["id"].update(description="An id."),
}


@pytest.mark.parametrize(("change", "told"), BREAKS.values(), ids=BREAKS.keys())
def test_a_break_is_seen(change: Callable[[Document], Any], told: str) -> None:
    new = copy.deepcopy(DOCUMENT)
    change(new)

    assert breaks(DOCUMENT, new) == [told]


@pytest.mark.parametrize("change", ADDITIONS.values(), ids=ADDITIONS.keys())
def test_an_addition_is_no_break(change: Callable[[Document], Any]) -> None:
    new = copy.deepcopy(DOCUMENT)
    change(new)

    assert breaks(DOCUMENT, new) == []
