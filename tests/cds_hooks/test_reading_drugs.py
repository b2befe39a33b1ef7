"""Which drug an order means, and which dose."""

from typing import Any

import pytest

from app.cds_hooks.dosage import coded_product, read_dose
from app.cds_hooks.dose_text import Product, read_product
from app.cds_hooks.drugs import CodedText, Coding, Drug, Formulary, load_formulary
from app.concepts.manifest import Manifest
from tests import neutral
from tests.cds_hooks.support import ATC, RXNORM
from tests.conftest import Engine, opened

NDC, UNII = "http://hl7.org/fhir/sid/ndc", "http://fdasis.nlm.nih.gov"


@pytest.fixture(scope="session")
def formulary(engine: Engine) -> Formulary:
    with opened(engine.original) as database, database.read() as session:
        return load_formulary(session)


def kinds(drug: Drug) -> list[str]:
    """Of the data set: its checks are about zelvane, and it warns of zelvane and lorts together."""
    side = "zelvane" if drug.is_watched else "lort" if drug.is_warned_of else ""
    return [kind for kind in (side, "combination" if drug.is_combination else "") if kind]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Zelvane 4.5 mg capsule", "zelvane"),
        ("zelvane HCl 50 MG Oral Tablet [Zelvia]", "zelvane"),
        ("LDZ 3mg (compounded)", "zelvane"),
        ("ZELSTAY 380 mg", "zelvane"),
        ("Zelvane 4.5 mg, do not take with oxilort", "zelvane"),
        ("comparine hydrochloride 90 MG / zelvane hydrochloride 8 MG", "zelvane combination"),
        ("Zelcomp", "zelvane combination"),
        (
            "morlort sulfate 20 MG / zelvane hydrochloride 0.8 MG Extended Release Oral Capsule",
            "lort combination",
        ),
        ("oxilort and zelvane", "lort combination"),
        ("OXIZEL", "lort combination"),
        ("oxilort hydrochloride 5 MG Oral Tablet [Oxinex]", "lort"),
        ("buplort 8 MG / unlort 2 MG", "lort"),
        ("Oxinex #3", "lort"),
        ("Oxilort; stop before any zelvane", "lort"),
        ("methylzelvane bromide 12 mg", "other"),
        ("apomorlort", "other"),
        ("unlort nasal spray", "other"),
        ("dextromethorphan", "other"),
        ("Tylenol 325 mg", "other"),
    ],
)
def test_words_tell_the_drug(formulary: Formulary, word: str, kind: str) -> None:
    drug = formulary.recognise(CodedText(words=(word,)))

    assert kinds(drug) == ([] if kind == "other" else kind.split())
    assert drug.is_known


@pytest.mark.parametrize(
    ("system", "code", "kind"),
    [
        (RXNORM, "9990001", "zelvane"),
        (RXNORM, "9990011", "zelvane"),
        (ATC, "N99XX01", "zelvane"),
        (RXNORM, "9990301", "zelvane combination"),
        *((RXNORM, code, "lort combination") for code in ("9990300",)),
        (RXNORM, "9990100", "lort"),
        (ATC, "N98AA01", "lort"),
        (ATC, "N98AA05", "lort"),
        (RXNORM, "9990110", "lort"),
        (NDC, "99999-0001-12", "zelvane"),
        (RXNORM, "5640", ""),
        ("http://snomed.info/sct", "9990001", ""),
    ],
)
def test_codes_tell_the_drug(formulary: Formulary, system: str, code: str, kind: str) -> None:
    drug = formulary.recognise(CodedText(codes=(Coding(system, code),)))

    assert kinds(drug) == ([] if kind == "other" else kind.split())
    assert drug.is_known is bool(kind)


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
         ("3 to 6 mg a day", ["low", "standard"], "doseAndRate")),
        ([_dose(500, "ug", **DAY)], (), ("0.5 mg a day", ["tiny"], "doseAndRate")),
        ([_dose(0.5, "mcg", **DAY)], (), ("0.0005 mg a day", ["tiny"], "doseAndRate")),
        ([_dose(50, "MG", **DAY)], (), ("50 mg a day", ["standard"], "doseAndRate")),
        ([_dose("4.5", **DAY)], (), ("4.5 mg a day", ["low"], "doseAndRate")),
        ([_dose(10, **DAY)], (), ("10 mg a day", ["standard"], "doseAndRate")),
        ([{"sequence": n, **_dose(v, **DAY)} for n, v in ((1, 1.5), (2, 3), (3, 4.5))], (),
         ("1.5 to 4.5 mg a day", ["low"], "doseAndRate")),
        ([_dose(1.5, when=["MORN"]), _dose(4.5, when=["HS"])], (),
         ("1.5 to 6 mg a day", ["low", "standard"], "doseAndRate")),
        ([{"doseAndRate": [{"doseRange": {"low": {"value": 1, "code": "mg"}}}]}], (),
         ("1 mg a day", ["low", "standard"], "doseAndRate")),
        ([_dose(1, "{capsule}", **DAY)], ("Zelvane 4.5 mg capsule",), ("4.5 mg a day", ["low"], "strength")),
        ([_dose(2, "tablet", **DAY)], ("Zelvane 50 mg tablet",), ("100 mg a day", ["standard"], "strength")),
        ([{"text": "4,5 mg at bedtime"}], (), ("4.5 mg a day", ["low"], "text")),
        ([{"text": "1.5 mg twice daily"}], (), ("3 mg a day", ["low"], "text")),
        ([{"text": "take 1 capsule"}], ("zelvane 3 mg",), ("3 mg a day", ["low"], "strength")),
        ([], ("zelvane 1 mg/mL solution",), None),
        ([_dose(4.5, "furlong", **DAY)], (), None),
        ([_dose(0.1, "mg/kg", **DAY)], (), None),
        ([_dose(value, **DAY) for value in IMPOSSIBLE], (), None),
        ([_dose(4.5, frequency=1, period=1, periodUnit="fortnight")], (), None),
        ("bedtime", (), None),
        (None, (), None),
    ],
)  # fmt: skip
def test_the_daily_dose_is_read_and_put_in_its_band(instructions: Any, words: tuple[str, ...], expected: Any) -> None:
    read = read_dose(instructions, read_product(words))
    manifest = Manifest.model_validate(neutral.MANIFEST)
    bands = read and read.in_bands(manifest.dose_tiers[0], manifest.units).tiers

    assert (read and (read.text, [band.value for band in bands or ()], read.read_from)) == expected


def test_the_strength_of_an_ingredient_is_counted() -> None:
    strength = {"numerator": {"value": 4.5, "unit": "mg"}, "denominator": {"value": 1, "unit": "capsule"}}

    read = read_dose([_dose(1, "capsule", **DAY)], coded_product([None, strength]) or Product())

    assert read is not None
    assert read.text == "4.5 mg a day"
