"""JSON-LD as graphs, and the terms that the vocabularies really have."""

from rdflib import Graph, Namespace
from rdflib.namespace import RDF, SDO
from starlette.testclient import TestClient

HOST = "https://evidence.example"
CITO = Namespace("http://purl.org/spar/cito/")
OA = Namespace("http://www.w3.org/ns/oa#")

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


def graph_of(client: TestClient, path: str) -> Graph:
    body = client.get(path, headers={"accept": "application/ld+json"}).text
    return Graph().parse(data=body, format="json-ld", publicID=HOST + path)


def unknown_terms(graph: Graph) -> set[str]:
    used = {str(predicate) for predicate in graph.predicates()} | {str(kind) for kind in graph.objects(None, RDF.type)}
    return {term for term in used if not _exists(term)}


def _exists(term: str) -> bool:
    if term.startswith(str(SDO)):
        return term.removeprefix(str(SDO)) in SDO
    return any(term.removeprefix(space) in names for space, names in KNOWN.items() if term.startswith(space))
