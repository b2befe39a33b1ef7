"""Terms that a data set adds: from its `dataset.yaml` to every interface, and what is refused."""

import re
import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.concepts.manifest import current_vocabularies
from app.core.errors import Fault, InvalidInput
from app.datasets import bundle
from app.datasets.seed import seed
from app.storage.database import Database
from tests.conftest import serving
from tests.factories import put, record, small_files

TEAS = {
    "id": "tea_list",
    "label": "List of teas",
    "definition": "Teas by number.",
    "fhir": "https://example.org/teas",
    "fhir_prefix": "TEA:",
    "ga4gh": "tea",
    "address": "https://example.org/teas/{code}",
    "pattern": "[0-9]{3}",
}
CODE = {"system": "tea_list", "code": "TEA:017", "relation": "exactMatch", "verified": True}


def dataset(**vocabularies: Any) -> str:
    described = {
        "id": "small",
        "name": "Small",
        "title": "A small data set",
        "description": "For tests.",
        "publisher": {"name": "Nobody"},
        "licence": {"name": "None"},
        "citation": "Small",
        "vocabularies": vocabularies,
    }
    return yaml.safe_dump({"dataset": described}, sort_keys=False)


def write(directory: Path, manifest: str, *codes: Any) -> Path:
    directory.mkdir(exist_ok=True)
    for name, text in small_files().items():
        (directory / name).write_text(text, encoding="utf-8")
    path = directory / "interventions.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    next(entry for entry in data["interventions"] if entry["id"] == "drug")["codes"] = list(codes)
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    (directory / "dataset.yaml").write_text(manifest, encoding="utf-8")
    return directory


def refused(*directories: Path) -> list[Fault]:
    with pytest.raises(InvalidInput) as caught:
        bundle.read(*directories)
    return list(caught.value.errors)


def plain(fault: Fault) -> str:
    return re.sub(r":\d+:\d+", "", fault.field)


def test_codes_of_an_own_system_lead_to_the_concept_everywhere(migrated: Database, tmp_path: Path) -> None:
    directory = write(tmp_path / "small", dataset(code_systems=[TEAS]), CODE)
    with migrated.write() as session:
        seed(session, directory)
    with serving(migrated.url.render_as_string(hide_password=False)) as client:

        def get(path: str, **parameters: Any) -> Any:
            answer = client.get(path, params=parameters)
            assert answer.status_code == 200, answer.text
            return answer.json()

        for written in ("tea_list:017", "tea_list:TEA:017", "Tea-List:017"):
            claims = get("/v1/claims", intervention=written)["items"]
            assert {claim["intervention"]["id"] for claim in claims} == {"drug"}
        (found,) = get("/v1/resolve", identifier="tea_list:017")["items"]
        assert (found["id"], found["match"]["system"], found["match"]["code"]) == ("drug", "tea_list", "017")
        assert [item["id"] for item in get("/v1/search", q="tea_list 017")["items"]][:1] == ["drug"]
        (code,) = get("/v1/interventions/drug", labels="true")["codes"]
        assert (code["system"], code["system_label"]) == ("tea_list", "List of teas")
        (listed,) = (item for item in get("/v1/interventions", labels="true", limit=200)["items"] if item["codes"])
        assert listed["codes"] == [code]
        systems = next(v for v in get("/v1/vocabularies")["items"] if v["name"] == "code_system")
        assert systems["is_open"]
        assert systems["terms"][-1] == {
            "value": "tea_list",
            "label": "List of teas",
            "definition": "Teas by number.",
            "order": len(systems["terms"]),
            "fhir": "https://example.org/teas",
            "ga4gh": "tea",
            "weighs_as": None,
            "address": "https://example.org/teas/{code}",
            "equals": None,
        }
        substance = get("/fhir/r5/Substance/drug")["code"]["concept"]
        assert substance["coding"] == [{"system": "https://example.org/teas", "code": "TEA:017"}]
        for token in ("https://example.org/teas|TEA:017", "https://example.org/teas|017", "017"):
            assert get("/fhir/r5/Substance", code=token)["total"] == 1, token
        unknown = client.get("/v1/claims", params={"intervention": "tea_lst:017"})
        assert unknown.status_code == 422
        assert "tea_list" in unknown.json()["errors"][0]["did_you_mean"]


