"""The neutral data set as curators write it: in short, with comments, in folders, and drugs in a file of their own."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from app.claims.schemas import ClaimWrite
from app.concepts.schemas import InterventionWrite
from app.core.content import Record
from app.datasets.file_schemas import schemas
from app.datasets.layout import DRUGS, MANIFEST, SCHEMAS, file_name
from app.datasets.seed_text import file_text, record_text, schema_line, short_form, to_yaml
from app.registry import BY_TYPE
from tests import neutral

PAIN, OTHERS = "claims/pain.yaml", "claims/others.yaml"
DEFAULTS = {PAIN: {"intervention": neutral.LOW_DOSE, "conditions": [neutral.CONDITION], "outcome": "pain"}}
"""What a file says of all of its records."""
NOTE = "# Everything here is invented.\n"


@pytest.fixture(scope="session")
def written_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody may change them."""
    directory = tmp_path_factory.mktemp("written")
    records: dict[str, list[str]] = {}
    for change in neutral.records():
        name = _file(change.type, change.content)
        records.setdefault(name, []).append(record_text(_in_short(change.content, DEFAULTS.get(name, {}))))
    for name, texts in records.items():
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        key = "drugs" if name == DRUGS else name.partition("/")[0].removesuffix(".yaml")
        text = file_text(key, texts, NOTE.strip("# \n"), schema_line(path, key))
        if name in DEFAULTS:
            text = text.replace(f"{key}:\n", to_yaml({"defaults": DEFAULTS[name]}, 0) + f"\n{key}:\n", 1)
        path.write_text(text, encoding="utf-8")
    described = to_yaml({"dataset": neutral.MANIFEST}, 0)
    (directory / MANIFEST).write_text(schema_line(directory / MANIFEST, "dataset") + NOTE + described, encoding="utf-8")
    (directory / SCHEMAS).mkdir()
    for name, schema in schemas().items():
        (directory / SCHEMAS / name).write_text(schema, encoding="utf-8")
    return directory


@pytest.fixture
def directory(written_files: Path, tmp_path: Path) -> Path:
    """A copy of them to edit."""
    return Path(shutil.copytree(written_files, tmp_path / "seed_data"))


def _file(record_type: str, content: Record) -> str:
    if isinstance(content, ClaimWrite):
        return PAIN if content.outcome == "pain" else OTHERS
    if isinstance(content, InterventionWrite) and content.kind == "drug":
        return DRUGS
    return file_name(BY_TYPE[record_type])


def _in_short(content: Record, defaults: dict[str, Any]) -> dict[str, Any]:
    """Without what the file says of all, and with identifiers as fields of their own."""
    short = short_form(content).items()
    fields = {name: value for name, value in short if name not in defaults or value != defaults[name]}
    identifiers = fields.pop("identifiers", ())
    return fields | {identifier["scheme"]: identifier["value"] for identifier in identifiers}
