"""Which drug an order means, and which dose."""

from typing import Any

import pytest

from app.cds_hooks.dosage import coded_product, read_dose
from app.cds_hooks.dose_text import Product, read_product
from app.cds_hooks.drugs import CodedText, Coding, Drug, Formulary, load_formulary
from app.datasets.files_beside import read_manifest
from tests.cds_hooks.support import ATC, RXNORM
from tests.conftest import SEED, Engine, opened

NDC, UNII = "http://hl7.org/fhir/sid/ndc", "http://fdasis.nlm.nih.gov"


@pytest.fixture(scope="session")
def formulary(engine: Engine) -> Formulary:
    with opened(engine.original) as database, database.read() as session:
        return load_formulary(session)


def kinds(drug: Drug) -> list[str]:
    """Of the data set: its checks are about naltrexone, and it warns of naltrexone and opioids together."""
    side = "naltrexone" if drug.is_watched else "opioid" if drug.is_warned_of else ""
    return [kind for kind in (side, "combination" if drug.is_combination else "") if kind]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Naltrexone 4.5 mg capsule", "naltrexone"),
        ("naltrexone HCl 50 MG Oral Tablet [ReVia]", "naltrexone"),
        ("LDN 3mg (compounded)", "naltrexone"),
        ("VIVITROL 380 mg", "naltrexone"),
        ("Naltrexone 4.5 mg, do not take with oxycodone", "naltrexone"),
        ("bupropion hydrochloride 90 MG / naltrexone hydrochloride 8 MG", "naltrexone combination"),
        ("Mysimba", "naltrexone combination"),
        (
            "morphine sulfate 20 MG / naltrexone hydrochloride 0.8 MG Extended Release Oral Capsule",
            "opioid combination",
        ),
        ("oxycodone and naltrexone", "opioid combination"),
        ("EMBEDA", "opioid combination"),
        ("oxycodone hydrochloride 5 MG Oral Tablet [Roxicodone]", "opioid"),
        ("buprenorphine 8 MG / naloxone 2 MG", "opioid"),
        ("Tylenol #3", "opioid"),
        ("Oxycodone; stop before any naltrexone", "opioid"),
        ("methylnaltrexone bromide 12 mg", "other"),
        ("Methyl-naltrexone", "other"),
        ("apomorphine", "other"),
        ("naloxone nasal spray", "other"),
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
        (RXNORM, "7243", "naltrexone"),
        (RXNORM, "1483744", "naltrexone"),
        (ATC, "N07BB04", "naltrexone"),
        (RXNORM, "1551468", "naltrexone combination"),
        *(
            (RXNORM, code, "opioid combination")
            for code in ("863845", "863848", "863850", "863852", "863854", "863856")
        ),
        (RXNORM, "7804", "opioid"),
        (ATC, "N02AA01", "opioid"),
        (ATC, "N07BC01", "opioid"),
        (ATC, "N02AX99", "opioid"),
        (ATC, "N07BC04", "other"),
        (RXNORM, "1049621", "opioid"),
        (NDC, "70040-0167-12", "opioid"),
        (UNII, "76I7G6D29C", "opioid"),
        (RXNORM, "5640", ""),
        ("http://snomed.info/sct", "7243", ""),
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
def test_the_daily_dose_is_read_and_put_in_its_band(instructions: Any, words: tuple[str, ...], expected: Any) -> None:
    read = read_dose(instructions, read_product(words))
    manifest = read_manifest(SEED)
    assert manifest is not None
    bands = read and read.in_bands(manifest.dose_tiers[0], manifest.units).tiers

    assert (read and (read.text, [band.value for band in bands or ()], read.read_from)) == expected


def test_the_strength_of_an_ingredient_is_counted() -> None:
    strength = {"numerator": {"value": 4.5, "unit": "mg"}, "denominator": {"value": 1, "unit": "capsule"}}

    read = read_dose([_dose(1, "capsule", **DAY)], coded_product([None, strength]) or Product())

    assert read is not None
    assert read.text == "4.5 mg a day"
