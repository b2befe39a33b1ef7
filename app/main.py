"""The application: routers, faces and the guard around them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.types import ASGIApp

from app import api, cds_hooks, fhir
from app.api import examples, search
from app.claims.disclaimer import DISCLAIMER
from app.core.errors import Unavailable
from app.core.logging import AccessLog
from app.http import compression as coding
from app.http import freshness, problems
from app.http.database_limiter import Turns
from app.http.dataset import API_VERSION, Dataset
from app.http.direct import Direct
from app.http.lane import Lane
from app.http.middleware import Guard
from app.infobutton import routes as infobutton
from app.settings import Settings, settings
from app.storage.database import Database
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
    """The API and its pages, without the guard; the database is opened with the first request."""
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
    app.state.database = Database(given.database_url, read_url=given.database_read_url, pool_size=given.pool_size)
    app.state.turns = Turns(given.pool_size)
    app.state.dataset = None
    problems.install(app)
    app.add_exception_handler(DBAPIError, _database_trouble)
    app.add_exception_handler(PoolTimeout, _database_trouble)
    app.add_middleware(coding.negotiated)
    for router in api.ROUTERS:
        app.include_router(router)
    cds_hooks.install(app)
    fhir.install(app, given.public_url)
    app.include_router(infobutton.router(given.public_url.rstrip("/")))
    docs.install(app, title=TITLE, disclaimer=DISCLAIMER)
    _document(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.database.dispose()


def _database_trouble(request: Request, error: Exception) -> Response:
    """A database that is away, busy or frozen is a 503 that says when to come back; its own words stay inside."""
    trouble = Unavailable("The database does not answer just now.", retry_after=2)
    return problems.problem(trouble, problems.request_id(request.scope))


def _document(app: FastAPI) -> None:
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = examples.add(problems.document(generate()))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def guarded(app: FastAPI, given: Settings) -> ASGIApp:
    """The application inside the guard that bounds, names and logs every request."""

    def headers() -> Mapping[str, str]:
        seen: Dataset | None = app.state.dataset
        return {"API-Version": API_VERSION} | (seen.headers if seen else {})

    return Guard(
        app,
        max_body_bytes=given.max_body_bytes,
        deadline_seconds=given.deadline_seconds,
        headers=headers,
        origins=given.cors_origins,
        faces=fhir.FACES,
    )


def with_lane(app: FastAPI, given: Settings) -> Lane:
    """The whole service: the fast lane in front of the guarded application."""
    watcher = freshness.of(app.state.database, given.database_listen_url)
    database: Database = app.state.database
    direct = Direct(database, search.straight)
    return Lane(
        guarded(app, given),
        watcher,
        cache_bytes=given.cache_bytes,
        log=AccessLog(),
        direct=direct,
        reading=app.state.turns.reading,
    )


def asgi() -> ASGIApp:
    """What the server runs."""
    given = settings()
    return with_lane(create_app(given), given)
