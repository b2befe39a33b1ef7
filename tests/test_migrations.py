"""The schema's migrations: true to the models, reversible without losing a row, and refused where they do not fit."""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from app import tables
from app.concepts.schemas import InterventionWrite
from app.storage import schema
from app.storage.database import Database
from app.storage.schema import SchemaMismatch
from tests import factories
from tests.conftest import Engines, opened

PROBE = '''
"""Alters a table that others hang on."""

import sqlalchemy as sa
from alembic import op

revision = "probe"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("claims") as batch:
        batch.add_column(sa.Column("probe", sa.String(40), nullable=True))
        batch.alter_column("statement", existing_type=sa.Text(), nullable=True)
    {also}


def downgrade() -> None:
    with op.batch_alter_table("claims") as batch:
        batch.alter_column("statement", existing_type=sa.Text(), nullable=False)
        batch.drop_column("probe")
'''


DOWNWARDS = "_desc_id"
FULL_TEXT = {"vector", "ix_search_entries_vector"}


def dump(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row but those that say of what indexes were made, which each migration deletes, and what is set aside."""
    left_out = ("projections", "set_aside")
    return {table: rows for table, rows in factories.dump(database).items() if table not in left_out}


def head() -> str:
    newest = ScriptDirectory.from_config(schema.config()).get_current_head()
    assert newest
    return newest


def add_probe(monkeypatch: pytest.MonkeyPatch, directory: Path, also: str = "") -> None:
    """One more migration after the last."""
    migrations = directory / "migrations"
    shutil.copytree(schema.MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    (migrations / "versions" / "probe.py").write_text(PROBE.format(head=head(), also=also))
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)


def is_modelled(_object: object, name: str | None, _kind: str, reflected: bool, _match: object) -> bool:
    """What each engine has of its own for full text stands in its migration, not in the models; and SQLite does not
    tell in which direction an index goes, so those that go downwards are compared by name."""
    if name and name.endswith(DOWNWARDS):
        return False
    return not (reflected and name and (name.startswith("search_fts") or name in FULL_TEXT))


def downwards(indexes: Iterable[Any]) -> set[str]:
    names = {index["name"] if isinstance(index, dict) else index.name for index in indexes}
    return {name for name in names if name.endswith(DOWNWARDS)}


def columns(database: Database, table: str) -> set[str]:
    return {column["name"] for column in inspect(database.engine).get_columns(table)}


# --- the schema ---------------------------------------------------------------------------------------------------


def test_there_is_one_head_and_the_names_of_migrations_tell_it() -> None:
    assert ScriptDirectory.from_config(schema.config()).get_heads() == [schema.newest()]


def test_the_migrated_schema_is_the_one_that_the_models_describe(blank: Database) -> None:
    schema.migrate(blank)
    with blank.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "include_object": is_modelled}
        )
        assert compare_metadata(context, tables.metadata) == []
    for table in tables.metadata.sorted_tables:
        assert downwards(table.indexes) == downwards(inspect(blank.engine).get_indexes(table.name)), table.name


def test_every_constraint_and_index_is_named_by_the_convention(blank: Database) -> None:
    schema.migrate(blank)
    with blank.engine.connect() as connection:
        names = list(constraint_names(connection))
    assert len(names) > 100
    assert [name for name in names if not re.match(r"(pk|fk|uq|ix|ck)_[a-z0-9_]+$", name or "")] == []
    assert [name for name in names if len(name or "") > 63] == []


def constraint_names(connection: Connection) -> Iterator[str | None]:
    inspector = inspect(connection)
    for table in inspector.get_table_names():
        if table == "alembic_version" or table.startswith("search_fts"):
            continue
        yield inspector.get_pk_constraint(table)["name"]
        for constraints in (
            inspector.get_foreign_keys(table), inspector.get_unique_constraints(table), inspector.get_indexes(table)
        ):  # fmt: skip
            for constraint in constraints:
                assert table in (constraint["name"] or "")
                yield constraint["name"]


def test_every_foreign_key_is_indexed_on_its_own_side(blank: Database) -> None:
    """Without it, deleting or checking a parent reads the whole child table."""
    schema.migrate(blank)
    inspector = inspect(blank.engine)
    bare = []
    for table in inspector.get_table_names():
        indexed: list[tuple[str | None, ...]] = [tuple(inspector.get_pk_constraint(table)["constrained_columns"])]
        indexed += [tuple(index["column_names"]) for index in inspector.get_indexes(table)]
        indexed += [tuple(unique["column_names"]) for unique in inspector.get_unique_constraints(table)]
        for key in inspector.get_foreign_keys(table):
            key_columns = tuple(key["constrained_columns"])
            if key["options"].get("ondelete") == "CASCADE" and not any(
                i[: len(key_columns)] == key_columns for i in indexed
            ):
                bare.append(f"{table}.{','.join(key_columns)}")
    assert bare == []


# --- up and down --------------------------------------------------------------------------------------------------


def test_up_down_up_ends_in_the_same_schema(blank: Database) -> None:
    assert schema.migrate(blank) == (None, head())
    assert schema.migrate(blank) == (head(), head())
    assert schema.migrate(blank, "base") == (head(), None)
    assert set(inspect(blank.engine).get_table_names()) <= {"alembic_version"}
    assert schema.migrate(blank) == (None, head())
    schema.check(blank)


def test_going_back_from_the_newest_schema_gives_the_one_before_it(blank: Database) -> None:
    before = str(int(head()) - 1).zfill(4)
    schema.migrate(blank, before)
    original = described(blank)
    schema.migrate(blank)
    assert blank.is_sqlite or described(blank) != original  # the newest one changes PostgreSQL alone
    schema.migrate(blank, before)
    assert described(blank) == original


def test_going_back_undoes_the_newest_change_of_tables(blank: Database) -> None:
    schema.migrate(blank, "0018")
    original = described(blank)
    schema.migrate(blank)
    assert described(blank) != original
    schema.migrate(blank, "0018")
    assert described(blank) == original


def described(database: Database) -> dict[str, list[str]]:
    """Columns, keys, constraints and indexes of every table; conditions of indexes left out."""
    inspector = inspect(database.engine)
    tables = {
        table: [
            *inspector.get_columns(table), inspector.get_pk_constraint(table), *inspector.get_foreign_keys(table),
            *inspector.get_unique_constraints(table), *inspector.get_indexes(table),
        ]
        for table in inspector.get_table_names()
    }  # fmt: skip
    lines = {
        table: sorted(str({name: value for name, value in part.items() if name != "dialect_options"}) for part in parts)
        for table, parts in tables.items()
    }
    return lines if database.is_sqlite else lines | {"stored": _storage(database)}


def _storage(database: Database) -> list[str]:
    """How PostgreSQL stores long values of each column: compressed (`x`), or as they are (`e`)."""
    sql = (
        "SELECT attrelid::regclass || '.' || attname || ' ' || attstorage::text FROM pg_attribute JOIN pg_class c "
        "ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 "
        "AND NOT attisdropped ORDER BY 1"
    )
    with database.engine.connect() as connection:
        return list(connection.scalars(text(sql)))


def test_altering_a_parent_table_up_down_up_keeps_every_row(
    scratch: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, original = dump(scratch), head()
    assert len(before["citations"]) > 20
    add_probe(monkeypatch, tmp_path)

    schema.migrate(scratch)
    upgraded = dump(scratch)
    assert {table: len(rows) for table, rows in upgraded.items()} == {
        table: len(rows) for table, rows in before.items()
    }
    assert {table: rows for table, rows in upgraded.items() if table not in ("claims", "alembic_version")} == {
        table: rows for table, rows in before.items() if table not in ("claims", "alembic_version")
    }
    assert "probe" in columns(scratch, "claims")

    schema.migrate(scratch, original)
    assert dump(scratch) == before
    schema.migrate(scratch)
    assert dump(scratch) == upgraded


def test_foreign_keys_hold_again_after_a_migration(
    scratch: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_probe(monkeypatch, tmp_path)
    schema.migrate(scratch)
    orphan = text("INSERT INTO origin_references (origin_pk, number) VALUES (999999, 1)")
    with pytest.raises(DBAPIError), scratch.engine.begin() as connection:
        connection.execute(orphan)


@pytest.mark.parametrize(
    ("also", "error"),
    [
        ('raise RuntimeError("broken off")', "broken off"),
        ('op.execute("DELETE FROM documents")', "refer to rows that do not exist|foreign key"),
    ],
    ids=["it breaks off", "it leaves orphans"],
)
def test_a_migration_that_fails_leaves_no_trace(
    scratch: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, also: str, error: str
) -> None:
    before, shape = dump(scratch), columns(scratch, "claims")
    add_probe(monkeypatch, tmp_path, also)
    with pytest.raises((RuntimeError, DBAPIError), match=error):
        schema.migrate(scratch)
    assert dump(scratch) == before
    assert columns(scratch, "claims") == shape
    with pytest.raises(DBAPIError), scratch.engine.begin() as connection:  # foreign keys are on again
        connection.execute(text("INSERT INTO origin_references (origin_pk, number) VALUES (999999, 1)"))


def test_processes_that_start_together_migrate_once(blank: Database) -> None:
    results: list[object] = []

    def start() -> None:
        try:
            results.append(schema.migrate(blank)[1])
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [head()] * 3


@pytest.mark.postgres
def test_a_migration_does_not_wait_for_ever_behind_a_lock(
    engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a migration waits for its lock, every reader waits behind it. (SQLite has no table locks.)"""
    with opened(engines("postgresql").copy("locked")) as database:
        add_probe(monkeypatch, tmp_path)  # after the original was made, which is to be without it
        with database.engine.connect() as reader:
            reader.execute(text("SELECT count(*) FROM claims"))
            with pytest.raises(DBAPIError) as caught:
                schema.migrate(database)
        assert getattr(caught.value.orig, "sqlstate", None) == "55P03"
        schema.migrate(database)
        assert "probe" in columns(database, "claims")


# --- what does not fit --------------------------------------------------------------------------------------------


def test_an_empty_database_is_refused_with_the_command_to_run(blank: Database) -> None:
    with pytest.raises(SchemaMismatch, match=r"is empty\. Run: ldn-evidence migrate"):
        schema.check(blank)


def test_an_older_database_is_refused_with_the_command_to_run(
    scratch: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema.check(scratch)
    original = head()
    add_probe(monkeypatch, tmp_path)
    with pytest.raises(SchemaMismatch, match=rf"older schema \({original}\)\. Run: ldn-evidence migrate"):
        schema.check(scratch)


@pytest.mark.parametrize("act", [schema.check, schema.migrate])
def test_a_database_of_newer_software_is_refused_and_left_alone(
    scratch: Database, act: Callable[[Database], object]
) -> None:
    with scratch.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from_tomorrow'"))
    before = dump(scratch)
    with pytest.raises(SchemaMismatch, match=r"newer version of this software \(schema from_tomorrow\)"):
        act(scratch)
    assert dump(scratch) == before


def test_who_finds_a_fitting_schema_does_without_alembic(blank: Database) -> None:
    schema.migrate(blank)
    checked = (
        "import sys; from app.storage import schema; from app.storage.database import Database; "
        "schema.check(Database(sys.argv[1])); print('alembic' in sys.modules)"
    )
    url = blank.url.render_as_string(hide_password=False)
    finished = subprocess.run([sys.executable, "-c", checked, url], capture_output=True, text=True, check=False)
    assert (finished.stdout, finished.stderr) == ("False\n", "")


# --- contents -----------------------------------------------------------------------------------------------------


def test_classes_that_drugs_named_become_lists_of_members_at_every_serial(blank: Database) -> None:
    schema.migrate(blank, "0007")
    contents = {
        "pain-drugs": _intervention("pain-drugs", "drug_class"),
        "one-drug": _intervention("one-drug", "drug", parent="pain-drugs"),
        "one-drug-low": _intervention("one-drug-low", "regimen", parent="one-drug"),
    }
    with blank.engine.begin() as connection:
        _store_interventions(connection, contents)
    before = dump(blank)

    schema.migrate(blank)
    upgraded = dump(blank)
    for table in ("records", "record_states"):
        stored = {row["id"]: json.loads(row["content"]) for row in _rows(blank, table)}
        assert [stored[one]["kind"] for one in contents] == ["class", "drug", "regimen"]
        assert [stored[one]["members"] for one in contents] == [["one-drug"], [], []]
        assert [stored[one]["parent"] for one in contents] == [None, None, "one-drug"]
        assert all(InterventionWrite.model_validate(content).model_dump_json() for content in stored.values())
    bodies = {row["id"]: json.loads(bytes(row["body"])) for row in _rows(blank, "records")}
    assert bodies["pain-drugs"]["members"] == [{"id": "one-drug", "name": "one-drug"}]
    digests = {row["id"]: row["digest"] for row in _rows(blank, "seed_records")}
    texts = {row["id"]: row["content"] for row in _rows(blank, "records")}
    assert digests == {one: blake2b(text.encode(), digest_size=16).hexdigest() for one, text in texts.items()}
    assert {(row["id"], row["to_id"]) for row in _rows(blank, "record_references")} == {
        ("pain-drugs", "one-drug"),
        ("one-drug-low", "one-drug"),
    }

    schema.migrate(blank, "0007")
    assert dump(blank) == before
    schema.migrate(blank)
    assert dump(blank) == upgraded


def _intervention(record_id: str, level: str, parent: str | None = None) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": record_id,
        "status": "published",
        "successor": None,
        "name": record_id,
        "synonyms": [],
    }
    return {**fields, "description": "Made for tests.", "codes": [], "level": level, "parent": parent}


def _store_interventions(connection: Connection, contents: dict[str, dict[str, Any]]) -> None:
    """As the release before stored them."""
    at = "2026-01-01T00:00:00Z"
    account = "INSERT INTO accounts (id, name, kind, role, created_at) VALUES ('seed', 'Seed', 'system', 'system', :at)"
    connection.execute(text(account), {"at": at})
    connection.execute(text("INSERT INTO publications VALUES (1, :at, 'seed', 'First')"), {"at": at})
    for pk, (record_id, content) in enumerate(contents.items(), 1):
        compact = json.dumps(content, separators=(",", ":"))
        parent = content["parent"]
        named = {"id": parent, "name": parent} if parent else None
        values = {
            "pk": pk, "id": record_id, "level": content["level"], "content": compact, "at": at,
            "parent": list(contents).index(parent) + 1 if parent else None,
            "body": json.dumps({**content, "parent": named}, separators=(",", ":")).encode(),
            "digest": blake2b(compact.encode(), digest_size=16).hexdigest(),
        }  # fmt: skip
        for statement in _STORE:
            connection.execute(text(statement), {k: v for k, v in values.items() if f":{k}" in statement})
        if parent:
            reference = "INSERT INTO record_references VALUES ('intervention', :id, 'intervention', :parent)"
            connection.execute(text(reference), {"id": record_id, "parent": parent})


_STORE = (
    "INSERT INTO concepts (pk, type, id, status, name, description, parent_pk, level) "
    "VALUES (:pk, 'intervention', :id, 'published', :id, 'Made for tests.', :parent, :level)",
    "INSERT INTO records (type, id, version, serial, status, updated_at, content, derived, digest, body) "
    "VALUES ('intervention', :id, 1, 1, 'published', :at, :content, '{}', :digest, :body)",
    "INSERT INTO record_states (type, id, serial, version, status, updated_at, content, derived) "
    "VALUES ('intervention', :id, 1, 1, 'published', :at, :content, '{}')",
    "INSERT INTO seed_records (type, id, digest) VALUES ('intervention', :id, :digest)",
)


def _rows(database: Database, table: str) -> list[dict[str, Any]]:
    with database.engine.connect() as connection:
        return [dict(row) for row in connection.execute(tables.metadata.tables[table].select()).mappings()]
