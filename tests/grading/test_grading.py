"""Consensus and certainty: each rule by example, and what must hold for any evidence whatever."""

from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.claims.vocabulary import (
    AnsweringBody,
    Basis,
    Certainty,
    CitationRole,
    Consensus,
    Directness,
    Form,
    IndirectBecause,
    InsufficientReason,
    Kind,
    Leaning,
    Stance,
    StanceReason,
)
from app.concepts.study_designs import SHIPPED_DESIGNS
from app.grading.evidence import CitationEvidence, Grade
from app.grading.grade import grade
from app.grading.method import METHOD
from app.sources.vocabulary import EvidenceSource, IncludedDesigns, Limitation, Standing

design_of = SHIPPED_DESIGNS.design
TRIAL = CitationEvidence(
    citation="c1",
    document="d1",
    study="s1",
    stance=Stance.supports,
    directness=Directness.direct,
    role=CitationRole.primary_result,
    standing=Standing.not_checked,
    basis=Basis.abstract,
    design=design_of("randomized_parallel_trial"),
    evidence_source=EvidenceSource.human_clinical,
    people=60,
    has_ci=True,
)


def trial(number: int, stance: Stance = Stance.supports, **changes: object) -> CitationEvidence:
    named = {"citation": f"c{number}", "document": f"d{number}", "study": f"s{number}", "stance": stance}
    return replace(TRIAL, **{**named, **changes})  # type: ignore[arg-type]


def review(number: int, stance: Stance, **changes: object) -> CitationEvidence:
    shown = {"design": design_of("meta_analysis"), "role": CitationRole.review_synthesis, "people": 300}
    return trial(number, stance, **{**shown, **changes})


def judged(*evidence: CitationEvidence, form: Form = Form.general_effect, kind: Kind = Kind.efficacy) -> Grade:
    return grade(form, kind, evidence)


# --- consensus ----------------------------------------------------------------------------------------------------


def test_no_citation_is_uncited_whatever_the_form() -> None:
    assert {judged(form=form).consensus for form in Form} == {Consensus.uncited}


@pytest.mark.parametrize(
    "form", [Form.usage, Form.advice, Form.appraisal, Form.definition_, Form.study_report, Form.gap]
)
def test_other_forms_gather_no_votes(form: Form) -> None:
    result = judged(trial(1), trial(2), form=form)
    assert (result.consensus, result.certainty) == (Consensus.not_applicable, Certainty.not_graded)


def test_one_study_is_insufficient_however_large() -> None:
    result = judged(trial(1, people=5000))
    assert (result.consensus, result.leaning) == (Consensus.insufficient, Leaning.supports)


def by(*authors: str, complete: bool = True) -> dict[str, Any]:
    return {"authors": frozenset(authors), "authors_complete": complete}


def test_two_trials_are_unanimous_only_if_their_papers_share_no_author() -> None:
    def consensus(one: dict[str, Any], other: dict[str, Any]) -> Consensus:
        return judged(trial(1, **one), trial(2, **other)).consensus

    assert consensus(by("ada a", "bo b"), by("cy c")) is Consensus.unanimous
    assert consensus(by("ada a", "bo b"), by("cy c", "bo b")) is Consensus.mostly
    assert consensus(by("ada a"), by("cy c", complete=False)) is Consensus.mostly
    assert consensus(by(), by()) is Consensus.mostly


def test_independence_counts_every_paper_of_a_study() -> None:
    second = trial(1, citation="c1b", document="d1b", role=CitationRole.secondary_result, **by("cy c"))
    assert judged(trial(1, **by("ada a")), second, trial(2, **by("cy c"))).consensus is Consensus.mostly


UNCONTROLLED: dict[str, Any] = {"design": design_of("case_control"), "people": 60}


