"""Consensus of a claim: rules R2 to R6 of `docs/method.md`. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

from app.claims.rules import INFORMATIVE
from app.claims.vocabulary import Basis, CitationRole, Consensus, Directness, Leaning, Stance
from app.grading.evidence import CitationEvidence, EvidenceUnit, Step, Verdict, plain, votes
from app.grading.method import Method
from app.sources.vocabulary import Design, EvidenceSource, Standing

ROLE_RANK = {CitationRole.primary_result: 3, CitationRole.secondary_result: 2, CitationRole.exploratory_result: 1}
_COMPARATIVE = frozenset({Design.fixed_order_placebo_trial, Design.controlled_registry_study, Design.case_control})
_PRECLINICAL = frozenset({EvidenceSource.animal, EvidenceSource.in_vitro, EvidenceSource.computational})


def informative_citations(items: Sequence[CitationEvidence], steps: list[Step]) -> list[CitationEvidence]:
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


def evidence_units(informative: Sequence[CitationEvidence], method: Method, steps: list[Step]) -> list[EvidenceUnit]:
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


def verdict_of(
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
    sides = f"weight {plain(supports)} supports and {plain(disputes)} disputes"
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
