"""Every error as `application/problem+json` (RFC 9457): one shape, a stable code, and never what the client sent."""

from __future__ import annotations

import http
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core.core_schema import ErrorType
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app.core.content import QueryModel
from app.core.errors import (
    AppError,
    Conflict,
    Fault,
    Gone,
    HeadTooLarge,
    InvalidInput,
    MalformedJson,
    MalformedRequest,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    Unavailable,
    UnsupportedMediaType,
    UriTooLong,
    Where,
    nearest,
)
from app.http.queries import is_sequence, query_model, refuse_repeated

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 20
MAX_ALLOWED = 100
MAX_BYTES = 8000


class ProblemError(BaseModel):
    """One thing wrong with the request."""

    model_config = ConfigDict(populate_by_name=True)

    where: Where = Field(alias="in", description="The part of the request the field stands in.")
    field: str = Field(description="The parameter, header or dotted path in the body.")
    code: str = Field(description="Stable; a program may branch on it.")
    message: str = Field(description="What would be right, for people.")
    allowed: list[str] | None = Field(description="What would have been accepted; at most 100 are listed.")
    did_you_mean: list[str] | None = Field(
        description="The accepted values nearest to the one sent, best first; at most five."
    )
    successor: str | None = Field(description="The id that took the place of a retired one.")
    id: str | None = Field(description="The record of the data set that it is about, such as one that was retired.")
    position: int | None = Field(
        description="Which of the values of a repeated parameter, from 1; null where it stands once."
    )


class Problem(BaseModel):
    """What went wrong (RFC 9457). What the client sent is never repeated."""

    type: str = Field(description="Identifies the kind of problem: `/errors/` and the code.")
    title: str = Field(description="The kind of problem in a few words.")
    status: int = Field(description="The status code of this response.")
    detail: str = Field(description="This occurrence, for people.")
    code: str = Field(description="Stable; a program may branch on it.")
    errors: list[ProblemError] = Field(description="What to correct; the first 20.")
    request_id: str | None = Field(description="Quote it when you report the problem; also in `X-Request-ID`.")
    successor: str | None = Field(description="The id of the record to use instead of a retired one.")


_ERRORS: dict[int, type[AppError]] = {
    error.status: error
    for error in (
        AppError,
        MalformedRequest,
        NotFound,
        MethodNotAllowed,
        NotAcceptable,
        Conflict,
        Gone,
        PayloadTooLarge,
        UriTooLong,
        UnsupportedMediaType,
        InvalidInput,
        RateLimited,
        HeadTooLarge,
        Unavailable,
    )
}


def request_id(scope: Scope) -> str | None:
    """The id the guard gave this request."""
    state: Mapping[str, Any] = scope.get("state", {})
    identifier: str | None = state.get("request_id")
    return identifier


def problem(error: AppError, request_id: str | None) -> Response:
    """The error as a response of at most 8 KB."""
    document = {
        "type": f"/errors/{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": _clean(error.detail, 1000),
        "code": error.code,
        "errors": [_fault(fault) for fault in error.errors[:MAX_ERRORS]],
        "request_id": request_id,
        "successor": error.successor if isinstance(error, Gone) else None,
    }
    headers = {"Cache-Control": "no-store", **error.headers}
    return Response(_fit(document), error.status, headers, MEDIA_TYPE)


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "in": fault.where,
        "field": _clean(fault.field, 100),
        "code": fault.code,
        "message": _clean(fault.message, 300),
        "allowed": _list(fault.allowed, MAX_ALLOWED),
        "did_you_mean": _list(fault.did_you_mean, 5),
        "successor": fault.successor,
        "id": fault.id,
        "position": fault.position,
    }


def _list(values: Sequence[str] | None, most: int) -> list[str] | None:
    return None if values is None else [_clean(value, 100) for value in values[:most]]


def _clean(text: str, longest: int) -> str:
    """Cut, and without lone surrogates: JSON can spell them, but few clients can read them."""
    return text[:longest].encode("utf-8", "replace").decode()


