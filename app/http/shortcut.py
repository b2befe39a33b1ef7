"""A shorter way to the endpoints of items and lists, in front of the router."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.http.queries import query_model


class _Target(NamedTuple):
    route: APIRoute
    endpoint: Callable[..., Awaitable[Response]]
    read_query: Callable[[Request], Awaitable[Any]]
    id_type: TypeAdapter[str] | None
    """Null for a list."""


class RouteShortcut:
    """Calls the endpoint of a list or an item with what its own query model reads, past the framework's routing.

    FastAPI spends more on finding a route and solving its dependencies than such an endpoint does on its answer
    (docs/performance.md). Nothing is decided here: what the endpoint raises goes to the application's own handlers, and
    the application answers every request that is not exactly a list or an item, or whose parameters are at fault.
    """

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        routes = [route for route in app.routes if isinstance(route, APIRoute)]
        self._fixed_paths = {route.path for route in routes if "{" not in route.path}
        self._targets: dict[str, _Target] = {}
        """Path of a list, or path of an item up to its id with the final slash, to what answers it."""
        for route in routes:
            target = _target(route)
            path = route.path.removesuffix("{id}") if target and target.id_type else route.path
            if target is not None and "{" not in path:
                self._targets[path] = target

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        await (response or self.app)(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response | None:
        """The endpoint's answer; null where the application has to be asked."""
        path = scope["path"]
        record_id = "" if path in self._fixed_paths else path.rpartition("/")[2]
        target = self._targets.get(path.removesuffix(record_id))
        if target is None or (target.id_type is None) != (not record_id):
            return None
        scope["app"] = self.app
        request = Request(scope)
        try:
            arguments = {"query": await target.read_query(request)}
            if target.id_type is not None:
                arguments["id"] = target.id_type.validate_python(record_id)
        except (ValueError, RequestValidationError):
            return None
        scope["route"] = target.route  # for the log
        try:
            return await target.endpoint(request, **arguments)
        except Exception as error:
            for kind in type(error).__mro__:
                if kind is Exception:
                    break  # an unexpected failure is logged and answered around the application
                if (handler := self.app.exception_handlers.get(kind)) is not None:
                    answer: Any = handler(request, error)
                    return await answer if inspect.isawaitable(answer) else answer  # type: ignore[no-any-return]
            raise


def _target(route: object) -> _Target | None:
    """How to call a route's endpoint; null unless it takes a request, a query model and at most an id."""
    if not isinstance(route, APIRoute) or "GET" not in (route.methods or ()):
        return None
    parameters = inspect.signature(route.endpoint, eval_str=True).parameters
    dependencies = route.dependant.dependencies
    if set(parameters) - {"id"} != {"request", "query"} or len(dependencies) != 1:
        return None
    read_query = dependencies[0].call
    if read_query is None or query_model(read_query) is None:
        return None
    id_parameter = parameters.get("id")
    id_type = TypeAdapter[str](id_parameter.annotation) if id_parameter else None
    return _Target(route, route.endpoint, read_query, id_type)
