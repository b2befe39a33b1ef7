"""Errors of pages as pages: unknown, retired with the successor, and values to correct.

A program gets `application/problem+json` as from every other address; only who takes HTML rather than that gets a page.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.core.errors import AppError, NotAcceptable
from app.core.templates import render_template
from app.http import problems
from app.http.negotiation import negotiate
from app.http.reads import reads_of
from app.storage.faults import DATABASE_ERRORS
from app.storage.manifest import current_manifest
from app.storage.read_view import ReadView
from app.web.pages import CONTENT_SECURITY_POLICY, HTML

NOT_PAGES = ("v1", "fhir", "cds-services", "infobutton", "static", "openapi.json", "metrics", "healthz", "readyz")
"""First segments of addresses that programs ask."""
HEADINGS = {404: "There is nothing at this address", 410: "This record was retired", 422: "This address cannot be read"}

ErrorHandler = Callable[[Request, Exception], Awaitable[Response]]


def install(app: FastAPI) -> None:
    """Let the handlers of errors that are there answer as before, and make pages of their answers where fitting."""
    for kind in (AppError, RequestValidationError, HTTPException):
        handler: Any = app.exception_handlers[kind]
        app.add_exception_handler(kind, _with_pages(handler))


def _with_pages(handler: ErrorHandler) -> ErrorHandler:
    async def handle(request: Request, error: Exception) -> Response:
        response = await handler(request, error)
        if response.status_code not in HEADINGS or not _is_page(request):
            return response
        response.headers["Vary"] = "Accept"
        if not _prefers_html(request):
            return response
        try:
            return await reads_of(request).run(request, _page, request, response)
        except (AppError, *DATABASE_ERRORS):
            return response  # without a database there is no page, and the error itself is what counts

    return handle


def _is_page(request: Request) -> bool:
    return request.url.path.split("/")[1] not in NOT_PAGES


def _prefers_html(request: Request) -> bool:
    """Whether the client takes HTML rather than JSON; who takes both alike gets JSON."""
    try:
        accept = request.headers.get("accept")
        return negotiate(accept, (problems.MEDIA_TYPE, "application/json", HTML)).media_type == HTML
    except NotAcceptable:
        return False


def _page(view: ReadView, request: Request, response: Response) -> Response:
    problem = json.loads(bytes(response.body))
    successor = problem["successor"]
    html = render_template(
        "web/error.html",
        manifest=current_manifest(view.session),
        serial=view.serial,
        release=view.release,
        json_address=None,
        title=HEADINGS[response.status_code],
        description=problem["detail"],
        problem=problem,
        successor=f"{request.url.path.rpartition('/')[0]}/{successor}" if successor else None,
    )
    kept = {name: response.headers[name] for name in ("Cache-Control", "Vary", "Link") if name in response.headers}
    headers = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(html, response.status_code, kept | headers, HTML)
