"""Who may call. Every refusal is the same 401, whatever the reason."""

import base64
import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from app.accounts.models import Account
from app.cds_hooks.routes import CdsService
from app.cds_hooks.settings import CdsSettings, InsecureAddress, Issuer
from app.main import in_context
from app.settings import Settings
from app.storage.database import Database
from app.storage.replay import ReplayGuard, use_once
from tests.cds_hooks.keys import BASE, ISSUER, RecordSystem
from tests.cds_hooks.support import LDZ, SIGN, cds_client, make_app, request

SAME = "3f2b8c1e-0d4a-4f6b-9c7d-5e8a1b2c3d4e"
"""An id for requests whose answers are compared."""


def now() -> int:
    return int(time.time())


@pytest.fixture(scope="module")
def ehr() -> RecordSystem:
    return RecordSystem()


@pytest.fixture
def settings(ehr: RecordSystem, tmp_path: Path) -> CdsSettings:
    return CdsSettings(issuers=(Issuer(iss=ISSUER, jwks=str(ehr.write(tmp_path))),))


@pytest.fixture
def caller(scratch: Database, settings: CdsSettings) -> Iterator[TestClient]:
    """From anywhere: the token alone decides."""
    with cds_client(scratch.url.render_as_string(hide_password=False), settings, ("203.0.113.7", 4)) as caller:
        yield caller


def _post(caller: TestClient, token: str | None, path: str = SIGN, **headers: str) -> Any:
    sent = headers | ({"Authorization": f"Bearer {token}"} if token is not None else {})
    return caller.post(path, json=request(LDZ), headers=sent)


@pytest.mark.parametrize("alg", ["ES384", "RS384"])
def test_a_good_token_is_let_in(caller: TestClient, ehr: RecordSystem, alg: str) -> None:
    assert _post(caller, ehr.token(SIGN, alg=alg)).status_code == 200


def test_what_epic_adds_does_not_hurt(caller: TestClient, ehr: RecordSystem) -> None:
    assert _post(caller, ehr.token(SIGN, alg="RS384", nbf=now() - 5, sub="client")).status_code == 200


def _hmac_with_public_key(ehr: RecordSystem) -> str:
    """The classic confusion: our public key as the secret of an HMAC. Written by hand: the library refuses to."""
    import hashlib
    import hmac

    secret = ehr.curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = _part({"alg": "HS384", "typ": "JWT", "kid": "ec"}) + "." + _part(ehr.claims(SIGN))
    return f"{head}.{_encode(hmac.new(secret, head.encode(), hashlib.sha384).digest())}"


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _part(value: Any) -> str:
    return _encode(json.dumps(value).encode())


def _unsigned(ehr: RecordSystem) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': 'ec'})}.{_part(ehr.claims(SIGN))}."


def _tampered(ehr: RecordSystem) -> str:
    head, _, signature = ehr.token(SIGN).split(".")
    return f"{head}.{_part(ehr.claims(SIGN))}.{signature}"


def _foreign(ehr: RecordSystem) -> str:
    return ehr.token(SIGN, key=ec.generate_private_key(ec.SECP384R1()))


def _embedded(ehr: RecordSystem) -> str:
    other = RecordSystem()
    key = json.loads(other.jwks())["keys"][0]
    return ehr.token(SIGN, key=other.curve, headers={"jwk": key, "jku": "https://evil.example/jwks.json"})


def _short_hmac(ehr: RecordSystem) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ehr.token(SIGN, alg="HS256", key="secret")


