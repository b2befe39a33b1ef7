"""Requests that are made to cost much: each is answered soon, and what was not read is never passed over in silence."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.cds_hooks.bounds import MAX_DEPTH, MAX_ENTRIES, MAX_INSTRUCTIONS, MAX_PARTS, MAX_TEXT
from app.cds_hooks.settings import CdsSettings
from tests.cds_hooks.support import (
    ATC,
    LDZ,
    OXILORT,
    SIGN,
    Json,
    active,
    bundle,
    cards,
    cds_client,
    order,
    request,
    rules,
)
from tests.conftest import Engine

MAX_CPU_SECONDS = 3.0
"""Of one answer. Before there were bounds, each of these requests took more, most of them minutes."""
TOO_LARGE = "too-large"


def gaps(found: list[Json]) -> list[str]:
    reproductions = [card["extension"]["ldn-evidence.reproduction"] for card in found]
    return [gap for reproduction in reproductions for gap in reproduction.get("gaps", ())]


def words(seed: int, count: int) -> str:
    """Words that no medicine has, others for each seed."""
    return " ".join(f"zu{chr(97 + i % 26)}q{seed}" for i in range(count))


def medication(identifier: str, *ingredients: str, **fields: Any) -> Json:
    referred = [{"itemReference": {"reference": ingredient}} for ingredient in ingredients]
    return {"resourceType": "Medication", "id": identifier, "ingredient": referred, **fields}


def ordered(identifier: str, reference: str, **fields: Any) -> Json:
    return order(identifier, **{"medicationReference": {"reference": reference}, **fields})


def named_often(identifier: str, ingredient: str, times: int) -> Json:
    """A medication that refers to an ingredient so many times, each time with a long name of zelvane."""
    reference = {"reference": ingredient, "display": "zelvane " * 90}
    return {"resourceType": "Medication", "id": identifier, "ingredient": [{"itemReference": reference}] * times}


def ring(length: int, times: int) -> Iterator[Json]:
    yield from (named_often(str(i), f"Medication/{(i + 1) % length}", times) for i in range(length))


HOSTILE: dict[str, Callable[[], Json]] = {
    "a medication whose 300 ingredients are itself, in 300 orders": lambda: request(
        *(ordered(f"o{i}", "Medication/a") for i in range(300)),
        medications=bundle(medication("a", *["Medication/a"] * 300)),
    ),
    "a contained medication of 2000 ingredients, each of them itself": lambda: request(
        ordered("o", "#a", contained=[medication("a", *["#a"] * 2000)])
    ),
    "a medication of 97 long names of zelvane, in 180 orders": lambda: request(
        *(ordered(f"o{i}", "Medication/a") for i in range(180)),
        medications=bundle(named_often("a", "Medication/a", 97)),
    ),
    "8 medications of 60 long names in a ring, in 300 orders": lambda: request(
        *(ordered(f"o{i}", "Medication/0") for i in range(300)), medications=bundle(*ring(8, 60))
    ),
    "8 medications of 60 long names in a ring, in 4000 statements": lambda: request(
        LDZ,
        medications=bundle(
            *(ordered(f"m{i}", "Medication/0", resourceType="MedicationStatement") for i in range(4000)), *ring(8, 60)
        ),
    ),
    "490 strengths that say nothing, in 5000 orders": lambda: request(
        *(ordered(f"o{i}", "Medication/a") for i in range(5000)),
        medications=bundle(
            {
                **medication("a", code={"text": "zelvane"}),
                "ingredient": [{"strength": {"numerator": {"value": 1, "unit": "drop"}}}] * 490,
            }
        ),
    ),
    "1500 long texts of the times of zelvane": lambda: request(
        *(
            order(f"o{i}", "zelvane 4.5 mg", dosageInstruction=[{"timing": {"code": {"text": "1 mg 2 " * 140}}}])
            for i in range(1500)
        )
    ),
    "100 empty instructions in 1000 orders": lambda: request(
        *(order(f"o{i}", "zelvane 4.5 mg", dosageInstruction=[{}] * 100) for i in range(1000))
    ),
    "300 dosage instructions that are nearly all spaces": lambda: request(
        *(order(f"o{i}", "zelvane", dosageInstruction=[{"text": f"1{' ' * 990}"}]) for i in range(300))
    ),
    "600 orders of 100 doses that say nothing": lambda: request(
        *(
            order(
                f"o{i}",
                "zelvane",
                dosageInstruction=[{"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "drop"}}] * 100}],
            )
            for i in range(600)
        )
    ),
    "one order of 100 long dosage instructions": lambda: request(
        order("o", "zelvane", dosageInstruction=[{"text": "1 mg 2 " * 140, "patientInstruction": "1 " * 499}] * 100)
    ),
    "480 long texts without a word, in 4000 orders": lambda: request(
        LDZ,
        *(ordered(f"o{i}", "Medication/a") for i in range(4000)),
        medications=bundle(medication("a", code={"coding": [{"display": "1 " * 500}] * 480})),
    ),
    "3000 long texts": lambda: request(LDZ, medications=bundle(*(active(f"m{i}", words(i, 110)) for i in range(3000)))),
    "20,000 short texts": lambda: request(
        LDZ, medications=bundle(*(active(f"m{i}", words(i, 3)) for i in range(20_000)))
    ),
    "30,000 contained medications and references to them": lambda: request(
        ordered(
            "o",
            "#all",
            contained=[
                *(medication(f"c{i}") for i in range(30_000)),
                medication("all", *(f"#c{i}" for i in reversed(range(30_000)))),
            ],
        )
    ),
    "30,000 codes": lambda: request(
        order(
            "o",
            medicationCodeableConcept={
                "coding": [{"system": ATC, "code": f"X{i}", "display": words(i, 3)} for i in range(30_000)]
            },
        )
    ),
    "60,000 dosage instructions": lambda: request(
        order("o", "zelvane", dosageInstruction=[{"text": f"take {i} mg"} for i in range(60_000)])
    ),
    "1500 long dosage instructions of zelvane": lambda: request(
        *(
            order(f"o{i}", "zelvane", dosageInstruction=[{"text": f"{i} mg {'1-2 (1 x 3 caps ' * 60}"}])
            for i in range(1500)
        )
    ),
    "30,000 reasons": lambda: request(
        order("o", "zelvane 4.5 mg", reasonCode=[{"text": words(i, 8)} for i in range(30_000)])
    ),
}


OF_EACH_KIND = (
    "a contained medication of 2000 ingredients, each of them itself",
    "8 medications of 60 long names in a ring, in 300 orders",
    "600 orders of 100 doses that say nothing",
    "one order of 100 long dosage instructions",
    "20,000 short texts",
    "30,000 codes",
    "30,000 reasons",
)
"""Those that `make test` sends; `make test-all` sends the others too."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in OF_EACH_KIND else pytest.mark.sweep) for name in HOSTILE]
)
def test_a_request_that_is_made_to_cost_much_is_answered_soon(clinic: TestClient, name: str) -> None:
    body = HOSTILE[name]()
    started = time.process_time()
    found = cards(clinic, body)
    assert time.process_time() - started < MAX_CPU_SECONDS
    if "itself" not in name:  # which is read whole, since it says nothing more
        assert TOO_LARGE in gaps(found)
        assert any("too large to read whole" in card["detail"] for card in found)


