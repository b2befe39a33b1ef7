"""Which drug of the shipped data set an order means."""

import pytest

from app.cds_hooks.drugs import CodedText, Coding, Drug, Formulary
from tests.cds_hooks.support import ATC, RXNORM
from tests.cds_hooks.test_reading_drugs import NDC, UNII, formulary

__all__ = ["formulary"]


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
def test_words_tell_the_shipped_drug(formulary: Formulary, word: str, kind: str) -> None:
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
def test_codes_tell_the_shipped_drug(formulary: Formulary, system: str, code: str, kind: str) -> None:
    drug = formulary.recognise(CodedText(codes=(Coding(system, code),)))

    assert kinds(drug) == ([] if kind == "other" else kind.split())
    assert drug.is_known is bool(kind)