@pytest.mark.parametrize(
    ("form", "trials", "others", "consensus"),
    [
        (Form.general_effect, 3, 0, Consensus.unanimous),
        (Form.general_effect, 1, 2, Consensus.unanimous),
        (Form.general_effect, 1, 1, Consensus.mostly),
        (Form.general_effect, 0, 4, Consensus.mostly),
        (Form.hypothesis, 0, 4, Consensus.mostly),
        (Form.association, 0, 3, Consensus.unanimous),
        (Form.association, 0, 2, Consensus.mostly),
    ],
)
def test_unanimity_needs_three_voters_one_of_them_randomized(
    form: Form, trials: int, others: int, consensus: Consensus
) -> None:
    studies = [trial(n) for n in range(trials)] + [trial(10 + n, **UNCONTROLLED) for n in range(others)]
    assert judged(*studies, form=form).consensus is consensus


def test_an_undecided_study_does_not_count_towards_unanimity() -> None:
    undecided = [trial(n, Stance.inconclusive) for n in (3, 4)]
    assert judged(trial(1), trial(2), *undecided).consensus is Consensus.mostly


def test_a_smaller_side_of_one_fifth_is_conflicting() -> None:
    four = [trial(n) for n in range(4)]
    assert judged(*four, trial(9, Stance.disputes)).consensus is Consensus.conflicting
    assert judged(*four, trial(9, Stance.disputes, people=10)).consensus is Consensus.mostly


def test_an_opposing_review_alone_makes_unanimous_conflicting() -> None:
    assert judged(trial(1), trial(2), review(3, Stance.disputes)).consensus is Consensus.conflicting


def test_an_opposing_review_that_is_indirect_only_denies_unanimity() -> None:
    indirect = {"directness": Directness.indirect, "indirect_because": frozenset({IndirectBecause.condition})}
    assert judged(trial(1), trial(2), review(3, Stance.disputes, **indirect)).consensus is Consensus.mostly


def test_a_superseded_review_does_not_break_a_verdict() -> None:
    old = review(3, Stance.disputes, standing=Standing.superseded)
    assert judged(trial(1), trial(2), old).consensus is Consensus.mostly


def test_reviews_add_no_weight_beside_studies() -> None:
    alone = judged(trial(1), trial(2, Stance.disputes))
    reviewed = judged(trial(1), trial(2, Stance.disputes), review(3, Stance.supports), review(4, Stance.supports))
    assert alone.support_share == reviewed.support_share == Fraction(1, 2)


def test_reviews_without_studies_are_one_unit_that_suffices() -> None:
    result = judged(review(1, Stance.supports), review(2, Stance.supports))
    assert len(result.units) == 1
    assert (result.consensus, result.body) == (Consensus.mostly, AnsweringBody.reviews)


def test_reviews_that_disagree_without_studies_are_mixed() -> None:
    result = judged(review(1, Stance.supports, people=500), review(2, Stance.disputes))
    assert (result.consensus, result.leaning) == (Consensus.conflicting, Leaning.neither)


def test_an_inconclusive_review_lends_nothing_to_the_one_that_votes() -> None:
    twice = frozenset({IndirectBecause.dose, IndirectBecause.population})
    voting = review(1, Stance.supports, directness=Directness.indirect, indirect_because=twice)
    unit = judged(voting, review(2, Stance.inconclusive)).units[0]
    assert (unit.stance, unit.weight, unit.direct) == (Stance.supports, Fraction(1, 2), False)


INDIRECT: dict[str, Any] = {
    "directness": Directness.indirect,
    "indirect_because": frozenset({IndirectBecause.dose}),
}


def test_an_undecided_study_does_not_silence_reviews() -> None:
    result = judged(trial(1, Stance.inconclusive), review(2, Stance.supports), review(3, Stance.supports))
    assert (result.consensus, result.leaning, result.body) == (
        Consensus.mostly,
        Leaning.supports,
        AnsweringBody.reviews,
    )
    assert [unit.study for unit in result.units] == ["s1", "systematic-reviews"]


