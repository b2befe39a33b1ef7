"""RIS, read by rispy one record at a time, so that a broken one spoils no other."""

import re
from collections.abc import Iterator
from typing import Any

from app.datasets.source_formats.record import SourceFile, StatedSource, one_line
from app.sources.identifiers import identify
from app.sources.vocabulary import DocumentKind, IdentifierScheme

KINDS = {
    "JOUR": DocumentKind.article_journal,
    "EJOUR": DocumentKind.article_journal,
    "INPR": DocumentKind.article_journal,
    "CHAP": DocumentKind.chapter,
    "ECHAP": DocumentKind.chapter,
    "RPRT": DocumentKind.report,
    "ELEC": DocumentKind.webpage,
    "BLOG": DocumentKind.webpage,
    "DATA": DocumentKind.dataset,
    "DBASE": DocumentKind.dataset,
}
"""Types of references that are kinds here."""
_FIELDS = {
    "title": ("title", "primary_title"),
    "container_title": ("secondary_title", "alternate_title3", "journal_name"),
    "container_title_short": ("alternate_title2", "alternate_title1", "journal_name"),
    "volume": ("volume",),
    "issue": ("number",),
    "publisher": ("publisher",),
}
_TAG = re.compile(r"([A-Z][A-Z0-9]) {1,2}- ?(.*)")


def read(text: str, name: str) -> SourceFile:
    """Every record of the file."""
    import rispy

    file = SourceFile()
    for lines in _records(text):
        at = f"Record {len(file.records) + 1}"
        try:
            (fields,) = rispy.loads("\n".join(lines))
        except Exception:
            file.doubts.append(f"{at} cannot be read; it was left out.")
            continue
        file.records.append(_record(fields, at))
    if not file.records:
        file.doubts.append(f"{name} holds no record in RIS.")
    return file


def _records(text: str) -> Iterator[list[str]]:
    """The lines of each record, written as rispy wants them; a record ends where the next one begins, if not before."""
    lines: list[str] = []
    for line in text.splitlines():
        match = _TAG.fullmatch(line.strip())
        tag = match[1] if match else ""
        if match and tag == "TY":
            if lines:
                yield [*lines, "ER  - "]
            lines = [f"TY  - {match[2]}"]
        elif tag == "ER" and lines:
            yield [*lines, "ER  - "]
            lines = []
        elif lines and line.strip():
            lines.append(f"{tag}  - {match[2]}" if match else line.strip())
    if lines:
        yield [*lines, "ER  - "]


def _record(fields: dict[str, Any], at: str) -> StatedSource:
    kind = one_line(fields.get("type_of_reference")).upper()
    record = StatedSource(at, "ris", KINDS.get(kind), kind or None)
    for name, keys in _FIELDS.items():
        for key in keys:
            text = one_line(fields.get(key))
            if name != "container_title_short" or text != record.fields.get("container_title"):
                record.state(name, text)
    first, last = one_line(fields.get("start_page")), one_line(fields.get("end_page"))
    record.state_pages(f"{first}-{last}" if first and last and "-" not in first else first)
    record.state_date(next((fields[key] for key in ("date", "year", "publication_year") if fields.get(key)), None))
    for author in [*fields.get("authors", []), *fields.get("first_authors", [])]:
        record.name_author_in_one(author)
    record.identify(IdentifierScheme.doi, fields.get("doi"))
    if one_line(fields.get("name_of_database")).lower() in ("pubmed", "medline"):
        record.identify(IdentifierScheme.pmid, fields.get("accession_number"))
    for address in fields.get("urls", []):
        _read_address(record, one_line(address))
    if one_line(fields.get("custom2")).upper().startswith("PMC"):
        record.identify(IdentifierScheme.pmcid, fields["custom2"])
    if one_line(fields.get("type_of_work")).lower() == "preprint":
        record.state_preprint()
    return record


def _read_address(record: StatedSource, address: str) -> None:
    """An address that is an identifier is taken as one; the first other one is the document's."""
    found = identify(address)
    if found is None or found[0] not in (IdentifierScheme.doi, IdentifierScheme.pmid, IdentifierScheme.pmcid):
        record.state("url", address)
        return
    scheme, normal = found
    if scheme not in record.identifiers:
        record.identify(scheme, normal)
    if scheme is IdentifierScheme.doi:
        record.state("url", address)
