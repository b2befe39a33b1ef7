"""Loads the codes of an expanded FHIR ValueSet into a class of drugs, so that they are recognised as that class.

The codes go to a record of their own, a narrower class of the one that is named: the seed goes on to keep the other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.models import MAINTENANCE
from app.concepts.drug_index import drug_index
from app.concepts.manifest import current_code_systems
from app.concepts.schemas import Code, InterventionWrite
from app.concepts.vocabulary import DRUG_CLASS, CodeRelation
from app.core.errors import Fault, InvalidInput, nearest
from app.core.json_reader import read_json
from app.publishing.changes import Change
from app.publishing.publish import publish

SUFFIX = "-value-set"
_MAX_DEPTH = 100
"""Of JSON: an expansion may hold a whole tree of codes."""
MAX_SOURCE = 300


@dataclass(frozen=True)
class LoadResult:
    """What became of the codes of a ValueSet; `serial` is null if nothing changed."""

    serial: int | None
    record: str
    """Id of the class that holds the codes."""
    loaded: int
    known: int
    """Codes of drugs that are recorded already: these say more than the class."""
    skipped: int
    """Codes of systems that are not known here."""


def load(session: Session, path: Path, class_id: str) -> LoadResult:
    """Publish the codes as those of a narrower class; InvalidInput if the file or `class_id` will not do."""
    value_set = _read(path)
    index = drug_index(session)
    target = index.ids.get(class_id)
    if target is None or index.records[target].kind != DRUG_CLASS:
        classes = [one for one, pk in index.ids.items() if index.records[pk].kind == DRUG_CLASS]
        fault = Fault(
            "file", "class", "unknown_value", "names no class of drugs", did_you_mean=nearest(class_id, classes)
        )
        raise InvalidInput("The codes need a class of drugs to go to.", errors=[fault])
    record_id = f"{class_id[: 64 - len(SUFFIX)].rstrip('-')}{SUFFIX}"
    codes: dict[tuple[str, str], Code] = {}
    known = skipped = 0
    systems = current_code_systems(session)
    for system, code in _codes_in(value_set):
        named = systems.identified(system.rstrip("/"))
        if named is None:
            skipped += 1
            continue
        normal = systems.normal(named, code)
        carriers = index.codes.get((named, normal), [])
        if any(index.records[pk].id != record_id for pk, _ in carriers):
            known += 1
            continue
        codes[named, normal] = Code(
            system=named, code=normal, relation=CodeRelation.narrow, verified=False, source=_source(value_set, path)
        )
    content = InterventionWrite(
        id=record_id,
        name=f"{index.records[target].name} by code",
        description="Products that a terminology server lists in this class; loaded from a FHIR ValueSet.",
        codes=tuple(codes[key] for key in sorted(codes)),
        kind=DRUG_CLASS,
        parent=class_id,
    )
    result = publish(session, MAINTENANCE, [Change("intervention", content)], "Codes of a ValueSet")
    return LoadResult(result.serial, record_id, len(codes), known, skipped)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        value_set = read_json(path.read_bytes(), _MAX_DEPTH)
    except ValueError as error:
        raise _unusable(path, "cannot be read as JSON") from error
    if not isinstance(value_set, dict) or value_set.get("resourceType") != "ValueSet":
        raise _unusable(path, "is not a FHIR ValueSet")
    if next(_codes_in(value_set), None) is None:
        raise _unusable(path, "lists no codes; save its expansion")
    return value_set


def _unusable(path: Path, reason: str) -> InvalidInput:
    return InvalidInput("The ValueSet cannot be used.", errors=[Fault("file", path.name, "unusable_value_set", reason)])


def _codes_in(value_set: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """System and code of every entry of the expansion, and of what is enumerated beside it."""
    pending = [value_set.get("expansion")]
    while pending:
        for entry in _objects(pending.pop(), "contains"):
            yield from _code_of(entry.get("system"), entry.get("code"))
            pending.append(entry)
    for include in _objects(value_set.get("compose"), "include"):
        for concept in _objects(include, "concept"):
            yield from _code_of(include.get("system"), concept.get("code"))


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    items = value.get(name) if isinstance(value, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _code_of(system: Any, code: Any) -> Iterator[tuple[str, str]]:
    if isinstance(system, str) and isinstance(code, str) and 0 < len(code.strip()) <= 64:
        yield system, code.strip()


def _source(value_set: Mapping[str, Any], path: Path) -> str:
    """Canonical address and version of the ValueSet, else the file's name."""
    url, version = value_set.get("url"), value_set.get("version")
    if not isinstance(url, str):
        return f"ValueSet in {path.name}"[:MAX_SOURCE]
    return " ".join(f"{url}|{version}".split() if isinstance(version, str) else url.split())[:MAX_SOURCE]
