"""Every pair of drugs gets one status; warnings are inherited, and nothing empty reads as an all-clear."""

from typing import Any

import pytest

from app.grading.wording import NO_ALL_CLEAR
from app.publishing.changes import Change
from app.questions.interaction_responses import InteractionCheck, InteractionCheckRead, PairChecked
from app.questions.interactions import DOSE_NOTE, check
from app.storage.database import Database
from tests.factories import amended, citation, content, put, record, tell_bands

BASE: dict[str, Any] = {"kind": "interaction", "effect": "interacts", "conditions": [], "outcome": None}


@pytest.fixture
def world(small: Database) -> Database:
    put(
        small,
        record(
            "intervention",
            "lorts",
            name="Lorts",
            kind="class",
            synonyms=["narcotic painkillers"],
            members=["one-lort"],
        ),
        record("intervention", "one-lort", name="Opiatín"),
    )
    return small


def checked(database: Database, *drugs: dict[str, str]) -> InteractionCheckRead:
    with database.read() as session:
        return check(session, InteractionCheck.model_validate({"drugs": list(drugs)}))


def pair(database: Database, *ids: str, dose: str | None = None) -> PairChecked:
    """The one pair of two drugs; the dose is that of the first."""
    first = {"id": ids[0]} | ({"dose": dose} if dose else {})
    (found,) = checked(database, first, {"id": ids[1]}).pairs
    return found


def warning(claim_id: str, *citations: dict[str, Any], **fields: Any) -> Change:
    return record("claim", claim_id, citations=list(citations), **{**BASE, "interactants": ["lorts"], **fields})


def test_a_warning_on_the_drug_and_a_class_reaches_the_regimen_and_the_member(world: Database) -> None:
    put(world, warning("no-lorts", citation("cit-no", "paper-b", None), effect="contraindicated"))
    for one in ("drug", "drug-low"):
        for other in ("lorts", "one-lort"):
            for found in (pair(world, one, other), pair(world, other, one)):
                assert found.status == "contraindicated"
                (behind,) = found.claims
                assert (behind.claim.id, behind.on.id) == ("no-lorts", "drug")
                assert behind.inherited is ((one, other) != ("drug", "lorts"))
    assert pair(world, "other-drug", "one-lort").status == "not_searched"
    assert pair(world, "lorts", "one-lort").status == "not_searched"


def test_a_warning_on_the_regimen_reaches_its_drug(world: Database) -> None:
    put(world, warning("low-too", citation("cit-low", "paper-b", None), intervention="drug-low"))
    found = pair(world, "drug", "one-lort")
    assert (found.status, found.crosses_dose_tiers) == ("interaction", True)


def test_a_contraindication_outranks_and_comes_first(world: Database) -> None:
    put(
        world,
        warning("an-interaction", citation("cit-i", "paper-b", None)),
        warning("worse", citation("cit-w", "paper-b", None), effect="contraindicated", intervention="drug-low"),
    )
    found = pair(world, "drug-low", "one-lort")
    assert found.status == "contraindicated"
    assert [behind.claim.id for behind in found.claims] == ["worse", "an-interaction"]


def test_a_warning_counts_though_its_citation_tells_nothing(world: Database) -> None:
    put(world, warning("uncited"))
    found = pair(world, "drug", "lorts")
    assert (found.status, found.claims[0].claim.consensus) == ("interaction", "uncited")


@pytest.mark.parametrize(
    ("claim_id", "fields"),
    [
        ("said-to-be-used", {"kind": "safety", "form": "usage", "effect": "causes"}),
        ("left-out-of-a-trial", {"kind": "safety", "form": "study_report", "effect": "not_applicable"}),
        ("no-difference", {"effect": "no_difference"}),
    ],
)
def test_what_warns_of_nothing_is_no_interaction(world: Database, claim_id: str, fields: dict[str, Any]) -> None:
    put(world, warning(claim_id, citation("cit-said", "paper-b", "trial-b"), **fields))
    found = pair(world, "drug", "lorts")
    assert found.status == "not_searched"
    assert found.sentence.endswith(NO_ALL_CLEAR)


