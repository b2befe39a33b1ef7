"""The application: routers and interfaces, and the request context around them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from importlib.metadata import version
from threading import Lock
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts

from app import api, cds_hooks, fhir, web
from app.api import examples
from app.api import openapi as openapi_document
from app.concepts.manifest import UNDESCRIBED, Manifest, manifest_at
from app.datasets import files_beside
from app.http import freshness, problems, queries
from app.http.bodies import FORM, JSON, BodyBounds
from app.http.database_limiter import DatabaseLimiter
from app.http.middleware import OperatorOptions, RequestContext
from app.http.prefix import PathPrefix
from app.http.reads import Reads
from app.http.response_cache import ResponseCache
from app.http.shortcut import RouteShortcut
from app.http.tracing import NO_TELEMETRY, tracer_from_environment
from app.infobutton import routes as infobutton
from app.mcp import endpoint as mcp
from app.settings import Settings, settings
from app.storage.database import Database
from app.storage.faults import DATABASE_ERRORS, DatabaseUnavailable, unavailable
from app.storage.sqlite_file import known_wal_fault
from app.warming import warm
from app.web import docs

DESCRIPTION = """\
{manifest.description}

Start with `GET {manifest.first_call}`: one call gives statements, caveats, verdicts, and
footnotes with DOIs, PMIDs and study designs. Ids are stable; `links.permalink` reads a record as it was. Answers may
gain fields and enumeration values within `/v1`.

Where the operator limits requests, answers carry `RateLimit` and `RateLimit-Policy`: an item costs 1, a list 2, a
search 5, a brief or a verification 10, an answer that you have (304) nothing. Beyond the limit any address answers 429
with `Retry-After`.

{disclaimer}
"""


def create_app(given: Settings | None = None) -> FastAPI:
    """The API and its pages, without what stands around them; the database is opened with the first request."""
    given = given or settings()
    app = FastAPI(
        version=version("ldn-evidence"),
        openapi_tags=[*api.TAGS, cds_hooks.TAG],
        servers=[{"url": given.path_prefix or "/", "description": "This server"}],
        openapi_url=None,  # `_document` serves it
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        strict_content_type=True,
        telemetry=NO_TELEMETRY,
    )
    database = Database(given.database_url, read_url=given.database_read_url, pool_size=given.pool_size)
    app.state.is_warmed = False
    app.state.reads = Reads(database, DatabaseLimiter(given.pool_size), given.pool_size)
    app.state.settings = given
    app.state.metrics = None
    problems.install(app)
    for kind in (DatabaseUnavailable, *DATABASE_ERRORS):
        app.add_exception_handler(kind, _database_trouble)
    for router in api.ROUTERS:
        app.router.routes.extend(router.routes)  # flat: walking 25 routers would cost every request
    cds_hooks.install(app, given.own_url)
    fhir.install(app, given.public_url)
    app.include_router(infobutton.router(given.public_url))
    app.state.mcp = mcp.install(app, given.own_url, given.cors_origins)
    docs.install(app)
    web.install(app)
    _document(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    metrics = app.state.metrics
    warming = asyncio.create_task(warm(app)) if app.state.is_warmed else None
    with metrics.served(app.state.settings.metrics_address) if metrics is not None else nullcontext():
        yield
    if warming is not None:
        warming.cancel()
    await app.state.mcp.close()
    app.state.reads.close()


def _database_trouble(request: Request, error: Exception) -> Response:
    """A database that is away, busy or frozen is a 503 that says when to come back; its own words stay inside."""
    return problems.problem(unavailable(error), problems.request_id(request.scope))


_document_lock = Lock()
"""Of all applications of the process: what FastAPI keeps while it makes a document is one for all of them."""


def _document(app: FastAPI) -> None:
    """Name and describe the API as the data set that it serves; once for each application, when first asked for.

    What is kept is the JSON that is served: its Python objects would take fourteen times as much memory.
    """
    generate = app.openapi
    written: list[bytes] = []

    def document() -> bytes:
        with _document_lock:
            if not written:
                try:
                    written.append(bytes(JSONResponse(_described(app, generate)).body))
                finally:
                    app.openapi_schema = None  # FastAPI has stored its own, which nobody may get instead
            return written[0]

    async def served(request: Request) -> Response:
        return Response(await asyncio.to_thread(document), media_type=JSONResponse.media_type)

    app.openapi = lambda: json.loads(document())  # type: ignore[method-assign]
    app.add_route("/openapi.json", served, include_in_schema=False)


def _described(app: FastAPI, generate: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What FastAPI generates, under the name of the data set, with all that it leaves out."""
    manifest = _manifest(app)
    app.title = manifest.name
    app.description = DESCRIPTION.format(manifest=manifest, disclaimer=manifest.disclaimer())
    licence = manifest.licence
    app.license_info = {
        "name": f"Apache-2.0 (code), {licence.spdx or licence.name} (data)",
        "identifier": f"Apache-2.0 AND {licence.spdx or 'LicenseRef-data'}",
    }
    written = examples.add(problems.document(queries.document(app, generate())), manifest.examples)
    return openapi_document.finish(written)