def _fit(document: dict[str, Any]) -> bytes:
    """The document in at most MAX_BYTES: the last errors lose their `allowed`, then go, then the first is cut."""
    errors: list[dict[str, Any]] = document["errors"]
    for error in reversed(errors[1:]):
        if len(_encode(document)) <= MAX_BYTES:
            break
        error["allowed"] = None
    while len(errors) > 1 and len(_encode(document)) > MAX_BYTES:
        errors.pop()
    while errors and errors[0]["allowed"] and len(_encode(document)) > MAX_BYTES:
        del errors[0]["allowed"][-10:]
    return _encode(document)


def _encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


# --- What FastAPI and Starlette raise, in our words


def install(app: FastAPI) -> None:
    """Make every error of the app a problem, OPTIONS an answer, and slashes exact.

    A redirect to the path with or without a final slash would name the Host that the client sent.
    """
    app.router.redirect_slashes = False
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_anything_else)


async def _on_app_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, AppError)  # noqa: S101 - narrows the type: the handler is registered for this class
    return problem(exc, request_id(request.scope))


async def _on_invalid_request(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)  # noqa: S101 - as above
    errors: Sequence[Mapping[str, Any]] = exc.errors()
    if any(error["type"] == "json_invalid" for error in errors):
        return problem(_malformed_json(), request_id(request.scope))
    faults = [replace(_from_pydantic(error, request), position=_position(error)) for error in errors[:MAX_ERRORS]]
    return problem(_to_correct(len(errors), faults), request_id(request.scope))


def invalid_arguments(error: ValidationError) -> InvalidInput:
    """What is wrong with arguments that came in another envelope than a request's, in the words of a body."""
    errors = error.errors(include_url=False)
    faults = [_from_pydantic({**one, "loc": ("body", *one["loc"])}, None) for one in errors[:MAX_ERRORS]]
    return _to_correct(len(errors), faults)


def _position(error: Mapping[str, Any]) -> int | None:
    """Which of the values of a repeated parameter an error of pydantic is about, from 1."""
    where, *steps = error["loc"]
    is_one_of_many = where == "query" and len(steps) > 1 and isinstance(steps[1], int)
    return steps[1] + 1 if is_one_of_many else None


def _to_correct(count: int, faults: Sequence[Fault]) -> InvalidInput:
    return InvalidInput(
        f"{count} {'value' if count == 1 else 'values'} to correct; `errors` says which.", errors=faults
    )


async def _on_http_exception(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101 - as above
    if exc.status_code == 405:
        allow = allowed_methods(request)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(sorted(allow))})
        return problem(MethodNotAllowed(allow), request_id(request.scope))
    return problem(_from_http(exc), request_id(request.scope))


async def _on_anything_else(request: Request, _exc: Exception) -> Response:
    return problem(internal_error(), request_id(request.scope))


def internal_error() -> AppError:
    return AppError("The request could not be answered. The fault is ours; quote the request id when you report it.")


def _malformed_json() -> AppError:
    fault = Fault("body", "body", "malformed_json", "Send one JSON value in UTF-8.")
    return MalformedJson("The body could not be read as JSON.", errors=[fault])


def _from_http(exc: HTTPException) -> AppError:
    """Details of foreign exceptions may repeat what was sent, so they are replaced."""
    if exc.status_code == 400:
        return _malformed_json()
    if exc.status_code == 404:
        return NotFound("There is nothing at this address. /openapi.json lists what there is.")
    phrase = http.HTTPStatus(exc.status_code).phrase
    kind = _ERRORS.get(exc.status_code)
    code = kind.code if kind else re.sub(r"[^a-z]+", "_", phrase.lower())
    title = kind.title if kind else phrase
    error_class = type("HTTPError", (AppError,), {"status": exc.status_code, "code": code, "title": title})
    error: AppError = error_class(f"{title}.", headers=exc.headers)
    return error


def _routes_at(request: Request) -> Iterable[RouteContext]:
    """The routes whose path matches, whatever their methods."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.path_regex.match(path):
            yield route


def allowed_methods(request: Request) -> set[str]:
    """Every method that this address answers to: Starlette's own 405 names those of the first route alone."""
    # No route of ours: a mounted directory of files, which answers to reads.
    allow = {method for route in _routes_at(request) for method in route.methods or ()} or {"GET"}
    return allow | {"OPTIONS"} | ({"HEAD"} if "GET" in allow else set())


