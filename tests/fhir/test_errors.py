"""Below `/fhir` every error is an OperationOutcome with the status that FHIR asks for."""

import pytest
from starlette.testclient import TestClient

from app.storage.database import Database
from tests.fhir.conftest import Json, application, fhir_client, guard, model
from tests.fhir.strict import violations

R5 = "/fhir/r5"
FORM = "application/x-www-form-urlencoded"

STRICT = {"Prefer": "handling=strict"}
ERRORS = [
    ("GET", f"{R5}/Evidence/nobody", {}, 404, "not-found"),
    ("GET", f"{R5}/Evidence/ldz-murmuria-pain", {}, 404, "not-found"),
    ("GET", f"{R5}/ClinicalUseDefinition/ldz-glial-glow", {}, 404, "not-found"),
    ("GET", f"{R5}/MedicationKnowledge/lorts", {}, 404, "not-found"),
    ("GET", f"{R5}/Library/nobody", {}, 404, "not-found"),
    ("GET", f"{R5}/Patient", {}, 404, "not-found"),
    ("GET", f"{R5}/Patient/1", {}, 404, "not-found"),
    ("GET", f"{R5}/Evidence/", {}, 404, "not-found"),
    ("GET", f"{R5}/Evidence/a/_history/1", {}, 404, "not-found"),
    ("GET", f"{R5}/Citation/alder-2013/_history", {}, 404, "not-found"),
    ("GET", f"{R5}/Citation/alder-2013/_history/0", {}, 404, "not-found"),
    ("GET", f"{R5}/Citation/alder-2013/_history/{'9' * 40}", {}, 404, "not-found"),
    ("GET", f"{R5}/Citation/alder-2013/_history/one", {}, 404, "not-found"),
    ("GET", f"{R5}/Citation/alder-2013/_history/-1", {}, 404, "not-found"),
    ("GET", f"{R5}/Library/zelvane-evidence/_history/1", {}, 404, "not-found"),
    ("GET", R5, {}, 404, "not-found"),
    ("GET", "/fhir/r4/Evidence", {}, 404, "not-found"),
    ("GET", "/fhir/", {}, 404, "not-found"),
    ("GET", f"{R5}/%FF", {}, 400, "invalid"),
    ("GET", f"{R5}/Evidence?title=%00", {}, 400, "invalid"),
    ("POST", f"{R5}/Evidence/_search", {"Content-Length": "1001"}, 413, "too-long"),
    ("POST", f"{R5}/Evidence", {}, 405, "not-supported"),
    ("PUT", f"{R5}/Evidence/a", {}, 405, "not-supported"),
    ("DELETE", f"{R5}/Evidence/a", {}, 405, "not-supported"),
    ("PUT", f"{R5}/Evidence/_search", {}, 405, "not-supported"),
    ("POST", f"{R5}/Patient/_search", {}, 404, "not-found"),
    ("POST", f"{R5}/Citation/_search?_sort=date", {"Prefer": "handling=strict"}, 400, "not-supported"),
    ("GET", f"{R5}/Evidence/_search", {}, 405, "not-supported"),
    ("GET", f"{R5}/Evidence", {"Accept": "application/fhir+xml"}, 406, "not-supported"),
    ("GET", f"{R5}/Evidence", {"Accept": "application/fhir+json; fhirVersion=4.0"}, 406, "not-supported"),
    ("GET", f"{R5}/Evidence", {"Accept": "application/fhir+json;q=0"}, 406, "not-supported"),
    ("GET", f"{R5}/metadata?_format=xml", {}, 406, "not-supported"),
    ("GET", f"{R5}/Evidence?_count=-1", {}, 400, "invalid"),
    ("GET", f"{R5}/Evidence?_count=1&_count=2", {}, 400, "invalid"),
    ("GET", f"{R5}/metadata?_format=json&_format=json", {}, 400, "invalid"),
    ("GET", f"{R5}/Evidence?_count=many", {}, 400, "invalid"),
    ("GET", f"{R5}/Evidence?_count=%D9%A3", {}, 400, "invalid"),
    ("GET", f"{R5}/Evidence?_summary=maybe", {}, 400, "invalid"),
    ("GET", f"{R5}/Evidence/a?_summary=count", {}, 400, "invalid"),
    ("GET", f"{R5}/Evidence?_summary=true&_elements=note", {}, 400, "invalid"),
    ("GET", f"{R5}/Evidence?_after=../x", {}, 400, "invalid"),
    ("GET", f"{R5}/Citation?identifier:contains=1", {}, 400, "invalid"),
    ("GET", f"{R5}/Citation?title={'a' * 501}", {}, 400, "invalid"),
    ("GET", f"{R5}/Citation?_id={','.join('a' * 51)}", {}, 400, "invalid"),
    ("GET", f"{R5}/Citation?{'_id=a&' * 51}", {}, 400, "invalid"),
    ("GET", f"{R5}/ClinicalUseDefinition?_include=ClinicalUseDefinition:subject", STRICT, 400, "not-supported"),
    ("GET", f"{R5}/Evidence?_sort=title", STRICT, 400, "not-supported"),
    ("GET", f"{R5}/Citation?_sort=title,_id", STRICT, 400, "not-supported"),
    ("GET", f"{R5}/Citation?colour=red", {"Prefer": "handling=strict"}, 400, "not-supported"),
    ("GET", f"{R5}/Citation/alder-2013?colour=red", {"Prefer": "handling=strict"}, 400, "not-supported"),
    ("GET", f"{R5}/metadata?colour=red", {"Prefer": "respond-async; handling=strict"}, 400, "not-supported"),
    ("GET", f"{R5}/Library?colour=red", {"Prefer": "handling=strict"}, 400, "not-supported"),
]