def test_a_dated_search_on_just_these_two_is_told(world: Database) -> None:
    searched = {"coverage": "searched_none_found", "depth": "limited", "searched_on": "2026-11-20"}
    put(world, amended(content(world, "search", "drug-with-other-drug"), **searched))
    found = pair(world, "other-drug", "drug")
    assert found.status == "searched_none_found"
    assert found.search is not None
    assert found.search.searched_on == "2026-11-20"
    assert found.sentence.endswith(NO_ALL_CLEAR)
    of_the_regimen = pair(world, "drug-low", "other-drug")
    assert of_the_regimen.status == "not_searched"
    assert [search.id for search in of_the_regimen.searches] == ["drug-with-other-drug"]


def test_a_dose_is_put_in_its_tier_and_harm_crosses(world: Database) -> None:
    tell_bands(world, "drug")
    put(world, warning("no-lorts", citation("cit-no", "paper-b", None), effect="contraindicated"))
    answer = checked(world, {"id": "drug-low", "dose": "4500 ug"}, {"id": "lorts", "dose": "30 mg"})
    assert answer.drugs[0].dose is not None
    assert answer.drugs[0].dose.low_pg_per_day == 4_500_000_000
    assert answer.drugs[0].dose.tiers == ("low",)
    assert answer.drugs[1].dose is not None
    assert answer.drugs[1].dose.tiers == ()
    (found,) = answer.pairs
    assert (found.status, found.crosses_dose_tiers, found.dose_note) == ("contraindicated", True, DOSE_NOTE)


def test_no_dose_changes_a_status(world: Database) -> None:
    put(world, warning("no-lorts", citation("cit-no", "paper-b", None)))
    statuses = {pair(world, "drug-low", "lorts", dose=dose).status for dose in ("1 ng", "4.5 mg", "..5 mg", "50 mg")}
    assert statuses == {"interaction"}


def test_an_unknown_drug_makes_its_pairs_unrecognized_and_no_pair_is_lost(world: Database) -> None:
    answer = checked(world, {"id": "drug"}, {"text": "opiatiz"}, {"code": "ndc:123"}, {"id": "lorts"})
    assert {found.positions for found in answer.pairs} == {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}
    unknown = [found for found in answer.pairs if {1, 2} & set(found.positions)]
    assert {found.status for found in unknown} == {"unrecognized"}
    assert all(found.sentence.endswith(NO_ALL_CLEAR) for found in unknown)
    assert [(one.position, one.reason) for one in answer.unrecognized] == [(1, "unknown_name"), (2, "unknown_code")]
    assert [[ref.id for ref in one.candidates] for one in answer.unrecognized] == [["one-lort"], []]


def test_the_headline_is_the_worst_pair_and_names_an_unread_drug_beside_it(world: Database) -> None:
    def headline(*drugs: dict[str, str]) -> tuple[str, str, tuple[int, int]]:
        found = checked(world, *drugs).headline
        return found.status, found.tone, found.pair

    searched = {"coverage": "searched_none_found", "depth": "limited", "searched_on": "2026-11-20"}
    put(world, amended(content(world, "search", "drug-with-other-drug"), **searched))
    drug, lort, unknown = {"id": "drug"}, {"id": "one-lort"}, {"text": "Nobodyknowsit"}
    other = {"id": "other-drug"}
    assert headline(drug, other) == ("searched_none_found", "unclear", (0, 1))
    assert headline(drug, other, lort) == ("not_searched", "unclear", (0, 2))
    assert headline(drug, other, lort, unknown) == ("unrecognized", "unclear", (0, 3))
    put(world, warning("an-interaction", citation("cit-i", "paper-b", None)))
    assert headline(unknown, drug, lort) == ("interaction", "caution", (1, 2))
    put(world, warning("worse", citation("cit-w", "paper-b", None), effect="contraindicated"))
    assert headline(lort, unknown, drug) == ("contraindicated", "caution", (0, 2))
    both = checked(world, drug, lort, unknown).headline
    assert both.label == "Contraindicated; 1 drug not recognized"
    assert both.answer.endswith("Not recognized, and so not checked: 1 drug of the request.")
    assert "not recognized" not in checked(world, drug, lort).headline.label


