"""What the citations of a claim add up to: consensus and certainty, as pure functions over frozen values.

The rules are those of `docs/method.md` (R1-R8 and steps 1-8); every rule leaves a `Step` with its inputs and result,
so that a reader can follow and repeat it. Nothing here knows the clock, the database or the order of the input.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

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
    """The stated conventions of one version of the method; a change of any number is a new version."""

    consensus: str = "consensus/1"
    certainty: str = "grade-like/1"
    randomized_large: Fraction = Fraction(4)
    randomized_small: Fraction = Fraction(2)
    comparative: Fraction = Fraction(1)
    uncontrolled: Fraction = Fraction(1, 2)
    preclinical: Fraction = Fraction(1, 4)
    large_trial_people: int = 50
    case_report_people: int = 5
    most_halvings: int = 2
    informative_units: int = 2
    informative_weight: Fraction = Fraction(2)
    conflict_share: Fraction = Fraction(1, 5)
    leaning_share: Fraction = Fraction(3, 5)
    review_unit_large: Fraction = Fraction(4)
    review_unit_small: Fraction = Fraction(2)
    review_unit_people: int = 400
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
class Evidence:
    """One citation with what the grading needs of its document and study."""

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
    """An interval on the claim's own outcome was read."""
    pooled_i2: Fraction | None = None
    """I² of a pooled estimate on the claim's own outcome, in per cent."""
    events: int | None = None
    includes: frozenset[str] = frozenset()
    includes_complete: bool = False

    @property
    def is_review(self) -> bool:
        return self.design.is_review


@dataclass(frozen=True)
class Unit:
    """One study (or, where no study was cited itself, all systematic reviews together) with its vote."""

    study: str
    stance: Stance
    weight: Fraction
    people: int | None
    randomized: bool
    human: bool
    reasons: frozenset[IndirectBecause]
    limited: bool
    full_text: bool
    of_concern: bool
    direct: bool
    is_reviews: bool = False

    @property
    def votes(self) -> tuple[Fraction, Fraction]:
        """Weight given to the supporting and to the disputing side."""
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
    """One rule as it was applied: a sentence for people, the values for machines."""

    rule: str
    text: str
    inputs: dict[str, object] = field(default_factory=dict)
    result: str | None = None


@dataclass(frozen=True)
class Grade:
    """Consensus and certainty of one claim with every step that led there."""

    consensus: Consensus
    leaning: Leaning
    certainty: Certainty
    support_share: Fraction | None
    units: tuple[Unit, ...]
    steps: tuple[Step, ...]


def grade(form: Form, kind: Kind, evidence: Iterable[Evidence], method: Method = METHOD) -> Grade:
    """Apply the whole method to the citations of one claim."""
    items = sorted(evidence, key=lambda item: item.citation)
    if form not in VOTING_FORMS or not items:
        consensus = Consensus.uncited if not items else Consensus.not_applicable
        reason = "No citation is recorded." if not items else f"Statements of the form '{form.label}' gather no votes."
        step = Step("R1", reason, {"form": form, "citations": len(items)}, consensus)
        return Grade(consensus, Leaning.neither, Certainty.not_graded, None, (), (step,))
    steps = [
        Step("R1", f"The form '{form.label}' gathers votes.", {"form": form, "citations": len(items)}, "applicable")
    ]
    standing = [item for item in items if item.standing is not Standing.retracted]
    silent = sum(item.stance not in INFORMATIVE for item in standing)
    steps.append(
        Step(
            "R2",
            f"{len(items) - len(standing)} retracted citations are left out; {silent} background or unassessed "
            "citations weigh nothing.",
            {"retracted": [i.citation for i in items if i not in standing], "silent": silent},
        )
    )
    informative = [item for item in standing if item.stance in INFORMATIVE]
    units = _units(informative, method, steps)
    consensus, leaning, share = _consensus(units, informative, method, steps)
    certainty = _certainty(units, informative, consensus, leaning, kind, method, steps)
    return Grade(consensus, leaning, certainty, share, tuple(units), tuple(steps))


