"""Lists that were not sent are asked of FHIR servers that the operator named, and of no others."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from app.cds_hooks import fetching
from app.cds_hooks.settings import CdsSettings, Issuer
from app.storage.database import Database
from tests.cds_hooks.fhir_server import FhirServer, answer, fhir_server
from tests.cds_hooks.keys import ISSUER, RecordSystem
from tests.cds_hooks.support import LDZ, OXILORT, SIGN, Json, bundle, cds_client, order, request, rules
from tests.serving import eventually

TOKEN = "opaque.token-of-the-record-system"

Fire = Callable[[Json], Any]


@pytest.fixture
def ehr() -> Iterator[FhirServer]:
    with fhir_server() as found:
        yield found


@pytest.fixture
def fire(scratch: Database, ehr: FhirServer, tmp_path: Path) -> Iterator[Fire]:
    """Sends a hook as the issuer whose FHIR server is `ehr`; the answer."""
    keys = RecordSystem()
    issuer = Issuer(iss=ISSUER, jwks=str(keys.write(tmp_path)), fhir_servers=(ehr.host,))
    url = scratch.url.render_as_string(hide_password=False)
    with cds_client(url, CdsSettings(issuers=(issuer,))) as caller:
        yield lambda body: caller.post(SIGN, json=body, headers={"Authorization": f"Bearer {keys.token(SIGN)}"})


def hook(server: object, *drafts: Json, prefetch: object = None, **fields: Any) -> Json:
    authorization = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300}
    sent = {"fhirServer": server, "fhirAuthorization": authorization, "prefetch": prefetch}
    return {**request(*(drafts or (LDZ,))), **sent, **fields}


def found_in(answered: Any) -> list[str]:
    assert answered.status_code == 200, answered.text
    return rules(answered.json()["cards"])


def test_lists_that_were_not_sent_are_asked_for_with_the_token(fire: Fire, ehr: FhirServer) -> None:
    assert found_in(fire(hook(ehr.address))) == ["zelvane-drafted-lort-current", "zelvane-evidence"]

    assert {token for _, token in ehr.requests} == {f"Bearer {TOKEN}"}
    asked = [urlsplit(path) for path, _ in ehr.requests]
    assert sorted(part.path for part in asked) == [
        "/fhir/MedicationRequest", "/fhir/MedicationRequest", "/fhir/MedicationStatement",
    ]  # fmt: skip
    assert {tuple(parse_qs(part.query)["patient"]) for part in asked} == {("1288992",)}


def test_only_what_is_missing_is_asked_for(fire: Fire, ehr: FhirServer) -> None:
    sent = {"medications": bundle(), "statements": None}

    assert found_in(fire(hook(ehr.address, prefetch=sent))) == ["zelvane-evidence"]
    assert [part in path for (path, _), part in zip(ehr.requests, ("stopped",), strict=True)] == [True]


def test_nothing_is_asked_for_orders_that_need_no_check(fire: Fire, ehr: FhirServer) -> None:
    assert found_in(fire(hook(ehr.address, order("d", "Ibuprofen 400 mg")))) == []
    assert ehr.requests == []


def test_a_first_page_is_told_as_such(fire: Fire, ehr: FhirServer) -> None:
    ehr.lists = {"status=active": bundle(link=[{"relation": "next", "url": f"{ehr.address}?page=2"}])}

    assert found_in(fire(hook(ehr.address))) == ["lort-check-incomplete", "zelvane-evidence"]
    assert not any("page" in path for path, _ in ehr.requests)


@pytest.mark.parametrize(
    "changed",
    [
        {"fhirServer": None},
        {"fhirServer": 7},
        {"fhirServer": "http://localhost:1/fhir"},
        {"fhirServer": "https://{host}/fhir"},
        {"fhirServer": "http://user@{host}/fhir"},
        {"fhirServer": "http://{host}/fhir?x=1"},
        {"fhirServer": "http://{host}/fhir#x"},
        {"fhirServer": "http://{host}/fhir/../admin"},
        {"fhirServer": "http://{host}:99999999/fhir"},
        {"fhirServer": "http://{host}.example.org/fhir"},
        {"fhirServer": "file:///etc/passwd"},
        {"fhirServer": "http://[::1/fhir"},
        {"fhirAuthorization": {"access_token": "a\r\nX-Injected: 1"}},
        {"fhirAuthorization": {"access_token": 7}},
        {"fhirAuthorization": "Bearer"},
        {"context": {**request(LDZ)["context"], "patientId": "1&_count=1"}},
        {"context": {**request(LDZ)["context"], "patientId": None}},
    ],
)
def test_what_may_not_be_asked_is_not_asked(fire: Fire, ehr: FhirServer, changed: Json) -> None:
    body = {**hook(ehr.address), **changed}
    if isinstance(body["fhirServer"], str):
        body["fhirServer"] = body["fhirServer"].replace("{host}", ehr.host)

    assert fire(body).status_code == 412
    assert ehr.requests == []


def test_nothing_is_asked_where_no_server_was_named(clinic: TestClient, ehr: FhirServer) -> None:
    assert clinic.post(SIGN, json=hook(ehr.address)).status_code == 412
    assert ehr.requests == []


def _redirects(handler: BaseHTTPRequestHandler) -> None:
    answer(handler, b"", 302, Location="/elsewhere")


def _zips(handler: BaseHTTPRequestHandler) -> None:
    answer(handler, gzip.compress(json.dumps(bundle(OXILORT)).encode()), Content_Encoding="gzip")


def _drips(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, so that no single read takes too long."""
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):
        for _ in range(60):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.1)


