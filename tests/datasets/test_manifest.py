"""What a data set says of itself, from its file to the database."""

import json
import re
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app.concepts.manifest import UNDESCRIBED, current_manifest, manifest_at
from app.core.errors import InvalidInput
from app.datasets import bundle, files_beside
from app.datasets.layout import MANIFEST
from app.datasets.seed import seed
from app.settings import ROOT
from app.storage import schema
from app.storage.database import Database
from tests.cds_hooks.support import LDN, OXYCODONE, cards, cds_client, request

SEED = ROOT / "seed_data"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SEED, tmp_path / "seed"))


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
    rewrite(directory, "name: LDN Evidence", "name: Another name")
    with scratch.write() as session:
        result = seed(session, directory)
    with scratch.read() as session:
        assert result.serial is not None
        assert current_manifest(session).name == "Another name"
        assert manifest_at(session, result.serial - 1) == before
    with scratch.write() as session:
        assert seed(session, directory).serial is None


def test_another_data_set_is_refused_and_nothing_is_written(scratch: Database, directory: Path) -> None:
    rewrite(directory, "  id: ldn\n", "  id: another\n")
    with pytest.raises(InvalidInput) as refused, scratch.write() as session:
        seed(session, directory)
    assert [fault.code for fault in refused.value.errors] == ["another_data_set"]
    with scratch.read() as session:
        assert current_manifest(session).id == "ldn"


def test_a_database_without_manifest_has_a_disclaimer(blank: Database) -> None:
    schema.migrate(blank)
    with blank.read() as session:
        assert current_manifest(session) == UNDESCRIBED
    assert "not medical advice" in UNDESCRIBED.disclaimer()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "    - intervention: naltrexone\n      unit: mg",
            "    - intervention: naltrexon\n      unit: mg",
            ("dataset.yaml: dose_tiers[0].intervention", "unknown_reference"),
        ),
        ("below: 1}", "below: 0.0001}", ("dataset.yaml: dose_tiers[0]", "value_error")),
        ("claim: ldn-ms-fatigue", "claim: ldn-ms-fatique", ("dataset.yaml: questions[3].claim", "unknown_reference")),
        ("      claim: ldn-ms-fatigue\n", "", ("dataset.yaml: questions[3]", "rule")),
        ("  id: ldn\n", "", ("dataset.yaml: id", "missing")),
        ("  title:", "  heading:", ("dataset.yaml: title", "missing")),
        ("dataset:\n", "data:\n", ("dataset.yaml", "shape")),
        (
            "intervention: naltrexone\n",
            "intervention: naltrexon\n",
            ("dataset.yaml: disclaimers[2].intervention", "unknown_reference"),
        ),
        (
            "[ldn-not-fda-approved]",
            "[ldn-not-fda-aproved]",
            ("dataset.yaml: cds.evidence.claims", "unknown_reference"),
        ),
        ("patient_check: liver-disease", "patient_check: liver", ("dataset.yaml: cds", "value_error")),
        (
            "current opioid ({second})",
            "current opioid ({drug})",
            ("dataset.yaml: cds.interactions[0].texts.first_drafted.summary", "value_error"),
        ),
    ],
)
def test_faults_of_a_manifest_are_found_with_those_of_the_records(
    directory: Path, old: str, new: str, fault: tuple[str, str]
) -> None:
    rewrite(directory, old, new)
    assert fault in faults(directory)


def test_disclaimers_follow_the_interventions() -> None:
    manifest = files_beside.read_manifest(SEED)
    assert manifest is not None
    assert "opioid" not in manifest.disclaimer([])
    assert "opioid" in manifest.disclaimer(["naltrexone"])
    assert "FDA" in manifest.disclaimer()


def test_what_cards_say_and_what_the_search_understands_follow_the_manifest(scratch: Database, directory: Path) -> None:
    url = scratch.url.render_as_string(hide_password=False)
    asked = request(LDN, medications={"resourceType": "Bundle", "entry": [{"resource": OXYCODONE}]})
    with cds_client(url) as client:
        before = cards(client, asked)
        assert client.get("/v1/search?q=zzmares").json()["items"] == []
        rewrite(directory, "      opioid: >-\n", "      vivid dreams: zzmares\n      opioid: >-\n")
        rewrite(directory, "Naltrexone with a current opioid ({second}): the US", "They meet: {second}. The")
        with scratch.write() as session:
            assert seed(session, directory).serial == 2

        after = cards(client, asked)

        assert after[0]["summary"] == "They meet: oxycodone. The label contraindicates this."
        assert cards(client, asked, serial=1) == before
        assert client.get("/v1/search?q=zzmares").json()["items"]


def test_the_first_page_shows_what_the_data_set_says(client: TestClient) -> None:
    page = client.get("/").text
    manifest = files_beside.read_manifest(SEED)
    assert manifest is not None
    assert manifest.title in page
    assert all(question.question.replace("'", "&#39;") in page for question in manifest.questions)


def test_every_question_leads_to_a_record(client: TestClient) -> None:
    manifest = files_beside.read_manifest(SEED)
    assert manifest is not None
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

    assert tiers("ldn-4-5-mg") == "low"
    rewrite(directory, "up_to: 5}", "up_to: 4}")
    with scratch.write() as session:
        seed(session, directory)
    assert tiers("ldn-4-5-mg") == "intermediate"
