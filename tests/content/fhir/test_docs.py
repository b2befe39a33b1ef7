"""The examples in the documentation are what the faces answer."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.settings import ROOT
from tests.content.fhir.conftest import BASE
from tests.fhir.conftest import Json

DOCS = ROOT / "docs" / "interop"


def substance(client: TestClient) -> Json:
    resource: Json = client.get("/fhir/r5/Substance/low-dose-naltrexone").json()
    return resource | {"meta": {"versionId": "1", "lastUpdated": "2026-11-24T10:00:00Z"}}


def first_claims(client: TestClient) -> Json:
    page = (DOCS / "infobutton.md").read_text(encoding="utf-8")
    address = re.search(r"GET (/infobutton\?\S+) HTTP", page)
    assert address
    told = client.get(address[1]).json()
    groups = [group | {"claims": [_plain(group["claims"][0])]} for group in told["groups"]]
    return {"title": told["title"], "message": told["message"], "groups": groups}


def _plain(claim: Json) -> Json:
    """Without the date of publication, and whatever the server's public address."""
    kept = {name: value for name, value in claim.items() if name != "updated"}
    return kept | {"link": claim["link"].removeprefix(BASE)}


@pytest.mark.parametrize(("page", "made"), [("fhir.md", substance), ("infobutton.md", first_claims)])
def test_the_example_is_the_answer(facade: TestClient, page: str, made: Callable[[TestClient], Json]) -> None:
    """`UPDATE_GOLDEN=1` writes it anew."""
    file = DOCS / page
    answer = made(facade)
    for group in answer.get("groups", []):
        group["links"] = {name: link and link.removeprefix(BASE) for name, link in group["links"].items()}
    if "UPDATE_GOLDEN" in os.environ:
        _write(file, answer)
    shown = re.search(r"<!-- executed: .*?```json\n(.*?)\n```", file.read_text(encoding="utf-8"), re.DOTALL)

    assert shown
    assert json.loads(shown[1]) == answer


def _write(file: Path, answer: Json) -> None:
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    page = file.read_text(encoding="utf-8")
    written = re.sub(
        r"(<!-- executed: .*?```json\n).*?(\n```)", lambda m: f"{m[1]}{text}{m[2]}", page, count=1, flags=re.DOTALL
    )
    file.write_text(written, encoding="utf-8")


@pytest.mark.parametrize("call", re.findall(r"localhost:8000(\S+)'", (DOCS / "fhir.md").read_text(encoding="utf-8")))
def test_the_calls_find_something(facade: TestClient, call: str) -> None:
    assert facade.get(call).json()["total"] > 0