@pytest.mark.parametrize(
    "instead",
    [
        _redirects,
        _zips,
        _drips,
        lambda handler: answer(handler, b"<html>", Content_Type="text/html"),
        lambda handler: answer(handler, b"[" * 100_000),
        lambda handler: answer(handler, b" " * (fetching.MAX_BYTES + 1)),
        lambda handler: answer(handler, b"{}", 401),
        lambda handler: answer(handler, b"{}", 500),
        lambda handler: handler.connection.close(),
    ],
    ids=["redirects", "zips", "drips", "page", "nested", "too long", "refused", "broken", "hangs up"],
)
def test_a_server_that_fails_leaves_the_check_incomplete(
    fire: Fire, ehr: FhirServer, instead: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    ehr.failure = instead

    assert found_in(fire(hook(ehr.address, prefetch={"statements": None}))) == [
        "lort-check-incomplete", "zelvane-evidence",
    ]  # fmt: skip
    assert not any("elsewhere" in path for path, _ in ehr.requests)


def test_the_token_and_the_patient_are_in_no_line_of_the_log(
    fire: Fire, ehr: FhirServer, capfd: pytest.CaptureFixture[str]
) -> None:
    fire(hook(ehr.address))
    ehr.failure = _redirects
    fire(hook(ehr.address))

    told = ""

    def is_logged() -> bool:
        nonlocal told
        told += "".join(capfd.readouterr())
        return told.count('"event": "request"') >= 2

    eventually("the log is written", is_logged)
    assert TOKEN not in told
    assert "1288992" not in told


def test_only_https_is_spoken_but_on_this_machine() -> None:
    hosts = ("fhir.example.org", "localhost:8080")

    assert fetching.permitted_server("https://FHIR.example.org/r4/", None, hosts) == fetching.FhirServer(
        "https", "fhir.example.org", 443, "/r4", None
    )
    assert fetching.permitted_server("http://localhost:8080", {"access_token": "t"}, hosts)
    for address in ("http://fhir.example.org/r4", "https://fhir.example.org:8443/r4", "https://localhost/r4"):
        assert fetching.permitted_server(address, None, hosts) is None


@pytest.mark.parametrize(
    ("address", "is_reachable"),
    [
        ("93.184.216.34", True),
        ("10.1.2.3", True),
        ("fd12:3456::1", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound to it
        ("169.254.169.254", False),
        ("fe80::1", False),
        ("224.0.0.1", False),
        ("ff02::1", False),
        ("192.0.0.8", False),
        ("255.255.255.255", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
    ],
)
def test_addresses_that_are_no_record_systems_are_refused(address: str, is_reachable: bool) -> None:
    assert fetching.is_permitted(address) is is_reachable
    assert fetching.is_permitted("127.0.0.1", loopback=True)
