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

from app.concepts.manifest import current_manifest
from app.core.errors import NotFound
from app.fhir import library, outcome
from app.fhir.capability_statement import capability_statement
from app.fhir.rendered import RenderedResource, ResourceCache, ResourceRenderer, selected_elements
from app.fhir.request import (
    ElementSelection,
    FhirSearch,
    check_metadata_parameters,
    form_as_query,
    library_search,
    media_type,
    read_parameters,
    search_parameters,
)
from app.fhir.types import BY_NAME, TYPES, FhirType
from app.http.conditional import IMMUTABLE, REVALIDATE, conditional_response, etag, matching_tag, query_etag
from app.http.dataset import Dataset
from app.http.reads import Reads
from app.storage.read_view import ReadView

MOUNT = "/fhir"
R5 = "/r5"
MAX_VERSION_DIGITS = 18
"""A version with more is not read: Python refuses integers of some thousand digits."""
EPOCH = "1970-01-01T00:00:00Z"
"""The date of an empty data set."""


@dataclass(frozen=True)
class _Snapshot:
    """The data set as one request sees it."""

    session: Session
    dataset: Dataset
    published_at: str


@dataclass(frozen=True)
class _Representation:
    """The content of an answer."""

    body: bytes
    etag: str
    updated_at: str
    cache_control: str = REVALIDATE


Operation = Callable[[Request, ReadView], _Representation]
Endpoint = Callable[[Request], Awaitable[Response]]


def fhir_app(parent: FastAPI, base: str) -> Starlette:
    """The application below `/fhir`, which answers errors as OperationOutcome.

    `base` is the server's public address; if it is empty, addresses are path-absolute.
    """
    fhir = _FhirOperations(parent, base.rstrip("/"))
    operations = {
        f"{R5}/metadata": fhir.metadata,
        f"{R5}/Library": fhir.search_library,
        f"{R5}/Library/{{id}}": fhir.read_library,
        f"{R5}/{{type}}": fhir.search,
        f"{R5}/{{type}}/{{id}}": fhir.read,
        f"{R5}/{{type}}/{{id}}/_history/{{version}}": fhir.read_version,
    }
    app = Starlette(
        routes=[
            Route(f"{R5}/{{type}}/_search", fhir.search_by_post, methods=["POST"]),
            Route(f"{R5}/{{type}}/_search", _refuse_get, methods=["GET"]),  # it is no id of a resource
            *(Route(path, fhir.endpoint(operation), methods=["GET"]) for path, operation in operations.items()),
        ]
    )
    app.router.redirect_slashes = False
    outcome.install(app)
    return app


async def _refuse_get(request: Request) -> Response:
    raise HTTPException(405, headers={"Allow": "POST"})


class _FhirOperations:
    def __init__(self, parent: FastAPI, base: str) -> None:
        self._parent = parent
        self._base = base
        self._url = f"{base}{MOUNT}{R5}"
        self._cache = ResourceCache()

    def endpoint(self, operation: Operation) -> Endpoint:
        """Runs the operation in a thread, as database reads must be, within the limit of concurrent reads."""

        async def endpoint(request: Request) -> Response:
            reads: Reads = self._parent.state.reads
            return await reads.run(request, answer, request)

        def answer(view: ReadView, request: Request) -> Response:
            content_type = media_type(request)
            return _response(request, operation(request, view), content_type)

        return endpoint

    async def search_by_post(self, request: Request) -> Response:
        operation = self.search_library if request.path_params["type"] == "Library" else self.search
        return await self.endpoint(operation)(form_as_query(request, await request.body()))

    # --- operations

    def metadata(self, request: Request, view: ReadView) -> _Representation:
        check_metadata_parameters(request)
        snapshot = _snapshot(view)
        body = to_json(
            capability_statement(self._url if self._base else "", snapshot.published_at, current_manifest(view.session))
        )
        return _Representation(body, _weak(etag(body)), snapshot.published_at)

    def read(self, request: Request, view: ReadView) -> _Representation:
        fhir_type, elements = _type(request), read_parameters(request)
        snapshot = _snapshot(view)
        resource = self._renderer(snapshot).read(fhir_type, request.path_params["id"])
        return _Representation(_part(resource, fhir_type, elements), resource.etag, resource.updated_at)

    def read_version(self, request: Request, view: ReadView) -> _Representation:
        fhir_type, elements = _type(request), read_parameters(request)
        record_id, snapshot = request.path_params["id"], _snapshot(view)
        version = _version(request, snapshot.dataset.serial)
        resource = self._renderer(snapshot).read_version(fhir_type, record_id, version)
        body = _part(resource, fhir_type, elements)
        return _Representation(body, resource.etag, resource.updated_at, IMMUTABLE)

    def search(self, request: Request, view: ReadView) -> _Representation:
        fhir_type = _type(request)
        search = search_parameters(request, fhir_type)
        snapshot = _snapshot(view)
        tag = _weak(query_etag(request, view.state))
        is_known = matching_tag(request.headers.get("if-none-match"), tag) is not None
        body = b"" if is_known else self._search_body(snapshot, fhir_type, search)
        return _Representation(body, tag, snapshot.published_at)

    def read_library(self, request: Request, view: ReadView) -> _Representation:
        elements = read_parameters(request)
        library_id = current_manifest(view.session).evidence_id
        if request.path_params["id"] != library_id:
            raise NotFound(f"There is one Library, {library_id}.")
        snapshot = _snapshot(view)
        body = self._library(snapshot, elements)
        return _Representation(body, f'W/"{snapshot.dataset.serial}"', snapshot.published_at)

    def search_library(self, request: Request, view: ReadView) -> _Representation:
        library_id = current_manifest(view.session).evidence_id
        search, is_match = library_search(request, library_id)
        snapshot = _snapshot(view)
        entries = [self._entry("Library", library_id, self._library(snapshot, search.elements))] if is_match else []
        links = {"self": search.address(f"{self._url}/Library")}
        bundle = _bundle(snapshot, len(entries), links, [] if search.is_count_only else entries)
        return _Representation(bundle, _weak(etag(bundle)), snapshot.published_at)

    # --- parts of them

    def _renderer(self, snapshot: _Snapshot) -> ResourceRenderer:
        return ResourceRenderer(snapshot.session, self._cache, snapshot.dataset.serial, self._base)

    def _search_body(self, snapshot: _Snapshot, fhir_type: FhirType, search: FhirSearch) -> bytes:
        matches = fhir_type.ids.where(*search.conditions)
        total = snapshot.session.scalar(select(func.count()).select_from(matches.subquery())) or 0
        path = f"{self._url}/{fhir_type.name}"
        links = {"self": search.address(path, search.after)}
        if search.is_count_only:
            return _bundle(snapshot, total, links, [])
        page = search.order.page(matches, fhir_type, search.after)
        ids = snapshot.session.scalars(page.limit(search.count + 1)).all()
        links["first"] = search.address(path)
        if len(ids) > search.count:
            links["next"] = search.address(path, ids[search.count - 1])
        resources = self._renderer(snapshot).read_many(fhir_type, ids[: search.count])
        entries = [
            self._entry(fhir_type.name, resource.id, _part(resource, fhir_type, search.elements))
            for resource in resources
        ]
        return _bundle(snapshot, total, links, entries)

    def _entry(self, type_name: str, record_id: str, resource: bytes) -> bytes:
        # FHIR wants an absolute `fullUrl`, which needs the public address.
        full_url = b'"fullUrl":%b,' % to_json(f"{self._url}/{type_name}/{record_id}") if self._base else b""
        return b'{%b"resource":%b,"search":{"mode":"match"}}' % (full_url, resource)

    def _library(self, snapshot: _Snapshot, elements: ElementSelection) -> bytes:
        body = library_body(snapshot.session, snapshot.dataset, snapshot.published_at, self._url)
        return selected_elements(body, library.MANDATORY, library.SUMMARY, elements)


