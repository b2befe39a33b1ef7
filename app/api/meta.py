"""What this data set is: versions, counts, licences, disclaimer."""

from importlib.metadata import version
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic_core import to_json

from app.api.formats import JSON_LD, Choice, Offer, choose, documented, formatted_response
from app.bibliography.reference_list import how_to_cite
from app.concepts.manifest import DataLicence, Language, Publisher, current_manifest
from app.core.content import QueryModel, ResponseModel
from app.grading.method import method_of
from app.http import conditional
from app.http.conditional import JSON
from app.http.dataset import API_VERSION
from app.http.problems import responses
from app.http.queries import query_of
from app.http.reads import reads_of
from app.linked_data import schema_org
from app.registry import RESOURCES
from app.storage.filter_bitmaps import PUBLISHED
from app.storage.filter_index import filter_index
from app.storage.history import published_at
from app.storage.read_view import ReadView

SOFTWARE_VERSION = version("ldn-evidence")
OFFERS = {"json": Offer(JSON), "jsonld": JSON_LD}


class MetaQuery(QueryModel):
    format: Literal["json", "jsonld"] | None = None
    """Takes the place of `Accept`."""


router = APIRouter(tags=["meta"])


class Licences(ResponseModel):
    code: DataLicence
    """Of the software."""
    data: DataLicence


class Methods(ResponseModel):
    consensus: str
    certainty: str


class MetaRead(ResponseModel):
    """The state of the data set and what holds for all of it."""

    name: str
    """Of the data set."""
    description: str
    publisher: Publisher
    version: str
    """Of the software that answers."""
    api_version: str
    release: str | None
    """The newest release; null before the first."""
    serial: int
    """Counts publications; every answer names the one it was made from."""
    updated_at: str | None
    """When that serial was published."""
    languages: tuple[Language, ...]
    """Of the texts, the main one first, as tags of BCP 47."""
    counts: dict[str, int]
    """Published records of each type."""
    methods: Methods
    licences: Licences
    disclaimer: str
    how_to_cite: str


CODE_LICENCE = DataLicence(
    name="Apache License 2.0", spdx="Apache-2.0", url="https://www.apache.org/licenses/LICENSE-2.0"
)


@router.get(
    "/v1/meta",
    operation_id="getMeta",
    summary="Versions, counts, licences and the disclaimer",
    response_model=MetaRead,
    responses={**documented(OFFERS, "The state of the data set."), **responses(406, 422, 503)},
)
async def get_meta(request: Request, query: Annotated[MetaQuery, query_of(MetaQuery)]) -> Response:
    """What to show in a foot, and what to record beside anything you store; as JSON-LD, a schema.org Dataset."""
    choice = choose(request, OFFERS, query.format)
    return await reads_of(request).inline(request, _meta, request, choice)


def _meta(view: ReadView, request: Request, choice: Choice) -> Response:
    body = _json_ld(view) if choice.format == "jsonld" else _json(view)
    return formatted_response(request, choice, conditional.etag(body), body, file_name="dataset")


def _json_ld(view: ReadView) -> bytes:
    return to_json(
        schema_org.dataset(
            version=view.release or str(view.serial),
            serial=view.serial,
            updated_at=published_at(view),
            manifest=current_manifest(view.session),
        )
    )


def _json(view: ReadView) -> bytes:
    index, manifest = filter_index(view), current_manifest(view.session)
    method = method_of(manifest)
    meta = MetaRead(
        name=manifest.name,
        description=manifest.description,
        publisher=manifest.publisher,
        version=SOFTWARE_VERSION,
        api_version=API_VERSION,
        release=view.release,
        serial=view.serial,
        updated_at=published_at(view),
        languages=manifest.languages,
        counts={resource.type: len(index.of(resource.type, PUBLISHED)) for resource in RESOURCES},
        methods=Methods(consensus=method.consensus, certainty=method.certainty),
        licences=Licences(code=CODE_LICENCE, data=manifest.licence),
        disclaimer=manifest.disclaimer(),
        how_to_cite=how_to_cite(view, "/v1/meta"),
    )
    return meta.model_dump_json().encode()