def beyond(most: int, *last: Json) -> Iterator[Json]:
    """One medicine more than are read, of which the last ones are these."""
    yield from (active(f"m{i}", "ibuprofen 400 mg tablet") for i in range(most + 1 - len(last)))
    yield from last


MANY_CODES: Json = {"text": "ibuprofen", "coding": [{}] * MAX_PARTS + [{"display": "oxilort"}]}
MANY_INSTRUCTIONS: list[Json] = [{}] * MAX_INSTRUCTIONS + [{"text": "for 90 days"}]
UNREAD_LORTS: dict[str, Callable[[], Json]] = {
    "entries of a list": lambda: request(LDZ, medications=bundle(*beyond(MAX_ENTRIES, OXILORT))),
    "drafts": lambda: request(*beyond(MAX_ENTRIES, LDZ, OXILORT)),
    "codes": lambda: request(LDZ, medications=bundle(active("m", medicationCodeableConcept=MANY_CODES))),
    "ingredients of a draft": lambda: request(
        ordered(
            "o",
            "#a",
            contained=[
                medication("a", *["#x"] * MAX_PARTS, "#y", code={"text": "ibuprofen"}),
                medication("y", code={"text": "oxilort"}),
            ],
        )
    ),
    "medications in each other": lambda: request(
        LDZ,
        medications=bundle(
            active("m", medicationReference={"reference": "Medication/0"}),
            *(medication(str(i), f"Medication/{i + 1}", code={"text": "ibuprofen"}) for i in range(MAX_DEPTH)),
            medication(str(MAX_DEPTH), code={"text": "oxilort"}),
        ),
    ),
    "a text": lambda: request(LDZ, medications=bundle(active("m", f"ibuprofen{' ' * MAX_TEXT}oxilort"))),
    "instructions": lambda: request(
        LDZ, stopped=bundle(active("m", "ibuprofen", status="stopped", dosageInstruction=MANY_INSTRUCTIONS))
    ),
    "lists within a list": lambda: request(LDZ, medications=bundle(bundle(OXILORT))),
}


