"""What holds for the pages of the neutral data set in a browser holds with the words and tables of this one, too."""

import pytest

from tests.browser.test_pages import (
    test_a_condition_in_short_is_one_sheet_of_paper,
    test_everybody_can_use_the_page,
    test_page_fits_every_width,
    test_page_is_small_and_says_what_it_is,
    themed,
    visit,
)

__all__ = [
    "test_a_condition_in_short_is_one_sheet_of_paper",
    "test_everybody_can_use_the_page",
    "test_page_fits_every_width",
    "test_page_is_small_and_says_what_it_is",
    "themed",
    "visit",
]

pytestmark = pytest.mark.browser
