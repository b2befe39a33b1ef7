"""What holds for every reference of the neutral data set holds for each document of this one, too."""

import pytest

from app.bibliography.reference import Reference
from tests.bibliography.test_formats import (
    test_bibtex_comes_back_whole_from_bibtexparser,
    test_bibtex_comes_back_whole_from_pandoc,
    test_csl_json_is_read_by_pandoc_as_it_was_written,
    test_every_document_reads_as_another_processor_formats_it,
    test_every_format_names_every_document_once_and_in_order,
    test_ris_comes_back_whole_from_pandoc,
)
from tests.bibliography.test_formatted import database, test_what_is_stored_is_what_the_formatter_makes

__all__ = [
    "database",
    "test_bibtex_comes_back_whole_from_bibtexparser",
    "test_bibtex_comes_back_whole_from_pandoc",
    "test_csl_json_is_read_by_pandoc_as_it_was_written",
    "test_every_document_reads_as_another_processor_formats_it",
    "test_every_format_names_every_document_once_and_in_order",
    "test_ris_comes_back_whole_from_pandoc",
    "test_what_is_stored_is_what_the_formatter_makes",
]


@pytest.fixture
def data_set() -> str:
    return "shipped"


def test_there_are_many_documents(documents: list[Reference]) -> None:
    assert len(documents) > 100
