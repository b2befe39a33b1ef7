"""The data set as one file: a manifest line, then one JSON line for each record with its content and derived values.

`regrade` computes every grade again from such a file alone, without a database.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claims.derived import ClaimDerived
from app.claims.disclaimer import DISCLAIMER
from app.claims.schemas import ClaimWrite
from app.core.errors import Fault, InvalidInput
from app.core.vocabulary import Status
from app.grading.derive import computed_claim, maintained_on
from app.grading.grade import METHOD
from app.publishing.publish import text_of
from app.registry import BY_TYPE, RESOURCES
from app.storage.history import StoredRecord, current_release, current_serial
from app.storage.resource import Key

FORMAT = "ldn-evidence/1"


def write(session: Session, out: TextIO) -> int:
    """Write every record, parents first; the number of records."""
    manifest = {
        "format": FORMAT,
        "serial": current_serial(session),
        "release": current_release(session),
        "maintained_on": maintained_on(session),
        "methods": {"consensus": METHOD.consensus, "certainty": METHOD.certainty},
        "licence": "CC-BY-4.0",
        "disclaimer": DISCLAIMER,
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
class Difference:
    """A claim whose stored grades are not those that its contents give."""

    claim: str
    stored: str
    computed: str


class _Dump:
    """The records of an export, as the grading asks for them."""

    def __init__(self, contents: dict[Key, Any]) -> None:
        self._contents = contents

    def content(self, key: Key) -> Any:
        return self._contents[key]

    def derived(self, key: Key) -> Any:
        raise KeyError(key)


def regrade(path: Path) -> tuple[int, list[Difference]]:
    """Compute every published claim's derived values again: how many, and which differ. Overridden values are left
    out of the comparison, since a person set them."""
    manifest, lines = _read(path)
    contents: dict[Key, Any] = {}
    stored: dict[str, ClaimDerived] = {}
    for line in lines:
        key = Key(line["type"], line["id"])
        contents[key] = BY_TYPE[key.type].write.model_validate_json(json.dumps(line["content"]))
        if key.type == "claim":
            stored[key.id] = ClaimDerived.model_validate_json(json.dumps(line["derived"]))
    differences = []
    for claim_id, derived in stored.items():
        content: ClaimWrite = contents[Key("claim", claim_id)]
        computed = computed_claim(_Dump(contents), content, manifest["maintained_on"])
        restored = _without_overrides(derived)
        if content.status is Status.published and text_of(computed) != text_of(restored):
            differences.append(Difference(claim_id, text_of(restored), text_of(computed)))
    return len(stored), differences


def _without_overrides(derived: ClaimDerived) -> ClaimDerived:
    evidence = derived.evidence
    if not evidence.overrides:
        return derived
    computed: dict[str, Any] = {o.field: type(getattr(evidence, o.field))(o.computed) for o in evidence.overrides}
    return derived.model_copy(update={"evidence": evidence.model_copy(update={**computed, "overrides": ()})})


def _read(path: Path) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
        manifest = json.loads(texts[0])
        if manifest["format"] != FORMAT:
            raise ValueError("another format")
        return manifest, (json.loads(text) for text in texts[1:])
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        fault = Fault("file", path.name, "shape", f"must be an export of format {FORMAT}")
        raise InvalidInput("The export cannot be read.", errors=[fault]) from error
