"""Citation of a claim → Evidence: one finding, read for one claim, with its figures as they were reported."""

from decimal import Decimal

from app.bibliography.from_documents import WARNINGS
from app.claims.schemas import CitationWrite, ClaimWrite, Estimate
from app.claims.vocabulary import DispersionKind, Measure, POperator
from app.fhir import related
from app.fhir import wording as words
from app.fhir.values import Json, built, joined, number, reference, terminology, ucum
from app.sources.schemas import Arm, DocumentWrite, StudyWrite
from app.sources.vocabulary import ArmRole, Design
from app.storage.resource import Key, RecordReader

_STATISTICS = {
    Measure.mean_difference: ("0000457", "Mean Difference"),
    Measure.standardized_mean_difference: ("0000100", "Standardized Mean Difference"),
    Measure.risk_ratio: ("C93152", "Relative Risk"),
    Measure.odds_ratio: ("C16932", "Odds Ratio"),
    Measure.hazard_ratio: ("C93150", "Hazard Ratio"),
    Measure.incidence_rate_ratio: ("rate-ratio", "Incidence Rate Ratio"),
    Measure.proportion: ("C44256", "Proportion"),
    Measure.count_: ("C25463", "Count"),
    Measure.mean: ("C53319", "Mean"),
    Measure.median: ("C28007", "Median"),
}
"""HL7's statistic types; other measures are told in words."""

_DISPERSIONS = {
    DispersionKind.sd: ("C53322", "Standard deviation"),
    DispersionKind.se: ("0000037", "Standard error of the mean"),
    DispersionKind.iqr: ("C53245", "Interquartile range"),
    DispersionKind.range: ("C38013", "Range"),
}

_COMPARATORS: dict[POperator | None, str] = {POperator.lt: "<", POperator.le: "<=", POperator.gt: ">"}

_SYNTHESES = {Design.meta_analysis: ("std-MA", "summary data meta-analysis")}


def evidence(records: RecordReader, claim_id: str, citation: CitationWrite, base: str) -> Json:
    claim: ClaimWrite = records.content(Key("claim", claim_id))
    study: StudyWrite | None = records.content(Key("study", citation.study)) if citation.study else None
    checked = joined((_marked(records, citation), _checked(citation)))
    stands = f"This finding, read for the claim: {citation.stance.label.lower()}. {citation.stance.definition}"
    return built(
        {
            "resourceType": "Evidence",
            "id": citation.id,
            "text": words.claim_narrative(records, claim_id, stands, citation.finding, checked),
            "citeAsReference": reference("Citation", citation.document),
            "status": "active",
            "relatedArtifact": [
                related.artifact(records, citation),
                {"type": "derived-from", "document": {"url": f"{base}/v1/citations/{citation.id}"}},
            ],
            "description": citation.finding,
            "assertion": claim.statement,
            "note": [words.note(records, claim_id), {"text": stands}, {"text": checked}],
            "variableDefinition": _variables(records, claim, study),
            "synthesisType": _synthesis(study),
            "studyDesign": _designs(study),
            "statistic": [_statistic(records, estimate) for estimate in citation.estimates],
        }
    )


# --- who was studied, what they took, what was measured ---------------------------------------------------------------


def _variables(records: RecordReader, claim: ClaimWrite, study: StudyWrite | None) -> list[Json]:
    def names(record_type: str, ids: tuple[str, ...]) -> str:
        return "; ".join(records.content(Key(record_type, name)).name for name in ids)

    population = (study.population if study else None) or claim.population or names("condition", claim.conditions)
    exposure = _arms(study, ArmRole.intervention) or (
        records.content(Key("intervention", claim.intervention)).name if claim.intervention else ""
    )
    comparator = _arms(study, ArmRole.comparator) or (study.comparator if study else None) or claim.comparator
    measured = (
        (records.content(Key("outcome", claim.outcome)).name if claim.outcome else "")
        or names("side_effect", claim.side_effects)
        or names("mechanism", claim.mechanisms)
    )
    roles = (
        ("population", population or "Not recorded"),
        ("exposure", exposure),
        ("referenceExposure", comparator),
        ("measuredVariable", measured),
    )
    return [{"description": text, "variableRole": terminology("variable-role", role)} for role, text in roles if text]


def _arms(study: StudyWrite | None, role: ArmRole) -> str:
    return "; ".join(_arm(arm) for arm in study.arms if arm.role is role) if study else ""


def _arm(arm: Arm) -> str:
    dose = arm.dose_text if arm.dose_text and arm.dose_text not in arm.name else None
    people = f"{arm.participants} people" if arm.participants is not None else None
    inside = joined((dose, people), ", ")
    return f"{arm.name} ({inside})" if inside else arm.name


def _designs(study: StudyWrite | None) -> list[Json]:
    if study is None:
        return []
    design: Json = {"text": study.design.label}
    if study.design.is_randomized:
        design["coding"] = [
            {"system": "http://hl7.org/fhir/study-design", "code": "SEVCO:01003", "display": "randomized assignment"}
        ]
    return [design, {"text": study.blinding.label} if study.blinding else {}]