def test_a_study_that_votes_silences_reviews() -> None:
    result = judged(trial(1), review(2, Stance.supports), review(3, Stance.supports))
    assert (result.body, result.insufficient_reason) == (AnsweringBody.primary, InsufficientReason.too_few)


def test_indirect_reviews_do_not_answer_in_place_of_a_direct_study() -> None:
    result = judged(trial(1, Stance.inconclusive), review(2, Stance.supports, people=5000, **INDIRECT))
    assert (result.consensus, result.body, len(result.units)) == (Consensus.insufficient, AnsweringBody.primary, 1)
    indirect_study = trial(1, Stance.inconclusive, **INDIRECT)
    assert judged(indirect_study, review(2, Stance.supports, people=5000, **INDIRECT)).body is AnsweringBody.reviews


def test_a_direct_review_borrows_nothing_from_indirect_ones() -> None:
    """Thousands of people at other doses lend no number to four unnamed trials at this one."""
    unit = judged(review(1, Stance.supports, people=None), review(2, Stance.disputes, people=11194, **INDIRECT)).units[
        0
    ]
    assert (unit.stance, unit.people, unit.weight, unit.direct) == (Stance.supports, None, Fraction(2), True)


@pytest.mark.parametrize(
    ("designs", "certainty"),
    [
        (IncludedDesigns.randomized, Certainty.moderate),
        (IncludedDesigns.mixed, Certainty.low),
        (IncludedDesigns.other, Certainty.low),
        (IncludedDesigns.unknown, Certainty.low),
    ],
)
def test_reviews_alone_start_where_their_studies_start_but_at_most_at_moderate(
    designs: IncludedDesigns, certainty: Certainty
) -> None:
    read: dict[str, Any] = {"people": 500, "basis": Basis.full_text, "includes_designs": designs}
    assert judged(review(1, Stance.supports, **read)).certainty is certainty
    unread = review(2, Stance.supports, **{**read, "includes_designs": IncludedDesigns.unknown})
    assert judged(review(1, Stance.supports, **read), unread).certainty is Certainty.low


def test_reviews_alone_are_graded_by_what_they_read_themselves() -> None:
    """The interval and the people of an undecided trial beside them count for nothing."""
    voting = review(2, Stance.supports, people=90, has_ci=False, includes_designs=IncludedDesigns.randomized)
    assert judged(trial(1, Stance.inconclusive, people=900), voting).certainty is Certainty.very_low


def test_without_a_leaning_the_certainty_is_very_low() -> None:
    large: dict[str, Any] = {"people": 900, "basis": Basis.full_text}
    result = judged(trial(1, **large), trial(2, Stance.disputes, **large))
    assert (result.leaning, result.certainty) == (Leaning.neither, Certainty.very_low)
    assert judged(trial(1, Stance.inconclusive, **large)).certainty is Certainty.very_low


UNRECORDED: dict[str, Any] = {"design": design_of("other")}
LABORATORY: dict[str, Any] = {
    "design": design_of("laboratory"),
    "evidence_source": EvidenceSource.in_vitro,
}


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        ([], None),
        ([trial(1, Stance.background)], InsufficientReason.none_voted),
        ([trial(1, Stance.inconclusive), trial(2, Stance.inconclusive)], InsufficientReason.none_voted),
        ([trial(1, **UNRECORDED), trial(2, **UNRECORDED)], InsufficientReason.not_weighable),
        ([trial(1), trial(2, **UNRECORDED)], InsufficientReason.too_few),
        ([trial(n, design=design_of("uncontrolled_trial")) for n in (1, 2)], InsufficientReason.too_light),
        ([trial(1), trial(2)], None),
        ([trial(n, **LABORATORY) for n in (1, 2)], None),
    ],
)
def test_the_first_reason_that_holds_says_why_evidence_is_too_little(
    evidence: list[CitationEvidence], reason: InsufficientReason | None
) -> None:
    assert judged(*evidence).insufficient_reason is reason


