"""Citation of a claim → Evidence: one finding, read for one claim, with its figures as they were reported."""

from decimal import Decimal

from app.bibliography.from_documents import WARNINGS
from app.claims.schemas import CitationWrite, ClaimWrite, Estimate
from app.claims.vocabulary import DispersionKind, Measure, POperator
from app.concepts.study_designs import SHIPPED_DESIGNS, StudyDesigns
from app.concepts.terms import StudyDesignTerm
from app.concepts.weighing import WeighsAs
from app.core.english import join_sentences
from app.fhir import related, wording
from app.fhir.values import Json, drops_empty, hl7_code, json_number, quantity, reference
from app.sources.schemas import Arm, DocumentWrite, StudyWrite
from app.sources.vocabulary import ArmRole
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
"""HL7's statistic types; other measures are shown as text."""

_DISPERSIONS = {
    DispersionKind.sd: ("C53322", "Standard deviation"),
    DispersionKind.se: ("0000037", "Standard error of the mean"),
    DispersionKind.iqr: ("C53245", "Interquartile range"),
    DispersionKind.range: ("C38013", "Range"),
}

_COMPARATORS: dict[POperator | None, str] = {POperator.lt: "<", POperator.le: "<=", POperator.gt: ">"}


@drops_empty
def evidence(
    records: RecordReader,
    claim_id: str,
    citation: CitationWrite,
    base: str,
    designs: StudyDesigns = SHIPPED_DESIGNS,
) -> Json:
    claim: ClaimWrite = records.content(Key("claim", claim_id))
    study: StudyWrite | None = records.content(Key("study", citation.study)) if citation.study else None
    verification = join_sentences(_standing(records, citation), _verification(citation))
    design = designs.design(study.design) if study else None
    stance = f"This finding, read for the claim: {citation.stance.label.lower()}. {citation.stance.definition}"
    return {
        "resourceType": "Evidence",
        "id": citation.id,
        "text": wording.claim_narrative(records, claim_id, stance, citation.finding, verification),
        "citeAsReference": reference("Citation", citation.document),
        "status": "active",
        "relatedArtifact": [
            related.artifact(records, citation),
            {"type": "derived-from", "document": {"url": f"{base}/v1/citations/{citation.id}"}},
        ],
        "description": citation.finding,
        "assertion": claim.statement,
        "note": [wording.note(records, claim_id), {"text": stance}, {"text": verification}],
        "variableDefinition": _variables(records, claim, study),
        "synthesisType": _synthesis(design),
        "studyDesign": _designs(study, design),
        "statistic": [_statistic(records, estimate) for estimate in citation.estimates],
    }


# --- population, exposure and outcome ---------------------------------------------------------------------------------


def _variables(records: RecordReader, claim: ClaimWrite, study: StudyWrite | None) -> list[Json]:
    """As the study reports them, else as the claim names them."""

    def names(record_type: str, *ids: str | None) -> str:
        return "; ".join(records.content(Key(record_type, record_id)).name for record_id in ids if record_id)

    population = (study.population if study else None) or claim.population or names("condition", *claim.conditions)
    if claim.subgroup:
        population = f"{claim.subgroup.label}; {population}" if population else claim.subgroup.label
    exposure = _arms(study, ArmRole.intervention) or names("intervention", claim.intervention)
    comparator = _arms(study, ArmRole.comparator) or (study.comparator if study else None) or claim.comparator
    measured = (
        names("outcome", claim.outcome)
        or names("side_effect", *claim.side_effects)
        or names("mechanism", *claim.mechanisms)
    )
    roles = (
        ("population", population or "Not recorded"),
        ("exposure", exposure),
        ("referenceExposure", comparator),
        ("measuredVariable", measured),
    )
    return [{"description": text, "variableRole": hl7_code("variable-role", role)} for role, text in roles if text]


def _arms(study: StudyWrite | None, role: ArmRole) -> str:
    return "; ".join(_arm(arm) for arm in study.arms if arm.role is role) if study else ""


def _arm(arm: Arm) -> str:
    dose = arm.dose_text if arm.dose_text and arm.dose_text not in arm.name else None
    people = f"{arm.participants} people" if arm.participants is not None else None
    details = ", ".join(filter(None, (dose, people)))
    return f"{arm.name} ({details})" if details else arm.name


_RANDOMIZED = "http://hl7.org/fhir/study-design|SEVCO:01003"
_DISPLAYS = {_RANDOMIZED: "randomized assignment"}


def _designs(study: StudyWrite | None, design: StudyDesignTerm | None) -> list[Json]:
    """As the data set calls it, with its own code, and the code of what weighs as a randomized trial."""
    if study is None or design is None:
        return []
    names = dict.fromkeys(filter(None, (_RANDOMIZED if design.is_randomized else None, design.fhir)))
    return [
        {"text": design.label, "coding": [_code_of_design(name) for name in names]},
        {"text": study.blinding.label} if study.blinding else {},
    ]


def _code_of_design(name: str) -> Json:
    """`system|code`, with the display that HL7 gives it where it is known."""
    system, _, code = name.partition("|")
    return {"system": system, "code": code, "display": _DISPLAYS.get(name)}


