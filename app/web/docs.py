"""The pages: `/` tells what this is, `/docs` (Swagger UI) and `/reference` (Scalar) draw `/openapi.json`.

Every address in them is relative, so that they work behind a proxy that adds a prefix. Their Content-Security-Policy
admits this host alone: if a vendored reader ever wants a font or a telemetry host, the browser refuses.
"""

from html import escape
from pathlib import Path
from string import Template

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.http import conditional as caching
from app.web import assets

PAGES = Path(__file__).parent / "pages"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
# Both readers write style attributes and style elements as they draw; neither runs without. Scripts stay strict.
READER_POLICY = CONTENT_SECURITY_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


def install(app: FastAPI, *, title: str, disclaimer: str) -> None:
    """Add the pages to an app made with `docs_url=None, redoc_url=None`; they are no part of its OpenAPI document."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    async def start() -> Response:
        return page("start.html", CONTENT_SECURITY_POLICY, title=title, disclaimer=disclaimer)

    @router.api_route("/docs", methods=["GET", "HEAD"])
    async def explorer() -> Response:
        script = assets.vendor_path("swagger-ui-dist", "swagger-ui-bundle.js")
        style = assets.vendor_path("swagger-ui-dist", "swagger-ui.css")
        return page("docs.html", READER_POLICY, title=title, script=script, style=style)

    @router.api_route("/reference", methods=["GET", "HEAD"])
    async def reference() -> Response:
        script = assets.vendor_path("scalar-api-reference", "standalone.js")
        return page("reference.html", READER_POLICY, title=title, script=script)

    @router.api_route("/favicon.ico", methods=["GET", "HEAD"])
    async def favicon(request: Request) -> Response:
        return assets.respond("favicon.svg", request)

    @router.api_route("/static/{path:path}", methods=["GET", "HEAD"])
    async def static(path: str, request: Request) -> Response:
        return assets.respond(path, request)

    app.include_router(router)


def page(name: str, policy: str, **values: str) -> HTMLResponse:
    """A page from `pages/` with its `$names` filled in."""
    template = Template((PAGES / name).read_text(encoding="utf-8"))
    return HTMLResponse(
        template.substitute({key: escape(value) for key, value in values.items()}),
        headers={
            "Cache-Control": caching.REVALIDATE,
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )
