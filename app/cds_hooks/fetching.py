"""Fetches lists of medicines that were not sent, from the record system's own FHIR server.

The address comes in the request, so it is used only if the operator named its host for the issuer that signed, and
only if the name resolves to permitted addresses. Time and size are bounded, no redirect is followed, nothing is logged.
A list that cannot be fetched stays missing, and the card says that the check is incomplete.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from app.cds_hooks.fhir_json import member
from app.cds_hooks.settings import is_loopback
from app.core.http_client import http_client, read_bounded
from app.core.json_reader import read_json

TIMEOUT_SECONDS = 2.0
"""For all lists of a request together: someone is waiting for the card."""
MAX_BYTES = 1_000_000
_THREADS = 8
"""Servers that do not answer occupy only these; later requests find their lists missing."""

_PORTS = {"https": 443, "http": 80}
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TOKEN = re.compile(r"[!-~]{1,8192}")
_PATH = re.compile(r"(/[A-Za-z0-9_~.-]+)*/?")
_FORBIDDEN_NETWORKS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "192.0.0.0/24")))
"""NAT64, which may lead to any IPv4 address, and addresses of protocols."""


class FhirServer(NamedTuple):
    """A FHIR server from which lists may be fetched."""

    scheme: str
    host: str
    port: int
    path: str
    token: str | None


def permitted_server(address: object, authorization: object, hosts: Iterable[str]) -> FhirServer | None:
    """The server that a request names; null if it is not one of the hosts or not addressed safely."""
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
    token = member(authorization, "access_token")
    has_token = isinstance(token, str) and _TOKEN.fullmatch(token) is not None
    if (authorization is not None and not has_token) or ".." in parts.path:
        return None
    return FhirServer(parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"), token)


def fetch_lists(server: FhirServer, templates: Mapping[str, str], patient: object) -> dict[str, Any]:
    """The lists that arrived in time, by the names of their templates."""
    if not isinstance(patient, str) or not _ID.fullmatch(patient):
        return {}
    deadline = time.monotonic() + TIMEOUT_SECONDS
    futures = {
        name: _pool().submit(_fetch, server, template.replace("{{context.patientId}}", patient), deadline)
        for name, template in templates.items()
    }
    wait(futures.values(), timeout=TIMEOUT_SECONDS)
    results = {name: future.result() for name, future in futures.items() if not future.cancel() and future.done()}
    return {name: result for name, result in results.items() if result is not None}


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="fhir")


def _fetch(server: FhirServer, query: str, deadline: float) -> Any:
    """One list as JSON; null if it cannot be had. Errors are dropped here because they hold the address."""
    try:
        for address in _addresses(server):
            try:
                return read_json(_get(server, address, query, deadline))
            except ConnectionError:
                continue
    except (OSError, ValueError):
        pass
    return None


def _get(server: FhirServer, address: str, query: str, deadline: float) -> bytes:
    """The body of a 200 from exactly this address, under the server's name."""
    literal = f"[{address}]" if ":" in address else address
    headers = {
        "Host": server.host if server.port == _PORTS[server.scheme] else f"{server.host}:{server.port}",
        "Accept": "application/fhir+json",
        "Accept-Encoding": "identity",
        **({"Authorization": f"Bearer {server.token}"} if server.token else {}),
    }
    url = f"{server.scheme}://{literal}:{server.port}{server.path}/{query}"
    with (
        http_client(timeout=max(deadline - time.monotonic(), 0.01)) as client,
        client.stream("GET", url, headers=headers, extensions={"sni_hostname": server.host}) as response,
    ):
        return read_bounded(response, MAX_BYTES, deadline)


def _addresses(server: FhirServer) -> list[str]:
    """The addresses of the host; ValueError if any of them is forbidden."""
    resolved = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    addresses = [str(sockaddr[0]) for *_, sockaddr in resolved]
    if not all(is_permitted(address, loopback=is_loopback(server.host)) for address in addresses):
        raise ValueError("forbidden address")
    return list(dict.fromkeys(addresses))


def is_permitted(text: str, *, loopback: bool = False) -> bool:
    """Whether an address is public or in the clinic's own network, and does not stand for another address.

    `loopback` permits this machine, for an operator who named it.
    """
    address = ipaddress.ip_address(text)
    if address.is_loopback:
        return loopback
    is_tunnel = isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo
    )
    is_special = address.is_multicast or address.is_link_local or address.is_unspecified or address.is_reserved
    is_forbidden = any(address in network for network in _FORBIDDEN_NETWORKS if network.version == address.version)
    return not (is_tunnel or is_special or is_forbidden)
