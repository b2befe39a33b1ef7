"""The application: routers and interfaces, and the request context around them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from importlib.metadata import version
from threading import Lock
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response

from app import api, cds_hooks, fhir
from app.api import examples
from app.api import openapi as openapi_document
from app.claims.disclaimer import DISCLAIMER
from app.http import freshness, problems, queries
from app.http.bodies import FORM, JSON, BodyBounds
from app.http.database_limiter import DatabaseLimiter
from app.http.middleware import OperatorOptions, RequestContext
from app.http.reads import Reads
from app.http.response_cache import ResponseCache
from app.http.shortcut import RouteShortcut
from app.http.tracing import NO_TELEMETRY, tracer_from_environment
from app.infobutton import routes as infobutton
from app.settings import Settings, settings
from app.storage.database import Database
from app.storage.faults import DATABASE_ERRORS, DatabaseUnavailable, unavailable
from app.storage.sqlite_file import known_wal_fault
from app.warming import warm
from app.web import docs

TITLE = "LDN Evidence"
DESCRIPTION = f"""\
Claims about low-dose naltrexone, each with the citations that support it **and those that dispute it**.

Start with `GET /v1/claims?condition=fibromyalgia&kind=efficacy`: one call gives statements, caveats, verdicts, and
footnotes with DOIs, PMIDs and study designs. Ids are stable; `links.permalink` reads a record as it was. Answers may
gain fields and enumeration values within `/v1`.

Where the operator limits requests, answers carry `RateLimit` and `RateLimit-Policy`: an item costs 1, a list 2, a
search 5, a brief 10, an answer that you have (304) nothing. Beyond the limit any address answers 429 with
`Retry-After`.

{DISCLAIMER}
"""


def create_app(given: Settings | None = None) -> FastAPI:
    """The API and its pages, without what stands around them; the database is opened with the first request."""
    given = given or settings()
    app = FastAPI(
        title=TITLE,
        version=version("ldn-evidence"),
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0 (code), CC BY 4.0 (data)", "identifier": "Apache-2.0 AND CC-BY-4.0"},
        openapi_tags=[*api.TAGS, cds_hooks.TAG],
        servers=[{"url": "/", "description": "This server"}],
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
    app.include_router(infobutton.router(given.public_url.rstrip("/")))
    docs.install(app, title=TITLE, disclaimer=DISCLAIMER)
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
    app.state.reads.close()


def _database_trouble(request: Request, error: Exception) -> Response:
    """A database that is away, busy or frozen is a 503 that says when to come back; its own words stay inside."""
    return problems.problem(unavailable(error), problems.request_id(request.scope))


def _document(app: FastAPI) -> None:
    generate = app.openapi
    alone = Lock()  # what the framework writes is wrong if two threads make it at once, and unfinished at first

    def openapi() -> dict[str, Any]:
        with alone:
            if app.openapi_schema is None:
                written = examples.add(problems.document(queries.document(app, generate())))
                app.openapi_schema = openapi_document.finish(written)
            return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


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
    )


def asgi() -> RequestContext:
    """What the server runs."""
    given = settings()
    if given.database_url.startswith("sqlite") and (fault := known_wal_fault()):
        structlog.get_logger("app.storage").warning(fault)
    app = create_app(given)
    app.state.is_warmed = True
    return in_context(app, given)
