"""Orders of a drug whose doses are no masses are read in the units of its bands."""

from typing import Any

import pytest

from app.cds_hooks.dosage import coded_product, read_dose
from app.cds_hooks.dose_text import Product, amount_words, read_product
from app.concepts.terms import UnitTerm, Vocabularies
from app.concepts.units import SHIPPED_UNITS, units_of

WEEKLY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}
INTERNATIONAL = amount_words("[iU]", SHIPPED_UNITS)


def quantity(value: float, code: str, **more: Any) -> dict[str, Any]:
    return {"doseAndRate": [{"doseQuantity": {"value": value, "code": code}}], **more}


def reading(instruction: Any, product: Product | None = None) -> str | None:
    read = read_dose([instruction], product or Product(), (), INTERNATIONAL)
    assert read is None or read.daily.of == "[iU]"
    return read.text if read else None


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        (quantity(1000, "[iU]"), "1000 international units a day"),
        (quantity(2, "k[iU]"), "2000 international units a day"),
        (quantity(7, "k[iU]", timing=WEEKLY), "1000 international units a day"),
        ({"text": "take 2000 IU daily"}, "2000 international units a day"),
        ({"text": "1,000 international units twice daily"}, None),
        ({"text": "1000 to 2000 IU once daily"}, "1000 to 2000 international units a day"),
        ({"text": "take 1000 units daily"}, None),
        ({"text": "100 IU/kg daily"}, None),
        (quantity(25, "ug"), None),
        ({"text": "take 25 mcg daily"}, None),
    ],
)  # fmt: skip
def test_doses_are_read_in_the_units_of_the_kind_alone(instruction: Any, expected: str | None) -> None:
    assert reading(instruction) == expected


def test_strengths_count_in_the_same_units() -> None:
    product = read_product(["Vitamin D3 1000 IU tablet"], INTERNATIONAL)
    assert reading({"text": "take 2 tablets daily"}, product) == "2000 international units a day"
    strength = {"numerator": {"value": 5, "code": "k[iU]"}, "denominator": {"value": 1, "code": "mL"}}
    coded = coded_product([strength], INTERNATIONAL)
    assert coded is not None
    assert reading({"text": "2 ml daily"}, coded) == "10000 international units a day"


def test_a_data_set_reads_its_own_units() -> None:
    puff = UnitTerm(id="puff", label="puff", definition="-", ucum="{puff}", names=("actuation", "actuations", "puffs"))
    puffs = amount_words("puff", units_of(Vocabularies(units=(puff,))))
    for instruction in (quantity(2, "{puff}"), {"text": "2 puffs daily"}, {"text": "take 2 actuations once a day"}):
        read = read_dose([instruction], Product(), (), puffs)
        assert read is not None
        assert read.text == "2 puffs a day"
