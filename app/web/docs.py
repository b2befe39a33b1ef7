"""The pages for developers: `/docs` (Swagger UI) draws `/openapi.json`; `/reference` leads there; and the static files.

Their Content-Security-Policy allows this host alone: if a vendored reader ever wants a font or a telemetry host, the
browser refuses.
"""

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.concepts.manifest import current_manifest
from app.core.templates import content_security_policy, render_template
from app.http import conditional as caching
from app.http.reads import reads_of
from app.storage.read_view import ReadView
from app.web import assets

# The reader writes style attributes and style elements as it draws, and does not run without. Scripts stay strict.
READER_POLICY = content_security_policy(
    script_src="'self'",
    style_src="'self' 'unsafe-inline'",
    img_src="'self' data:",
    font_src="'self' data:",
    connect_src="'self'",
)


def install(app: FastAPI) -> None:
    """Add the pages to an app made with `docs_url=None, redoc_url=None`; they are no part of its OpenAPI document."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/docs", methods=["GET", "HEAD"])
    async def explorer(request: Request) -> Response:
        script = assets.vendor_path("swagger-ui-dist", "swagger-ui-bundle.js")
        style = assets.vendor_path("swagger-ui-dist", "swagger-ui.css")
        return await reads_of(request).inline(request, _page, "web/explorer.html", {"script": script, "style": style})

    @router.api_route("/reference", methods=["GET", "HEAD"])
    async def reference() -> Response:
        return Response(status_code=308, headers={"Location": "docs", "Cache-Control": caching.REVALIDATE})

    @router.api_route("/favicon.ico", methods=["GET", "HEAD"])
    async def favicon(request: Request) -> Response:
        return assets.respond("favicon.svg", request)

    @router.api_route("/static/{path:path}", methods=["GET", "HEAD"])
    async def static(path: str, request: Request) -> Response:
        return assets.respond(path, request)

    app.include_router(router)


def _page(view: ReadView, page: str, files: dict[str, str]) -> Response:
    return HTMLResponse(
        render_template(page, title=current_manifest(view.session).name, **files),
        headers={
            "Cache-Control": caching.REVALIDATE,
            "Content-Security-Policy": READER_POLICY,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )
