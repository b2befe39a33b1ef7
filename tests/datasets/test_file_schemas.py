"""Every seed file names a schema that is there, is fresh, accepts the file, and refuses what `check` refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.datasets.file_schemas import schemas
from app.datasets.yaml_files import YamlFile, json_number, load


def named_schema(path: Path) -> Path:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    prefix = "# yaml-language-server: $schema="
    assert first.startswith(prefix)
    return (path.parent / first.removeprefix(prefix)).resolve()


def as_json(path: Path) -> Any:
    file = load(path, path.name)
    assert isinstance(file, YamlFile)
    return json.loads(json.dumps(file.data, default=json_number))


def assert_fits(path: Path) -> None:
    """The file fits the schema that its first line names."""
    schema = json.loads(named_schema(path).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert [error.message for error in Draft202012Validator(schema).iter_errors(as_json(path))] == [], path


def test_every_seed_file_fits_the_schema_of_its_name(written_files: Path) -> None:
    paths = sorted(written_files.rglob("*.yaml"))
    assert len(paths) == 14
    for path in paths:
        assert_fits(path)


@pytest.mark.parametrize(
    ("fields", "is_right"),
    [
        ({"id": "a"}, True),
        ({"id": "a", "kind": "efficacy", "citations": [{"doi": "10.1/x", "stance": "supports"}]}, False),
        ({"id": "a", "statment": "Misspelled."}, False),
        ({"id": "a", "kind": "efficacious"}, False),
        ({"id": "Not a slug"}, False),
    ],
)
def test_a_schema_tells_right_from_wrong(fields: dict[str, Any], is_right: bool) -> None:
    validator = Draft202012Validator(json.loads(schemas()["claims.json"]))
    assert validator.is_valid({"claims": [fields]}) is is_right


def test_a_schema_explains_fields_and_values() -> None:
    schema = json.loads(schemas()["claims.json"])
    assert "plain words" in schema["properties"]["claims"]["items"]["properties"]["statement"]["description"]
    stance = schema["$defs"]["Stance"]
    assert len(stance["enumDescriptions"]) == len(stance["enum"])
    assert all(stance["enumDescriptions"])
