"""Compressed answers: from which size on, and one that is at hand in the coding that a client takes."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette_compress import CompressMiddleware

from app.http.conditional import tell_codings_apart
from app.http.ready import Ready, head

SMALLEST = 1000
"""Bytes of a body from which on it is compressed."""


def negotiated(app: ASGIApp) -> ASGIApp:
    """The application, with its answers in the coding that the client takes."""
    return CompressMiddleware(app, minimum_size=SMALLEST)


async def coded(ready: Ready, scope: Scope) -> Ready:
    """The same answer to one who takes it compressed. Its `Vary` says so already."""
    headers = MutableHeaders(raw=ready.headers())
    told = [(name, value) for name, value in headers.raw if name in (b"content-type", b"content-length")]
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": ready.status, "headers": told})
        await send({"type": "http.response.body", "body": ready.body})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    await negotiated(app)(scope, receive, send)
    start, *pieces = sent
    for name, value in start["headers"]:
        if name != b"vary":
            headers[name.decode()] = value.decode()
    tell_codings_apart(headers)
    return Ready(ready.status, head(headers.raw), b"".join(piece.get("body", b"") for piece in pieces))
