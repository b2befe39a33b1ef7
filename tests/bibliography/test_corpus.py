"""Awkward references through every style and format, compared with pandoc and read back by others."""

import json
import re
from collections import Counter
from pathlib import Path

import bibtexparser.entrypoint
import pytest
import rispy

from app.bibliography import FORMATS, PAGES
from app.bibliography.from_documents import reference_of
from app.bibliography.pages import format_pages, page_ranges
from app.bibliography.reference import Name, Reference
from app.bibliography.styles import Style, apply_style
from app.datasets import bundle
from app.sources.schemas import DocumentWrite
from tests.bibliography.corpus import corpus
from tests.bibliography.oracle import citeproc, named_differences, pandoc

CASES = Path(__file__).parent / "cases"
SIZES = [48, pytest.param(600, marks=pytest.mark.sweep)]


def handed(directory: str) -> dict[str, Reference]:
    """The references of a directory of cases, by id."""
    contents = (change.content for change in bundle.read(CASES / directory))
    return {content.id: reference_of(content) for content in contents if isinstance(content, DocumentWrite)}


@pytest.fixture(scope="module", params=SIZES)
def references(request: pytest.FixtureRequest) -> list[Reference]:
    cases = [reference for directory in sorted(CASES.iterdir()) for reference in handed(directory.name).values()]
    return [*cases, *corpus(request.param)]


# --- formatted text -----------------------------------------------------------------------------------------------


def test_every_awkward_reference_reads_as_another_processor_formats_it(
    references: list[Reference], tmp_path: Path
) -> None:
    differences: Counter[str] = Counter()
    for style in Style:
        expected = citeproc(references, style, tmp_path)
        made = {reference.id: str(apply_style(reference, style)) for reference in references}
        assert made == expected, style
        differences.update(reason for reference in references for reason in named_differences(reference, style))
    print(f"{len(references)} references, {len(Style)} styles, {len(references) * len(Style)} comparisons")
    print("\n".join(f"{count:6} {reason}" for reason, count in differences.most_common()))


def test_html_is_the_text_with_markup(references: list[Reference]) -> None:
    for style in Style:
        page = PAGES["html"].render(references, style)
        items = re.findall(r'<li id="([^"]+)">(.*)</li>', page)
        assert [key for key, _ in items] == [reference.id for reference in references]
        for reference, (_, html) in zip(references, items, strict=True):
            assert not re.search(r"[\ue000-\ue01f]", html), html
            read = shown_text(html)
            assert _unraised(read) == _unraised(_formatted(reference, style)), html
            if reference.doi and reference.doi in read:
                assert '<a href="https://doi.org/10.' in html


def shown_text(html: str) -> str:
    """What a browser shows."""
    from lxml.html import fromstring  # type: ignore[import-untyped] # the library is not typed

    return str(fromstring(f"<p>{html}</p>").text_content())


def _formatted(reference: Reference, style: Style) -> str:
    text = str(apply_style(reference, style))
    return f"{text} {reference.notice}" if reference.warning and reference.notice else text


def _unraised(text: str) -> str:
    return text.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789"))


@pytest.mark.parametrize("style", Style)
def test_a_warning_and_a_preprint_are_said_once_in_every_style(references: list[Reference], style: Style) -> None:
    for reference in references:
        text = apply_style(reference, style)
        if reference.warning:
            assert text.count(reference.warning) == 1, text
            assert "RETRACTED ARTICLE" not in text
        if reference.is_preprint and "preprint" not in (reference.title or "").casefold():
            assert len(re.findall("preprint", text, re.IGNORECASE)) == 1, text


# --- round trips --------------------------------------------------------------------------------------------------


def test_bibtex_comes_back_whole(references: list[Reference]) -> None:
    text = FORMATS["bibtex"].render(references, "")
    read = {item["id"]: item for item in json.loads(pandoc(text, "bibtex", "csljson"))}
    for reference in references:
        item = read[reference.id]
        assert item["title"] == _curly(reference.shown_title), reference.id
        assert [_read(author) for author in item.get("author", [])] == [
            _recorded(author) for author in reference.authors
        ]
        assert item.get("page") == (format_pages(reference.page) if reference.page else None)
        number = item.get("issue", item.get("number"))  # of a preprint, which BibTeX has no type for
        assert (item.get("DOI"), item.get("volume"), number) == (reference.doi, reference.volume, reference.issue)
    library = bibtexparser.entrypoint.parse_string(text)
    assert library.failed_blocks == []
    assert {entry.key for entry in library.entries} == {reference.id for reference in references}


def test_ris_comes_back_whole(references: list[Reference]) -> None:
    text = FORMATS["ris"].render(references, "")
    read = {item["id"]: item for item in json.loads(pandoc(text, "ris", "csljson"))}
    for reference, record in zip(references, rispy.loads(text), strict=True):
        item = read[reference.id]
        assert item["title"] == record["title"] == reference.plain_title, reference.id
        assert [_read(author) for author in item.get("author", [])] == [
            _recorded(author) for author in reference.authors
        ]
        assert all("," in line for line in record.get("authors", []) if " " in line)
        assert (item.get("DOI"), item.get("volume"), item.get("issue")) == (
            reference.doi, reference.volume, reference.issue,
        )  # fmt: skip
        if reference.page:
            ranges = page_ranges(reference.page)
            assert (record["start_page"], record.get("end_page")) == (ranges[0].first, ranges[0].last)
            assert len(ranges) == 1 or f"Pages: {format_pages(reference.page)}." in record["notes"]


PersonName = tuple[list[str], str, str]
"""All words, the last of the family name, and the first given name."""


def _recorded(author: Name) -> PersonName:
    return _words(author.literal or author.family or "", author.given, author.suffix)


def _read(author: dict[str, str]) -> PersonName:
    """Pandoc takes particles off. A group is a family name in RIS, which knows no groups."""
    particles = (author.get("non-dropping-particle"), author.get("dropping-particle"), author.get("suffix"))
    return _words(author.get("literal") or author["family"], author.get("given"), *particles)


def _words(family: str, given: str | None, *others: str | None) -> PersonName:
    """Pandoc sets initials apart, and `d'` from its name; its quotation marks are typographic."""
    names = [re.sub(r"(\.|\bd['\u2019])(?=[^\W\d])", r"\1 ", _curly(name or "")) for name in (family, given, *others)]
    return sorted(" ".join(names).split()), names[0].split()[-1], (names[1].split() or [""])[0]


def _curly(text: str) -> str:
    """Pandoc reads TeX quotation marks as typographic ones."""
    return text.replace("'", "\u2019")
