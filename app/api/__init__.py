"""`/v1`: every router of the API, in the order of its documentation."""

from fastapi import APIRouter

from app.api import (
    briefs,
    citations,
    claims,
    concepts,
    coverage,
    dosing_ranges,
    evidence,
    evidence_map,
    health,
    interaction_checks,
    meta,
    resolve,
    search,
    searches,
    sources,
    vocabularies,
)

TAGS = [
    {"name": "claims", "description": "Statements with the citations that support and dispute them."},
    {"name": "search", "description": "Ranked search across all types, and typeahead."},
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
    {"name": "coverage", "description": "What is known of a question, and what an empty answer does not mean."},
    {"name": "evidence-map", "description": "Conditions by outcomes, for a chart."},
    {"name": "interaction-checks", "description": "One status for every pair of drugs, with the claims behind it."},
    {"name": "overrides", "description": "Grades that a person has set aside."},
    {"name": "briefs", "description": "What is known of an intervention in a condition, as a page."},
    {"name": "resolve", "description": "From identifiers and codes to records."},
    {"name": "vocabularies", "description": "Enumeration values with their definitions."},
    {"name": "meta", "description": "Versions, counts, licences, disclaimer."},
    {"name": "health", "description": "For those who run it."},
]

router = APIRouter()
for part in (
    claims.router,
    evidence.claims,
    search.router,
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
    coverage.router,
    evidence_map.router,
    interaction_checks.router,
    evidence.overrides,
    briefs.router,
    resolve.router,
    vocabularies.router,
    meta.router,
    health.router,
):
    router.include_router(part)
