"""Consensus and certainty of a claim, computed from its citations by the rules of `docs/method.md`.

Rules R1 to R6 give the consensus, steps 1 to 8 the certainty. Every rule that is applied leaves a `Step` with its
inputs and result, so that a reader can follow and repeat the computation. Everything here is a pure function of frozen
values: no clock, no database, and the order of the input does not matter.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from app.claims.rules import INFORMATIVE, VOTING_FORMS
from app.claims.vocabulary import (
    Basis,
    Certainty,
    CitationRole,
    Consensus,
    Directness,
    Form,
    IndirectBecause,
    Kind,
    Leaning,
    Stance,
    StanceReason,
)
from app.sources.vocabulary import Design, EvidenceSource, Limitation, Standing


@dataclass(frozen=True)
class Method:
    """The numbers of one version of the method. To change any of them makes a new version."""

    consensus: str = "consensus/1"
    certainty: str = "grade-like/1"

    # R4: weights by design
    randomized_large: Fraction = Fraction(4)
    randomized_small: Fraction = Fraction(2)
    comparative: Fraction = Fraction(1)
    uncontrolled: Fraction = Fraction(1, 2)
    preclinical: Fraction = Fraction(1, 4)
    large_trial_people: int = 50
    case_report_people: int = 5
    max_halvings: int = 2

    # R5: enough evidence, conflict, leaning
    informative_units: int = 2
    informative_weight: Fraction = Fraction(2)
    conflict_share: Fraction = Fraction(1, 5)
    leaning_share: Fraction = Fraction(3, 5)

    # R6: systematic reviews where no study is cited itself
    review_unit_large: Fraction = Fraction(4)
    review_unit_small: Fraction = Fraction(2)
    review_unit_people: int = 400

    # Steps 3, 4 and 6
    full_text_share: Fraction = Fraction(2, 3)
    inconsistency_i2: int = 75
    precise_people: int = 400
    imprecise_people: int = 100
    few_events: int = 50


METHOD = Method()

ROLE_RANK = {CitationRole.primary_result: 3, CitationRole.secondary_result: 2, CitationRole.exploratory_result: 1}
_COMPARATIVE = frozenset({Design.fixed_order_placebo_trial, Design.controlled_registry_study, Design.case_control})
_PRECLINICAL = frozenset({EvidenceSource.animal, EvidenceSource.in_vitro, EvidenceSource.computational})
_LEVELS = (Certainty.very_low, Certainty.low, Certainty.moderate, Certainty.high)


@dataclass(frozen=True)
class CitationEvidence:
    """One citation with what the rules need of its document and study."""

    citation: str
    document: str
    stance: Stance
    directness: Directness
    role: CitationRole
    standing: Standing
    stance_reason: StanceReason | None = None
    indirect_because: frozenset[IndirectBecause] = frozenset()
    basis: Basis | None = None
    study: str | None = None
    design: Design = Design.other
    evidence_source: EvidenceSource = EvidenceSource.other
    people: int | None = None
    """People analysed for this finding, else people in the study; null where neither was read."""
    limitations: frozenset[Limitation] = frozenset()
    issued: str | None = None
    has_ci: bool = False
    """Whether a confidence interval on the claim's own outcome was read."""
    pooled_i2: Fraction | None = None
    """I² of a pooled estimate on the claim's own outcome, in per cent."""
    events: int | None = None
    includes: frozenset[str] = frozenset()
    includes_complete: bool = False

    @property
    def is_review(self) -> bool:
        return self.design.is_review


@dataclass(frozen=True)
class EvidenceUnit:
    """One study with its vote or, where no study is cited itself, all systematic reviews together (R3, R6)."""

    study: str
    stance: Stance
    weight: Fraction
    people: int | None
    reasons: frozenset[IndirectBecause]
    """Reasons of indirectness."""
    full_text: bool
    of_concern: bool
    """Whether all its documents are under an expression of concern."""
    direct: bool
    randomized: bool = False
    human: bool = True
    limited: bool = False
    """Whether a serious limit is known (step 3)."""
    is_reviews: bool = False

    @property
    def votes(self) -> tuple[Fraction, Fraction]:
        """Weight given to the supporting and to the disputing side: half to each if mixed, none if inconclusive."""
        zero = Fraction(0)
        match self.stance:
            case Stance.supports:
                return self.weight, zero
            case Stance.disputes:
                return zero, self.weight
            case Stance.mixed:
                return self.weight / 2, self.weight / 2
            case _:
                return zero, zero


