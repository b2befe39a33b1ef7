"""What text, numbers and dates may be anywhere in the system."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.core.text import IdOrCode, Number, OneLine, PartialDate, Quote, Slug, Text, Url


def accepts(kind: Any, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("kind", [OneLine, Text, Quote], ids=["line", "text", "quote"])
@pytest.mark.parametrize("point", [0x00, 0x07, 0x0D, 0x1B, 0x7F, 0x85, 0x9B, 0xD800, 0xDFFF], ids=hex)
def test_control_characters_and_lone_surrogates_are_refused(kind: Any, point: int) -> None:
    assert not accepts(kind, f"before{chr(point)}after")


@pytest.mark.parametrize("text", ["I² up to 91 %", "µg", "Crohn’s", "naïve", "疼痛", "🙂"])  # noqa: RUF001 - as people write
def test_the_words_of_all_languages_are_taken(text: str) -> None:
    assert TypeAdapter(OneLine).validate_python(text) == text


def test_a_line_is_one_line_and_prose_may_be_more() -> None:
    assert not accepts(OneLine, "one\ntwo")
    assert not accepts(OneLine, "one\ttwo")
    assert accepts(Text, "one\n\ttwo")


@pytest.mark.parametrize(("kind", "most"), [(OneLine, 500), (Text, 4000), (Quote, 300)], ids=["line", "text", "quote"])
def test_text_is_bounded_and_never_empty(kind: Any, most: int) -> None:
    assert accepts(kind, "x" * most)
    assert not accepts(kind, "x" * (most + 1))
    assert not accepts(kind, "")


@pytest.mark.parametrize("kind", [OneLine, Text], ids=["line", "text"])
def test_space_around_text_does_not_count(kind: Any) -> None:
    assert TypeAdapter(kind).validate_python("  pain \n") == "pain"
    assert not accepts(kind, " \n\t ")


@pytest.mark.parametrize("slug", ["pain", "ldz-murmuria-pain", "10-mg", "x" * 64])
def test_a_slug_is_lower_case_words_joined_by_hyphens(slug: str) -> None:
    assert accepts(Slug, slug)


@pytest.mark.parametrize(
    "slug", ["", "Pain", "pain_", "-pain", "pain-", "a--b", "pain\n", "schmerz-ü", "a b", "x" * 65, "../etc", "１０-mg"]  # noqa: RUF001
)  # fmt: skip
def test_nothing_else_is_a_slug(slug: str) -> None:
    assert not accepts(Slug, slug)


@pytest.mark.parametrize("date", ["2013", "2013-02", "2013-02-01", "2024-02-29", "0001"])
def test_a_date_is_as_precise_as_known_and_stays_so(date: str) -> None:
    assert TypeAdapter(PartialDate).validate_python(date) == date


@pytest.mark.parametrize(
    "date",
    ["", "13", "2013-2", "2013-13", "2013-00", "2013-02-30", "2023-02-29", "2013-02-01T00:00", "2013/02", "0000",
     "2013\n", " 2013", "２０１３", "2013-0２"],  # noqa: RUF001
)  # fmt: skip
def test_nothing_else_is_a_date(date: str) -> None:
    assert not accepts(PartialDate, date)


@given(st.dates())
def test_every_day_of_the_calendar_is_a_date_at_each_precision(day: Any) -> None:
    text = day.isoformat()
    assert all(accepts(PartialDate, text[:length]) for length in (4, 7, 10))


class Holder(BaseModel):
    number: Number


@given(st.decimals(min_value=-999_999, max_value=999_999, places=9))
def test_a_number_is_exact_through_json(number: Decimal) -> None:
    raw = Holder(number=number).model_dump_json()
    assert Holder.model_validate_json(raw, strict=True).number == number
    assert Decimal(str(json.loads(raw)["number"])) == number


@pytest.mark.parametrize(
    "raw", ["NaN", "Infinity", "-Infinity", "1e400", '"1"', "true", "null", "[]", "1.0000000001", "1e15"]
)
def test_nothing_but_a_finite_number_of_fifteen_digits_is_a_number(raw: str) -> None:
    with pytest.raises(ValidationError):
        Holder.model_validate_json(f'{{"number": {raw}}}', strict=True)


@pytest.mark.parametrize(
    "url", ["ftp://host/", "javascript:alert(1)", "//host/", "https://", "https://a b", "https://a\n"]
)
def test_an_address_is_absolute_and_of_the_web(url: str) -> None:
    assert not accepts(Url, url)
    assert accepts(Url, "https://doi.org/10.1002/art.37734")


def test_a_name_in_a_filter_is_printable_and_bounded() -> None:
    assert accepts(IdOrCode, "icd10cm:M79.7")
    for name in ("", "a b", "ü", "\x00", "x" * 201):
        assert not accepts(IdOrCode, name)
