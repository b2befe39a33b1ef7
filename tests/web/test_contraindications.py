"""Pages that show a dose, or conditions, say what contraindicates the treatment there, and of whom that is said."""

from collections.abc import Iterator
from html import unescape
from re import search

import pytest
from starlette.testclient import TestClient

from tests.conftest import Engines, serving

WARNING = "The label says that zelvane must not be given to people who are receiving lorts."
ALLERGY = "Zelvane must not be given to people allergic to it."
SAID_OF_THE_DRUG = "Said of zelvane, the drug, at its usual doses."


@pytest.fixture(scope="module")
def reader(engines: Engines) -> Iterator[TestClient]:
    with serving(engines("sqlite").original) as client:
        yield client


def _page(reader: TestClient, address: str) -> str:
    answer = reader.get(address)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def test_a_dose_stands_with_the_contraindications_of_the_drug(reader: TestClient) -> None:
    page = _page(reader, "/dosing-ranges/ldz-4-5-mg")
    assert WARNING in page
    assert ALLERGY in page
    assert SAID_OF_THE_DRUG in page
    assert page.index("Contraindications") < page.index("Claims on this dose")


def test_those_of_the_drug_itself_are_not_said_of_somebody_else(reader: TestClient) -> None:
    page = _page(reader, "/dosing-ranges/zelvane-50-mg")
    assert WARNING in page
    assert "Said of" not in page


def test_the_list_says_which_condition_is_a_contraindication(reader: TestClient) -> None:
    cards = _page(reader, "/conditions").split('<li class="card">')
    (dependence,) = [card for card in cards if ">Lort dependence</a>" in card]
    (murmuria,) = [card for card in cards if ">Murmuria</a>" in card]
    assert WARNING in dependence
    assert SAID_OF_THE_DRUG in dependence
    assert ALLERGY not in dependence
    assert "contraindication" not in murmuria


def test_the_map_says_it_of_its_conditions(reader: TestClient) -> None:
    page = _page(reader, "/evidence-map?condition=lort-dependence&condition=murmuria")
    section = search(r"<h2>Contraindications that name this condition: ([^<]+)</h2>(.*?)</ul>", page.replace("\n", " "))
    assert section is not None
    assert section[1] == "Lort dependence"
    assert WARNING in section[2]
    assert "Contraindications" not in _page(reader, "/evidence-map?condition=murmuria")
