"""A schema that goes back and forth again answers as before, byte for byte."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, delete, inspect, text, update
from starlette.testclient import TestClient

from app.datasets.seed import seed
from app.publishing import indexes
from app.publishing.index_state import IndexState
from app.registry import RESOURCES
from app.storage import schema
from app.storage.database import Database
from tests.conftest import serving
from tests.factories import amended, content, dump, put

REVISIONS = [f"{number:04}" for number in range(1, int(schema.newest()))]
OTHERS = (
    "/v1/search?q=zelvane", "/v1/search?q=pain&limit=50", "/v1/search?q=the drug", "/v1/suggest?q=ze", "/v1/meta",
    "/v1/claims?sort=relevance&limit=100", "/v1/claims?condition=murmuria&facets=true", "/v1/overrides",
    "/v1/coverage?intervention=low-dose-zelvane&condition=murmuria", "/v1/bibliography", "/v1/documents?sort=-year",
    "/v1/briefs/low-dose-zelvane/murmuria", "/v1/briefs/drug/ailment", "/v1/studies?sort=-participants",
)  # fmt: skip


def url_of(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def answers(database: Database) -> dict[str, bytes]:
    """Some records of every type, now and at the serial before, the first pages of lists, and what searches find."""
    with serving(url_of(database)) as client:
        got = {path: client.get(path) for path in [*OTHERS, *_paths(client)]}
        return {
            path: str(answer.status_code).encode() + (b"" if answer.is_error else answer.content)
            for path, answer in got.items()
        }


def _paths(client: TestClient) -> Iterator[str]:
    newest = client.get("/v1/meta").json()["serial"]
    for resource in RESOURCES:
        path = f"/v1/{resource.plural}"
        yield path
        for item in client.get(f"{path}?limit=200").json()["items"][::40]:
            yield f"{path}/{item['id']}"
            yield f"{path}/{item['id']}?serial={newest - 1}"


def check_down_and_up(database: Database, revision: str, before: dict[str, bytes]) -> None:
    rows, verdicts = dump(database), verdicts_of(database)
    schema.migrate(database, revision)
    indexes.migrate(database)
    after = answers(database)
    assert [path for path in before if after.get(path) != before[path]] == []
    assert after.keys() == before.keys()
    dumped = dump(database)
    assert dumped.keys() == rows.keys()
    for table in ("records", "record_states", "record_references", "publications"):
        assert dumped[table] == rows[table], table
    assert without_files(dumped) == without_files(rows)
    assert verdicts_of(database) == verdicts


def without_files(rows: Mapping[str, list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """What is known of the records of the seed, but for their files, which the next load finds again."""
    return [row[:-1] for row in rows["seed_records"]]


def verdicts_of(database: Database) -> list[Row[Any]]:
    sql = "SELECT id, verdict, weight, relevance, is_stale, citation_count FROM claims ORDER BY id"
    with database.engine.connect() as connection:
        return list(connection.exec_driver_sql(sql))


def with_history(database: Database) -> None:
    """One more serial, at which claims, a class and a rule changed."""
    for record_type in ("claim", "intervention", "interaction_rule"):
        with database.read() as session:
            name = session.connection().exec_driver_sql(
                f"SELECT min(id) FROM records WHERE type = '{record_type}' AND status = 'published'"  # noqa: S608
            )
            record_id = name.scalar()
        if record_id is not None:
            old = content(database, record_type, record_id)
            field = "statement" if record_type == "claim" else "name"
            put(database, amended(old, **{field: f"{getattr(old.content, field)} Again."}))


def test_down_and_up_again_answers_as_before(small: Database) -> None:
    with_history(small)
    check_down_and_up(small, "0004", answers(small))


QUOTED: dict[str, Any] = {
    "extent": "partially",
    "extent_note": 'Only what stands behind "attached_by": and ,"magnitude": is meant.',
    "strength": {"value": "B", "scale": "Levels of a society"},
    "quotes": [{"text": "the ache fell by half", "locator": {"page": "12"}}, {"text": "nobody left"}],
}
WOMEN = {"id": "women", "label": "women", "basis": "sex"}


def with_qualifiers(database: Database) -> None:
    """A claim on a subgroup, with a citation that has several quotations and one that has the single one of before."""
    claim = content(database, "claim", "drug-eases-ache")
    first, second, *others = claim.content.model_dump(mode="json")["citations"]
    second["locator"] |= {"section": "Results", "quote": "the ache stayed"}
    put(database, amended(claim, subgroup=WOMEN, citations=[{**first, **QUOTED}, second, *others]))


def test_what_the_schema_before_has_no_place_for_comes_back(small: Database) -> None:
    with_qualifiers(small)
    before, rows = answers(small), dump(small)
    schema.migrate(small, "0014")
    with small.engine.connect() as connection:
        quotes = connection.exec_driver_sql("SELECT id, locator_quote FROM citations ORDER BY id").all()
        stored = connection.exec_driver_sql("SELECT content FROM records WHERE id = 'drug-eases-ache'").scalar_one()
    assert dict(list(map(tuple, quotes)))["cit-a"] == "the ache fell by half"
    assert dict(list(map(tuple, quotes)))["cit-b"] == "the ache stayed"
    assert '"extent"' not in stored
    assert '"subgroup"' not in stored
    indexes.migrate(small)
    assert dump(small)["records"] == rows["records"]
    assert answers(small) == before


def test_records_that_nobody_edited_are_still_those_of_the_seed(scratch: Database, seed_files: Path) -> None:
    """Their contents have more fields after the upgrade; seeding the same files publishes nothing all the same, and
    finds again which file each record is in."""
    before = dump(scratch)["seed_records"]
    schema.migrate(scratch, "0014")
    with scratch.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS set_aside")
    indexes.migrate(scratch)
    with scratch.write() as session:
        result = seed(session, seed_files)
    assert (result.created, result.updated, result.conflicts) == ((), (), ())
    assert dump(scratch)["seed_records"] == before


@pytest.mark.timeout(1800)
def test_down_to_every_revision_and_up_again_answers_as_before(scratch: Database) -> None:
    with_history(scratch)
    before = answers(scratch)
    for revision in reversed(REVISIONS):
        check_down_and_up(scratch, revision, before)


def test_a_server_is_not_ready_while_an_index_does_not_fit(small: Database) -> None:
    """A publication that an index missed, or an index that is gone: said, and mended by the next start."""
    for change in (
        update(IndexState).where(IndexState.name == "search").values(serial=0),
        delete(IndexState).where(IndexState.name == "search"),
        update(IndexState).where(IndexState.name == "search").values(revision="0001"),
    ):
        with small.write() as session:
            session.execute(change)
        with serving(url_of(small)) as client:
            answer = client.get("/readyz")
            assert answer.status_code == 503
            assert answer.json()["detail"] == "Indexes do not fit the data: search. Run: ldn-evidence migrate"
        assert indexes.refresh(small) == ["search"]
        assert indexes.refresh(small) == []
        with serving(url_of(small)) as client:
            assert client.get("/readyz").status_code == 200


def test_what_was_changed_in_between_is_not_given_back(small: Database) -> None:
    claim = "SELECT content FROM records WHERE type = 'claim' AND id = 'drug-eases-ache'"
    schema.migrate(small, "0010")
    with small.engine.begin() as connection:
        older = connection.exec_driver_sql(claim).scalar_one()
        newer = older.replace("The drug", "This drug")
        assert newer != older
        connection.execute(
            text("UPDATE records SET content = :newer WHERE type = 'claim' AND id = 'drug-eases-ache'"),
            {"newer": newer},
        )
    schema.migrate(small)
    with small.engine.connect() as connection:
        assert "This drug" in connection.exec_driver_sql(claim).scalar_one()
        assert not inspect(connection).has_table("set_aside")
