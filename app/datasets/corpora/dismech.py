"""DisMech's knowledge base: one YAML file for each disorder, in sections of named entries with evidence items."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from app.claims.vocabulary import Kind
from app.concepts.code_systems import DOID, MONDO, ORPHANET
from app.concepts.schemas import ConditionWrite, MechanismWrite
from app.concepts.vocabulary import CodeRelation
from app.core.errors import InvalidInput
from app.datasets.corpora.corpus import (
    CorpusImport,
    CorpusItem,
    CorpusReference,
    CorpusStatement,
    Side,
    reference_of,
)
from app.datasets.source_formats.record import one_line
from app.sources.vocabulary import IdentifierScheme

NAME = "DisMech"
MAX_DEPTH = 40
_SCHEMES = {
    "pmid": IdentifierScheme.pmid,
    "doi": IdentifierScheme.doi,
    "pmc": IdentifierScheme.pmcid,
    "pmcid": IdentifierScheme.pmcid,
    "clinicaltrials": IdentifierScheme.nct,
}
_SIDES = {
    "SUPPORT": Side.supports,
    "PARTIAL": Side.partially,
    "REFUTE": Side.against,
    "WRONG_STATEMENT": Side.against,
}
_SYSTEMS = {"DOID": DOID, "MONDO": MONDO, "ORPHA": ORPHANET}
"""The prefixes of terms of disorders."""
_TAKEN = frozenset({"name", "description", "evidence"})
"""Fields of an entry that are taken."""
_NO_PLACE = {
    "evidence_source": "says what was studied (people, animals, cells); that belongs to a study, and none is named",
    "directness": "says how direct it is; our `indirect` asks in which respect",
    "images": "has images, which have no place here",
}


def read(directory: Path, corpus: CorpusImport) -> None:
    """Every disorder in the directory, or in `kb/disorders` below it."""
    below = directory / "kb" / "disorders"
    paths = sorted((below if below.is_dir() else directory).glob("*.yaml"))
    disorders = [path for path in paths if not path.name.endswith(".history.yaml")]
    if not disorders:
        raise InvalidInput("There is no file of a disorder (*.yaml) in that directory.", errors=[])
    for path in disorders:
        disorder = _load(path)
        if disorder is None or not one_line(disorder.get("name")):
            corpus.leave_out("is no YAML of a disorder that can be read", path.name)
        else:
            _read_disorder(corpus, disorder, path.stem)


def _load(path: Path) -> dict[str, Any] | None:
    """The fields of the file, every value as text; null if there are none."""
    try:
        data = yaml.load(path.read_bytes(), yaml.CBaseLoader)  # noqa: S506 - makes texts, lists and fields alone
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def _read_disorder(corpus: CorpusImport, disorder: dict[str, Any], stem: str) -> None:
    condition = _condition(corpus, disorder, stem)
    for section, entries in disorder.items():
        for entry in entries if isinstance(entries, list) else [entries]:
            if not isinstance(entry, dict):
                continue
            at = f"{stem}: {section}/{one_line(entry.get('name')) or 'without a name'}"
            for _ in _evidence_below(entry):
                corpus.leave_out("stands on a part of an entry, such as an edge of a graph", at)
            items = [item for item in _list(entry.get("evidence")) if isinstance(item, dict)]
            if not items and "name" in entry:
                corpus.leave_out("is an entry without evidence", at)
            if items and condition:
                _read_entry(corpus, disorder, condition, section, (entry, items, at))


def _read_entry(
    corpus: CorpusImport, disorder: dict[str, Any], condition: str, section: str, found: tuple[Any, list[Any], str]
) -> None:
    entry, items, at = found
    name, description = one_line(entry.get("name")), one_line(entry.get("description"))
    if not name:
        for _ in items:
            corpus.leave_out("stands on an entry without a name", at)
        return
    read = [item for item in (_item(corpus, fields, at) for fields in items) if item]
    if not read:
        return
    place = f"{section.replace('_', ' ')} of {one_line(disorder['name'])}"
    text = f"{NAME} lists {name} under {place}{f': {description}' if description else '.'}"
    statement = CorpusStatement(at, Kind.background, text, condition, items=read)
    if section == "treatments":
        statement.kind, statement.intervention = Kind.efficacy, corpus.therapy(name, at)
        if statement.intervention is None:
            return
    elif section == "pathophysiology":
        described = description or f"A part of the pathophysiology of {one_line(disorder['name'])}, as {NAME} names it."
        statement.kind = Kind.mechanism
        statement.mechanism = corpus.concept(MechanismWrite, at, at, name=name, description=described)
        if statement.mechanism is None:
            return
    for field in entry.keys() - _TAKEN:
        corpus.leave_out(f"has the field `{one_line(field)}`, which has no place here", at)
    corpus.state(statement)


def _condition(corpus: CorpusImport, disorder: dict[str, Any], stem: str) -> str | None:
    name = one_line(disorder["name"])
    term = disorder.get("disease_term")
    term = term.get("term") if isinstance(term, dict) else None
    prefix, _, number = one_line(term.get("id") if isinstance(term, dict) else None).partition(":")
    system = _SYSTEMS.get(prefix)
    if system is None:
        corpus.leave_out(f"has a term of {prefix}, which is no code system here" if prefix else "has no term", stem)
    description = one_line(disorder.get("description")) or f"A disorder as {NAME} names it."
    code = {"system": system, "code": number, "relation": CodeRelation.exact, "verified": False, "source": NAME}
    codes = (code,) if system else ()
    return corpus.concept(ConditionWrite, stem, stem, name=name, description=description, codes=codes)


def _item(corpus: CorpusImport, fields: dict[str, Any], at: str) -> CorpusItem | None:
    reference = _reference(corpus, fields, at)
    if reference is None:
        return None
    for name, reason in _NO_PLACE.items():
        if fields.get(name):
            corpus.leave_out(reason, at)
    direction = one_line(fields.get("supports")) or "no direction"
    side = _SIDES.get(direction, Side.other)
    text, snippet = one_line(fields.get("explanation")) or None, one_line(fields.get("snippet")) or None
    return CorpusItem(at, reference, side, direction, text, snippet)


def _reference(corpus: CorpusImport, fields: dict[str, Any], at: str) -> CorpusReference | None:
    prefix, _, number = one_line(fields.get("reference")).partition(":")
    scheme = _SCHEMES.get(prefix.lower())
    if scheme is None:
        named = f"a reference of {prefix}" if number else "no reference that can be read"
        corpus.leave_out(f"has {named}, which is no identifier of a document here", at)
        return None
    reference = reference_of(scheme, number, title=one_line(fields.get("reference_title")) or None)
    if reference is None:
        corpus.leave_out(f"has a {scheme.label} that cannot be read", at)
    return reference


def _evidence_below(entry: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Evidence items on parts of an entry, not on the entry itself."""
    parts = entry.items() if isinstance(entry, dict) else ((None, part) for part in entry)
    for name, part in parts:
        if depth and name == "evidence":
            yield from (item for item in _list(part) if isinstance(item, dict))
        elif isinstance(part, dict | list) and depth < MAX_DEPTH and name != "evidence":
            yield from _evidence_below(part, depth + 1)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
