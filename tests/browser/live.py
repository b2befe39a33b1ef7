"""The product as its users run it: migrated, seeded and served by its own command line, on a free port."""

import contextlib
import os
import shutil
import socket
import subprocess
import sysconfig
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

START_SECONDS = 60


@contextlib.contextmanager
def live_server(folder: Path, **options: str) -> Iterator[str]:
    """The address of a server whose database is in `folder`, or of the running one that LIVE_URL names.

    `options` are settings, such as `CORS_ORIGINS`; with them a server is always started.
    """
    given = os.environ.get("LIVE_URL")
    if given and not options:
        yield given.rstrip("/")
        return
    command = shutil.which("ldn-evidence", path=sysconfig.get_path("scripts"))
    assert command, "ldn-evidence is not installed: run make test"
    port = free_port()
    environment = {
        **os.environ,
        **options,
        "DATABASE_URL": f"sqlite:///{folder / 'evidence.db'}",
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    log = folder / "server.log"
    with log.open("w") as output:
        for preparation in ("migrate", "seed"):
            subprocess.run([command, preparation], env=environment, stdout=output, stderr=output, check=True)
        with subprocess.Popen([command, "serve"], env=environment, stdout=output, stderr=output) as server:
            try:
                url = f"http://127.0.0.1:{port}"
                wait_until_ready(url, server, log)
                yield url
            finally:
                server.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, f"the server stopped: {log.read_text()}"
        with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(f"{url}/readyz"):  # noqa: S310 - our own
            return
        time.sleep(0.1)
    raise AssertionError(f"the server was not ready within {START_SECONDS} s: {log.read_text()}")


@dataclass
class Answer:
    """What another site answers at one of its addresses."""

    body: str
    headers: Mapping[str, str]
    status: int = 200


@contextlib.contextmanager
def other_site(answers: Mapping[str, Answer]) -> Iterator[int]:
    """The port of a site that is not ours. It answers as `answers` says at the moment, by path; 404 elsewhere."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0], Answer("", {}, 404))
            self.send_response(answer.status)
            for name, value in {"Content-Type": "text/html; charset=utf-8", **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
