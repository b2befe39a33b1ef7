"""The query parameters of lists of what claims are about and rest on, and the selection of records that they make."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field
from pyroaring import BitMap
from sqlalchemy import ColumnElement, or_, select

from app.claims import dose_query
from app.claims import vocabulary as terms
from app.claims.models import Citation, Claim, ClaimConcept, DosingRange, InteractionRule, LiteratureSearch
from app.claims.queries import (
    ClaimFilters,
    Few,
    Names,
    claims_by_filters,
    has_identifier,
    keys_of_ids,
    overlaps,
    selection_of,
)
from app.concepts.dose_tiers import all_bands
from app.concepts.manifest import current_manifest, current_units
from app.concepts.manifest_doses import BandName
from app.concepts.models import Concept
from app.concepts.queries import concept_keys, filter_spec
from app.core.errors import Fault, InvalidInput, nearest
from app.core.text import IdentifierText, Slug
from app.core.vocabulary import Status
from app.sources import vocabulary as source_terms
from app.sources.models import Document, DocumentStudyLink, Study
from app.storage.filter_bitmaps import Filter
from app.storage.filter_index import filter_index
from app.storage.paging import SortedQuery, Sorts, TextQuery
from app.storage.read_view import ReadView
from app.storage.selection import MAX_READ, Selection


class ConceptQuery(ClaimFilters):
    """Concepts, of all or of the claims that meet the evidence filters."""

    NOT_INDEXED = frozenset({"code"})

    code: Names = ()
    """A code that the concept carries, such as `mesh:D005356`."""
    sort: Literal["id", "-id", "name", "-name"] = "id"


class InterventionQuery(ConceptQuery):
    all: bool = False
    """Whether interventions without claims are listed too: drugs that are only recognized by their names and codes."""


def interventions(view: ReadView, query: InterventionQuery) -> Selection:
    """Published interventions that a published claim names; all of them if `all`, or if a code is given."""
    selection = concepts("intervention", view, query)
    return selection if query.all or query.code else selection.where(has_claims())


def has_claims() -> ColumnElement[bool]:
    """Concepts that a published claim names as its intervention, or as what that meets."""
    claim = select(Claim.pk).where(Claim.status == Status.published)
    linked = claim.join(ClaimConcept, ClaimConcept.claim_pk == Claim.pk).where(ClaimConcept.concept_pk == Concept.pk)
    return or_(claim.where(Claim.intervention_pk == Concept.pk).exists(), linked.exists())


CONCEPT_SORTS: Sorts = {"id": Concept.id, "name": Concept.name}


def concepts(record_type: str, view: ReadView, query: ConceptQuery) -> Selection:
    """Published concepts of a type; filters on claims keep the concepts that a matching claim names."""
    selection = Selection(record_type, filter_spec(record_type))
    if query.code:
        selection = selection.where(Concept.pk.in_(concept_keys(view.session, record_type, query.code, "code")))
    if _filters_claims(query):
        index = filter_index(view)
        matching = claims_by_filters(view, query).keys(view.session, index)
        ids = {
            record_id
            for name in _CLAIM_FILTERS[record_type]
            for record_id in index.values("claim", name)
            if index.of("claim", Filter(name, record_id)).intersect(matching)
        }
        rows = view.session.execute(select(Concept.pk, Concept.id).where(Concept.type == record_type))
        selection = replace(selection, only=BitMap(pk for pk, record_id in rows if record_id in ids))
    return selection


_CLAIM_FILTERS = {
    "intervention": ("subject", "interactant"),
    "condition": ("condition",),
    "mechanism": ("mechanism",),
    "side_effect": ("side_effect",),
    "outcome": ("outcome",),
}
"""Type of concept → filters of claims whose values are such concepts."""


def _filters_claims(query: ConceptQuery) -> bool:
    filters = ClaimFilters.model_fields.keys() - TextQuery.model_fields.keys() - {"descendants"}
    return not filters.isdisjoint(query.model_fields_set)


class StudyQuery(TextQuery):
    NOT_INDEXED = frozenset({"document", "claim"})

    condition: Names = ()
    design: Few[source_terms.Design] = ()
    evidence_source: Few[source_terms.EvidenceSource] = ()
    recruitment: Few[source_terms.Recruitment] = ()
    results: Few[source_terms.ResultsStatus] = ()
    is_review: bool | None = None
    document: Few[Slug] = ()
    claim: Few[Slug] = ()
    """Studies cited for one of these claims."""
    sort: Literal["id", "-id", "participants", "-participants"] = "id"


STUDY_SORTS: Sorts = {"id": Study.id, "participants": Study.participants}


def studies(view: ReadView, query: StudyQuery) -> Selection:
    """Published studies that meet every filter."""
    selection = selection_of(view, "study", query)
    if query.document:
        reporting = DocumentStudyLink.document_pk.in_(keys_of_ids(view.session, Document, query.document, "document"))
        selection = selection.where(Study.pk.in_(select(DocumentStudyLink.study_pk).where(reporting)))
    if query.claim:
        citing = Citation.claim_pk.in_(keys_of_ids(view.session, Claim, query.claim, "claim"))
        selection = selection.where(Study.pk.in_(select(Citation.study_pk).where(citing)))
    return selection


class DocumentQuery(TextQuery):
    NOT_INDEXED = frozenset({"doi", "pmid", "claim"})

    kind: Few[source_terms.DocumentKind] = ()
    standing: Few[source_terms.Standing] = ()
    doi: Few[IdentifierText] = ()
    pmid: Few[IdentifierText] = ()
    year: Few[Annotated[int, Field(ge=1000, le=9999)]] = ()
    claim: Few[Slug] = ()
    """Documents cited for one of these claims."""
    sort: Literal["id", "-id", "year", "-year", "label", "-label"] = "id"


DOCUMENT_SORTS: Sorts = {"id": Document.id, "year": Document.year, "label": Document.label}


def documents(view: ReadView, query: DocumentQuery) -> Selection:
    """Published documents that meet every filter."""
    selection = selection_of(view, "document", query).where(*has_identifier(Document.pk, query.doi, query.pmid))
    if query.claim:
        citing = Citation.claim_pk.in_(keys_of_ids(view.session, Claim, query.claim, "claim"))
        selection = selection.where(Document.pk.in_(select(Citation.document_pk).where(citing)))
    return selection


class DosingRangeQuery(TextQuery):
    NOT_INDEXED = frozenset({"dose"})

    intervention: Names = ()
    condition: Names = ()
    basis: Few[terms.DoseBasis] = ()
    tier: Few[BandName] = ()
    """Bands of doses, as the manifest of the data set names them; `/v1/vocabularies` lists them as `dose_tier`."""
    dose: Annotated[str, Field(min_length=1, max_length=60)] | None = None
    """A daily total such as `4.5 mg`, `1.5..4.5 mg` or `1000 [iU]`, or a weekly one such as `2.4 mg/wk`, both ends
    inclusive. Ranges whose dose was not read are kept, and so are those that cannot be compared with it: `total` of
    each says in which unit it can."""
    sort: Literal["id", "-id", "dose", "-dose"] = "id"
    """`dose` is the lowest daily total; masses come first, doses that can be compared stand together, and ranges
    without a total come last."""


DOSING_RANGE_SORTS: Sorts = {"id": DosingRange.id, "dose": DosingRange.dose_order}


def dosing_ranges(view: ReadView, query: DosingRangeQuery) -> Selection:
    """Published dosing ranges that meet every filter."""
    _refuse_unknown_tiers(view, query.tier)
    selection = selection_of(view, "dosing_range", query)
    if query.dose is not None:
        dose = dose_query.parse(query.dose, current_units(view.session))
        not_comparable = DosingRange.amount_of.is_distinct_from(dose.of)
        overlapping = overlaps(DosingRange.low_amount, DosingRange.high_amount, dose)
        selection = selection.where(or_(not_comparable, overlapping), max_read=MAX_READ)
    return selection


def _refuse_unknown_tiers(view: ReadView, asked: Sequence[str]) -> None:
    """InvalidInput for bands that the data set does not tell apart."""
    known = tuple(band.value for band in all_bands(current_manifest(view.session))) if asked else ()
    faults = [
        Fault("query", "tier", "unknown_value", "The data set has no such band of doses.", known, nearest(name, known))
        for name in asked
        if name not in known
    ]
    if faults:
        raise InvalidInput("A filter names something that does not exist here.", errors=faults)


class LiteratureSearchQuery(TextQuery):
    intervention: Names = ()
    condition: Names = ()
    interactant: Names = ()
    coverage: Few[terms.Coverage] = ()
    sort: Literal["id", "-id"] = "id"


SEARCH_SORTS: Sorts = {"id": LiteratureSearch.id}


def searches(view: ReadView, query: LiteratureSearchQuery) -> Selection:
    """Published literature searches that meet every filter."""
    return selection_of(view, "search", query)


class InteractionRuleQuery(SortedQuery):
    intervention: Names = ()
    """Drugs, classes or regimens that one of the two sets of a rule names."""
    severity: Few[terms.InteractionSeverity] = ()
    sort: Literal["id", "-id"] = "id"


INTERACTION_RULE_SORTS: Sorts = {"id": InteractionRule.id}


def interaction_rules(view: ReadView, query: InteractionRuleQuery) -> Selection:
    """Published interaction rules that meet every filter."""
    return selection_of(view, "interaction_rule", query)
