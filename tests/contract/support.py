"""Reading the API as its users do: pages, problems, and every object in an answer."""

from collections.abc import Callable, Iterator
from typing import Any

from starlette.testclient import TestClient

Item = dict[str, Any]

UNIVERSAL_HEADERS = ("X-Request-ID", "API-Version", "Dataset-Serial", "Dataset-Release")


def every(record_type: str) -> dict[str, str]:
    """The parameters with which a list shows all records of its type."""
    return {"all": "true"} if record_type == "intervention" else {}


def pages(client: TestClient, path: str, **parameters: Any) -> Iterator[Item]:
    """Every page of a list, by following `next`."""
    answer = client.get(path, params=parameters)
    while True:
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page
        if page["next"] is None:
            return
        answer = client.get(page["next"])


def items_of(client: TestClient, path: str, **parameters: Any) -> list[Item]:
    """Every item of a list, page after page."""
    return [item for page in pages(client, path, **parameters) for item in page["items"]]


def ids(items: list[Item]) -> list[str]:
    return [item["id"] for item in items]


def the_error(client: TestClient, address: str, **parameters: Any) -> Item:
    """The one entry in `errors` of a request that is refused with 422."""
    answer = client.get(address, params=parameters or None)
    assert answer.status_code == 422, (address, parameters, answer.status_code)
    errors = answer.json()["errors"]
    assert len(errors) == 1, errors
    found: Item = errors[0]
    return found


def in_order(items: list[Item], sort: str, value: Callable[[Item], Any]) -> list[str]:
    """Ids in the order that `sort` promises: nulls last, ties by id."""
    by_id = sorted(items, key=lambda item: item["id"])
    known = [item for item in by_id if value(item) is not None]
    known.sort(key=value, reverse=sort.startswith("-"))  # stable: equal values stay in order of id
    return ids(known + [item for item in by_id if value(item) is None])


def objects(value: Any) -> Iterator[Item]:
    """Every JSON object in an answer, at any depth."""
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from objects(part)
