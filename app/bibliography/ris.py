"""RIS, as reference managers import it, written by rispy.

RIS has no tag for a PMID that importers map back, so the PMID is an accession number with its database, and a link.
"""

from collections.abc import Sequence
from typing import Any

from app.bibliography.corrections import ris_writer
from app.bibliography.pages import format_pages, page_ranges
from app.bibliography.reference import Name, Reference
from app.sources.identifiers import address
from app.sources.vocabulary import IdentifierScheme

_TYPES = {
    "article-journal": "JOUR",
    "chapter": "CHAP",
    "report": "RPRT",
    "webpage": "ELEC",
    "dataset": "DATA",
}


def render(references: Sequence[Reference], _style: str) -> str:
    import rispy

    text: str = rispy.dumps([_record(reference) for reference in references], implementation=ris_writer())
    return text.lstrip("\n")


def _record(reference: Reference) -> dict[str, Any]:
    pages = page_ranges(reference.page) if reference.page else []
    first = pages[0] if pages else None
    links = [
        address(IdentifierScheme.doi, reference.doi) if reference.doi else None,
        reference.url,
        f"https://pubmed.ncbi.nlm.nih.gov/{reference.pmid}/" if reference.pmid else None,
    ]
    notes = [reference.note] if reference.note else []
    in_full = format_pages(reference.page) if reference.page else ""
    if first and in_full != "-".join(page for page in (first.first, first.last) if page):
        notes.append(f"Pages: {in_full}.")  # RIS has room for one range, without words
    record = {
        "type_of_reference": "UNPB" if reference.is_preprint else _TYPES.get(reference.type, "GEN"),
        "id": reference.id,
        "title": reference.plain_title,
        "authors": [_name(author) for author in reference.authors],
        "secondary_title": reference.server or reference.container_title,
        "alternate_title2": reference.container_title_short,
        "type_of_work": "Preprint" if reference.is_preprint else None,
        "volume": reference.volume,
        "number": reference.issue,
        "start_page": first.first if first else None,
        "end_page": first.last if first else None,
        "publisher": reference.server or reference.publisher,
        "year": str(reference.issued[0]) if reference.issued else None,
        "date": "/".join(f"{part:02}" for part in reference.issued),
        "doi": reference.doi,
        "accession_number": reference.pmid,
        "name_of_database": "PubMed" if reference.pmid else None,
        "custom2": reference.pmcid,
        "urls": list({link.lower(): link for link in links if link}.values()),
        "notes": notes,
    }
    return {field: value for field, value in record.items() if value}


def _name(author: Name) -> str:
    """`Family, Given Suffix`. A comma behind a name without given names keeps readers from taking it apart.

    There is no comma before a suffix: some readers take what follows the first comma for it, others what follows the
    second. RIS cannot write a comma in a name, so those within a name are left out.
    """
    if author.literal:
        return _alone(author.literal)
    if not author.given:
        return _alone(author.family or "")
    given = " ".join(_without_commas(part) for part in (author.given, author.suffix) if part)
    return f"{_without_commas(author.family)}, {given}" if author.family else given


def _alone(name: str) -> str:
    name = _without_commas(name)
    return f"{name}," if " " in name else name


def _without_commas(name: str) -> str:
    return " ".join(name.replace(",", " ").split())
