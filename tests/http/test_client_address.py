"""Who a client is: what it says of itself counts only as far as a trusted proxy vouches for it."""

from ipaddress import ip_network

import pytest
from starlette.types import Scope

from app.http.client_address import client_address

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))


def scope(peer: str | None, *forwarded: str) -> Scope:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"type": "http", "client": None if peer is None else (peer, 50_000), "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # no proxy of ours: anybody may write the header
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the first is what the client made up
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),  # the same in two lines
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7, 10.2.2.2 ,10.1.1.1"], "198.51.100.7"),
        ("10.0.0.1", ["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
        ("10.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("10.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", ["[2001:db8::7]"], "2001:db8::7"),
        ("10.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("2001:db8:ffff::1", ["2001:db8::7"], "2001:db8::7"),
        ("fe80::1%eth0", [], "fe80::1"),
        ("10.0.0.1", ["198.51.100.7, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7, unknown, 10.1.1.1"], "10.1.1.1"),
        ("10.0.0.1", ["198.51.100.7, , 10.1.1.1"], "10.1.1.1"),
        ("10.0.0.1", ["198.51.100.7, 1.2.3.4\xff"], "10.0.0.1"),
        (None, ["198.51.100.7"], None),
        ("", ["198.51.100.7"], None),
        ("testclient", [], None),
    ],
)
def test_the_address_of_the_client(peer: str | None, forwarded: list[str], client: str | None) -> None:
    address = client_address(scope(peer, *forwarded), PROXIES)

    assert (None if address is None else str(address)) == client


def test_by_default_no_proxy_is_trusted() -> None:
    assert str(client_address(scope("127.0.0.1", "198.51.100.7"))) == "127.0.0.1"
