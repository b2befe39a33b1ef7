"""What people write in different ways and mean the same is equal once it is folded."""

# ruff: noqa: RUF001 - the letters that look alike are the very subject

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.folding import fold, fold_code, words


@pytest.mark.parametrize(
    "spellings",
    [
        ("Bye-Møller", "bye-moller", "BYE–MØLLER"),
        ("Łódź", "lodz", "ŁÓDŹ", "Lo\u0301dz"),
        ("Đorđe", "dorde"),
        ("Ærø œuvre", "aero oeuvre"),
        ("Straße", "STRASSE", "strasse"),
        ("Iğdır", "igdir", "IĞDIR"),
        ("Þórð", "thord"),
        ("naïve", "nai\u0308ve", "naive"),
        ("ＯＸＩＬＯＲＴ", "oxilort", "oxiLORT"),
        ("oxi\u00adlo\u200brt", "oxilort", "\ufeffoxilort"),
        ("low\u00a0dose", "low dose"),
        ("Crohn's", "Crohn’s", "Crohnʼs", "Crohn´s", "Crohn`s", "Crohns"),
        ("low-dose", "low‐dose", "low‑dose", "low–dose", "low—dose", "low−dose"),
        ("5 µg", "5 μg", "5ug", "5 mcg", "5MCG", "5 micrograms"),
        ("TNF-α", "TNF-alpha", "tnf-Α"),
        ("β-endorphin", "beta-endorphin"),
        ("4.5mg", "4.5 mg", "4.5 MG", "4.5\u202fmg"),
    ],
)
def test_spellings_of_the_same_are_equal(spellings: tuple[str, ...]) -> None:
    assert {fold(text) for text in spellings} == {fold(spellings[0])}
    assert fold(spellings[0]).isascii()


@pytest.mark.parametrize(("one", "other"), [("morlort", "apomorlort"), ("mg", "mcg"), ("b12", "b 1 2"), ("μ", "µg")])
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert words(one) != words(other)


def test_a_word_in_greek_is_not_spelled_out() -> None:
    assert fold("Ζελβάνη") == "ζελβανη"


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing_and_forms_of_unicode_agree(text: str) -> None:
    assert words(fold(text)) == words(text)
    assert words(unicodedata.normalize("NFD", text)) == words(unicodedata.normalize("NFC", text))


def test_a_code_is_compared_in_capitals_without_spaces() -> None:
    assert {fold_code(code) for code in ("n02a a05", "N02AA05", " N02AA\u00a005", "Ｎ02AA05")} == {"N02AA05"}