@dataclass(frozen=True)
class Step:
    """One rule as it was applied: a sentence for people, values for machines."""

    rule: str
    text: str
    inputs: dict[str, object] = field(default_factory=dict)
    result: str | None = None


class Verdict(NamedTuple):
    consensus: Consensus
    leaning: Leaning
    support_share: Fraction | None
    """Share of the weight on the supporting side; null where nothing weighs."""


@dataclass(frozen=True)
class Grade:
    """Consensus and certainty of one claim with every step that led there."""

    consensus: Consensus
    leaning: Leaning
    certainty: Certainty
    support_share: Fraction | None
    units: tuple[EvidenceUnit, ...]
    steps: tuple[Step, ...]


def grade(form: Form, kind: Kind, evidence: Iterable[CitationEvidence], method: Method = METHOD) -> Grade:
    """Apply the whole method to the citations of one claim."""
    items = sorted(evidence, key=lambda item: item.citation)
    inputs: dict[str, object] = {"form": form, "citations": len(items)}
    if not items:
        return _ungraded(Consensus.uncited, "No citation is recorded.", inputs)
    if form not in VOTING_FORMS:
        text = f"Statements of the form '{form.label}' gather no votes."
        return _ungraded(Consensus.not_applicable, text, inputs)
    steps = [Step("R1", f"The form '{form.label}' gathers votes.", inputs, "applicable")]
    informative = _informative(items, steps)
    units = _units(informative, method, steps)
    verdict = _verdict(units, informative, method, steps)
    certainty = _certainty(units, informative, verdict, kind, method, steps)
    return Grade(verdict.consensus, verdict.leaning, certainty, verdict.support_share, tuple(units), tuple(steps))


def _ungraded(consensus: Consensus, text: str, inputs: dict[str, object]) -> Grade:
    """R1: a claim without citations, or of a form that gathers no votes."""
    step = Step("R1", text, inputs, consensus)
    return Grade(consensus, Leaning.neither, Certainty.not_graded, None, (), (step,))


def _informative(items: Sequence[CitationEvidence], steps: list[Step]) -> list[CitationEvidence]:
    """R2: the citations that weigh, without retracted documents and without background or unassessed citations."""
    retracted = [item.citation for item in items if item.standing is Standing.retracted]
    standing = [item for item in items if item.standing is not Standing.retracted]
    informative = [item for item in standing if item.stance in INFORMATIVE]
    silent = len(standing) - len(informative)
    text = (
        f"{len(retracted)} retracted citations are left out; {silent} background or unassessed citations weigh nothing."
    )
    steps.append(Step("R2", text, {"retracted": retracted, "silent": silent}))
    return informative


# --- units: R3, R4 and R6 -----------------------------------------------------------------------------------------


def _units(informative: Sequence[CitationEvidence], method: Method, steps: list[Step]) -> list[EvidenceUnit]:
    """R3: one unit for each study; R6: one for all systematic reviews where no study is cited; R4: their weights."""
    by_study: dict[str, list[CitationEvidence]] = {}
    for item in informative:
        if item.study is not None and not item.is_review:
            by_study.setdefault(item.study, []).append(item)
    units = [_study_unit(study, items, method) for study, items in sorted(by_study.items())]
    without_study = [item.citation for item in informative if item.study is None]
    steps.append(
        Step(
            "R3",
            f"{len(units)} studies make one unit each, by their highest-ranked analysis"
            + (f"; {len(without_study)} citations have no study behind them and make none." if without_study else "."),
            {"units": {unit.study: unit.stance for unit in units}, "without_study": without_study},
        )
    )
    reviews = [item for item in informative if item.design.is_systematic]
    if not units and reviews:
        units = [_review_unit(reviews, method)]
        steps.append(
            Step(
                "R6",
                "No study is cited itself: all systematic reviews together are one unit, since they may count the "
                f"same studies; together they read '{units[0].stance.label}'.",
                {"weight": float(units[0].weight), "people": units[0].people},
                units[0].stance,
            )
        )
    steps.append(
        Step(
            "R4",
            "Weights: randomized 4 (50 people or more) or 2, comparative 1, uncontrolled 1/2, case reports and "
            "laboratory 1/4; halved for each reason of indirectness, at most twice, and for an expression of concern.",
            {"weights": {unit.study: float(unit.weight) for unit in units}},
        )
    )
    return units


