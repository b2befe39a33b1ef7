"""The whole server as a process of its own: `python -m tests.cds_hooks.server URL PORT JWKS FHIR_HOST [leak]`.

With `leak` it does what it must not, for the test that shows that such a thing would be found.
"""

import sys

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from app.cds_hooks.settings import CdsSettings, Issuer
from app.core import logging
from app.http.server import run
from app.main import in_context
from app.settings import Settings
from tests.cds_hooks.keys import BASE, ISSUER
from tests.cds_hooks.support import make_app


def leaking(app: ASGIApp) -> ASGIApp:
    async def leak(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            structlog.get_logger("leak").info("call", query=scope["query_string"].decode())
        await app(scope, receive, send)

    return leak


def main(url: str, port: str, jwks: str, fhir_host: str, *mode: str) -> None:
    logging.configure(json=True)
    given = Settings(database_url=url, public_url=BASE)
    issuer = Issuer(iss=ISSUER, jwks=jwks, fhir_servers=(fhir_host,))
    app = in_context(make_app(given, CdsSettings(issuers=(issuer,))), given)
    run(leaking(app) if mode else app, "127.0.0.1", int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