BAD: dict[str, Callable[[RecordSystem], str | None]] = {
    "no token": lambda _: None,
    "empty": lambda _: "",
    "not a token": lambda _: "abc",
    "three empty parts": lambda _: "..",
    "not base64": lambda _: "%%%.%%%.%%%",
    "header is a list": lambda ehr: f"{_part([])}.{_part(ehr.claims(SIGN))}.AA",
    "claims are a list": lambda ehr: f"{_part({'alg': 'ES384', 'kid': 'ec'})}.{_part([])}.AA",
    "far too long": lambda ehr: ehr.token(SIGN, more="x" * 9000),
    "alg none": _unsigned,
    "HMAC": _short_hmac,
    "HMAC with the public key": _hmac_with_public_key,
    "an algorithm off the list": lambda ehr: ehr.token(SIGN, alg="ES256", key=ec.generate_private_key(ec.SECP256R1())),
    "RS384 under the EC key's name": lambda ehr: ehr.token(SIGN, alg="RS384", headers={"kid": "ec"}),
    "tampered claims": _tampered,
    "a key of somebody else": _foreign,
    "its own key inside": _embedded,
    "an unknown kid": lambda ehr: ehr.token(SIGN, headers={"kid": "other"}),
    "no kid": lambda ehr: ehr.token(SIGN, headers={"kid": None}),
    "a critical extension": lambda ehr: ehr.token(SIGN, headers={"crit": ["b64"], "b64": True}),
    "another type": lambda ehr: ehr.token(SIGN, headers={"typ": "at+jwt"}),
    "an unknown issuer": lambda ehr: ehr.token(SIGN, iss="https://other.example"),
    "no issuer": lambda ehr: ehr.token(SIGN, iss=None),
    "another audience": lambda ehr: ehr.token(SIGN, aud=f"{BASE}/cds-services/zelvane-order-select"),
    "an audience with a slash": lambda ehr: ehr.token(SIGN, aud=f"{BASE}{SIGN}/"),
    "a list of audiences": lambda ehr: ehr.token(SIGN, aud=[f"{BASE}{SIGN}"]),
    "no audience": lambda ehr: ehr.token(SIGN, aud=None),
    "expired": lambda ehr: ehr.token(SIGN, iat=now() - 700, exp=now() - 400),
    "no exp": lambda ehr: ehr.token(SIGN, exp=None),
    "no iat": lambda ehr: ehr.token(SIGN, iat=None),
    "a year to live": lambda ehr: ehr.token(SIGN, exp=now() + 31_536_000),
    "exp beyond all time": lambda ehr: ehr.token(SIGN, exp=10**30),
    "exp as text": lambda ehr: ehr.token(SIGN, exp=str(now() + 200)),
    "exp as a fraction": lambda ehr: ehr.token(SIGN, exp=now() + 200.5),
    "iat in the future": lambda ehr: ehr.token(SIGN, iat=now() + 900, exp=now() + 1000),
    "exp before iat": lambda ehr: ehr.token(SIGN, iat=now() + 20, exp=now() + 10),
    "not yet valid": lambda ehr: ehr.token(SIGN, nbf=now() + 900),
    "no jti": lambda ehr: ehr.token(SIGN, jti=None),
    "an empty jti": lambda ehr: ehr.token(SIGN, jti=""),
    "a jti without end": lambda ehr: ehr.token(SIGN, jti="x" * 501),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD.keys())
def test_a_bad_token_is_a_401_like_every_other(
    caller: TestClient, ehr: RecordSystem, make: Callable[[RecordSystem], str | None]
) -> None:
    named = {"X-Request-ID": SAME}
    without = _post(caller, None, **named)
    answer = _post(caller, make(ehr), **named)

    assert answer.status_code == 401
    assert answer.content == without.content
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers.items() == without.headers.items()


def test_other_schemes_and_two_tokens_are_refused(caller: TestClient, ehr: RecordSystem) -> None:
    good = f"Bearer {ehr.token(SIGN)}"
    for headers in ([("Authorization", "Basic abc")], [("Authorization", good), ("Authorization", good)]):
        assert caller.post(SIGN, json=request(LDZ), headers=headers).status_code == 401


def test_who_calls_is_asked_before_what_was_sent(caller: TestClient) -> None:
    assert caller.post(SIGN, content=b"{").status_code == 401
    assert caller.post("/cds-services/nothing", json={}).status_code == 401


def test_discovery_is_open(caller: TestClient) -> None:
    assert caller.get("/cds-services").status_code == 200


def test_feedback_takes_tokens_for_its_own_address(caller: TestClient, ehr: RecordSystem) -> None:
    path = f"{SIGN}/feedback"

    assert _post(caller, ehr.token(SIGN), path).status_code == 401
    assert _post(caller, ehr.token(path), path).status_code == 422  # let in; the body is no feedback


