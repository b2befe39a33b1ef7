"""What lists of claims, citations, dosing ranges and questions are filtered by.

A regimen also keeps the interactions and warnings of its drug: harm crosses dose tiers, benefit never does.
"""

from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.concepts.models import Concept
from app.concepts.vocabulary import InterventionLevel
from app.core.filters import PUBLISHED, Filterable, Values
from app.core.vocabulary import Status
from app.evidence.models import (
    Citation,
    Claim,
    ClaimConcept,
    DosingRange,
    DosingRangeCondition,
    DosingRangeTier,
    Search,
    SearchConcept,
)
from app.evidence.vocabulary import HARM_KINDS
from app.sources.models import Document, Study

Column = ColumnElement[Any] | InstrumentedAttribute[Any]

CITED = {
    "stance": Citation.stance,
    "directness": Citation.directness,
    "verification": Citation.verification,
    "design": Study.design,
    "evidence_source": Study.evidence_source,
    "standing": Document.standing,
}
"""Filters about a citation. They must hold on one and the same citation, so a claim also stands under the combinations
of values that its citations have: `combination`."""
COMBINATION = "combination"
SEPARATOR = "|"

_CLAIMS = Claim.status == Status.published


def _claim(name: str, value: Column) -> Values:
    return select(Claim.pk, literal(name), value).where(_CLAIMS)


def _flag(condition: ColumnElement[bool]) -> Column:
    return case((condition, "true"), else_="false")


def _of_citations(pk: InstrumentedAttribute[int], name: str, value: Column) -> Values:
    return (
        select(pk, literal(name), value)
        .join_from(Citation, Claim, Claim.pk == Citation.claim_pk)
        .outerjoin(Document, Document.pk == Citation.document_pk)  # outer: not read where nothing is asked of it
        .outerjoin(Study, Study.pk == Citation.study_pk)
        .where(_CLAIMS, value.is_not(None))
    )


def _cited(name: str, value: Column) -> Values:
    return _of_citations(Citation.claim_pk, name, value).distinct()


def _combination() -> Column:
    first, *rest = (func.coalesce(column, "") for column in CITED.values())
    joined: Column = first
    for value in rest:
        joined = joined + SEPARATOR + value
    return joined


_regimen = aliased(Concept)
"""`intervention` also keeps what warns of a regimen's drug; `subject` keeps what is said of the very intervention."""

CLAIMS = Filterable(
    Claim,
    (
        _claim(PUBLISHED.name, literal(PUBLISHED.value)),
        *(_claim(name, getattr(Claim, name)) for name in ("kind", "form", "effect", "consensus", "certainty")),
        _claim("cited", _flag(Claim.citation_count > 0)),
        _claim("stale", _flag(Claim.is_stale.is_(True))),
        _claim("outcome", Concept.id).join(Concept, Concept.pk == Claim.outcome_pk),
        _claim("intervention", Concept.id).join(Concept, Concept.pk == Claim.intervention_pk),
        _claim("subject", Concept.id).join(Concept, Concept.pk == Claim.intervention_pk),
        _claim("intervention", _regimen.id)
        .join(_regimen, _regimen.parent_pk == Claim.intervention_pk)
        .where(_regimen.level == InterventionLevel.regimen, Claim.kind.in_(HARM_KINDS)),
        select(ClaimConcept.claim_pk, ClaimConcept.role, Concept.id)
        .join(Concept, Concept.pk == ClaimConcept.concept_pk)
        .join(Claim, Claim.pk == ClaimConcept.claim_pk)
        .where(_CLAIMS),
        *(_cited(name, column) for name, column in CITED.items()),
        _cited(COMBINATION, _combination()),
    ),
    walked=frozenset(
        {
            "kind",
            "effect",
            "consensus",
            "intervention",
            "condition",
            "mechanism",
            "side_effect",
            "outcome",
            "interactant",
        }
    ),
    inner=frozenset({"subject", COMBINATION}),
    flags=frozenset({"cited", "stale"}),
    together=frozenset(CITED),
)


def _citation(name: str, value: Column) -> Values:
    return _of_citations(Citation.pk, name, value)


CITATIONS = Filterable(
    Citation,
    (
        _citation(PUBLISHED.name, literal(PUBLISHED.value)),
        _citation("role", Citation.role),
        *(_citation(name, column) for name, column in CITED.items()),
    ),
)


def _dosing_range(name: str, value: Column) -> Values:
    return select(DosingRange.pk, literal(name), value).where(DosingRange.status == Status.published)


DOSING_RANGES = Filterable(
    DosingRange,
    (
        _dosing_range(PUBLISHED.name, literal(PUBLISHED.value)),
        _dosing_range("basis", DosingRange.basis),
        _dosing_range("tier", DosingRangeTier.tier).join(
            DosingRangeTier, DosingRangeTier.dosing_range_pk == DosingRange.pk
        ),
        _dosing_range("intervention", Concept.id).join(Concept, Concept.pk == DosingRange.intervention_pk),
        _dosing_range("condition", Concept.id)
        .join(DosingRangeCondition, DosingRangeCondition.dosing_range_pk == DosingRange.pk)
        .join(Concept, Concept.pk == DosingRangeCondition.concept_pk),
    ),
)


def _search(name: Column, value: Column) -> Values:
    return select(Search.pk, name, value).where(Search.status == Status.published)


SEARCHES = Filterable(
    Search,
    (
        _search(literal(PUBLISHED.name), literal(PUBLISHED.value)),
        _search(literal("coverage"), Search.coverage),
        _search(literal("intervention"), Concept.id).join(Concept, Concept.pk == Search.intervention_pk),
        _search(SearchConcept.role, Concept.id)
        .join(SearchConcept, SearchConcept.search_pk == Search.pk)
        .join(Concept, Concept.pk == SearchConcept.concept_pk)
        .where(SearchConcept.role.in_(("condition", "interactant"))),
    ),
)
