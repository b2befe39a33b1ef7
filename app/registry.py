"""RESOURCES: every type of record, parents first."""

from functools import partial

from app.claims import catalogue_responses as catalogue
from app.claims import derived, filters, interaction_rules, projection, rules
from app.claims import rendering as render
from app.claims import responses as reads
from app.claims.schemas import (
    CitationRecord,
    ClaimWrite,
    DosingRangeWrite,
    InteractionRuleWrite,
    LiteratureSearchWrite,
)
from app.concepts import projection as concepts
from app.concepts import queries as concept_queries
from app.concepts.schemas import ConditionWrite, InterventionWrite, MechanismWrite, OutcomeWrite, SideEffectWrite
from app.core.content import Record
from app.grading import derive, derive_catalogue
from app.sources import filters as source_filters
from app.sources import projection as sources
from app.sources import rules as source_rules
from app.sources.schemas import DocumentWrite, StudyWrite
from app.storage.resource import Resource, register


def _concept(record_type: str, plural: str, label: str, write: type[Record], read: type) -> Resource:
    return Resource(
        type=record_type,
        plural=plural,
        label=label,
        write=write,
        derived=derived.ConceptDerived,
        read=read,
        check=concepts.check,
        references=concepts.references,
        apply=lambda rows, content: concepts.apply(rows, record_type, content),
        link=lambda rows, content: concepts.link(rows, record_type, content),
        derive=partial(derive_catalogue.derive_concepts, record_type=record_type),
        render=partial(render.concept_record, read, record_type),
        filters=concept_queries.filter_spec(record_type),
    )


RESOURCES: tuple[Resource, ...] = (
    _concept("intervention", "interventions", "Intervention", InterventionWrite, catalogue.InterventionRead),
    _concept("condition", "conditions", "Condition", ConditionWrite, catalogue.ConditionRead),
    _concept("mechanism", "mechanisms", "Mechanism", MechanismWrite, catalogue.MechanismRead),
    _concept("side_effect", "side-effects", "Side effect", SideEffectWrite, catalogue.SideEffectRead),
    _concept("outcome", "outcomes", "Outcome", OutcomeWrite, catalogue.OutcomeRead),
    Resource(
        type="study",
        plural="studies",
        label="Study",
        write=StudyWrite,
        derived=derived.SourceDerived,
        read=catalogue.StudyWithEvidence,
        check=source_rules.study_faults,
        references=sources.study_references,
        apply=sources.apply_study,
        link=sources.link_study,
        derive=derive_catalogue.derive_studies,
        render=render.study,
        filters=source_filters.STUDIES,
    ),
    Resource(
        type="document",
        plural="documents",
        label="Document",
        write=DocumentWrite,
        derived=derived.SourceDerived,
        read=catalogue.DocumentWithEvidence,
        check=source_rules.document_faults,
        references=sources.document_references,
        apply=sources.apply_document,
        link=sources.link_document,
        derive=derive_catalogue.derive_documents,
        render=render.document,
        filters=source_filters.DOCUMENTS,
    ),
    Resource(
        type="dosing_range",
        plural="dosing-ranges",
        label="Dosing range",
        write=DosingRangeWrite,
        derived=derived.DosingRangeDerived,
        read=catalogue.DosingRangeRead,
        check=rules.dosing_range_faults,
        references=projection.dosing_range_references,
        apply=projection.apply_dosing_range,
        link=projection.link_dosing_range,
        derive=derive_catalogue.derive_dosing_ranges,
        render=render.dosing_range,
        filters=filters.DOSING_RANGES,
    ),
    Resource(
        type="claim",
        plural="claims",
        label="Claim",
        write=ClaimWrite,
        derived=derived.ClaimDerived,
        read=reads.ClaimRead,
        check=rules.claim_faults,
        references=projection.claim_references,
        apply=projection.apply_claim,
        link=projection.link_claim,
        derive=derive.derive_claims,
        render=render.claim,
        filters=filters.CLAIMS,
    ),
    Resource(
        type="citation",
        plural="citations",
        label="Citation",
        write=CitationRecord,
        derived=derived.Nothing,
        read=reads.CitationRead,
        check=lambda _citation: [],
        references=projection.citation_record_references,
        apply=lambda _rows, _citation: None,
        link=lambda _rows, _citation: None,
        derive=derive_catalogue.derive_nothing,
        render=render.citation,
        filters=filters.CITATIONS,
        part_of="claim",
    ),
    Resource(
        type="search",
        plural="searches",
        label="Search",
        write=LiteratureSearchWrite,
        derived=derived.Nothing,
        read=catalogue.SearchRead,
        check=rules.search_faults,
        references=projection.search_references,
        apply=projection.apply_search,
        link=projection.link_search,
        derive=derive_catalogue.derive_nothing,
        render=render.search,
        filters=filters.SEARCHES,
    ),
    Resource(
        type="interaction_rule",
        plural="interaction-rules",
        label="Interaction rule",
        write=InteractionRuleWrite,
        derived=derived.Nothing,
        read=catalogue.InteractionRuleRead,
        check=interaction_rules.rule_faults,
        references=interaction_rules.references,
        apply=interaction_rules.apply,
        link=interaction_rules.link,
        derive=derive_catalogue.derive_nothing,
        render=interaction_rules.render,
        filters=interaction_rules.FILTERS,
    ),
)

register(RESOURCES)

BY_TYPE = {resource.type: resource for resource in RESOURCES}
BY_PLURAL = {resource.plural: resource for resource in RESOURCES}

FILTERS = {resource.type: resource.filters for resource in RESOURCES}