def outcome(answer: object) -> Json:
    resource: Json = answer.json()  # type: ignore[attr-defined]
    checked = model("OperationOutcome").model_validate(resource)
    assert list(violations(checked)) == []
    return resource


@pytest.mark.parametrize(("method", "address", "headers", "status", "code"), ERRORS)
def test_the_answer_is_the_one_that_fhir_asks_for(
    facade: TestClient, method: str, address: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = facade.request(method, address, headers=headers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert outcome(answer)["issue"][0]["code"] == code


def test_what_was_sent_is_not_repeated(facade: TestClient) -> None:
    for address in (f"{R5}/patient-zero-4711", f"{R5}/Evidence?_count=patient-zero-4711"):
        assert "4711" not in facade.get(address).text


def test_what_cannot_be_searched_for_is_found_nowhere(facade: TestClient) -> None:
    for text in ("%25", "_", "'; drop table claims; --", "|", "\\", "a|b|c", ",,,", "(" * 400):
        for query in ("title:contains", "title", "identifier", "_id"):
            answer = facade.get(f"{R5}/Citation", params={query: text.replace("%25", "%")})
            assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "media_type", "status", "code"),
    [
        (b"{}", "application/json", 415, "not-supported"),
        (b"_id=alder-2013", "", 415, "not-supported"),
        (b"title=\xff", FORM, 400, "invalid"),
        (b"title=%FF", FORM, 400, "invalid"),
        (b"title=%00", FORM, 400, "invalid"),
        (b"_count=-1", FORM, 400, "invalid"),
        (b"_id=a&" * 51, FORM, 400, "invalid"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(
    facade: TestClient, form: bytes, media_type: str, status: int, code: str
) -> None:
    answer = facade.post(f"{R5}/Citation/_search", content=form, headers={"Content-Type": media_type})

    assert answer.status_code == status
    assert outcome(answer)["issue"][0]["code"] == code


def test_a_form_that_is_longer_than_any_address_is_refused(seeded: Database) -> None:
    with TestClient(application(seeded, "")) as client:
        answer = client.post(f"{R5}/Citation/_search", content=b"a" * 32_001, headers={"Content-Type": FORM})

    assert answer.status_code == 413
    assert outcome(answer)["issue"][0]["code"] == "too-long"


def test_options_names_the_methods(facade: TestClient) -> None:
    for address, methods in ((f"{R5}/Evidence", "GET, HEAD, OPTIONS"), (f"{R5}/Evidence/_search", "OPTIONS, POST")):
        answer = facade.options(address)

        assert (answer.status_code, answer.headers["allow"]) == (204, methods)


def test_a_405_names_the_methods_that_are_answered(facade: TestClient) -> None:
    assert facade.post(f"{R5}/Evidence").headers["allow"] == "GET, HEAD, OPTIONS"


def test_a_database_that_is_away_is_a_503(blank: Database) -> None:
    with fhir_client(blank) as client:
        answer = client.get(f"{R5}/Evidence")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert outcome(answer)["issue"][0]["code"] == "transient"


def test_a_failure_of_ours_says_nothing_of_it(seeded: Database) -> None:
    app = application(seeded, "")
    app.state.reads = None
    with TestClient(guard(app), raise_server_exceptions=False) as client:
        answer = client.get(f"{R5}/Evidence")

    assert answer.status_code == 500
    assert outcome(answer)["issue"] == [
        {"severity": "error", "code": "exception", "details": {"text": "The server could not answer this."}}
    ]