def test_a_study_of_unrecorded_design_neither_weighs_nor_silences_reviews() -> None:
    result = judged(trial(1, **UNRECORDED), review(2, Stance.disputes))
    assert (result.leaning, result.body, result.support_share) == (
        Leaning.disputes,
        AnsweringBody.reviews,
        Fraction(0),
    )


def test_only_laboratory_work_answers_as_the_laboratory() -> None:
    cells = [trial(n, **LABORATORY) for n in (1, 2)]
    assert judged(*cells).body is AnsweringBody.laboratory
    assert judged(*cells, trial(3, Stance.inconclusive)).body is AnsweringBody.primary


def test_the_share_of_opposite_results_is_by_weight() -> None:
    null = trial(1, Stance.disputes, stance_reason=StanceReason.n1c)
    opposite = trial(2, Stance.disputes, stance_reason=StanceReason.opposite, people=20)
    assert judged(null, opposite).opposite_share == Fraction(1, 3)
    assert judged(null).opposite_share == 0
    assert judged(trial(1)).opposite_share is None


def test_people_are_those_analysed_for_the_finding() -> None:
    """A larger number, of people who took part, stands beside it."""
    items = [trial(1, people=98, is_analysed=True), trial(1, people=120, citation="c1b")]
    assert judged(*items).units[0].people == 98


def test_narrative_reviews_never_weigh() -> None:
    result = judged(*(review(n, Stance.supports, design=design_of("narrative_review")) for n in range(5)))
    assert (result.consensus, result.units) == (Consensus.insufficient, ())


def test_a_second_paper_of_a_study_changes_nothing() -> None:
    base = [trial(1), trial(2, Stance.disputes), trial(3, Stance.disputes)]
    second = trial(2, Stance.disputes, citation="c2b", document="d2b", role=CitationRole.secondary_result)
    assert judged(*base).units == judged(*base, second).units


def test_the_highest_ranked_analysis_speaks_for_its_study() -> None:
    primary = trial(1, Stance.disputes)
    exploratory = trial(1, Stance.supports, citation="c1b", role=CitationRole.exploratory_result)
    assert judged(primary, exploratory).units[0].stance is Stance.disputes


def test_a_tie_of_equal_rank_is_mixed_and_votes_both_ways() -> None:
    unit = judged(trial(1), trial(1, Stance.disputes, citation="c1b")).units[0]
    assert (unit.stance, unit.votes) == (Stance.mixed, (Fraction(2), Fraction(2)))


@pytest.mark.parametrize(
    ("changes", "weight"),
    [
        ({"people": 50}, 4),
        ({"people": 49}, 2),
        ({"people": None}, 2),
        ({"design": design_of("fixed_order_placebo_trial")}, 1),
        ({"design": design_of("case_control")}, 1),
        ({"design": design_of("uncontrolled_trial")}, Fraction(1, 2)),
        ({"design": design_of("other")}, 0),
        ({"design": design_of("other"), "evidence_source": EvidenceSource.animal}, Fraction(1, 4)),
        ({"design": design_of("case_report"), "people": 3}, Fraction(1, 4)),
        ({"design": design_of("case_series"), "people": 4}, Fraction(1, 4)),
        ({"evidence_source": EvidenceSource.animal}, Fraction(1, 4)),
        ({"indirect_because": frozenset({IndirectBecause.dose})}, 2),
        ({"indirect_because": frozenset({IndirectBecause.dose, IndirectBecause.population})}, 1),
        ({"indirect_because": frozenset(list(IndirectBecause)[:4])}, 1),
        ({"standing": Standing.expression_of_concern}, 2),
    ],
)
def test_weight_of_a_unit(changes: dict[str, Any], weight: Fraction) -> None:
    assert judged(trial(1, **changes)).units[0].weight == weight


def test_inconclusive_gives_to_neither_side() -> None:
    result = judged(trial(1, Stance.inconclusive), trial(2, Stance.inconclusive))
    assert (result.consensus, result.support_share) == (Consensus.insufficient, None)


