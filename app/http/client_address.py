"""Which client sent a request: the one answer for rate limits, logs and CDS Hooks."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

_WITH_PORT = re.compile(r"\[(.+)\](?::\d{1,5})?|([\d.]+):\d{1,5}")


def client_address(scope: Scope, trusted_proxies: Collection[IPNetwork] = ()) -> IPAddress | None:
    """The address of the client; null where it is not known, such as on a Unix socket.

    It is that of the connection, unless that one is a trusted proxy. Then `X-Forwarded-For` is read from its end, as
    each proxy adds the address that it was called from: the first address that is no trusted proxy is the client's.
    What a client wrote stands before that and is never reached. An entry that is not an address ends the walk at the
    proxy that passed it on.
    """
    peer = scope.get("client")
    address = _parsed(peer[0].partition("%")[0]) if peer else None
    if address is None or not _is_trusted(address, trusted_proxies):
        return address
    entries = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
    for entry in reversed(entries.split(",")):
        forwarded = _parsed(_without_port(entry.strip()))
        if forwarded is None:
            break
        address = forwarded
        if not _is_trusted(address, trusted_proxies):
            break
    return address


def _is_trusted(address: IPAddress, trusted_proxies: Collection[IPNetwork]) -> bool:
    return any(address in network for network in trusted_proxies)


def _without_port(entry: str) -> str:
    match = _WITH_PORT.fullmatch(entry)
    return (match[1] or match[2]) if match else entry


@lru_cache(maxsize=1024)
def _parsed(text: str) -> IPAddress | None:
    """An IPv4 address that is written as an IPv6 one (`::ffff:192.0.2.1`) is the IPv4 address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
