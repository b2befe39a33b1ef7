"""The MEDLINE format, which PubMed saves as `.nbib` and `.txt`: tags of four letters, and lines that go on."""

import re
from collections import defaultdict
from collections.abc import Iterator

from app.datasets.source_formats.pubmed_terms import (
    TAGS,
    read_notice,
    read_registration,
    read_subject,
    read_types,
    title_of,
)
from app.datasets.source_formats.record import SourceFile, StatedSource, one_line
from app.sources.vocabulary import DocumentKind, IdentifierScheme

_TAG = re.compile(r"([A-Z][A-Z0-9]{1,3}) {0,2}- ?(.*)")
_Tags = dict[str, list[str]]


def read(text: str, name: str) -> SourceFile:
    """Every record of the file."""
    file = SourceFile()
    for tags in _records(text):
        file.records.append(_record(tags, f"Record {len(file.records) + 1}"))
    if not file.records:
        file.doubts.append(f"{name} holds no record in the MEDLINE format.")
    return file


def _records(text: str) -> Iterator[_Tags]:
    tags: _Tags = defaultdict(list)
    last = ""
    for line in text.splitlines():
        match = _TAG.fullmatch(line)
        if match is None:
            if line[:1] == " " and last and line.strip():
                tags[last][-1] += f" {line.strip()}"
            continue
        if tags and (match[1] == "PMID" or (match[1] == "OWN" and "OWN" in tags)):
            yield tags
            tags = defaultdict(list)
        last = match[1]
        tags[last].append(match[2])
    if tags:
        yield tags


def _record(tags: _Tags, at: str) -> StatedSource:
    source = "pubmed" if "PMID" in tags else one_line(_first(tags, "OWN")).lower() or "medline"
    record = StatedSource(at, source, DocumentKind.article_journal, "MEDLINE")
    record.identify(IdentifierScheme.pmid, _first(tags, "PMID"))
    if pmid := record.identifiers.get(IdentifierScheme.pmid):
        record.at = f"PMID {pmid}"
    if "BTI" in tags:  # a book, or a chapter of it
        record.kind, record.type_text = (DocumentKind.chapter, "chapter") if "TI" in tags else (None, "book")
    record.state("title", title_of(_first(tags, "TI") or _first(tags, "TT") or _first(tags, "BTI")))
    record.state("container_title", _first(tags, "JT") or (_first(tags, "BTI") if "TI" in tags else ""))
    record.state("container_title_short", _first(tags, "TA"))
    record.state_date(_first(tags, "DP"))
    record.state("volume", _first(tags, "VI"))
    record.state("issue", _first(tags, "IP"))
    record.state("publisher", _first(tags, "PB"))
    record.state_pages(_first(tags, "PG"))
    for name in tags.get("FAU") or tags.get("AU", []):
        _name(record, name, is_in_full="FAU" in tags)
    for name in tags.get("CN", []):
        record.name_author(literal=name)
    record.identify(IdentifierScheme.pmcid, _first(tags, "PMC"))
    for location in (*tags.get("LID", []), *tags.get("AID", [])):
        if location.rstrip().endswith("[doi]"):
            record.identify(IdentifierScheme.doi, location.rstrip().removesuffix("[doi]"))
    for entry in tags.get("SI", []):
        registry, _, number = entry.partition("/")
        read_registration(record, registry, number)
    for heading in tags.get("MH", []):
        read_subject(record, heading)
    for tag, kind in TAGS.items():
        for text in tags.get(tag, []):
            read_notice(record, kind, text)
    read_types(record, tags.get("PT", []))
    return record


def _name(record: StatedSource, name: str, *, is_in_full: bool) -> None:
    """`Younger, Jarred` in full, `Younger J` else."""
    if is_in_full:
        record.name_author_in_one(name if "," in name else f"{name},")
        return
    family, _, initials = one_line(name).rpartition(" ")
    record.name_author(family=family or initials, given=initials if family else None)


def _first(tags: _Tags, tag: str) -> str:
    return tags[tag][0] if tags.get(tag) else ""
