"""Errors below `/fhir` as OperationOutcome. They never repeat what the client sent."""

import sqlite3
from collections.abc import Mapping

from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.core import errors
from app.core.errors import AppError, Fault
from app.fhir.request import MEDIA_TYPE
from app.fhir.values import Json, drops_empty
from app.storage.faults import DATABASE_ERRORS, DatabaseUnavailable, unavailable

MAX_ISSUES = 20

_CODES: Mapping[type[AppError], str] = {
    errors.MalformedRequest: "invalid",
    errors.InvalidInput: "invalid",
    errors.NotFound: "not-found",
    errors.Gone: "deleted",
    errors.MethodNotAllowed: "not-supported",
    errors.NotAcceptable: "not-supported",
    errors.PayloadTooLarge: "too-long",
    errors.UnsupportedMediaType: "not-supported",
    errors.RateLimited: "throttled",
    errors.Unavailable: "transient",
}
"""FHIR's issue types; every other error is an `exception`."""


def install(app: Starlette) -> None:
    for kind in (AppError, HTTPException, *DATABASE_ERRORS, Exception):
        app.add_exception_handler(kind, _on_error)


def response(error: AppError) -> Response:
    """The error as OperationOutcome; a 422 becomes a 400, which is FHIR's status for parameters that cannot be read."""
    status = 400 if error.status == 422 else error.status
    headers = {"Cache-Control": "no-store", **error.headers}
    return Response(to_json(_operation_outcome(error)), status, headers, f"{MEDIA_TYPE}; charset=utf-8")


@drops_empty
def _operation_outcome(error: AppError) -> Json:
    code = next((_CODES[kind] for kind in type(error).__mro__ if kind in _CODES), "exception")
    issues = [_fault_issue(code, fault) for fault in error.errors[:MAX_ISSUES]]
    return {"resourceType": "OperationOutcome", "issue": issues or [_error_issue(code, error)]}


def _fault_issue(code: str, fault: Fault) -> Json:
    allowed = f" Allowed: {', '.join(fault.allowed)}." if fault.allowed else ""
    near = f"Did you mean {' or '.join(fault.did_you_mean)}?" if fault.did_you_mean else None
    return {
        "severity": "error",
        "code": "not-supported" if fault.code == "not-supported" else code,
        "details": {"text": f"{fault.message}{allowed}"},
        "expression": [f"http.{fault.field}"] if fault.where == "query" and fault.field.isidentifier() else [],
        "diagnostics": near,
    }


def _error_issue(code: str, error: AppError) -> Json:
    successor = f"Use {error.successor} instead." if isinstance(error, errors.Gone) and error.successor else None
    return {"severity": "error", "code": code, "details": {"text": error.detail}, "diagnostics": successor}


async def _on_error(request: Request, exc: Exception) -> Response:
    error = _app_error(exc)
    if isinstance(error, errors.MethodNotAllowed) and request.method == "OPTIONS":
        return Response(status_code=204, headers=error.headers)
    return response(error)


def _app_error(exc: Exception) -> AppError:
    match exc:
        case DatabaseUnavailable() | DBAPIError() | PoolTimeout() | sqlite3.Error():
            return unavailable(exc)
        case AppError():
            return exc
        case HTTPException(status_code=405):
            return errors.MethodNotAllowed({"OPTIONS", *(exc.headers or {})["Allow"].split(", ")})
        case HTTPException(status_code=404):
            return errors.NotFound("There is nothing at this address; /fhir/r5/metadata says what there is.")
        case HTTPException():
            return errors.MalformedRequest("The request cannot be read.")
        case _:  # Starlette raises it again after the response, and the middleware logs it
            return AppError("The server could not answer this.")
