"""Units of doses, of the software and of a data set: what compares with what, in every interface."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from app.core.errors import Fault, InvalidInput
from app.datasets import bundle
from app.publishing import indexes
from app.settings import settings
from app.storage import schema
from app.storage.database import Database
from tests.conftest import serving
from tests.datasets.test_open_vocabularies import dataset, plain, write
from tests.factories import dump
from tests.test_cli import error_text, run


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


PUFF = {
    "id": "puff",
    "label": "puff",
    "definition": "One puff of an inhaler.",
    "ucum": "{puff}",
    "names": ["actuation"],
}
CARTRIDGE = {
    "id": "cartridge",
    "label": "cartridge",
    "definition": "One hundred puffs.",
    "equals": {"amount": 100, "of": "puff"},
}
DAILY = {"count": 1, "period": 1, "period_unit": "d"}
WEEKLY = DAILY | {"period_unit": "wk"}
DOSES: dict[str, dict[str, Any]] = {
    "dose-mg": {"low": 4.5, "high": 4.5, "unit": "mg", "schedule": DAILY},
    "dose-iu": {"low": 1000, "high": 4000, "unit": "[iU]", "schedule": DAILY},
    "dose-kiu-weekly": {"low": 21, "high": 21, "unit": "k[iU]", "schedule": WEEKLY},
    "dose-per-kg": {"low": 0.1, "high": 0.1, "unit": "mg/kg", "schedule": DAILY},
    "dose-puffs": {"low": 2, "high": 2, "unit": "puff", "schedule": DAILY | {"count": 2}},
    "dose-cartridge": {"low": 1, "high": 1, "unit": "cartridge", "schedule": WEEKLY},
    "dose-monthly": {"low": 2, "high": 2, "unit": "puff", "schedule": DAILY | {"period_unit": "mo"}},
    "dose-live": {"low": 10_000_000_000, "high": 10_000_000_000, "unit": "[CFU]", "schedule": DAILY},
}
TIERS = {
    "intervention": "drug",
    "unit": "cartridge",
    "per": "week",
    "bands": [
        {"value": "few", "label": "Few", "definition": "Below half a cartridge a week.", "below": 0.5},
        {"value": "many", "label": "Many", "definition": "Half a cartridge a week and more."},
    ],
}


def described(units: Any, **sections: Any) -> str:
    manifest = yaml.safe_load(dataset(units=units))
    manifest["dataset"].update(sections)
    return yaml.safe_dump(manifest, sort_keys=False)


def files(directory: Path, manifest: str, arms: Any = ()) -> Path:
    write(directory, manifest)
    path = directory / "dosing_ranges.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    (first,) = data["dosing_ranges"]
    data["dosing_ranges"] = [
        deepcopy(first) | {"id": name, "dose_text": f"{name} in words"} | deepcopy(fields)
        for name, fields in DOSES.items()
    ]
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    for name, key in (("claims", "dosing_range"), ("studies", "arms")):
        path = directory / f"{name}.yaml"
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        if key == "arms":
            next(study for study in data["studies"] if study["id"] == "trial-a")["arms"] = list(arms)
        else:
            next(claim for claim in data["claims"] if key in claim)[key] = "dose-iu"
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return directory


def arm(amount: float, unit: str, name: str = "treated") -> dict[str, Any]:
    return {"name": name, "role": "intervention", "dose_low": amount, "dose_high": amount, "dose_unit": unit}


def seed(database: Database, directory: Path) -> None:
    result = run(database, "seed", "--from", str(directory))
    assert result.exit_code == 0, error_text(result)


def get(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(client: TestClient, **parameters: Any) -> list[str]:
    return [item["id"] for item in get(client, "/v1/dosing-ranges", **parameters)["items"]]


def test_doses_compare_where_their_units_do_and_nowhere_else(migrated: Database, tmp_path: Path) -> None:
    directory = files(tmp_path / "small", described([PUFF, CARTRIDGE], dose_tiers=[TIERS]), [arm(21_000, "[iU]/wk")])
    seed(migrated, directory)
    with serving(migrated.url.render_as_string(hide_password=False)) as client:
        in_order = ["dose-mg", "dose-live", "dose-iu", "dose-kiu-weekly", "dose-per-kg", "dose-puffs", "dose-cartridge"]
        assert ids(client, sort="dose") == [*in_order, "dose-monthly"]
        assert ids(client, sort="-dose") == [*reversed(in_order), "dose-monthly"]
        pages = [ids(client, sort="dose", limit=2), ids(client, sort="dose", limit=200)[:2]]
        assert pages[0] == pages[1]

        others = {"[iU]": {"dose-iu", "dose-kiu-weekly"}, "puff": {"dose-puffs", "dose-cartridge"}, "mg": {"dose-mg"}}
        for dose, of, kept in (
            ("3000 [iU]", "[iU]", {"dose-iu", "dose-kiu-weekly"}),
            ("3 k[iU]..", "[iU]", {"dose-iu", "dose-kiu-weekly"}),
            ("21 k[iU]/wk", "[iU]", {"dose-iu", "dose-kiu-weekly"}),
            ("..1500 [iU]", "[iU]", {"dose-iu"}),
            ("4 puff", "puff", {"dose-puffs"}),
            ("1 cartridge/wk", "puff", {"dose-cartridge"}),
            ("4.5 mg", "mg", {"dose-mg"}),
        ):
            found = set(ids(client, dose=dose, limit=200))
            assert found == kept | (set(DOSES) - others[of]), dose

        totals = {item["id"]: item["total"] for item in get(client, "/v1/dosing-ranges", limit=200)["items"]}
        assert totals["dose-mg"] == {"unit": "mg", "low": 4.5, "high": 4.5, "days": 1}
        assert totals["dose-iu"] == {"unit": "[iU]", "low": 1000, "high": 4000, "days": 1}
        assert totals["dose-kiu-weekly"] == {"unit": "[iU]", "low": 3000, "high": 3000, "days": 1}
        assert totals["dose-per-kg"] == {"unit": "mg/kg", "low": 0.1, "high": 0.1, "days": 1}
        assert totals["dose-cartridge"] == {"unit": "puff", "low": 100, "high": 100, "days": 7}
        assert totals["dose-live"] == {"unit": "[CFU]", "low": 1e10, "high": 1e10, "days": 1}
        assert totals["dose-monthly"] is None
        iu = get(client, "/v1/dosing-ranges/dose-iu", labels="true")
        assert (iu["low_amount"], iu["low_pg_per_day"], iu["unit_label"]) == (None, None, "international unit")
        assert iu["total"]["unit_label"] == "international unit"

        tiers = {item["id"]: item["tiers"] for item in get(client, "/v1/dosing-ranges", limit=200)["items"]}
        assert {dose: bands for dose, bands in tiers.items() if bands} == {
            "dose-puffs": ["few"],
            "dose-cartridge": ["many"],
        }
        assert ids(client, tier="few") == ["dose-puffs"]


def test_citations_say_whether_their_dose_can_be_compared(migrated: Database, tmp_path: Path) -> None:
    arms = [arm(21_000, "[iU]/wk"), arm(4000, "[iU]", "more"), arm(0.1, "mg/kg", "others")]
    directory = files(tmp_path / "small", described([PUFF, CARTRIDGE]), arms)
    seed(migrated, directory)
    with serving(migrated.url.render_as_string(hide_password=False)) as client:

        def matches(dose: str) -> tuple[dict[str, str], dict[str, Any]]:
            page = get(client, "/v1/claims", dose=dose)
            claims = {claim["id"]: claim["citations"] for claim in page["items"]}
            found = {c["id"]: c["dose_match"] for c in claims.get("drug-eases-ache", ())}
            return found, page["dose"]

        found, counts = matches("3.5 k[iU]")
        assert found == {"cit-a": "overlaps", "cit-b": "not_reported", "cit-review": "not_reported"}
        assert counts["total"] == {"unit": "[iU]", "low": 3500, "high": 3500, "days": 1}
        assert (counts["low_amount"], counts["overlaps"], counts["not_comparable"]) == (None, 2, 0)
        found, counts = matches("3 mg")
        assert found["cit-a"] == "not_comparable"
        assert (counts["not_comparable"], counts["outside"]) == (2, 0)
        assert matches("5000 [iU]")[0] == {}, "its studied dose and its dosing range lie outside"

        check = {"drugs": [{"id": "drug", "dose": "1 cartridge/wk"}, {"id": "other-drug", "dose": "2 [iU]"}]}
        drugs = client.post("/v1/interaction-checks", json=check).json()["drugs"]
        assert [drug["dose"]["total"]["unit"] for drug in drugs] == ["puff", "[iU]"]
        for dose, code, nearest in (
            ("2 actuation", "unknown_unit", ["puff"]),
            ("2 IU", "unknown_unit", ["[iU]"]),
            ("1 mg..2 puff", "unit_not_comparable", None),
        ):
            refused = client.get("/v1/dosing-ranges", params={"dose": dose})
            assert refused.status_code == 422
            (error,) = refused.json()["errors"]
            assert (error["code"], error["did_you_mean"]) == (code, nearest)
            if nearest:
                assert error["allowed"][-2:] == ["puff", "cartridge"]
    with serving(migrated.url.render_as_string(hide_password=False)) as client:
        assert client.get("/v1/dosing-ranges", params={"dose": "2 {puff}"}).status_code == 422


def test_units_are_shown_in_vocabularies_pages_and_fhir(migrated: Database, tmp_path: Path) -> None:
    directory = files(tmp_path / "small", described([PUFF, CARTRIDGE]))
    seed(migrated, directory)
    with serving(migrated.url.render_as_string(hide_password=False)) as client:
        vocabulary = next(v for v in get(client, "/v1/vocabularies")["items"] if v["name"] == "unit")
        assert vocabulary["is_open"]
        units = {term["value"]: term for term in vocabulary["terms"]}
        assert list(units)[-2:] == ["puff", "cartridge"]
        assert (units["puff"]["fhir"], units["puff"]["equals"]) == ("http://unitsofmeasure.org|{puff}", None)
        assert (units["cartridge"]["fhir"], units["cartridge"]["equals"]) == (None, {"amount": 100, "of": "puff"})
        assert units["ug"]["equals"] == {"amount": 0.001, "of": "mg"}

        page = client.get("/dosing-ranges").text
        for words in (
            "in units that cannot be compared with these",
            "3,000 international units a day",
            "100 puffs a week",
        ):
            assert words in page, words
        assert "10,000,000,000 colony forming units a day" in client.get("/dosing-ranges/dose-live").text

        knowledge = get(client, "/fhir/r5/MedicationKnowledge/drug")
        dosages = [
            dosage["dosage"][0]
            for guideline in knowledge["indicationGuideline"]
            for entry in guideline["dosingGuideline"]
            for dosage in entry["dosage"]
        ]
        amounts = {dosage["text"].split()[1]: dosage["doseAndRate"][0] for dosage in dosages}
        ucum = {"system": "http://unitsofmeasure.org"}
        assert amounts["dose-mg"] == {"doseQuantity": {"value": 4.5, "unit": "mg", "code": "mg"} | ucum}
        assert amounts["dose-puffs"] == {"doseQuantity": {"value": 2, "unit": "puff", "code": "{puff}"} | ucum}
        assert amounts["dose-cartridge"] == {"doseQuantity": {"value": 1, "unit": "cartridge"}}


def test_a_unit_that_measures_otherwise_moves_doses_bands_and_matches(migrated: Database, tmp_path: Path) -> None:
    arms = [arm(1, "cartridge/wk")]
    directory = files(tmp_path / "small", described([PUFF, CARTRIDGE], dose_tiers=[TIERS]), arms)
    seed(migrated, directory)
    path = directory / "dataset.yaml"
    smaller = CARTRIDGE | {"equals": {"amount": 50, "of": "puff"}}
    path.write_text(described([PUFF, smaller], dose_tiers=[TIERS]), encoding="utf-8")
    seed(migrated, directory)
    with serving(migrated.url.render_as_string(hide_password=False)) as client:
        now, before = (get(client, "/v1/dosing-ranges/dose-cartridge", **at) for at in ({}, {"serial": 1}))
        assert (before["total"]["low"], now["total"]["low"]) == (100, 50)
        assert get(client, "/v1/dosing-ranges/dose-puffs")["tiers"] == ["many"], "28 a week are more than 25"
        (claim,) = get(client, "/v1/claims", dose="50 puff/wk", id="drug-eases-ache")["items"]
        assert {c["id"]: c["dose_match"] for c in claim["citations"]}["cit-a"] == "overlaps"


def refused(directory: Path) -> list[Fault]:
    with pytest.raises(InvalidInput) as caught:
        bundle.read(directory)
    return list(caught.value.errors)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ([PUFF | {"ucum": "{puff"}], "units[0].ucum"),
        ([PUFF | {"ucum": "mg//d"}], "units[0].ucum"),
        ([PUFF | {"id": "two words"}], "units[0].id"),
        ([PUFF | {"id": "mg"}], "units[0].id"),
        ([CARTRIDGE], "units[0].equals.of"),
        ([CARTRIDGE | {"equals": {"amount": 2, "of": "cartridge"}}], "units[0].equals.of"),
        ([PUFF | {"equals": {"amount": 1, "of": "cartridge"}}, CARTRIDGE], "units[0].equals.of"),
        ([PUFF, CARTRIDGE | {"equals": {"amount": 0, "of": "puff"}}], "units[1].equals.amount"),
        ([PUFF | {"exact_to": 0.3}], "units[0]"),
        ([PUFF, CARTRIDGE | {"exact_to": 0.1}], "units[1]"),
    ],
)
def test_faults_of_a_unit_are_found(tmp_path: Path, terms: Any, field: str) -> None:
    directory = write(tmp_path / "small", described(terms))
    assert f"dataset.yaml: vocabularies.{field}" in {plain(fault) for fault in refused(directory)}


@pytest.mark.parametrize(
    ("written", "nearest"), [("mcg", "ug"), ("IU", "[iU]"), ("actuation", "puff"), ("MG/KG", "mg/kg")]
)
def test_an_unknown_unit_is_refused_where_it_stands_with_the_nearest(
    tmp_path: Path, written: str, nearest: str
) -> None:
    tiers = {**TIERS, "unit": written}
    directory = files(tmp_path / "small", described([PUFF, CARTRIDGE], dose_tiers=[tiers]), [arm(1, f"{written}/wk")])
    path = directory / "dosing_ranges.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("unit: k[iU]", f"unit: {written}"), encoding="utf-8")
    faults = {plain(fault): (fault.code, (fault.did_you_mean or ("",))[0]) for fault in refused(directory)}
    assert faults == {
        "dosing_ranges.yaml: dose-kiu-weekly: unit": ("unknown_term", nearest),
        "studies.yaml: trial-a: arms[0].dose_unit": ("unknown_term", f"{nearest}/wk"),
        "dataset.yaml: dose_tiers[0].unit": ("unknown_term", nearest),
    }


def test_terms_that_stored_records_use_cannot_be_dropped(migrated: Database, tmp_path: Path) -> None:
    routes = [{"id": "vaginal", "label": "Into the vagina", "definition": "Put in."}]
    manifest = yaml.safe_load(described([PUFF, CARTRIDGE]))
    manifest["dataset"]["vocabularies"]["routes"] = routes
    directory = files(tmp_path / "small", yaml.safe_dump(manifest, sort_keys=False), [arm(1, "puff")])
    seed(migrated, directory)
    data = yaml.safe_load((directory / "dosing_ranges.yaml").read_text(encoding="utf-8"))
    data["dosing_ranges"] = [dose for dose in data["dosing_ranges"] if dose["unit"] not in ("puff", "cartridge")]
    (directory / "dosing_ranges.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    files_of_study = (directory / "studies.yaml").read_text(encoding="utf-8")
    (directory / "studies.yaml").write_text(
        files_of_study.replace("dose_unit: puff", "dose_unit: mg"), encoding="utf-8"
    )
    (directory / "dataset.yaml").write_text(described([PUFF]), encoding="utf-8")
    before = dump(migrated)
    said = error_text(run(migrated, "seed", "--from", str(directory)), code=1)
    assert "dosing_range/dose-cartridge: unit" in said
    assert "dose-puffs" not in said, "its unit is still there"
    assert "no longer has" in said
    assert dump(migrated) == before
    (directory / "dataset.yaml").write_text(described([PUFF, CARTRIDGE]), encoding="utf-8")
    assert run(migrated, "seed", "--from", str(directory)).exit_code == 0, "nothing uses the route"


def test_going_back_to_the_schema_before_and_forth_again_loses_nothing(migrated: Database, tmp_path: Path) -> None:
    directory = files(tmp_path / "small", described([PUFF, CARTRIDGE], dose_tiers=[TIERS]), [arm(21_000, "[iU]/wk")])
    seed(migrated, directory)
    before = records_and_rows(migrated)
    schema.migrate(migrated, "0017")
    with migrated.engine.connect() as connection:
        amounts = connection.exec_driver_sql("SELECT id FROM dosing_ranges WHERE low_amount IS NOT NULL").scalars()
        assert list(amounts) == ["dose-mg"], "the older code takes all amounts for masses"
        contents = connection.exec_driver_sql("SELECT content FROM records WHERE id = 'dose-puffs'").scalar_one()
        assert yaml.safe_load(contents)["unit"] is None
        manifest = connection.exec_driver_sql("SELECT content FROM manifests").scalar_one()
        assert "units" not in yaml.safe_load(manifest)["vocabularies"]
    indexes.migrate(migrated)
    assert records_and_rows(migrated) == before


def records_and_rows(database: Database) -> dict[str, Any]:
    """Without indexes, which are made again in another order."""
    tables = ("records", "record_states", "manifests")
    amounts = (
        "SELECT id, low_amount, high_amount, amount_of, dose_order FROM dosing_ranges ORDER BY id",
        "SELECT id, dose_low, dose_high, dose_of FROM citations ORDER BY id",
        "SELECT type, id, digest FROM seed_records ORDER BY type, id",
    )
    with database.engine.connect() as connection:
        rows = {sql: [tuple(row) for row in connection.exec_driver_sql(sql)] for sql in amounts}
    assert all(row[-1] for row in rows[amounts[0]] if row[0] != "dose-monthly")
    return rows | {table: found for table, found in dump(database).items() if table in tables}


def test_a_later_directory_measures_in_the_units_of_an_earlier_one(tmp_path: Path) -> None:
    first = write(tmp_path / "first", described([PUFF]))
    second = tmp_path / "second"
    second.mkdir()
    (second / "dataset.yaml").write_text(described([CARTRIDGE]), encoding="utf-8")
    manifest = bundle.load_bundle([first, second]).manifest
    assert manifest is not None
    found = manifest.units.measure("cartridge")
    assert found is not None
    assert found.of == "puff"
    assert found.parts == 100 * 10**6