def test_a_rule_warns_of_every_pair_of_its_sets(world: Database) -> None:
    put(world, warning("of-another-class", citation("cit-o", "paper-b", None), effect="contraindicated"))
    rule = record(
        "interaction_rule", "quiet", first=["drug"], second=["other-drug"], severity="caution",
        claims=[{"situation": "together", "claims": ["of-another-class"]}],
    )  # fmt: skip
    assert pair(world, "drug-low", "other-drug").status == "not_searched"
    put(world, rule)
    for one in ("drug", "drug-low"):
        found = pair(world, "other-drug", one)
        assert (found.status, found.rules) == ("interaction", ("quiet",))
        assert "about drugs that act alike" in found.sentence
    put(world, amended(rule, severity="contraindicated"))
    found = pair(world, "drug-low", "other-drug")
    assert (found.status, [behind.claim.id for behind in found.claims]) == ("contraindicated", ["of-another-class"])
    assert pair(world, "one-lort", "other-drug").rules == ()


def test_a_product_meets_others_with_each_of_its_ingredients(world: Database) -> None:
    put(
        world,
        record("intervention", "filler", name="Filler", synonyms=["Mixture"]),
        amended(content(world, "intervention", "one-lort"), synonyms=["Mixture"]),
        warning("no-lorts", citation("cit-no", "paper-b", None), effect="contraindicated"),
    )
    answer = checked(world, {"text": "Mixture"}, {"id": "drug"})
    assert answer.headline.status == "contraindicated"
    assert [ref.id for ref in answer.drugs[0].ingredients] == ["filler", "one-lort"]


def test_the_same_drug_twice_is_said(world: Database) -> None:
    assert pair(world, "drug", "drug-low").same_drug
    assert pair(world, "drug", "drug").same_drug
    assert not pair(world, "drug", "other-drug").same_drug
    assert not pair(world, "lorts", "one-lort").same_drug


def test_names_are_recognized_whatever_their_case_and_accents(world: Database) -> None:
    for text, matched_by in (
        ("OPIATIN", "name"), ("opiatín", "name"), ("  Opiati\u0301n ", "name"),
        ("Narcotic-Painkillers", "synonym"), ("one lort", "name"), ("opiatinum", "spelling"),
    ):  # fmt: skip
        drug = checked(world, {"text": text}, {"id": "drug"}).drugs[0]
        assert (drug.recognized, drug.matched_by) == (True, matched_by), text


def test_a_name_of_a_drug_goes_before_that_of_a_class(world: Database) -> None:
    put(world, record("intervention", "twin", synonyms=["Narcotic painkillers"]))
    drug = checked(world, {"text": "narcotic painkillers"}, {"id": "drug"}).drugs[0]
    assert [ref.id for ref in drug.ingredients] == ["twin"]


def test_a_retired_drug_is_not_recognized_and_names_its_successor(world: Database) -> None:
    put(
        world,
        amended(content(world, "intervention", "lorts"), members=[]),
        amended(content(world, "intervention", "one-lort"), status="retired", successor="lorts"),
    )
    (drug,) = checked(world, {"id": "one-lort"}, {"id": "drug"}).unrecognized
    assert (drug.reason, [ref.id for ref in drug.candidates]) == ("retired_id", ["lorts"])


def test_an_exact_code_is_preferred(world: Database) -> None:
    code = {"system": "rxnorm", "code": "42", "verified": True}
    put(
        world,
        record("intervention", "wide", codes=[{**code, "relation": "broadMatch"}]),
        record("intervention", "exact", codes=[{**code, "relation": "exactMatch"}]),
    )
    drug = checked(world, {"code": "RxNorm:42"}, {"id": "drug"}).drugs[0]
    assert drug.intervention is not None
    assert (drug.intervention.id, drug.relation) == ("exact", "exactMatch")
