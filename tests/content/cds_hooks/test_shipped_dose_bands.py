"""Daily doses in the bands that the shipped data set tells apart."""

from typing import Any

import pytest

from app.cds_hooks.dosage import read_dose
from app.cds_hooks.dose_text import read_product
from app.datasets.files_beside import read_manifest
from tests.conftest import SEED


def _dose(value: Any, unit: str | None = "mg", **repeat: Any) -> dict[str, Any]:
    quantity = {"value": value} | ({"code": unit} if unit else {})
    return {"doseAndRate": [{"doseQuantity": quantity}]} | ({"timing": {"repeat": repeat}} if repeat else {})


IMPOSSIBLE: tuple[Any, ...] = (-1, None, True, "NaN", 10**30, [], {})


DAY: dict[str, Any] = {"frequency": 1, "period": 1, "periodUnit": "d"}


@pytest.mark.parametrize(
    ("instructions", "words", "expected"),
    [
        ([_dose(4.5, **DAY)], (), ("4.5 mg a day", ["low"], "doseAndRate")),
        ([_dose(1.5, frequency=3, period=1, periodUnit="d")], (), ("4.5 mg a day", ["low"], "doseAndRate")),
        ([_dose(4.5, frequency=1, period=2, periodUnit="d")], (), ("2.25 mg a day", ["low"], "doseAndRate")),
        ([_dose(4.5, when=["HS"])], (), ("4.5 mg a day", ["low"], "doseAndRate")),
        ([_dose(3, frequency=1, frequencyMax=2, period=1, periodUnit="d")], (),
         ("3 to 6 mg a day", ["low", "intermediate"], "doseAndRate")),
        ([_dose(500, "ug", **DAY)], (), ("0.5 mg a day", ["very_low"], "doseAndRate")),
        ([_dose(0.5, "mcg", **DAY)], (), ("0.0005 mg a day", ["ultra_low"], "doseAndRate")),
        ([_dose(50, "MG", **DAY)], (), ("50 mg a day", ["standard"], "doseAndRate")),
        ([_dose("4.5", **DAY)], (), ("4.5 mg a day", ["low"], "doseAndRate")),
        ([_dose(10, **DAY)], (), ("10 mg a day", ["intermediate"], "doseAndRate")),
        ([{"sequence": n, **_dose(v, **DAY)} for n, v in ((1, 1.5), (2, 3), (3, 4.5))], (),
         ("1.5 to 4.5 mg a day", ["low"], "doseAndRate")),
        ([_dose(1.5, when=["MORN"]), _dose(4.5, when=["HS"])], (),
         ("1.5 to 6 mg a day", ["low", "intermediate"], "doseAndRate")),
        ([{"doseAndRate": [{"doseRange": {"low": {"value": 1, "code": "mg"}}}]}], (),
         ("1 mg a day", ["low", "intermediate", "standard"], "doseAndRate")),
        ([_dose(1, "{capsule}", **DAY)], ("Naltrexone 4.5 mg capsule",), ("4.5 mg a day", ["low"], "strength")),
        ([_dose(2, "tablet", **DAY)], ("Naltrexone 50 mg tablet",), ("100 mg a day", ["standard"], "strength")),
        ([{"text": "4,5 mg at bedtime"}], (), ("4.5 mg a day", ["low"], "text")),
        ([{"text": "1.5 mg twice daily"}], (), ("3 mg a day", ["low"], "text")),
        ([{"text": "take 1 capsule"}], ("naltrexone 3 mg",), ("3 mg a day", ["low"], "strength")),
        ([], ("naltrexone 1 mg/mL solution",), None),
        ([_dose(4.5, "furlong", **DAY)], (), None),
        ([_dose(0.1, "mg/kg", **DAY)], (), None),
        ([_dose(value, **DAY) for value in IMPOSSIBLE], (), None),
        ([_dose(4.5, frequency=1, period=1, periodUnit="fortnight")], (), None),
        ("bedtime", (), None),
        (None, (), None),
    ],
)  # fmt: skip
def test_the_daily_dose_is_put_in_its_shipped_band(instructions: Any, words: tuple[str, ...], expected: Any) -> None:
    read = read_dose(instructions, read_product(words))
    manifest = read_manifest(SEED)
    assert manifest is not None
    bands = read and read.in_bands(manifest.dose_tiers[0], manifest.units).tiers

    assert (read and (read.text, [band.value for band in bands or ()], read.read_from)) == expected
