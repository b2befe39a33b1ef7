"""Names of authors as a reference list has them."""

import pytest

from app.sources.rendering import author_name
from app.sources.schemas import Author


@pytest.mark.parametrize(
    ("family", "given", "name"),
    [
        ("Alder", "Jarred", "Alder J"),
        ("Abu Dabrh", "Abd Moain", "Abu Dabrh AM"), ("Ludwig", "M. D.", "Ludwig MD"),
        ("Doe", "TMH", "Doe TMH"), ("Doe", "Jean-Paul", "Doe JP"), ("Kim", "Sang-Hyun (Sean)", "Kim SH (Sean)"),
        ("王", "小明", "王小明"),
        ("כהן", "דוד", "כהן דוד"), ("doe", "jane", "doe jane"), ("Abu Test", None, "Abu Test"),
        ("Doe", "Martin Luther, Jr.", "Doe ML Jr."),
    ],
)  # fmt: skip
def test_author_name(family: str, given: str | None, name: str) -> None:
    assert author_name(Author(family=family, given=given)) == name
