"""Lists of medicines that were not sent, asked of the record system's own FHIR server.

The address comes in the request, so it is asked only where the operator named its host for the issuer that signed. What
the name resolves to is checked before anything is sent there. Time and size are bounded, nothing is followed or logged.
A list that does not come stays missing, and the card says that the check is incomplete.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic_core import from_json

from app.cds_hooks.settings import is_loopback

if TYPE_CHECKING:
    import ssl

SECONDS = 2.0
"""For all lists of a request together: someone is waiting for the card."""
MAX_BYTES = 1_000_000
_THREADS = 8
"""Servers that do not answer hold these and no others; who comes later finds the lists missing."""

_PORTS = {"https": 443, "http": 80}
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TOKEN = re.compile(r"[!-~]{1,8192}")
_PATH = re.compile(r"(/[A-Za-z0-9_~.-]+)*/?")
_DISGUISES = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "192.0.0.0/24")))
"""NAT64, which may lead to any IPv4 address, and addresses of protocols."""


class Server(NamedTuple):
    """A FHIR server that may be asked."""

    scheme: str
    host: str
    port: int
    path: str
    token: str | None


def allowed(address: object, authorization: object, hosts: Iterable[str]) -> Server | None:
    """The server that a request names; null where it may not be asked."""
    if not isinstance(address, str) or len(address) > 500:
        return None
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.netloc.lower() not in hosts or parts.query or parts.fragment or not _PATH.fullmatch(parts.path):
        return None
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        return None
    token = _token(authorization)
    if (authorization is not None and token is None) or ".." in parts.path:
        return None
    return Server(parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"), token)


def _token(authorization: object) -> str | None:
    token = authorization.get("access_token") if isinstance(authorization, Mapping) else None
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def fetched(server: Server, templates: Mapping[str, str], patient: object) -> dict[str, Any]:
    """The lists that came in time, by the keys of their templates."""
    if not isinstance(patient, str) or not _ID.fullmatch(patient):
        return {}
    until = time.monotonic() + SECONDS
    asked = {
        key: _pool().submit(_fetch, server, template.replace("{{context.patientId}}", patient), until)
        for key, template in templates.items()
    }
    wait(asked.values(), timeout=SECONDS)
    came = {key: future.result() for key, future in asked.items() if not future.cancel() and future.done()}
    return {key: found for key, found in came.items() if found is not None}


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="fhir")


def _fetch(server: Server, query: str, until: float) -> Any:
    """One list as JSON; null where it could not be had. Errors are dropped here: they hold the address."""
    import httpx2

    try:
        for address in _addresses(server):
            try:
                return from_json(b"".join(_body(server, address, query, until)))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError):
        return None
    return None


def _body(server: Server, address: str, query: str, until: float) -> Iterator[bytes]:
    """The bytes of a 200 from exactly this address, under the server's name."""
    import httpx2

    literal = f"[{address}]" if ":" in address else address
    headers = {
        "Host": server.host if server.port == _PORTS[server.scheme] else f"{server.host}:{server.port}",
        "Accept": "application/fhir+json",
        "Accept-Encoding": "identity",
        **({"Authorization": f"Bearer {server.token}"} if server.token else {}),
    }
    left = max(until - time.monotonic(), 0.01)
    with (
        httpx2.Client(trust_env=False, follow_redirects=False, timeout=left, verify=_certificates()) as client,
        client.stream(
            "GET",
            f"{server.scheme}://{literal}:{server.port}{server.path}/{query}",
            headers=headers,
            extensions={"sni_hostname": server.host},
        ) as response,
    ):
        if response.status_code != 200 or "content-encoding" in response.headers:
            raise ValueError
        size = 0
        for part in response.iter_raw():
            size += len(part)
            if size > MAX_BYTES or time.monotonic() > until:
                raise ValueError
            yield part


@lru_cache(maxsize=1)
def _certificates() -> "ssl.SSLContext":
    import ssl

    return ssl.create_default_context()


def _addresses(server: Server) -> list[str]:
    """What the name resolves to; ValueError if any of it is nowhere that a record system would be."""
    found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    if not all(reachable(address, loopback=is_loopback(server.host)) for address in addresses):
        raise ValueError
    return list(dict.fromkeys(addresses))


def reachable(text: str, *, loopback: bool = False) -> bool:
    """Whether an address may be asked: a public one or one of the clinic's own network, and no disguise of another.

    `loopback` where the operator named this machine itself.
    """
    address = ipaddress.ip_address(text)
    if address.is_loopback:
        return loopback
    tunnelled = isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo
    )
    special = address.is_multicast or address.is_link_local or address.is_unspecified or address.is_reserved
    disguised = any(address in network for network in _DISGUISES if network.version == address.version)
    return not (tunnelled or special or disguised)
