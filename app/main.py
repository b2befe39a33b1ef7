"""The application: routers and interfaces, and the request context around them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app import api, cds_hooks, fhir
from app.api import examples
from app.claims.disclaimer import DISCLAIMER
from app.core.errors import Unavailable
from app.http import freshness, problems, queries
from app.http.database_limiter import DatabaseLimiter
from app.http.middleware import RequestContext
from app.http.reads import Reads
from app.http.request_limits import BodyBounds
from app.http.response_cache import ResponseCache
from app.http.shortcut import RouteShortcut
from app.infobutton import routes as infobutton
from app.settings import Settings, settings
from app.storage.database import Database
from app.warming import warm
from app.web import docs

TITLE = "LDN Evidence"
DESCRIPTION = f"""\
Claims about low-dose naltrexone, each with the citations that support it **and those that dispute it**.

Start with `GET /v1/claims?condition=fibromyalgia&kind=efficacy`: one call gives statements, caveats, verdicts, and
footnotes with DOIs, PMIDs and study designs. Ids are stable; `links.permalink` reads a record as it was. Answers may
gain fields and enumeration values within `/v1`.

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
    )
    database = Database(given.database_url, read_url=given.database_read_url, pool_size=given.pool_size)
    app.state.is_warmed = False
    app.state.reads = Reads(database, DatabaseLimiter(given.pool_size), given.pool_size)
    problems.install(app)
    app.add_exception_handler(DBAPIError, _database_trouble)
    app.add_exception_handler(PoolTimeout, _database_trouble)
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
    warming = asyncio.create_task(warm(app)) if app.state.is_warmed else None
    yield
    if warming is not None:
        warming.cancel()
    app.state.reads.close()


def _database_trouble(request: Request, error: Exception) -> Response:
    """A database that is away, busy or frozen is a 503 that says when to come back; its own words stay inside."""
    trouble = Unavailable("The database does not answer just now.", retry_after=2)
    return problems.problem(trouble, problems.request_id(request.scope))


def _document(app: FastAPI) -> None:
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = examples.add(problems.document(queries.document(app, generate())))
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
            given.max_body_bytes, {cds_hooks.router.prefix: max(given.max_body_bytes, cds_hooks.MAX_BODY_BYTES)}
        ),
        deadline_seconds=given.deadline_seconds,
        cache=cache,
        origins=given.cors_origins,
        error_renderers=fhir.ERROR_RENDERERS,
    )


def asgi() -> RequestContext:
    """What the server runs."""
    given = settings()
    app = create_app(given)
    app.state.is_warmed = True
    return in_context(app, given)
