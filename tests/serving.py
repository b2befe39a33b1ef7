"""An application on a real socket, by the server that users run."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from app.http.server import Timeouts, listen, server


@contextmanager
def served(app: ASGIApp, timeouts: Timeouts | None = None, listener: socket | None = None) -> Iterator[int]:
    """Its port, once it answers; on `listener` where the application has to know the address before."""
    with listener or listen("127.0.0.1", 0) as listening:
        running = server(app, timeouts or Timeouts())
        thread = threading.Thread(target=running.run, args=([listening],))
        thread.start()
        try:
            while not running.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield listening.getsockname()[1]
        finally:
            running.should_exit = True
            thread.join()


PATIENCE_SECONDS = 60


def eventually(what: str, condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; the test fails where it does not in a minute."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            pytest.fail(f"{what}: not within {PATIENCE_SECONDS} s")
        time.sleep(0.05)


def read_json(client: TestClient, address: str, **query: str) -> Any:
    """What the address answers, which must be a success."""
    answer = client.get(address, params=query or None)
    assert answer.status_code == 200, answer.text
    return answer.json()
