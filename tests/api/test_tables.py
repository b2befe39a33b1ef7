"""Lists as CSV: the same records as in JSON, one a row, safe to open in a spreadsheet."""

import csv
import io

import pytest
from pydantic_core import to_json
from starlette.testclient import TestClient

from app.api.tables import columns, table
from app.core.shape import paths_of
from app.registry import BY_TYPE
from tests.contract.support import Item

TYPES = tuple(name for name in BY_TYPE if name != "interaction_rule")
every_table = pytest.mark.parametrize("record_type", TYPES)


def rows(client: TestClient, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert b"\r\n" in answer.content
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


@pytest.fixture(scope="module")
def openapi(client: TestClient) -> Item:
    document: Item = client.get("/openapi.json").json()
    return document


@every_table
def test_a_table_has_the_rows_of_its_list_and_the_documented_columns(
    client: TestClient, openapi: Item, record_type: str
) -> None:
    path = BY_TYPE[record_type].path
    items = client.get(f"{path}?limit=200").json()["items"]
    found = rows(client, f"{path}.csv")

    assert [row["id"] for row in found] == [item["id"] for item in items]
    assert [row["version"] for row in found] == [str(item["version"]) for item in items]
    description = openapi["paths"][f"{path}.csv"]["get"]["description"]
    known = paths_of(BY_TYPE[record_type].read)
    assert list(found[0]) == [column.name for column in columns(record_type)]
    for column in columns(record_type):
        assert f"- `{column.name}`: `{column.path}`" in description
        assert column.path in known


def test_a_claim_in_a_table_keeps_answer_verdict_caveat_and_both_counts(client: TestClient) -> None:
    (row,) = rows(client, "/v1/claims.csv?id=ldz-murmuria-pain")
    claim = client.get("/v1/claims/ldz-murmuria-pain").json()

    evidence = claim["evidence"]
    assert (row["answer"], row["verdict"]) == (evidence["answer"], evidence["verdict"]["label"])
    assert (row["caveat"], row["caveat_required"]) == (claim["caveat"], "true")
    for side in ("supports", "disputes"):
        for what in ("studies", "participants"):
            assert row[f"{side}_{what}"] == str(evidence["by_stance"][side][what])
    assert row["conditions"] == "Murmuria"
    assert row["mechanisms"] == ""


def test_a_table_takes_the_filters_of_its_list_and_names_the_next_page(client: TestClient) -> None:
    first = client.get("/v1/claims.csv?condition=murmuria&limit=3")
    address = first.headers["link"].split(";")[0].strip("<>")
    listed = client.get("/v1/claims?condition=murmuria&limit=6").json()["items"]

    assert address.startswith("/v1/claims.csv?")
    both = rows(client, "/v1/claims.csv?condition=murmuria&limit=3") + rows(client, address)
    assert [row["id"] for row in both] == [item["id"] for item in listed]
    assert client.get("/v1/claims.csv?fields=statement").status_code == 422
    assert client.get("/v1/claims.csv?facets=true").status_code == 422


def test_a_table_is_kept_under_its_name_not_sent_twice_and_compressed(client: TestClient) -> None:
    first = client.get("/v1/documents.csv", headers={"Accept-Encoding": "gzip"})
    again = client.get("/v1/documents.csv", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["content-disposition"] == 'attachment; filename="documents.csv"'
    assert first.headers["content-encoding"] == "gzip"
    assert again.status_code == 304


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_defused(client: TestClient, start: str) -> None:
    claim = client.get("/v1/claims/ldz-murmuria-pain").json() | {"statement": f'{start}HYPERLINK("x"),"y"\nz'}
    (row,) = csv.DictReader(io.StringIO(table("claim", [to_json(claim)]).decode(), newline=""))

    assert row["statement"] == f'\'{start}HYPERLINK("x"),"y"\nz'
    assert row["version"] == str(claim["version"])
