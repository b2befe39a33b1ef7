"""Whether the process lives, and whether it can answer."""

import time
from math import inf
from typing import Literal

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from app.core.content import ResponseModel
from app.core.errors import Unavailable
from app.http.problems import declared_parameters_only, responses
from app.http.reads import Reads, reads_of
from app.http.server import connection_of
from app.publishing import indexes
from app.storage.database import lax_settings
from app.storage.faults import DATABASE_ERRORS, DatabaseUnavailable, database_fault
from app.storage.read_view import ReadView

router = APIRouter(tags=["health"], dependencies=[Depends(declared_parameters_only)])

REMEMBERED_SECONDS = 60
"""For how long a failed write is told of, unless one succeeds."""


class Health(ResponseModel):
    status: Literal["ok"]


class Readiness(ResponseModel):
    status: Literal["ready"]
    serial: int
    write_fault: str | None
    """Why the newest write of the last minute failed, such as `database_full`, while reads go on; null if none did."""


@router.get("/healthz", operation_id="getHealth", summary="The process lives", responses=responses(422))
async def healthz(response: Response) -> Health:
    """Never touches the database."""
    response.headers["Cache-Control"] = "no-store"
    return Health(status="ok")


@router.get("/readyz", operation_id="getReadiness", summary="The service can answer", responses=responses(422, 503))
async def readyz(request: Request, response: Response) -> Readiness:
    """200 when the database answers, holds a data set and its indexes, keeps what it acknowledges; 503 otherwise,
    with a code for each kind of fault of the database and its remedy."""
    connection = connection_of(request.scope)
    if connection is not None and connection.open_connections.is_draining:
        raise Unavailable("The server is about to stop.", retry_after=5)
    reads = reads_of(request)
    try:
        serial, lax, unfit = await reads.run(request, _state)
    except (DatabaseUnavailable, *DATABASE_ERRORS) as error:
        raise DatabaseUnavailable(database_fault(error), with_remedy=True) from error
    if serial == 0:
        raise Unavailable("The data set is empty. Run: ldn-evidence seed", retry_after=5)
    if unfit:
        reason = f"Indexes do not fit the data: {', '.join(unfit)}. Run: ldn-evidence migrate"
        raise Unavailable(reason, retry_after=5)
    if reads.database.has_replica:
        lax = await _lax_settings_of_primary(reads)
    if lax:
        raise Unavailable(f"The database may lose what it acknowledges. Switch on: {', '.join(lax)}", retry_after=5)
    response.headers["Cache-Control"] = "no-store"
    failed_at, write_fault = reads.database.write_fault or (-inf, None)
    is_recent = time.monotonic() - failed_at < REMEMBERED_SECONDS
    return Readiness(status="ready", serial=serial, write_fault=write_fault if is_recent else None)


def _state(view: ReadView) -> tuple[int, list[str], list[str]]:
    return view.serial, lax_settings(view.session), indexes.unfit(view.session)


async def _lax_settings_of_primary(reads: Reads) -> list[str]:
    def read() -> list[str]:
        with reads.database.read(primary=True) as session:
            return lax_settings(session)

    try:
        async with reads.limiter.primary.slot():
            return await run_in_threadpool(read)
    except (*DATABASE_ERRORS, Unavailable):
        return []  # who does not answer acknowledges nothing, and reads go on
