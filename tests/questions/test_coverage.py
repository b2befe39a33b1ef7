"""What is found, what was searched for and what nobody looked for stay apart; an empty answer is never an all-clear."""

from typing import Any

import pytest
from sqlalchemy import select

from app.claims.vocabulary import Consensus, Coverage
from app.concepts.models import Concept
from app.grading.wording import NO_ALL_CLEAR
from app.publishing.changes import Change
from app.questions.coverage import CoverageRead, coverage, coverage_of_empty_list
from app.storage.database import Database
from tests.factories import amended, citation, content, put, record, standing


@pytest.fixture
def world(small: Database) -> Database:
    return small


def known(database: Database, intervention: str, **others: str) -> CoverageRead:
    """The coverage of ids; an interactant is an intervention."""
    with database.read() as session:

        def pk(record_type: str, record_id: str) -> int:
            return session.scalars(select(Concept.pk).where(Concept.type == record_type, Concept.id == record_id)).one()

        keys = {
            f"{role}_pk": pk("intervention" if role == "interactant" else role, record_id)
            for role, record_id in others.items()
        }
        return coverage(session, intervention_pk=pk("intervention", intervention), **keys)


def claim(claim_id: str, *citations: dict[str, Any], **fields: Any) -> Change:
    return record("claim", claim_id, citations=list(citations), **fields)


USAGE: dict[str, Any] = {"kind": "access", "form": "usage", "effect": "not_applicable", "outcome": None}
WARNING: dict[str, Any] = {
    "kind": "interaction",
    "form": "general_effect",
    "effect": "contraindicated",
    "conditions": [],
    "outcome": None,
}


def test_evidence_on_both_sides_is_found_and_counted_once(world: Database) -> None:
    found = known(world, "drug", condition="ache")
    assert (found.status, found.search) == (Coverage.found, None)
    summary = found.summary
    assert (summary.studies, summary.reviews, summary.participants) == (2, 1, 100)
    assert summary.best_design == "randomized_parallel_trial"
    assert summary.headline_claim is not None
    assert summary.headline_claim.id == "drug-eases-ache"
    assert summary.headline_claim.consensus is Consensus.conflicting
    assert summary.text.startswith(summary.headline_claim.answer)
    assert (summary.headline_claim.supports.studies, summary.headline_claim.disputes.studies) == (1, 1)
    assert [(entry.outcome.id, entry.effect, entry.claim.id) for entry in summary.outcomes] == [
        ("pain", "improves", "drug-eases-ache")
    ]


def test_where_another_dose_of_the_drug_was_studied_nobody_says_that_nobody_looked(world: Database) -> None:
    said = claim("low-dose", citation("cit-1", "paper-b", "trial-b"), intervention="drug-low", conditions=["ailment"])
    put(world, said)
    asked = known(world, "drug", condition="ailment")
    assert asked.status is Coverage.not_searched
    assert asked.sentence == (
        f"drug and ailment: nothing is recorded of just this; evidence is recorded of drug-low. {NO_ALL_CLEAR}"
    )
    assert asked.summary.text == asked.sentence
    assert "nobody has searched" in known(world, "other-drug", condition="ailment").sentence


def test_a_pair_that_nobody_recorded_anything_about_is_not_searched(world: Database) -> None:
    empty = known(world, "other-drug", condition="ailment")
    assert (empty.status, empty.searches, empty.search) == (Coverage.not_searched, (), None)
    assert empty.sentence.endswith(NO_ALL_CLEAR)
    summary = empty.summary
    assert summary.text == empty.sentence
    assert (summary.studies, summary.reviews, summary.participants) == (0, 0, 0)
    assert (summary.headline_claim, summary.best_design, summary.outcomes, summary.pending) == (None, None, (), ())


def test_evidence_does_not_roll_up_to_the_wider_condition(world: Database) -> None:
    assert known(world, "drug", condition="ailment").status is Coverage.not_searched


def test_what_tells_nothing_of_effect_is_never_found(world: Database) -> None:
    silent = {
        "background": claim("background", citation("cit-1", "paper-b", "trial-b", "background")),
        "not-assessed": claim("not-assessed", citation("cit-2", "paper-b", None, "not_assessed")),
        "uncited": claim("uncited"),
        "usage": claim("usage", citation("cit-3", "paper-b", "trial-b"), **USAGE),
    }
    put(world, *(record("intervention", name) for name in silent))
    put(world, *(amended(said, intervention=name) for name, said in silent.items()))
    for name in silent:
        assert known(world, name, condition="ache").status is Coverage.not_searched, name


def test_every_stance_that_tells_something_is_found(world: Database) -> None:
    told = {
        f"{form}-{stance}".replace("_", "-"): {"form": form, "stance": stance}
        for form in ("general_effect", "study_report")
        for stance in ("supports", "disputes", "mixed", "inconclusive")
    }
    put(world, *(record("intervention", name) for name in told))
    put(
        world,
        *(
            claim(name, citation(f"cit-{name}", "paper-b", "trial-b", it["stance"]), form=it["form"], intervention=name)
            for name, it in told.items()
        ),
    )
    for name in told:
        assert known(world, name, condition="ache").status is Coverage.found, name


def test_retracted_evidence_is_not_found(world: Database) -> None:
    put(world, claim("told", citation("cit-told", "paper-b", "trial-b"), intervention="other-drug"))
    put(world, amended(content(world, "document", "paper-b"), **standing("not_checked", "retracted")))
    assert known(world, "other-drug", condition="ache").status is Coverage.not_searched


