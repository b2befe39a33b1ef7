"""What this data set is: versions, counts, licences, disclaimer."""

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select

from app.catalog import RESOURCES
from app.core.history import Publication, StoredRecord
from app.core.vocabulary import Status
from app.evidence.disclaimer import DISCLAIMER
from app.evidence.grading import METHOD
from app.http import caching
from app.http.dataset import API_VERSION
from app.http.deps import CurrentDataset, ReadSession
from app.http.problems import declared_parameters_only, responses

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
    responses=responses(422, 503),
)
def get_meta(request: Request, session: ReadSession, dataset: CurrentDataset) -> Response:
    """What to show in a foot, and what to record beside anything you store."""
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
        updated_at=session.scalar(select(Publication.at).where(Publication.serial == dataset.serial)),
        counts={resource.type: counts.get(resource.type, 0) for resource in RESOURCES},
        methods=Methods(consensus=METHOD.consensus, certainty=METHOD.certainty),
        licences=LICENCES,
        disclaimer=DISCLAIMER,
    )
    body = meta.model_dump_json().encode()
    return caching.json_response(request, body, caching.etag(body), headers=dataset.headers)
