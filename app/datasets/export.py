"""Export of the data set: a file with a manifest line, then a JSON line for each record, content and derived values.

`regrade` computes every grade again from such a file, without a database.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claims.derived import ClaimDerived
from app.claims.responses import OverrideRead
from app.claims.schemas import ClaimWrite
from app.concepts.manifest import UNDESCRIBED, Manifest, current_manifest
from app.core.errors import Fault, InvalidInput
from app.core.vocabulary import Status
from app.grading.derive import computed_claim, maintained_on
from app.grading.method import method_of
from app.registry import BY_TYPE, RESOURCES
from app.storage.history import StoredRecord, current_release, current_serial, text_of
from app.storage.records import RecordsInMemory
from app.storage.resource import Key

FORMAT = "ldn-evidence/1"


def write(session: Session, out: TextIO) -> int:
    """Write every record, parents first; the number of records."""
    described = current_manifest(session)
    method = method_of(described)
    manifest = {
        "format": FORMAT,
        "serial": current_serial(session),
        "release": current_release(session),
        "maintained_on": maintained_on(session),
        "methods": {"consensus": method.consensus, "certainty": method.certainty},
        "data_set": described.model_dump(mode="json"),
    }
    out.write(json.dumps(manifest, ensure_ascii=False) + "\n")
    count = 0
    for resource in RESOURCES:
        rows = session.execute(
            select(StoredRecord.id, StoredRecord.version, StoredRecord.content, StoredRecord.derived)
            .where(StoredRecord.type == resource.type)
            .order_by(StoredRecord.id)
        )
        for record_id, version, content, derived in rows:
            head = json.dumps({"type": resource.type, "id": record_id, "version": version})
            out.write(f'{head[:-1]}, "content": {content}, "derived": {derived}}}\n')
            count += 1
    return count


@dataclass(frozen=True)
class GradeDifference:
    """A claim whose exported derived values are not those that its content gives; both as JSON."""

    claim: str
    stored: str
    computed: str


def regrade(path: Path) -> tuple[int, list[GradeDifference]]:
    """Compute the derived values of every claim again: the number of claims, and the differences.

    Values that people have set are taken from the file.
    """
    manifest, lines = _read(path)
    described = (
        Manifest.model_validate_json(json.dumps(manifest["data_set"])) if manifest.get("data_set") else UNDESCRIBED
    )
    contents: dict[Key, Any] = {}
    exported: dict[Key, ClaimDerived] = {}
    for line in lines:
        key = Key(line["type"], line["id"])
        contents[key] = BY_TYPE[key.type].write.model_validate_json(json.dumps(line["content"]))
        if key.type == "claim":
            exported[key] = ClaimDerived.model_validate_json(json.dumps(line["derived"]))
    records = RecordsInMemory(contents)

    def overrides_of(claim_id: str) -> Sequence[OverrideRead]:
        return exported[Key("claim", claim_id)].evidence.overrides

    differences = []
    for key, derived in exported.items():
        content: ClaimWrite = contents[key]
        before = text_of(derived)
        computed = text_of(computed_claim(records, content, manifest["maintained_on"], overrides_of, described))
        if content.status is Status.published and before != computed:
            differences.append(GradeDifference(key.id, before, computed))
    return len(exported), differences


def _read(path: Path) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    try:
        manifest_text, *texts = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
        manifest = json.loads(manifest_text)
        if manifest["format"] != FORMAT:
            raise ValueError("another format")
        return manifest, (json.loads(text) for text in texts)
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        fault = Fault("file", path.name, "shape", f"must be an export of format {FORMAT}")
        raise InvalidInput("The export cannot be read.", errors=[fault]) from error