def _study_unit(study: str, items: Sequence[CitationEvidence], method: Method) -> EvidenceUnit:
    """R3: a study votes by its highest-ranked analyses; a tie between different stances is mixed."""
    rank = max(ROLE_RANK.get(item.role, 0) for item in items)
    ranked = [item for item in items if ROLE_RANK.get(item.role, 0) == rank]
    stances = {item.stance for item in ranked}
    stance = stances.pop() if len(stances) == 1 else Stance.mixed
    first = ranked[0]
    return replace(
        _unit(study, stance, ranked, _base_weight(first, _most_people(ranked), method), method),
        randomized=first.design.is_randomized,
        human=first.evidence_source not in _PRECLINICAL,
        limited=bool(first.limitations) or _lacks_comparison(first),
    )


def _review_unit(reviews: Sequence[CitationEvidence], method: Method) -> EvidenceUnit:
    """R6: all systematic reviews as one unit; they are mixed if two of them oppose each other."""
    # An inconclusive review does not vote, so it lends neither its directness nor its size.
    reviews = [review for review in reviews if review.stance is not Stance.inconclusive] or reviews
    stances = {review.stance for review in reviews}
    is_opposed = Stance.mixed in stances or {Stance.supports, Stance.disputes} <= stances
    is_large = any(
        review.design is Design.meta_analysis and (review.people or 0) >= method.review_unit_people
        for review in reviews
    )
    base = method.review_unit_large if is_large else method.review_unit_small
    unit = _unit("systematic-reviews", Stance.mixed if is_opposed else min(stances), reviews, base, method)
    return replace(unit, is_reviews=True)


def _unit(
    name: str, stance: Stance, items: Sequence[CitationEvidence], base_weight: Fraction, method: Method
) -> EvidenceUnit:
    """R4: halves the weight for each reason of indirectness and for an expression of concern."""
    # Direct evidence of the same study is not made indirect by a further, indirect finding.
    reasons = min((item.indirect_because for item in items), key=lambda r: (len(r), sorted(r)))
    of_concern = all(item.standing is Standing.expression_of_concern for item in items)
    halvings = min(len(reasons), method.max_halvings) + of_concern
    return EvidenceUnit(
        study=name,
        stance=stance,
        weight=base_weight / 2**halvings,
        people=_most_people(items),
        reasons=reasons,
        full_text=any(item.basis is Basis.full_text for item in items),
        of_concern=of_concern,
        direct=any(item.directness is Directness.direct for item in items),
    )


def _most_people(items: Iterable[CitationEvidence]) -> int | None:
    return max((item.people for item in items if item.people is not None), default=None)


def _base_weight(item: CitationEvidence, people: int | None, method: Method) -> Fraction:
    """R4: the weight by design, before anything is halved."""
    if item.evidence_source in _PRECLINICAL or item.design is Design.laboratory:
        return method.preclinical
    if item.design.is_randomized:
        is_large = people is not None and people >= method.large_trial_people
        return method.randomized_large if is_large else method.randomized_small
    if item.design is Design.case_report or (people is not None and people < method.case_report_people):
        return method.preclinical
    return method.comparative if item.design in _COMPARATIVE else method.uncontrolled


def _lacks_comparison(item: CitationEvidence) -> bool:
    """Step 3: a study without a comparison has a serious limit."""
    return not item.design.is_randomized and item.design not in _COMPARATIVE


# --- consensus: R5 and R6 -----------------------------------------------------------------------------------------


def _verdict(
    units: Sequence[EvidenceUnit], informative: Sequence[CitationEvidence], method: Method, steps: list[Step]
) -> Verdict:
    """R5: consensus and leaning of the units; R6: a review that says the opposite."""
    supports, disputes = votes(units)
    total = supports + disputes
    share = supports / total if total else None
    leaning = _leaning(share, method)
    count = sum(2 if unit.is_reviews else 1 for unit in units if unit.stance is not Stance.inconclusive)
    inputs: dict[str, object] = {
        "supports": float(supports),
        "disputes": float(disputes),
        "share": None if share is None else float(share),
        "units": count,
    }
    sides = f"weight {_plain(supports)} supports and {_plain(disputes)} disputes"
    if count < method.informative_units or total < method.informative_weight or share is None:
        text = f"Fewer than two informative units, or weight below 2 ({sides}): insufficient."
        steps.append(Step("R5", text, inputs, Consensus.insufficient))
        return Verdict(Consensus.insufficient, leaning, share)
    opposite = Stance.disputes if leaning is Leaning.supports else Stance.supports
    is_contested = any(item.stance in (opposite, Stance.mixed) for item in informative)
    consensus, reason = _consensus(min(share, 1 - share), is_contested, method)
    steps.append(Step("R5", f"Of the studies, {sides}: {reason}.", inputs, consensus))
    opposing = _opposing_reviews(informative, opposite)
    if consensus is not Consensus.conflicting and opposing and not any(unit.is_reviews for unit in units):
        consensus = Consensus.conflicting
        text = "A current, direct systematic review says the opposite; our list of studies may be incomplete."
        steps.append(Step("R6", text, {"reviews": opposing}, consensus))
    return Verdict(consensus, leaning, share)