def test_a_token_works_once_on_all_replicas(scratch: Database, settings: CdsSettings, ehr: RecordSystem) -> None:
    token = ehr.token(SIGN)
    url = scratch.url.render_as_string(hide_password=False)
    with cds_client(url, settings) as one, cds_client(url, settings) as other:
        answers = [_post(replica, token, **{"X-Request-ID": SAME}) for replica in (one, other, one)]
        missing = _post(one, None, **{"X-Request-ID": SAME})

    assert [answer.status_code for answer in answers] == [200, 401, 401]
    assert answers[1].content == missing.content


def test_a_refused_token_is_not_remembered(scratch: Database, settings: CdsSettings, ehr: RecordSystem) -> None:
    with cds_client(scratch.url.render_as_string(hide_password=False), settings) as caller:
        _post(caller, _foreign(ehr))
        _post(caller, ehr.token(SIGN))

    with scratch.read() as session:
        assert session.scalar(select(func.count()).select_from(ReplayGuard)) == 1


def test_used_tokens_are_forgotten_when_their_time_is_over(scratch: Database) -> None:
    for identifier, until in (
        ("old", "2020-01-01T00:00:00Z"),
        ("new", "2999-01-01T00:00:00Z"),
        ("x", "2999-01-01T00:00:00Z"),
    ):
        with scratch.write() as session:
            use_once(session, ISSUER, identifier, until)

    with scratch.read() as session:
        assert set(session.scalars(select(ReplayGuard.token_id))) == {"new", "x"}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.0.0.9"])
def test_without_an_issuer_this_machine_may_call(scratch: Database, host: str) -> None:
    with cds_client(scratch.url.render_as_string(hide_password=False), CdsSettings(), (host, 1)) as caller:
        assert caller.post(SIGN, json=request(LDZ)).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "127.1.2.3", "[::1]", "[::1]:8000", "localhost", "LOCALHOST:8000"])
def test_without_an_issuer_this_machine_is_called_by_its_own_name(scratch: Database, host: str) -> None:
    headers = {"Host": host, "Origin": f"http://{host.lower()}"}
    with cds_client(scratch.url.render_as_string(hide_password=False), CdsSettings()) as caller:
        assert caller.post(SIGN, json=request(LDZ), headers=headers).status_code == 200


FORWARDING = (
    "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded", "Forwarded", "Forwarded-For", "Via",
    "X-Real-IP", "X-Client-IP", "Client-IP", "Proxy-Client-IP", "WL-Proxy-Client-IP", "X-Cluster-Client-Ip",
    "True-Client-IP", "Fastly-Client-IP", "Fly-Client-IP", "X-ProxyUser-Ip", "X-Original-Forwarded-For",
    "X-Original-Host", "X-Original-URL", "X-Envoy-External-Address", "X-Azure-ClientIP", "X-Azure-SocketIP",
    "X-Appengine-User-IP", "X-Google-Internal-Skipadmincheck", "X-Cloud-Trace-Context", "X-Amzn-Trace-Id",
    "X-Amz-Cf-Id", "Cloudfront-Viewer-Address", "CF-Connecting-IP", "CF-Ray", "CDN-Loop", "X-Varnish",
    "X-Nginx-Proxy", "Surrogate-Capability", "X-ARR-SSL",
)  # fmt: skip
FOREIGN_HOSTS = (
    "kb.example.org", "testserver", "127.0.0.1.example.org", "localhost.example.org", "192.0.2.1:8000",
    "[2001:db8::1]:8000", "example.org@127.0.0.1", "127.0.0.1, example.org", "",
)  # fmt: skip
FOREIGN_ORIGINS = (
    "http://example.org", "https://127.0.0.1.example.org", "null", "", "http://127.0.0.1@example.org", "file://",
)  # fmt: skip


@pytest.mark.parametrize(
    ("host", "public_url"),
    [
        ("203.0.113.7", ""),
        ("testclient", ""),
        ("127.0.0.1", BASE),
        ("127.0.0.1", "http://127.0.0.1:8000"),
    ],
)
def test_without_an_issuer_nobody_else_may_call(scratch: Database, host: str, public_url: str) -> None:
    given = Settings(database_url=scratch.url.render_as_string(hide_password=False), public_url=public_url)
    app = make_app(given, CdsSettings())
    with TestClient(in_context(app, given), base_url="http://127.0.0.1:8000", client=(host, 1)) as caller:
        _check_that_issuers_are_required(caller, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "127.0.0.1") for name in FORWARDING),
        ("X-Forwarded-For", ""),
        *(("Host", host) for host in FOREIGN_HOSTS),
        *(("Origin", origin) for origin in FOREIGN_ORIGINS),
    ],
)
def test_without_an_issuer_nobody_may_call_through_a_proxy_or_from_a_page_elsewhere(
    clinic: TestClient, name: str, value: str
) -> None:
    """A page elsewhere gets its own host name to lead to this machine (DNS rebinding), or sends its own `Origin`."""
    _check_that_issuers_are_required(clinic, {name: value})


