"""What a seed file need not say: defaults of the file, ids and fields that follow from others, identifiers in short.

A record in short form and the same record written out have the same content.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.content import Record
from app.core.errors import Fault, nearest
from app.core.text import SLUG_LENGTH
from app.datasets.yaml_files import PathInFile
from app.sources.identifiers import normal_or_none
from app.sources.schemas import DocumentWrite
from app.sources.vocabulary import IdentifierScheme

SCHEMES = tuple(scheme.value for scheme in IdentifierScheme)
IDENTIFIER_LISTS: Mapping[str, str] = {"document": "identifiers", "study": "registry_ids"}
"""The types whose records may give an identifier as a field of its scheme's name, and the list that it goes to."""
OWN_FIELDS = ("id", "successor")
"""Fields that no default of a file can give, because each record has its own."""


@dataclass
class KnownDocuments:
    """Documents by what may name them in a citation."""

    by_identifier: dict[tuple[str, str], str] = field(default_factory=dict)

    def find(self, name: tuple[str, str]) -> str | None:
        """The id of the document that has the identifier, given as its scheme and normal form."""
        return self.by_identifier.get(name)

    def add(self, record: Record) -> None:
        if isinstance(record, DocumentWrite):
            for identifier in record.identifiers:
                name = _name(identifier.scheme.value, identifier.value)
                if name is not None:
                    self.by_identifier[name] = record.id


@dataclass(frozen=True)
class Expanded:
    """A record written out. `moved` leads from a part to the part of the file from which it was made."""

    fields: dict[str, Any]
    moved: Mapping[PathInFile, PathInFile]
    faults: tuple[tuple[PathInFile, Fault], ...]
    """With the part of the file that each is about."""


def expand(record_type: str, fields: Mapping[str, Any], documents: KnownDocuments) -> Expanded:
    """The record with everything that follows from what it says."""
    written: dict[str, Any] = dict(fields)
    moved: dict[PathInFile, PathInFile] = {}
    faults: list[tuple[PathInFile, Fault]] = []
    if record_type in IDENTIFIER_LISTS:
        _write_out_identifiers(written, IDENTIFIER_LISTS[record_type], moved)
    if record_type == "document":
        _derive_label(written)
    if record_type == "claim":
        for name in ("citations", "origins"):
            items = written.get(name)
            if isinstance(items, list):
                whole = [_with_document(item, (name, i), documents, faults) for i, item in enumerate(items)]
                written[name] = whole
        faults.extend(_derive_citation_ids(written))
    return Expanded(written, moved, tuple(faults))


def derived_label(fields: Mapping[str, Any]) -> str | None:
    """`Younger 2013`: the first author and the year; null where either is missing."""
    authors, issued = fields.get("authors"), fields.get("issued")
    first = authors[0] if isinstance(authors, list) and authors and isinstance(authors[0], dict) else {}
    name = first.get("family") or first.get("literal")
    return f"{name} {issued[:4]}" if isinstance(name, str) and isinstance(issued, str) else None


def derived_citation_id(claim_id: str, document_id: str) -> str:
    """Neither id ever changes, so that this one does not change either."""
    return f"cit-{claim_id}-{document_id}"


def _write_out_identifiers(fields: dict[str, Any], target: str, moved: dict[PathInFile, PathInFile]) -> None:
    """Identifiers in short come first, in the order in which they are written."""
    listed = fields.get(target, [])
    short = [name for name in fields if name in SCHEMES]
    if not short or not isinstance(listed, list):
        return
    entries = []
    for index, scheme in enumerate(short):
        value = fields.pop(scheme)
        plain_number = isinstance(value, int) and not isinstance(value, bool)
        entries.append({"scheme": scheme, "value": str(value) if plain_number else value})
        moved[target, index] = (scheme,)
    for index in range(len(listed)):
        moved[target, len(short) + index] = (target, index)
    fields[target] = entries + listed


def _derive_label(fields: dict[str, Any]) -> None:
    """A label is never null, so that one which is not written can only be the derived one."""
    if "label" not in fields and (label := derived_label(fields)) is not None:
        fields["label"] = label


def _with_document(
    item: Any, path: PathInFile, documents: KnownDocuments, faults: list[tuple[PathInFile, Fault]]
) -> Any:
    """The citation or origin with the id of the document that an identifier names."""
    if not isinstance(item, dict) or "document" in item:
        return item
    scheme = next((name for name in item if name in SCHEMES), None)
    if scheme is None:
        return item
    name = _name(scheme, item[scheme])
    document = documents.find(name) if name else None
    if document is None:
        known = [value for named, value in documents.by_identifier if named == scheme]
        guesses = nearest(str(item[scheme]), known, 3) or None
        reason = "is the identifier of no document of the data set"
        at = (*path, scheme)
        faults.append((at, Fault("file", "", "unknown_reference", reason, did_you_mean=guesses)))
        return item
    return {"document": document, **{field: value for field, value in item.items() if field != scheme}}


def _derive_citation_ids(fields: dict[str, Any]) -> Iterator[tuple[PathInFile, Fault]]:
    claim, citations = fields.get("id"), fields.get("citations")
    if not isinstance(claim, str) or not isinstance(citations, list):
        return
    whole = list(citations)
    for index, citation in enumerate(citations):
        if not isinstance(citation, dict) or "id" in citation or not isinstance(citation.get("document"), str):
            continue
        derived = derived_citation_id(claim, citation["document"])
        if len(derived) > SLUG_LENGTH:
            reason = f"is missing: that made of claim and document is longer than {SLUG_LENGTH} characters"
            yield ("citations", index, "id"), Fault("file", "", "missing", reason)
        whole[index] = {"id": derived, **citation}
    fields["citations"] = whole


def _name(scheme: str, value: Any) -> tuple[str, str] | None:
    normal = normal_or_none(IdentifierScheme(scheme), value)
    return (scheme, normal) if normal else None
