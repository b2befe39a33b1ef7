"""Infobutton requests as record systems send them."""

import io
import json
import logging
import time
from collections.abc import Callable, Iterator
from xml.etree import ElementTree as ET

import pytest
import structlog
from starlette.testclient import TestClient

from app.concepts.terms import SHIPPED
from app.core.logging import configure
from app.infobutton.answers import BOTH_DOSES, NOTHING
from app.infobutton.page import InfobuttonAnswer, InfobuttonClaim, InfobuttonGroup, InfobuttonLinks, atom, page
from tests.fhir.conftest import BASE, Json
from tests.serving import eventually

RXNORM, ICD10CM, SNOMED, MESH = (f"2.16.840.1.113883.6.{n}" for n in (88, 90, 96, 177))
ATOM = "{http://www.w3.org/2005/Atom}"
CANARY = "canary-7f3a"


def ask(client: TestClient, code: str, system: str, **further: str) -> Json:
    parameters = {
        "mainSearchCriteria.v.c": code,
        "mainSearchCriteria.v.cs": system,
        "knowledgeResponseType": "application/json",
        **further,
    }
    answer = client.get("/infobutton", params=parameters)
    assert answer.status_code == 200
    told: Json = answer.json()
    return told


def test_a_drug_code_answers_with_the_drug_and_its_low_dose_regimen(facade: TestClient) -> None:
    told = ask(facade, "9990001", RXNORM)
    drug, low = told["groups"]

    assert told["message"] == BOTH_DOSES
    assert (drug["id"], drug["label"]) == ("zelvane", "Zelvane (the drug)")
    assert (low["id"], low["label"]) == ("low-dose-zelvane", "Low-dose zelvane (dose regimen of zelvane)")
    for group in (drug, low):
        assert group["claims"][0]["kind"] == "Interaction"
        assert "zelvane-lort-contraindication" in [claim["id"] for claim in group["claims"]]


def test_a_code_of_one_product_tells_its_dose(facade: TestClient) -> None:
    told = ask(facade, "9990011", RXNORM)

    assert [group["id"] for group in told["groups"]] == ["zelvane"]
    assert told["message"] is None


@pytest.mark.parametrize(
    ("code", "system", "concept"),
    [
        ("M99.97", ICD10CM, "murmuria"),
        ("M99.97", "http://hl7.org/fhir/sid/icd-10-cm", "murmuria"),
        ("M99.97", f"urn:oid:{ICD10CM}", "murmuria"),
        ("D999002", MESH, "zelvane"),
        ("88800001", SNOMED, "murmuria"),
    ],
)
def test_codes_of_the_known_systems_lead_to_the_concept(
    facade: TestClient, code: str, system: str, concept: str
) -> None:
    assert ask(facade, code, system)["groups"][0]["id"] == concept


def test_every_system_of_the_standard_is_known() -> None:
    assert {"rxnorm", "icd10cm", "snomed", "mesh"} <= {term.id for term in SHIPPED.code_systems if term.oid}


def test_a_second_translation_is_tried(facade: TestClient) -> None:
    told = ask(facade, "1", SNOMED, **{"mainSearchCriteria.v.c1": "M99.97", "mainSearchCriteria.v.cs1": ICD10CM})

    assert told["groups"][0]["id"] == "murmuria"


def test_a_name_is_understood_where_there_is_no_code(facade: TestClient) -> None:
    told = facade.get(
        "/infobutton", params={"mainSearchCriteria.v.dn": "ldz", "knowledgeResponseType": "application/json"}
    ).json()

    assert [group["id"] for group in told["groups"]] == ["low-dose-zelvane"]


def test_a_condition_brings_the_warnings_of_its_treatment(facade: TestClient) -> None:
    condition, warnings = ask(facade, "M99.97", ICD10CM, **{"taskContext.c.c": "PROBLISTREV"})["groups"]

    assert condition["claims"][0]["kind"] == "Efficacy"
    assert warnings["label"] == "Low-dose zelvane: warnings and side effects"
    assert "zelvane-lort-contraindication" in [claim["id"] for claim in warnings["claims"]]
    assert {claim["kind"] for claim in warnings["claims"]} == {"Interaction", "Safety"}