def _manifest(app: FastAPI) -> Manifest:
    """Of the data set in the database; where there is none yet, of the files that would be seeded."""
    try:
        with app.state.reads.database.read() as session:
            stored = manifest_at(session)
    except (DatabaseUnavailable, *DATABASE_ERRORS):
        stored = None
    return stored or files_beside.read_manifest(*app.state.settings.seed_dir) or UNDESCRIBED


def in_context(app: FastAPI, given: Settings, *, with_cache: bool = True) -> RequestContext:
    """The whole service: the application inside the context that names, bounds, caches and logs every request."""
    cache = None
    if with_cache and given.cache_bytes:
        watcher = freshness.of(app.state.reads.database, given.database_listen_url)
        cache = ResponseCache(watcher, given.cache_bytes)
    return RequestContext(
        RouteShortcut(app),
        max_body_bytes=BodyBounds(
            given.max_body_bytes,
            below={
                cds_hooks.router.prefix: BodyBounds(
                    max(given.max_body_bytes, cds_hooks.MAX_BODY_BYTES),
                    max_values=250_000,  # 4 MB of real lists hold 200,000
                    media_types=(JSON, "application/fhir+json"),
                ),
                **{path: BodyBounds(given.max_body_bytes, media_types=(FORM,)) for path in fhir.ERROR_RENDERERS},
            },
        ),
        deadline_seconds=given.deadline_seconds,
        cache=cache,
        error_renderers=fhir.ERROR_RENDERERS,
        options=_operator_options(app, given, cache),
    )


def _prefix(app: FastAPI, given: Settings) -> PathPrefix | None:
    """What adds the path of PUBLIC_URL to the addresses of all routes; null where it has none."""
    if not given.path_prefix:
        return None
    paths = (getattr(route, "path", "") for route in iter_route_contexts(app.routes))
    first_segments = (path.split("/")[1] for path in paths if path.startswith("/"))
    return PathPrefix(given.path_prefix, {segment for segment in first_segments if segment and "{" not in segment})


def _operator_options(app: FastAPI, given: Settings, cache: ResponseCache | None) -> OperatorOptions:
    """Modules of what is switched off are not loaded: their libraries would double the time of a start."""
    rate_limits = None
    if given.rate_limit:
        from app.http.rate_limits import RateLimits

        rate_limits = RateLimits(given.rate_limit, given.trusted_proxies, given.rate_limit_redis_url)
    if given.metrics_address:
        from app.http.metrics import Metrics

        app.state.metrics = Metrics(app.state.reads.database, app.state.reads.limiter, cache, rate_limits)
    return OperatorOptions(
        given.cors_origins,
        given.trusted_proxies,
        given.log_client_addresses,
        rate_limits,
        app.state.metrics,
        tracer_from_environment(),
        _prefix(app, given),
    )


def asgi() -> RequestContext:
    """What the server runs."""
    given = settings()
    if given.database_url.startswith("sqlite") and (fault := known_wal_fault()):
        structlog.get_logger("app.storage").warning(fault)
    app = create_app(given)
    app.state.is_warmed = True
    return in_context(app, given)