def votes(units: Iterable[EvidenceUnit]) -> tuple[Fraction, Fraction]:
    """Weight of the supporting and of the disputing side."""
    supports = disputes = Fraction(0)
    for unit in units:
        supports, disputes = supports + unit.votes[0], disputes + unit.votes[1]
    return supports, disputes


def _consensus(minority: Fraction, is_contested: bool, method: Method) -> tuple[Consensus, str]:
    """R5: from the share of the smaller side, and whether any citation, reviews included, is not on the larger one."""
    if minority >= method.conflict_share:
        return Consensus.conflicting, "at least one fifth is on the smaller side"
    if minority == 0 and not is_contested:
        return Consensus.unanimous, "no study and no review says otherwise"
    return Consensus.mostly, "less than one fifth is on the smaller side"


def _opposing_reviews(informative: Iterable[CitationEvidence], opposite: Stance) -> list[str]:
    """R6: current, direct systematic reviews on the other side."""
    outdated = (Standing.superseded, Standing.expression_of_concern)
    return [
        item.citation
        for item in informative
        if item.design.is_systematic
        and item.stance is opposite
        and item.directness is Directness.direct
        and item.standing not in outdated
    ]


def _leaning(share: Fraction | None, method: Method) -> Leaning:
    """R5: the side with at least three fifths of the weight."""
    if share is None:
        return Leaning.neither
    if share >= method.leaning_share:
        return Leaning.supports
    return Leaning.disputes if 1 - share >= method.leaning_share else Leaning.neither


# --- certainty: steps 1 to 8 ---------------------------------------------------------------------------------------

Reduction = tuple[int, str, dict[str, object]]
"""Levels that a step takes off, its sentence and its inputs."""


def _certainty(
    units: Sequence[EvidenceUnit],
    informative: Sequence[CitationEvidence],
    verdict: Verdict,
    kind: Kind,
    method: Method,
    steps: list[Step],
) -> Certainty:
    """Steps 1 to 8 of grade-like/1: certainty in the answer that the leaning gives."""
    if not units:
        steps.append(Step("1", "Nothing that could be graded was measured.", {}, Certainty.not_graded))
        return Certainty.not_graded
    body, start = _body(units, steps)
    level = _LEVELS.index(start)
    for rule, (levels, text, inputs) in (
        ("3", _limitations(body)),
        ("4", _inconsistency(body, informative, verdict.consensus, method)),
        ("5", _indirectness(body)),
        ("6", _imprecision(body, informative, kind, method)),
        ("7", _concern(body)),
    ):
        steps.append(Step(rule, text, inputs, f"-{levels}" if levels else "no step"))
        level -= levels
    level = max(level, 0)
    moderate, low = _LEVELS.index(Certainty.moderate), _LEVELS.index(Certainty.low)
    if _share(body, lambda unit: unit.full_text) < method.full_text_share and level > moderate:
        level = moderate
        steps.append(Step("3", "Less than two thirds of the weight was read in full text: capped.", {}, "moderate"))
    if verdict.consensus is Consensus.insufficient and level > low:
        level = low
        steps.append(Step("8", "Insufficient evidence: capped at low.", {}, "low"))
    certainty = _LEVELS[level]
    text = f"{certainty.label} certainty in the answer '{verdict.leaning.label.lower()}'."
    steps.append(Step("8", text, {}, certainty))
    return certainty


def _body(units: Sequence[EvidenceUnit], steps: list[Step]) -> tuple[list[EvidenceUnit], Certainty]:
    """Steps 1 and 2: the units that are graded, and the level at which they start."""
    randomized = [unit for unit in units if unit.randomized]
    human = [unit for unit in units if unit.human]
    if any(unit.direct for unit in randomized):
        body, start, name = randomized, Certainty.high, "all randomized studies, since at least one is direct"
    elif human:
        body, start, name = human, Certainty.low, "all other studies in people"
    else:
        body, start, name = list(units), Certainty.very_low, "laboratory studies only; there is no evidence in people"
    steps.append(Step("1", f"The body of evidence: {name}.", {"units": [unit.study for unit in body]}))
    steps.append(Step("2", f"It starts at {start.label.lower()}.", {"no_human_evidence": not human}, start))
    return body, start


