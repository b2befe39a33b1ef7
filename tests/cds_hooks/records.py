"""A FHIR server of a record system: small, real, and on this machine."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.cds_hooks.support import OXYCODONE, Json, bundle


@dataclass
class Records:
    """What it answers, and what it was asked."""

    address: str = ""
    lists: dict[str, Json] = field(default_factory=lambda: {"status=active": bundle(OXYCODONE, type="searchset")})
    """Bundles by a part of the query that asks for them; all other lists are empty."""
    instead: Callable[[BaseHTTPRequestHandler], None] | None = None
    """Answers in its place, badly."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path with query, and the Authorization header."""

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc


@contextmanager
def records() -> Iterator[Records]:
    found = Records()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, self.headers["Authorization"]))
            if found.instead:
                found.instead(self)
                return
            listed = next((listed for part, listed in found.lists.items() if part in self.path), bundle())
            answer(self, json.dumps(listed).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.address = f"http://127.0.0.1:{server.server_address[1]}/fhir"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        yield found
        server.shutdown()


def answer(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in ({"Content-Type": "application/fhir+json"} | headers).items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