# --- consensus ----------------------------------------------------------------------------------------------------


def _units(informative: Sequence[Evidence], method: Method, steps: list[Step]) -> list[Unit]:
    """R3, R4 and, where no study was cited itself, R6: one unit for each study."""
    by_study: dict[str, list[Evidence]] = {}
    for item in informative:
        if item.study is not None and not item.is_review:
            by_study.setdefault(item.study, []).append(item)
    units = [_unit(study, items, method) for study, items in sorted(by_study.items())]
    loose = [item.citation for item in informative if item.study is None]
    steps.append(
        Step(
            "R3",
            f"{len(units)} studies make one unit each, by their highest-ranked analysis"
            + (f"; {len(loose)} citations have no study behind them and make none." if loose else "."),
            {"units": {unit.study: unit.stance for unit in units}, "without_study": loose},
        )
    )
    if not units:
        reviews = _review_unit([item for item in informative if item.design.is_systematic], method)
        if reviews:
            units = [reviews]
            steps.append(
                Step(
                    "R6",
                    "No study is cited itself: all systematic reviews together are one unit, since they may count the "
                    f"same studies; together they read '{reviews.stance.label}'.",
                    {"weight": float(reviews.weight), "people": reviews.people},
                    reviews.stance,
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


def _unit(study: str, items: Sequence[Evidence], method: Method) -> Unit:
    rank = max(ROLE_RANK.get(item.role, 0) for item in items)
    ranked = [item for item in items if ROLE_RANK.get(item.role, 0) == rank]
    stances = {item.stance for item in ranked}
    # Direct evidence of the same study is not made indirect by a further, indirect finding.
    reasons = min((item.indirect_because for item in ranked), key=lambda r: (len(r), sorted(r)))
    people = max((item.people for item in ranked if item.people is not None), default=None)
    of_concern = all(item.standing is Standing.expression_of_concern for item in ranked)
    first = ranked[0]
    weight = _base_weight(first, people, method) / 2 ** min(len(reasons), method.most_halvings)
    return Unit(
        study=study,
        stance=stances.pop() if len(stances) == 1 else Stance.mixed,
        weight=weight / 2 if of_concern else weight,
        people=people,
        randomized=first.design.is_randomized,
        human=first.evidence_source not in _PRECLINICAL,
        reasons=reasons,
        limited=bool(first.limitations) or _is_limited_by_design(first),
        full_text=any(item.basis is Basis.full_text for item in ranked),
        of_concern=of_concern,
        direct=any(item.directness is Directness.direct for item in ranked),
    )


def _base_weight(item: Evidence, people: int | None, method: Method) -> Fraction:
    if item.evidence_source in _PRECLINICAL or item.design is Design.laboratory:
        return method.preclinical
    if item.design.is_randomized:
        large = people is not None and people >= method.large_trial_people
        return method.randomized_large if large else method.randomized_small
    if item.design is Design.case_report or (people is not None and people < method.case_report_people):
        return method.preclinical
    return method.comparative if item.design in _COMPARATIVE else method.uncontrolled


def _is_limited_by_design(item: Evidence) -> bool:
    return not item.design.is_randomized and item.design not in _COMPARATIVE


def _review_unit(reviews: Sequence[Evidence], method: Method) -> Unit | None:
    if not reviews:
        return None
    # An inconclusive review does not vote, so it lends neither its directness nor its size.
    reviews = [review for review in reviews if review.stance is not Stance.inconclusive] or list(reviews)
    stances = {review.stance for review in reviews}
    opposed = Stance.mixed in stances or {Stance.supports, Stance.disputes} <= stances
    stance = Stance.mixed if opposed else min(stances)
    people = max((review.people for review in reviews if review.people is not None), default=None)
    large = any(
        review.design is Design.meta_analysis and (review.people or 0) >= method.review_unit_people
        for review in reviews
    )
    reasons = min((review.indirect_because for review in reviews), key=lambda r: (len(r), sorted(r)))
    of_concern = all(review.standing is Standing.expression_of_concern for review in reviews)
    weight = (method.review_unit_large if large else method.review_unit_small) / 2 ** min(
        len(reasons), method.most_halvings
    )
    return Unit(
        study="systematic-reviews",
        stance=stance,
        weight=weight / 2 if of_concern else weight,
        people=people,
        randomized=False,
        human=True,
        reasons=reasons,
        limited=False,
        full_text=any(review.basis is Basis.full_text for review in reviews),
        of_concern=of_concern,
        direct=any(review.directness is Directness.direct for review in reviews),
        is_reviews=True,
    )


def _consensus(
    units: Sequence[Unit], informative: Sequence[Evidence], method: Method, steps: list[Step]
) -> tuple[Consensus, Leaning, Fraction | None]:
    """R5 and R6."""
    supports = sum((unit.votes[0] for unit in units), Fraction(0))
    disputes = sum((unit.votes[1] for unit in units), Fraction(0))
    total = supports + disputes
    share = supports / total if total else None
    leaning = _leaning(share, method)
    voting = [unit for unit in units if unit.stance is not Stance.inconclusive]
    count = sum(2 if unit.is_reviews else 1 for unit in voting)
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
        return Consensus.insufficient, leaning, share
    minority = min(share, 1 - share)
    opposing = Stance.disputes if leaning is Leaning.supports else Stance.supports
    contested = any(item.stance in (opposing, Stance.mixed) for item in informative)
    if minority >= method.conflict_share:
        consensus, word = Consensus.conflicting, "at least one fifth is on the smaller side"
    elif minority == 0 and not contested:
        consensus, word = Consensus.unanimous, "no study and no review says otherwise"
    else:
        consensus, word = Consensus.mostly, "less than one fifth is on the smaller side"
    steps.append(Step("R5", f"Of the studies, {sides}: {word}.", inputs, consensus))
    against = [
        item.citation
        for item in informative
        if item.design.is_systematic
        and item.stance is opposing
        and item.directness is Directness.direct
        and item.standing not in (Standing.superseded, Standing.expression_of_concern)
    ]
    if consensus is not Consensus.conflicting and against and not any(unit.is_reviews for unit in units):
        steps.append(
            Step(
                "R6",
                "A current, direct systematic review says the opposite; our list of studies may be incomplete.",
                {"reviews": against},
                Consensus.conflicting,
            )
        )
        consensus = Consensus.conflicting
    return consensus, leaning, share


def _leaning(share: Fraction | None, method: Method) -> Leaning:
    if share is None:
        return Leaning.neither
    if share >= method.leaning_share:
        return Leaning.supports
    return Leaning.disputes if 1 - share >= method.leaning_share else Leaning.neither


# --- certainty ----------------------------------------------------------------------------------------------------


def _certainty(
    units: Sequence[Unit],
    informative: Sequence[Evidence],
    consensus: Consensus,
    leaning: Leaning,
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
    weight = sum((unit.weight for unit in body), Fraction(0))

    def held(chosen: Iterable[Unit]) -> Fraction:
        return sum((unit.weight for unit in chosen), Fraction(0)) / weight if weight else Fraction(0)

    limited = held(unit for unit in body if unit.limited)
    read_in_full = held(unit for unit in body if unit.full_text)
    level -= _down(
        steps,
        "3",
        int(limited >= Fraction(1, 2)),
        f"Studies with a known serious limit hold {_percent(limited)} of the weight; not assessed is not low risk.",
        {"limited_share": float(limited), "full_text_share": float(read_in_full)},
    )
    i2 = _newest_i2(informative)
    heterogeneous = i2 is not None and i2 >= method.inconsistency_i2
    level -= _down(
        steps,
        "4",
        int(len(body) > 1 and (consensus is Consensus.conflicting or heterogeneous)),
        "One unit: inconsistency cannot be assessed."
        if len(body) == 1
        else f"Consensus is {consensus.label.lower()}; I² of the newest direct pooled estimate: "
        + ("not read." if i2 is None else f"{_plain(i2)} %."),
        {"units": len(body), "i2": None if i2 is None else float(i2)},
    )
    level -= _down(steps, "5", *_indirectness(body, held))
    level -= _down(steps, "6", *_imprecision(body, informative, kind, method))
    concern = _concern_supplies_a_side(body)
    level -= _down(
        steps,
        "7",
        int(concern),
        (
            "Documents under an expression of concern supply half or more of one side."
            if concern
            else "No side rests on documents under an expression of concern."
        )
        + " Publication bias was not assessed and gives no credit.",
        {},
    )
    level = max(level, 0)
    if read_in_full < method.full_text_share and level > _LEVELS.index(Certainty.moderate):
        level = _LEVELS.index(Certainty.moderate)
        steps.append(Step("3", "Less than two thirds of the weight was read in full text: capped.", {}, "moderate"))
    if consensus is Consensus.insufficient and level > _LEVELS.index(Certainty.low):
        level = _LEVELS.index(Certainty.low)
        steps.append(Step("8", "Insufficient evidence: capped at low.", {}, "low"))
    certainty = _LEVELS[level]
    steps.append(Step("8", f"{certainty.label} certainty in the answer '{leaning.label.lower()}'.", {}, certainty))
    return certainty


def _body(units: Sequence[Unit], steps: list[Step]) -> tuple[list[Unit], Certainty]:
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


def _newest_i2(informative: Sequence[Evidence]) -> Fraction | None:
    pooled = [item for item in informative if item.pooled_i2 is not None and item.directness is Directness.direct]
    newest = max(pooled, key=lambda item: (item.issued or "", item.citation), default=None)
    return newest.pooled_i2 if newest else None


def _indirectness(
    body: Sequence[Unit], held: Callable[[Iterable[Unit]], Fraction]
) -> tuple[int, str, dict[str, object]]:
    indirect = [unit for unit in body if unit.reasons]
    share = held(indirect)
    doubly = held(unit for unit in indirect if len(unit.reasons) >= 2)
    steps_down = 0 if share < Fraction(1, 2) else (2 if doubly > share / 2 else 1)
    text = f"Indirect studies hold {_percent(share)} of the weight."
    return steps_down, text, {"indirect_share": float(share), "two_reasons_share": float(doubly)}


def _imprecision(
    body: Sequence[Unit], informative: Sequence[Evidence], kind: Kind, method: Method
) -> tuple[int, str, dict[str, object]]:
    people = sum(unit.people or 0 for unit in body)
    unread = sum(unit.people is None for unit in body)
    steps_down = 0 if people >= method.precise_people else (1 if people >= method.imprecise_people else 2)
    text = f"{people} people were analysed" + (f" ({unread} studies of unknown size add none)." if unread else ".")
    counted = [item.events for item in informative if item.events is not None]
    if kind is Kind.safety and counted and sum(counted) < method.few_events:
        steps_down = 2
        text += f" Only {sum(counted)} events were counted."
    has_interval = any(item.has_ci and item.directness is Directness.direct for item in informative)
    if not has_interval:
        steps_down += 1
        text += " No confidence interval on this outcome was read from a direct source."
    return (
        steps_down,
        text,
        {"people": people, "interval_read": has_interval, "events": sum(counted) if counted else None},
    )


def _concern_supplies_a_side(body: Sequence[Unit]) -> bool:
    for side in (0, 1):
        total = sum((unit.votes[side] for unit in body), Fraction(0))
        doubtful = sum((unit.votes[side] for unit in body if unit.of_concern), Fraction(0))
        if total and doubtful * 2 >= total:
            return True
    return False


def _down(steps: list[Step], rule: str, by: int, text: str, inputs: dict[str, object]) -> int:
    steps.append(Step(rule, text, inputs, f"-{by}" if by else "no step"))
    return by


def _plain(number: Fraction) -> str:
    return f"{float(number):g}"


def _percent(share: Fraction) -> str:
    return f"{round(float(share) * 100)} %"
