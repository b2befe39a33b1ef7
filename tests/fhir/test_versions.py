"""Versions of resources: every one can be read again, and none is named that did not differ."""

import pytest
from starlette.testclient import TestClient

from app.fhir.types import TYPES
from app.publishing.changes import Change
from app.publishing.publish import publish
from app.storage.database import Database
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from tests.factories import CURATOR, amended
from tests.fhir.conftest import Json

R5 = "/fhir/r5"
USE = f"{R5}/ClinicalUseDefinition/ldz-murmuria-pain"
ASSESSMENT = f"{R5}/ArtifactAssessment/ldz-murmuria-pain"
CITATION = f"{R5}/Citation/alder-2013"
WARNING = f"{R5}/ClinicalUseDefinition/zelvane-lort-contraindication"


def change(database: Database, record_type: str, record_id: str, **fields: object) -> None:
    with database.write() as session:
        content = CurrentRecords(session).content(Key(record_type, record_id))
        publish(session, CURATOR, [amended(Change(record_type, content), **fields)], "For a test.")


def version(client: TestClient, address: str) -> str:
    told: Json = client.get(address).json()["meta"]
    return str(told["versionId"])


@pytest.mark.parametrize("name", [fhir_type.name for fhir_type in TYPES])
def test_the_version_that_is_current_is_what_a_read_answers(facade: TestClient, name: str) -> None:
    for entry in facade.get(f"{R5}/{name}?_count=5").json()["entry"]:
        resource = entry["resource"]
        answer = facade.get(f"{R5}/{name}/{resource['id']}/_history/{resource['meta']['versionId']}")

        assert answer.json() == resource
        assert answer.headers["etag"] == f'W/"{resource["meta"]["versionId"]}"'
        assert "immutable" in answer.headers["cache-control"]


def test_an_earlier_version_is_read_as_it_was(scratch: Database, scratch_facade: TestClient) -> None:
    before = {address: scratch_facade.get(address).json() for address in (USE, ASSESSMENT, CITATION)}
    change(scratch, "document", "alder-2013", label="Alder and others 2013")
    change(scratch, "document", "alder-2013", label="Alder 2013, first")

    for address, first in before.items():
        versions = [scratch_facade.get(f"{address}/_history/{number}").json() for number in (1, 2, 3)]
        assert versions[0] == first
        assert [found["meta"]["versionId"] for found in versions] == ["1", "2", "3"]
        assert versions[2] == scratch_facade.get(address).json()
    assert "Alder and others 2013" in scratch_facade.get(f"{USE}/_history/2").text


def test_a_serial_at_which_nothing_changed_is_no_version(scratch: Database, scratch_facade: TestClient) -> None:
    change(scratch, "document", "alder-2013", label="Alder and others 2013")
    other = f"{R5}/Substance/lorts"

    assert scratch_facade.get(f"{other}/_history/1").status_code == 200
    for name in ("2", "3"):
        answer = scratch_facade.get(f"{other}/_history/{name}")
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (404, "not-found")


def test_a_retired_resource_keeps_its_versions_and_ends_with_a_410(
    scratch: Database, scratch_facade: TestClient
) -> None:
    address = f"{R5}/ClinicalUseDefinition/zelvane-hypersensitivity"
    before = scratch_facade.get(address).json()
    change(scratch, "claim", "zelvane-hypersensitivity", status="retired")
    change(scratch, "document", "alder-2013", label="Alder and others 2013")

    assert scratch_facade.get(f"{address}/_history/1").json() == before
    assert scratch_facade.get(f"{address}/_history/2").status_code == 410
    assert scratch_facade.get(f"{address}/_history/3").status_code == 404


def test_what_leaves_a_sum_makes_a_version_of_it(scratch: Database, scratch_facade: TestClient) -> None:
    """The claim is no longer named, so nothing in the resource would tell that it was."""
    address = f"{R5}/MedicationKnowledge/zelvane"
    before = scratch_facade.get(address)
    change(scratch, "claim", "zelvane-hypersensitivity", status="retired")
    after = scratch_facade.get(address, headers={"If-None-Match": before.headers["etag"]})

    assert "zelvane-hypersensitivity" in before.text
    assert after.status_code == 200
    assert "zelvane-hypersensitivity" not in after.text
    assert version(scratch_facade, address) == "2"
    assert scratch_facade.get(f"{address}/_history/1").status_code == 404


def test_a_new_regimen_makes_a_version_of_the_harms_it_shares(scratch: Database, scratch_facade: TestClient) -> None:
    before = scratch_facade.get(WARNING).json()
    with scratch.write() as session:
        known = CurrentRecords(session).content(Key("intervention", "low-dose-zelvane"))
        new = amended(
            Change("intervention", known), id="another-regimen", name="Another regimen", synonyms=[], codes=[]
        )
        publish(session, CURATOR, [new], "For a test.")
    after = scratch_facade.get(WARNING).json()

    added = [subject for subject in after["subject"] if subject not in before["subject"]]
    assert [subject["reference"] for subject in added] == ["Substance/another-regimen"]
    assert after["meta"]["versionId"] == "2"
    assert scratch_facade.get(f"{WARNING}/_history/1").json() == before
