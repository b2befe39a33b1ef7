"""`/v1/evidence-map` over a data set: a rectangle without holes."""

from itertools import product

import pytest
from starlette.testclient import TestClient

PATH = "/v1/evidence-map"


@pytest.mark.parametrize("intervention", ["low-dose-zelvane", "rxnorm:9990001", "comparine", "cider"])
def test_every_pair_has_a_cell_row_by_row(client: TestClient, intervention: str) -> None:
    shown = client.get(PATH, params={"intervention": intervention}).json()
    rows, columns = ([one["id"] for one in shown[side]] for side in ("conditions", "outcomes"))
    assert [(cell["condition"], cell["outcome"]) for cell in shown["cells"]] == list(product(rows, columns))
    assert len(set(rows)) == len(rows)
    assert len(set(columns)) == len(columns)


def test_cells_say_how_much_is_known_and_which_way_it_points(client: TestClient) -> None:
    shown = client.get(PATH, params={"intervention": "low-dose-zelvane"}).json()
    cells = {(cell["condition"], cell["outcome"]): cell for cell in shown["cells"]}
    pain = cells["murmuria", "pain"]
    assert pain["headline_claim"]["id"] == "ldz-murmuria-pain"
    assert pain["headline_claim"]["verdict"]["code"] == "conflicting_leaning_against"
    assert pain["claim_ids"][0] == "ldz-murmuria-pain"
    assert pain["studies"] == 3
    palewing = [cell for (condition, _), cell in cells.items() if condition == "palewing"]
    assert {cell["coverage"] for cell in palewing} == {"searched_none_found"}
    assert {cell["search"] for cell in palewing} == {"ldz-palewing"}
    empty = [cell for cell in shown["cells"] if cell["coverage"] != "found"]
    assert all(cell["studies"] == cell["reviews"] == 0 for cell in empty)
    assert any("hazel-trial" in cell["pending"] for cell in shown["cells"])


def test_rows_and_columns_can_be_named(client: TestClient) -> None:
    query = {"intervention": "low-dose-zelvane", "condition": ["palewing", "mesh:D999001"], "outcome": ["pain"]}
    shown = client.get(PATH, params=query).json()
    assert [row["id"] for row in shown["conditions"]] == ["murmuria", "palewing"]
    assert [column["id"] for column in shown["outcomes"]] == ["pain"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("", "intervention"), ("intervention=ldz", "intervention"), ("intervention=zelvane&outcome=pian", "outcome")],
)
def test_a_map_that_cannot_be_drawn_names_what_is_wrong(client: TestClient, query: str, field: str) -> None:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_known_map_costs_304(client: TestClient) -> None:
    address = f"{PATH}?intervention=low-dose-zelvane"
    tag = client.get(address).headers["etag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