# --- certainty ----------------------------------------------------------------------------------------------------


def test_many_direct_people_read_in_full_can_be_high() -> None:
    full = [trial(n, people=200, basis=Basis.full_text) for n in range(3)]
    assert judged(*full).certainty is Certainty.high


def test_abstracts_alone_are_capped_at_moderate() -> None:
    assert judged(*(trial(n, people=200) for n in range(3))).certainty is Certainty.moderate


def test_insufficient_is_capped_at_low() -> None:
    assert judged(trial(1, people=5000, basis=Basis.full_text)).certainty is Certainty.low


def test_laboratory_work_alone_is_very_low() -> None:
    cells = [trial(n, design=design_of("laboratory"), evidence_source=EvidenceSource.in_vitro) for n in range(9)]
    assert judged(*cells).certainty is Certainty.very_low


def test_known_serious_limits_of_half_the_weight_cost_a_step() -> None:
    sound = [trial(n, people=200, basis=Basis.full_text) for n in range(2)]
    limited = [replace(item, limitations=frozenset({Limitation.dropout})) for item in sound]
    assert judged(*limited).certainty is Certainty.moderate
    assert judged(sound[0], limited[1]).certainty is Certainty.moderate


def test_few_people_and_no_interval_cost_three_steps() -> None:
    small = [trial(n, people=20, has_ci=False, basis=Basis.full_text) for n in range(3)]
    assert judged(*small).certainty is Certainty.very_low


def test_few_events_of_harm_cost_two_steps() -> None:
    rare = [trial(n, people=400, events=2, basis=Basis.full_text) for n in range(3)]
    assert judged(*rare, kind=Kind.safety).certainty is Certainty.low
    assert judged(*rare, kind=Kind.efficacy).certainty is Certainty.high


def test_heterogeneity_of_the_newest_direct_pooled_estimate_costs_a_step() -> None:
    full = [trial(n, people=200, basis=Basis.full_text) for n in range(3)]
    old = review(8, Stance.supports, pooled_i2=Fraction(10), issued="2020")
    new = review(9, Stance.supports, pooled_i2=Fraction(91), issued="2025-06")
    assert judged(*full, old).certainty is Certainty.high
    assert judged(*full, old, new).certainty is Certainty.moderate


# --- whatever the evidence ----------------------------------------------------------------------------------------

EVIDENCE = st.builds(
    CitationEvidence,
    citation=st.uuids().map(str),
    document=st.sampled_from([f"d{n}" for n in range(8)]),
    study=st.one_of(st.none(), st.sampled_from([f"s{n}" for n in range(6)])),
    stance=st.sampled_from(Stance),
    directness=st.sampled_from(Directness),
    role=st.sampled_from(CitationRole),
    standing=st.sampled_from(Standing),
    basis=st.one_of(st.none(), st.sampled_from(Basis)),
    design=st.sampled_from(SHIPPED_DESIGNS.terms),
    evidence_source=st.sampled_from(EvidenceSource),
    people=st.one_of(st.none(), st.integers(0, 2000)),
    indirect_because=st.frozensets(st.sampled_from(IndirectBecause), max_size=3),
    limitations=st.frozensets(st.sampled_from(Limitation), max_size=2),
    has_ci=st.booleans(),
    pooled_i2=st.one_of(st.none(), st.integers(0, 100).map(Fraction)),
    events=st.one_of(st.none(), st.integers(0, 80)),
    stance_reason=st.one_of(st.none(), st.sampled_from(StanceReason)),
    is_analysed=st.booleans(),
    includes_designs=st.sampled_from(IncludedDesigns),
    authors=st.frozensets(st.sampled_from(["ada a", "bo b", "cy c"]), max_size=2),
    authors_complete=st.booleans(),
)
BODY = st.lists(EVIDENCE, max_size=12)
KINDS = st.sampled_from([Kind.efficacy, Kind.safety, Kind.mechanism])


