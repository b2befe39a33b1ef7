"""What a data set of another subject, in another language, with other registries and codes needs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.concepts.manifest import Manifest
from app.core.errors import Fault, InvalidInput
from app.datasets import bundle
from app.publishing import indexes
from app.settings import settings
from app.storage import schema
from app.storage.database import Database
from app.storage.schema import SchemaMismatch
from tests.conftest import serving
from tests.datasets.test_open_vocabularies import dataset, plain, write
from tests.factories import dump
from tests.test_cli import error_text, run

VARIANTS = {
    "id": "hgvs",
    "label": "HGVS",
    "definition": "Variants of sequences, as the Human Genome Variation Society writes them.",
    "names": ["Variation"],
    "fhir": "http://varnomen.hgvs.org",
}
VARIANT = "NM_000027.4:c.1A>G"
CODE = {"system": "hgvs", "code": VARIANT, "relation": "exactMatch", "verified": True}


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def described(**fields: Any) -> str:
    manifest = yaml.safe_load(dataset(**fields.pop("vocabularies", {})))
    manifest["dataset"].update(fields)
    return yaml.safe_dump(manifest, sort_keys=False)


def seed(database: Database, directory: Path) -> None:
    indexes.migrate(database)
    result = run(database, "seed", "--from", str(directory))
    assert result.exit_code == 0, error_text(result)


def refused(directory: Path) -> list[Fault]:
    with pytest.raises(InvalidInput) as caught:
        bundle.read(directory)
    return list(caught.value.errors)


# --- languages ----------------------------------------------------------------------------------------------------


def test_every_interface_names_the_main_language(migrated: Database, tmp_path: Path) -> None:
    seed(migrated, write(tmp_path / "small", described(languages=["de", "pt-BR"])))
    with serving(migrated.url.render_as_string(hide_password=False)) as client:
        assert client.get("/v1/meta").json()["languages"] == ["de", "pt-BR"]
        assert client.get("/v1/meta", params={"format": "jsonld"}).json()["inLanguage"] == ["de", "pt-BR"]
        assert client.get("/fhir/r5/Library/small-evidence").json()["language"] == "de"
        for path in (
            "/",
            "/claims/drug-eases-ache",
            "/embed/claims/drug-eases-ache",
            "/v1/briefs/drug/ache?format=html",
        ):
            page = client.get(path, headers={"Accept": "text/html"}).text
            assert re.search(r"<html[^>]* lang=\"(.*?)\"", page, re.DOTALL) is not None, path
            assert '<html lang="de"' in page, path
        assert 'LANGUAGE = "de"' in client.get("/embed.js").text
        asked = {"mainSearchCriteria.v.dn": "drug"}
        feed = client.get("/infobutton", params=asked, headers={"Accept": "application/atom+xml"})
        assert 'xml:lang="de"' in feed.text
        assert '<html lang="de">' in client.get("/infobutton", params=asked, headers={"Accept": "text/html"}).text


@pytest.mark.parametrize(
    ("fields", "languages"),
    [({}, ("en",)), ({"language": "fr"}, ("fr",)), ({"languages": ["zh-Hant", "en"]}, ("zh-Hant", "en"))],
)
def test_one_language_may_stand_alone(fields: Any, languages: tuple[str, ...]) -> None:
    manifest = Manifest.model_validate(yaml.safe_load(described(**fields))["dataset"])
    assert (manifest.languages, manifest.language) == (languages, languages[0])
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest


@pytest.mark.parametrize(
    "fields",
    [
        {"languages": []},
        {"languages": ["English"]},
        {"languages": ["en", "en"]},
        {"language": "en", "languages": ["en"]},
    ],
)
def test_faults_of_languages_are_found(tmp_path: Path, fields: Any) -> None:
    fault, *others = refused(write(tmp_path / "small", described(**fields)))
    assert not others, others
    assert plain(fault).startswith("dataset.yaml: ")
    assert "language" in plain(fault) + fault.message


# --- codes --------------------------------------------------------------------------------------------------------


def test_a_code_of_an_own_system_keeps_what_stands_before_a_colon(migrated: Database, tmp_path: Path) -> None:
    directory = write(tmp_path / "small", described(vocabularies={"code_systems": [VARIANTS]}), CODE)
    seed(migrated, directory)
    with serving(migrated.url.render_as_string(hide_password=False)) as client:
        for written in (f"hgvs:{VARIANT}", f"hgvs:HGVS:{VARIANT}", f"Variation:{VARIANT}"):
            (found,) = client.get("/v1/resolve", params={"identifier": written}).json()["items"]
            assert (found["id"], found["match"]["code"]) == ("drug", VARIANT.upper())
        other = client.get("/v1/resolve", params={"identifier": "hgvs:NM_000314.8:c.1A>G"}).json()
        assert other["items"] == [], "the same change of another gene"
        claims = client.get("/v1/claims", params={"intervention": f"hgvs:{VARIANT}"}).json()["items"]
        assert {claim["intervention"]["id"] for claim in claims} == {"drug"}
        token = f"{VARIANTS['fhir']}|{VARIANT}"
        assert client.get("/fhir/r5/Substance", params={"code": token}).json()["total"] == 1
    twice = [CODE, CODE | {"code": f"Variation:{VARIANT}"}]
    faults = refused(write(tmp_path / "twice", described(vocabularies={"code_systems": [VARIANTS]}), *twice))
    assert [plain(fault) for fault in faults] == ["interventions.yaml: drug: codes[1]"]


def test_names_in_other_alphabets_are_no_names_of_each_other(tmp_path: Path) -> None:
    systems = [{"id": f"list_{i}", "label": label, "definition": "-"} for i, label in enumerate(["茶", "日本", "Чай"])]
    written = described(vocabularies={"code_systems": systems})
    manifest = bundle.load_bundle([write(tmp_path / "small", written)]).manifest
    assert manifest is not None
    assert len(manifest.vocabularies.code_systems) == 3
    faults = refused(write(tmp_path / "other", written, {**CODE, "system": "спи"}))
    assert [fault.did_you_mean for fault in faults] == [None]


# --- registries ---------------------------------------------------------------------------------------------------


def test_studies_and_documents_are_found_by_their_registration(migrated: Database, tmp_path: Path) -> None:
    directory = write(tmp_path / "small", described())
    path = directory / "studies.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    trial = next(study for study in data["studies"] if study["id"] == "trial-a")
    trial |= {"isrctn": "isrctn 10175490", "ctis": "2023-503698-40-00", "drks": "DRKS00031815"}
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    path = directory / "documents.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    data["documents"].append({"id": "entry", "kind": "dataset", "label": "Entry", "anzctr": "ACTRN12623000498695"})
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    seed(migrated, directory)
    with serving(migrated.url.render_as_string(hide_password=False)) as client:
        ids = client.get("/v1/studies/trial-a", params={"labels": "true"}).json()["registry_ids"]
        assert {one["scheme"]: (one["normal"], one["url"]) for one in ids} == {
            "isrctn": ("ISRCTN10175490", "https://www.isrctn.com/ISRCTN10175490"),
            "ctis": ("2023-503698-40-00", "https://euclinicaltrials.eu/ctis-public/view/2023-503698-40-00"),
            "drks": ("DRKS00031815", "https://drks.de/search/en/trial/DRKS00031815"),
        }
        for written, record in (
            ("isrctn:ISRCTN10175490", "trial-a"),
            ("https://www.isrctn.com/ISRCTN10175490", "trial-a"),
            ("ACTRN12623000498695", "entry"),
        ):
            (found,) = client.get("/v1/resolve", params={"identifier": written}).json()["items"]
            assert found["id"] == record, written
        assert "https://www.isrctn.com/ISRCTN10175490" in client.get("/studies/trial-a").text
        reference = client.get("/v1/documents/entry", params={"format": "csl-json"}).json()
        assert "https://www.anzctr.org.au/ACTRN12623000498695.aspx" in str(reference)
    before = dump(migrated)["records"]
    schema.migrate(migrated, "0017")
    assert all("isrctn" not in str(row) for row in dump(migrated)["record_states"])
    indexes.migrate(migrated)
    assert dump(migrated)["records"] == before


# --- older software -----------------------------------------------------------------------------------------------


def test_codes_and_routes_that_older_software_does_not_know_are_set_aside(migrated: Database, tmp_path: Path) -> None:
    codes = [{**CODE, "system": "mondo", "code": "0007947"}, {**CODE, "system": "mesh", "code": "D009271"}]
    directory = write(tmp_path / "small", described(), *codes)
    path = directory / "dosing_ranges.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "  route: intravenous\n", encoding="utf-8")
    seed(migrated, directory)
    before = {table: dump(migrated)[table] for table in ("records", "record_states", "manifests")}
    schema.migrate(migrated, "0014")
    with migrated.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id, content FROM records WHERE id IN ('drug', 'dose')")
        contents: dict[str, str] = {row.id: row.content for row in rows}
    assert [code["system"] for code in yaml.safe_load(contents["drug"])["codes"]] == ["mesh"]
    assert yaml.safe_load(contents["dose"])["route"] is None
    indexes.migrate(migrated)
    assert {table: dump(migrated)[table] for table in before} == before


def test_there_is_no_way_back_for_kinds_that_older_software_does_not_know(migrated: Database, tmp_path: Path) -> None:
    directory = write(tmp_path / "small", described())
    path = directory / "interventions.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    data["interventions"].append({"id": "needles", "name": "Needles", "kind": "procedure", "description": "-"})
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    seed(migrated, directory)
    before = dump(migrated)
    with pytest.raises(SchemaMismatch, match=r"needles \(procedure\).*Nothing was changed"):
        schema.migrate(migrated, "0014")
    assert dump(migrated) == before
    assert schema.migrate(migrated, "0015")[1] == "0015"
