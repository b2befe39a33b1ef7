"""`/mcp`: streamable HTTP, without sessions: every POST is answered by itself, in JSON."""

import asyncio
import importlib
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from pydantic_core import from_json
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from app.core.errors import AppError, Fault, InvalidInput
from app.mcp.claims import QuotableClaimReader
from app.mcp.reading import OwnApplication, report_dataset_to

PATH = "/mcp"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class UnknownHost(AppError):
    """`Host` names another server: a page may have been led here by DNS rebinding."""

    status = 421
    code = "unknown_host"
    title = "This server has another name"

    def __init__(self) -> None:
        message = "Must name this server: the host of PUBLIC_URL, or this machine."
        super().__init__("This address does not answer under that name.", errors=[_fault("Host", message)])


class ForeignOrigin(AppError):
    """A page of another origin."""

    status = 403
    code = "foreign_origin"
    title = "Pages of this origin may not ask here"

    def __init__(self) -> None:
        message = "Leave it out, or let the operator name it in CORS_ORIGINS."
        super().__init__("Only pages of this server may use this address.", errors=[_fault("Origin", message)])


def _fault(header: str, message: str) -> Fault:
    return Fault("header", header, "not_allowed", message)


_REFUSALS: dict[int, type[UnknownHost] | type[ForeignOrigin]] = {421: UnknownHost, 403: ForeignOrigin}


class McpEndpoint:
    """Loads the protocol with the first request, and hands each one to it."""

    def __init__(self, app: FastAPI, base: str, origins: Collection[str]) -> None:
        """`base` begins the addresses in answers; its host, and this machine, are the names that are answered to."""
        self._reader = QuotableClaimReader(OwnApplication(app), base)
        names = (*_LOOPBACK, urlsplit(base).netloc)
        self._hosts = [*names, *(f"{name}:*" for name in names)]
        own = [f"{scheme}://{name}" for name in names for scheme in ("http", "https")]
        self._origins = [*own, *(f"{origin}:*" for origin in own), *(origin for origin in origins if origin != "*")]
        self._starting = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._manager: Any = None
        self._guard: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        state["route"] = PATH  # for the log
        report_dataset_to(state)
        if self._manager is None:
            async with self._starting:
                await self._start()
        refusal = await self._guard.validate_request(Request(scope))
        if refusal is not None:
            raise _REFUSALS[refusal.status_code]
        body = await Request(scope, receive).body()
        if not _is_request(body):  # else the SDK would answer with what was sent
            fault = Fault("body", "body", "no_json_rpc", "Send one JSON-RPC 2.0 request: jsonrpc, id, method, params.")
            raise InvalidInput("This is no request of the Model Context Protocol.", errors=[fault])
        unread: list[Message] = [{"type": "http.request", "body": body}]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        await self._manager.handle_request(scope, replay, send)

    async def close(self) -> None:
        self._stopping.set()
        if self._running is not None:
            await self._running

    async def _start(self) -> None:
        if self._manager is not None:
            return  # by a request that came earlier
        # In a thread: others are answered meanwhile.
        transport = await asyncio.to_thread(importlib.import_module, "app.mcp.transport")
        self._guard = transport.guard(self._hosts, self._origins)
        manager = await transport.session_manager(self._reader)
        is_ready = asyncio.Event()

        async def run() -> None:
            async with manager.run():
                is_ready.set()
                await self._stopping.wait()

        self._running = asyncio.create_task(run())
        await is_ready.wait()
        self._manager = manager


def _is_request(body: bytes) -> bool:
    """Whether the body has the members of a JSON-RPC request or notification, and no others."""
    try:
        sent = from_json(body)
    except ValueError:
        return False
    return (
        isinstance(sent, dict)
        and sent.keys() <= {"jsonrpc", "id", "method", "params"}
        and sent.get("jsonrpc") == "2.0"
        and isinstance(sent.get("method"), str)
        and isinstance(sent.get("id", 0), str | int)
        and isinstance(sent.get("params", {}), dict)
    )


def install(app: FastAPI, base: str, origins: Collection[str]) -> McpEndpoint:
    endpoint = McpEndpoint(app, base, origins)
    app.router.routes.append(Route(PATH, endpoint, methods=["POST"], include_in_schema=False))
    return endpoint
