"""`/fhir/r5`: metadata, read, vread and search over the resources of TYPES and the one Library. Read-only."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from fastapi import FastAPI
from pydantic_core import to_json
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.core.errors import NotFound
from app.fhir import outcome
from app.fhir import request as asked
from app.fhir.capability_statement import capability_statement
from app.fhir.library import ID as LIBRARY
from app.fhir.library import MANDATORY, SUMMARY, library
from app.fhir.rendered import Cache, Rendered, part, read, read_version, render, shown
from app.fhir.types import BY_NAME, TYPES, FhirType
from app.http import conditional as caching
from app.http.conditional import conditional_response
from app.http.dataset import Dataset
from app.http.reads import Reads
from app.storage.read_view import ReadView

MOUNT = "/fhir"
R5 = "/r5"
Answer = Callable[[Request, ReadView], Response]
Endpoint = Callable[[Request], Awaitable[Response]]
EPOCH = "1970-01-01T00:00:00Z"
"""The date of what an empty data set shows."""


def facade(parent: FastAPI, base: str) -> Starlette:
    """The application below `/fhir`, with its own way of telling errors. `base` is the server's public address, or
    empty: then addresses are path-absolute."""
    face = _Face(parent, base.rstrip("/"), Cache())
    app = Starlette(
        routes=[
            Route(f"{R5}/metadata", face.in_session(face.metadata), methods=["GET"]),
            Route(f"{R5}/Library", face.in_session(face.search_library), methods=["GET"]),
            Route(f"{R5}/{{type}}/_search", face.search_by_post, methods=["POST"]),
            Route(f"{R5}/Library/{{id}}", face.in_session(face.read_library), methods=["GET"]),
            Route(f"{R5}/{{type}}", face.in_session(face.search), methods=["GET"]),
            Route(f"{R5}/{{type}}/{{id}}", face.in_session(face.read), methods=["GET"]),
            Route(
                f"{R5}/{{type}}/{{id}}/_history/{{version:int}}", face.in_session(face.read_version), methods=["GET"]
            ),
        ]
    )
    app.router.redirect_slashes = False
    outcome.install(app)
    return app


@dataclass(frozen=True)
class _State:
    """The data set as one request sees it."""

    session: Session
    dataset: Dataset
    at: str


class _Face:
    def __init__(self, parent: FastAPI, base: str, cache: Cache) -> None:
        self._parent = parent
        self._base = base
        self._cache = cache

    @property
    def _url(self) -> str:
        return f"{self._base}{MOUNT}{R5}"

    def in_session(self, answer: Answer) -> Endpoint:
        """An endpoint whose answer is made in a thread, as database reads must be."""

        async def endpoint(request: Request) -> Response:
            reads: Reads = self._parent.state.reads
            return await reads.run(request, lambda view: answer(request, view))

        return endpoint

    def _seen(self, view: ReadView) -> _State:
        published = view.rows("SELECT at FROM publications WHERE serial = ?", view.serial)
        return _State(view.session, Dataset(view.serial, view.release), published[0][0] if published else EPOCH)

    def metadata(self, request: Request, view: ReadView) -> Response:
        media_type = asked.media_type(request)
        asked.of_metadata(request)
        state = self._seen(view)
        body = to_json(capability_statement(self._url if self._base else "", state.at))
        return _respond(request, state, body, _weak(caching.etag(body)), media_type, state.at)

    def read(self, request: Request, view: ReadView) -> Response:
        media_type, fhir_type = asked.media_type(request), _type(request)
        parts = asked.of_read(request)
        state = self._seen(view)
        found = read(state.session, self._cache, state.dataset.serial, fhir_type, request.path_params["id"], self._base)
        return _respond(request, state, shown(found, fhir_type, parts), found.etag, media_type, found.updated_at)

    def read_version(self, request: Request, view: ReadView) -> Response:
        media_type, fhir_type = asked.media_type(request), _type(request)
        parts = asked.of_read(request)
        record_id, version = request.path_params["id"], request.path_params["version"]
        state = self._seen(view)
        if version > state.dataset.serial:
            raise NotFound("This version is still to come.")
        found = read_version(
            state.session, self._cache, state.dataset.serial, fhir_type, record_id, version, self._base
        )
        body = shown(found, fhir_type, parts)
        return _respond(request, state, body, found.etag, media_type, found.updated_at, cache_control=caching.IMMUTABLE)

    async def search_by_post(self, request: Request) -> Response:
        search = self.search_library if request.path_params["type"] == "Library" else self.search
        return await self.in_session(search)(asked.posted(request, await request.body()))

    def search(self, request: Request, view: ReadView) -> Response:
        media_type, fhir_type = asked.media_type(request), _type(request)
        search = asked.of_search(request, fhir_type)
        state = self._seen(view)
        tag = _weak(caching.query_etag(request, state.dataset.serial))
        if caching.if_none_match(request.headers.get("if-none-match"), tag):
            return _respond(request, state, b"", tag, media_type, state.at)
        return _respond(request, state, self._searchset(state, fhir_type, search), tag, media_type, state.at)

    def _searchset(self, state: _State, fhir_type: FhirType, search: asked.Search) -> bytes:
        matching = fhir_type.ids().where(*search.conditions)
        total = state.session.scalar(select(func.count()).select_from(matching.subquery())) or 0
        path = f"{self._url}/{fhir_type.name}"
        links = {"self": search.address(path, search.after)}
        if search.counts_only:
            return self._bundle(state, total, links, [], fhir_type, search.parts)
        page = search.order.page(matching, fhir_type, search.after)
        ids = state.session.scalars(page.limit(search.count + 1)).all()
        links["first"] = search.address(path)
        if len(ids) > search.count:
            links["next"] = search.address(path, ids[search.count - 1])
        found = render(state.session, self._cache, state.dataset.serial, fhir_type, ids[: search.count], self._base)
        return self._bundle(state, total, links, found, fhir_type, search.parts)

    def _bundle(
        self,
        state: _State,
        total: int,
        links: dict[str, str],
        found: list[Rendered],
        fhir_type: FhirType,
        parts: asked.Parts,
    ) -> bytes:
        entries = [self._entry(fhir_type.name, one.id, shown(one, fhir_type, parts)) for one in found]
        return self._searchset_of(state, total, links, entries)

    def _searchset_of(self, state: _State, total: int, links: dict[str, str], entries: list[bytes]) -> bytes:
        head = {
            "resourceType": "Bundle",
            "meta": {"lastUpdated": state.at},
            "type": "searchset",
            "total": total,
            "link": [{"relation": relation, "url": url} for relation, url in links.items()],
        }
        body = to_json(head)
        return b'%b,"entry":[%b]}' % (body[:-1], b",".join(entries)) if entries else body

    def _entry(self, name: str, record_id: str, resource: bytes) -> bytes:
        # FHIR wants absolute addresses here; without a public address there is none to give.
        full = b'"fullUrl":%b,' % to_json(f"{self._url}/{name}/{record_id}") if self._base else b""
        return b'{%b"resource":%b,"search":{"mode":"match"}}' % (full, resource)

    # The one Library.

    def read_library(self, request: Request, view: ReadView) -> Response:
        media_type = asked.media_type(request)
        parts = asked.of_read(request)
        if request.path_params["id"] != LIBRARY:
            raise NotFound(f"There is one Library, {LIBRARY}.")
        state = self._seen(view)
        body = part(library_of(state.session, state.dataset, state.at, self._url), MANDATORY, SUMMARY, parts)
        return _respond(request, state, body, f'W/"{state.dataset.serial}"', media_type, state.at)

    def search_library(self, request: Request, view: ReadView) -> Response:
        media_type = asked.media_type(request)
        search = asked.of_library_search(request, LIBRARY)
        state = self._seen(view)
        body = library_of(state.session, state.dataset, state.at, self._url)
        shown_body = part(body, MANDATORY, SUMMARY, search.parts)
        found = [self._entry("Library", LIBRARY, shown_body)] if search.found else []
        entries = [] if search.counts_only else found
        links = {"self": search.address(f"{self._url}/Library")}
        bundle = self._searchset_of(state, len(found), links, entries)
        return _respond(request, state, bundle, _weak(caching.etag(bundle)), media_type, state.at)


def library_of(session: Session, dataset: Dataset, at: str, url: str) -> bytes:
    counts = {
        fhir_type.name: session.scalar(select(func.count()).select_from(fhir_type.ids().subquery())) or 0
        for fhir_type in TYPES
    }
    resource = library(url, dataset.release, dataset.serial, at, counts)
    meta = {"versionId": str(dataset.serial), "lastUpdated": at}
    return to_json({"resourceType": "Library", "id": LIBRARY, "meta": meta} | resource)


def _type(request: Request) -> FhirType:
    name = request.path_params["type"]
    if name not in BY_NAME:
        raise HTTPException(404)
    return BY_NAME[name]


def _weak(tag: str) -> str:
    return f"W/{tag}"


def _respond(
    request: Request,
    state: _State,
    body: bytes,
    tag: str,
    media_type: str,
    updated_at: str,
    *,
    cache_control: str = caching.REVALIDATE,
) -> Response:
    modified = datetime.strptime(updated_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    headers = {
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Vary": "Accept, Accept-Encoding, Prefer",
    }
    return conditional_response(
        request, tag, body, media_type=f"{media_type}; charset=utf-8", cache_control=cache_control, headers=headers
    )
