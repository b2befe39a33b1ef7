"""Answers stay as they were frozen, apart from the differences that `differences.yaml` names with a reason.

The frozen answers are recorded anew only together with a change of the contract that the CHANGELOG describes; what any
other change does to answers is named there.
"""

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from tests.content.golden import recording
from tests.content.golden.recording import Recorded
from tests.content.golden.requests import GoldenRequest, requests

DIFFERENCES = yaml.safe_load((Path(recording.__file__).parent / "differences.yaml").read_text(encoding="utf-8"))
FROZEN = recording.read()
REQUESTS = requests()


@pytest.mark.parametrize("asked", REQUESTS, ids=[asked.name for asked in REQUESTS])
def test_the_answer_is_as_it_was_frozen(client: TestClient, asked: GoldenRequest) -> None:
    client.get("/v1/meta")  # answers that read no data name the data set that was read last
    before, after = FROZEN[asked.name], recording.record(client, asked)
    named = {part for part, names in DIFFERENCES["answers"].items() if asked.name in names}

    found = dict(_differences(before, after))

    assert found.keys() == named, "\n".join(f"{part}: {told}" for part, told in found.items() if part not in named)


def test_every_frozen_answer_is_asked_for() -> None:
    assert FROZEN.keys() == {asked.name for asked in REQUESTS}


def _differences(before: Recorded, after: Recorded) -> Iterator[tuple[str, str]]:
    if before["status"] != after["status"]:
        yield "status", f"{before['status']} became {after['status']}"
    if before["headers"] != after["headers"]:
        yield "headers", _shown(before["headers"], after["headers"])
    if before["etag"] != after["etag"]:
        yield "etag", f"{before['etag']} became {after['etag']}"
    if before["body"] != after["body"]:
        yield "body", _shown(before["body"], after["body"])
    if before["status"] >= 400 and (told := _reworded(before["words"], after.get("words", {}))):
        yield "words", told


def _reworded(before: dict[str, str], after: dict[str, str]) -> str:
    """The words of an error that changed other than as `differences.yaml` says."""
    expected = {path: DIFFERENCES["error_texts"].get(text, text) for path, text in before.items()}
    return "" if expected == after else _shown(expected, after)


def _shown(before: Any, after: Any) -> str:
    texts = [part if isinstance(part, str) else json.dumps(part, indent=1, sort_keys=True) for part in (before, after)]
    if all(text.startswith("{") for text in texts):
        texts = [json.dumps(json.loads(text), indent=1) for text in texts]
    old, new = (text.splitlines() for text in texts)
    return "\n".join(list(difflib.unified_diff(old, new, lineterm="", n=1))[:60])
