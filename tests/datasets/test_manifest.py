"""What a data set says of itself, from its file to the database."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app.concepts.manifest import UNDESCRIBED, current_manifest, manifest_at
from app.core.errors import InvalidInput
from app.datasets import bundle, files_beside
from app.datasets.layout import MANIFEST
from app.datasets.seed import seed
from app.storage.database import Database
from tests import neutral
from tests.cds_hooks.support import active, order, request
from tests.cds_hooks.support import bundle as bundle_of
from tests.conftest import serving


def rewrite(directory: Path, old: str, new: str) -> None:
    path = directory / MANIFEST
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def faults(directory: Path) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        bundle.read(directory)
    return [(re.sub(r":\d+:\d+", "", fault.field), fault.code) for fault in refused.value.errors]


def test_a_changed_manifest_is_a_publication_of_its_own(scratch: Database, directory: Path) -> None:
    with scratch.read() as session:
        before = current_manifest(session)
    rewrite(directory, "name: Zelvane Evidence", "name: Another name")
    with scratch.write() as session:
        result = seed(session, directory)
    with scratch.read() as session:
        assert result.serial is not None
        assert current_manifest(session).name == "Another name"
        assert manifest_at(session, result.serial - 1) == before
    with scratch.write() as session:
        assert seed(session, directory).serial is None


def test_another_data_set_is_refused_and_nothing_is_written(scratch: Database, directory: Path) -> None:
    rewrite(directory, "  id: zelvane\n", "  id: another\n")
    with pytest.raises(InvalidInput) as refused, scratch.write() as session:
        seed(session, directory)
    assert [fault.code for fault in refused.value.errors] == ["another_data_set"]
    with scratch.read() as session:
        assert current_manifest(session).id == "zelvane"


def test_a_database_without_manifest_has_a_disclaimer(migrated: Database) -> None:
    with migrated.read() as session:
        assert current_manifest(session) == UNDESCRIBED
    assert "not medical advice" in UNDESCRIBED.disclaimer()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "    - intervention: zelvane\n      unit: mg",
            "    - intervention: zelvan\n      unit: mg",
            ("dataset.yaml: dose_tiers[0].intervention", "unknown_reference"),
        ),
        ("below: 1\n", "below: 10\n", ("dataset.yaml: dose_tiers[0]", "value_error")),
        (
            "claim: ldz-murmuria-pain}",
            "claim: ldz-murmuria-pane}",
            ("dataset.yaml: questions[0].claim", "unknown_reference"),
        ),
        (", claim: ldz-murmuria-pain}", "}", ("dataset.yaml: questions[0]", "rule")),
        ("  id: zelvane\n", "", ("dataset.yaml: id", "missing")),
        ("  title:", "  heading:", ("dataset.yaml: title", "missing")),
        ("dataset:\n", "data:\n", ("dataset.yaml", "shape")),
        (
            "intervention: zelvane\n",
            "intervention: zelvan\n",
            ("dataset.yaml: disclaimers[2].intervention", "unknown_reference"),
        ),
        (
            "[ldz-not-approved]",
            "[ldz-not-aproved]",
            ("dataset.yaml: cds.evidence.claims", "unknown_reference"),
        ),
        ("patient_check: liver-disease", "patient_check: liver", ("dataset.yaml: cds", "value_error")),
        (
            "current lort ({second})",
            "current lort ({drug})",
            ("dataset.yaml: cds.interactions[0].texts.first_drafted.summary", "value_error"),
        ),
    ],
)
def test_faults_of_a_manifest_are_found_with_those_of_the_records(
    directory: Path, old: str, new: str, fault: tuple[str, str]
) -> None:
    rewrite(directory, old, new)
    assert fault in faults(directory)


def test_disclaimers_follow_the_interventions(directory: Path) -> None:
    manifest = files_beside.read_manifest(directory)
    assert manifest is not None
    assert neutral.DRUG_TEXT not in manifest.disclaimer([])
    assert neutral.DRUG_TEXT in manifest.disclaimer([neutral.DRUG])
    assert neutral.LOW_DOSE_TEXT in manifest.disclaimer()


def test_what_cards_say_and_what_the_search_understands_follow_the_manifest(scratch: Database, directory: Path) -> None:
    asked = request(order("1", "Zelvane 50 mg tablet"), medications=bundle_of(active("2", "Oxilort 5 mg tablet")))

    def cards(client: TestClient, **query: int) -> list[dict[str, Any]]:
        answer = client.post("/cds-services/zelvane-order-sign", json=asked, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["cards"]  # type: ignore[no-any-return]

    with serving(scratch.url.render_as_string(hide_password=False)) as client:
        before = cards(client)
        assert before[0]["summary"] == "Zelvane with a current lort (oxilort): the label contraindicates this."
        assert client.get("/v1/search?q=zzmares").json()["items"] == []
        rewrite(directory, "expansions: {lort:", "expansions: {vivid dreams: zzmares, lort:")
        rewrite(directory, "Zelvane with a current lort ({second}): the", "They meet: {second}. The")
        with scratch.write() as session:
            assert seed(session, directory).serial == 2

        after = cards(client)

        assert after[0]["summary"] == "They meet: oxilort. The label contraindicates this."
        assert cards(client, serial=1) == before
        assert client.get("/v1/search?q=zzmares").json()["items"]


def test_the_first_page_shows_what_the_data_set_says(client: TestClient, seed_files: Path) -> None:
    page = client.get("/").text
    manifest = files_beside.read_manifest(seed_files)
    assert manifest is not None
    assert len(manifest.questions) == 3
    assert manifest.title in page
    assert all(question.question.replace("'", "&#39;") in page for question in manifest.questions)


def test_every_question_leads_to_a_record(client: TestClient, seed_files: Path) -> None:
    manifest = files_beside.read_manifest(seed_files)
    assert manifest is not None
    assert len(manifest.questions) == 3
    for question in manifest.questions:
        plural, record_id = next(
            (plural, record_id)
            for plural, record_id in (
                ("claims", question.claim),
                ("conditions", question.condition),
                ("side-effects", question.side_effect),
            )
            if record_id
        )
        assert client.get(f"/v1/{plural}/{record_id}").status_code == 200


def test_other_bands_of_doses_are_told_of_the_doses_that_are_stored(scratch: Database, directory: Path) -> None:
    def tiers(dose: str) -> str:
        with scratch.engine.connect() as connection:
            sql = text("SELECT body FROM records WHERE type = 'dosing_range' AND id = :dose")
            return ",".join(json.loads(connection.execute(sql, {"dose": dose}).scalar_one())["tiers"])

    assert tiers("ldz-4-5-mg") == "low"
    rewrite(directory, "up_to: 5\n", "up_to: 4\n")
    with scratch.write() as session:
        seed(session, directory)
    assert tiers("ldz-4-5-mg") == "standard"
