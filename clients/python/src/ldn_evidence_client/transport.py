"""Sends requests, follows pages, turns problems into errors and asks again only for what changed."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2

MAX_REMEMBERED = 256
"""Answers kept for their ETags."""


class EvidenceError(Exception):
    """The server refused a request. `errors` names the fields and what would be right."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code: str = problem.get("code", "")
        self.errors: Sequence[Mapping[str, Any]] = problem.get("errors") or ()
        self.successor: str | None = problem.get("successor")
        """The id of the record that took over, where a retired one was asked for."""
        self.request_id: str | None = problem.get("request_id")
        details = "; ".join(f"{error['field']}: {error['message']}" for error in self.errors)
        super().__init__(f"{status} {self.code}: {problem.get('detail', '')}{f' ({details})' if details else ''}")


class Transport:
    """A connection to one server. Not for use by several threads at a time."""

    def __init__(
        self, base_url: str, *, timeout_seconds: float = 15.0, headers: Mapping[str, str] | None = None
    ) -> None:
        """`base_url` is the address of the server, with its path where it is served below one."""
        self._http = httpx2.Client(timeout=timeout_seconds, headers=headers)
        self._base = base_url.rstrip("/")
        self._remembered: OrderedDict[str, tuple[str, httpx2.Response]] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def json(self, method: str, path: str, query: Mapping[str, Any], body: Any = None) -> Any:
        """The answer. What was read before is asked for by its ETag, and is given again where nothing changed.

        EvidenceError if the server refuses; httpx2.HTTPError if it cannot be reached.
        """
        if method != "GET":
            return self._checked(self._http.request(method, self._base + path, params=_sent(query), json=body)).json()
        request = self._http.build_request("GET", self._base + path, params=_sent(query))
        address = str(request.url)
        known = self._remembered.get(address)
        if known:
            request.headers["If-None-Match"] = known[0]
        response = self._http.send(request)
        if known and response.status_code == 304:
            self._remembered.move_to_end(address)
            return known[1].json()
        answer = self._checked(response).json()
        if "etag" in response.headers:
            self._remembered[address] = response.headers["etag"], response
            if len(self._remembered) > MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return answer

    def text(self, path: str, query: Mapping[str, Any]) -> str:
        """An answer in another format, such as BibTeX."""
        return self._checked(self._http.get(self._base + path, params=_sent(query))).text

    def items(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """Every item of a list, page after page."""
        cursor = None
        while True:
            page = self.json("GET", path, {**query, "cursor": cursor})
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    @staticmethod
    def segment(text: str) -> str:
        """A part of a path."""
        return quote(text, safe="")

    @staticmethod
    def _checked(response: httpx2.Response) -> httpx2.Response:
        if response.is_success:
            return response
        try:
            problem = response.json()
        except ValueError:
            problem = {}
        raise EvidenceError(response.status_code, problem if isinstance(problem, dict) else {})


def _sent(query: Mapping[str, Any]) -> list[tuple[str, str | int | float | bool | None]]:
    """The parameters that were given; a sequence repeats its name."""
    pairs: list[tuple[str, str | int | float | bool | None]] = []
    for name, value in query.items():
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        pairs += [(name, _written(each)) for each in values if each is not None]
    return pairs


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
