"""Formats in which others deliver references: one module each, and the choice among them by what a file holds."""

import codecs
import re
from collections.abc import Callable

from app.core.errors import Fault, InvalidInput
from app.datasets.source_formats import bibtex, csl_json, medline, pubmed_xml, ris
from app.datasets.source_formats.record import SourceFile

_TEXT_FORMATS: tuple[tuple[re.Pattern[str], Callable[[str, str], SourceFile]], ...] = (
    (re.compile(r"^(?:PMID|OWN) ?- ?\w", re.MULTILINE), medline.read),
    (re.compile(r"^\s?TY {1,2}-", re.MULTILINE), ris.read),
    (re.compile(r"^\s?@\w+\s?[{(]", re.MULTILINE), bibtex.read),
)
"""What stands in a file of each format, and what reads it."""
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
FORMATS = "RIS, BibTeX, CSL-JSON or works of Crossref, MEDLINE (.nbib), PubMed XML"


def read_references(raw: bytes, name: str) -> SourceFile:
    """The records in a file of any of the formats; InvalidInput if it is none of them."""
    text, doubt = _decoded(raw)
    begin = text.lstrip()[:1]
    if begin == "<":
        file = pubmed_xml.read(raw if not raw.startswith(codecs.BOM_UTF8) else raw[3:], name)
        doubt = None  # XML says itself how it is encoded
    elif begin in ("{", "["):
        file = csl_json.read(text.lstrip().encode(), name)
    else:
        reader = next((reader for sign, reader in _TEXT_FORMATS if sign.search(text)), None)
        if reader is None:
            fault = Fault("file", name, "unknown_format", f"is none of these: {FORMATS}")
            raise InvalidInput("The file is in no format that can be read.", errors=[fault])
        file = reader(text, name)
    if doubt:
        file.doubts.insert(0, f"{name} {doubt}")
    return file


def _decoded(raw: bytes) -> tuple[str, str | None]:
    """The text, and what is odd about its encoding."""
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace").replace("\r\n", "\n"), None
    try:
        return raw.decode("utf-8").replace("\r\n", "\n"), None
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace").replace("\r\n", "\n")
        return text, "is not UTF-8; it was read as Windows-1252: look at its accents."
