"""What a site has besides its pages: errors as pages, `/robots.txt`, `/sitemap.xml` and `/llms.txt`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast
from xml.sax.saxutils import escape

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from app.concepts.manifest import current_manifest
from app.core.errors import AppError, Gone, NotAcceptable, NotFound
from app.core.logging import describe
from app.grading.wording import NO_ALL_CLEAR
from app.http import conditional
from app.http.conditional import conditional_response
from app.http.negotiation import negotiate
from app.http.problems import MEDIA_TYPE, declared_parameters_only
from app.http.reads import reads_of
from app.registry import BY_TYPE
from app.storage.history import published_records
from app.storage.read_view import ReadView
from app.web.pages import HEADERS, HTML, page_address, render_page

router = APIRouter(include_in_schema=False, dependencies=[Depends(declared_parameters_only)])

PLAIN = "text/plain; charset=utf-8"
IN_SITEMAP = ("condition", "claim", "side_effect", "intervention", "mechanism", "outcome", "study", "document")
"""Types whose pages a search engine should know, the most useful first."""
MAX_ADDRESSES = 50_000
"""That a sitemap may hold (sitemaps.org)."""

Handler = Callable[[Request, Exception], Awaitable[Response]]


# --- errors as pages ----------------------------------------------------------------------------------------------


def install_error_pages(app: FastAPI, page_routers: tuple[APIRouter, ...]) -> None:
    """Answer browsers with a page where the address is a page's or nobody's; every other error stays a problem.

    Call it when all routes are there: what they begin with tells pages from interfaces.
    """
    pages = {_first_segment(route.path) for router in page_routers for route in router.routes if hasattr(route, "path")}
    others = {_first_segment(getattr(route, "path", "")) for route in app.routes} - pages | {"static"}

    def is_page(request: Request) -> bool:
        path: str = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        return _first_segment(path) not in others

    for kind in (AppError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _or_page(cast("Handler", app.exception_handlers[kind]), is_page))


def _first_segment(path: str) -> str:
    return path.lstrip("/").partition("/")[0]


def _wants_html(request: Request) -> bool:
    """Whether the client names HTML; one that takes anything gets the problem."""
    accept = request.headers.get("accept", "")
    try:
        return HTML in accept.lower() and negotiate(accept, (MEDIA_TYPE, HTML)).media_type == HTML
    except NotAcceptable:
        return False


def _or_page(to_problem: Handler, is_page: Callable[[Request], bool]) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        problem = await to_problem(request, error)
        if problem.status_code not in _HEADINGS or not is_page(request):
            return problem
        problem.headers["Vary"] = "Accept"
        if not _wants_html(request):
            return problem
        try:
            body = await reads_of(request).run(request, _error_page, request, error, from_json(bytes(problem.body)))
        except Exception as failure:
            structlog.get_logger("app.web").warning("no_error_page", **describe(failure))
            return problem
        headers = {name: problem.headers[name] for name in ("link", "allow") if name in problem.headers}
        headers |= {"Cache-Control": conditional.NO_STORE, "Vary": "Accept, Accept-Encoding"}
        return Response(body, problem.status_code, HEADERS | headers, HTML)

    return handle


_HEADINGS = {
    404: ("There is nothing at this address", "It may have been mistyped, or a record has another id."),
    410: ("This record was retired", "It is no longer shown; what was published of it can still be read as data."),
    422: ("This address cannot be answered", "A part of it is not understood here."),
}


def _error_page(view: ReadView, request: Request, error: Exception, problem: dict[str, Any]) -> bytes:
    heading, text = _HEADINGS[problem["status"]]
    segment = _first_segment(request.scope["path"])
    near = [
        (f"/{segment}/{value}", value)
        for fault in problem["errors"]
        if fault["in"] == "path"
        for value in fault["did_you_mean"] or ()
    ]
    successor = page_address(error.successor_url) if isinstance(error, Gone) and error.successor_url else None
    return render_page(
        view,
        "web/error.html",
        title=heading,
        description=text,
        text=error.detail if isinstance(error, NotFound | Gone) else text,
        faults=[fault for fault in problem["errors"] if fault["in"] == "query"],
        near=near,
        successor=successor,
    )


# --- for robots ---------------------------------------------------------------------------------------------------


@router.get("/robots.txt")
async def robots(request: Request) -> Response:
    """Everything may be read; a search page is no page to find."""
    lines = ["User-agent: *", "Disallow: /search", "Allow: /"]
    if public := _public_url(request):
        lines.append(f"Sitemap: {public}/sitemap.xml")
    return _text(request, "\n".join(lines) + "\n")


@router.get("/sitemap.xml")
async def sitemap(request: Request) -> Response:
    """Only where the public address is set, since a sitemap names absolute addresses."""
    public = _public_url(request)
    if not public:
        raise NotFound("There is no sitemap, because PUBLIC_URL is not set: a sitemap names absolute addresses.")
    return await reads_of(request).run(request, _sitemap, request, public)


def _sitemap(view: ReadView, request: Request, public: str) -> Response:
    entries = [f"<url><loc>{escape(public)}{path}</loc></url>" for path in ("/", "/conditions")]
    for record_type in IN_SITEMAP:
        path = f"{escape(public)}{page_address(BY_TYPE[record_type].path)}"
        entries += [
            f"<url><loc>{path}/{record_id}</loc><lastmod>{updated_at}</lastmod></url>"
            for record_id, updated_at in published_records(view.session, record_type, MAX_ADDRESSES - len(entries))
        ]
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "\n".join(entries)
        + "\n</urlset>\n"
    ).encode()
    return conditional_response(request, conditional.etag(body), body, media_type="application/xml")


@router.get("/llms.txt")
async def llms(request: Request) -> Response:
    """What a language model should know before it reads (llmstxt.org)."""
    openapi: dict[str, Any] = await asyncio.to_thread(request.app.openapi)
    return await reads_of(request).run(request, _llms, request, openapi)


def _llms(view: ReadView, request: Request, openapi: dict[str, Any]) -> Response:
    manifest = current_manifest(view.session)
    calls = [
        f"- [{operation['summary']}]({path}): `{method.upper()} {path}`"
        for path, operations in openapi["paths"].items()
        if path.startswith("/v1/") and "{" not in path
        for method, operation in operations.items()
        if method in ("get", "post")
    ]
    lines = [
        f"# {manifest.name}",
        f"> {manifest.description}",
        "Never show a claim's statement alone: its answer, verdict, caveat and both sides' counts go with it. "
        f"An empty answer: nothing found, or nobody searched. {NO_ALL_CLEAR} Ids are stable; "
        f"`links.permalink` reads a record as it was. {manifest.disclaimer()}",
        f"Licence of the data: {manifest.licence.name}. Cite as: {manifest.citation}.",
        "## Start here",
        f"- [First call]({manifest.first_call}): claims with their answers and citations",
        "- [OpenAPI document](/openapi.json): every call with its parameters",
        "- [Conditions](/conditions): pages for people",
        "## Calls",
        "\n".join(calls),
    ]
    body = ("\n\n".join(lines) + "\n").encode()
    return conditional_response(request, conditional.etag(body), body, media_type="text/markdown; charset=utf-8")


def _public_url(request: Request) -> str:
    public_url: str = request.app.state.settings.public_url
    return public_url.rstrip("/")


def _text(request: Request, text: str) -> Response:
    body = text.encode()
    return conditional_response(request, conditional.etag(body), body, media_type=PLAIN)