def _synthesis(design: StudyDesignTerm | None) -> Json | None:
    if design is None:
        return None
    if design.weighs_as is WeighsAs.meta_analysis:
        return hl7_code("synthesis-type", "std-MA", "summary data meta-analysis")
    if design.is_review:
        return {"text": design.label}
    return hl7_code("synthesis-type", "NotApplicable", "not applicable")


# --- figures --------------------------------------------------------------------------------------------------------


def _statistic(records: RecordReader, estimate: Estimate) -> Json:
    kind: Json | None = None
    if measure := estimate.measure:
        code = _STATISTICS.get(measure)
        kind = {"text": measure.label} | (hl7_code("statistic-type", *code) if code else {})
    return {
        "description": _description(records, estimate),
        "note": [{"text": _arm_figures(estimate)}] if estimate.arms else [],
        "statisticType": kind,
        "quantity": quantity(estimate.value, estimate.unit),
        "sampleSize": {"numberOfStudies": estimate.k, "numberOfParticipants": estimate.n_analysed},
        "attributeEstimate": _attributes(estimate),
    }


def _description(records: RecordReader, estimate: Estimate) -> str:
    parts = (
        records.content(Key("outcome", estimate.outcome)).name if estimate.outcome else None,
        estimate.scale,
        estimate.timepoint,
        estimate.comparison.label.lower() if estimate.comparison else None,
        f"{estimate.analysis.label.lower()} analysis" if estimate.analysis else None,
        "adjusted for multiple testing" if estimate.multiplicity_adjusted else None,
        f"favours {estimate.favours.label.lower()}" if estimate.favours else None,
        "no value read" if estimate.value is None else None,
    )
    return ", ".join(filter(None, parts)) or "Reported figure"


def _arm_figures(estimate: Estimate) -> str:
    texts = []
    unit = "" if estimate.unit is None else f" {estimate.unit.strip('{}')}"
    for arm in estimate.arms:
        total = arm.total if arm.total is not None else "an unread number"
        figures = (
            f"{json_number(arm.value)}{unit}" if arm.value is not None else None,
            f"{arm.events} of {total}" if arm.events is not None else None,
            f"n = {arm.n}" if arm.n is not None else None,
        )
        texts.append(f"{arm.name} ({arm.role.label.lower()}): {', '.join(filter(None, figures)) or 'no figure read'}")
    return f"{'; '.join(texts)}."


def _attributes(estimate: Estimate) -> list[Json]:
    """Confidence interval, P value, dispersion and heterogeneity, as far as they were read."""
    attributes = []
    if estimate.ci_low is not None or estimate.ci_high is not None:
        level = json_number(estimate.ci_level / 100) if estimate.ci_level is not None else None
        interval = {"low": quantity(estimate.ci_low, estimate.unit), "high": quantity(estimate.ci_high, estimate.unit)}
        attributes.append(_attribute("C53324", "Confidence interval") | {"level": level, "range": interval})
    if estimate.p_value is not None:
        p_value = {"value": json_number(estimate.p_value), "comparator": _COMPARATORS.get(estimate.p_operator)}
        attributes.append(_attribute("C44185", "P-value") | {"quantity": p_value})
    if estimate.dispersion is not None and estimate.dispersion_kind is not None:
        kind = _DISPERSIONS[estimate.dispersion_kind]
        attributes.append(_attribute(*kind, estimate.dispersion, estimate.unit))
    if estimate.i2 is not None:
        attributes.append(_attribute("0000420", "I-squared", estimate.i2, "%"))
    return attributes


def _attribute(code: str, display: str, value: Decimal | None = None, unit: str | None = None) -> Json:
    kind: Json = {"type": hl7_code("attribute-estimate-type", code, display)}
    return kind if value is None else kind | {"quantity": quantity(value, unit)}


# --- standing and verification ----------------------------------------------------------------------------------------


def _standing(records: RecordReader, citation: CitationWrite) -> str | None:
    """A warning if the document was retracted or its publisher expressed concern."""
    document: DocumentWrite = records.content(Key("document", citation.document))
    standing = document.current_standing.standing
    return f"{standing.label.upper()}: {standing.definition}" if standing in WARNINGS else None


def _verification(citation: CitationWrite) -> str:
    """How the finding was checked, how directly it bears on the claim, and in how many people."""
    verification = citation.verification
    against = f" against {verification.basis.label.lower()}" if verification.basis else ""
    on = f" on {verification.checked_on}" if verification.checked_on else ""
    reasons = ", ".join(reason.label.lower() for reason in citation.indirect_because)
    return join_sentences(
        f"{verification.result.label}{against}{on}.",
        f"Directness: {citation.directness.label.lower()}{f' ({reasons})' if reasons else ''}.",
        f"Reason: {citation.stance_reason.label.lower()}." if citation.stance_reason else None,
        f"{citation.extent.label}: {citation.extent_note}" if citation.extent else None,
        f"Strength by {citation.strength.scale}: {citation.strength.value}." if citation.strength else None,
        f"Analysed: {citation.analysed_n} people." if citation.analysed_n is not None else None,
    )
