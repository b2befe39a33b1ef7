"""The Python client: generated, type-checked, packed, installed, and run against a server on a socket."""

import importlib
import inspect
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2
import pytest

from app.settings import ROOT
from tests.clients.requests import REQUESTS
from tests.conftest import Engines, application
from tests.serving import served

DOCUMENT = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
SOURCE = ROOT / "clients" / "python"
OPERATIONS = {
    operation["operationId"]: (path, operation)
    for path, item in DOCUMENT["paths"].items()
    if path.startswith("/v1")
    for verb, operation in item.items()
    if verb == "get"
}


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client as a wheel, unpacked."""
    folder = tmp_path_factory.mktemp("client")
    source = folder / "source"
    shutil.copytree(
        SOURCE, source, ignore=shutil.ignore_patterns("answers.py", "operations.py", "__pycache__", "build")
    )
    generate = "import sys; from scripts import clients; clients.generate_python(clients.document(), sys.argv[1])"
    subprocess.run([sys.executable, "-c", generate, str(source)], check=True, cwd=ROOT)
    wheel = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(wheel, check=True, cwd=source)
    (file,) = folder.glob("*.whl")
    unpacked = folder / "unpacked"
    with zipfile.ZipFile(file) as archive:
        archive.extractall(unpacked)
    return unpacked


@pytest.fixture(scope="session")
def module(package: Path) -> Any:
    sys.path.insert(0, str(package))
    return importlib.import_module("ldn_evidence_client")


@pytest.fixture(scope="session")
def url(engines: Engines) -> Iterator[str]:
    with application(engines("sqlite").original) as app, served(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def http(url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=url) as client:
        yield client


@pytest.fixture(scope="session")
def client(module: Any, url: str) -> Iterator[Any]:
    with module.EvidenceClient(url) as client:
        yield client


def method_name(operation_id: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation_id).lower()


def test_the_package_is_typed(package: Path) -> None:
    assert (package / "ldn_evidence_client" / "py.typed").is_file()
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "-p", "ldn_evidence_client"],
        cwd=package,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_a_wrong_field_is_refused_by_the_type_checker(package: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text(
        "from ldn_evidence_client import EvidenceClient\n"
        "def show(client: EvidenceClient) -> list[str]:\n"
        '    return [claim["sentence"] for claim in client.iterate_claims(condition="murmuria")]\n'
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(page)],
        cwd=package,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 'has no key "sentence"' in checked.stdout


@pytest.mark.parametrize("operation_id", sorted(REQUESTS))
def test_every_read_answers_as_the_address_does(client: Any, http: httpx2.Client, operation_id: str) -> None:
    path, operation = OPERATIONS[operation_id]
    parts = urlsplit(REQUESTS[operation_id])
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
    match = re.fullmatch(pattern, parts.path)
    assert match
    arrays = {one["name"] for one in operation.get("parameters", ()) if "array" in json.dumps(one["schema"])}
    query = {
        name: values if name in arrays else values[0]
        for name, values in parse_qs(parts.query, strict_parsing=False).items()
    }
    call = getattr(client, method_name(operation_id))
    answer = call(*(unquote(value) for value in match.groupdict().values()), **query)
    expected = http.get(REQUESTS[operation_id].replace("%20", "+"))  # as `next` repeats the spelling
    assert expected.status_code == 200
    assert answer == (expected.text if isinstance(answer, str) else expected.json())


def test_each_operation_is_asked_once() -> None:
    """Other formats of an answer have operations of their own, for which the client has no better type than text."""
    formats = {name for name in OPERATIONS if re.search(r"As[A-Z][A-Za-z]+$", name)}
    assert OPERATIONS.keys() - formats == set(REQUESTS)


def test_every_operation_has_a_method(module: Any) -> None:
    methods = {name for name, _ in inspect.getmembers(module.EvidenceClient, inspect.isfunction)}
    assert {method_name(operation_id) for operation_id in OPERATIONS} <= methods


def test_an_iterator_follows_the_pages(client: Any) -> None:
    ids = [claim["id"] for claim in client.iterate_claims(condition="murmuria", limit=7)]
    assert len(ids) == len(set(ids)) == client.list_claims(condition="murmuria")["total"] > 7


def test_an_answer_that_did_not_change_is_not_sent_again(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = client.get_claim("ldz-murmuria-pain")
    statuses = []
    send = client._http.send

    def recording(request: httpx2.Request) -> httpx2.Response:
        response: httpx2.Response = send(request)
        statuses.append(response.status_code)
        return response

    monkeypatch.setattr(client._http, "send", recording)
    second = client.get_claim("ldz-murmuria-pain")
    assert second == first
    second["citations"].clear()
    assert client.get_claim("ldz-murmuria-pain") == first, "what a caller does with an answer is its own affair"
    assert statuses == [304, 304]


def test_a_refusal_names_the_field_and_the_remedy(client: Any, module: Any) -> None:
    with pytest.raises(module.EvidenceError) as refused:
        client.list_claims(condition="murmurja")
    assert (refused.value.status, refused.value.errors[0]["field"]) == (422, "condition")
    assert "murmuria" in refused.value.errors[0]["did_you_mean"]
    assert refused.value.request_id


def test_a_post_sends_its_body(client: Any) -> None:
    answer = client.check_interactions({"drugs": [{"text": "zelvane"}, {"text": "tralort"}]})
    assert answer["pairs"][0]["status"] == "contraindicated"


def test_the_clients_have_the_version_of_the_server() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    python = re.search(r'^version = "(.+)"', (SOURCE / "pyproject.toml").read_text(), re.MULTILINE)
    typescript = json.loads((ROOT / "clients" / "typescript" / "package.json").read_text())["version"]
    assert version
    assert python
    assert version[1] == python[1] == typescript