def _synthesis(study: StudyWrite | None) -> Json | None:
    if study is None:
        return None
    if study.design.is_review:
        known = _SYNTHESES.get(study.design)
        return terminology("synthesis-type", *known) if known else {"text": study.design.label}
    return terminology("synthesis-type", "NotApplicable", "not applicable")


# --- figures --------------------------------------------------------------------------------------------------------


def _statistic(records: RecordReader, estimate: Estimate) -> Json:
    code = _STATISTICS.get(estimate.measure) if estimate.measure else None
    kind: Json | None = {"text": estimate.measure.label} if estimate.measure else None
    if code and kind is not None:
        kind |= terminology("statistic-type", *code)
    return {
        "description": _described(records, estimate),
        "note": [{"text": _arm_figures(estimate)}] if estimate.arms else [],
        "statisticType": kind,
        "quantity": ucum(estimate.value, estimate.unit),
        "sampleSize": {"numberOfStudies": estimate.k, "numberOfParticipants": estimate.n_analysed},
        "attributeEstimate": [*_interval(estimate), *_attributes(estimate)],
    }


def _described(records: RecordReader, estimate: Estimate) -> str:
    outcome = records.content(Key("outcome", estimate.outcome)).name if estimate.outcome else None
    favours = f"favours {estimate.favours.label.lower()}" if estimate.favours else None
    comparison = estimate.comparison.label.lower() if estimate.comparison else None
    analysis = f"{estimate.analysis.label.lower()} analysis" if estimate.analysis else None
    adjusted = "adjusted for multiple testing" if estimate.multiplicity_adjusted else None
    silent = None if estimate.value is not None else "no value read"
    told = (outcome, estimate.scale, estimate.timepoint, comparison, analysis, adjusted, favours, silent)
    return joined(told, ", ") or "Reported figure"


def _arm_figures(estimate: Estimate) -> str:
    told = []
    for arm in estimate.arms:
        figures = (
            f"{number(arm.value)}{_unit(estimate.unit)}" if arm.value is not None else None,
            f"{arm.events} of {arm.total if arm.total is not None else 'an unread number'}"
            if arm.events is not None
            else None,
            f"n = {arm.n}" if arm.n is not None else None,
        )
        told.append(f"{arm.name} ({arm.role.label.lower()}): {joined(figures, ', ') or 'no figure read'}")
    return f"{'; '.join(told)}."


def _unit(unit: str | None) -> str:
    return "" if unit is None else f" {unit.strip('{}')}"


def _interval(estimate: Estimate) -> list[Json]:
    if estimate.ci_low is None and estimate.ci_high is None:
        return []
    return [
        {
            "type": terminology("attribute-estimate-type", "C53324", "Confidence interval"),
            "level": number(estimate.ci_level / 100) if estimate.ci_level is not None else None,
            "range": {"low": ucum(estimate.ci_low, estimate.unit), "high": ucum(estimate.ci_high, estimate.unit)},
        }
    ]


def _attributes(estimate: Estimate) -> list[Json]:
    told = []
    if estimate.p_value is not None:
        quantity = {"value": number(estimate.p_value), "comparator": _COMPARATORS.get(estimate.p_operator)}
        told.append({"type": terminology("attribute-estimate-type", "C44185", "P-value"), "quantity": quantity})
    if estimate.dispersion is not None and estimate.dispersion_kind is not None:
        told.append(_attribute(_DISPERSIONS[estimate.dispersion_kind], estimate.dispersion, estimate.unit))
    if estimate.i2 is not None:
        told.append(_attribute(("0000420", "I-squared"), estimate.i2, "%"))
    return told


def _attribute(kind: tuple[str, str], value: Decimal, unit: str | None) -> Json:
    return {"type": terminology("attribute-estimate-type", *kind), "quantity": ucum(value, unit)}


def _marked(records: RecordReader, citation: CitationWrite) -> str | None:
    """What has to be told of a document wherever it is named."""
    document: DocumentWrite = records.content(Key("document", citation.document))
    standing = document.standing[-1].standing
    return f"{standing.label.upper()}: {standing.definition}" if standing in WARNINGS else None


def _checked(citation: CitationWrite) -> str:
    """Where it came from and how far it was checked."""
    verification = citation.verification
    against = f" against {verification.basis.label.lower()}" if verification.basis else ""
    on = f" on {verification.checked_on}" if verification.checked_on else ""
    because = ", ".join(reason.label.lower() for reason in citation.indirect_because)
    return joined(
        (
            f"{verification.result.label}{against}{on}.",
            f"Directness: {citation.directness.label.lower()}{f' ({because})' if because else ''}.",
            f"Reason: {citation.stance_reason.label.lower()}." if citation.stance_reason else None,
            f"Analysed: {citation.analysed_n} people." if citation.analysed_n is not None else None,
        )
    )