def test_a_regimen_inherits_the_harms_of_its_drug_and_none_of_its_benefits(world: Database) -> None:
    assert known(world, "drug-low", side_effect="insomnia").status is Coverage.found
    benefits = known(world, "drug-low", condition="ache")
    assert benefits.summary.headline_claim is not None
    assert benefits.summary.headline_claim.id == "drug-causes-insomnia"
    assert benefits.summary.outcomes == ()


def test_harms_of_a_regimen_are_not_those_of_a_drug_in_a_condition(world: Database) -> None:
    harm = {"kind": "safety", "effect": "causes", "outcome": None}
    put(world, claim("low-harm", citation("cit-h", "paper-b", "trial-b"), **harm, intervention="drug-low"))
    assert known(world, "drug-low", condition="ache").status is Coverage.found
    assert "low-harm" not in known(world, "drug", condition="ache").model_dump_json()


def test_a_limited_search_says_so_with_its_date_and_sources(world: Database) -> None:
    searched = record(
        "search", "looked", intervention="drug", conditions=["ailment"], coverage="searched_none_found",
        depth="limited", searched_on="2026-11-20", sources=["PubMed", "Embase"], topic=None,
    )  # fmt: skip
    put(world, searched)
    found = known(world, "drug", condition="ailment")
    assert found.status is Coverage.searched_none_found
    assert found.search is not None
    assert (found.search.id, found.search.depth, found.search.sources) == ("looked", "limited", ("PubMed", "Embase"))
    assert found.search.searched_on == "2026-11-20"
    assert "a limited search on 20 November 2026 found no study of this" in found.sentence
    assert found.sentence.endswith(NO_ALL_CLEAR)


def test_the_newest_search_answers_and_all_are_listed(world: Database) -> None:
    for name, year in (("older", "2024"), ("newer", "2026-01")):
        searched = {"coverage": "searched_none_found", "depth": "systematic", "searched_on": year}
        put(world, record("search", name, intervention="drug", conditions=["ailment"], **searched))
    found = known(world, "drug", condition="ailment")
    assert found.search is not None
    assert found.search.id == "newer"
    assert [search.id for search in found.searches] == ["newer", "older"]
    assert "a search in January 2026" in found.sentence


def test_found_wins_over_every_search(world: Database) -> None:
    put(world, record("search", "looked", intervention="drug", conditions=["ache"]))
    found = known(world, "drug", condition="ache")
    assert found.status is Coverage.found
    assert [search.id for search in found.searches] == ["looked"]


def test_a_search_for_something_narrower_answers_nothing(world: Database) -> None:
    searched = {"coverage": "searched_none_found", "depth": "limited"}
    narrow = {"conditions": ["ailment"], "side_effects": ["insomnia"], "intervention": "drug"}
    put(world, record("search", "narrow", **narrow, **searched))
    asked = known(world, "drug", condition="ailment")
    assert asked.status is Coverage.not_searched
    assert [search.id for search in asked.searches] == ["narrow"]
    assert known(world, "drug", condition="ailment", side_effect="insomnia").status is Coverage.searched_none_found


def test_a_search_on_the_drug_says_nothing_of_its_regimen(world: Database) -> None:
    searched = {"coverage": "searched_none_found", "depth": "limited"}
    put(world, record("search", "looked", intervention="drug", conditions=["ailment"], **searched))
    assert known(world, "drug-low", condition="ailment").status is Coverage.not_searched


def test_a_warning_on_a_class_holds_for_its_members_whichever_way_it_is_asked(world: Database) -> None:
    put(
        world,
        record("intervention", "lorts", kind="class", members=["one-lort"]),
        record("intervention", "one-lort"),
        claim("no-lorts", citation("cit-no", "paper-b", None), **WARNING, interactants=["lorts"]),
    )
    for one, other in (("drug", "lorts"), ("drug-low", "one-lort"), ("one-lort", "drug-low")):
        found = known(world, one, interactant=other)
        assert found.status is Coverage.found
        assert found.summary.headline_claim is not None
        assert found.summary.headline_claim.id == "no-lorts"
    assert known(world, "other-drug", interactant="one-lort").status is Coverage.not_searched


def test_registered_trials_without_results_are_pending(world: Database) -> None:
    registered = {"conditions": ["ailment"], "registry_ids": [{"scheme": "nct", "value": "NCT00000001"}]}
    put(
        world,
        record("study", "waited-for", results="pending", recruitment="recruiting", **registered),
        record("study", "has-results", results="posted", conditions=["ailment"]),
        record("study", "of-another-drug", results="overdue", conditions=["ailment"]),
        record("document", "plan", studies=[{"study": "of-another-drug", "role": "protocol"}]),
        claim("other", citation("cit-plan", "plan", "of-another-drug", "background"), intervention="other-drug"),
    )
    (pending,) = known(world, "drug", condition="ailment").summary.pending
    assert (pending.id, pending.registry_ids, pending.recruitment) == ("waited-for", ("NCT00000001",), "recruiting")
    assert [study.id for study in known(world, "other-drug", condition="ailment").summary.pending] == [
        "of-another-drug",
        "waited-for",
    ]


def test_an_empty_list_is_told_for_each_pair(world: Database) -> None:
    with world.read() as session:
        told = coverage_of_empty_list(session, ["drug", "drug-low"], ["ache", "ailment"])
    assert [(one.intervention.id, one.condition and one.condition.id, one.status) for one in told.pairs] == [
        ("drug", "ache", "found"),
        ("drug", "ailment", "not_searched"),
        ("drug-low", "ache", "found"),
        ("drug-low", "ailment", "not_searched"),
    ]