def _declared_query_parameters(request: Request) -> dict[str, bool]:
    """By name, whether it may be repeated."""
    dependant = _dependant_at(request)
    return dict(sorted(_query_parameters(dependant))) if dependant is not None else {}


def _dependant_at(request: Request) -> Dependant | None:
    """What the endpoint at this address takes."""
    return next((route.dependant for route in _routes_at(request) if request.method in (route.methods or ())), None)


def _not_offered(request: Request | None, name: str) -> str | None:
    """What to use in place of a parameter that other APIs have."""
    dependant = _dependant_at(request) if request is not None else None
    for dependency in dependant.dependencies if dependant is not None else ():
        model = query_model(dependency.call)
        if model is not None and issubclass(model, QueryModel) and name in model.NOT_OFFERED:
            return model.NOT_OFFERED[name]
    return None


def _query_parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    for parameter in dependant.query_params:
        model = parameter.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from _fields(model)
        else:
            yield parameter.alias, is_sequence(model)
    for dependency in dependant.dependencies:
        if (model := query_model(dependency.call)) is not None:
            yield from _fields(model)
        yield from _query_parameters(dependency)


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, bool]]:
    for name, field in model.model_fields.items():
        yield field.alias or name, is_sequence(field.annotation)


async def declared_parameters_only(request: Request) -> None:
    """A dependency for routers: refuses query parameters that the endpoint does not declare, and single ones that are
    repeated. Async, so that it takes no thread.

    FastAPI ignores them unless the endpoint takes a query model that forbids extra fields.
    """
    if not request.query_params:
        return
    declared = _declared_query_parameters(request)
    unknown = [name for name in request.query_params if name not in declared]
    if unknown:
        raise _to_correct(len(unknown), [_unknown("query", name, tuple(declared)) for name in unknown])
    refuse_repeated(name for name in declared if not declared[name] and len(request.query_params.getlist(name)) > 1)


def _unknown(where: Where, name: str, allowed: Sequence[str]) -> Fault:
    code, message = ("unknown_parameter", "This address does not know this parameter.")
    if where == "body":
        code, message = ("unknown_field", "This field is not known here.")
    leaf = name.rpartition(".")[2]
    return Fault(where, name, code, message, tuple(allowed) or None, nearest(leaf, allowed) or None)


# --- Pydantic's errors, in plain English

_BUILT_IN = frozenset(get_args(ErrorType))
_WHERE: dict[str, Where] = {"query": "query", "path": "path", "body": "body", "header": "header", "cookie": "header"}
_QUOTED = re.compile(r"(?<!\\)'((?:[^'\\]|\\.)*)'")
_REMEDIES: dict[str, tuple[str, str]] = {
    "missing": ("missing", "This is required."),
    "greater_than": ("out_of_range", "Must be greater than {gt}."),
    "greater_than_equal": ("out_of_range", "Must be {ge} or more."),
    "less_than": ("out_of_range", "Must be less than {lt}."),
    "less_than_equal": ("out_of_range", "Must be {le} or less."),
    "multiple_of": ("out_of_range", "Must be a multiple of {multiple_of}."),
    "int_parsing_size": ("out_of_range", "Must be a whole number of fewer digits."),
    "finite_number": ("out_of_range", "Must be a finite number."),
    "string_too_short": ("too_short", "Must have at least {min_length} characters."),
    "string_too_long": ("too_long", "Must have at most {max_length} characters."),
    "too_short": ("too_short", "Must have at least {min_length} entries."),
    "too_long": ("too_long", "Must have at most {max_length} entries."),
    "string_pattern_mismatch": ("wrong_format", "Must match the pattern {pattern}"),
    "string_unicode": ("wrong_format", "Must be valid Unicode text."),
    "url_parsing": ("wrong_format", "Must be an absolute URL."),
    "uuid_parsing": ("wrong_format", "Must be a UUID."),
    "timezone_aware": ("wrong_format", "Must be an RFC 3339 time with its offset, such as 2026-11-22T10:00:00Z."),
}
_KINDS: tuple[tuple[str, str], ...] = (
    # The first prefix of the error's type that fits; `datetime` before `date`.
    ("int_", "Must be a whole number."),
    ("float_", "Must be a number."),
    ("decimal_", "Must be a number."),
    ("bool_", "Must be true or false."),
    ("string_", "Must be text."),
    ("datetime_", "Must be an RFC 3339 time, such as 2026-11-22T10:00:00Z."),
    ("date_", "Must be a date, such as 2026-11-22."),
    ("list_", "Must be a list."),
    ("tuple_", "Must be a list."),
    ("set_", "Must be a list."),
    ("dict_", "Must be an object."),
    ("model_", "Must be an object, sent as application/json."),
)


