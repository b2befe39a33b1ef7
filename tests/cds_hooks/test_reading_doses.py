"""Which dose the words of an order mean: read rightly, or not at all."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.cds_hooks.dosage import read_dose
from app.cds_hooks.dose_text import Product, read_product
from tests.cds_hooks.support import cards, order, request, rules

OWN_WORDS = ("ldz", "zelvan", "zelvanum", "zelvane")
"""Those of the manifest of the data set."""
NBSP, THIN = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


def dose(text: str, product: str = "Zelvane") -> str | None:
    read = read_dose([{"text": text}], read_product([product]), OWN_WORDS)
    return read.text.removesuffix(" a day") if read else None


@pytest.mark.parametrize(
    ("product", "expected"),
    [
        ("Zelvane 1,500 mcg capsule", "1.5 mg"),
        (f"Zelvane 1{NBSP}500 mcg capsule", "1.5 mg"),
        (f"Zelvane 1{THIN}500 \N{MICRO SIGN}g capsule", "1.5 mg"),
        ("Zelvane 1'500 mcg", "1.5 mg"),
        ("Zelvane 1\N{RIGHT SINGLE QUOTATION MARK}500 ug", "1.5 mg"),
        ("Zelvane 1,500.0 mcg", "1.5 mg"),
        ("Zelvane 1.500,0 mcg", "1.5 mg"),
        ("Zelvane 4500 micrograms", "4.5 mg"),
        ("Zelvan 4,5 mg Kapsel", "4.5 mg"),
        ("Zelvane .5 mg", "0.5 mg"),
        ("Zelvane 0,500 mg", "0.5 mg"),
        ("Zelvane 1.500 mcg capsule", None),
        ("Zelvane 1.500 mg capsule", None),
        ("Zelvane 4,500 mg capsule", None),
        ("Zelvane 1 500 mcg capsule", None),
        ("Zelvane 1,50,0 mcg", None),
    ],
)
def test_numbers_are_read_as_their_locale_means_them_or_not_at_all(product: str, expected: str | None) -> None:
    assert dose("take 1 capsule nightly", product) == expected


@pytest.mark.parametrize("mark", ["\N{SOFT HYPHEN}", "\N{ZERO WIDTH SPACE}", "\N{WORD JOINER}", "\ufeff"])
def test_marks_without_width_change_nothing(mark: str) -> None:
    assert (
        dose(f"take 1.5{mark} mg to 4{mark}.5 mg night{mark}ly")
        == dose("take 1.5 mg to 4.5 mg nightly")
        == "1.5 to 4.5 mg"
    )


@pytest.mark.parametrize("dash", "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d")
def test_a_range_is_one_with_any_dash(dash: str) -> None:
    assert dose(f"take 1.5{dash}4.5 mg nightly") == "1.5 to 4.5 mg"


@pytest.mark.parametrize(
    ("text", "product", "expected"),
    [
        ("Take 3 capsules by mouth nightly", "zelvane 1.5 mg capsule", "4.5 mg"),
        ("Take three (3) capsules nightly", "zelvane 1.5 mg capsule", "4.5 mg"),
        ("3 cap(s) at bedtime", "zelvane 1.5 mg", "4.5 mg"),
        ("3 capsules of 1.5 mg at bedtime", "Zelvane", "4.5 mg"),
        ("3 x 1.5 mg capsules at bedtime", "Zelvane", "4.5 mg"),
        ("take 3 1.5 mg caps", "Zelvane", "4.5 mg"),
        ("3 capsules (1.5 mg each)", "Zelvane", "4.5 mg"),
        ("3 capsules (4.5 mg total)", "Zelvane", "4.5 mg"),
        ("3 capsules = 4.5 mg", "Zelvane", "4.5 mg"),
        ("3 capsules (4.5 mg) nightly", "zelvane 1.5 mg capsule", "4.5 mg"),
        ("4.5 mg (1 capsule) daily", "zelvane 4.5 mg capsule", "4.5 mg"),
        ("1.5 mg capsules: take 3 at bedtime", "zelvane 1.5 mg capsule", "4.5 mg"),
        ("Take 1 to 3 capsules at bedtime", "zelvane 1.5 mg capsule", "1.5 to 4.5 mg"),
        ("\N{VULGAR FRACTION ONE HALF} tablet daily", "Zelvane 50 mg tablet", "25 mg"),
        ("1 1/2 tablets daily", "Zelvane 3 mg tablet", "4.5 mg"),
        ("one and a half tablets daily", "Zelvane 3 mg tablet", "4.5 mg"),
        ("half a tablet daily", "Zelvane 9 mg tablet", "4.5 mg"),
        ("1 Kapsel zur Nacht", "Zelvan 4,5 mg", "4.5 mg"),
        ("Take 1 capsule (4.5 mg total) by mouth nightly", "zelvane 4.5 mg capsule", "4.5 mg"),
        ("Take 0.5 tablets (25 mg total) by mouth daily", "zelvane 50 mg tablet", "25 mg"),
        ("Take 1 capsule by mouth 2 (two) times a day", "zelvane 1.5 mg capsule", "3 mg"),
        ("1 capsule every 12 (twelve) hours", "zelvane 1.5 mg capsule", "3 mg"),
        ("take one (1) 4.5mg capsule qhs", "zelvane", "4.5 mg"),
        ("2 po qhs", "zelvane 1.5 mg capsule", "3 mg"),
        ("2 by mouth daily", "zelvane 1.5 mg capsule", "3 mg"),
        ("1-2 po qhs", "zelvane 1.5 mg capsule", "1.5 to 3 mg"),
        ("1 cap in the morning and 2 caps at bedtime", "zelvane 1.5 mg capsule", "4.5 mg"),
        ("0-0-2", "Zelvan 1,5 mg Kapsel", None),
        ("Take per titration schedule", "zelvane 1.5 mg capsule", None),
        ("Take 3 capsules (4.5 mg) nightly", "Zelvane", None),
        ("Take 2 capsules", "Zelvane", None),
        ("3 capsules (4 mg)", "zelvane 1.5 mg capsule", None),
    ],
)
def test_capsules_are_counted(text: str, product: str, expected: str | None) -> None:
    assert dose(text, product) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Take 1.5-4.5 mg at bedtime", "1.5 to 4.5 mg"),
        ("Take 1.5 to 4.5 mg at bedtime", "1.5 to 4.5 mg"),
        ("Take 1.5 mg to 4.5 mg at bedtime", "1.5 to 4.5 mg"),
        ("1,5 bis 4,5 mg abends", "1.5 to 4.5 mg"),
        ("1.5\N{EN DASH}4.5 mg qhs", "1.5 to 4.5 mg"),
        ("4.5-1.5 mg", None),
        ("1.5 mg nightly for 2 weeks, then 3 mg for 2 weeks, then 4.5 mg", "1.5 to 4.5 mg"),
        ("Start 1 mg at bedtime, increase by 0.5 mg every week up to 4.5 mg", "1 to 4.5 mg"),
        ("Start 1.5 mg. Increase weekly. Max 4.5 mg", "1.5 to 4.5 mg"),
        ("Taper: 4.5 mg for 7 days, 3 mg for 7 days, 1.5 mg for 7 days", "1.5 to 4.5 mg"),
        ("Week 1: 1.5 mg; week 2: 3 mg; week 3: 4.5 mg", "1.5 to 4.5 mg"),
    ],
)
def test_ranges_and_steps_give_a_range(text: str, expected: str | None) -> None:
    assert dose(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "1 capsule x 7 days then 2 capsules x 7 days then 3 capsules",
        "Take 1 cap nightly. May increase by 1 cap every 2 weeks as tolerated to max 3 caps",
        "1.5mg PO QHS x 14 days, then 3mg PO QHS x 14 days, then 4.5mg PO QHS",
        "Take 3 capsules, decrease by 2 capsules after 14 days to 1 capsule",
    ],
)
def test_steps_in_capsules_give_a_range(text: str) -> None:
    assert dose(text, "Zelvane 1.5 mg capsule") == "1.5 to 4.5 mg"


@pytest.mark.parametrize(
    ("text", "product", "expected"),
    [
        ("Take 4.5 mL by mouth at bedtime", "Zelvane 1 mg/mL oral suspension", "4.5 mg"),
        ("Take 4.5 mL at bedtime", "Zelvane 5 mg/5 mL", "4.5 mg"),
        ("0.5 ml twice daily", "zelvane 1mg per ml", "1 mg"),
        ("1 to 3 mL nightly", "Zelvane 1.5 mg/mL", "1.5 to 4.5 mg"),
        ("4.5 mL (4.5 mg) nightly", "Zelvane 1 mg/mL", "4.5 mg"),
        ("4.5 mL of 1 mg/mL nightly", "Zelvane oral solution", "4.5 mg"),
        ("Take 2 mL at bedtime", "Zelvane oral suspension", None),
        ("4.5 mL (9 mg) nightly", "Zelvane 1 mg/mL", None),
        ("", "Zelvane 1 mg/mL oral suspension", None),
        ("1 mL daily", "Zelvane 5 mg/0 mL", None),
    ],
)
def test_milliliters_are_reckoned_by_the_concentration(text: str, product: str, expected: str | None) -> None:
    assert dose(text, product) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4.5 mg every other day", "2.25 mg"),
        ("4.5 mg on alternate days", "2.25 mg"),
        ("4.5 mg QOD", "2.25 mg"),
        ("4.5 mg every 3 days", "1.5 mg"),
        ("3.5 mg twice a week", "1 mg"),
        ("7 mg three times a week", "3 mg"),
        ("7 mg 3x/week", "3 mg"),
        ("7 mg Mon, Wed, Fri", "3 mg"),
        ("7 mg once weekly", "1 mg"),
        ("4.5 mg three times a week", "about 1.9286 mg"),
        ("1.5 mg q12h", "3 mg"),
        ("1.5 mg every 8 hours", "4.5 mg"),
        ("1.5 mg b.i.d.", "3 mg"),
        ("1.5 mg TID", "4.5 mg"),
        ("1.5 mg in the morning and at bedtime", "3 mg"),
        ("1.5 mg in the morning and 3 mg at bedtime", "4.5 mg"),
        ("380 mg every 4 weeks", None),
        ("380 mg IM monthly", None),
        ("4.5 mg every so often", None),
        ("0.1 mg/kg daily", None),
        ("4.5 mg 999999999 times a day", None),
        (f"{'9' * 60} mg daily", None),
        ("4.5 mg 0 times a day", None),
    ],
)
def test_the_daily_dose_is_reckoned_from_how_often(text: str, expected: str | None) -> None:
    assert dose(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4.5 mg qhs. Avoid more than 3000 mg acetaminophen.", "4.5 mg"),
        ("4.5 mg qhs; do not take with tralort 50 mg", "4.5 mg"),
        ("4.5 mg nightly with magnesium 400 mg", "4.5 mg"),
        ("Take 4.5 mg daily, max 4.5 mg daily. Disp: 30 capsules", "4.5 mg"),
        ("4.5 mg nightly, instead of 50 mg", "4.5 mg"),
        ("4.5 mg or 9 mg", "4.5 to 9 mg"),
        ("1.5 mg, 3 mg", None),
    ],
)
def test_the_amount_of_another_drug_is_not_read(text: str, expected: str | None) -> None:
    assert dose(text) == expected


DAY: dict[str, Any] = {"frequency": 1, "period": 1, "periodUnit": "d"}


def structured(quantity: Any, **repeat: Any) -> dict[str, Any]:
    return {"timing": {"repeat": repeat or DAY}, "doseAndRate": [{"doseQuantity": quantity}]}


@pytest.mark.parametrize(
    ("instruction", "product", "expected"),
    [
        ({**structured({"value": 4.5, "code": "mg"}), "doseAndRate": {"doseQuantity": {"value": 4.5, "code": "mg"}}},
         "Zelvane", "4.5 mg"),
        (structured({"value": 3, "unit": "cap(s)"}), "zelvane 1.5 mg oral capsule", "4.5 mg"),
        (structured({"value": 3, "unit": "Capsule"}), "zelvane 1.5 mg", "4.5 mg"),
        (structured({"value": 3, "code": "{Cap}"}), "zelvane 1.5 mg", "4.5 mg"),
        (structured({"value": 4.5, "unit": "mL"}), "zelvane 1 mg/mL", "4.5 mg"),
        (structured({"value": 7, "code": "mg"}, dayOfWeek=["mon", "wed", "fri"]), "", "3 mg"),
        (structured({"value": 1.5, "code": "mg"}, timeOfDay=["08:00:00", "20:00:00"]), "", "3 mg"),
        (structured({"value": 4.5, "code": "mg"}, frequency=1, period=1, periodMax=3, periodUnit="d"), "",
         "1.5 to 4.5 mg"),
        ({**structured({"value": 4.5, "code": "mg"}), "timing": {"code": {"coding": [{"code": "QOD"}]}}}, "",
         "2.25 mg"),
        (structured({"value": 380, "code": "mg"}, frequency=1, period=1, periodUnit="mo"), "", None),
        (structured({"value": 380, "code": "mg"}, frequency=1, period=4, periodUnit="wk"), "", None),
        (structured({"value": 2, "unit": "puff"}), "zelvane 4.5 mg", None),
        ({"doseAndRate": [{"doseRange": {"low": {"value": 1.5, "code": "mg"}, "high": {"value": 4.5, "code": "x"}}}]},
         "", None),
    ],
)  # fmt: skip
def test_the_structure_of_an_order_is_read(instruction: dict[str, Any], product: str, expected: str | None) -> None:
    read = read_dose([instruction], read_product([product] if product else []), OWN_WORDS)

    assert (read.text.removesuffix(" a day") if read else None) == expected


def test_one_instruction_that_cannot_be_read_leaves_the_dose_unread() -> None:
    assert read_dose([structured({"value": 4.5, "code": "mg"}), {"text": "2 capsules at noon"}], Product()) is None


def test_an_order_that_calls_itself_low_dose_says_that_its_dose_was_not_read(clinic: TestClient) -> None:
    draft = order("d", "LDZ compounded", dosageInstruction=[{"text": "1.500 mg nightly"}])

    (card,) = cards(clinic, request(draft))

    assert rules([card]) == ["zelvane-evidence"]
    assert "Dose not read" in card["detail"]
    assert "dose" not in card["extension"]["ldn-evidence.reproduction"]