@given(BODY, KINDS, st.randoms())
def test_the_order_of_the_input_never_matters(body: list[CitationEvidence], kind: Kind, random: Random) -> None:
    shuffled = list(body)
    random.shuffle(shuffled)
    assert grade(Form.general_effect, kind, body) == grade(Form.general_effect, kind, shuffled)


@given(BODY, KINDS, st.integers(0, 2000))
def test_a_further_supporting_study_never_lowers_the_support_share(
    body: list[CitationEvidence], kind: Kind, people: int
) -> None:
    """Of studies. Where reviews alone spoke, a first study silences them, and the share starts anew."""
    before = grade(Form.general_effect, kind, body)
    after = grade(Form.general_effect, kind, [*body, trial(99, people=people)])
    if before.support_share is not None and not any(unit.is_reviews for unit in before.units):
        assert after.support_share is not None
        assert after.support_share >= before.support_share


@given(BODY, KINDS)
def test_what_is_retracted_never_counts(body: list[CitationEvidence], kind: Kind) -> None:
    retracted = [replace(item, citation=f"r-{item.citation}", standing=Standing.retracted) for item in body]
    standing = [item for item in body if item.standing is not Standing.retracted]
    with_retracted, without = (grade(Form.general_effect, kind, items) for items in ([*standing, *retracted], standing))
    assert with_retracted.units == without.units
    if standing:
        assert (with_retracted.consensus, with_retracted.certainty) == (without.consensus, without.certainty)


@given(BODY, KINDS)
def test_figures_stay_within_their_bounds(body: list[CitationEvidence], kind: Kind) -> None:
    result = grade(Form.general_effect, kind, body)
    assert result.support_share is None or 0 <= result.support_share <= 1
    assert all(0 <= unit.weight <= METHOD.randomized_large for unit in result.units)
    assert len({unit.study for unit in result.units}) == len(result.units)
    if result.consensus is Consensus.insufficient:
        assert result.certainty in (Certainty.not_graded, Certainty.very_low, Certainty.low)


@given(BODY, KINDS)
def test_what_a_verdict_rests_on_is_said_whatever_the_evidence(body: list[CitationEvidence], kind: Kind) -> None:
    result = grade(Form.general_effect, kind, body)
    voters = [unit for unit in result.units if unit.is_voter and unit.is_weighable]
    reviews = [unit for unit in result.units if unit.is_reviews]
    assert (result.body is None) == (not result.units)
    assert (result.body is AnsweringBody.reviews) == bool(reviews)
    assert not reviews or voters in ([], reviews)
    if result.leaning is Leaning.neither:
        assert result.certainty in (Certainty.very_low, Certainty.not_graded)
    if result.insufficient_reason is not None:
        assert result.consensus is Consensus.insufficient
    if result.consensus is Consensus.unanimous:
        assert len(voters) >= 2
        assert any(unit.randomized for unit in voters)
        assert not reviews


@given(BODY, KINDS)
def test_a_study_of_unrecorded_design_never_moves_a_verdict(body: list[CitationEvidence], kind: Kind) -> None:
    """Unless it is the first thing measured, or direct evidence where there was none."""
    unrecorded = trial(99, design=design_of("other"), directness=Directness.indirect, has_ci=False)
    before = grade(Form.general_effect, kind, body)
    after = grade(Form.general_effect, kind, [*body, unrecorded])
    assert (after.leaning, after.support_share) == (before.leaning, before.support_share)


@given(BODY, KINDS)
def test_every_verdict_leaves_steps_that_say_so(body: list[CitationEvidence], kind: Kind) -> None:
    result = grade(Form.general_effect, kind, body)
    assert result.steps[0].rule == "R1"
    assert str(result.consensus) in {step.result for step in result.steps}
    if result.units:
        assert result.steps[-1].result == result.certainty
