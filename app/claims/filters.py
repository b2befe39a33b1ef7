"""The filters of lists of claims, citations, dosing ranges and literature searches.

The filter of an intervention also keeps the interactions and warnings of its drug and of its classes: harm is
inherited, benefit never is.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import String, case, cast, func, literal
from sqlalchemy.orm import aliased

from app.claims.models import (
    Citation,
    Claim,
    ClaimConcept,
    DosingRange,
    DosingRangeCondition,
    DosingRangeTier,
    LiteratureSearch,
    LiteratureSearchConcept,
)
from app.claims.projection import CONCEPT_ROLES
from app.claims.rules import EVERYBODY
from app.claims.vocabulary import HARM_KINDS
from app.concepts.lineage import inheritance
from app.concepts.models import Concept
from app.core.vocabulary import Status
from app.sources.filters import as_flag
from app.sources.models import Document, Study
from app.storage.filter_bitmaps import PUBLISHED
from app.storage.filter_index import Column, FilterSpec, Values, values

CITED = {
    "stance": Citation.stance,
    "directness": Citation.directness,
    "verification": Citation.verification,
    "design": Study.design,
    "evidence_source": Study.evidence_source,
    "standing": Document.standing,
}
"""Filters of claims on their citations. Several must hold for one and the same citation, so claims are also indexed by
the combinations of values that their citations have (`COMBINATION`)."""
COMBINATION = "combination"
SEPARATOR = "|"

_CLAIMS = Claim.status == Status.published


def _citation_values(key: Column, columns: Mapping[str, Column]) -> Values:
    return (
        values(key, {**columns, **CITED})
        .join_from(Citation, Claim, Claim.pk == Citation.claim_pk)
        .join(Document, Document.pk == Citation.document_pk)
        .outerjoin(Study, Study.pk == Citation.study_pk)
        .where(_CLAIMS)
    )


def _combination() -> Column:
    first, *rest = (func.coalesce(column, "") for column in CITED.values())
    joined: Column = first
    for value in rest:
        joined = joined + SEPARATOR + value
    return joined


def _by_role(role: Column, roles: Iterable[str]) -> dict[str, Column]:
    """A column for each role, which holds the concept's id if it has that role."""
    return {name: case((role == name, Concept.id)) for name in roles}


_intervention, _outcome = aliased(Concept), aliased(Concept)
_heir, _inheritance = aliased(Concept), inheritance()
"""`intervention` also keeps the harms of its drug and classes; `subject` keeps only claims on itself."""

CLAIMS = FilterSpec(
    Claim,
    (
        values(
            Claim.pk,
            {
                PUBLISHED.name: literal(PUBLISHED.value),
                "kind": Claim.kind,
                "form": Claim.form,
                "effect": Claim.effect,
                "consensus": Claim.consensus,
                "certainty": Claim.certainty,
                "subgroup": func.coalesce(Claim.subgroup, EVERYBODY),
                "cited": as_flag(Claim.citation_count > 0),
                "stale": as_flag(Claim.is_stale.is_(True)),
                "relevance": cast(Claim.relevance, String),
            },
        ).where(_CLAIMS),
        values(Claim.pk, {"intervention": _intervention.id, "subject": _intervention.id, "outcome": _outcome.id})
        .outerjoin(_intervention, _intervention.pk == Claim.intervention_pk)
        .outerjoin(_outcome, _outcome.pk == Claim.outcome_pk)
        .where(_CLAIMS),
        values(Claim.pk, {"intervention": _heir.id})
        .join(_inheritance, _inheritance.c.source == Claim.intervention_pk)
        .join(_heir, _heir.pk == _inheritance.c.heir)
        .where(_CLAIMS, Claim.kind.in_(HARM_KINDS)),
        values(ClaimConcept.claim_pk, _by_role(ClaimConcept.role, (role for role, _ in CONCEPT_ROLES.values())))
        .join(Concept, Concept.pk == ClaimConcept.concept_pk)
        .join(Claim, Claim.pk == ClaimConcept.claim_pk)
        .where(_CLAIMS),
        _citation_values(Citation.claim_pk, {COMBINATION: _combination()}),
    ),
    ordered=frozenset(
        {
            PUBLISHED.name,  # the table holds retired claims in between
            "kind",
            "effect",
            "consensus",
            "intervention",
            "condition",
            "mechanism",
            "side_effect",
            "outcome",
            "interactant",
            "relevance",
        }
    ),
    stepped=frozenset({"relevance"}),
)


CITATIONS = FilterSpec(
    Citation,
    (_citation_values(Citation.pk, {PUBLISHED.name: literal(PUBLISHED.value), "role": Citation.role}),),
    ordered=frozenset({PUBLISHED.name}),  # the table holds those of retired claims in between
)

_RANGES = DosingRange.status == Status.published

DOSING_RANGES = FilterSpec(
    DosingRange,
    (
        values(
            DosingRange.pk,
            {PUBLISHED.name: literal(PUBLISHED.value), "basis": DosingRange.basis, "intervention": Concept.id},
        )
        .join(Concept, Concept.pk == DosingRange.intervention_pk)
        .where(_RANGES),
        values(DosingRange.pk, {"tier": DosingRangeTier.tier})
        .join(DosingRangeTier, DosingRangeTier.dosing_range_pk == DosingRange.pk)
        .where(_RANGES),
        values(DosingRange.pk, {"condition": Concept.id})
        .join(DosingRangeCondition, DosingRangeCondition.dosing_range_pk == DosingRange.pk)
        .join(Concept, Concept.pk == DosingRangeCondition.concept_pk)
        .where(_RANGES),
    ),
)

_SEARCHES = LiteratureSearch.status == Status.published

SEARCHES = FilterSpec(
    LiteratureSearch,
    (
        values(
            LiteratureSearch.pk,
            {
                PUBLISHED.name: literal(PUBLISHED.value),
                "coverage": LiteratureSearch.coverage,
                "intervention": Concept.id,
            },
        )
        .outerjoin(Concept, Concept.pk == LiteratureSearch.intervention_pk)
        .where(_SEARCHES),
        values(LiteratureSearch.pk, _by_role(LiteratureSearchConcept.role, ("condition", "interactant")))
        .join(LiteratureSearchConcept, LiteratureSearchConcept.search_pk == LiteratureSearch.pk)
        .join(Concept, Concept.pk == LiteratureSearchConcept.concept_pk)
        .where(_SEARCHES),
    ),
)