def _from_pydantic(error: Mapping[str, Any], request: Request | None) -> Fault:
    kind: str = error["type"]
    where = _WHERE.get(str(error["loc"][0]), "body")
    # A repeated parameter is a list to pydantic; to the client each of them has the one name.
    steps = error["loc"][1:2] if where in ("query", "header") else error["loc"][1:]
    field = ".".join(str(step) for step in steps) or where
    context: Mapping[str, Any] = error.get("ctx") or {}
    if kind == "extra_forbidden":
        declared = tuple(_declared_query_parameters(request)) if request is not None and where == "query" else ()
        remedy = _not_offered(request, field) if declared else None
        return (
            Fault(where, field, "unknown_parameter", remedy, declared) if remedy else _unknown(where, field, declared)
        )
    if kind in ("enum", "literal_error"):
        allowed = tuple(_QUOTED.findall(str(context.get("expected", ""))))
        close = nearest(error["input"], allowed) if isinstance(error.get("input"), str) else ()
        message = "Must be one of the values in `allowed`."
        return Fault(where, field, "unknown_value", message, allowed or None, close or None)
    if kind in ("value_error", "assertion_error") or kind not in _BUILT_IN:
        return _from_our_validator(error, where, field, context)
    if kind in _REMEDIES:
        code, template = _REMEDIES[kind]
        return Fault(where, field, code, template.format_map(context))
    message = next((text for prefix, text in _KINDS if kind.startswith(prefix)), "This value cannot be used.")
    return Fault(where, field, "wrong_type", message)


def _from_our_validator(error: Mapping[str, Any], where: Where, field: str, context: Mapping[str, Any]) -> Fault:
    """A `ValueError` or `PydanticCustomError` of ours: its text is for the user, unless it repeats the input.

    A custom error may carry `allowed`, `did_you_mean` and `successor` in its context; its type is the code.
    """
    ours = error["type"] not in _BUILT_IN
    text = str(error["msg"] if ours else context.get("error", ""))
    sent = error.get("input")
    if not text or (isinstance(sent, str) and len(sent) > 2 and sent in text):
        text = "This value cannot be used."
    message = text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
    return Fault(
        where,
        field,
        error["type"] if ours else "invalid_value",
        message,
        allowed=_strings(context.get("allowed")),
        did_you_mean=_strings(context.get("did_you_mean")),
        successor=context.get("successor"),
    )


def _strings(values: Iterable[object] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(str(value) for value in values)


# --- OpenAPI


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says about its errors: `responses=responses(404, 410)`."""
    return {status: _documented(status) for status in statuses}


def _documented(status: int) -> dict[str, Any]:
    title = _ERRORS[status].title if status in _ERRORS else http.HTTPStatus(status).phrase
    return {
        "description": title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def document(openapi: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with our problem where FastAPI writes its own 422, and with the problem's schema."""
    for path in openapi["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                if "requestBody" in operation:
                    operation["responses"]["415"] = _documented(415)
                for status, response in operation.get("responses", {}).items():
                    if status == "422" and MEDIA_TYPE not in response.get("content", {}):
                        operation["responses"][status] = _documented(422)
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas: dict[str, Any] = openapi.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas.update(schema.pop("$defs"))
    schemas["Problem"] = schema
    return openapi
