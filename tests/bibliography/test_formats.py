"""What holds for every format over every document, and what each looks like on the works of `works.py`."""

import json
import re
from pathlib import Path
from typing import Any

import bibtexparser.entrypoint
import pytest
import rispy

from app.bibliography import ALL_FORMATS
from app.bibliography.reference import Reference
from app.bibliography.styles import Style, apply_style, format_marked
from tests.bibliography import works
from tests.bibliography.oracle import citeproc, pandoc

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ALL_FORMATS)
def test_every_format_names_every_document_once_and_in_order(name: str, documents: list[Reference]) -> None:
    made = ALL_FORMATS[name].render(documents, Style.ama)
    assert made.endswith("\n")
    assert not re.search(r"\bNone\b|\bnull\b", made)
    if name == "text":
        return
    keys = re.findall(r'^@\w+\{([^,]+),|^ID  - (.+)$|^  "id": "(.+)",$|^<li id="([^"]+)">', made, re.MULTILINE)
    assert ["".join(found) for found in keys] == [document.id for document in documents]


@pytest.mark.parametrize(
    ("name", "style"),
    [(name, style) for name, known in ALL_FORMATS.items() for style in (Style if known.has_styles else ("",))],
)
def test_format_looks_as_an_editor_expects(name: str, style: str) -> None:
    file = GOLDEN / f"{'-'.join(part for part in ('references', style) if part)}.{ALL_FORMATS[name].extension}"
    assert ALL_FORMATS[name].render(works.ALL, style) == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ALL_FORMATS)
def test_no_reference_gives_no_reference(name: str) -> None:
    assert not re.search(r"@|TY  -|<li|\w\. ", ALL_FORMATS[name].render([], Style.ama))


@pytest.mark.parametrize("name", ALL_FORMATS)
def test_retracted_work_is_marked_with_its_notice(name: str) -> None:
    made = ALL_FORMATS[name].render([works.RETRACTED], Style.vancouver)
    assert "RETRACTED: A finding that was withdrawn" in made
    assert "https://doi.org/10.1000/notice" in made


# --- formatted text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", Style)
def test_every_document_reads_as_another_processor_formats_it(
    style: Style, documents: list[Reference], tmp_path: Path
) -> None:
    known = {document.id for document in documents}
    references = [*documents, *(work for work in works.ALL if work.id not in known)]
    expected = citeproc(references, style, tmp_path)
    assert {reference.id: apply_style(reference, style) for reference in references} == expected


def test_first_author_alone_is_never_shown_as_the_only_one() -> None:
    assert apply_style(works.FIRST_AUTHOR_ONLY, Style.apa).startswith("Ludwig, M. D. et al. (2016).")


def test_style_shows_nothing_of_the_reference_before() -> None:
    before = format_marked(works.ARTICLE, Style.bmj)
    for work in works.ALL:
        format_marked(work, Style.bmj)
    assert format_marked(works.ARTICLE, Style.bmj) == before


# --- round trips --------------------------------------------------------------------------------------------------


def test_bibtex_comes_back_whole_from_pandoc(documents: list[Reference]) -> None:
    read = _by_id(pandoc(ALL_FORMATS["bibtex"].render(documents, ""), "bibtex", "csljson"))
    assert read.keys() == {document.id for document in documents}
    for document in documents:
        item = read[document.id]
        assert item["title"] == _curly(document.shown_title)
        assert _names(item) == [_curly(name) for name in _wanted_names(document)]
        assert item.get("DOI") == document.doi
        assert item.get("volume") == document.volume
        assert item.get("page") == document.page
        assert item.get("issued", {"date-parts": [[None]]})["date-parts"][0][0] == (document.issued or (None,))[0]


def test_bibtex_comes_back_whole_from_bibtexparser(documents: list[Reference]) -> None:
    library = bibtexparser.entrypoint.parse_string(ALL_FORMATS["bibtex"].render(documents, ""))
    assert library.failed_blocks == []
    for document in documents:
        fields = {field.key: field.value for field in library.entries_dict[document.id].fields}
        assert (fields.get("doi"), fields.get("pmid"), fields.get("url")) == (document.doi, document.pmid, document.url)
        assert fields.get("year") == (str(document.issued[0]) if document.issued else None)


def test_hostile_title_survives_bibtex() -> None:
    (item,) = _by_id(pandoc(ALL_FORMATS["bibtex"].render([works.HOSTILE], ""), "bibtex", "csljson")).values()
    assert item["title"] == _curly(works.HOSTILE.shown_title)
    assert (item["DOI"], item["URL"]) == (works.HOSTILE.doi, works.HOSTILE.url)


def test_group_is_one_author_in_bibtex() -> None:
    (item,) = _by_id(pandoc(ALL_FORMATS["bibtex"].render([works.GROUP], ""), "bibtex", "csljson")).values()
    assert item["author"][0] == {"literal": "The O\u2019Brien Study Group"}


def test_ris_comes_back_whole_from_pandoc(documents: list[Reference]) -> None:
    """RIS cannot tell a group from a person; the data set holds none, so nothing is lost here."""
    read = _by_id(pandoc(ALL_FORMATS["ris"].render(documents, ""), "ris", "csljson"))
    for document in documents:
        item = read[document.id]
        assert item["title"] == document.shown_title
        assert item.get("DOI") == document.doi
        assert item.get("page") == document.page
        assert _names(item) == [author.family for author in document.authors]


def test_ris_keeps_the_pmid_where_an_importer_may_look() -> None:
    (record,) = rispy.loads(ALL_FORMATS["ris"].render([works.ARTICLE], ""))
    assert (record["accession_number"], record["name_of_database"]) == ("99900001", "PubMed")
    assert "https://pubmed.ncbi.nlm.nih.gov/99900001/" in record["urls"]


def test_csl_json_is_read_by_pandoc_as_it_was_written(documents: list[Reference]) -> None:
    made = ALL_FORMATS["csl-json"].render(documents, "")
    read = _by_id(pandoc(made, "csljson", "csljson"))
    for key, item in _by_id(made).items():
        assert _names(read[key]) == [_curly(author["family"]) for author in item.get("author", [])]
        kept = ("DOI", "PMID", "PMCID", "page", "volume", "issued")
        assert {name: read[key].get(name) for name in kept} == {name: item.get(name) for name in kept}


def _by_id(items: str) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in json.loads(items)}


def _names(item: dict[str, Any]) -> list[str]:
    """Pandoc takes `van der` and `de` off a name; together they must give it again."""
    parts = ("non-dropping-particle", "dropping-particle", "family")
    return [
        author.get("literal") or " ".join(author[part] for part in parts if part in author)
        for author in item.get("author", [])
    ]


def _wanted_names(document: Reference) -> list[str]:
    names = [author.literal or author.family or "" for author in document.authors]
    return names if document.authors_complete or not names else [*names, "others"]


def _curly(text: str) -> str:
    """Pandoc reads TeX quotation marks as typographic ones."""
    return text.replace("'", "\u2019")