def _check_that_issuers_are_required(caller: TestClient, headers: dict[str, str]) -> None:
    for path in (SIGN, f"{SIGN}/feedback"):
        answer = caller.post(path, json={}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "cds_issuer_required")
        assert "CDS_ISSUERS" in answer.json()["detail"]
        assert answer.headers["www-authenticate"] == "Bearer"


def test_keys_need_not_say_what_they_are_used_with(scratch: Database, ehr: RecordSystem, tmp_path: Path) -> None:
    """`alg` is optional in a key set (RFC 7517)."""
    keys = [{name: value for name, value in key.items() if name != "alg"} for key in json.loads(ehr.jwks())["keys"]]
    (tmp_path / "keys.json").write_text(json.dumps({"keys": keys}))
    settings = CdsSettings(issuers=(Issuer(iss=ISSUER, jwks=str(tmp_path / "keys.json")),))
    with cds_client(scratch.url.render_as_string(hide_password=False), settings) as caller:
        statuses = {alg: _post(caller, ehr.token(SIGN, alg=alg)).status_code for alg in ("RS384", "ES384")}

    assert statuses == {"RS384": 200, "ES384": 200}


def test_a_publication_that_goes_on_does_not_delay_a_token(
    scratch: Database, settings: CdsSettings, ehr: RecordSystem
) -> None:
    """SQLite has one writer: there a call is answered 503 soon."""
    feedback = f"{SIGN}/feedback"
    told = {"card": "a", "outcome": "overridden", "outcomeTimestamp": "2026-01-05T10:05:31Z"}
    with cds_client(scratch.url.render_as_string(hide_password=False), settings) as caller:
        _post(caller, ehr.token(SIGN))  # what is read once is read
        with scratch.write() as session:
            session.execute(update(Account).values(name=Account.name))
            started_at = time.monotonic()
            called = _post(caller, ehr.token(SIGN))
            seconds = time.monotonic() - started_at
            bearer = {"Authorization": f"Bearer {ehr.token(feedback)}"}
            counted = caller.post(feedback, json={"feedback": [told]}, headers=bearer)
            session.rollback()
        after = _post(caller, ehr.token(SIGN))

    expected = 503 if scratch.is_sqlite else 200
    assert [called.status_code, counted.status_code, after.status_code] == [expected, expected, 200]
    assert seconds < 4.0