def test_kinds_of_intervention_come_with_the_software_and_with_the_data_set(migrated: Database, tmp_path: Path) -> None:
    own = {"id": "app", "label": "Application", "definition": "Software that people use for their health."}
    directory = write(tmp_path / "small", dataset(intervention_kinds=[own]))
    path = directory / "interventions.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    kinds = ["procedure", "device", "behaviour", "diet", "app"]
    data["interventions"] += [{"id": f"one-{k}", "name": f"One {k}", "kind": k, "description": "-"} for k in kinds]
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    with migrated.write() as session:
        seed(session, directory)
    with serving(migrated.url.render_as_string(hide_password=False)) as client:
        labels = ["Procedure", "Device", "Behaviour", "Diet", "Application"]
        for kind, label in zip(kinds, labels, strict=True):
            read = client.get(f"/v1/interventions/one-{kind}", params={"labels": "true"}).json()
            assert (read["kind"], read["kind_label"]) == (kind, label)
            assert f"<dd>{label}</dd>" in client.get(f"/interventions/one-{kind}").text
            substance = client.get(f"/fhir/r5/Substance/one-{kind}").json()
            assert substance["category"] == [{"text": label}]
        terms = next(v for v in client.get("/v1/vocabularies").json()["items"] if v["name"] == "intervention_kind")
        assert [term["value"] for term in terms["terms"]] == ["drug", "class", "regimen", *kinds]


def test_routes_come_with_the_software_and_with_the_data_set(migrated: Database, tmp_path: Path) -> None:
    own = {
        "id": "vaginal",
        "label": "Into the vagina",
        "definition": "Put in.",
        "fhir": "http://snomed.info/sct|16857009",
    }
    directory = write(tmp_path / "small", dataset(routes=[own]))
    path = directory / "dosing_ranges.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    first = data["dosing_ranges"][0]
    routes = ["subcutaneous", "inhaled", "vaginal"]
    data["dosing_ranges"] += [deepcopy(first) | {"id": f"dose-{route}", "route": route} for route in routes]
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    with migrated.write() as session:
        seed(session, directory)
    with serving(migrated.url.render_as_string(hide_password=False)) as client:
        labels = ["Under the skin", "Inhaled", "Into the vagina"]
        for route, label in zip(routes, labels, strict=True):
            read = client.get(f"/v1/dosing-ranges/dose-{route}", params={"labels": "true"}).json()
            assert (read["route"], read["route_label"]) == (route, label)
            assert label in client.get(f"/dosing-ranges/dose-{route}").text
        assert "into the vagina" in client.get("/dosing-ranges").text
        knowledge = client.get(f"/fhir/r5/MedicationKnowledge/{first['intervention']}").json()
        found = {route["text"]: route.get("coding") for route in knowledge["definitional"]["intendedRoute"]}
        assert found["Under the skin"] == [{"system": "http://snomed.info/sct", "code": "34206005"}]
        assert found["Into the vagina"] == [{"system": "http://snomed.info/sct", "code": "16857009"}]
        assert found["Inhaled"] is None
    data["dosing_ranges"][-1]["route"] = "sub-cutaneous"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    (fault,) = refused(directory)
    assert (plain(fault), fault.did_you_mean) == ("dosing_ranges.yaml: dose-vaginal: route", ("subcutaneous",))


@pytest.mark.parametrize(("written", "nearest"), [("behavior", "behaviour"), ("Dose regimen", "regimen")])
def test_an_unknown_kind_is_refused_with_the_nearest(tmp_path: Path, written: str, nearest: str) -> None:
    directory = write(tmp_path / "small", dataset())
    path = directory / "interventions.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    data["interventions"].append({"id": "one", "name": "One", "kind": written, "description": "-"})
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    (fault,) = refused(directory)
    assert plain(fault) == "interventions.yaml: one: kind"
    assert fault.did_you_mean is not None
    assert fault.did_you_mean[0] == nearest


