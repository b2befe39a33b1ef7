"""The rules for claims, citations, dosing ranges and literature searches, with legal combinations as tables.

The rules come from `docs/method.md`, sections 1 and 2, and hold for seed files, proposals and imports alike.
Each function returns `(field, reason)` pairs, so that a caller can show all faults of a record at once.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.claims.schemas import CitationWrite, ClaimWrite, DosingRangeWrite, Estimate, LiteratureSearchWrite
from app.claims.vocabulary import (
    AttachedBy,
    Coverage,
    Directness,
    Effect,
    Fit,
    Form,
    Frame,
    Kind,
    Stance,
    StanceReason,
    Verb,
    Verification,
)
from app.core.text import RuleViolation
from app.core.vocabulary import Status

INFORMATIVE = frozenset({Stance.supports, Stance.disputes, Stance.mixed, Stance.inconclusive})
SILENT = frozenset({Stance.background, Stance.not_assessed})
VOTING_FORMS = frozenset({Form.general_effect, Form.association, Form.hypothesis})

_SIDES = frozenset({Stance.supports, Stance.disputes})

_NULL_REASONS = frozenset({StanceReason.n1a, StanceReason.n1b, StanceReason.n1c, StanceReason.n1d})
_UNDECIDED_REASONS = frozenset(
    {
        StanceReason.wide_ci,
        StanceReason.no_estimate,
        StanceReason.within_group_only,
        StanceReason.underpowered,
        StanceReason.zero_or_few_events,
        StanceReason.no_comparator,
        StanceReason.co_intervention,
        StanceReason.ambiguous_reading,
    }
)
_REASONS: dict[Stance, tuple[bool, frozenset[StanceReason]]] = {
    Stance.supports: (False, frozenset({StanceReason.review_conclusion, StanceReason.n1a})),
    Stance.disputes: (True, _NULL_REASONS | {StanceReason.opposite, StanceReason.review_conclusion}),
    Stance.mixed: (False, frozenset({StanceReason.ambiguous_reading, StanceReason.review_conclusion})),
    Stance.inconclusive: (True, _UNDECIDED_REASONS),
    Stance.background: (False, frozenset()),
    Stance.not_assessed: (False, frozenset()),
}
"""For each stance: whether a reason is obligatory, and which reasons are legal."""


@dataclass(frozen=True)
class FormRule:
    """The fields that a form or kind requires or forbids, and what it goes with."""

    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    kinds: frozenset[Kind] = frozenset(Kind)
    stances: frozenset[Stance] = frozenset(Stance)


_STATEMENTS_OF_FACT = frozenset(
    {Kind.efficacy, Kind.mechanism, Kind.safety, Kind.dosing, Kind.interaction, Kind.background}
)

FORMS: dict[Form, FormRule] = {
    Form.general_effect: FormRule(kinds=_STATEMENTS_OF_FACT),
    Form.association: FormRule(kinds=_STATEMENTS_OF_FACT),
    Form.hypothesis: FormRule(kinds=_STATEMENTS_OF_FACT),
    Form.study_report: FormRule(kinds=_STATEMENTS_OF_FACT | {Kind.access}),
    Form.usage: FormRule(
        kinds=frozenset({Kind.access, Kind.background, Kind.dosing, Kind.safety}),
        stances=frozenset({Stance.supports, Stance.disputes}) | SILENT,
    ),
    Form.attribution: FormRule(kinds=frozenset(Kind) - {Kind.advice, Kind.research_gap}),
    Form.definition_: FormRule(
        kinds=frozenset({Kind.background, Kind.mechanism, Kind.dosing, Kind.regulatory, Kind.safety}), stances=SILENT
    ),
    Form.advice: FormRule(kinds=frozenset({Kind.advice}), stances=SILENT),
    Form.appraisal: FormRule(kinds=frozenset(Kind) - {Kind.advice, Kind.research_gap}, stances=SILENT),
    Form.gap: FormRule(
        kinds=frozenset({Kind.research_gap}),
        stances=frozenset({Stance.supports, Stance.disputes, Stance.mixed}) | SILENT,
    ),
    Form.regulatory_status: FormRule(
        required=("jurisdiction", "authority"),
        kinds=frozenset({Kind.regulatory, Kind.interaction, Kind.safety, Kind.access, Kind.dosing}),
        stances=frozenset({Stance.supports, Stance.disputes}) | SILENT,
    ),
}

KINDS: dict[Kind, FormRule] = {
    Kind.efficacy: FormRule(required=("intervention", "conditions"), forbidden=("interactants",)),
    Kind.mechanism: FormRule(required=("mechanisms",), forbidden=("interactants",)),
    Kind.safety: FormRule(required=("intervention",)),
    Kind.dosing: FormRule(required=("intervention",), forbidden=("interactants",)),
    Kind.regulatory: FormRule(required=("intervention",)),
    Kind.interaction: FormRule(required=("intervention",)),
    Kind.background: FormRule(forbidden=("intervention", "interactants", "dosing_range")),
    Kind.access: FormRule(),
    Kind.research_gap: FormRule(),
    Kind.advice: FormRule(),
}


_WEIGHT_STEPS = 1024
"""Steps of relevance for each unit of weight; weights are multiples of 1/16 in all methods."""


def relevance(claim: ClaimWrite, weight: float) -> int:
    """Orders claims, the smallest first: those on which evidence votes by the weight of both sides, the heaviest in
    front; then others that are cited; then uncited ones; retired ones, which no list shows, at the end."""
    if claim.status is Status.retired:
        return 2
    if not claim.citations:
        return 1
    return -1 - round(weight * _WEIGHT_STEPS) if claim.form in VOTING_FORMS else 0


def claim_faults(claim: ClaimWrite) -> list[RuleViolation]:
    """Every violation in a claim; empty for a legal one."""
    return [
        *_field_faults(claim),
        *_kind_faults(claim),
        *_wording_faults(claim),
        *_detail_faults(claim),
        *_origins_faults(claim),
        *_citations_faults(claim),
    ]


def _field_faults(claim: ClaimWrite) -> Iterator[RuleViolation]:
    """Fields that the form and the kind require or forbid."""
    form, kind = FORMS[claim.form], KINDS[claim.kind]
    if claim.kind not in form.kinds:
        yield "form", f"form {claim.form} does not go with kind {claim.kind}; it goes with {_listed(form.kinds)}"
    for field in form.required + kind.required:
        if not getattr(claim, field):
            yield field, f"is required for kind {claim.kind}, form {claim.form}"
    for field in form.forbidden + kind.forbidden:
        if getattr(claim, field):
            yield field, f"does not go with kind {claim.kind}, form {claim.form}"


def _kind_faults(claim: ClaimWrite) -> Iterator[RuleViolation]:
    """What single kinds require beyond `KINDS`."""
    if claim.evidence_level is not None and claim.kind is not Kind.mechanism:
        yield "evidence_level", "is for kind mechanism only"
    if claim.kind is Kind.mechanism and claim.form in VOTING_FORMS and claim.evidence_level is None:
        yield "evidence_level", "is required for a mechanism claim that gathers evidence"
    if claim.kind is Kind.efficacy and claim.form in VOTING_FORMS:
        if claim.outcome is None:
            yield "outcome", "is required for an efficacy claim that gathers evidence"
        if claim.effect is Effect.not_applicable:
            yield "effect", "must say which way an efficacy claim points"
    if claim.kind is Kind.interaction and not (claim.interactants or claim.conditions):
        yield "interactants", "an interaction names what the intervention meets: interactants or conditions"


FRAME_VERBS: dict[Frame, frozenset[Verb]] = {
    Frame.harm: frozenset({Verb.cause, Verb.increase}),
    Frame.no_harm: frozenset({Verb.cause, Verb.increase}),
    Frame.comparison: frozenset(verb for verb in Verb if verb.startswith("have_")),
    Frame.state: frozenset({Verb.be}),
}
"""The verbs of each frame; the others take any verb but those of comparisons and states."""

_OTHER_VERBS = frozenset(Verb) - FRAME_VERBS[Frame.comparison] - FRAME_VERBS[Frame.state]
_UNFIT_WORDS = re.compile(
    r"""\b(?:may|might|can|could|would|should|possibl[ey]|probabl[ey]|potential(?:ly)?|perhaps|maybe|likely|seems?|
    appears?|apparently|suggest(?:s|ed)?|thought|said|believed|no|not|never|none|neither|nor|without|cannot|\w+n['\u2019]t|
    one|two|three|four|five|six|seven|eight|nine|ten|dozens?|hundreds?|thousands?|half|twice|doubled?|per\ ?cent)\b
    |%|(?<![\w-])(?<!\btype\ )(?<!\bstage\ )(?<!\bgrade\ )(?<!\bclass\ )\d""",
    re.IGNORECASE | re.VERBOSE,
)
"""Hedges, negations and numbers: the answer adds its own, and a second one would change what it says. The number of a
type, stage, grade or class belongs to a name, as in "type 2 diabetes"."""


def _wording_faults(claim: ClaimWrite) -> Iterator[RuleViolation]:
    """The phrases from which the answer is made: obligatory for forms that gather votes, and fit for every answer."""
    wording = claim.wording
    if wording is None:
        if claim.form in VOTING_FORMS and claim.status is Status.published:
            yield "wording", f"is required for form {claim.form}: frame, subject, verb and object of the answer"
        return
    if claim.form not in VOTING_FORMS:
        yield "wording", f"does not go with form {claim.form}, which gathers no votes"
    verbs = FRAME_VERBS.get(wording.frame, _OTHER_VERBS)
    if wording.verb not in verbs:
        yield "wording.verb", f"{wording.verb} does not go with frame {wording.frame}; allowed: {_listed(verbs)}"
    unfit = _UNFIT_WORDS.search(wording.object)
    if unfit:
        yield "wording.object", f"must hold no hedge, negation or number: {unfit[0]!r}"
    if wording.object.endswith((".", ",", ";")):
        yield "wording.object", "is a part of a sentence and ends without a point"
    if (wording.frame is Frame.comparison) != (wording.other_group is not None):
        yield "wording.other_group", "is required for frame comparison, and for no other"
    if wording.limit is not None and wording.frame is not Frame.no_harm:
        yield "wording.limit", "is for frame no_harm only"
    if claim.kind is Kind.safety and claim.effect is Effect.no_difference and wording.frame is not Frame.no_harm:
        yield "wording.frame", "must be no_harm where no excess of a harm is claimed"


def _detail_faults(claim: ClaimWrite) -> Iterator[RuleViolation]:
    if claim.form is not Form.regulatory_status:
        for field in ("authority", "valid_from", "valid_to"):
            if getattr(claim, field) is not None:
                yield field, "is for form regulatory_status only"
    if claim.valid_from and claim.valid_to and claim.valid_from > claim.valid_to:
        yield "valid_to", "must not be before valid_from"
    if claim.caveat_required and not claim.caveat:
        yield "caveat", "is missing although caveat_required is true"
    if claim.caveat_basis is not None:
        yield from _caveat_basis_faults(claim)
    for index, relation in enumerate(claim.relations):
        if relation.claim == claim.id:
            yield f"relations[{index}].claim", "a claim cannot relate to itself"
    yield from _subgroup_faults(claim)
    if claim.status == "published" and claim.successor:
        yield "successor", "is for retired records only"


EVERYBODY = "everybody"
"""The value of the filter `subgroup` for claims that are about no subgroup."""


def _subgroup_faults(claim: ClaimWrite) -> Iterator[RuleViolation]:
    if claim.subgroup is None:
        return
    if claim.subgroup.id == EVERYBODY:
        yield "subgroup.id", f"must not be {EVERYBODY}: for everybody a claim has no subgroup"
    if claim.subgroup.label.endswith((".", ",", ";")):
        yield "subgroup.label", "is a part of a sentence and ends without a point"


def _caveat_basis_faults(claim: ClaimWrite) -> Iterator[RuleViolation]:
    basis = claim.caveat_basis or ()
    if not claim.caveat:
        yield "caveat_basis", "goes with a caveat"
    if len({source.citation for source in basis}) < len(basis):
        yield "caveat_basis", "names a citation twice"
    for index, source in enumerate(basis):
        if source.stance not in INFORMATIVE:
            yield f"caveat_basis[{index}].stance", f"{source.stance} is no evidence that a caveat can rest on"


_JUDGED = frozenset({Fit.fits, Fit.overstates, Fit.narrower, Fit.misattributed, Fit.contradicts})


def _origins_faults(claim: ClaimWrite) -> Iterator[RuleViolation]:
    attached = {number for citation in claim.citations for number in citation.attached_by.reference_numbers}
    if attached and not claim.origins:
        yield "origins", "citations name reference numbers, but the claim has no origin"
        return
    places: set[tuple[str, int]] = set()
    for index, origin in enumerate(claim.origins):
        at, place = f"origins[{index}]", (origin.document, origin.position)
        if place in places:
            yield f"{at}.position", "is the position of another origin in the same document"
        places.add(place)
        for field in ("position", "paragraph"):
            if getattr(origin, field) < 1:
                yield f"{at}.{field}", "is counted from 1"
        if origin.fit in _JUDGED and origin.fit_basis is None:
            yield f"{at}.fit_basis", f"is required when fit is {origin.fit}"
    stated = {number for origin in claim.origins for number in origin.reference_numbers}
    for number in sorted(stated ^ attached):
        yield "origins", f"reference {number} must stand both on an origin and on a citation attached by origin"
    documents = {origin.document for origin in claim.origins}
    for index, citation in enumerate(claim.citations):
        if citation.document in documents:
            yield f"citations[{index}].document", "a document is never evidence for a claim that originates in it"


def _citations_faults(claim: ClaimWrite) -> Iterator[RuleViolation]:
    cited: set[tuple[object, ...]] = set()
    reported = {c.study for c in claim.citations if c.stance in INFORMATIVE}
    if claim.form is Form.study_report and len(reported) > 1:
        yield "citations", "a report of a study is supported or disputed by documents of that one study only"
    for index, citation in enumerate(claim.citations):
        at = f"citations[{index}]"
        key = (citation.document, citation.study, citation.role)
        if key in cited:
            yield f"{at}.document", "is cited twice in the same role"
        cited.add(key)
        if citation.stance not in FORMS[claim.form].stances:
            yield (
                f"{at}.stance",
                f"{citation.stance} does not go with form {claim.form}; allowed: {_listed(FORMS[claim.form].stances)}",
            )
        for field, reason in citation_faults(citation):
            yield f"{at}.{field}", reason


def citation_faults(citation: CitationWrite) -> Iterator[RuleViolation]:
    """Every violation in one citation."""
    obligatory, legal = _REASONS[citation.stance]
    if citation.stance_reason is None and obligatory:
        yield "stance_reason", f"is required for {citation.stance}: {_listed(legal)}"
    if citation.stance_reason is not None and citation.stance_reason not in legal:
        yield "stance_reason", f"does not go with {citation.stance}; allowed: {_listed(legal) or 'none'}"
    if citation.stance in INFORMATIVE and not citation.finding:
        yield "finding", f"is required when the stance is {citation.stance}"
    if citation.stance is Stance.not_assessed and citation.verification.result is not Verification.unverified:
        yield "verification.result", "must be unverified when nobody assessed the part that matters"
    if (citation.directness is Directness.indirect) != bool(citation.indirect_because):
        yield "indirect_because", "names the reasons exactly when directness is indirect"
    if citation.attached_by.by is AttachedBy.curator and citation.attached_by.reference_numbers:
        yield "attached_by.reference_numbers", "belong to citations attached by the origin"
    if citation.attached_by.by is AttachedBy.origin and not citation.attached_by.reference_numbers:
        yield "attached_by.reference_numbers", "is required when the origin attached the citation"
    yield from _quote_faults(citation)
    yield from _qualifier_faults(citation)
    if sum(estimate.primary for estimate in citation.estimates) > 1:
        yield "estimates", "at most one estimate is primary"
    for index, estimate in enumerate(citation.estimates):
        for field, reason in _estimate_faults(estimate):
            yield f"estimates[{index}].{field}", reason


MAX_QUOTES = 5
MAX_QUOTE_WORDS = 25


def _quote_faults(citation: CitationWrite) -> Iterator[RuleViolation]:
    if citation.quotes and citation.locator.quote:
        yield "locator.quote", "goes to quotes where the citation has quotes"
    if len(citation.quotes) > MAX_QUOTES:
        yield "quotes", f"must be at most {MAX_QUOTES}"
    if len({quote.text for quote in citation.quotes}) < len(citation.quotes):
        yield "quotes", "holds the same text twice"
    for index, quote in enumerate(citation.all_quotes):
        if len(quote.text.split()) > MAX_QUOTE_WORDS:
            field = f"quotes[{index}].text" if citation.quotes else "locator.quote"
            yield field, f"must be at most {MAX_QUOTE_WORDS} words"


def _qualifier_faults(citation: CitationWrite) -> Iterator[RuleViolation]:
    """What is said of a side that the citation takes."""
    if (citation.extent is None) != (citation.extent_note is None):
        yield "extent_note", "names the part of the claim exactly when extent is partially"
    for field in ("extent", "strength"):
        if getattr(citation, field) is not None and citation.stance not in _SIDES:
            yield field, f"goes with the stances {_listed(_SIDES)} only"


def _estimate_faults(estimate: Estimate) -> Iterator[RuleViolation]:
    yield from _interval_faults(estimate)
    yield from _pair_faults(estimate, "p_value", "p_operator")
    yield from _range_faults(estimate, "p_value", 1)
    yield from _pair_faults(estimate, "dispersion", "dispersion_kind")
    if estimate.dispersion is not None and estimate.dispersion < 0:
        yield "dispersion", "must not be negative"
    yield from _range_faults(estimate, "i2", 100)
    if estimate.ci_level is not None and not 0 < estimate.ci_level < 100:
        yield "ci_level", "must lie between 0 and 100"
    for index, arm in enumerate(estimate.arms):
        if arm.events is not None and arm.total is not None and arm.events > arm.total:
            yield f"arms[{index}].events", "must not exceed total"


def _pair_faults(estimate: Estimate, number: str, qualifier: str) -> Iterator[RuleViolation]:
    if (getattr(estimate, number) is None) != (getattr(estimate, qualifier) is None):
        yield qualifier, f"{number} and {qualifier} come together"


def _range_faults(estimate: Estimate, field: str, maximum: int) -> Iterator[RuleViolation]:
    value = getattr(estimate, field)
    if value is not None and not 0 <= value <= maximum:
        yield field, f"must lie between 0 and {maximum}"


def _interval_faults(estimate: Estimate) -> Iterator[RuleViolation]:
    low, high, value = estimate.ci_low, estimate.ci_high, estimate.value
    if (low is None) != (high is None):
        yield "ci_high", "ci_low and ci_high come together"
    elif low is not None and high is not None:
        if low > high:
            yield "ci_low", "must not exceed ci_high"
        elif value is not None and not low <= value <= high:
            yield "value", "must lie within its confidence interval"


def dosing_range_faults(dosing: DosingRangeWrite) -> list[RuleViolation]:
    faults: list[RuleViolation] = []
    if dosing.low is not None and dosing.low < 0:
        faults.append(("low", "must not be negative"))
    if dosing.low is not None and dosing.high is not None and dosing.low > dosing.high:
        faults.append(("low", "must not exceed high"))
    if (dosing.low is not None or dosing.high is not None) and dosing.unit is None:
        faults.append(("unit", "is required where low or high is given"))
    return faults


def search_faults(search: LiteratureSearchWrite) -> list[RuleViolation]:
    faults: list[RuleViolation] = []
    if not (search.conditions or search.mechanisms or search.side_effects or search.interactants or search.topic):
        faults.append(
            ("topic", "a question names at least one condition, mechanism, side effect, interactant or topic")
        )
    if search.coverage is Coverage.not_searched and (
        search.searched_on or search.sources or search.query or search.depth
    ):
        faults.append(("coverage", "not_searched carries no date, depth, source or query"))
    if search.coverage is not Coverage.not_searched and search.depth is None:
        faults.append(("depth", "is required for a question that was searched"))
    if search.found is not None and search.screened is not None and search.found > search.screened:
        faults.append(("found", "must not exceed screened"))
    return faults


def _listed(terms: Iterable[str]) -> str:
    return ", ".join(sorted(terms))
