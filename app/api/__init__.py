"""`/v1`: every router of the API, in the order of its documentation."""

from fastapi import APIRouter

from app.api import (
    citations,
    claims,
    concepts,
    dosing_ranges,
    evidence,
    health,
    meta,
    resolve,
    searches,
    sources,
    vocabularies,
)

TAGS = [
    {"name": "claims", "description": "Statements with the citations that support and dispute them."},
    {"name": "citations", "description": "The links from claims to documents; stance lives here."},
    {"name": "interventions", "description": "Drugs, drug classes and dose regimens."},
    {"name": "conditions", "description": "Diseases, syndromes and states."},
    {"name": "mechanisms", "description": "How a treatment or disease process may work."},
    {"name": "side-effects", "description": "Unwanted effects, with what claims assert of them."},
    {"name": "outcomes", "description": "What is measured."},
    {"name": "dosing-ranges", "description": "Doses studied, recommended or reported; never advice."},
    {"name": "studies", "description": "Research, whatever was published about it."},
    {"name": "documents", "description": "Publications, web pages and labels, with their standing."},
    {"name": "searches", "description": "Questions that were searched, and that were not."},
    {"name": "overrides", "description": "Grades that a person has set aside."},
    {"name": "resolve", "description": "From identifiers and codes to records."},
    {"name": "vocabularies", "description": "Enumeration values with their definitions."},
    {"name": "meta", "description": "Versions, counts, licences, disclaimer."},
    {"name": "health", "description": "For those who run it."},
]

router = APIRouter()
for part in (
    claims.router,
    evidence.claims,
    citations.router,
    concepts.interventions,
    concepts.conditions,
    concepts.mechanisms,
    concepts.side_effects,
    concepts.outcomes,
    dosing_ranges.router,
    sources.studies,
    sources.documents,
    evidence.documents,
    searches.router,
    evidence.overrides,
    resolve.router,
    vocabularies.router,
    meta.router,
    health.router,
):
    router.include_router(part)
