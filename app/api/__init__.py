"""`/v1`: every router of the API, in the order of its documentation."""

from fastapi import APIRouter

from app.api import (
    bibliography,
    briefs,
    claims,
    coverage,
    documents,
    evidence_map,
    health,
    interaction_checks,
    interaction_rules,
    meta,
    overrides,
    records,
    resolve,
    search,
    verify,
    vocabularies,
)

_DESCRIBED: tuple[tuple[APIRouter, str], ...] = (
    (claims.router, "Statements with the citations that support and dispute them."),
    (search.router, "Ranked search across all types, and typeahead."),
    (records.citations, "The links from claims to documents; stance lives here."),
    (records.interventions, "Drugs, drug classes and dose regimens."),
    (records.conditions, "Diseases, syndromes and states."),
    (records.mechanisms, "How a treatment or disease process may work."),
    (records.side_effects, "Unwanted effects, with what claims assert of them."),
    (records.outcomes, "What is measured."),
    (records.dosing_ranges, "Doses studied, recommended or reported; never advice."),
    (records.studies, "Research, whatever was published about it."),
    (documents.router, "Publications, web pages and labels, with their standing."),
    (bibliography.router, "Reference lists of any choice of claims, in the formats of the trade."),
    (records.searches, "Questions that were searched, and that were not."),
    (coverage.router, "What is known of a question, and what an empty answer does not mean."),
    (evidence_map.router, "Conditions by outcomes, for a chart."),
    (interaction_rules.router, "Which sets of drugs are warned of together, and on which claims."),
    (interaction_checks.router, "One status for every pair of drugs, with the claims behind it."),
    (verify.router, "Whether a source is recorded, stands, and says what it is cited for."),
    (overrides.router, "Grades that a person has set aside."),
    (briefs.router, "What is known of an intervention in a condition, as a page."),
    (resolve.router, "From identifiers and codes to records."),
    (vocabularies.router, "Enumeration values with their definitions."),
    (meta.router, "Versions, counts, licences, disclaimer."),
    (health.router, "For those who run it."),
)
ROUTERS = tuple(router for router, _ in _DESCRIBED)
"""One after the other is asked whether it knows an address, so what is asked for most comes first."""
TAGS = [{"name": router.tags[0], "description": description} for router, description in _DESCRIBED]
