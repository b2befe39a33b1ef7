"""Whole answers kept in memory for as long as the data set stays at its serial."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from starlette.types import Message, Scope, Send

from app.core.cache import ByteBoundedCache
from app.http import conditional
from app.http.freshness import Freshness

MAX_BYTES_OF_ONE = 2_000_000
"""Longer answers are not kept."""
KEY_HEADERS = (b"accept", b"accept-encoding", b"origin", b"prefer")
"""Every header that an answer's `Vary` may name; a contract test compares them with what is served."""
_PASSED_BY = frozenset({b"authorization", b"range", b"min-dataset-serial", b"content-length", b"transfer-encoding"})

RawHeaders = list[tuple[bytes, bytes]]
Key = tuple[bytes, str, bytes, bytes, bytes, bytes]
"""Path, query in canonical form, and the values of `KEY_HEADERS`."""


class CacheRequest(NamedTuple):
    """A request that may be answered from memory, and whose answer may be kept."""

    key: Key
    if_none_match: bytes | None


class CachedResponse:
    """An answer without its request id, and its 304."""

    def __init__(self, headers: RawHeaders, body: bytes, route: str) -> None:
        self.headers = headers
        self.body = body
        self.route = route
        self.etag = next(value for name, value in headers if name == b"etag")
        self.serial = next((int(value) for name, value in headers if name == b"dataset-serial"), None)
        self.headers_of_304 = [header for header in headers if header[0] not in conditional.NOT_OF_A_304]

    @property
    def size(self) -> int:
        """Bytes in memory, roughly."""
        return len(self.body) + sum(len(name) + len(value) + 150 for name, value in self.headers)

    async def send(self, send: Send, request: CacheRequest, request_id: bytes) -> tuple[int, int]:
        """Send the answer, or 304 to a client that has it; the status and the bytes of the body."""
        tag = self._tag_held(request.if_none_match)
        if tag is None:
            headers, body, status = self.headers, self.body, 200
        else:
            headers, body, status = self.headers_of_304, b"", 304
            if tag != self.etag:
                headers = [(name, tag if name == b"etag" else value) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": [*headers, (_REQUEST_ID, request_id)]})
        await send({"type": "http.response.body", "body": body})
        return status, len(body)

    def _tag_held(self, sent: bytes | None) -> bytes | None:
        if sent is None or sent == self.etag:
            return sent
        held = conditional.matching_tag(sent.decode("latin-1"), self.etag.decode("latin-1"))
        return held.encode("latin-1") if held is not None else None


_REQUEST_ID = b"x-request-id"


class ResponseCache:
    """Keeps 200 answers to GET that carry an ETag and `Cache-Control: no-cache`, whatever interface gave them.

    All are dropped when the data set moves. An answer is kept only if the serial was the same before and after it was
    made. Bounded in bytes.
    """

    def __init__(self, freshness: Freshness, max_bytes: int) -> None:
        self.freshness = freshness
        self._responses: ByteBoundedCache[Key, CachedResponse] = ByteBoundedCache(max_bytes)
        self._serial: int | None = None
        self._makers: dict[Key, asyncio.Event] = {}

    def __len__(self) -> int:
        return len(self._responses)

    @property
    def bytes(self) -> int:
        return self._responses.bytes

    def find(self, request: CacheRequest) -> CachedResponse | None:
        """The answer as of now, if it is kept."""
        return self._responses.get(request.key) if self.current_serial() is not None else None

    def current_serial(self) -> int | None:
        """The serial that a read would see now; null where that is not known. Forgets what is older."""
        serial = self.freshness.serial()
        if serial != self._serial:
            self._responses.clear()
            self._serial = serial
        return serial

    async def wait_for_maker(self, request: CacheRequest) -> bool:
        """Wait while another request makes this answer; False where nobody does, and this request is now the maker."""
        maker = self._makers.get(request.key)
        if maker is None:
            self._makers[request.key] = asyncio.Event()
            return False
        await maker.wait()
        return True

    def finish(self, request: CacheRequest) -> None:
        """The maker is done, whether it made an answer or not."""
        maker = self._makers.pop(request.key, None)
        if maker is not None:
            maker.set()

    def keep(self, request: CacheRequest, response: Recording, serial_before: int | None, route: str) -> None:
        """Keep an answer that stays right until the data set moves."""
        made_at = response.header(b"dataset-serial")
        if made_at is None or not response.is_whole:
            return
        self.freshness.saw(int(made_at))
        serial = self.current_serial()
        if serial is None or serial != serial_before or int(made_at) != serial or not response.is_keepable:
            return
        headers = [header for header in response.headers if header[0] != _REQUEST_ID]
        kept = CachedResponse(headers, b"".join(response.chunks), route)
        self._responses.put(request.key, kept, kept.size)


class Recording:
    """An answer while it is sent on, as far as it may be kept."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: RawHeaders = []
        self.chunks: list[bytes] = []
        self.is_whole = False
        self._bytes = 0

    def add(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(bytes(name).lower(), bytes(value)) for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            self._bytes += len(body)
            if self._bytes <= MAX_BYTES_OF_ONE:
                self.chunks.append(body)
            self.is_whole = not message.get("more_body", False)

    @property
    def is_keepable(self) -> bool:
        return (
            self.status == 200
            and self._bytes <= MAX_BYTES_OF_ONE
            and self.header(b"cache-control") == b"no-cache"
            and self.header(b"etag") is not None
        )

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key == name), None)


def cache_request(scope: Scope) -> CacheRequest | None:
    """What of a request the cache goes by; null where it stands aside."""
    if scope["method"] not in ("GET", "HEAD"):
        return None
    return _read(scope.get("raw_path") or scope["path"].encode(), scope["query_string"], tuple(scope["headers"]))


@lru_cache(maxsize=2048)
def _read(path: bytes, query: bytes, headers: Iterable[tuple[bytes, bytes]]) -> CacheRequest | None:
    """Most requests are like earlier ones, so that this is mostly remembered."""
    values: dict[bytes, bytes] = {}
    hosts = 0
    for name, value in headers:
        if name in _PASSED_BY:
            return None
        if name == b"host":
            hosts += 1
        if name in values:
            values[name] += b", " + value
        else:
            values[name] = value
    if hosts != 1 or not query.isascii() or b"%00" in query:
        return None
    accept, encoding, origin, prefer = (values.get(name, b"") for name in KEY_HEADERS)
    key = (path, conditional.canonical(query.decode()), accept, encoding, origin, prefer)
    return CacheRequest(key, values.get(b"if-none-match"))
