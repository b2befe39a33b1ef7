"""A FHIR server of a record system: small, real, and on this machine."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.cds_hooks.support import OXILORT, Json, bundle


@dataclass
class FhirServer:
    """What it answers, and the requests it received."""

    address: str = ""
    lists: dict[str, Json] = field(default_factory=lambda: {"status=active": bundle(OXILORT, type="searchset")})
    """Bundles by a part of the query that asks for them; all other lists are empty."""
    failure: Callable[[BaseHTTPRequestHandler], None] | None = None
    """Answers instead, badly."""
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """Path with query, and the Authorization header."""

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc


@contextmanager
def fhir_server() -> Iterator[FhirServer]:
    server_state = FhirServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server_state.requests.append((self.path, self.headers["Authorization"]))
            if server_state.failure:
                server_state.failure(self)
                return
            listed = next((listed for part, listed in server_state.lists.items() if part in self.path), bundle())
            answer(self, json.dumps(listed).encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server_state.address = f"http://127.0.0.1:{server.server_address[1]}/fhir"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        yield server_state
        server.shutdown()


def answer(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in ({"Content-Type": "application/fhir+json"} | headers).items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
