"""Who may call: record systems by signed tokens (JWT) of configured issuers; without issuers, this machine alone.

A token is used once, lives five minutes at most and names exactly the address it was sent to. Keys come only from the
place that the operator configured: `jku`, `jwk` and `x5u` of a token are never followed. Every refusal of a token is
the same response; the log has the reason, and nothing of the token.
"""

import hashlib
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from app.cds_hooks.settings import Issuer
from app.core.errors import AppError
from app.core.http_client import http_client, read_bounded
from app.core.json_reader import read_json
from app.http.client_address import client_address
from app.http.database_limiter import Slots
from app.storage.database import Database
from app.storage.replay import use_once

if TYPE_CHECKING:
    from jwt import PyJWK

LEEWAY_SECONDS = 30
MAX_LIFETIME_SECONDS = 300
"""Of a token (SMART Backend Services)."""
MIN_REFRESH_SECONDS = 60.0
"""Between two reads of a key set, so that tokens with unknown keys cannot cause a request each."""
MAX_KEY_SET_BYTES = 200_000
KEY_SET_TIMEOUT_SECONDS = 3.0
_FORWARDING_HEADER = re.compile(
    r"(x-)?forwarded(-.+)?|via|.*client-?ip|x-(real-ip|proxyuser-ip|varnish|nginx-proxy|cloud-trace-context)"
    r"|x-(original|envoy|appengine|google|amzn|amz-cf|azure|arr)-.+|(cf|cloudfront)-.+|cdn-loop|surrogate-capability"
)
"""What proxies and content delivery networks add."""
_LOOPBACK = re.compile(r"(https?://)?(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)
"""A `Host` or `Origin` of this machine alone."""
_ALGORITHM_OF_KEY = {("RSA", None): "RS384", ("EC", "P-384"): "ES384"}
"""By type and curve: what a key whose set does not say it is used with. Others are not accepted anyway."""


class Unauthorized(AppError):
    status = 401
    code = "unauthorized"
    title = "Not authorized"

    def __init__(self) -> None:
        super().__init__(
            "Send a bearer token as CDS Hooks describes it, from a record system that is registered here.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class IssuerRequired(AppError):
    status = 401
    code = "cds_issuer_required"
    title = "No record system is registered here"

    def __init__(self) -> None:
        super().__init__(
            "Without a registered record system only a caller on the server's own machine is answered, who calls it "
            "localhost or 127.0.0.1, and only where neither PUBLIC_URL nor a proxy makes it public. Set CDS_ISSUERS to "
            "the record systems that may call.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class TokenRefused(Exception):
    """Why a token is not accepted; for the log."""


@dataclass
class IssuerKeys:
    """The public keys of an issuer, read on first use and again when a token names an unknown key."""

    issuer: Issuer
    _keys: dict[str, "PyJWK"] = field(default_factory=dict)
    _read_at: float = -MIN_REFRESH_SECONDS
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def key(self, key_id: str) -> "PyJWK":
        with self._lock:
            if key_id not in self._keys and time.monotonic() - self._read_at >= MIN_REFRESH_SECONDS:
                self._read_at = time.monotonic()
                self._keys = self._load()
        if key_id not in self._keys:
            raise TokenRefused("unknown key")
        return self._keys[key_id]

    def _load(self) -> dict[str, "PyJWK"]:
        from jwt import PyJWKSet
        from jwt.exceptions import PyJWTError

        try:
            raw = _download(self.issuer.jwks) if self.issuer.is_remote else Path(self.issuer.jwks).read_bytes()
            keys = PyJWKSet.from_dict({"keys": [_with_algorithm(key) for key in read_json(raw)["keys"]]}).keys
        except (OSError, ValueError, TypeError, LookupError, AttributeError, PyJWTError) as error:
            raise TokenRefused("keys cannot be read") from error
        return {key.key_id: key for key in keys if key.key_id}


def _with_algorithm(key: dict[str, Any]) -> dict[str, Any]:
    """A key with its `alg`, which is optional in a key set; the library would take RS256 for every RSA key."""
    algorithm = _ALGORITHM_OF_KEY.get((str(key.get("kty")), key.get("crv")))
    return {"alg": algorithm, **key} if algorithm else key


def _download(url: str) -> bytes:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    with (
        http_client(timeout=KEY_SET_TIMEOUT_SECONDS, trust_env=True) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        return read_bounded(response, MAX_KEY_SET_BYTES)


class TokenAuthenticator:
    """Authenticates the caller of a service."""

    def __init__(self, issuers: tuple[Issuer, ...], base_url: str) -> None:
        self._keys = {issuer.iss: IssuerKeys(issuer) for issuer in issuers}
        self._base_url = base_url

    async def authenticate(self, connection: HTTPConnection, database: Database, slots: Slots) -> Issuer | None:
        """The record system that calls; null if no issuer is configured. Raises Unauthorized.

        The database is used only to record that a token was used, in one of `slots`.
        """
        try:
            if not self._keys:
                _check_is_local(connection)
                return None
            audience = f"{self._base_url}{connection.url.path}"
            claims = await run_in_threadpool(self._verified_claims, _bearer_token(connection), audience)
            async with slots.slot():
                await run_in_threadpool(_mark_used, claims, database)
            connection.state.issuer = claims["iss"]
            return self._keys[claims["iss"]].issuer
        except TokenRefused as refusal:
            structlog.get_logger("app.cds_hooks").info("caller refused", reason=str(refusal))
            raise Unauthorized from None

    def _verified_claims(self, token: str, audience: str) -> Mapping[str, Any]:
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            unverified = jwt.decode(token, options={"verify_signature": False})
            keys = self._issuer_keys(unverified.get("iss"))
            key = _signing_key(keys, header)
            claims = jwt.decode(
                token,
                key,
                algorithms=list(keys.issuer.algorithms),
                audience=audience,
                issuer=keys.issuer.iss,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "aud", "iss", "jti"]},
            )
        except jwt.PyJWTError as error:
            raise TokenRefused(type(error).__name__) from error
        except (ValueError, TypeError, RecursionError, OverflowError) as error:
            raise TokenRefused("malformed token") from error
        _check_claims(claims, audience)
        return claims

    def _issuer_keys(self, iss: object) -> IssuerKeys:
        if not isinstance(iss, str) or iss not in self._keys:
            raise TokenRefused("unknown issuer")
        return self._keys[iss]


def _check_is_local(connection: HTTPConnection) -> None:
    """Raises IssuerRequired unless the caller is on this machine and the service is not public.

    Behind a proxy on this machine every caller looks local. A proxy names itself in a header or passes on the name by
    which it was called, and an operator who has one sets PUBLIC_URL: any of them is enough to refuse. A page from
    elsewhere that a browser on this machine shows is known by its `Origin`, or by the name that it calls.
    """
    given = connection.app.state.settings
    is_forwarded = any(_FORWARDING_HEADER.fullmatch(name) for name in connection.headers)
    names = [*(connection.headers.getlist("host") or [""]), *connection.headers.getlist("origin")]
    address = client_address(connection.scope, given.trusted_proxies)
    is_local = address is not None and address.is_loopback and all(map(_LOOPBACK.fullmatch, names))
    if given.public_url or is_forwarded or not is_local:
        structlog.get_logger("app.cds_hooks").info("caller refused", reason="CDS_ISSUERS is not set")
        raise IssuerRequired


def _signing_key(keys: IssuerKeys, header: Mapping[str, Any]) -> "PyJWK":
    key_id, jku = header.get("kid"), header.get("jku")
    if header.get("alg") not in keys.issuer.algorithms:
        raise TokenRefused("algorithm not allowed")
    if header.get("typ", "JWT") != "JWT":
        raise TokenRefused("not a JWT by its type")
    if jku is not None and keys.issuer.is_remote and jku != keys.issuer.jwks:
        raise TokenRefused("foreign jku")
    if not isinstance(key_id, str):
        raise TokenRefused("no key named")
    return keys.key(key_id)


def _check_claims(claims: Mapping[str, Any], audience: str) -> None:
    """What the library accepts: times as text or years ahead, and a list of audiences that includes ours."""
    exp, iat, jti = claims["exp"], claims["iat"], claims["jti"]
    if type(exp) is not int or type(iat) is not int or not 0 < exp - iat <= MAX_LIFETIME_SECONDS:
        raise TokenRefused("lifetime")
    if claims["aud"] != audience:
        raise TokenRefused("audience")
    if not isinstance(jti, str) or not 0 < len(jti) <= 500:
        raise TokenRefused("no usable jti")


def _mark_used(claims: Mapping[str, Any], database: Database) -> None:
    until = datetime.fromtimestamp(claims["exp"] + LEEWAY_SECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.blake2b(claims["jti"].encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
    try:
        with database.write(in_turn=False) as session:
            use_once(session, claims["iss"], digest, until)
    except IntegrityError:
        raise TokenRefused("used before") from None


def _bearer_token(connection: HTTPConnection) -> str:
    values = connection.headers.getlist("authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not 0 < len(token) <= 8192:
        raise TokenRefused("no bearer token")
    return token.strip()
