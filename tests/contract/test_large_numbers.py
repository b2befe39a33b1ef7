"""No number is too large to be answered: where a whole number is meant, what no column can hold is 404 or 422."""

import base64
import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.fhir.types import TYPES
from app.storage.paging import encode_cursor
from tests.contract.support import Item

NUMBERS = (str(2**63), "9" * 5000)
"""Beyond 64 bits; beyond what Python reads as a whole number."""
FHIR = ("{type}/x/_history/{number}", "{type}/{number}", "{type}?_after={number}", "{type}?_count={number}")
PAGES = ("/claims/x?serial={number}", "/infobutton?mainSearchCriteria.v.dn={number}")


def _addresses(openapi: Item, number: str) -> Iterator[tuple[str, bool]]:
    """Every parameter of every address with this value, and whether it takes whole numbers alone."""
    for path, operations in openapi["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", ()):
            name, schema = parameter["name"], parameter["schema"]
            kinds = {option.get("type") for option in schema.get("anyOf", [schema])}
            place = {"id": "x", "intervention": "x", "condition": "x"}
            if parameter["in"] == "path":
                yield path.format(**place | {name: number}), False
            elif parameter["in"] == "query":
                yield f"{path.format(**place)}?{name}={number}", "integer" in kinds


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: f"{number[:2]}-{len(number)}")
def test_a_number_that_no_column_holds_is_refused(client: TestClient, openapi: Item, number: str) -> None:
    fhir = [
        f"/fhir/r5/{path}".format(type=t, number=number) for t in (*(t.name for t in TYPES), "Library") for path in FHIR
    ]
    others = [(address, False) for address in (*fhir, *(page.format(number=number) for page in PAGES))]

    answers = {address: (client.get(address), whole) for address, whole in (*_addresses(openapi, number), *others)}

    failed = {address[:80]: got.status_code for address, (got, _) in answers.items() if got.status_code >= 500}
    taken = {
        a[:80]: got.status_code for a, (got, whole) in answers.items() if whole and got.status_code not in (404, 422)
    }
    assert (failed, taken) == ({}, {})


@pytest.mark.parametrize("place", ["x", None, 1.5, -1, 2**40, float("nan")])
def test_a_forged_place_in_search_results_is_refused(client: TestClient, place: object) -> None:
    cursor = client.get("/v1/search?q=pain&limit=1").json()["next_cursor"]
    fingerprint = _fingerprint(cursor)

    answer = client.get(
        "/v1/search", params={"q": "pain", "limit": 1, "cursor": encode_cursor(fingerprint, [place, ""])}
    )

    assert answer.status_code == 422


def _fingerprint(cursor: str) -> str:
    payload = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[6:]
    return str(json.loads(payload)[0])
