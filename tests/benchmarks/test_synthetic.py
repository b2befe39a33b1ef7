"""Synthetic data keep the laws: every table holds what publishing the same contents one by one would have written."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import MetaData, inspect, select, text
from sqlalchemy.orm import Session

from app.accounts.models import SEED
from app.accounts.service import ensure_system_actors
from app.core.errors import InvalidInput
from app.publishing.changes import Change
from app.publishing.publish import publish
from app.registry import BY_TYPE
from app.storage import schema
from app.storage.database import Database
from app.storage.history import StoredRecord
from app.storage.resource import Key
from benchmarks.synthetic.fill import synth
from benchmarks.synthetic.specimens import AT
from tests.conftest import Engine, opened

CLAIMS = 60
APART = {
    "accounts",  # say when they were made
    "alembic_version",
    "releases",  # are cut by seeding, never by publishing
}
NUMBERED_AS_THEY_CAME = {"search_names": {"pk"}, "estimates": {"pk"}, "filters": {"pk"}}
"""Keys that follow from the order of writing."""


@pytest.fixture
def synthetic(blank: Database) -> Database:
    schema.migrate(blank)
    synth(blank, CLAIMS, 1)
    return blank


@pytest.fixture
def published(engine: Engine, synthetic: Database) -> Iterator[Database]:
    """The contents of the synthetic records, published."""
    with opened(engine.empty("published")) as database:
        schema.migrate(database)
        with synthetic.read() as source, database.write() as session:
            ensure_system_actors(session)
            publish(session, SEED, contents(source), "Synthetic data")
        yield database


def contents(session: Session) -> Iterator[Change]:
    """In the order of their numbers; citations come within their claims."""
    rows = session.execute(select(StoredRecord.type, StoredRecord.content).order_by(StoredRecord.id))
    for record_type, content in rows:
        if record_type != "citation":
            yield Change(record_type, BY_TYPE[record_type].write.model_validate_json(content))


def tables(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every table but the full-text index's own, with instants made alike."""
    metadata = MetaData()
    names = {name for name in inspect(database.engine).get_table_names() if not name.startswith("search_fts")} - APART
    metadata.reflect(database.engine, only=sorted(names))
    found = {}
    with database.engine.connect() as connection:
        filters = {pk: named for pk, *named in connection.execute(select(metadata.tables["filters"]))}
        for table in metadata.sorted_tables:
            skipped = NUMBERED_AS_THEY_CAME.get(table.name, set())
            columns = [column for column in table.columns if column.name not in skipped]
            rows = [dict(row) for row in connection.execute(select(*columns)).mappings()]
            for row in rows:
                if "filter_pk" in row:
                    row["filter_pk"] = filters[row["filter_pk"]]
            found[table.name] = sorted((tuple(map(_alike, row.values())) for row in rows), key=repr)
    return found


def _alike(value: Any) -> Any:
    if isinstance(value, bytes):
        value = value.decode(errors="backslashreplace")
    return re.sub(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", AT, value) if isinstance(value, str) else value


def test_every_table_holds_what_publishing_would_have_written(synthetic: Database, published: Database) -> None:
    made, expected = tables(synthetic), tables(published)
    assert made.keys() == expected.keys()
    for name, rows in expected.items():
        if name == "records":  # the digest covers the instant
            continue
        assert made[name] == rows, name


def test_publishing_every_record_again_changes_nothing(synthetic: Database) -> None:
    with synthetic.write() as session:
        keys = [Key(*row) for row in session.execute(select(StoredRecord.type, StoredRecord.id))]
        assert publish(session, SEED, contents(session), "Again", recompute=keys).serial is None


def test_the_same_seed_gives_the_same_data_and_another_one_does_not(engine: Engine, synthetic: Database) -> None:
    made = []
    for name, seed in (("same", 1), ("other", 2)):
        with opened(engine.empty(name)) as database:
            schema.migrate(database)
            synth(database, CLAIMS, seed)
            made.append(tables(database))
    assert tables(synthetic) == made[0]
    assert made[0]["claims"] != made[1]["claims"]


def test_the_full_text_index_and_the_references_between_tables_are_whole(synthetic: Database) -> None:
    if not synthetic.is_sqlite:
        pytest.skip("PostgreSQL checks both as it goes")
    with synthetic.engine.connect() as connection:
        connection.execute(text("INSERT INTO search_fts(search_fts, rank) VALUES ('integrity-check', 1)"))
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


def test_the_sizes_are_those_that_performance_is_stated_for(synthetic: Database) -> None:
    found = tables(synthetic)
    assert len(found["claims"]) == CLAIMS
    assert len(found["citations"]) == CLAIMS * 5 // 2
    assert len(found["records"]) == len(found["record_states"])


def test_synthetic_data_never_mix_with_real_ones(scratch: Database) -> None:
    before = tables(scratch)
    with pytest.raises(InvalidInput, match="empty database"):
        synth(scratch, CLAIMS, 1)
    assert tables(scratch) == before


def test_new_records_can_be_published_beside_synthetic_ones(synthetic: Database) -> None:
    with synthetic.write() as session:
        condition = next(c for c in contents(session) if c.type == "condition")
        fresh = condition.content.model_copy(update={"id": "one-more"})
        outcome = publish(session, SEED, [Change("condition", fresh)], "One more")
    assert outcome.created == (Key("condition", "one-more"),)
