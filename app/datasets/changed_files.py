"""Reads only the seed files that changed, where what the others say cannot matter.

The records of the other files are stored as those files say (`is_as_applied`), so that publishing checks the new ones
against them. Whatever may be a fault of the files as a whole, and whatever the others might say otherwise now, is left
to reading all of them: `read_changed` returns null then.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from app.core.vocabulary import Status
from app.datasets import bundle
from app.datasets.applied_files import (
    AppliedRecord,
    SeedFile,
    SeedRecord,
    applied_records,
    digest_of,
    is_as_applied,
    name_of,
    records_named,
)
from app.datasets.entries import Bundle
from app.datasets.layout import FILE_RESOURCES, files_of
from app.datasets.shorthands import KnownDocuments
from app.registry import BY_TYPE
from app.sources.models import Document, DocumentIdentifier
from app.sources.rules import normal_identifiers
from app.sources.schemas import DocumentWrite
from app.storage.history import text_of
from app.storage.records import CurrentRecords
from app.storage.resource import Key


def read_changed(
    session: Session, directories: Sequence[Path], files: Mapping[str, str], applied: Mapping[str, SeedFile]
) -> Bundle | None:
    """The records of the files that changed; null if all files must be read.

    `files` has the digests of the files as they are, `applied` the files as they were.
    """
    if len(directories) != 1 or files.keys() != applied.keys() or not is_as_applied(session, applied):
        return None
    changed = {name for name, digest in files.items() if applied[name].digest != digest}
    paths = [place.path for resource in FILE_RESOURCES for place in files_of(directories[0], resource)]
    paths = [path for path in paths if name_of(directories, directories[0], path) in changed]
    if len(paths) < len(changed):  # another one says something of the data set as a whole
        return None
    read = bundle.read_files(directories, {}, paths, _StoredDocuments(session))
    bundle.check_citation_ids(read)
    before = applied_records(session, changed)
    if read.faults or not before.keys() <= read.contents.keys():
        return None
    return read if _concerns_no_other_file(session, read, before) else None


def _concerns_no_other_file(session: Session, read: Bundle, before: Mapping[Key, AppliedRecord]) -> bool:
    """Whether the new contents name only records of the files, and take nothing that other files may rest on."""
    digests = {key: digest_of(text_of(content)) for key, content in read.contents.items()}
    new = {
        key: read.contents[key] for key, digest in digests.items() if key not in before or before[key].digest != digest
    }
    named = {reference.key for key, content in new.items() for reference in BY_TYPE[key.type].references(content)}
    named |= {Key(key.type, content.successor) for key, content in new.items() if content.successor}
    elsewhere = records_named(session, (named | new.keys()) - before.keys())
    if any(key in elsewhere and elsewhere[key].file is not None for key in new):
        return False  # stands in two files
    if any(key not in read.contents and (key not in elsewhere or elsewhere[key].file is None) for key in named):
        return False
    records = CurrentRecords(session)
    records.prefetch(new)
    for key, content in new.items():
        row = records.row(key)
        if content.status is not Status.published and (row is None or not row.is_retired):
            return False
        if row is not None and isinstance(content, DocumentWrite):
            # A citation of another file may name the document by what it loses.
            lost = set(normal_identifiers(row.content.identifiers)) - set(normal_identifiers(content.identifiers))
            if lost:
                return False
    return True


class _StoredDocuments(KnownDocuments):
    """The documents of the files that are read, and those of the other files as they are stored."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def find(self, name: tuple[str, str]) -> str | None:
        if name not in self.by_identifier:
            scheme, normal = name
            stored = self._session.scalar(
                select(Document.id)
                .join(DocumentIdentifier, DocumentIdentifier.document_pk == Document.pk)
                .join(SeedRecord, and_(SeedRecord.type == "document", SeedRecord.id == Document.id))
                .where(
                    DocumentIdentifier.scheme == scheme,
                    DocumentIdentifier.normal == normal,
                    SeedRecord.file.is_not(None),
                )
            )
            if stored is None:
                return None
            self.by_identifier[name] = stored
        return self.by_identifier[name]
