"""The most expensive requests of every route: everything that it can be asked for at once, and its largest records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from fastapi import FastAPI

from app.api.briefs import Format
from app.bibliography import FORMATS
from app.bibliography.styles import Style
from app.briefs.selection import pairs
from app.fhir.types import TYPES
from app.registry import RESOURCES
from app.storage.read_view import ReadView

MAX_LIMIT = 200
DOWNLOADS = ("/v1/bibliography", "/openapi.json", "/static/")
"""What is given whole, whatever its size: addresses begin so."""


@dataclass(frozen=True)
class ExpensiveRequest:
    """A request, and the route that answers it."""

    route: str
    path: str
    body: Any = None
    """JSON of a POST; null for a GET."""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_bounded(self) -> bool:
        """Whether its answer must stay below 1 MB."""
        asked = f"{self.path} {self.body}"
        is_long = any(f"{name}{MAX_LIMIT}" in asked for name in ("limit=", "_count=", "'limit': "))
        return not is_long and not self.path.startswith(DOWNLOADS)


@dataclass(frozen=True)
class _Largest:
    """What the data set has most of."""

    ids: dict[str, str]
    """Type of record → the id with the largest body."""
    cited: str
    """The document that most claims cite."""
    stating: str
    """The document that states most."""
    pairs: Sequence[tuple[str, str]]
    """Intervention and condition of briefs, those with the most claims first."""
    drugs: Sequence[str]
    word: str
    serial: int


def expensive_requests(app: FastAPI, view: ReadView) -> list[ExpensiveRequest]:
    """At least one request for every route of the application; a GET that this module does not know is asked as it is.

    KeyError for a route whose path or query needs a value that is not known here.
    """
    largest = _largest(view)
    documented = [
        ExpensiveRequest(path, path.format_map(_path_values(path, largest)) + query)
        for path, operations in app.openapi()["paths"].items()
        if "get" in operations
        for query in _queries(path, operations["get"], largest)
    ]
    return [*documented, *_posts(largest), *_fhir(largest), *_pages(largest)]


def _largest(view: ReadView) -> _Largest:
    def first(sql: str, *values: Any) -> Any:
        rows = view.rows(sql, *values)
        return rows[0][0] if rows else None

    of_type = "SELECT id FROM records WHERE type = ? AND status = 'published' ORDER BY length(body) DESC, id LIMIT 1"
    most = "SELECT d.id FROM {} x JOIN documents d ON d.pk = x.document_pk GROUP BY d.id ORDER BY count(*) DESC, 1"
    statement, *_ = pairs()
    rows = view.session.execute(statement).all()
    ids = {kind: found for kind in [r.type for r in RESOURCES] if (found := first(of_type, kind))}
    cited = first(most.format("citations") + " LIMIT 1")
    return _Largest(
        ids=ids,
        cited=cited,
        stating=first(most.format("claim_origins") + " LIMIT 1") or cited,
        pairs=[(row.intervention, row.condition) for row in sorted(rows, key=lambda row: -row.statements)[:3]],
        drugs=[row[0] for row in view.rows("SELECT id FROM concepts WHERE type = 'intervention' ORDER BY id LIMIT 30")],
        word=first("SELECT lower(name) FROM concepts WHERE type = 'outcome' ORDER BY length(name), id LIMIT 1"),
        serial=view.serial,
    )


def _path_values(path: str, largest: _Largest) -> dict[str, str]:
    segment = path.removeprefix("/v1/").partition("/")[0]
    by_segment = {resource.plural: largest.ids.get(resource.type, "none") for resource in RESOURCES}
    of_document = {"impact": largest.cited, "statements": largest.stating}
    intervention, condition = largest.pairs[0]
    chosen = of_document.get(path.rpartition("/")[2]) or by_segment.get(segment, "")
    return {"id": chosen, "intervention": intervention, "condition": condition}


def _queries(path: str, operation: Any, largest: _Largest) -> Iterator[str]:
    """Query strings, the question mark included."""
    names = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"}
    intervention, condition = largest.pairs[0]
    needed = {
        "/v1/search": [f"q={largest.word}"],
        "/v1/suggest": ["q=a&all=true&limit=20", f"q={largest.word[:3]}&limit=20"],
        "/v1/resolve": ["identifier=icd10cm:G35"],
        "/v1/coverage": [f"intervention={i}&condition={c}" for i, c in largest.pairs],
        "/v1/evidence-map": [f"intervention={intervention}"],
    }
    if path == "/v1/bibliography":
        yield from (f"?format={name}" for name in ("json", *FORMATS))
        yield from (f"?{query}&style={style}" for style in Style for query in ("format=text", "format=json"))
        yield f"?brief={intervention}/{condition}"
        yield f"?q={largest.word}&sort=-id"
        return
    bases = needed.get(path, [""])
    if "limit" in names and path not in ("/v1/suggest",):
        more = [""]
        if path == "/v1/claims":
            word = largest.word
            more += ["&facets=true", f"&q={word}&facets=true", "&dose=1.5..4.5%20mg", "&citations=top"]
            more += ["&sort=-participant_count&updated_since=2000-01-01T00:00:00Z", f"&condition={condition}"]
        elif path == "/v1/documents":
            more += [f"&format={name}" for name in FORMATS]
            more += [f"&format=text&style={style}" for style in Style]
        elif "all" in names:
            more += ["&all=true"]
        bases = ["&".join(filter(None, (base, f"limit={n}"))) + x for base, n, x in product(bases, (20, 200), more)]
    elif path == "/v1/briefs/{intervention}/{condition}":
        bases = [f"format={name}" for name in Format]
    elif "format" in names:
        kinds = next(p["schema"] for p in operation["parameters"] if p["name"] == "format")
        bases = [f"format={name}" for name in _enumeration(kinds)]
    if path == "/v1/claims/{id}/evidence":
        bases = [*bases, f"as_if_retracted={largest.cited}"]
    if "serial" in names:
        bases = [*bases, f"serial={largest.serial}"]
    yield from (f"?{base}" if base else "" for base in bases)


def _enumeration(schema: Any) -> list[str]:
    options = schema.get("anyOf", [schema])
    return [name for option in options for name in option.get("enum", ())]


def _posts(largest: _Largest) -> Iterator[ExpensiveRequest]:
    for limit in (20, MAX_LIMIT):
        yield ExpensiveRequest("POST /v1/search", "/v1/search", {"q": largest.word, "limit": limit})
    drugs = [{"id": drug} for drug in largest.drugs]
    yield ExpensiveRequest("POST /v1/interaction-checks", "/v1/interaction-checks", {"drugs": drugs})
    sentences = [{"sentence": f"{largest.word} {number}", "identifier": f"10.5555/{number}"} for number in range(50)]
    yield ExpensiveRequest("POST /v1/verify", "/v1/verify", {"items": sentences})
    orders = [
        {
            "resource": {
                "resourceType": "MedicationRequest", "id": f"order-{number}", "status": "draft", "intent": "order",
                "subject": {"reference": "Patient/1"}, "medicationCodeableConcept": {"text": drug.replace("-", " ")},
            }
        }
        for number, drug in enumerate(largest.drugs)
    ]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": orders}
    for hook, service in (("order-sign", "ldn-order-sign"), ("order-select", "ldn-order-select")):
        body = {
            "hook": hook,
            "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"userId": "Practitioner/1", "patientId": "1", "selections": [], "draftOrders": bundle},
            "prefetch": {"medications": bundle},
        }
        yield ExpensiveRequest("POST /cds-services/{id}", f"/cds-services/{service}", body)


def _fhir(largest: _Largest) -> Iterator[ExpensiveRequest]:
    base = "/fhir/r5"
    yield ExpensiveRequest(f"{base}/metadata", f"{base}/metadata")
    for path in (f"{base}/Library", f"{base}/Library/ldn-evidence"):
        yield ExpensiveRequest(path, path)
    for fhir_type in TYPES:
        path = f"{base}/{fhir_type.name}"
        for query in ("_count=20", "_count=200", "_count=200&_summary=data", "_count=200&_summary=true"):
            yield ExpensiveRequest(path, f"{path}?{query}")
        record = largest.ids.get(fhir_type.record_type)
        if record is not None:
            yield ExpensiveRequest(f"{path}/{{id}}", f"{path}/{record}")
            version = f"{path}/{record}/_history/{largest.serial}"
            yield ExpensiveRequest(f"{path}/{{id}}/_history/{{version}}", version)
    yield ExpensiveRequest(f"{base}/Citation", f"{base}/Citation?_count=200&title:contains=a&_sort=-title")
    yield ExpensiveRequest(f"{base}/Evidence", f"{base}/Evidence?_count=200&description:contains=a")


def _pages(largest: _Largest) -> Iterator[ExpensiveRequest]:
    for path in ("/", "/docs", "/openapi.json", "/static/favicon.svg"):
        yield ExpensiveRequest(path, path)
    yield ExpensiveRequest("/claims/{id}", f"/claims/{largest.ids['claim']}")
    for answer in ("application/json", "text/html", "text/xml"):
        query = f"mainSearchCriteria.v.dn=low+dose+naltrexone&knowledgeResponseType={answer}"
        yield ExpensiveRequest("/infobutton", f"/infobutton?{query}")
