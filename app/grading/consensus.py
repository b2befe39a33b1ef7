"""Consensus of a claim: rules R2 to R6 of `docs/method.md`. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

from app.claims.rules import INFORMATIVE
from app.claims.vocabulary import (
    AnsweringBody,
    Basis,
    CitationRole,
    Consensus,
    Directness,
    Form,
    InsufficientReason,
    Leaning,
    Stance,
    StanceReason,
)
from app.concepts.weighing import WeighsAs
from app.grading.definitions import definition_of
from app.grading.evidence import CitationEvidence, EvidenceUnit, Step, Verdict, plain, votes
from app.grading.method import Method
from app.sources.vocabulary import EvidenceSource, IncludedDesigns, Standing

ROLE_RANK = {CitationRole.primary_result: 3, CitationRole.secondary_result: 2, CitationRole.exploratory_result: 1}
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
    """R3: one unit for each study; R6: one for all systematic reviews where no study votes; R4: their weights."""
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
    reviews = _answering_reviews(informative, units)
    if reviews:
        unit = _review_unit(reviews, method)
        units.append(unit)
        steps.append(
            Step(
                "R6",
                "No study that votes is cited itself: all systematic reviews together are one unit, since they may "
                f"count the same studies; together they read '{unit.stance.label}'.",
                {"weight": float(unit.weight), "people": unit.people, "citations": sorted(unit.citations)},
                unit.stance,
            )
        )
    steps.append(
        Step(
            "R4",
            f"Weights: randomized {plain(method.randomized_large)} ({method.large_trial_people} people or more) or "
            f"{plain(method.randomized_small)}, comparative {plain(method.comparative)}, uncontrolled "
            f"{method.uncontrolled}, case reports and laboratory {method.preclinical}, design not recorded 0; halved "
            f"for each reason of indirectness, at most {method.max_halvings} times, and for an expression of concern.",
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
        _unit(study, stance, ranked, _base_weight(first, people_in(ranked), method), method),
        randomized=first.design.is_randomized,
        human=not _is_preclinical(first),
        # Step 3: a study without a comparison has a serious limit.
        limited=bool(first.limitations) or not first.design.weighs_as.is_compared,
        authors=_authors(items),
    )


def _answering_reviews(
    informative: Sequence[CitationEvidence], studies: Sequence[EvidenceUnit]
) -> list[CitationEvidence]:
    """R6: the systematic reviews that answer together: only where no study votes, and only those that vote themselves.

    Where a study is direct, or a direct review votes, indirect reviews do not answer. An undecided review is returned
    only if nothing else was measured.
    """
    reviews = [item for item in informative if item.design.is_systematic]
    if any(unit.is_voter and unit.is_weighable for unit in studies):
        return []
    direct = [item for item in reviews if item.directness is Directness.direct]
    eligible = direct if any(unit.direct for unit in studies) else reviews
    voting = [item for item in eligible if item.stance is not Stance.inconclusive]
    voting = [item for item in voting if item.directness is Directness.direct] or voting
    return voting or ([] if studies else direct or reviews)


def _review_unit(reviews: Sequence[CitationEvidence], method: Method) -> EvidenceUnit:
    """R6: all systematic reviews as one unit; they are mixed if two of them oppose each other."""
    stances = {review.stance for review in reviews}
    is_opposed = Stance.mixed in stances or {Stance.supports, Stance.disputes} <= stances
    is_large = any(
        review.design.weighs_as is WeighsAs.meta_analysis and (review.people or 0) >= method.review_unit_people
        for review in reviews
    )
    base = method.review_unit_large if is_large else method.review_unit_small
    unit = _unit("systematic-reviews", Stance.mixed if is_opposed else min(stances), reviews, base, method)
    designs = {review.includes_designs for review in reviews}
    return replace(
        unit,
        is_reviews=True,
        human=any(review.evidence_source not in _PRECLINICAL for review in reviews),
        included_designs=designs.pop() if len(designs) == 1 else IncludedDesigns.unknown,
    )


def _unit(
    name: str, stance: Stance, items: Sequence[CitationEvidence], base_weight: Fraction, method: Method
) -> EvidenceUnit:
    """R4: halves the weight for each reason of indirectness and for an expression of concern."""
    # Direct evidence of the same study is not made indirect by a further, indirect finding.
    reasons = min((item.indirect_because for item in items), key=lambda r: (len(r), sorted(r)))
    of_concern = all(item.standing is Standing.expression_of_concern for item in items)
    halvings = min(len(reasons), method.max_halvings) + of_concern
    disputing = [item for item in items if item.stance is Stance.disputes]
    return EvidenceUnit(
        study=name,
        stance=stance,
        weight=base_weight / 2**halvings,
        people=people_in(items),
        reasons=reasons,
        full_text=any(item.basis is Basis.full_text for item in items),
        of_concern=of_concern,
        direct=any(item.directness is Directness.direct for item in items),
        citations=frozenset(item.citation for item in items),
        is_opposite=bool(disputing) and all(item.stance_reason is StanceReason.opposite for item in disputing),
    )


def people_in(items: Iterable[CitationEvidence]) -> int | None:
    """People of one study or of the largest review: those analysed for the finding where that was read, else all."""
    items = [item for item in items if item.people is not None]
    analysed = [item for item in items if item.is_analysed]
    return max((item.people for item in analysed or items if item.people is not None), default=None)


def _authors(items: Iterable[CitationEvidence]) -> frozenset[str] | None:
    """R5: everybody who wrote one of the study's documents; null where a list of authors was not read in full."""
    items = list(items)
    if not all(item.authors and item.authors_complete for item in items):
        return None
    return frozenset().union(*(item.authors for item in items))


