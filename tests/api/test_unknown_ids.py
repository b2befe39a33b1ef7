"""An id that no record has: the answer offers ids that may have been meant, and repeats nothing of what was sent."""

import pytest
from starlette.testclient import TestClient

from app.registry import RESOURCES
from app.storage import near_ids
from app.storage.database import Database
from app.storage.resource import Resource
from tests.conftest import opened, serving
from tests.factories import amended, content, put

every_type = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.type)


def near(client: TestClient, address: str) -> list[str]:
    answer = client.get(address)
    assert answer.status_code == 404, answer.text
    (error,) = answer.json()["errors"]
    assert (error["in"], error["code"]) == ("path", "unknown_id")
    assert error["field"] in ("id", "intervention", "condition")
    return error["did_you_mean"] or []


@every_type
@pytest.mark.parametrize("rest", ["", "/versions", "?serial=1"])
def test_every_route_of_every_type_offers_what_is_near(client: TestClient, resource: Resource, rest: str) -> None:
    known = client.get(f"{resource.path}?limit=1").json()["items"][0]["id"]
    assert known in near(client, f"{resource.path}/{known[:-1]}{'y' if known[-1] != 'y' else 'x'}{rest}")


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("ldz-murmuria-pian", "ldz-murmuria-pain"),
        ("xdn-murmuria-pain", "ldz-murmuria-pain"),
        ("pain-murmuria-ldz", "ldz-murmuria-pain"),
        ("murmuria-ldz-pian", "ldz-murmuria-pain"),
        ("murmuria-pain", "ldz-murmuria-pain"),
        ("ldz-murmuria-pain-in-adults", "ldz-murmuria-pain"),
    ],
)
def test_slips_words_in_another_order_and_beginnings_are_near(client: TestClient, sent: str, meant: str) -> None:
    assert near(client, f"/v1/claims/{sent}")[0] == meant


def test_a_beginning_offers_what_goes_on_from_it(client: TestClient) -> None:
    offered = near(client, "/v1/claims/ldz-report")
    assert len(offered) == 5
    assert all(one.startswith("ldz-report-") for one in offered)


@pytest.mark.parametrize(
    "address",
    [
        "/v1/claims/ldz-murmuria-pian/evidence", "/v1/claims/ldz-murmuria-pian/evidence?serial=1",
        "/v1/claims/ldz-murmuria-pian/citations", "/v1/claims/ldz-murmuria-pian.bib",
        "/v1/claims/ldz-murmuria-pian?format=jsonld", "/claims/ldz-murmuria-pian",
    ],
)  # fmt: skip
def test_every_form_of_a_claim_offers_what_is_near(client: TestClient, address: str) -> None:
    assert near(client, address)[0] == "ldz-murmuria-pain"


@pytest.mark.parametrize("rest", ["/impact", "/statements", ".ris", "?format=bibtex"])
def test_every_form_of_a_document_offers_what_is_near(client: TestClient, rest: str) -> None:
    assert near(client, f"/v1/documents/alder-2031{rest}")[0] == "alder-2013"


def test_a_brief_offers_what_is_near(client: TestClient) -> None:
    assert near(client, "/v1/briefs/low-dose-zelvan/murmuria")[0] == "low-dose-zelvane"
    assert near(client, "/v1/briefs/low-dose-zelvane/mumruira")[0] == "murmuria"


def test_what_resembles_nothing_is_offered_nothing_and_not_repeated(client: TestClient) -> None:
    answer = client.get("/v1/claims/zzzzqqqq")
    assert answer.json()["errors"][0]["did_you_mean"] is None
    assert "zzzzqqqq" not in answer.text


def test_fhir_says_it_in_its_own_form_and_offers_only_what_it_has(client: TestClient) -> None:
    (issue,) = client.get("/fhir/r5/ClinicalUseDefinition/zelvane-liver-warnin").json()["issue"]
    assert issue["code"] == "not-found"
    assert "zelvane-liver-warning" in issue["diagnostics"]
    (issue,) = client.get("/fhir/r5/Citation/alder-2031/_history/1").json()["issue"]
    assert "alder-2013" in issue["diagnostics"]
    # A class of drugs is an intervention, but none of these is a medication.
    (issue,) = client.get("/fhir/r5/MedicationKnowledge/lort-agonists").json()["issue"]
    for offered in issue.get("diagnostics", "").removeprefix("Did you mean ").rstrip("?").split(" or "):
        assert not offered or client.get(f"/fhir/r5/MedicationKnowledge/{offered}").status_code == 200


def test_what_was_retired_is_not_offered_and_what_is_new_is(small: Database) -> None:
    url = small.url.render_as_string(hide_password=False)
    with serving(url) as client:
        assert "low-dose-eases-ache" in near(client, "/v1/claims/low-dose-eases-acne")
        put(small, amended(content(small, "claim", "low-dose-eases-ache"), status="retired", relations=[]))
        assert "low-dose-eases-ache" not in near(client, "/v1/claims/low-dose-eases-acne")
        put(small, amended(content(small, "claim", "drug-eases-ache"), id="low-dose-eases-aches", citations=[]))
        assert near(client, "/v1/claims/low-dose-eases-acne")[0] == "low-dose-eases-aches"


def test_of_very_many_ids_only_those_beside_are_compared(
    client: TestClient, small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_ids, "MAX_COMPARED", 2)
    with opened(small.url.render_as_string(hide_password=False)) as database, database.view() as view:
        assert near_ids.near_ids(view.session, "claim", "drug-eases-acne")[0] == "drug-eases-ache"


def test_a_search_within_an_unknown_condition_is_not_simply_empty(client: TestClient) -> None:
    by_address = client.get("/v1/search?q=pain&condition=murmura")
    by_body = client.post("/v1/search", json={"q": "pain", "condition": ["murmura"]})
    for answer, where in ((by_address, "query"), (by_body, "body")):
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert (error["in"], error["field"], error["did_you_mean"][0]) == (where, "condition", "murmuria")


@pytest.mark.parametrize("path", ["coverage?condition=murmuria&", "evidence-map?", "briefs?", "claims?"])
def test_a_filter_that_names_nothing_offers_what_is_near(client: TestClient, path: str) -> None:
    (error,) = client.get(f"/v1/{path}intervention=dose-low-zelvan").json()["errors"]
    assert (error["in"], error["field"], error["did_you_mean"][0]) == ("query", "intervention", "low-dose-zelvane")
