"""A small app that can go wrong in every way, in front of it the real guard, below it the real server."""

import asyncio
import io
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import pytest
import structlog
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse
from starlette.testclient import TestClient

from app.core import errors
from app.core.logging import configure
from app.core.text import Text
from app.http import problems
from app.http.bodies import BodyBounds
from app.http.conditional import conditional_response, etag
from app.http.middleware import OperatorOptions, RequestContext
from app.http.server import Timeouts
from tests.serving import served

SECRET = "patient-zero-4711"
MAX_BODY = 1000


class ClaimQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=200)
    condition: list[str] = Field([], max_length=3)
    stance: Literal["supports", "disputes", "mixed"] | None = None


class Drug(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: Text
    dose: float = Field(ge=0, allow_inf_nan=False)


router = APIRouter(dependencies=[Depends(problems.declared_parameters_only)])


@router.get("/claims", responses=problems.responses(406, 503))
def list_claims(query: Annotated[ClaimQuery, Query()]) -> list[str]:
    return query.condition


@router.get("/claims/large")
def read_large() -> Response:
    return Response(b"x" * 70_000)


@router.get("/claims/{id}", responses=problems.responses(404, 410))
def read_claim(request: Request, id: str) -> Response:
    if id == "unknown":
        raise errors.NotFound("There is no claim with this id.")
    if id == "retired":
        raise errors.Gone("This claim was retired.", successor="new", successor_url="/v1/claims/new")
    body = json.dumps({"id": id}).encode()
    return conditional_response(request, etag(body, "build-1"), body)


@router.put("/claims/{id}")
def replace_claim(id: str) -> None:
    raise errors.Conflict("Somebody else was faster.")


@router.post("/drugs")
def add_drug(drug: Drug) -> Drug:
    return drug


@router.get("/fails")
def fail() -> None:
    raise RuntimeError(f"leaks {SECRET}")


@router.get("/fails-midway")
def fail_midway() -> StreamingResponse:
    def pieces() -> Iterator[bytes]:
        yield b"one piece"
        raise RuntimeError(f"leaks {SECRET}")

    return StreamingResponse(pieces())


@router.get("/hangs")
async def hang() -> None:
    await asyncio.sleep(1.2)


@router.post("/swallows")
async def swallow(request: Request) -> int:
    return len(await request.body())


@router.get("/unavailable")
def unavailable() -> None:
    raise errors.Unavailable("The database is away.", retry_after=7)


@router.get("/html")
def html() -> Response:
    return Response("<p>", media_type="text/html", headers={"Content-Security-Policy": "default-src 'self'"})


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(openapi_url="/openapi.json", docs_url=None, redoc_url=None)
    app.include_router(router, prefix="/v1")
    problems.install(app)
    return app


@pytest.fixture
def context(app: FastAPI) -> RequestContext:
    unread = {"/v1/swallows": BodyBounds(MAX_BODY, media_types=())}
    bounds = BodyBounds(MAX_BODY, below=unread)
    return RequestContext(app, max_body_bytes=bounds, deadline_seconds=1.0, options=OperatorOptions(origins=["*"]))


@pytest.fixture
def client(context: RequestContext) -> Iterator[TestClient]:
    with TestClient(context, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def logs() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was logged so far, one object per line."""
    stream = io.StringIO()
    kept = logging.getLogger().handlers[:]
    configure(json=True, stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().handlers[:] = kept
    structlog.reset_defaults()


@pytest.fixture
def timeouts() -> Timeouts:
    return Timeouts(receive=0.5, shutdown=2)


@pytest.fixture
def port(context: RequestContext, timeouts: Timeouts) -> Iterator[int]:
    """The app in its context on a real socket."""
    with served(context, timeouts) as port:
        yield port


class Connection:
    """A client that sends exactly what it is told."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status = int(self.file.readline().split()[1])
        headers: dict[str, str] = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        return status, headers, self.file.read(int(headers.get("content-length", 0)))

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.send(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        return self.answer()

    def closed(self) -> bool:
        """Waits for the other side to close."""
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True

    def flood(self, data: bytes) -> bool:
        """Sends all at once, as far as it is taken; says whether the other side closed."""
        try:
            self.socket.sendall(data)
        except ConnectionError:
            return True
        return self.closed()

    def trickle(self, data: bytes) -> bool:
        """Sends a byte at a time until it is all sent or refused; says whether the other side closed."""
        try:
            for byte in data:
                self.socket.sendall(bytes([byte]))
                time.sleep(0.05)
        except ConnectionError:
            return True
        return self.closed()


@pytest.fixture
def connect(port: int) -> Iterator[Callable[[], Connection]]:
    opened: list[Connection] = []

    def connect() -> Connection:
        opened.append(Connection(port))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.file.close()
        connection.socket.close()