def _base_weight(item: CitationEvidence, people: int | None, method: Method) -> Fraction:
    """R4: the weight by design, before anything is halved; 0 where the design was not recorded."""
    weighs_as = item.design.weighs_as
    if _is_preclinical(item):
        return method.preclinical
    if weighs_as is WeighsAs.not_weighable:
        return Fraction(0)
    if weighs_as is WeighsAs.randomized:
        is_large = people is not None and people >= method.large_trial_people
        return method.randomized_large if is_large else method.randomized_small
    if weighs_as is WeighsAs.case_report or (people is not None and people < method.case_report_people):
        return method.preclinical
    return method.comparative if weighs_as is WeighsAs.comparative else method.uncontrolled


def _is_preclinical(item: CitationEvidence) -> bool:
    return item.evidence_source in _PRECLINICAL or item.design.weighs_as is WeighsAs.laboratory


# --- consensus: R5 and R6 -----------------------------------------------------------------------------------------


def verdict_of(
    form: Form,
    units: Sequence[EvidenceUnit],
    informative: Sequence[CitationEvidence],
    method: Method,
    steps: list[Step],
) -> Verdict:
    """R5: consensus and leaning of the units; R6: a review that says the opposite."""
    supports, disputes = votes(units)
    total = supports + disputes
    share = supports / total if total else None
    leaning = _leaning(share, method)
    voters = [unit for unit in units if unit.is_voter and unit.is_weighable]
    count = sum(method.review_unit_counts if unit.is_reviews else 1 for unit in voters)
    body = _body(units)
    inputs: dict[str, object] = {
        "supports": float(supports),
        "disputes": float(disputes),
        "share": None if share is None else float(share),
        "units": count,
        "body": body,
    }
    sides = f"weight {plain(supports)} supports and {plain(disputes)} disputes"
    reason = _insufficient_reason(units, count, total, method)
    if reason is not None or share is None:
        text = f"{definition_of(reason, method) if reason else 'Nothing weighs.'} ({sides}): insufficient."
        steps.append(Step("R5", text, {**inputs, "reason": reason}, Consensus.insufficient))
        # Laboratory work is enough for what it says, and says nothing about people.
        is_enough = body is AnsweringBody.laboratory and reason is not InsufficientReason.none_voted
        return Verdict(Consensus.insufficient, leaning, body, None if is_enough else reason, share)
    opposite = Stance.disputes if leaning is Leaning.supports else Stance.supports
    is_contested = any(item.stance in (opposite, Stance.mixed) for item in informative)
    consensus, text = _consensus(min(share, 1 - share), is_contested, _may_be_unanimous(form, voters, method), method)
    steps.append(Step("R5", f"Of what votes, {sides}: {text}.", inputs, consensus))
    opposing = _opposing_reviews(informative, opposite)
    if consensus is not Consensus.conflicting and opposing and body is not AnsweringBody.reviews:
        consensus = Consensus.conflicting
        text = "A current, direct systematic review says the opposite; our list of studies may be incomplete."
        steps.append(Step("R6", text, {"reviews": opposing}, consensus))
    return Verdict(consensus, leaning, body, None, share)


def _body(units: Sequence[EvidenceUnit]) -> AnsweringBody | None:
    """Which evidence answers: reviews where they vote, the laboratory where nothing else was measured."""
    if not units:
        return None
    if any(unit.is_reviews for unit in units):
        return AnsweringBody.reviews
    return AnsweringBody.primary if any(unit.human for unit in units) else AnsweringBody.laboratory


def _insufficient_reason(
    units: Sequence[EvidenceUnit], count: int, weight: Fraction, method: Method
) -> InsufficientReason | None:
    """R5: why the evidence is too little; null where it is enough."""
    voters = [unit for unit in units if unit.is_voter]
    if not voters:
        return InsufficientReason.none_voted
    if not any(unit.is_weighable for unit in voters):
        return InsufficientReason.not_weighable
    if count < method.informative_units:
        return InsufficientReason.too_few
    return InsufficientReason.too_light if weight < method.informative_weight else None


def _consensus(minority: Fraction, is_contested: bool, may_be_unanimous: bool, method: Method) -> tuple[Consensus, str]:
    """R5: from the share of the smaller side, and whether any citation, reviews included, is not on the larger one."""
    if minority >= method.conflict_share:
        return Consensus.conflicting, f"at least {method.conflict_share} is on the smaller side"
    if minority == 0 and not is_contested:
        if may_be_unanimous:
            return Consensus.unanimous, "no study and no review says otherwise"
        return Consensus.mostly, "nothing says otherwise, but too few independent studies agree for unanimity"
    return Consensus.mostly, f"less than {method.conflict_share} is on the smaller side"


def _may_be_unanimous(form: Form, voters: Sequence[EvidenceUnit], method: Method) -> bool:
    """R5: three studies, one of them randomized (for associations any), or two independent randomized trials."""
    if any(unit.is_reviews for unit in voters):
        return False
    trials = [unit for unit in voters if unit.randomized]
    if len(voters) >= method.unanimous_units and (trials or form is Form.association):
        return True
    return any(
        all(are_independent(one, other) for one, other in combinations(group, 2))
        for group in combinations(trials, method.unanimous_independent_trials)
    )


def are_independent(one: EvidenceUnit, other: EvidenceUnit) -> bool:
    """Whether nobody wrote papers of both studies; false where an author list was not read in full."""
    return one.authors is not None and other.authors is not None and one.authors.isdisjoint(other.authors)


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
