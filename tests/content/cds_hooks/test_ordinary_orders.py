"""A hundred ordinary orders of opioids: none of them may be interrupted."""

from itertools import product

import pytest
from starlette.testclient import TestClient

from tests.cds_hooks.support import Json, active, bundle, order, request, stopped
from tests.cds_hooks.test_kinds_of_requests import EMPTY_ANSWERS, NEXT
from tests.content.cds_hooks.support import cards

OPIOIDS = (
    "Oxycodone 5 mg tablet",
    "OxyContin 10 mg 12 hr tablet",
    "Percocet 5-325 mg",
    "hydrocodone-acetaminophen 5-325 mg tablet",
    "morphine sulfate 15 mg IR tablet",
    "MS Contin 30 mg",
    "fentanyl 25 mcg/hr patch",
    "codeine-guaifenesin 10-100 mg/5 mL liquid",
    "Tylenol #3",
    "tramadol 50 mg tablet",
    "Ultram 50 mg",
    "hydromorphone 2 mg tablet",
    "methadone 10 mg tablet",
    "buprenorphine-naloxone 8-2 mg film",
    "Butrans 10 mcg/hr patch",
    "tapentadol 50 mg",
    "meperidine 50 mg/mL injection",
    "oxymorphone 5 mg",
    "butorphanol 10 mg/mL nasal spray",
    "Tramadol 50 mg Kapsel",
)
ORDINARY = (
    "Lisinopril 10 mg tablet", "Metformin 500 mg", "Atorvastatin 40 mg", "Ibuprofen 600 mg", "Docusate 100 mg",
    "Naloxone 4 mg nasal spray", "Ondansetron 4 mg", "Vitamin D3 1000 units", "Gabapentin 300 mg", "Senna 8.6 mg",
)  # fmt: skip
_LONG = [active(str(n), f"{ORDINARY[n % 10]}", authoredOn="2025-12-01") for n in range(200)]
_ENDED = [stopped(f"s{n}", ORDINARY[n % 10], authoredOn=f"20{25 - n // 20}-11-{1 + n % 20:02}") for n in range(100)]
_OPIOIDS_BEFORE = [active("o1", "Oxycodone 5 mg"), stopped("o2", "Morphine 15 mg", authoredOn="2025-12-30")]
LISTS: dict[str, Json] = {
    "empty": {"medications": bundle(total=0), "stopped": bundle(total=0), "statements": bundle(total=0)},
    "null": {"medications": None, "stopped": None, "statements": None},
    "no results at Epic": dict.fromkeys(("medications", "stopped", "statements"), EMPTY_ANSWERS["4101 and 4119"]),
    "long": {"medications": bundle(*_LONG), "stopped": bundle(*_ENDED, **NEXT), "statements": None},
    "opioids before": {"medications": bundle(*_OPIOIDS_BEFORE[:1]), "stopped": bundle(*_OPIOIDS_BEFORE[1:])},
}


def test_they_are_a_hundred() -> None:
    assert len(list(product(OPIOIDS, LISTS))) == 100


@pytest.mark.parametrize("lists", LISTS)
@pytest.mark.parametrize("opioid", OPIOIDS)
def test_an_ordinary_order_of_an_opioid_gets_no_card(clinic: TestClient, opioid: str, lists: str) -> None:
    draft = order("d", opioid, authoredOn="2026-01-05", intent="order")

    assert cards(clinic, request(draft, **LISTS[lists])) == []
