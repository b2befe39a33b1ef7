"""What the method makes of the data set, and of evidence that is still to be corrected there."""

from dataclasses import replace

import pytest

from app.claims.vocabulary import (
    AnsweringBody,
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
)
from app.concepts.study_designs import SHIPPED_DESIGNS
from app.datasets.curation import curation_notes
from app.grading.derive import evidence_of
from app.grading.evidence import CitationEvidence, Grade
from app.grading.grade import grade
from app.sources.vocabulary import EvidenceSource, IncludedDesigns, Standing
from app.storage.records import RecordsInMemory
from app.storage.resource import Key
from tests.content.seed import claims, records


def graded(claim_id: str) -> Grade:
    claim = claims()[claim_id]
    reader = RecordsInMemory({Key(*key): content for key, content in records().items()})
    return grade(claim.form, claim.kind, evidence_of(reader, claim))


@pytest.mark.parametrize(
    ("claim", "consensus", "leaning", "certainty", "body"),
    [
        ("ldn-fibromyalgia-pain", Consensus.conflicting, Leaning.disputes, Certainty.low, AnsweringBody.primary),
        ("ldn-vivid-dreams", Consensus.mostly, Leaning.supports, Certainty.low, AnsweringBody.reviews),
        (
            "naltrexone-serious-adverse-events",
            Consensus.mostly,
            Leaning.supports,
            Certainty.moderate,
            AnsweringBody.reviews,
        ),
        ("fibromyalgia-cytokines", Consensus.conflicting, Leaning.neither, Certainty.very_low, AnsweringBody.reviews),
        ("ldn-any-adverse-event", Consensus.mostly, Leaning.supports, Certainty.very_low, AnsweringBody.reviews),
    ],
)
def test_grade_is_the_one_that_the_method_gives(
    claim: str, consensus: Consensus, leaning: Leaning, certainty: Certainty, body: AnsweringBody
) -> None:
    result = graded(claim)
    assert (result.consensus, result.leaning, result.certainty, result.body) == (consensus, leaning, certainty, body)


def test_low_doses_and_serious_events_are_not_answered_by_people_at_other_doses() -> None:
    result = graded("ldn-serious-adverse-events")
    assert (result.consensus, result.body) == (Consensus.insufficient, AnsweringBody.primary)


def test_nothing_in_the_data_set_is_coded_against_its_figures_or_warned_of_by_stale_evidence() -> None:
    assert list(curation_notes({Key(*key): content for key, content in records().items()})) == []


# --- constructed: what corrected figures give ---------------------------------------------------------------------

REVIEW = CitationEvidence(
    citation="c1",
    document="d1",
    study="s1",
    stance=Stance.supports,
    directness=Directness.direct,
    role=CitationRole.review_synthesis,
    standing=Standing.not_checked,
    basis=Basis.abstract,
    design=SHIPPED_DESIGNS.design("meta_analysis"),
    evidence_source=EvidenceSource.human_clinical,
    has_ci=True,
)
OTHER_DOSES = frozenset({IndirectBecause.dose, IndirectBecause.condition})


def test_a_pooled_dizziness_at_low_doses_answers_without_the_thousands_at_other_doses() -> None:
    """Insufficient while it is undecided; mostly, very low once the interval of its ratio is read."""
    undecided = replace(REVIEW, citation="c3", document="d3", study="s3", stance=Stance.inconclusive, has_ci=False)
    other_doses = replace(
        REVIEW,
        citation="c2",
        document="d2",
        study="s2",
        people=11194,
        has_ci=False,
        directness=Directness.indirect,
        indirect_because=OTHER_DOSES,
        includes_designs=IncludedDesigns.randomized,
    )
    result = grade(Form.general_effect, Kind.safety, [REVIEW, other_doses, undecided])
    assert (result.consensus, result.leaning, result.certainty) == (
        Consensus.mostly,
        Leaning.supports,
        Certainty.very_low,
    )
    before = grade(
        Form.general_effect, Kind.safety, [replace(REVIEW, stance=Stance.inconclusive), other_doses, undecided]
    )
    assert before.consensus is Consensus.insufficient


def test_a_registry_study_that_points_both_ways_ends_unanimity_on_response_in_crohns_disease() -> None:
    claim = claims()["ldn-crohns-response"]
    reader = RecordsInMemory({Key(*key): content for key, content in records().items()})
    both_ways = [
        replace(item, stance=Stance.mixed) if item.document == "raknes-2018" else item
        for item in evidence_of(reader, claim)
    ]
    result = grade(claim.form, claim.kind, both_ways)
    assert (result.consensus, result.leaning) == (Consensus.mostly, Leaning.supports)


def test_two_trials_of_one_group_agree_mostly_not_unanimously() -> None:
    trial = replace(
        REVIEW,
        design=SHIPPED_DESIGNS.design("randomized_parallel_trial"),
        role=CitationRole.primary_result,
        people=40,
        authors=frozenset({"smith j", "zagon i"}),
        authors_complete=True,
    )
    second = replace(trial, citation="c3", document="d3", study="s3", authors=frozenset({"smith j", "roe r"}))
    assert grade(Form.general_effect, Kind.efficacy, [trial, second]).consensus is Consensus.mostly
