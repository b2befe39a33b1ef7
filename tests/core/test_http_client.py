"""Requests to other servers: one client, bounded, that follows nobody."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.core.http_client import http_client, read_bounded
from app.settings import ROOT


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "/")
        self.end_headers()
        self.wfile.write(b"x" * 100)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def read(url: str, max_bytes: int = 100, deadline: float = float("inf")) -> bytes:
    with http_client() as client, client.stream("GET", url) as response:
        return read_bounded(response, max_bytes, deadline)


def test_a_body_within_the_bound_is_read(address: str) -> None:
    assert read(address) == b"x" * 100


def test_long_late_and_redirected_bodies_are_refused(address: str) -> None:
    for arguments in ((address, 99), (address, 100, 0.0), (f"{address}/moved",)):
        with pytest.raises(ValueError, match=r"too long|302"):
            read(*arguments)


@pytest.mark.parametrize(
    ("url", "error"),
    [("http://127.0.0.1:9", ConnectionError), ("nonsense", OSError), ("http://[bad", OSError)],
)
def test_failures_are_os_errors_that_hide_the_address(url: str, error: type[OSError]) -> None:
    with pytest.raises(error) as raised:
        read(url)
    assert "127" not in str(raised.value)
    assert "bad" not in str(raised.value)


def test_proxies_of_the_environment_are_ignored(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert read(address)
    with pytest.raises(ConnectionError), http_client(trust_env=True) as client:
        client.get(address)


def test_no_other_module_makes_requests() -> None:
    pattern = re.compile(
        r"^\s*(?:import|from) (?:httpx2?|requests|urllib\.request|http\.client|aiohttp)\b", re.MULTILINE
    )
    users = [path.name for path in (ROOT / "app").rglob("*.py") if pattern.search(path.read_text(encoding="utf-8"))]

    assert users == ["http_client.py"]
