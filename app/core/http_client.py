"""The HTTP client for requests to other servers, and to an application in this process."""

import math
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

TIMEOUT_SECONDS = 5.0


@contextmanager
def http_client(
    *, timeout: float = TIMEOUT_SECONDS, trust_env: bool = False, **options: Any
) -> Iterator["httpx2.Client"]:
    """A client that follows no redirect and, unless `trust_env`, ignores proxies and credentials of the environment.

    `timeout` is in seconds, for each read. Every failure to get an answer is raised as OSError, a failed connection as
    ConnectionError; the message names the cause, without the address.
    """
    import httpx2  # slow to load, and most processes never use it

    try:
        with httpx2.Client(
            timeout=timeout, trust_env=trust_env, follow_redirects=False, verify=_certificates(), **options
        ) as client:
            yield client
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise ConnectionError(type(error).__name__) from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise OSError(type(error).__name__) from error


def in_process_client(app: Any) -> "httpx2.AsyncClient":
    """A client of an ASGI application in this process: no socket, no redirect, and what the application raises."""
    import httpx2

    transport = httpx2.ASGITransport(app=app)
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", trust_env=False, timeout=None)


def read_bounded(response: "httpx2.Response", max_bytes: int, deadline: float = math.inf) -> bytes:
    """The bytes of an uncompressed 200; ValueError for every other answer, a longer one, or one after the deadline.

    `deadline` is an instant of `time.monotonic`: the client's timeout bounds each read, not their sum.
    """
    if response.status_code != 200 or "content-encoding" in response.headers:
        raise ValueError(f"status {response.status_code}")
    body = bytearray()
    for part in response.iter_raw():
        body += part
        if len(body) > max_bytes or time.monotonic() > deadline:
            raise ValueError("too long or too late")
    return bytes(body)


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()
