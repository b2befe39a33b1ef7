"""Whether the process lives, and whether it can answer."""

from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.core.errors import Unavailable
from app.http.dependencies import CurrentDataset, ReadSession, database, turns
from app.http.problems import declared_parameters_only, responses
from app.storage.database import Database, lax_settings

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
async def readyz(request: Request, response: Response, session: ReadSession, dataset: CurrentDataset) -> Readiness:
    """200 when the database answers, holds a data set, and keeps what it acknowledges; 503 otherwise."""
    if dataset.serial == 0:
        raise Unavailable("The data set is empty. Run: ldn-evidence seed", retry_after=5)
    if lax := await _lax_settings(request, session):
        raise Unavailable(f"The database may lose what it acknowledges. Switch on: {', '.join(lax)}", retry_after=5)
    response.headers["Cache-Control"] = "no-store"
    return Readiness(status="ready", serial=dataset.serial)


async def _lax_settings(request: Request, session: Session) -> list[str]:
    found = database(request)
    if not found.has_replica:
        return await run_in_threadpool(lax_settings, session)
    try:
        async with turns(request).primary.turn():
            return await run_in_threadpool(_of_primary, found)
    except (*UNREACHABLE, Unavailable):
        return []  # who does not answer acknowledges nothing, and reads go on


def _of_primary(found: Database) -> list[str]:
    with found.read(primary=True) as session:
        return lax_settings(session)