class _Keys(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        served: Any = self.server
        served.asked += 1
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/keys")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(served.keys.encode())

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.mark.parametrize(("path", "status"), [("/keys", 200), ("/moved", 401)])
def test_keys_come_from_the_configured_address_alone(
    scratch: Database, ehr: RecordSystem, path: str, status: int
) -> None:
    served: Any = HTTPServer(("127.0.0.1", 0), _Keys)
    served.asked, served.keys = 0, ehr.jwks()
    threading.Thread(target=served.serve_forever, daemon=True).start()
    jwks = f"http://127.0.0.1:{served.server_port}{path}"
    settings = CdsSettings(issuers=(Issuer(iss=ISSUER, jwks=jwks),))
    try:
        with cds_client(scratch.url.render_as_string(hide_password=False), settings) as caller:
            assert _post(caller, ehr.token(SIGN)).status_code == status
            assert _post(caller, ehr.token(SIGN, headers={"jku": jwks})).status_code == status
            assert _post(caller, ehr.token(SIGN, headers={"jku": f"{jwks}/other"})).status_code == 401
            for _ in range(5):
                assert _post(caller, ehr.token(SIGN, headers={"kid": "unknown"})).status_code == 401
    finally:
        served.shutdown()
        served.server_close()
    assert served.asked == 1


@pytest.mark.parametrize(
    "given",
    [
        {"issuers": [{"iss": ISSUER, "jwks": "http://ehr.example.org/keys"}]},
        {"issuers": [{"iss": ISSUER, "jwks": "/a"}, {"iss": ISSUER, "jwks": "/b"}]},
        {"issuers": [{"iss": ISSUER, "jwks": "/a", "algorithms": ["HS256"]}]},
        {"issuers": [{"iss": ISSUER, "jwks": "/a", "algorithms": []}]},
    ],
)
def test_settings_that_would_be_unsafe_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CdsSettings(**given)


@pytest.mark.parametrize(
    ("given", "is_safe"),
    [
        (Settings(public_url=BASE), True),
        (Settings(), True),
        (Settings(host="::1"), True),
        (Settings(public_url="http://kb.example.org"), False),
        (Settings(host="192.0.2.1"), False),
    ],
)
def test_tokens_never_travel_in_the_open(given: Settings, is_safe: bool) -> None:
    settings = CdsSettings(issuers=(Issuer(iss=ISSUER, jwks="/keys.json"),))

    with nullcontext() if is_safe else pytest.raises(InsecureAddress):
        assert CdsService(settings, given.own_url).base_url == given.own_url
    assert CdsService(CdsSettings(), given.own_url).base_url == given.own_url


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (Settings(public_url="https://kb.example.org"), "https://kb.example.org"),
        (Settings(public_url="https://example.org/kb/"), "https://example.org/kb"),
        (Settings(), "http://127.0.0.1:8000"),
        (Settings(host="0.0.0.0", port=8080), "http://127.0.0.1:8080"),  # noqa: S104 - nothing is bound to it
        (Settings(host="192.0.2.1"), "http://192.0.2.1:8000"),
        (Settings(host="2001:db8::1"), "http://[2001:db8::1]:8000"),
    ],
)
def test_our_address_is_the_public_one_or_where_we_listen(given: Settings, address: str) -> None:
    assert given.own_url == address


def test_below_a_path_tokens_name_it_and_cards_link_to_it(
    scratch: Database, settings: CdsSettings, ehr: RecordSystem
) -> None:
    given = Settings(database_url=scratch.url.render_as_string(hide_password=False), public_url=f"{BASE}/kb")
    app = make_app(given, settings)
    with TestClient(in_context(app, given, with_cache=False), client=("203.0.113.7", 4)) as caller:
        for path in (SIGN, f"/kb{SIGN}"):  # as a proxy takes the path off, or passes it on
            answer = _post(caller, ehr.token(f"/kb{SIGN}"), path)
            assert answer.status_code == 200, answer.text
            links = [card["source"]["url"] for card in answer.json()["cards"]]
            links += [link["url"] for card in answer.json()["cards"] for link in card.get("links") or ()]
            assert links
            assert [link for link in links if not link.startswith(f"{BASE}/kb/") or "/kb/kb" in link] == []
            assert _post(caller, ehr.token(SIGN), path).status_code == 401
    app.state.reads.close()


def test_keys_that_cannot_be_read_let_nobody_in(scratch: Database, ehr: RecordSystem, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    for path in (broken, tmp_path / "missing.json"):
        settings = CdsSettings(issuers=(Issuer(iss=ISSUER, jwks=str(path)),))
        with cds_client(scratch.url.render_as_string(hide_password=False), settings) as caller:
            assert _post(caller, ehr.token(SIGN)).status_code == 401


def test_the_rsa_key_must_be_the_one_that_is_registered(caller: TestClient, ehr: RecordSystem) -> None:
    stranger = rsa.generate_private_key(65537, 2048)

    assert _post(caller, ehr.token(SIGN, alg="RS384", key=stranger)).status_code == 401


def test_a_key_set_of_many_levels_is_no_key_set(scratch: Database, ehr: RecordSystem, tmp_path: Path) -> None:
    path = tmp_path / "nested.json"
    path.write_text(f'{{"keys": {"[" * 100_000}{"]" * 100_000}}}', encoding="utf-8")
    settings = CdsSettings(issuers=(Issuer(iss=ISSUER, jwks=str(path)),))
    with cds_client(scratch.url.render_as_string(hide_password=False), settings) as caller:
        assert _post(caller, ehr.token(SIGN)).status_code == 401
