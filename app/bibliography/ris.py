"""RIS, as reference managers import it, written by rispy.

RIS has no tag for a PMID that importers map back, so the PMID is an accession number with its database, and a link.
"""

from collections.abc import Sequence
from typing import Any

from app.bibliography.reference import Name, Reference

_TYPES = {
    "article-journal": "JOUR",
    "chapter": "CHAP",
    "report": "RPRT",
    "webpage": "ELEC",
    "dataset": "DATA",
}


def render(references: Sequence[Reference], _style: str) -> str:
    import rispy

    class Writer(rispy.RisWriter):  # type: ignore[misc] # the library is not typed
        def set_header(self, count: int) -> str:
            """No header: the library's own is a stray line in front of each record."""
            return ""

    text: str = rispy.dumps([_record(reference) for reference in references], implementation=Writer)
    return text.lstrip("\n")


def _record(reference: Reference) -> dict[str, Any]:
    first, _, last = (reference.page or "").replace("\u2013", "-").partition("-")
    links = [
        f"https://doi.org/{reference.doi}" if reference.doi else None,
        reference.url,
        f"https://pubmed.ncbi.nlm.nih.gov/{reference.pmid}/" if reference.pmid else None,
    ]
    record = {
        "type_of_reference": _TYPES.get(reference.type, "GEN"),
        "id": reference.id,
        "title": reference.shown_title,
        "authors": [_name(author) for author in reference.authors],
        "secondary_title": reference.container_title,
        "alternate_title2": reference.container_title_short,
        "volume": reference.volume,
        "number": reference.issue,
        "start_page": first.strip(),
        "end_page": last.strip(),
        "publisher": reference.publisher,
        "year": str(reference.issued[0]) if reference.issued else None,
        "date": "/".join(f"{part:02}" for part in reference.issued),
        "doi": reference.doi,
        "accession_number": reference.pmid,
        "name_of_database": "PubMed" if reference.pmid else None,
        "custom2": reference.pmcid,
        "urls": list({link.lower(): link for link in links if link}.values()),
        "notes": [reference.note] if reference.note else None,
    }
    return {field: value for field, value in record.items() if value}


def _name(author: Name) -> str:
    return author.literal or ", ".join(part for part in (author.family, author.given) if part)
