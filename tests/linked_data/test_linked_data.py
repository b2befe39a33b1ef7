"""JSON-LD of every claim and document, expanded without a network."""

import json

import pytest
from rdflib import Graph, Namespace, URIRef
from rdflib.namespace import RDF, SDO
from starlette.testclient import TestClient

from app.concepts.manifest import UNDESCRIBED
from app.linked_data import schema_org as linked_data

HOST = "https://evidence.example"
CITO = Namespace("http://purl.org/spar/cito/")
OA = Namespace("http://www.w3.org/ns/oa#")
CLAIM = "/v1/claims/ldn-fibromyalgia-pain"

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own use of it

KNOWN = {
    str(CITO): {"isSupportedBy", "isDisputedBy", "isQualifiedBy", "citesForInformation", "cites"},
    str(OA): {
        "Annotation", "SpecificResource", "TextQuoteSelector", "FragmentSelector", "hasBody", "hasTarget", "hasSource",
        "hasSelector", "exact", "motivatedBy", "linking",
    },
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": {"type", "value"},
    "http://www.w3.org/2000/01/rdf-schema#": {"label"},
    "http://purl.org/dc/terms/": {"conformsTo"},
}  # fmt: skip
"""Terms of CiTO 2.8.2, the Web Annotation vocabulary and their friends that we use; schema.org's are in rdflib."""


def _graph(client: TestClient, path: str) -> Graph:
    body = client.get(path, headers={"accept": "application/ld+json"}).text
    return Graph().parse(data=body, format="json-ld", publicID=HOST + path)


def _unknown_terms(graph: Graph) -> set[str]:
    used = {str(predicate) for predicate in graph.predicates()} | {str(kind) for kind in graph.objects(None, RDF.type)}
    return {term for term in used if not _exists(term)}


def _exists(term: str) -> bool:
    if term.startswith(str(SDO)):
        return term.removeprefix(str(SDO)) in SDO
    return any(term.removeprefix(space) in names for space, names in KNOWN.items() if term.startswith(space))


@pytest.mark.parametrize("kind", ["claims", "documents"])
def test_every_record_expands_to_terms_that_exist(client: TestClient, kind: str) -> None:
    ids = [item["id"] for item in client.get(f"/v1/{kind}?limit=200").json()["items"]]
    assert len(ids) > 50
    for record in ids:
        graph = _graph(client, f"/v1/{kind}/{record}")
        assert len(graph) > 3
        assert _unknown_terms(graph) == set()


def test_claim_points_to_both_sides(client: TestClient) -> None:
    graph = _graph(client, CLAIM)
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
    graph = _graph(client, CLAIM)
    claim = URIRef(HOST + CLAIM)
    (comment,) = graph.objects(claim, SDO.comment)
    assert str(graph.value(comment, SDO.text)) == shown["caveat"]
    verdict = str(graph.value(claim, SDO.abstract))
    evidence = shown["evidence"]
    assert verdict == f"{evidence['verdict']['label']}. {evidence['answer']} {evidence['counts_text']}"


def test_place_in_a_document_is_an_annotation(client: TestClient) -> None:
    graph = _graph(client, CLAIM)
    places = list(graph.subjects(RDF.type, OA.Annotation))
    assert places
    for place in places:
        target = graph.value(place, OA.hasTarget)
        assert graph.value(target, OA.hasSource) is not None
        assert str(place).startswith(f"{HOST}/v1/citations/")


def test_doses_are_reported_and_never_recommended(client: TestClient) -> None:
    dosed = [item for item in client.get("/v1/claims?limit=200").json()["items"] if item["dosing_range"]]
    assert dosed
    for item in dosed:
        graph = _graph(client, item["links"]["self"])
        basis = client.get(f"/v1/dosing-ranges/{item['dosing_range']['id']}").json()
        schedules = set(graph.subjects(RDF.type, SDO.ReportedDoseSchedule))
        expected = len({end for end in (basis["low"], basis["high"]) if end is not None})
        assert basis["basis"] in ("recommended", "maximum") or len(schedules) == expected


def test_data_set_describes_itself() -> None:
    licence = UNDESCRIBED.licence.model_copy(update={"url": "https://example.org/l"})
    manifest = UNDESCRIBED.model_copy(update={"licence": licence})
    node = linked_data.dataset(version="1", serial=3, updated_at="2026-11-22T10:00:00Z", manifest=manifest)
    graph = Graph().parse(data=json.dumps(node), format="json-ld", publicID=HOST)
    assert _unknown_terms(graph) == set()
    assert graph.value(URIRef(f"{HOST}/v1/meta"), SDO.version)
