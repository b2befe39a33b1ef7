import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.web import assets, docs

STATIC = Path(assets.__file__).parent / "static"
PACKAGES = json.loads((STATIC / "vendor" / "manifest.json").read_text())["packages"]
VENDORED = [
    pytest.param(package, file, id=f"{package['folder']}/{file['name']}")
    for package in PACKAGES
    for file in package["files"]
]


@pytest.fixture
def files() -> Iterator[TestClient]:
    """The files alone, without what compresses the answers of a server."""
    app = FastAPI(docs_url=None, redoc_url=None)
    docs.install(app)
    with TestClient(app) as client:
        yield client


def vendor_url(package: dict[str, str], file: dict[str, str]) -> str:
    return f"/static/vendor/{package['folder']}/{package['version']}/{file['name']}"


@pytest.mark.parametrize("path", ["/docs"])
def test_page_answers_with_its_title_and_links_to_the_others(client: TestClient, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert re.search(r"<title>.*Zelvane Evidence</title>", response.text)
    assert {"./", "docs", "openapi.json"} <= set(re.findall(r'<a[^>]* href="([^"]*)"', response.text))


@pytest.mark.parametrize("path", ["/docs"])
def test_page_names_no_other_host_and_its_policy_admits_none(client: TestClient, path: str) -> None:
    response = client.get(path)

    assert "//" not in "".join(re.findall(r'(?:src|href)="([^"]*)"', response.text))
    policy = dict(
        directive.strip().split(" ", 1) for directive in response.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert not re.search(r"https?:|\*", response.headers["content-security-policy"])


@pytest.mark.parametrize("path", ["/docs"])
def test_every_file_that_a_page_needs_is_served(client: TestClient, path: str) -> None:
    needed = re.findall(r'(?:<script src|<link [^>]*href)="([^"]*)"', client.get(path).text)

    assert needed
    assert {file: client.get(f"/{file}").status_code for file in needed} == dict.fromkeys(needed, 200)


def test_pages_and_files_answer_head_and_stay_out_of_the_openapi_document(client: TestClient) -> None:
    paths = ["/docs", "/favicon.ico", "/static/site.css"]

    assert {path: client.head(path).status_code for path in paths} == dict.fromkeys(paths, 200)
    assert not {path for path in client.get("/openapi.json").json()["paths"] if path in paths}


@pytest.mark.parametrize(("package", "file"), VENDORED)
def test_manifest_describes_the_vendored_file(package: dict[str, str], file: dict[str, str | int]) -> None:
    content = (STATIC / "vendor" / package["folder"] / f"{file['name']}.br").read_bytes()
    raw = brotli.decompress(content)

    assert (len(content), hashlib.sha256(content).hexdigest()) == (file["br_bytes"], file["br_sha256"])
    assert (len(raw), hashlib.sha256(raw).hexdigest()) == (file["bytes"], file["sha256"])
    assert (STATIC / "vendor" / package["folder"] / "LICENSE").is_file()


@pytest.mark.parametrize(("package", "file"), VENDORED)
@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("br", "br"),
        ("gzip;q=1.0, BR;q=0.5", "br"),
        ("*", "br"),
        ("identity", None),
        ("gzip", None),
        ("br;q=0", None),
        ("*, br; q=0.000", None),
    ],
)
def test_vendored_file_arrives_whole_in_a_coding_the_client_takes(
    files: TestClient, package: dict[str, str], file: dict[str, str], accepted: str, coding: str | None
) -> None:
    response = files.get(vendor_url(package, file), headers={"Accept-Encoding": accepted})

    assert response.status_code == 200
    assert response.headers.get("content-encoding") == coding
    assert "Accept-Encoding" in response.headers["vary"]
    assert response.headers["content-type"].startswith(
        "text/css" if file["name"].endswith(".css") else "text/javascript"
    )
    assert hashlib.sha256(response.content).hexdigest() == file["sha256"]


@pytest.mark.parametrize(("package", "file"), VENDORED)
def test_vendored_file_may_be_kept_for_ever_and_is_not_sent_twice(
    client: TestClient, package: dict[str, str], file: dict[str, str]
) -> None:
    first = client.get(vendor_url(package, file), headers={"Accept-Encoding": "br"})
    plain = client.get(vendor_url(package, file), headers={"Accept-Encoding": "identity"})
    again = client.get(
        vendor_url(package, file), headers={"Accept-Encoding": "br", "If-None-Match": first.headers["etag"]}
    )

    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert first.headers["etag"] != plain.headers["etag"]
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_the_reference_leads_to_the_explorer(client: TestClient) -> None:
    answer = client.get("/reference", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (308, "docs")
    assert client.get("/reference").url.path == "/docs"


def test_the_explorer_with_all_that_it_needs_is_small(client: TestClient) -> None:
    page = client.get("/docs")
    needed = re.findall(r'(?:<script src|<link [^>]*href)="([^"]*)"', page.text)
    answers = [client.get(f"/{path}", headers={"Accept-Encoding": "br"}) for path in ("docs", "openapi.json", *needed)]

    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.num_bytes_downloaded for answer in answers) < 500_000


def test_own_file_is_asked_for_each_time(client: TestClient) -> None:
    first = client.get("/static/site.css")
    again = client.get("/static/site.css", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "..%2Fdocs.py",
        "%2e%2e/assets.py",
        "vendor/manifest.json",
        "vendor/swagger-ui-dist/LICENSE",
        "vendor/swagger-ui-dist/swagger-ui.css.br",
        "vendor/swagger-ui-dist/0.0.0/swagger-ui.css",
        "vendor%2f..%2fsite.css",
        "vendor//etc/passwd",
        "/etc/passwd",
        "",
    ],
)
def test_nothing_but_the_listed_files_is_served(client: TestClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


@pytest.mark.parametrize("sheet", sorted(path.name for path in STATIC.glob("*.css")))
def test_every_rule_of_a_style_sheet_is_closed(sheet: str) -> None:
    """A browser drops what stands behind an open rule without a word."""
    depth = 0
    for number, line in enumerate((STATIC / sheet).read_text(encoding="utf-8").splitlines(), start=1):
        depth += line.count("{") - line.count("}")
        assert depth >= 0, number
        assert not (line.startswith("/*") and depth), number
    assert depth == 0
