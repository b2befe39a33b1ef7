"""Laws that every type of record obeys."""

import json
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.http.middleware import EXPOSED_HEADERS
from app.registry import RESOURCES
from app.storage.resource import Resource
from tests.contract.conftest import HEIR, NEWCOMER
from tests.contract.support import UNIVERSAL_HEADERS, Item, every, ids, in_order, items_of, objects, pages, the_error
from tests.statements import recorded_statements

SORTS: dict[str, Callable[[Item], Any]] = {
    "id": lambda item: item["id"],
    "updated_at": lambda item: item["updated_at"],
    "study_count": lambda item: item["evidence"]["study_count"],
    "participant_count": lambda item: item["evidence"]["participant_count"],
    "name": lambda item: item["name"],
    "participants": lambda item: item["participants"],
    "year": lambda item: item["year"],
    "label": lambda item: item["label"],
    "dose": lambda item: (low := item["low_amount"]) and Fraction(low["picograms"], low["days"]),
}
"""How each sort value reads in the items."""

every_type = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.type)

Everything = dict[str, list[Item]]


def first_id(everything: Everything, resource: Resource) -> str:
    found: str = everything[resource.type][0]["id"]
    return found


# --- lists ----------------------------------------------------------------------------------------------------------


@every_type
def test_a_list_answers_with_its_envelope(client: TestClient, resource: Resource) -> None:
    answer = client.get(resource.path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    page = answer.json()
    assert {"items", "next", "next_cursor", "total", "total_is"} <= set(page)
    assert len(page["items"]) == min(20, page["total"])
    assert page["total"] > 0
    assert page["total_is"] == "exact"
    assert {item["type"] for item in page["items"]} == {resource.type}


@every_type
def test_paging_to_the_end_yields_every_published_record_once(
    client: TestClient, everything: Everything, resource: Resource
) -> None:
    walked = list(pages(client, resource.path, limit=7, **every(resource.type)))
    seen = [item["id"] for page in walked for item in page["items"]]

    assert len(seen) == len(set(seen))
    assert sorted(seen) == ids(everything[resource.type])
    assert {page["total"] for page in walked} == {len(seen)}
    assert client.get("/v1/meta").json()["counts"][resource.type] == len(seen)
    assert all(len(page["items"]) == 7 for page in walked[:-1])
    assert walked[-1]["next_cursor"] is None


@every_type
def test_the_next_page_is_named_three_times_alike(client: TestClient, resource: Resource) -> None:
    answer = client.get(resource.path, params={"limit": 1})
    page = answer.json()

    assert page["next"].startswith(f"{resource.path}?")
    assert f"cursor={page['next_cursor']}" in page["next"]
    assert answer.headers["link"] == f'<{page["next"]}>; rel="next"'


@every_type
def test_every_declared_sort_orders_the_whole_walk(
    client: TestClient, everything: Everything, openapi: Item, resource: Resource
) -> None:
    parameters = {found["name"]: found for found in openapi["paths"][resource.path]["get"]["parameters"]}
    for sort in set(parameters["sort"]["schema"]["enum"]) - {"relevance"}:  # tests/api/test_statements.py
        walked = ids(items_of(client, resource.path, sort=sort, limit=40, **every(resource.type)))
        assert walked == in_order(everything[resource.type], sort, SORTS[sort.removeprefix("-")]), sort


@every_type
def test_an_unknown_parameter_is_refused_with_the_allowed_ones(client: TestClient, resource: Resource) -> None:
    error = the_error(client, resource.path, limmit=3)

    assert (error["in"], error["field"], error["code"]) == ("query", "limmit", "unknown_parameter")
    assert {"limit", "cursor", "sort"} <= set(error["allowed"])
    assert "limit" in error["did_you_mean"]


@every_type
@pytest.mark.parametrize("limit", ["0", "-1", "201", "1.5", "many", "9" * 40, ""])
def test_a_limit_out_of_bounds_is_refused(client: TestClient, resource: Resource, limit: str) -> None:
    assert the_error(client, resource.path, limit=limit)["field"] == "limit"


@every_type
def test_a_cursor_is_good_for_its_own_list_alone(client: TestClient, resource: Resource) -> None:
    cursor = client.get(resource.path, params={"limit": 1}).json()["next_cursor"]
    last = cursor[-4]
    altered = f"{cursor[:-4]}{'A' if last != 'A' else 'B'}{cursor[-3:]}"

    for refused in (
        {"cursor": altered},
        {"cursor": cursor[:-1]},
        {"cursor": "x" * 30},
        {"cursor": ""},
        {"cursor": cursor, "sort": "-id"},
    ):
        assert the_error(client, resource.path, limit=1, **refused)["field"] == "cursor", refused
    assert client.get(resource.path, params={"limit": 50, "cursor": cursor}).status_code == 200


def test_a_cursor_of_another_filter_is_refused(client: TestClient) -> None:
    cursor = client.get("/v1/claims", params={"limit": 1, "kind": "efficacy"}).json()["next_cursor"]

    assert the_error(client, "/v1/claims", cursor=cursor)["code"] == "foreign_cursor"
    assert the_error(client, "/v1/claims", cursor=cursor, kind="safety")["code"] == "foreign_cursor"
    assert the_error(client, "/v1/documents", cursor=cursor)["code"] == "foreign_cursor"


@every_type
def test_a_long_list_costs_no_more_statements_than_a_short_one(client: TestClient, resource: Resource) -> None:
    def cost(limit: int) -> int:
        with recorded_statements() as statements:
            assert client.get(resource.path, params={"limit": limit}).status_code == 200
        return len(statements)

    cost(1)  # what filters keep is read once
    assert cost(1) == cost(200) <= 8


# --- items ----------------------------------------------------------------------------------------------------------


@every_type
def test_an_item_is_the_same_in_its_list_and_alone(
    client: TestClient, everything: Everything, resource: Resource
) -> None:
    items = everything[resource.type]
    for item in (items[0], items[len(items) // 2], items[-1]):
        assert client.get(item["links"]["self"]).json() == item
        assert item["links"]["self"] == f"{resource.path}/{item['id']}"


@every_type
def test_an_unknown_id_is_404(client: TestClient, resource: Resource) -> None:
    for address in (f"{resource.path}/no-such-record", f"{resource.path}/no-such-record/versions"):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@every_type
@pytest.mark.parametrize("malformed", ["No_Slug", "a--b", "-a", "x" * 65, "%F0%9F%92%8A"])
def test_what_is_no_id_is_refused_as_such(client: TestClient, resource: Resource, malformed: str) -> None:
    assert the_error(client, f"{resource.path}/{malformed}")["field"] == "id"


@every_type
def test_the_permalink_answers_with_the_same_bytes_for_ever(
    client: TestClient, everything: Everything, resource: Resource
) -> None:
    links = everything[resource.type][0]["links"]
    get_current, permanent = client.get(links["self"]), client.get(links["permalink"])

    assert re.fullmatch(re.escape(links["self"]) + r"\?serial=\d+", links["permalink"])
    assert permanent.status_code == 200
    assert permanent.content == get_current.content
    assert "immutable" in permanent.headers["cache-control"]
    assert get_current.headers["cache-control"] == "no-cache"
    assert "cdn-cache-control" not in permanent.headers


@every_type
def test_versions_tell_who_made_the_record_and_when(
    client: TestClient, everything: Everything, resource: Resource
) -> None:
    item = everything[resource.type][0]
    page = client.get(item["links"]["versions"]).json()

    assert page["total"] == len(page["items"]) == item["version"] == 1
    (version,) = page["items"]
    assert (version["version"], version["status"], version["actor"]["id"]) == (1, "published", "seed")
    assert version["published_at"] == item["updated_at"]
    assert client.get(version["links"]["self"]).json() == item


@every_type
def test_a_serial_that_is_not_published_yet_is_refused(
    client: TestClient, everything: Everything, resource: Resource
) -> None:
    address = f"{resource.path}/{first_id(everything, resource)}"

    assert the_error(client, address, serial=99)["code"] == "unknown_serial"
    for serial in ("0", "-1", "2147483648", "9" * 30, "one"):
        assert the_error(client, address, serial=serial)["field"] == "serial"


def test_every_link_of_every_record_leads_somewhere(client: TestClient, everything: Everything) -> None:
    for items in everything.values():
        links = items[0]["links"]
        for name, address in links.items():
            if address is not None and address.startswith("/"):  # others lead to publishers
                assert client.get(address).status_code == 200, (items[0]["type"], name)


# --- retirement -----------------------------------------------------------------------------------------------------


@every_type
def test_a_retired_record_is_gone_and_names_its_successor(history: TestClient, resource: Resource) -> None:
    answer = history.get(f"{resource.path}/{NEWCOMER}")

    assert (answer.status_code, answer.json()["code"]) == (410, "gone")
    if resource.part_of is None:
        assert answer.json()["successor"] == HEIR
        assert answer.headers["link"] == f'<{resource.path}/{HEIR}>; rel="successor-version"'
        assert history.get(f"{resource.path}/{HEIR}").status_code == 200


@every_type
def test_a_retired_record_can_still_be_read_as_it_was(history: TestClient, resource: Resource) -> None:
    address = f"{resource.path}/{NEWCOMER}"
    before = history.get(address, params={"serial": 2})

    assert before.status_code == 200
    assert (before.json()["status"], before.json()["version"]) == ("published", 1)
    assert history.get(address, params={"serial": 1}).status_code == 404
    versions = history.get(f"{address}/versions").json()
    assert [(row["version"], row["serial"], row["status"]) for row in versions["items"]] == [
        (2, 3, "retired"),
        (1, 2, "published"),
    ]


@every_type
def test_a_retired_record_is_in_no_list(history: TestClient, resource: Resource) -> None:
    listed = ids(items_of(history, resource.path, limit=200, **every(resource.type)))

    assert NEWCOMER not in listed
    assert HEIR in listed


def test_a_filter_that_names_a_retired_record_is_told_its_successor(history: TestClient) -> None:
    filters = {"condition": "claims", "intervention": "claims", "document": "citations", "claim": "citations"}
    for name, plural in filters.items():
        error = the_error(history, f"/v1/{plural}", **{name: NEWCOMER})
        assert (error["field"], error["code"], error["successor"]) == (name, "retired", HEIR)


@every_type
def test_versions_page_like_every_list(history: TestClient, resource: Resource) -> None:
    walked = list(pages(history, f"{resource.path}/{NEWCOMER}/versions", limit=1))

    assert [page["items"][0]["version"] for page in walked] == [2, 1]
    assert {page["total"] for page in walked} == {2}


# --- HTTP -----------------------------------------------------------------------------------------------------------


def addresses(everything: Everything, resource: Resource) -> tuple[str, str]:
    return resource.path, f"{resource.path}/{first_id(everything, resource)}"


@every_type
def test_a_known_etag_answers_304(client: TestClient, everything: Everything, resource: Resource) -> None:
    for address in addresses(everything, resource):
        full = client.get(address)
        tag = full.headers["etag"]
        for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = client.get(address, headers={"If-None-Match": sent})
            assert (again.status_code, again.content) == (304, b""), sent
            if sent != "*":  # which names no coding, so the answer to it names none either
                assert again.headers["etag"] == tag
            for name in ("cache-control", "vary", "cdn-cache-control", "dataset-serial"):
                assert again.headers[name] == full.headers[name]
        assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


@every_type
def test_lists_with_other_filters_have_other_etags(client: TestClient, resource: Resource) -> None:
    tags = [client.get(resource.path, params={"limit": limit}).headers["etag"] for limit in (1, 2, 3)]

    assert len(set(tags)) == 3


@every_type
def test_head_equals_get_without_its_body(client: TestClient, everything: Everything, resource: Resource) -> None:
    for address in (*addresses(everything, resource), f"{resource.path}/no-such-record"):
        got, headed = client.get(address), client.head(address)
        assert headed.content == b""
        assert headed.status_code == got.status_code
        assert _comparable(headed) == _comparable(got)


def _comparable(answer: Any) -> dict[str, str]:
    # A problem's body names its request, but a request id is always of the same length.
    return {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}


@every_type
def test_options_names_the_methods(client: TestClient, everything: Everything, resource: Resource) -> None:
    for address in addresses(everything, resource):
        answer = client.options(address)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
        refused = client.post(address)
        assert refused.status_code == 405
        assert refused.headers["allow"] == "GET, HEAD, OPTIONS"


TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


@every_type
def test_every_answer_names_the_request_and_the_data_set(
    client: TestClient, everything: Everything, resource: Resource
) -> None:
    item = f"{resource.path}/{first_id(everything, resource)}"
    for address in (resource.path, item, f"{item}/versions", f"{item}?serial=1", f"{resource.path}?nope=1"):
        answer = client.get(address, headers={"X-Request-ID": TRACE_ID, "Origin": "https://clinic.example"})
        assert all(name in answer.headers for name in UNIVERSAL_HEADERS)
        assert answer.headers["x-request-id"] == TRACE_ID
        assert (answer.headers["dataset-serial"], answer.headers["dataset-release"]) == ("1", "1")
        assert ("etag" in answer.headers) == (answer.status_code == 200)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
        assert exposed == set(EXPOSED_HEADERS)


def test_a_browser_may_ask_before_it_reads(client: TestClient) -> None:
    answer = client.options(
        "/v1/claims",
        headers={
            "Origin": "https://clinic.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "If-None-Match, Min-Dataset-Serial",
        },
    )

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "min-dataset-serial" in answer.headers["access-control-allow-headers"].lower()


# --- evidence -------------------------------------------------------------------------------------------------------


def test_no_claim_comes_without_citations_unless_it_says_so(everything: Everything) -> None:
    for claim in everything["claim"]:
        counted = sum(side["citations"] for side in claim["evidence"]["by_stance"].values())
        standing = [one for one in claim["citations"] if one["document"]["standing"] != "retracted"]
        assert claim["citations_truncated"] is False
        assert counted == len(standing), claim["id"]
        if not claim["citations"]:
            assert claim["evidence"]["consensus"] in ("uncited", "not_applicable"), claim["id"]
        else:
            assert claim["evidence"]["consensus"] != "uncited", claim["id"]


def test_a_claims_citations_are_those_of_the_citation_list(everything: Everything) -> None:
    embedded = {(claim["id"], citation["id"]) for claim in everything["claim"] for citation in claim["citations"]}

    assert embedded == {(citation["claim"]["id"], citation["id"]) for citation in everything["citation"]}


@pytest.mark.parametrize(
    "filters",
    [
        {"stance": "supports"},
        {"stance": "disputes"},
        {"design": "randomized_crossover_trial"},
        {"directness": "direct", "verification": "verified"},
        {"standing": "not_checked"},
        {"evidence_source": "in_vitro"},
        {"document": "alder-2013"},
        {"kind": "efficacy", "limit": "200"},
    ],
    ids=str,
)
def test_filters_choose_claims_and_never_trim_their_citations(
    client: TestClient, everything: Everything, filters: dict[str, str]
) -> None:
    whole = {claim["id"]: claim for claim in everything["claim"]}
    found = items_of(client, "/v1/claims", **filters)

    assert found
    assert all(claim == whole[claim["id"]] for claim in found)


@every_type
def test_a_statement_travels_with_its_caveat_its_verdict_and_both_sides(
    everything: Everything, resource: Resource
) -> None:
    for item in everything[resource.type]:
        for part in objects(item):
            if "statement" in part or "claim_id" in part:
                assert {"caveat", "caveat_required"} <= set(part), (item["id"], part)
                verdict = part["evidence"] if part.get("type") == "claim" else part
                sides = verdict["by_stance"] if part.get("type") == "claim" else part
                assert {"consensus", "leaning", "certainty"} <= set(verdict), (item["id"], part)
                assert {"supports", "disputes"} <= set(sides), (item["id"], part)
                assert part["caveat"] or not part["caveat_required"], (item["id"], part)


def test_statements_are_shown_outside_their_claims(everything: Everything) -> None:
    """The law above holds for something: catalogue records do show claims."""
    shown = {
        resource.type
        for resource in RESOURCES
        for item in everything[resource.type]
        for part in objects(item)
        if "statement" in part or "claim_id" in part
    }

    assert {"intervention", "side_effect", "dosing_range", "claim", "citation"} <= shown


def test_the_contested_claim_shows_both_sides_in_one_call(client: TestClient) -> None:
    answer = client.get("/v1/claims", params={"condition": "murmuria", "kind": "efficacy", "outcome": "pain"})
    claim = next(item for item in answer.json()["items"] if item["id"] == "ldz-murmuria-pain")

    assert {"supports", "disputes"} <= {citation["stance"] for citation in claim["citations"]}
    assert any(citation["document"]["doi"] for citation in claim["citations"])
    assert any(citation["document"]["pmid"] for citation in claim["citations"])
    assert any(citation["study"] and citation["study"]["design"] for citation in claim["citations"])


def test_numbers_are_json_numbers(client: TestClient, everything: Everything) -> None:
    """A decimal that travels as a string would make every client parse it again."""
    values = [
        estimate["value"]
        for citation in everything["citation"]
        for estimate in citation["estimates"]
        if estimate["value"] is not None
    ]

    assert values
    assert all(isinstance(value, int | float) for value in values)
    assert "NaN" not in json.dumps(everything)
