"""The requests whose answers are frozen: every recorded example, every format, every interface, and errors."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from tests.examples import REQUESTS

STYLES = ("ama", "apa", "vancouver", "bmj")
LISTS = (
    "claims", "citations", "interventions", "conditions", "mechanisms", "side-effects", "outcomes", "dosing-ranges",
    "studies", "documents", "searches", "briefs", "overrides",
)  # fmt: skip
FHIR_TYPES = (
    "Citation", "Evidence", "ClinicalUseDefinition", "ArtifactAssessment", "Substance", "MedicationKnowledge",
    "Library",
)  # fmt: skip
QUESTIONS = (
    "ldn fibromyalgia pain", "can you take ldn with opioids", "how does ldn work", "side effects", "vivid dreams",
    "crohns remission", "M79.7", "10.1002/art.37734", "23359310", "fybromyalgia", '"quality of life"', "lupus", "xyzzy",
    "what is the best dose", "tramadol", "liver damage", "naltrex", "is it safe while breastfeeding",
)  # fmt: skip
FILTERS = (
    "condition=fibromyalgia&kind=efficacy", "condition=icd10cm:M79.7", "intervention=naltrexone",
    "stance=supports&design=randomized_parallel_trial", "stance=disputes&directness=direct", "cited=false&limit=5",
    "doi=10.1002/art.37734", "pmid=23359310", "document=younger-2013", "study=final-trial", "q=pain&limit=5",
    "dose=1.5..4.5%20mg&limit=5", "citations=top&limit=200", "facets=true&limit=1", "stale=false&limit=1",
    "sort=-participant_count&limit=5", "sort=study_count&limit=5", "sort=-updated_at&limit=5", "sort=-id&limit=5",
    "updated_since=2026-01-01T00:00:00Z&limit=1", "condition=autoimmune-disease&descendants=true",
    "kind=safety&kind=interaction&limit=5", "id=ldn-fibromyalgia-pain&id=ldn-nausea",
    "intervention=low-dose-naltrexone&condition=lupus", "interactant=opioids", "certainty=low&consensus=conflicting",
)  # fmt: skip
ERRORS = (
    "/v1/claims?condtion=fibromyalgia", "/v1/claims?kind=eficacy", "/v1/claims?limit=0", "/v1/claims?limit=x",
    "/v1/claims?cursor=abcdefghij", "/v1/claims?condition=fibromialgia", "/v1/claims?condition=icd99:X",
    "/v1/claims?condition=icd10cm:Z99.9", "/v1/claims?doi=nonsense", "/v1/claims?dose=much", "/v1/claims?id=nothing",
    "/v1/claims?sort=size", "/v1/claims/nothing", "/v1/claims/Not-A-Slug", "/v1/claims/ldn-nausea?serial=99",
    "/v1/claims/ldn-nausea?serial=0", "/v1/claims/ldn-nausea?format=pdf", "/v1/documents/nothing", "/v1/nothing",
    "/v1/coverage?intervention=low-dose-naltrexone", "/v1/coverage", "/v1/coverage?intervention=x&condition=y",
    "/v1/evidence-map", "/v1/briefs/low-dose-naltrexone/nothing", "/v1/briefs/low-dose-naltrexone/icd10cm:Z99",
    "/v1/resolve?identifier=nonsense", "/v1/resolve?identifier=pmid:x", "/v1/search", "/v1/search?q=", "/v1/suggest",
    "/v1/bibliography?brief=x", "/v1/bibliography?format=docx", "/v1/meta?x=1", "/healthz?x=1",
    "/fhir/r5/Patient", "/fhir/r5/Citation/nothing", "/fhir/r5/Citation?_count=x", "/fhir/r5/Citation?_summary=all",
    "/infobutton", "/static/nothing", "/nothing",
)  # fmt: skip


@dataclass(frozen=True)
class GoldenRequest:
    """One request; its name is its line in the list of known differences."""

    path: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def name(self) -> str:
        told = "".join(f" {name}: {value}" for name, value in self.headers.items())
        sent = f" {self.body}" if self.body is not None else ""
        return f"{self.method} {self.path}{told}{sent}"[:200]


def requests() -> list[GoldenRequest]:
    """Every request, each once."""
    return list({request.name: request for request in _requests()}.values())


def _requests() -> Iterator[GoldenRequest]:
    for path in REQUESTS.values():
        yield GoldenRequest(path)
    for name in LISTS:
        yield GoldenRequest(f"/v1/{name}?limit=200")
        yield GoldenRequest(f"/v1/{name}?limit=2")
    for query in FILTERS:
        yield GoldenRequest(f"/v1/claims?{query}")
    for question in QUESTIONS:
        yield GoldenRequest(f"/v1/search?q={question}&limit=10")
        yield GoldenRequest(f"/v1/suggest?q={question[:12]}")
    yield from _formats()
    yield from _questions()
    yield from _clinics()
    for path in ("/", "/docs", "/reference", "/favicon.ico", "/openapi.json"):
        yield GoldenRequest(path)
    for path in ERRORS:
        yield GoldenRequest(path)
    yield GoldenRequest("/v1/claims/ldn-nausea", headers={"Accept": "image/png"})
    yield GoldenRequest("/v1/claims", method="DELETE")
    yield GoldenRequest("/v1/claims", method="OPTIONS")


def _formats() -> Iterator[GoldenRequest]:
    for wanted in ("csl-json", "bibtex", "ris", "text"):
        yield GoldenRequest(f"/v1/documents?format={wanted}&limit=200")
        yield GoldenRequest(f"/v1/documents/younger-2013?format={wanted}")
    for style in STYLES:
        yield GoldenRequest(f"/v1/bibliography?format=text&style={style}")
        yield GoldenRequest(f"/v1/bibliography?condition=fibromyalgia&style={style}")
    yield GoldenRequest("/v1/bibliography?brief=low-dose-naltrexone/fibromyalgia")
    yield GoldenRequest("/v1/bibliography?id=ldn-fibromyalgia-pain", headers={"Accept": "application/x-bibtex"})
    yield GoldenRequest("/v1/documents/younger-2013?format=jsonld")
    yield GoldenRequest("/v1/meta?format=jsonld")
    for claim, wanted in product(("ldn-fibromyalgia-pain", "naltrexone-50-mg-product"), ("jsonld", "va-spec")):
        yield GoldenRequest(f"/v1/claims/{claim}?format={wanted}")
    yield GoldenRequest("/v1/claims/ldn-fibromyalgia-pain?serial=1")
    for condition, wanted in product(("fibromyalgia", "lupus", "crohns-disease"), ("json", "markdown", "html")):
        yield GoldenRequest(f"/v1/briefs/low-dose-naltrexone/{condition}?format={wanted}")
    for accept in ("text/html", "text/markdown", "application/json", "text/html;q=0.5,*/*;q=0.1"):
        yield GoldenRequest("/v1/briefs/naltrexone/fibromyalgia", headers={"Accept": accept})


def _questions() -> Iterator[GoldenRequest]:
    for asked in (
        "condition=fibromyalgia", "side_effect=insomnia", "mechanism=opioid-growth-factor", "interactant=methadone",
        "condition=icd10cm:G35.A", "interactant=alcohol",
    ):  # fmt: skip
        yield GoldenRequest(f"/v1/coverage?intervention=low-dose-naltrexone&{asked}")
    yield GoldenRequest("/v1/evidence-map?intervention=low-dose-naltrexone")
    yield GoldenRequest("/v1/claims/ldn-fibromyalgia-pain/evidence")
    yield GoldenRequest("/v1/claims/ldn-fibromyalgia-pain/evidence?as_if_retracted=bruun-2024")
    drugs = [{"code": "rxnorm:7243", "dose": "4.5 mg"}, {"id": "methadone"}, {"text": "tramadol"}, {"text": "aspirin"}]
    yield GoldenRequest("/v1/interaction-checks", "POST", body={"drugs": drugs})
    yield GoldenRequest("/v1/interaction-checks", "POST", body={"drugs": [{"id": "methadone"}]})
    verified = [
        {"claim": "ldn-fibromyalgia-pain", "identifier": "doi:10.1002/art.37734"},
        {"sentence": "Naltrexone helps against pain in fibromyalgia.", "identifier": "PMID 23359310"},
    ]
    yield GoldenRequest("/v1/verify", "POST", body={"items": verified})
    yield GoldenRequest("/v1/verify", "POST", body={"items": []})
    yield GoldenRequest("/v1/search", "POST", body={"q": "naltrexone with tramadol"})
    yield GoldenRequest("/v1/search", "POST", body={"q": "pain", "colour": "red"})


def _clinics() -> Iterator[GoldenRequest]:
    yield GoldenRequest("/fhir/r5/metadata")
    for name in FHIR_TYPES:
        yield GoldenRequest(f"/fhir/r5/{name}?_count=10")
    yield GoldenRequest("/fhir/r5/Citation/younger-2013")
    yield GoldenRequest("/fhir/r5/Citation/younger-2013?_summary=true")
    yield GoldenRequest("/fhir/r5/Citation?title:contains=fibromyalgia&_sort=-title&_count=3")
    yield GoldenRequest("/fhir/r5/ClinicalUseDefinition?subject=Substance/low-dose-naltrexone&_count=5")
    yield GoldenRequest("/fhir/r5/Citation?colour=red", headers={"Prefer": "handling=strict"})
    asked = "mainSearchCriteria.v.c=M79.7&mainSearchCriteria.v.cs=2.16.840.1.113883.6.90"
    for wanted in ("text/html", "application/atom+xml", "application/json"):
        yield GoldenRequest(f"/infobutton?{asked}&knowledgeResponseType={wanted.replace('+', '%2B')}")
    yield GoldenRequest("/cds-services")
    yield GoldenRequest(
        "/cds-services/ldn-order-sign", "POST", body=_hook("naltrexone 4.5 mg capsule", "oxycodone 5 mg")
    )
    yield GoldenRequest("/cds-services/ldn-order-sign", "POST", body=_hook("naltrexone 4.5 mg", None))
    yield GoldenRequest("/cds-services/ldn-order-sign", "POST", body={"hook": "order-sign"})
    yield GoldenRequest("/cds-services/nothing", "POST", body={})


def _hook(drafted: str, current: str | None) -> dict[str, Any]:
    def order(identifier: str, status: str, text: str) -> dict[str, Any]:
        resource = {
            "resourceType": "MedicationRequest", "id": identifier, "status": status, "intent": "order",
            "medicationCodeableConcept": {"text": text}, "reasonCode": [{"text": "fibromyalgia"}],
        }  # fmt: skip
        return {"resource": resource}

    listed = [order("current", "active", current)] if current else []
    return {
        "hook": "order-sign",
        "hookInstance": "00000000-0000-4000-8000-000000000000",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "1",
            "draftOrders": {"resourceType": "Bundle", "entry": [order("draft", "draft", drafted)]},
        },
        "prefetch": {
            key: {"resourceType": "Bundle", "type": "searchset", "entry": entries}
            for key, entries in (("medications", listed), ("stopped", []), ("statements", []))
        },
    }