@pytest.mark.parametrize("name", UNREAD_LORTS)
def test_what_is_beyond_a_bound_is_told(clinic: TestClient, name: str) -> None:
    found = cards(clinic, UNREAD_LORTS[name]())
    assert "lort-check-incomplete" in rules(found)
    assert gaps(found) == (["unreadable"] if "within" in name else [TOO_LARGE])


def test_a_chart_that_is_too_large_is_told_when_it_is_opened(clinic: TestClient) -> None:
    listed = bundle(*beyond(MAX_ENTRIES))
    assert gaps(cards(clinic, request(hook="patient-view", medications=listed), "zelvane-patient-view")) == [TOO_LARGE]


def test_an_order_that_is_neither_side_of_the_check_is_not_interrupted(clinic: TestClient) -> None:
    assert cards(clinic, request(order("o", "ibuprofen"), medications=bundle(*beyond(MAX_ENTRIES)))) == []


def test_what_is_as_large_as_the_bounds_is_read_whole(clinic: TestClient) -> None:
    listed = [active(f"m{i}", f"ibuprofen {i % 300} mg tablet") for i in range(2999)]
    assert rules(cards(clinic, request(LDZ, medications=bundle(*listed, OXILORT)))) == [
        "zelvane-drafted-lort-current",
        "zelvane-evidence",
    ]


def test_resources_that_refer_to_each_other_are_read_once(clinic: TestClient) -> None:
    circle = bundle(
        active("m", medicationReference={"reference": "Medication/a"}),
        medication("a", "Medication/b"),
        medication("b", "Medication/a", "Medication/b", code={"text": "oxilort"}),
    )
    assert "zelvane-drafted-lort-current" in rules(cards(clinic, request(LDZ, medications=circle)))


@pytest.mark.parametrize(
    ("service", "list_name", "entry"),
    [
        ("zelvane-liver-disease", "conditions", {"resourceType": "Condition", "code": {"text": "Asthma"}}),
        ("zelvane-hypersensitivity", "allergies", {"resourceType": "AllergyIntolerance", "code": {"text": "Pollen"}}),
    ],
)
def test_a_list_of_diagnoses_or_allergies_that_is_too_large_is_told(
    engine: Engine, service: Any, list_name: str, entry: Json
) -> None:
    many_codes = {**entry, "code": {"coding": [{}] * (MAX_PARTS + 1)}}
    with cds_client(engine.original, CdsSettings(services=(service,))) as caller:
        for entries in ([entry] * (MAX_ENTRIES + 1), [many_codes]):
            body = {**request(LDZ), "prefetch": {list_name: bundle(*entries)}}
            assert gaps(cards(caller, body, service)) == [TOO_LARGE]


@pytest.mark.parametrize("number", ["1e400", "1" + "0" * 4000, "-" + "9" * 4000])
def test_numbers_of_any_size_are_answered(clinic: TestClient, number: str) -> None:
    dose = f'"sequence":{number},"doseAndRate":[{{"doseQuantity":{{"value":{number},"unit":"mg"}}}}]'
    draft = f'{{"resourceType":"MedicationRequest","medication":"zelvane","dosageInstruction":[{{{dose}}}]}}'
    body = (
        '{"hook":"order-sign","hookInstance":"d1577c69-dfbe-44ad-ba6d-3e05e953b2ea","context":{"draftOrders":'
        f'{{"entry":[{{"resource":{draft}}}]}}}},"prefetch":{{"medications":{{"entry":[],"total":{number}}}}}}}'
    )
    assert clinic.post(SIGN, content=body, headers={"Content-Type": "application/json"}).status_code == 200