def _share(body: Sequence[EvidenceUnit], condition: Callable[[EvidenceUnit], bool]) -> Fraction:
    """Share of the body's weight in units that meet a condition."""
    weight = sum((unit.weight for unit in body), Fraction(0))
    return sum((unit.weight for unit in body if condition(unit)), Fraction(0)) / weight if weight else Fraction(0)


def _limitations(body: Sequence[EvidenceUnit]) -> Reduction:
    """Step 3: known serious limits."""
    limited, full_text = _share(body, lambda unit: unit.limited), _share(body, lambda unit: unit.full_text)
    text = f"Studies with a known serious limit hold {_percent(limited)} of the weight; not assessed is not low risk."
    inputs: dict[str, object] = {"limited_share": float(limited), "full_text_share": float(full_text)}
    return int(limited >= Fraction(1, 2)), text, inputs


def _inconsistency(
    body: Sequence[EvidenceUnit], informative: Sequence[CitationEvidence], consensus: Consensus, method: Method
) -> Reduction:
    """Step 4: conflicting results, or I² of the newest direct pooled estimate."""
    pooled = [item for item in informative if item.pooled_i2 is not None and item.directness is Directness.direct]
    newest = max(pooled, key=lambda item: (item.issued or "", item.citation), default=None)
    i2 = newest.pooled_i2 if newest else None
    inputs: dict[str, object] = {"units": len(body), "i2": None if i2 is None else float(i2)}
    if len(body) == 1:
        return 0, "One unit: inconsistency cannot be assessed.", inputs
    is_heterogeneous = i2 is not None and i2 >= method.inconsistency_i2
    read = "not read." if i2 is None else f"{_plain(i2)} %."
    text = f"Consensus is {consensus.label.lower()}; I² of the newest direct pooled estimate: {read}"
    return int(consensus is Consensus.conflicting or is_heterogeneous), text, inputs


def _indirectness(body: Sequence[EvidenceUnit]) -> Reduction:
    """Step 5: indirect evidence; two levels where most of it is indirect for two reasons."""
    indirect, doubly = _share(body, lambda unit: bool(unit.reasons)), _share(body, lambda unit: len(unit.reasons) >= 2)
    levels = 0 if indirect < Fraction(1, 2) else (2 if doubly > indirect / 2 else 1)
    text = f"Indirect studies hold {_percent(indirect)} of the weight."
    return levels, text, {"indirect_share": float(indirect), "two_reasons_share": float(doubly)}


def _imprecision(
    body: Sequence[EvidenceUnit], informative: Sequence[CitationEvidence], kind: Kind, method: Method
) -> Reduction:
    """Step 6: few people, few events of harm, no confidence interval."""
    people = sum(unit.people or 0 for unit in body)
    unread = sum(unit.people is None for unit in body)
    levels = 0 if people >= method.precise_people else (1 if people >= method.imprecise_people else 2)
    text = f"{people} people were analysed" + (f" ({unread} studies of unknown size add none)." if unread else ".")
    counts = [item.events for item in informative if item.events is not None]
    if kind is Kind.safety and counts and sum(counts) < method.few_events:
        levels = 2
        text += f" Only {sum(counts)} events were counted."
    has_interval = any(item.has_ci and item.directness is Directness.direct for item in informative)
    if not has_interval:
        levels += 1
        text += " No confidence interval on this outcome was read from a direct source."
    return levels, text, {"people": people, "interval_read": has_interval, "events": sum(counts) if counts else None}


def _concern(body: Sequence[EvidenceUnit]) -> Reduction:
    """Step 7: documents under an expression of concern that supply half or more of one side."""
    sides = zip(votes(body), votes(unit for unit in body if unit.of_concern), strict=True)
    is_doubtful = any(total and doubtful * 2 >= total for total, doubtful in sides)
    text = (
        "Documents under an expression of concern supply half or more of one side."
        if is_doubtful
        else "No side rests on documents under an expression of concern."
    )
    return int(is_doubtful), f"{text} Publication bias was not assessed and gives no credit.", {}


def _plain(number: Fraction) -> str:
    return f"{float(number):g}"


def _percent(share: Fraction) -> str:
    return f"{round(float(share) * 100)} %"
