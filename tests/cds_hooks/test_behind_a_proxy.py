"""A proxy on the same machine makes every caller look local: without an issuer nobody is answered through it."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from starlette.types import ASGIApp

from app.cds_hooks.settings import CdsSettings
from app.main import in_context
from app.settings import Settings
from tests.cds_hooks.support import LDZ, SIGN, make_app, request
from tests.conftest import Engine
from tests.serving import eventually, served

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is missing: apt-get install nginx")

CONFIGURATION = """\
daemon off; master_process off; pid {place}/pid; error_log stderr crit;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/f;
    uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_bind 127.0.0.2;
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
"""


@contextmanager
def proxied(app: ASGIApp, place: Path) -> Iterator[tuple[str, str]]:
    """The addresses of the service behind nginx and of nginx."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with served(app) as behind:
        configuration = place / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(place=place, port=port, behind=behind))
        process = subprocess.Popen([str(NGINX), "-p", str(place), "-c", str(configuration), "-e", "stderr"])
        try:
            eventually("nginx listens", lambda: _listens(port))
            yield f"http://127.0.0.1:{behind}", f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_without_an_issuer_nobody_is_answered_through_a_proxy(engine: Engine, tmp_path: Path) -> None:
    given = Settings(database_url=engine.original)
    app = make_app(given, CdsSettings())
    with proxied(in_context(app, given), tmp_path) as (direct, public):
        answers = [httpx2.post(f"{address}{SIGN}", json=request(LDZ)) for address in (direct, public)]

    assert [answer.status_code for answer in answers] == [200, 401]
    assert answers[1].json()["code"] == "cds_issuer_required"
    assert "CDS_ISSUERS" in answers[1].json()["detail"]


def test_a_client_behind_a_proxy_cannot_raise_its_quota(engine: Engine, tmp_path: Path) -> None:
    """nginx adds the true address after what the client wrote."""
    given = Settings(database_url=engine.original, rate_limit="10/minute", trusted_proxies=["127.0.0.2/32"])
    app = make_app(given, CdsSettings())
    with proxied(in_context(app, given), tmp_path) as (_, public):
        headers = [{"X-Forwarded-For": f"198.51.100.{n}"} for n in range(12)]
        refused = [httpx2.get(f"{public}/", headers=sent).status_code for sent in headers].count(429)

    assert refused == 2