def test_without_the_term_the_same_record_is_refused_by_a_publication(scratch: Database) -> None:
    with pytest.raises(InvalidInput) as caught:
        put(scratch, record("condition", "tired", codes=[{**CODE, "system": "hpp"}]))
    (fault,) = caught.value.errors
    assert (fault.field, fault.code) == ("condition/tired: codes[0].system", "unknown_term")
    assert fault.did_you_mean is not None
    assert "hpo" in fault.did_you_mean
    with scratch.read() as session:
        assert current_vocabularies(session).code_systems == ()


@pytest.mark.parametrize(
    ("written", "nearest"),
    [("mondoo", "mondo"), ("ICD-10-CM", "icd10cm"), ("Orpha", "orphanet"), ("tea_lists", "tea_list")],
)
def test_an_unknown_term_is_refused_where_it_stands_with_the_nearest(
    tmp_path: Path, written: str, nearest: str
) -> None:
    (fault,) = refused(write(tmp_path, dataset(code_systems=[TEAS]), {**CODE, "system": written}))
    assert re.fullmatch(r"interventions.yaml:\d+:\d+: drug: codes\[0\].system", fault.field)
    assert fault.code == "unknown_term"
    assert fault.did_you_mean is not None
    assert fault.did_you_mean[0] == nearest
    assert fault.allowed is not None
    assert fault.allowed[-1] == "tea_list"


def test_a_code_must_have_the_form_of_its_system(tmp_path: Path) -> None:
    codes = [{**CODE, "code": "17"}, {**CODE, "system": "mondo", "code": "MONDO:12"}]
    faults = refused(write(tmp_path, dataset(code_systems=[TEAS]), *codes))
    assert [(plain(fault), fault.code) for fault in faults] == [
        (f"interventions.yaml: drug: codes[{i}].code", "malformed_code") for i in (0, 1)
    ]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ([TEAS, {**TEAS}], "vocabularies.code_systems[1].id"),
        ([{**TEAS, "id": "mondo"}], "vocabularies.code_systems[0].id"),
        ([{**TEAS, "fhir": "http://snomed.info/sct"}], "vocabularies.code_systems[0]"),
        ([{**TEAS, "names": ["RxCUI"]}], "vocabularies.code_systems[0]"),
    ],
)
def test_terms_that_are_there_already_are_refused(tmp_path: Path, terms: Any, field: str) -> None:
    assert f"dataset.yaml: {field}" in {plain(fault) for fault in refused(write(tmp_path, dataset(code_systems=terms)))}


@pytest.mark.parametrize("changes", [{"pattern": "("}, {"id": "Tea list"}, {"address": "https://example.org/"}])
def test_faults_of_a_term_are_found(tmp_path: Path, changes: Any) -> None:
    (fault,) = refused(write(tmp_path, dataset(code_systems=[TEAS | changes]), CODE))
    assert plain(fault) == f"dataset.yaml: vocabularies.code_systems[0].{next(iter(changes))}"


def test_a_later_directory_keeps_the_terms_of_an_earlier_one(tmp_path: Path) -> None:
    first = write(tmp_path / "first", dataset(code_systems=[TEAS]), CODE)
    second = tmp_path / "second"
    second.mkdir()
    (second / "dataset.yaml").write_text(dataset(), encoding="utf-8")
    manifest = bundle.load_bundle([first, second]).manifest
    assert manifest is not None
    assert [term.id for term in manifest.vocabularies.code_systems] == ["tea_list"]
    (second / "dataset.yaml").write_text(dataset(code_systems=[{**TEAS, "label": "Others"}]), encoding="utf-8")
    assert [fault.code for fault in refused(first, second)] == ["differs"]
    shutil.rmtree(second)