def test_what_is_not_known_is_said_and_not_taken_for_safe(facade: TestClient) -> None:
    for code, system in (("999999", RXNORM), ("9990001", "1.2.3"), ("<script>", RXNORM)):
        told = ask(facade, code, system)
        assert (told["groups"], told["message"]) == ([], NOTHING)


def test_a_claim_never_stands_bare_and_links_to_what_was_shown(facade: TestClient) -> None:
    for group in ask(facade, "9990001", RXNORM)["groups"]:
        for claim in group["claims"]:
            assert claim["link"] == f"{BASE}/v1/claims/{claim['id']}?serial=1"
            assert claim["answer"]
            assert claim["verdict"]
            assert "citation" in claim["supporting"]
            assert "citation" in claim["disputing"]
            assert "caveat" in claim


@pytest.mark.parametrize(
    ("asked", "accept", "media_type"),
    [
        ("", "text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("", "*/*", "text/html"),
        ("", "application/atom+xml", "application/atom+xml"),
        ("", "application/json", "application/json"),
        ("text/xml", "application/json", "application/atom+xml"),
        ("text/html", "application/json", "text/html"),
    ],
)
def test_the_response_type_goes_before_the_accept_header(
    facade: TestClient, asked: str, accept: str, media_type: str
) -> None:
    parameters = {"mainSearchCriteria.v.dn": "LDZ", **({"knowledgeResponseType": asked} if asked else {})}
    answer = facade.get("/infobutton", params=parameters, headers={"Accept": accept})

    assert answer.headers["content-type"].split(";")[0] == media_type
    assert answer.headers["cache-control"] == "no-store"


def test_the_feed_has_an_entry_for_each_claim(facade: TestClient) -> None:
    told = ask(facade, "M99.97", ICD10CM)
    feed = ET.fromstring(  # noqa: S314 - our own
        facade.get(
            "/infobutton",
            params={
                "mainSearchCriteria.v.c": "M99.97",
                "mainSearchCriteria.v.cs": ICD10CM,
                "knowledgeResponseType": "text/xml",
            },
        ).content
    )
    entries = feed.findall(f"{ATOM}entry")

    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [
        " ".join(filter(None, (claim["answer"], claim["claimed"])))
        for group in told["groups"]
        for claim in group["claims"]
    ]
    assert all('class="verdict"' in (entry.findtext(f"{ATOM}summary") or "") for entry in entries)
    assert all(entry.findtext(f"{ATOM}updated") for entry in entries)


def test_nothing_to_look_for_is_an_error(facade: TestClient) -> None:
    for address in ("/infobutton", "/infobutton?patientPerson.administrativeGenderCode.c=F"):
        answer = facade.get(address)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "mainSearchCriteria.v.c")


def test_an_unknown_response_type_is_not_acceptable(facade: TestClient) -> None:
    answer = facade.get("/infobutton?mainSearchCriteria.v.dn=LDZ&knowledgeResponseType=application/pdf")

    assert (answer.status_code, answer.headers["content-type"]) == (406, "application/problem+json")


def test_text_is_escaped_and_the_page_runs_nothing(facade: TestClient) -> None:
    evil = '<script>alert("x")</script>'
    claim = InfobuttonClaim(
        id="a", kind=evil, answer=evil, counts=evil, claimed=evil, caveat=evil, inheritance=evil,
        consensus="conflicting",
        leaning="neither", verdict=evil, tone="mixed", supporting=evil, disputing=evil, link=f"/v1/claims/a?{evil}",
        updated="2026-11-22T10:00:00Z",
    )  # fmt: skip
    links = InfobuttonLinks(claims=evil, briefs=evil)
    group = InfobuttonGroup(label=evil, type="claim", id="a", message=evil, claims=[claim], truncated=True, links=links)
    names = {"site": evil, "language": "en", "evidence_id": "a-evidence", "title": evil}
    told = InfobuttonAnswer(**names, updated="2026", message=evil, disclaimer=evil, groups=[group])

    assert "<script" not in page(told)
    assert "<script" not in ET.fromstring(atom(told)).findtext(f".//{ATOM}summary", "")  # noqa: S314 - our own
    policy = facade.get("/infobutton?mainSearchCriteria.v.dn=LDZ").headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "style-src 'sha256-" in policy
    assert "script-src" not in policy


# --- what must not be kept --------------------------------------------------------------------------------------------

PATIENT = {
    "patientPerson.administrativeGenderCode.c": "F",
    "age.v.v": f"47-{CANARY}",
    "patientPerson.id.root": CANARY,
    "performer.languageCode.c": CANARY,
    "locationOfInterest.addr.PC": CANARY,
    "encounter.c.c": CANARY,
    "mainSearchCriteria.v.ot": CANARY,
    CANARY: "1",
}


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    time.sleep(0.5)  # lines of earlier tests are written
    stream = io.StringIO()
    kept = logging.getLogger().handlers[:]
    configure(json=True, stream=stream)
    yield stream.getvalue
    logging.getLogger().handlers[:] = kept
    structlog.reset_defaults()


def test_patient_context_reaches_no_log_and_no_answer(facade: TestClient, logged: Callable[[], str]) -> None:
    for kind in ("text/html", "text/xml", "application/json", "application/pdf"):
        for code in ("9990001", CANARY):
            answer = facade.get(
                "/infobutton",
                params={
                    "mainSearchCriteria.v.c": code,
                    "mainSearchCriteria.v.cs": RXNORM,
                    "knowledgeResponseType": kind,
                    **PATIENT,
                },
                headers={"Referer": f"https://ehr.example.org/{CANARY}"},
            )
            assert CANARY not in answer.text
            assert CANARY not in str(answer.headers)
    facade.get("/infobutton", params=PATIENT | {"mainSearchCriteria.v.ot": ""})

    def routes() -> list[str]:
        lines = [json.loads(line) for line in logged().splitlines()]
        return [line["route"] for line in lines if line["event"] == "request"]

    eventually("the log is written", lambda: len(routes()) >= 9)
    assert routes() == ["/infobutton"] * 9
    assert CANARY not in logged()


def test_the_canary_would_be_seen(logged: Callable[[], str]) -> None:
    structlog.get_logger("app.test").info("asked", query=PATIENT)

    assert CANARY in logged()


@pytest.mark.parametrize(
    ("parameters", "concept"),
    [
        ({"mainSearchCriteria.v.dn": "Murmuria (disorder)"}, "murmuria"),
        ({"mainSearchCriteria.v.dn": "PALES DISEASE"}, "palewing"),
        ({"mainSearchCriteria.v.dn": "Zelvane 50 MG Oral Tablet"}, "zelvane"),
        ({"mainSearchCriteria.v.dn": "zelvanhydrochlorid"}, "zelvane"),
        ({"mainSearchCriteria.v.c": "M9997", "mainSearchCriteria.v.cs": ICD10CM}, "murmuria"),
        ({"mainSearchCriteria.v.c": "9990011", "mainSearchCriteria.v.cs": RXNORM}, "zelvane"),
        ({"mainSearchCriteria.v.c": "9990110", "mainSearchCriteria.v.cs": RXNORM}, "oxilort"),
    ],
)
def test_codes_and_names_are_recognised_as_people_write_them(
    facade: TestClient, parameters: dict[str, str], concept: str
) -> None:
    answer = facade.get("/infobutton", params={**parameters, "knowledgeResponseType": "application/json"})
    assert concept in [group["id"] for group in answer.json()["groups"]]


def test_a_code_without_its_system_is_refused_and_a_name_beside_it_is_enough(facade: TestClient) -> None:
    code = "/infobutton?mainSearchCriteria.v.c=9990001&knowledgeResponseType=application/json"
    answer = facade.get(code)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "mainSearchCriteria.v.cs")
    assert facade.get(f"{code}&mainSearchCriteria.v.dn=LDZ").status_code == 200


def test_a_plus_in_a_media_type_need_not_be_encoded(facade: TestClient) -> None:
    answer = facade.get("/infobutton?mainSearchCriteria.v.dn=LDZ&knowledgeResponseType=application/atom+xml")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/atom+xml")
