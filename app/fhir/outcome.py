"""Every error below `/fhir` as an OperationOutcome: what went wrong, where, and never what the client sent."""

from collections.abc import Mapping

import structlog
from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.core.errors import (
    AppError,
    Fault,
    Gone,
    InvalidInput,
    MalformedRequest,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    PayloadTooLarge,
    Unavailable,
)
from app.core.logging import describe
from app.fhir.request import MEDIA_TYPE, UnsupportedMediaType
from app.fhir.values import Json, built

MAX_ISSUES = 20

_CODES: Mapping[type[AppError], str] = {
    MalformedRequest: "invalid",
    InvalidInput: "invalid",
    NotFound: "not-found",
    Gone: "deleted",
    MethodNotAllowed: "not-supported",
    NotAcceptable: "not-supported",
    PayloadTooLarge: "too-long",
    UnsupportedMediaType: "not-supported",
    Unavailable: "transient",
}
"""Issue types of FHIR; whatever else goes wrong is an `exception`."""


def install(app: Starlette) -> None:
    app.add_exception_handler(AppError, _on_app_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(DBAPIError, _on_database)
    app.add_exception_handler(PoolTimeout, _on_database)
    app.add_exception_handler(Exception, _on_anything_else)


def response(error: AppError) -> Response:
    """FHIR knows no 422 for reading: what cannot be read is a 400."""
    status = 400 if error.status == 422 else error.status
    code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), "exception")
    issues = [_issue(code, fault) for fault in error.errors[:MAX_ISSUES]] or [_whole(code, error)]
    body = to_json(built({"resourceType": "OperationOutcome", "issue": issues}))
    headers = {"Cache-Control": "no-store", **error.headers}
    return Response(body, status, headers, f"{MEDIA_TYPE}; charset=utf-8")


def _issue(code: str, fault: Fault) -> Json:
    allowed = f" Allowed: {', '.join(fault.allowed)}." if fault.allowed else ""
    return {
        "severity": "error",
        "code": "not-supported" if fault.code == "not-supported" else code,
        "details": {"text": f"{fault.message}{allowed}"},
        "expression": [f"http.{fault.field}"] if fault.where == "query" and fault.field.isidentifier() else [],
    }


def _whole(code: str, error: AppError) -> Json:
    successor = f"Use {error.successor} instead." if isinstance(error, Gone) and error.successor else None
    return {"severity": "error", "code": code, "details": {"text": error.detail}, "diagnostics": successor}


async def _on_app_error(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, AppError)  # noqa: S101 - narrows the type: the handler is registered for this class
    return response(exc)


async def _on_http_exception(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101 - as above
    if exc.status_code == 405:
        methods = sorted({"OPTIONS", *(exc.headers or {})["Allow"].split(", ")})
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(methods)})
        return response(MethodNotAllowed(methods))
    if exc.status_code == 404:
        return response(NotFound("There is nothing at this address; /fhir/r5/metadata says what there is."))
    return response(MalformedRequest("The request cannot be read."))


async def _on_database(_request: Request, exc: Exception) -> Response:
    structlog.get_logger("app.errors").warning("database", **describe(exc))
    return response(Unavailable("The database does not answer just now."))


async def _on_anything_else(_request: Request, _exc: Exception) -> Response:
    # Starlette raises it again once this is sent, and the guard logs it.
    return response(AppError("The server could not answer this."))
