"""The examples of the documentation are what the service says."""

import json
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.cds_hooks.settings import CdsSettings
from app.datasets.files_beside import read_manifest
from app.settings import ROOT
from app.storage.database import Database
from tests.cds_hooks.support import cds_client
from tests.content.cds_hooks.support import SERVICES, SIGN

PAGE = (ROOT / "docs" / "interop" / "cds-hooks.md").read_text(encoding="utf-8")


def _block(name: str) -> Any:
    (found,) = re.findall(rf"^```json {name}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return json.loads(found)


def _cut(card: dict[str, Any], length: int) -> dict[str, Any]:
    return {**card, "detail": card["detail"][:length] + "…"}


def test_the_request_gets_the_documented_answer(clinic: TestClient) -> None:
    documented = _block("answer")["cards"]

    answered = clinic.post(SIGN, json=_block("request")).json()["cards"]

    lengths = [len(card["detail"]) - 1 for card in documented]
    assert [_cut(card, length) for card, length in zip(answered, lengths, strict=True)] == documented


def test_the_feedback_is_taken(scratch: Database) -> None:
    with cds_client(scratch.url.render_as_string(hide_password=False), SERVICES) as caller:
        assert caller.post(f"{SIGN}/feedback", json=_block("feedback")).status_code == 200


def test_every_rule_is_explained() -> None:
    manifest = read_manifest(ROOT / "seed_data")
    assert manifest is not None
    cds = manifest.cds
    assert cds is not None
    assert cds.evidence is not None
    texts = [texts for interaction in cds.interactions for texts in interaction.texts.values()]
    texts += [cds.incomplete, cds.record_incomplete, *cds.reason_checks, *cds.patient_checks]
    for name in (cds.evidence.name, *(one.name for one in texts)):
        assert f"| `{name}` |" in PAGE, name


@pytest.mark.parametrize("setting", CdsSettings.model_fields)
def test_every_setting_is_explained(setting: str) -> None:
    assert f"| `CDS_{setting.upper()}` |" in PAGE
