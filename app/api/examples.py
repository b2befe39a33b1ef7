"""Real answers in the documentation: the requests, and how the recorded answers enter the OpenAPI document.

`python scripts/examples.py` records them again from the seed data; a test asks each request and compares.
"""

import json
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("examples.json")

REQUESTS: dict[str, str] = {
    "listClaims": "/v1/claims?id=naltrexone-50-mg-product&citations=top",
    "getClaim": "/v1/claims/naltrexone-opioid-free-interval",
    "listClaimVersions": "/v1/claims/naltrexone-opioid-free-interval/versions",
    "listClaimCitations": "/v1/claims/naltrexone-opioid-free-interval/citations?limit=1",
    "getClaimEvidence": "/v1/claims/ldn-arthritis-pain/evidence",
    "listCitations": "/v1/citations?document=younger-2013&stance=supports&limit=1",
    "getCitation": "/v1/citations/cit-fibromyalgia-pain-younger-2013",
    "listCitationVersions": "/v1/citations/cit-fibromyalgia-pain-younger-2013/versions",
    "listInterventions": "/v1/interventions?code=rxnorm:7243",
    "getIntervention": "/v1/interventions/methadone",
    "listInterventionVersions": "/v1/interventions/methadone/versions",
    "listConditions": "/v1/conditions?code=icd10cm:M32.9",
    "getCondition": "/v1/conditions/lupus",
    "listConditionVersions": "/v1/conditions/lupus/versions",
    "listMechanisms": "/v1/mechanisms?limit=1",
    "getMechanism": "/v1/mechanisms/opioid-growth-factor",
    "listMechanismVersions": "/v1/mechanisms/opioid-growth-factor/versions",
    "listSideEffects": "/v1/side-effects?side_effect=vivid-dreams&limit=1",
    "getSideEffect": "/v1/side-effects/dizziness",
    "listSideEffectVersions": "/v1/side-effects/dizziness/versions",
    "listOutcomes": "/v1/outcomes?outcome=spasticity&limit=1",
    "getOutcome": "/v1/outcomes/spasticity",
    "listOutcomeVersions": "/v1/outcomes/spasticity/versions",
    "listDosingRanges": "/v1/dosing-ranges?dose=5..10%20mg&limit=1",
    "getDosingRange": "/v1/dosing-ranges/ldn-6-mg",
    "listDosingRangeVersions": "/v1/dosing-ranges/ldn-6-mg/versions",
    "listStudies": "/v1/studies?results=pending&limit=1",
    "getStudy": "/v1/studies/younger-2013-trial",
    "listStudyVersions": "/v1/studies/younger-2013-trial/versions",
    "listDocuments": "/v1/documents?pmid=23359310",
    "getDocument": "/v1/documents/younger-2013",
    "listDocumentVersions": "/v1/documents/younger-2013/versions",
    "getDocumentImpact": "/v1/documents/smith-2011/impact?limit=1",
    "listSearches": "/v1/searches?condition=lupus",
    "getSearch": "/v1/searches/ldn-lupus",
    "listSearchVersions": "/v1/searches/ldn-lupus/versions",
    "listOverrides": "/v1/overrides",
    "resolve": "/v1/resolve?identifier=pmid:23359310",
    "listVocabularies": "/v1/vocabularies",
    "getMeta": "/v1/meta",
    "getHealth": "/healthz",
    "getReadiness": "/readyz",
    "getCoverage": "/v1/coverage?intervention=low-dose-naltrexone&condition=lupus",
    "getEvidenceMap": "/v1/evidence-map?intervention=low-dose-naltrexone&condition=lupus&outcome=pain",
    "listBriefs": "/v1/briefs?limit=1",
    "search": "/v1/search?q=vivid%20dreams&type=claim&limit=1",
    "suggest": "/v1/suggest?q=naltr&limit=2",
    "getBibliography": "/v1/bibliography?id=naltrexone-50-mg-product",
}
"""One request for each operation, by its id; the answers are short where that shows enough."""


def add(openapi: dict[str, Any]) -> dict[str, Any]:
    """Put the recorded answers where readers and generators of documentation look for them."""
    recorded: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    for operations in openapi["paths"].values():
        for operation in operations.values():
            name = operation.get("operationId")
            content = operation.get("responses", {}).get("200", {}).get("content", {}).get("application/json")
            if content is not None and name in recorded:
                summary = f"GET {REQUESTS[name]}"
                content["examples"] = {"recorded": {"summary": summary, "value": recorded[name]}}
    return openapi
