"""The pages of the data set: what holds for every page of the neutral one holds for each of its records, too."""

import re

import pytest
from starlette.testclient import TestClient

from app.concepts.manifest_doses import DoseTiers
from app.datasets.files_beside import read_manifest
from tests.conftest import SEED
from tests.web.test_conditions import (
    conditions,
    test_a_page_without_the_last_layer_is_small,
    test_every_warning_can_be_reached_from_in_short,
    test_harm_stands_first_and_no_contraindication_is_left_out,
    test_in_short_is_read_easily_whatever_the_condition,
    test_the_list_gives_every_condition_one_headline_or_says_that_there_is_none,
)
from tests.web.test_plots import (
    claims,
    test_a_study_has_one_row_however_many_citations_report_it,
    test_every_plot_of_the_data_set_fits_and_says_what_it_shows,
)
from tests.web.test_records import (
    addresses,
    pages,
    test_every_citation_has_an_anchor_where_its_link_leads,
    test_every_page_can_be_read_without_a_mouse_and_without_colours,
    test_every_record_has_a_page_that_is_small_and_links_its_data,
    test_no_link_of_a_page_to_this_server_leads_nowhere,
    test_wherever_a_claim_is_named_stand_its_verdict_and_both_sides,
)
from tests.web.test_start_and_search import names_in_files
from tests.web.test_what_travels import (
    test_a_bubble_of_the_map_says_counts_and_caveat,
    test_the_list_shows_the_claim_that_each_condition_begins_with,
    test_the_preview_of_a_condition_has_verdict_counts_and_caveat,
    test_what_is_always_true_is_no_condition_of_a_sentence,
    test_where_nothing_was_counted_the_citations_of_both_sides_are,
)

__all__ = [
    "addresses",
    "claims",
    "conditions",
    "pages",
    "test_a_bubble_of_the_map_says_counts_and_caveat",
    "test_a_page_without_the_last_layer_is_small",
    "test_a_study_has_one_row_however_many_citations_report_it",
    "test_every_citation_has_an_anchor_where_its_link_leads",
    "test_every_page_can_be_read_without_a_mouse_and_without_colours",
    "test_every_plot_of_the_data_set_fits_and_says_what_it_shows",
    "test_every_record_has_a_page_that_is_small_and_links_its_data",
    "test_every_warning_can_be_reached_from_in_short",
    "test_harm_stands_first_and_no_contraindication_is_left_out",
    "test_in_short_is_read_easily_whatever_the_condition",
    "test_no_link_of_a_page_to_this_server_leads_nowhere",
    "test_the_list_gives_every_condition_one_headline_or_says_that_there_is_none",
    "test_the_list_shows_the_claim_that_each_condition_begins_with",
    "test_the_preview_of_a_condition_has_verdict_counts_and_caveat",
    "test_what_is_always_true_is_no_condition_of_a_sentence",
    "test_where_nothing_was_counted_the_citations_of_both_sides_are",
    "test_wherever_a_claim_is_named_stand_its_verdict_and_both_sides",
]


@pytest.fixture(scope="module")
def tiers() -> DoseTiers:
    manifest = read_manifest(SEED)
    assert manifest is not None
    return manifest.dose_tiers[0]


@pytest.fixture(scope="module")
def unstudied() -> str:
    return "lupus"


@pytest.fixture(scope="module")
def intervention() -> str:
    return "low-dose-naltrexone"


@pytest.fixture(scope="module")
def condition() -> str:
    return "fibromyalgia"


def test_that_many_pages_were_looked_at(pages: dict[str, str]) -> None:
    assert len(pages) > 400
    assert sum(len(re.findall(r'<article class="card claim">', html)) for html in pages.values()) > 500


def test_no_page_knows_naltrexone_by_name(client: TestClient) -> None:
    assert names_in_files(client, {"naltrexone", "opioid", "ldn-"}) == set()
