"""The evidence map shows every pair, empty ones included, in a number of statements that does not grow."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from app.claims.vocabulary import Coverage
from app.concepts.models import Concept
from app.core.errors import InvalidInput
from app.grading.wording import NO_ALL_CLEAR
from app.questions import evidence_map as maps
from app.questions.evidence_map import EvidenceMapRead, MapCell, evidence_map
from app.storage.database import Database
from tests.factories import citation, put, record
from tests.statements import recorded_statements


@pytest.fixture
def records(small: Database) -> Database:
    return small


def drawn(
    database: Database, intervention: str, conditions: Sequence[str] = (), outcomes: Sequence[str] = ()
) -> EvidenceMapRead:
    with database.read() as session:

        def pks(record_type: str, ids: Sequence[str]) -> list[int]:
            return list(session.scalars(select(Concept.pk).where(Concept.type == record_type, Concept.id.in_(ids))))

        (intervention_pk,) = pks("intervention", [intervention])
        return evidence_map(
            session,
            intervention_pk=intervention_pk,
            condition_pks=pks("condition", conditions),
            outcome_pks=pks("outcome", outcomes),
        )


def only(shown: EvidenceMapRead) -> MapCell:
    (cell,) = shown.cells
    return cell


def test_a_cell_adds_up_both_sides(records: Database) -> None:
    cell = only(drawn(records, "drug"))
    assert (cell.condition, cell.outcome, cell.coverage) == ("ache", "pain", Coverage.found)
    assert (cell.studies, cell.reviews, cell.participants) == (2, 1, 100)
    assert cell.headline_claim is not None
    assert cell.headline_claim.verdict.code == "conflicting_leaning_against"
    assert cell.other_claims == 0
    assert (cell.best_design, cell.claim_ids) == ("randomized_parallel_trial", ("drug-eases-ache",))


def test_benefit_of_the_drug_leaves_the_regimen_s_cell_empty(records: Database) -> None:
    cell = only(drawn(records, "drug-low"))
    assert (cell.coverage, cell.studies) == (Coverage.not_searched, 0)
    assert cell.headline_claim is None or cell.headline_claim.id != "drug-eases-ache"
    assert cell.claim_ids == ("low-dose-eases-ache",)


def test_named_rows_and_columns_appear_though_nothing_is_recorded(records: Database) -> None:
    put(records, record("outcome", "sleep"))
    shown = drawn(records, "other-drug", ["ailment", "ache"], ["pain", "sleep"])
    assert [(cell.condition, cell.outcome) for cell in shown.cells] == [
        ("ache", "pain"), ("ache", "sleep"), ("ailment", "pain"), ("ailment", "sleep"),
    ]  # fmt: skip
    assert {cell.coverage for cell in shown.cells} == {Coverage.not_searched}
    assert NO_ALL_CLEAR in shown.notice


def test_a_search_that_found_nothing_dates_every_cell_of_its_row(records: Database) -> None:
    searched = {"coverage": "searched_none_found", "depth": "limited", "searched_on": "2026-11"}
    put(records, record("search", "looked", intervention="drug", conditions=["ailment", "ache"], **searched))
    shown = drawn(records, "drug")
    cells = {cell.condition: cell for cell in shown.cells}
    assert cells["ache"].coverage is Coverage.found
    assert (cells["ailment"].coverage, cells["ailment"].search, cells["ailment"].searched_on) == (
        "searched_none_found", "looked", "2026-11",
    )  # fmt: skip


def test_a_condition_with_nothing_but_a_pending_trial_is_a_row(records: Database) -> None:
    put(records, record("study", "waited-for", results="pending", conditions=["ailment"]))
    row = next(row for row in drawn(records, "drug").conditions if row.id == "ailment")
    assert (row.coverage, [study.id for study in row.pending]) == (Coverage.not_searched, ["waited-for"])


def test_most_studied_conditions_come_first(records: Database) -> None:
    put(
        records, record("claim", "ailment-too", conditions=["ailment"], citations=[citation("c", "paper-b", "trial-b")])
    )
    assert [(row.id, row.studies) for row in drawn(records, "drug").conditions] == [("ache", 2), ("ailment", 1)]


def test_too_large_a_map_is_refused_with_its_bound(records: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "MAX_CELLS", 0)
    with pytest.raises(InvalidInput) as refused:
        drawn(records, "drug")
    assert "at most 0 cells" in refused.value.errors[0].message
    monkeypatch.setattr(maps, "MAX_CELLS", 10)
    monkeypatch.setattr(maps, "MAX_CLAIMS", 1)
    with pytest.raises(InvalidInput) as refused:
        drawn(records, "drug")
    assert "at most 1 claims" in refused.value.errors[0].message


def test_statements_do_not_grow_with_the_map(records: Database) -> None:
    def statements() -> int:
        with recorded_statements() as seen:
            drawn(records, "drug")
        return len(seen)

    put(records, record("study", "waited", results="pending", conditions=["ache"]))
    small = statements()
    more = [
        part
        for n in range(12)
        for part in (
            record("condition", f"ailment-{n}"),
            record("outcome", f"outcome-{n}"),
            record("study", f"waited-{n}", results="pending", conditions=[f"ailment-{n}"]),
            record(
                "claim", f"more-{n}", conditions=[f"ailment-{n}"], outcome=f"outcome-{n}",
                citations=[citation(f"cit-more-{n}", "paper-b", "trial-b")],
            ),
        )
    ]  # fmt: skip
    put(records, *more)
    assert len(drawn(records, "drug").cells) == 13 * 13
    assert statements() <= small
