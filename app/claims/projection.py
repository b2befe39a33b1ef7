"""Writes claims, citations, dosing ranges and literature searches as rows, and lists what they refer to."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

from app.claims import doses, models, schemas
from app.claims.derived import DosingRangeDerived, StoredTotal
from app.concepts.models import Concept
from app.concepts.units import MASS, SHIPPED_UNITS, Units
from app.sources.models import Document, Study
from app.sources.projection import with_floats
from app.storage.resource import named_records
from app.storage.rows import RowWriter

CONCEPT_ROLES = {
    "conditions": ("condition", "condition"),
    "mechanisms": ("mechanism", "mechanism"),
    "side_effects": ("side_effect", "side_effect"),
    "interactants": ("interactant", "intervention"),
}
"""Field of a claim or search → role of the link, type of the concept."""


def _concept_rows(
    rows: RowWriter, record: schemas.ClaimWrite | schemas.LiteratureSearchWrite
) -> Iterator[dict[str, object]]:
    for field, (role, concept_type) in CONCEPT_ROLES.items():
        for concept in getattr(record, field):
            yield {"role": role, "concept_pk": rows.key(Concept, concept, concept_type)}


def _concept_pk(rows: RowWriter, concept_type: str, concept: str | None) -> int | None:
    return rows.key(Concept, concept, concept_type) if concept else None


# --- what contents refer to ---------------------------------------------------------------------------------------

_CONCEPTS = {field: concept_type for field, (_, concept_type) in CONCEPT_ROLES.items()}
_CITED = {"document": "document", "study": "study", "estimates": {"outcome": "outcome"}}

claim_references = partial(
    named_records,
    {
        "intervention": "intervention",
        "outcome": "outcome",
        "dosing_range": "dosing_range",
        **_CONCEPTS,
        "origins": {"document": "document"},
        "relations": {"claim": "claim"},
        "citations": _CITED,
    },
)
"""Every record that a claim names, with the documents, studies and outcomes of its citations."""
citation_record_references = partial(named_records, {"claim": "claim", "citation": _CITED})
dosing_range_references = partial(named_records, {"intervention": "intervention", "conditions": "condition"})
search_references = partial(named_records, {"intervention": "intervention", **_CONCEPTS})

# --- claims -------------------------------------------------------------------------------------------------------

_CLAIM_COLUMNS = {
    "status", "successor", "kind", "form", "statement", "effect", "comparator", "timepoint", "population",
    "magnitude", "evidence_level", "aspect", "jurisdiction", "authority", "valid_from", "valid_to", "as_of",
    "caveat", "caveat_required", "reviewed_on", "stale_on",
}  # fmt: skip
_NOT_DERIVED_YET = {
    "updated_at": "", "verdict": "uncited", "consensus": "uncited", "leaning": None, "certainty": "not_graded",
    "method": "", "weight": 0, "citation_count": 0, "study_count": 0, "review_count": 0, "participant_count": 0,
    "is_stale": False, "relevance": 0,
}  # fmt: skip


def apply_claim(rows: RowWriter, claim: schemas.ClaimWrite) -> None:
    values = claim.model_dump(include=_CLAIM_COLUMNS) | {
        "intervention_pk": _concept_pk(rows, "intervention", claim.intervention),
        "outcome_pk": _concept_pk(rows, "outcome", claim.outcome),
        "dosing_range_pk": rows.key(models.DosingRange, claim.dosing_range) if claim.dosing_range else None,
    }
    group = claim.subgroup
    values |= {
        "subgroup": group.id if group else None,
        "subgroup_label": group.label if group else None,
        "subgroup_basis": group.basis if group else None,
    }
    rows.put(models.Claim, claim.id, values | _NOT_DERIVED_YET)


def link_claim(rows: RowWriter, claim: schemas.ClaimWrite) -> None:
    pk = rows.key(models.Claim, claim.id)
    owner = {"claim_pk": pk}
    rows.replace(models.ClaimConcept, owner, _concept_rows(rows, claim))
    codes = claim.subgroup.codes if claim.subgroup else ()
    rows.replace(models.ClaimSubgroupCode, owner, ({"system": code.system, "code": code.code} for code in codes))
    rows.clear(models.ClaimOrigin, owner)
    for origin in claim.origins:
        _insert_origin(rows, pk, origin)
    rows.replace(
        models.ClaimRelation,
        owner,
        ({"type": relation.type, "target_pk": rows.key(models.Claim, relation.claim)} for relation in claim.relations),
    )
    rows.clear(models.Citation, owner)
    for position, citation in enumerate(claim.citations):
        _insert_citation(rows, pk, position, citation)


def _insert_origin(rows: RowWriter, claim_pk: int, origin: schemas.Origin) -> None:
    values = origin.model_dump(exclude={"document", "reference_numbers"}) | {
        "claim_pk": claim_pk,
        "document_pk": rows.key(Document, origin.document),
    }
    pk = rows.add(models.ClaimOrigin, values)
    numbers = ({"number": number} for number in origin.reference_numbers)
    rows.replace(models.OriginReference, {"origin_pk": pk}, numbers)


def _insert_citation(rows: RowWriter, claim_pk: int, position: int, citation: schemas.CitationWrite) -> None:
    values = citation.model_dump(
        include={
            "id",
            "stance",
            "stance_reason",
            "directness",
            "role",
            "finding",
            "analysed_n",
            "extent",
            "extent_note",
        }
    ) | {
        "claim_pk": claim_pk,
        "position": position,
        "document_pk": rows.key(Document, citation.document),
        "study_pk": rows.key(Study, citation.study) if citation.study else None,
        **{f"locator_{name}": value for name, value in citation.locator.model_dump(exclude={"quote"}).items()},
        "strength": citation.strength.value if citation.strength else None,
        "strength_scale": citation.strength.scale if citation.strength else None,
        "attached_by": citation.attached_by.by,
        "verification": citation.verification.result,
        "verification_basis": citation.verification.basis,
        "checked_on": citation.verification.checked_on,
        "dose_low": None,
        "dose_high": None,
    }
    pk = rows.add(models.Citation, values)
    owner = {"citation_pk": pk}
    rows.replace(models.CitationIndirectness, owner, ({"reason": reason} for reason in citation.indirect_because))
    rows.replace(models.CitationReference, owner, ({"number": n} for n in citation.attached_by.reference_numbers))
    quotes = ({"text": quote.text, **quote.locator.model_dump()} for quote in citation.all_quotes)
    rows.replace(models.QuotedText, owner, quotes)
    for index, estimate in enumerate(citation.estimates):
        _insert_estimate(rows, pk, index, estimate)


def _insert_estimate(rows: RowWriter, citation_pk: int, position: int, estimate: schemas.Estimate) -> None:
    values = with_floats(estimate.model_dump(exclude={"primary", "outcome", "arms"})) | {
        "citation_pk": citation_pk,
        "position": position,
        "is_primary": estimate.primary,
        "outcome_pk": _concept_pk(rows, "outcome", estimate.outcome),
    }
    pk = rows.add(models.CitationEstimate, values)
    rows.replace(
        models.CitationEstimateArm,
        {"estimate_pk": pk},
        (with_floats(arm.model_dump()) for arm in estimate.arms),
    )


# --- dosing ranges ------------------------------------------------------------------------------------------------


def daily_dose(dosing: schemas.DosingRangeWrite, units: Units) -> doses.DailyDose | None:
    """The daily total of a dosing range; null where dose or schedule was not read."""
    schedule = dosing.schedule
    return doses.daily(
        dosing.low,
        dosing.high,
        units.measure(dosing.unit),
        count=schedule.count,
        period=schedule.period,
        period_unit=schedule.period_unit,
    )


def computed_total(dosing: schemas.DosingRangeWrite, units: Units) -> StoredTotal | None:
    """The daily total as it is stored with the record."""
    dose = daily_dose(dosing, units)
    if dose is None:
        return None
    low, high = (None if end is None else Fraction(end) for end in (dose.low, dose.high))
    return StoredTotal(low=low, high=high, of=dose.of, smallest=units.smallest(dose.of))


def daily_total(dosing: schemas.DosingRangeWrite, derived: DosingRangeDerived) -> StoredTotal | None:
    """The daily total of a dosing range in whatever state."""
    return derived.total if "total" in derived.model_fields_set else computed_total(dosing, SHIPPED_UNITS)


def apply_dosing_range(rows: RowWriter, dosing: schemas.DosingRangeWrite) -> None:
    values = dosing.model_dump(
        include={"status", "successor", "unit", "dose_text", "route", "formulation", "titration", "population", "basis"}
    ) | {
        "intervention_pk": rows.key(Concept, dosing.intervention, "intervention"),
        "low": None if dosing.low is None else str(dosing.low),
        "high": None if dosing.high is None else str(dosing.high),
        **_AMOUNTS,
        **{f"schedule_{name}": value for name, value in dosing.schedule.model_dump().items()},
    }
    rows.put(models.DosingRange, dosing.id, values)


def link_dosing_range(rows: RowWriter, dosing: schemas.DosingRangeWrite) -> None:
    owner = {"dosing_range_pk": rows.key(models.DosingRange, dosing.id)}
    conditions = ({"concept_pk": rows.key(Concept, c, "condition")} for c in dosing.conditions)
    rows.replace(models.DosingRangeCondition, owner, conditions)


_AMOUNTS: dict[str, None] = dict.fromkeys(("low_amount", "high_amount", "amount_of", "dose_order"))


def write_dose(rows: RowWriter, dosing_range: str, derived: DosingRangeDerived) -> None:
    """Keep the daily total and the bands that it touches, for filters and the order of lists."""
    pk = rows.key(models.DosingRange, dosing_range)
    rows.change(models.DosingRange, pk, _AMOUNTS if derived.total is None else _amounts(derived.total))
    bands = ({"tier": band.value} for band in derived.bands)
    rows.replace(models.DosingRangeTier, {"dosing_range_pk": pk}, bands)


def _amounts(total: StoredTotal) -> dict[str, int | str | None]:
    low = doses.stored(total.low)
    group = "0" if total.of == MASS else f"1{total.of}"
    return {
        "low_amount": low,
        "high_amount": doses.stored(total.high),
        "amount_of": total.of,
        "dose_order": None if low is None else f"{group}:{low:019}",
    }


# --- searches -----------------------------------------------------------------------------------------------------


def apply_search(rows: RowWriter, search: schemas.LiteratureSearchWrite) -> None:
    values = search.model_dump(
        include={
            "status", "successor", "question", "coverage", "topic", "depth", "query", "searched_on", "searched_by",
            "found", "screened", "note",
        }
    ) | {"intervention_pk": _concept_pk(rows, "intervention", search.intervention)}  # fmt: skip
    rows.put(models.LiteratureSearch, search.id, values)


def link_search(rows: RowWriter, search: schemas.LiteratureSearchWrite) -> None:
    owner = {"search_pk": rows.key(models.LiteratureSearch, search.id)}
    rows.replace(models.LiteratureSearchConcept, owner, _concept_rows(rows, search))
    rows.replace(models.LiteratureSearchSource, owner, ({"name": name} for name in search.sources))
