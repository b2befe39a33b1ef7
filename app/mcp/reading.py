"""Asks the application itself, in this process, as any client asks it over HTTP.

So tools and addresses have one read path: the same checks of what is asked, the same words for what is wrong with it,
the same answers. Limits, deadline and log lie around `/mcp`, and are not passed a second time.
"""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from pydantic_core import from_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.http_client import in_process_client

QueryPairs = Iterable[tuple[str, str]]


class ApiAnswer(NamedTuple):
    """A 200, and the state of the data set that it was made from."""

    body: Any
    serial: int
    release: str | None


class ApiProblem(Exception):
    """The application's problem document: what is wrong, and the remedy."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(problem["code"])
        self.problem = problem


_request_state: ContextVar[dict[str, Any] | None] = ContextVar("request_state", default=None)


def report_dataset_to(state: dict[str, Any]) -> None:
    """Let what is read in this context say in the request's state from which data set it was."""
    _request_state.set(state)


class OwnApplication:
    """Reads from an application without a socket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = _naming_dataset(app)

    async def get(self, path: str, query: QueryPairs = ()) -> ApiAnswer:
        """Raises ApiProblem for every answer but a 200."""
        return await self._ask("GET", path, params=tuple(query))

    async def post(self, path: str, body: Any) -> ApiAnswer:
        """As `get`, with a body of JSON."""
        return await self._ask("POST", path, json=body)

    async def _ask(self, method: str, path: str, **options: Any) -> ApiAnswer:
        async with in_process_client(self._app) as client:
            response = await client.request(method, path, **options)
        body = from_json(response.content)
        if response.status_code != 200:
            raise ApiProblem(body)
        serial = int(response.headers.get("Dataset-Serial", "0"))
        return ApiAnswer(body, serial, response.headers.get("Dataset-Release"))


def _naming_dataset(app: ASGIApp) -> ASGIApp:
    """The application with the headers that say of which state of the data set an answer is."""

    async def naming(scope: Scope, receive: Receive, send: Send) -> None:
        state: dict[str, Any] = {}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and "dataset" in state:
                if (outer := _request_state.get()) is not None:
                    outer["dataset"] = state["dataset"]
                named = [(name.lower().encode(), value.encode()) for name, value in state["dataset"].headers.items()]
                message = {**message, "headers": [*message["headers"], *named]}
            await send(message)

        await app({**scope, "state": state}, receive, sending)

    return naming
