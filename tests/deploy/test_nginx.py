"""nginx with `deploy/nginx.conf.template`, before the application and before an upstream that repeats what it got."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from app.cds_hooks.routes import MAX_BODY_BYTES
from app.http.conditional import SHARED
from app.http.server import connection_of, listen
from app.main import create_app, in_context
from app.settings import ROOT, Settings
from tests.conftest import Engines, application
from tests.serving import PATIENCE_SECONDS, eventually, served

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is missing. On Debian and Ubuntu: apt-get install nginx")

TEMPLATE = (ROOT / "deploy" / "nginx.conf.template").read_text(encoding="utf-8")
NAME = "kb.example.org"
CANARY = "canary-7d1f"
CLAIM = "/v1/claims/ldz-murmuria-pain"
HIDDEN = ("infobutton", "fhir/r5/Evidence", "v1/search", "v1/suggest", "v1/coverage", "v1/resolve", "cds-services")
"""Where the address may hold a patient's words or codes."""


@dataclass
class Proxy:
    directory: Path
    http: int
    https: int
    trusted: ssl.SSLContext

    def client(self, name: str = NAME) -> httpx2.Client:
        address = f"https://127.0.0.1:{self.https}"
        return httpx2.Client(verify=self.trusted, base_url=address, headers={"Host": name}, timeout=PATIENCE_SECONDS)

    def log(self) -> list[dict[str, object]]:
        """Of finished requests; nginx writes a line after the answer."""
        lines = (self.directory / "log" / "access.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def written(self) -> bytes:
        """Whatever is in a file: logs, cache, buffered bodies."""
        return b"".join(path.read_bytes() for path in self.directory.rglob("*") if path.is_file())


@contextmanager
def proxied(directory: Path, upstream: int, changed: Callable[[str], str] = str) -> Iterator[Proxy]:
    """The shipped configuration on free ports; `changed` edits it before nginx reads it."""
    assert NGINX is not None
    trusted = self_signed(directory)
    http, https = free_ports(2)
    text = rendered(upstream, directory, http, https)
    for name in ("log", "cache", "temp"):
        (directory / name).mkdir()
    (directory / "nginx.conf").write_text(MAIN.format(directory=directory, user=USER, site=changed(text)))
    process = subprocess.Popen([NGINX, "-c", directory / "nginx.conf", "-p", directory], stderr=subprocess.PIPE)
    try:
        proxy = Proxy(directory, http, https, trusted)
        eventually("nginx listens", lambda: accepts(proxy.https) or process.poll() is not None)
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        yield proxy
    finally:
        process.terminate()
        process.communicate()


USER = "user root;" if os.geteuid() == 0 else ""
MAIN = """{user}
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/log/main.log warn;
events {{ }}
http {{
    client_body_temp_path {directory}/temp/body;
    proxy_temp_path {directory}/temp/proxy;
    fastcgi_temp_path {directory}/temp/fastcgi;
    uwsgi_temp_path {directory}/temp/uwsgi;
    scgi_temp_path {directory}/temp/scgi;
{site}
}}
"""


def rendered(upstream: int, directory: Path, http: int, https: int) -> str:
    text = TEMPLATE.replace("${SERVER_NAME}", NAME).replace("${UPSTREAM}", f"127.0.0.1:{upstream}")
    text = re.sub(r"listen 80\b", f"listen 127.0.0.1:{http}", text)
    text = re.sub(r"listen 443\b", f"listen 127.0.0.1:{https}", text)
    for path, ours in (("/etc/nginx/tls", ""), ("/var/cache/nginx", "/cache"), ("/var/log/nginx", "/log")):
        text = text.replace(path, f"{directory}{ours}")
    return text


def self_signed(directory: Path) -> ssl.SSLContext:
    """Writes a certificate and its key; a context that trusts it for 127.0.0.1."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "fullchain.pem").write_bytes(public)
    (directory / "privkey.pem").write_bytes(private)
    return ssl.create_default_context(cadata=public.decode())


def free_ports(count: int) -> list[int]:
    sockets = [listen("127.0.0.1", 0) for _ in range(count)]
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


def accepts(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def service(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx before the application."""
    directory = tmp_path_factory.mktemp("nginx")
    with (
        application(engines("sqlite").original) as app,
        served(app) as port,
        proxied(directory, port) as proxy,
    ):
        yield proxy


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the headers that it got, as something public."""
    request, connection = Request(scope, receive), connection_of(scope)
    assert connection is not None
    connection.begin_request()
    length = len(await request.body())
    headers = {"Cache-Control": "no-cache", "CDN-Cache-Control": SHARED, "RateLimit": '"default";r=7'}
    await JSONResponse({"length": length, **request.headers}, headers=headers)(scope, receive, send)
    connection.end_request()


@pytest.fixture(scope="module")
def echoing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx before an upstream that says what it was sent."""
    with served(echo) as port, proxied(tmp_path_factory.mktemp("nginx"), port) as proxy:
        yield proxy


def test_public_answers_are_kept_and_answered_conditionally(service: Proxy) -> None:
    with service.client() as client:
        first, second = client.get(CLAIM), client.get(CLAIM)
        assert [first.headers["x-cache"], second.headers["x-cache"]] == ["MISS", "HIT"]
        assert first.content == second.content
        assert first.headers["x-request-id"] != second.headers["x-request-id"]
        unchanged = client.get(CLAIM, headers={"If-None-Match": first.headers["etag"]})
        assert (unchanged.status_code, unchanged.headers["x-cache"], unchanged.content) == (304, "HIT", b"")
        assert first.headers["strict-transport-security"] == "max-age=31536000"


def passing_on(text: str) -> str:
    """A host with other pages, of which ours lie below /kb."""
    return text.replace("location / {", "location /kb/ {").replace("^(/[^/]+)*", "^/kb")


def taking_off(text: str) -> str:
    passed_on = passing_on(text)
    upstream = re.compile(r"proxy_pass http://\w+;")
    assert upstream.search(passed_on)
    return upstream.sub(r"rewrite ^/kb(/.*)$ $1 break; \g<0>", passed_on)


@pytest.mark.parametrize("changed", [passing_on, taking_off, str])
def test_below_a_path_the_answers_are_the_same_whether_it_is_passed_on_or_taken_off(
    engines: Engines, tmp_path: Path, changed: Callable[[str], str]
) -> None:
    settings = Settings(database_url=engines("sqlite").original, public_url=f"https://{NAME}/kb")
    app = create_app(settings)
    with served(in_context(app, settings)) as port, proxied(tmp_path, port, changed) as proxy, proxy.client() as client:
        page = client.get("/kb/v1/claims?limit=1", headers={"X-Forwarded-Prefix": "/evil"})
        assert (page.status_code, page.headers["x-cache"]) == (200, "MISS")
        following = page.json()["next"]
        assert page.headers["link"] == f'<{following}>; rel="next"'
        for address in (following, page.json()["items"][0]["links"]["permalink"]):
            assert address.startswith("/kb/v1/claims")
            assert client.get(address).status_code == 200
        again = client.get("/kb/v1/claims?limit=1", headers={"If-None-Match": page.headers["etag"]})
        assert (again.status_code, again.headers["x-cache"]) == (304, "HIT")
        bundle = client.get("/kb/fhir/r5/Evidence?_count=1")
        assert bundle.json()["link"][0]["url"].startswith(f"https://{NAME}/kb/fhir/r5/Evidence?")
        assert "x-cache" not in bundle.headers
        assert client.get("/kb/").status_code == 200
        assert client.get("/kb/healthz").status_code == 200
        for path in ("/kb/readyz", "/kb/metrics", "/kbx/v1/meta"):
            assert client.get(path).status_code == 404, path
        start = client.get("/kb")
        assert start.status_code in (301, 308)
        assert start.headers["location"].endswith("/kb/")
    app.state.reads.close()


def test_what_is_private_is_asked_for_every_time(service: Proxy) -> None:
    with service.client() as client:
        for path in ("/cds-services", "/healthz", "/v1/claims?q=pain", "/v1/search?q=pain", "/fhir/r5/metadata"):
            answers = [client.get(path) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [200, 200], path
            assert {answer.headers.get("x-cache", "-") for answer in answers} <= {"-", "MISS", "BYPASS"}, path
        client.get("/v1/meta")
        for header in ({"Authorization": "Bearer x"}, {"Min-Dataset-Serial": "1"}):
            assert client.get("/v1/meta", headers=header).headers["x-cache"] == "BYPASS", header


def test_only_the_address_of_the_client_is_passed_on_and_only_our_name(echoing: Proxy) -> None:
    forged = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "Forwarded": "for=127.0.0.1"}
    with echoing.client() as client:
        sent = client.get("/v1/search", headers={**forged, "X-Request-ID": CANARY}).json()
    assert sent["x-forwarded-for"] == "127.0.0.1"  # which is what this client has
    assert (sent["x-forwarded-proto"], sent["host"]) == ("https", NAME)
    assert "forwarded" not in sent
    assert re.fullmatch(r"[0-9a-f]{32}", sent["x-request-id"])


def test_the_rate_of_one_client_is_not_told_to_another(echoing: Proxy) -> None:
    with echoing.client() as client:
        first, second = client.get("/rate"), client.get("/rate")
    assert (first.headers["x-cache"], first.headers["ratelimit"]) == ("MISS", '"default";r=7')
    assert second.headers["x-cache"] == "HIT"
    assert "ratelimit" not in second.headers


def test_decision_support_is_refused_without_an_issuer(service: Proxy) -> None:
    """nginx connects from this machine; its callers do not."""
    with service.client() as client:
        assert client.post("/cds-services/zelvane-order-sign", json={}).status_code == 401


def test_bodies_for_decision_support_are_bounded_and_never_in_a_file(echoing: Proxy) -> None:
    with echoing.client() as client:
        shutil.rmtree(echoing.directory / "temp" / "body")  # from here on nothing can be buffered there
        accepted = client.post("/cds-services/x", content=b"x" * MAX_BODY_BYTES)
        assert accepted.status_code == 200, accepted.text
        assert accepted.json()["length"] == MAX_BODY_BYTES
        for path, size in (("/cds-services/x", MAX_BODY_BYTES + 1), ("/v1/x", Settings().max_body_bytes + 1)):
            refused = client.post(path, content=b"x" * size)
            assert (refused.status_code, refused.headers["content-type"]) == (413, "application/problem+json"), path


def test_plain_http_leads_to_https_and_other_names_nowhere(service: Proxy) -> None:
    plain = f"http://127.0.0.1:{service.http}/v1/claims?limit=1"
    moved = httpx2.get(plain, headers={"Host": NAME})
    assert (moved.status_code, moved.headers["location"]) == (308, f"https://{NAME}/v1/claims?limit=1")
    with pytest.raises(httpx2.RemoteProtocolError):
        httpx2.get(plain, headers={"Host": "evil.example"})
    with service.client("evil.example") as client, pytest.raises(httpx2.RemoteProtocolError):
        client.get(CLAIM)


def test_readiness_and_metrics_are_not_shown(service: Proxy) -> None:
    with service.client() as client:
        for path in ("/readyz", "/metrics"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
        assert client.get("/healthz").status_code == 200


def test_nothing_that_was_asked_for_is_written(tmp_path: Path) -> None:
    with proxied(tmp_path, free_ports(1)[0]) as dead, dead.client() as client:
        for path in (*HIDDEN, "v1/claims"):
            answer = client.get(f"/{path}?q={CANARY}", headers={"Referer": f"https://ehr.example.org/{CANARY}"})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), path
    assert CANARY.encode() not in dead.written()
    assert [line["upstream_status"] for line in dead.log()] == ["502"] * (len(HIDDEN) + 1)


def test_nothing_that_was_answered_is_written(echoing: Proxy) -> None:
    with echoing.client() as client:
        for path in HIDDEN:
            method, body = ("POST", CANARY * 200_000) if path == "cds-services" else ("GET", "")
            answer = client.request(method, f"/{path}?q={CANARY}", content=body)
            assert answer.status_code == 200, path
    eventually(
        "all are logged", lambda: {f"/{path}" for path in HIDDEN} <= {str(line["path"]) for line in echoing.log()}
    )
    assert CANARY.encode() not in echoing.written()


def test_nothing_is_served_that_is_older_than_a_minute(engines: Engines, tmp_path: Path) -> None:
    assert "proxy_cache_valid 200 59s;" in TEMPLATE
    assert "s-maxage=60," in SHARED

    def seconds_for_minutes(text: str) -> str:
        return text.replace("valid 200 59s", "valid 200 1s")

    with ExitStack() as stack:
        upstream = stack.enter_context(ExitStack())
        app = upstream.enter_context(application(engines("sqlite").original))
        port = upstream.enter_context(served(app))
        client = stack.enter_context(stack.enter_context(proxied(tmp_path, port, seconds_for_minutes)).client())
        assert [client.get(path).headers["x-cache"] for path in (CLAIM, "/v1/meta")] == ["MISS", "MISS"]
        time.sleep(2.1)
        again = client.get(CLAIM)
        assert (again.status_code, again.headers["x-cache"]) == (200, "REVALIDATED")
        upstream.close()
        assert client.get("/v1/meta").status_code == 503