def library_body(session: Session, dataset: Dataset, published_at: str, url: str) -> bytes:
    """The Library; `url` is the address of this interface."""
    counts = {
        fhir_type.name: session.scalar(select(func.count()).select_from(fhir_type.ids.subquery())) or 0
        for fhir_type in TYPES
    }
    version = f"{dataset.release or 'unreleased'}+{dataset.serial}"
    manifest = current_manifest(session)
    resource = library.library(url, manifest, version, published_at, counts)
    meta = {"versionId": str(dataset.serial), "lastUpdated": published_at}
    return to_json({"resourceType": "Library", "id": manifest.evidence_id, "meta": meta} | resource)


def _snapshot(view: ReadView) -> _Snapshot:
    publications = view.rows("SELECT at FROM publications WHERE serial = ?", view.serial)
    published_at = publications[0][0] if publications else EPOCH
    return _Snapshot(view.session, Dataset(view.serial, view.release), published_at)


def _type(request: Request) -> FhirType:
    name = request.path_params["type"]
    if name not in BY_NAME:
        raise HTTPException(404)
    return BY_NAME[name]


def _version(request: Request, newest: int) -> int:
    """The version in the path; NotFound beyond the newest, however many digits it has."""
    text = request.path_params["version"]
    if not (text.isascii() and text.isdigit()):
        raise HTTPException(404)
    if len(text) > MAX_VERSION_DIGITS or int(text) > newest:
        raise NotFound("This version is still to come.")
    return int(text)


def _part(resource: RenderedResource, fhir_type: FhirType, elements: ElementSelection) -> bytes:
    return selected_elements(resource.body, fhir_type.mandatory, fhir_type.summary, elements)


def _bundle(snapshot: _Snapshot, total: int, links: dict[str, str], entries: list[bytes]) -> bytes:
    bundle = {
        "resourceType": "Bundle",
        "meta": {"lastUpdated": snapshot.published_at},
        "type": "searchset",
        "total": total,
        "link": [{"relation": relation, "url": url} for relation, url in links.items()],
    }
    body = to_json(bundle)
    return b'%b,"entry":[%b]}' % (body[:-1], b",".join(entries)) if entries else body


def _weak(tag: str) -> str:
    return f"W/{tag}"


def _response(request: Request, representation: _Representation, content_type: str) -> Response:
    updated_at = datetime.strptime(representation.updated_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    headers = {
        "Last-Modified": format_datetime(updated_at, usegmt=True),
        "Vary": "Accept, Accept-Encoding, Prefer",
    }
    return conditional_response(
        request,
        representation.etag,
        representation.body,
        media_type=f"{content_type}; charset=utf-8",
        cache_control=representation.cache_control,
        headers=headers,
    )
