"""What this data set is: versions, counts, licences, disclaimer."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from sqlalchemy import func, select

from app.api.negotiation import JSON, JSON_LD, Offer, answer, choose, documented
from app.bibliography.reference_list import how_to_cite
from app.claims.disclaimer import DISCLAIMER
from app.core.vocabulary import Status
from app.grading.grade import METHOD
from app.http import conditional as caching
from app.http.dataset import API_VERSION
from app.http.dependencies import CurrentDataset, ReadSession
from app.http.problems import declared_parameters_only, responses
from app.linked_data import schema_org as linked_data
from app.registry import RESOURCES
from app.storage.history import Publication, StoredRecord

OFFERS = {"json": Offer(JSON), "jsonld": JSON_LD}
MetaFormat = Literal["json", "jsonld"]

router = APIRouter(tags=["meta"], dependencies=[Depends(declared_parameters_only)])


class Licence(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    spdx: str
    url: str


class Licences(BaseModel):
    model_config = ConfigDict(extra="forbid")
    code: Licence
    data: Licence


class Methods(BaseModel):
    model_config = ConfigDict(extra="forbid")
    consensus: str
    certainty: str


class MetaRead(BaseModel):
    """The state of the data set and what holds for all of it."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    name: str
    api_version: str
    release: str | None
    """The newest release; null before the first."""
    serial: int
    """Counts publications; every answer names the one it was made from."""
    updated_at: str | None
    """When that serial was published."""
    counts: dict[str, int]
    """Published records of each type."""
    methods: Methods
    licences: Licences
    disclaimer: str
    how_to_cite: str


LICENCES = Licences(
    code=Licence(name="Apache License 2.0", spdx="Apache-2.0", url="https://www.apache.org/licenses/LICENSE-2.0"),
    data=Licence(
        name="Creative Commons Attribution 4.0 International",
        spdx="CC-BY-4.0",
        url="https://creativecommons.org/licenses/by/4.0/",
    ),
)


@router.get(
    "/v1/meta",
    operation_id="getMeta",
    summary="Versions, counts, licences and the disclaimer",
    response_model=MetaRead,
    responses={**documented(OFFERS, "The state of the data set."), **responses(406, 422, 503)},
)
def get_meta(
    request: Request,
    session: ReadSession,
    dataset: CurrentDataset,
    format: Annotated[MetaFormat | None, Query(description="Takes the place of `Accept`.")] = None,
) -> Response:
    """What to show in a foot, and what to record beside anything you store; as JSON-LD, a schema.org Dataset."""
    choice = choose(request, OFFERS, format)
    updated_at = session.scalar(select(Publication.at).where(Publication.serial == dataset.serial))
    if choice.format == "jsonld":
        body = to_json(
            linked_data.dataset(
                version=dataset.release or str(dataset.serial),
                serial=dataset.serial,
                updated_at=updated_at,
                licence=LICENCES.data.url,
                description=DISCLAIMER,
            )
        )
        return answer(request, choice, body, caching.etag(body), file_name="ldn-evidence", headers=dataset.headers)
    counted = session.execute(
        select(StoredRecord.type, func.count())
        .where(StoredRecord.status == Status.published)
        .group_by(StoredRecord.type)
    )
    counts: dict[str, int] = {row[0]: row[1] for row in counted}
    meta = MetaRead(
        name="LDN Evidence",
        api_version=API_VERSION,
        release=dataset.release,
        serial=dataset.serial,
        updated_at=updated_at,
        counts={resource.type: counts.get(resource.type, 0) for resource in RESOURCES},
        methods=Methods(consensus=METHOD.consensus, certainty=METHOD.certainty),
        licences=LICENCES,
        disclaimer=DISCLAIMER,
        how_to_cite=how_to_cite(
            serial=dataset.serial, release=dataset.release, published_at=updated_at, address="/v1/meta"
        ),
    )
    body = meta.model_dump_json().encode()
    return answer(request, choice, body, caching.etag(body), file_name="ldn-evidence", headers=dataset.headers)
