"""Whether the process lives, and whether it can answer."""

from typing import Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.errors import Unavailable
from app.http.deps import CurrentDataset
from app.http.problems import declared_parameters_only, responses

router = APIRouter(tags=["health"], dependencies=[Depends(declared_parameters_only)])

UNREACHABLE = (DBAPIError, PoolTimeout)


class Health(BaseModel):
    model_config = ConfigDict(extra="forbid")
    status: Literal["ok"]


class Readiness(BaseModel):
    model_config = ConfigDict(extra="forbid")
    status: Literal["ready"]
    serial: int


@router.get("/healthz", operation_id="getHealth", summary="The process lives", responses=responses(422))
async def healthz(response: Response) -> Health:
    """Never touches the database."""
    response.headers["Cache-Control"] = "no-store"
    return Health(status="ok")


@router.get("/readyz", operation_id="getReadiness", summary="The service can answer", responses=responses(422, 503))
def readyz(response: Response, dataset: CurrentDataset) -> Readiness:
    """200 when the database answers and holds a data set, 503 otherwise."""
    if dataset.serial == 0:
        raise Unavailable("The data set is empty. Run: ldn-evidence seed", retry_after=5)
    response.headers["Cache-Control"] = "no-store"
    return Readiness(status="ready", serial=dataset.serial)
