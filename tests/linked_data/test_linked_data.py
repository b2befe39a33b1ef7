"""JSON-LD of every claim and document, expanded without a network."""

import json

import pytest
from rdflib import Graph, URIRef
from rdflib.namespace import RDF, SDO
from starlette.testclient import TestClient

from app.concepts.manifest import UNDESCRIBED
from app.linked_data import schema_org as linked_data
from app.storage.database import Database
from tests.factories import amended, content, put
from tests.linked_data.terms import CITO, HOST, OA, graph_of, unknown_terms

CLAIM = "/v1/claims/ldz-murmuria-pain"

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own use of it


@pytest.mark.parametrize(("kind", "number"), [("claims", 50), ("documents", 10)])
def test_every_record_expands_to_terms_that_exist(client: TestClient, kind: str, number: int) -> None:
    ids = [item["id"] for item in client.get(f"/v1/{kind}?limit=200").json()["items"]]
    assert len(ids) >= number
    for record in ids:
        graph = graph_of(client, f"/v1/{kind}/{record}")
        assert len(graph) > 3
        assert unknown_terms(graph) == set()


def test_claim_points_to_both_sides(client: TestClient) -> None:
    graph = graph_of(client, CLAIM)
    claim = URIRef(HOST + CLAIM)
    citations = client.get(CLAIM).json()["citations"]
    for stance, predicate in (("supports", CITO.isSupportedBy), ("disputes", CITO.isDisputedBy)):
        wanted = {
            URIRef(document["links"]["doi"] or HOST + document["links"]["self"])
            for document in (citation["document"] for citation in citations if citation["stance"] == stance)
        }
        assert wanted
        assert set(graph.objects(claim, predicate)) == wanted


def test_caveat_and_verdict_travel_with_the_text(client: TestClient) -> None:
    shown = client.get(CLAIM).json()
    graph = graph_of(client, CLAIM)
    claim = URIRef(HOST + CLAIM)
    (comment,) = graph.objects(claim, SDO.comment)
    assert str(graph.value(comment, SDO.text)) == shown["caveat"]
    verdict = str(graph.value(claim, SDO.abstract))
    evidence = shown["evidence"]
    assert verdict == f"{evidence['verdict']['label']}. {evidence['answer']} {evidence['counts_text']}"


def test_place_in_a_document_is_an_annotation(scratch: Database, scratch_client: TestClient) -> None:
    claim = content(scratch, "claim", CLAIM.rpartition("/")[2])
    first, *others = claim.content.model_dump(mode="json")["citations"]
    placed = {"locator": {"section": "Results", "page": "7"}, "quotes": [{"text": "Pain fell by 28.8 %"}]}
    put(scratch, amended(claim, citations=[first | placed, *others]))
    graph = graph_of(scratch_client, CLAIM)
    places = list(graph.subjects(RDF.type, OA.Annotation))
    assert len(places) == 1
    assert len(list(graph.objects(graph.value(places[0], OA.hasTarget), OA.hasSelector))) == 2
    assert unknown_terms(graph) == set()
    for place in places:
        target = graph.value(place, OA.hasTarget)
        assert graph.value(target, OA.hasSource) is not None
        assert str(place).startswith(f"{HOST}/v1/citations/")


def test_doses_are_reported_and_never_recommended(scratch: Database, scratch_client: TestClient) -> None:
    client = scratch_client
    more = {"ldz-gripes-remission": "ldz-titration", "zelvane-liver-warning": "zelvane-50-mg"}
    for claim, dosing_range in more.items():
        put(scratch, amended(content(scratch, "claim", claim), dosing_range=dosing_range))
    dosed = [item for item in client.get("/v1/claims?limit=200").json()["items"] if item["dosing_range"]]
    assert {item["dosing_range"]["id"] for item in dosed} == {"ldz-titration", "ldz-4-5-mg", "zelvane-50-mg"}
    for item in dosed:
        graph = graph_of(client, item["links"]["self"])
        basis = client.get(f"/v1/dosing-ranges/{item['dosing_range']['id']}").json()
        schedules = set(graph.subjects(RDF.type, SDO.ReportedDoseSchedule))
        expected = len({end for end in (basis["low"], basis["high"]) if end is not None})
        assert basis["basis"] in ("recommended", "maximum") or len(schedules) == expected


def test_data_set_describes_itself() -> None:
    licence = UNDESCRIBED.licence.model_copy(update={"url": "https://example.org/l"})
    manifest = UNDESCRIBED.model_copy(update={"licence": licence})
    node = linked_data.dataset(version="1", serial=3, updated_at="2026-11-22T10:00:00Z", manifest=manifest)
    graph = Graph().parse(data=json.dumps(node), format="json-ld", publicID=HOST)
    assert unknown_terms(graph) == set()
    assert graph.value(URIRef(f"{HOST}/v1/meta"), SDO.version)
