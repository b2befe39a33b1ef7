"""Who may call: record systems by signed tokens (JWT) of configured issuers; without any, this machine alone.

A token is used once, lives five minutes at most and names exactly the address it was sent to. Keys come from where the
operator said and from nowhere else: `jku`, `jwk` and `x5u` of a token are never followed. Every refusal looks the same
from outside; the log has the reason, and nothing of the token.
"""

import hashlib
import json
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

from app.cds_hooks.settings import Issuer, is_loopback
from app.core.errors import AppError
from app.http.database_limiter import Slots
from app.storage.database import Database
from app.storage.replay import use_once

if TYPE_CHECKING:
    from jwt import PyJWK

LEEWAY = 30
MAX_LENGTH = 300
"""Seconds that a token may live (SMART Backend Services)."""
_REFRESH = 60.0
"""Keys are read again at most this often, so that tokens with unknown keys cannot make us ask again and again."""
_MAX_BYTES = 200_000


class Unauthorized(AppError):
    status = 401
    code = "unauthorized"
    title = "Not authorized"

    def __init__(self) -> None:
        super().__init__(
            "Send a bearer token as CDS Hooks describes it, from a record system that is registered here.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class Refused(Exception):
    """Why a token is not accepted; for the log."""


@dataclass
class Keys:
    """The public keys of an issuer, read when first needed and again when a token names an unknown one."""

    issuer: Issuer
    _found: dict[str, "PyJWK"] = field(default_factory=dict)
    _read_at: float = -_REFRESH
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def key(self, kid: str) -> "PyJWK":
        with self._lock:
            if kid not in self._found and time.monotonic() - self._read_at >= _REFRESH:
                self._read_at = time.monotonic()
                self._found = self._load()
        if kid not in self._found:
            raise Refused("unknown key")
        return self._found[kid]

    def _load(self) -> dict[str, "PyJWK"]:
        from jwt import PyJWKSet
        from jwt.exceptions import PyJWTError

        try:
            raw = _fetch(self.issuer.jwks) if self.issuer.is_remote else Path(self.issuer.jwks).read_bytes()
            keys = PyJWKSet.from_dict(json.loads(raw)).keys
        except (OSError, ValueError, AttributeError, PyJWTError) as error:
            raise Refused("keys cannot be read") from error
        return {key.key_id: key for key in keys if key.key_id}


def _fetch(url: str) -> bytes:
    """The configured address and no other: redirects are refused."""
    from urllib.error import HTTPError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class NoRedirect(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    request = Request(url, headers={"Accept": "application/json"})  # noqa: S310 - the operator's own setting
    try:
        with build_opener(NoRedirect).open(request, timeout=3) as response:
            body: bytes = response.read(_MAX_BYTES + 1)
    except HTTPError as refusal:
        refusal.close()  # it holds the connection
        raise
    if len(body) > _MAX_BYTES:
        raise ValueError("too long")
    return body


class Gate:
    """Lets a request pass or raises Unauthorized."""

    def __init__(self, issuers: tuple[Issuer, ...], base_url: str) -> None:
        self._keys = {issuer.iss: Keys(issuer) for issuer in issuers}
        self._base_url = base_url

    async def admit(self, connection: HTTPConnection, database: Database, line: Slots) -> Issuer | None:
        """The record system that calls; null where none is configured. Only to note that a token was used takes the
        database, and a turn in its line."""
        try:
            if not self._keys:
                self._from_this_machine(connection)
                return None
            audience = f"{self._base_url}{connection.url.path}"
            claims = await run_in_threadpool(self._verified, _bearer(connection), audience)
            async with line.slot():
                await run_in_threadpool(self._once, claims, database)
            return self._keys[claims["iss"]].issuer
        except Refused as refusal:
            structlog.get_logger("app.cds_hooks").info("caller refused", reason=str(refusal))
            raise Unauthorized from None

    def _from_this_machine(self, connection: HTTPConnection) -> None:
        # A proxy on this machine would make everybody local; it says that it is one.
        forwarded = any(name in connection.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via"))
        if forwarded or not is_loopback(connection.client.host if connection.client else ""):
            raise Refused("no issuer is configured, and the caller is not on this machine")

    def _verified(self, token: str, audience: str) -> Mapping[str, Any]:
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            unverified = jwt.decode(token, options={"verify_signature": False})
            keys = self._keys_of(unverified.get("iss"))
            key = self._key(keys, header)
            claims = jwt.decode(
                token,
                key,
                algorithms=list(keys.issuer.algorithms),
                audience=audience,
                issuer=keys.issuer.iss,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "aud", "iss", "jti"]},
            )
        except jwt.PyJWTError as error:
            raise Refused(type(error).__name__) from error
        except (ValueError, TypeError, RecursionError, OverflowError) as error:
            raise Refused("malformed token") from error
        _check(claims, audience)
        return claims

    def _keys_of(self, iss: object) -> Keys:
        if not isinstance(iss, str) or iss not in self._keys:
            raise Refused("unknown issuer")
        return self._keys[iss]

    def _key(self, keys: Keys, header: Mapping[str, Any]) -> "PyJWK":
        kid, jku = header.get("kid"), header.get("jku")
        if header.get("alg") not in keys.issuer.algorithms:
            raise Refused("algorithm not allowed")
        if header.get("typ", "JWT") != "JWT":
            raise Refused("not a JWT by its type")
        if jku is not None and keys.issuer.is_remote and jku != keys.issuer.jwks:
            raise Refused("foreign jku")
        if not isinstance(kid, str):
            raise Refused("no key named")
        return keys.key(kid)

    def _once(self, claims: Mapping[str, Any], database: Database) -> None:
        until = datetime.fromtimestamp(claims["exp"] + LEEWAY, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hashlib.blake2b(claims["jti"].encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()
        try:
            with database.write() as session:
                use_once(session, claims["iss"], digest, until)
        except IntegrityError:
            raise Refused("used before") from None


def _check(claims: Mapping[str, Any], audience: str) -> None:
    """What the library leaves open: it takes times as text or years ahead, and a list that merely holds our address."""
    exp, iat, jti = claims["exp"], claims["iat"], claims["jti"]
    if type(exp) is not int or type(iat) is not int or not 0 < exp - iat <= MAX_LENGTH:
        raise Refused("lifetime")
    if claims["aud"] != audience:
        raise Refused("audience")
    if not isinstance(jti, str) or not 0 < len(jti) <= 500:
        raise Refused("no usable jti")


def _bearer(connection: HTTPConnection) -> str:
    values = connection.headers.getlist("authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not 0 < len(token) <= 8192:
        raise Refused("no bearer token")
    return token.strip()
