"""Retractions, concerns, corrections and reinstatements, from the files of Crossref and Retraction Watch."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.accounts.models import MAINTENANCE
from app.accounts.service import ensure_system_actors
from app.core.errors import InvalidInput
from app.datasets import standing
from app.publishing.changes import Change
from app.publishing.publish import publish
from app.sources.schemas import Notice, StandingEntry
from app.sources.standing import entry_in_force
from app.sources.vocabulary import Standing
from app.storage.database import Database
from app.storage.records import CurrentRecords
from app.storage.resource import Key

ALDER = "10.5555/ZELVANE.1"
HEAD = "Record ID,Title,OriginalPaperDOI,OriginalPaperPubMedID,RetractionDOI,RetractionDate,RetractionNature,Reason\n"


def crossref(path: Path, *updates: dict[str, Any], doi: str = ALDER) -> Path:
    path.write_text(json.dumps({"message": {"items": [{"DOI": doi, "updated-by": list(updates)}]}}))
    return path


def update(kind: str, day: tuple[int, ...], notice: str = "10.5555/notice.1") -> dict[str, Any]:
    return {"DOI": notice, "type": kind, "source": "publisher", "updated": {"date-parts": [list(day)]}}


def apply(database: Database, path: Path) -> Any:
    with database.write() as session:
        ensure_system_actors(session)
        return standing.apply(session, standing.from_crossref(path), "2026-11-24")


def apply_table(database: Database, path: Path) -> list[str]:
    feed = standing.from_retraction_watch(path)
    with database.write() as session:
        ensure_system_actors(session)
        standing.apply(session, feed, "2026-11-24")
        return standing.doubts_to_print(session, feed)


def claim(client: TestClient, claim_id: str = "ldz-murmuria-pain") -> dict[str, Any]:
    return client.get(f"/v1/claims/{claim_id}").json()  # type: ignore[no-any-return]


def test_a_retraction_recomputes_its_dependants_and_a_reinstatement_restores_them(
    scratch: Database, scratch_client: TestClient, tmp_path: Path
) -> None:
    before = {c["id"]: c for c in every_claim(scratch_client)}
    cited = {c["id"] for c in before.values() if any(x["document"]["id"] == "alder-2013" for x in c["citations"])}
    retraction = update("retraction", (2026, 3, 1))
    outcome = apply(scratch, crossref(tmp_path / "r.json", retraction))
    after = {c["id"]: c for c in every_claim(scratch_client)}
    changed = {claim_id for claim_id in before if before[claim_id]["evidence"] != after[claim_id]["evidence"]}
    assert changed
    restating = {c["id"] for c in before.values() if cited & {r["claim"]["id"] for r in c["relations"]}}
    assert changed <= cited | restating
    assert {key.id for key in outcome.touched if key.type == "claim"} >= cited
    mine = next(c for c in after["ldz-murmuria-pain"]["citations"] if c["document"]["id"] == "alder-2013")
    assert mine["document"]["standing"] == "retracted"
    assert mine["document"]["notice"]["doi"] == "10.5555/notice.1"
    assert "alder-2013" not in [c["document"]["id"] for c in before["ldz-murmuria-pain"]["citations"][-2:]]
    last = after["ldz-murmuria-pain"]["citations"][-2:]
    assert mine in last
    assert [citation["document"]["standing"] for citation in last] == ["retracted"] * 2
    apply(scratch, crossref(tmp_path / "b.json", retraction, update("reinstatement", (2026, 9, 1), "10.5555/notice.2")))
    restored = {c["id"]: c for c in every_claim(scratch_client)}
    for claim_id in before:
        assert json.dumps(restored[claim_id]["evidence"]) == json.dumps(before[claim_id]["evidence"])
        assert [c["id"] for c in restored[claim_id]["citations"]] == [c["id"] for c in before[claim_id]["citations"]]


def every_claim(client: TestClient) -> list[dict[str, Any]]:
    items, address = [], "/v1/claims?limit=200"
    while address:
        page = client.get(address).json()
        items += page["items"]
        address = page["next"]
    return items


def test_the_same_file_again_changes_nothing(scratch: Database, tmp_path: Path) -> None:
    path = crossref(tmp_path / "r.json", update("retraction", (2026, 3)))
    assert apply(scratch, path).serial is not None
    assert apply(scratch, path).serial is None


def test_a_work_without_updates_was_checked_and_is_current(
    scratch: Database, scratch_client: TestClient, tmp_path: Path
) -> None:
    apply(scratch, crossref(tmp_path / "r.json"))
    document = scratch_client.get("/v1/documents/alder-2013").json()
    assert document["standing"] == "current"
    assert document["standing_checked_on"] == "2026-11-24"
    assert document["standing_history"][-1] == {
        "standing": "current", "on": "2026-11-24", "source": "crossref", "notice": None,
    }  # fmt: skip
    assert scratch_client.get("/v1/documents/elm-2023").json()["standing"] == "not_checked"


def test_several_updates_stand_in_the_order_of_their_dates(
    scratch: Database, scratch_client: TestClient, tmp_path: Path
) -> None:
    concern = update("expression_of_concern", (2025, 12), "10.5555/notice.0")
    apply(scratch, crossref(tmp_path / "r.json", update("retraction", (2026, 3, 1)), concern))
    history = scratch_client.get("/v1/documents/alder-2013").json()["standing_history"]
    assert [entry["standing"] for entry in history] == ["not_checked", "expression_of_concern", "retracted"]


def test_retraction_watch_finds_by_doi_and_by_pmid(
    scratch: Database, scratch_client: TestClient, tmp_path: Path
) -> None:
    table = tmp_path / "rw.csv"
    rows = (
        f"1,A,{ALDER},0,10.5555/notice.1,2/16/2021 0:00,Retraction,+Error in Data;+Concerns about Results;\n"
        "2,B,unavailable,99900002,,3/1/2025 0:00,Expression of concern,+Investigation;\n"
        "3,C,10.9999/nobody,0,,3/1/2025 0:00,Retraction,+Other;\n"
    )
    table.write_text(HEAD + rows)
    assert apply_table(scratch, table) == []
    retracted = scratch_client.get("/v1/documents/alder-2013").json()
    assert retracted["standing"] == "retracted"
    assert retracted["standing_history"][-1]["on"] == "2021-02-16"
    assert retracted["standing_history"][-1]["notice"]["text"] == "Error in Data; Concerns about Results"
    assert scratch_client.get("/v1/documents/birch-2024").json()["standing"] == "expression_of_concern"


def test_what_is_retracted_can_be_cited_nowhere_new(scratch: Database, tmp_path: Path) -> None:
    apply(scratch, crossref(tmp_path / "r.json", update("retraction", (2026, 3, 1))))
    with scratch.read() as session:
        content = CurrentRecords(session).content(Key("claim", "ldz-vivid-dreams"))
        cited = CurrentRecords(session).content(Key("claim", "ldz-murmuria-pain"))
    borrowed = next(c for c in cited.citations if c.document == "alder-2013")
    fresh = borrowed.model_copy(update={"id": "cit-new", "attached_by": content.citations[0].attached_by})
    more = content.model_copy(update={"citations": (*content.citations, fresh)})
    with pytest.raises(InvalidInput) as refusal, scratch.write() as session:
        publish(session, MAINTENANCE, [Change("claim", more)], "a new citation")
    assert [fault.code for fault in refusal.value.errors] == ["retracted"]


@pytest.mark.parametrize("text", ["not json", "[1, 2", ""])
def test_a_file_that_is_not_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(InvalidInput):
        standing.from_crossref(path)


def test_another_table_is_refused_by_the_columns_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput) as refusal:
        standing.from_retraction_watch(path)
    assert {fault.field for fault in refusal.value.errors} >= {"OriginalPaperDOI", "RetractionNature"}


def test_every_type_of_crossref_update_has_a_standing_that_exists() -> None:
    assert set(standing.CROSSREF_TYPES.values()) <= set(Standing)


def row(nature: str, day: str, notice: str = "", reason: str = "+Error in Data;") -> str:
    return f"1,A,{ALDER},0,{notice},{day},{nature},{reason}\n"


def standing_of(client: TestClient) -> str:
    return str(client.get("/v1/documents/alder-2013").json()["standing"])


def test_a_check_that_finds_nothing_does_not_undo_a_retraction(
    scratch: Database, scratch_client: TestClient, tmp_path: Path
) -> None:
    table = tmp_path / "rw.csv"
    table.write_text(HEAD + row("Retraction", "2/16/2025 0:00"))
    nothing = tmp_path / "clean.json"
    nothing.write_text(json.dumps({"message": {"DOI": ALDER}}))
    for first, second in ((nothing, table), (table, nothing)):
        for path in (first, second):
            apply(scratch, path) if path is nothing else apply_table(scratch, path)
        assert standing_of(scratch_client) == "retracted"
    read = scratch_client.get("/v1/documents/alder-2013").json()
    assert [entry["standing"] for entry in read["standing_history"]] == ["not_checked", "retracted", "current"]
    assert read["standing_checked_on"] == "2026-11-24"


def test_a_later_check_takes_the_place_of_an_earlier_one(
    scratch: Database, scratch_client: TestClient, tmp_path: Path
) -> None:
    path = crossref(tmp_path / "r.json")
    apply(scratch, path)
    with scratch.write() as session:
        standing.apply(session, standing.from_crossref(path), "2026-12-24")
    read = scratch_client.get("/v1/documents/alder-2013").json()
    assert [entry["on"] for entry in read["standing_history"]] == [None, "2026-12-24"]
    assert read["standing_checked_on"] == "2026-12-24"


@pytest.mark.parametrize(
    ("rows", "holds"),
    [
        ([row("Correction", "2/16/2025 0:00"), row("Retraction", "2/16/2025 0:00")], "retracted"),
        ([row("Retraction", "2/16/2025 0:00"), row("Expression of concern", "2/16/2025 0:00")], "retracted"),
        ([row("Retraction", "2025-02-16"), row("Correction", "3/1/2025 0:00")], "retracted"),
        ([row("Retraction", ""), row("Correction", "2025-02-16")], "retracted"),
        ([row("Retraction", "unknown"), row("Reinstatement", "2025-02-16")], "retracted"),
        ([row("Retraction", "2025-02-16"), row("Reinstatement", "2/16/2025 0:00")], "retracted"),
        ([row("Retraction", "2025-02-16"), row("Reinstatement", "2025-02-17")], "reinstated"),
        ([row("Retraction", "", "10.5555/n1"), row("Reinstatement", "", "10.5555/N1")], "reinstated"),
        ([row("Retraction", "2025"), row("Reinstatement", "2025-06")], "retracted"),
        ([row("Retraction", "2025-02-16"), row("Reinstatement", "2025-02-17"), row("Retraction", "2025-05-01")],
         "retracted"),
        ([row("Retraction", "2025-02-16"), row("Reinstatement", "2025-02-17"), row("Correction", "2025-05-01")],
         "corrected"),
    ],
)  # fmt: skip
def test_the_most_serious_statement_holds_until_a_reinstatement_lifts_it(
    tmp_path: Path, rows: list[str], holds: str
) -> None:
    table = tmp_path / "rw.csv"
    for order in (rows, rows[::-1]):
        table.write_text(HEAD + "".join(order))
        history = [update.entry for update in standing.from_retraction_watch(table).updates]
        assert entry_in_force(history).standing == holds


@pytest.mark.parametrize(
    ("updated", "on"),
    [
        ({"date-parts": [[2024, 5, None]]}, "2024-05"),
        ({"date-parts": [["2024", "05", "01"]]}, "2024-05-01"),
        ({"date-parts": [2024, 5]}, "2024-05"),
        ({"date-parts": [[None]], "date-time": "2024-05-01T00:00:00Z"}, "2024-05-01"),
        ({"date-parts": [[2024, 13, 1]]}, "2024"),
        ({"date-parts": "2024"}, None),
        ({"date-parts": [[]]}, None),
        ("2024-05-01", None),
        (None, None),
    ],
)
def test_a_date_of_crossref_is_read_as_far_as_it_can_be(tmp_path: Path, updated: Any, on: str | None) -> None:
    notice = {"DOI": "10.5555/notice", "type": "Retraction", "updated": updated}
    feed = standing.from_crossref(crossref(tmp_path / "r.json", notice))
    assert [(one.entry.standing, one.entry.on) for one in feed.updates] == [(Standing.retracted, on)]
    is_doubtful = on is None or "13" in str(updated)
    assert [ALDER.lower() in sentence for sentence, _ in feed.doubts] == [True] * is_doubtful


def test_what_cannot_be_read_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    good = {"DOI": ALDER, "updated-by": [update("retraction", (2026, 3)), update("rumour", (2026, 3)), None, "x"]}
    path.write_text(json.dumps([None, 7, "x", {"DOI": None}, {"DOI": 5, "updated-by": {}}, good]))
    feed = standing.from_crossref(path)
    assert [one.entry.standing for one in feed.updates] == [Standing.retracted]
    assert len(feed.doubts) == 5 + 3
    assert feed.checked == set()  # a notice of unknown kind is no clean check


def test_a_ragged_row_is_named_and_read_as_far_as_it_goes(
    scratch: Database, scratch_client: TestClient, tmp_path: Path
) -> None:
    table = tmp_path / "rw.csv"
    table.write_text(
        HEAD + f"1,A,{ALDER},0,10.5555/n,2/16/2025 0:00,Retraction\n"
        "2,B,10.9999/elsewhere,0,,,\n"
        f"3,C,{ALDER},0,,3/1/2025 0:00,Withdrawn perhaps,x\n"
        "4\n"
        f"5,D,{ALDER},0,10.5555/m,not a day,Correction,+Typo;,too,many\n"
    )
    doubts = apply_table(scratch, table)
    assert [" ".join(doubt.split()[:2]).rstrip(":") for doubt in doubts] == [
        "Line 2",
        "Line 4",
        "Line 5",
        "Line 6",
        "Line 6",
    ]
    history = scratch_client.get("/v1/documents/alder-2013").json()["standing_history"]
    assert {(entry["standing"], entry["on"]) for entry in history[1:]} == {
        ("corrected", None),
        ("retracted", "2025-02-16"),
    }
    assert standing_of(scratch_client) == "retracted"


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ((ALDER, "0", "10.5555/n", "2/16/2025", "Retraction", "x" * 5000), None),
        ((ALDER, "0", "10.5555/n", "2/16/2025", "Retraction", "a\0b\tc"), None),
        (("Unavailable", "99900001.0", "", "2/16/2025", "Retraction", "x"), None),
        ((f"{ALDER}; 10.5555/other", "0", "", "2/16/2025", "Retraction", "x"), None),
        (("see the journal", "99900001", "", "2/16/2025", "Retraction", "x"), "Line 2"),
    ],
)
def test_an_odd_cell_loses_no_retraction(tmp_path: Path, fields: tuple[str, ...], line: str | None) -> None:
    doi, pmid, *others = fields
    table = tmp_path / "rw.csv"
    table.write_text(HEAD + ",".join(["1", "A", doi, pmid, *others]) + "\n" + row("Correction", "3/1/2025 0:00"))
    feed = standing.from_retraction_watch(table)
    found = {update.work for update in feed.updates if update.entry.standing is Standing.retracted}
    assert found & {ALDER.lower(), "99900001"}
    assert [update.entry.standing for update in feed.updates][-1] is Standing.corrected
    assert [sentence[:6] for sentence, _ in feed.doubts] == ([line] if line else [])


@pytest.mark.parametrize("source", ["two\nlines", "x" * 600, "a\u0007b", 7, None])
def test_an_odd_source_of_crossref_loses_no_notice(tmp_path: Path, source: Any) -> None:
    feed = standing.from_crossref(crossref(tmp_path / "r.json", {**update("retraction", (2026, 3)), "source": source}))
    assert [one.entry.standing for one in feed.updates] == [Standing.retracted]


def test_an_open_quotation_mark_and_another_encoding_are_named(tmp_path: Path) -> None:
    table = tmp_path / "rw.csv"
    table.write_bytes(
        (HEAD + f"1,A,{ALDER},0,,2/16/2025 0:00,Retraction,+Erreur\xe9\n").encode("latin-1")
        + (f'2,"B,10.9999/b,0,,2/16/2025 0:00,Retraction,x\n3,C,{ALDER},0,,3/1/2025 0:00,Retraction,x\n').encode()
    )
    feed = standing.from_retraction_watch(table)
    assert [sentence.split()[1].rstrip(":") for sentence, _ in feed.doubts][:2] == ["2", "4"]
    assert feed.updates[0].entry.notice is None


def test_a_reinstatement_names_a_notice_in_whatever_spelling() -> None:
    history = [
        StandingEntry(standing=Standing.retracted, notice=Notice(doi="https://doi.org/10.1000/A")),
        StandingEntry(standing=Standing.reinstated, notice=Notice(doi="10.1000/a")),
    ]
    assert entry_in_force(history).standing is Standing.reinstated
