"""Backups: one file with every table, the same for both engines, checked before anything is restored from it.

The file is an SQLite database at the schema of its source, with a table more: the manifest. So a backup of SQLite goes
into PostgreSQL, and the other way round.
"""

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import ConfigDict, TypeAdapter, ValidationError

from app.operations.set_aside import SET_ASIDE
from app.storage import schema
from app.storage.database import Database, now

MANIFEST = "backup_manifest"
BATCH = 1000
_DIGESTS = 1 << 128


class BackupError(RuntimeError):
    """Why there is no backup, or none can be restored; `faults` has the details, one a line."""

    def __init__(self, reason: str, faults: Iterable[str] = ()) -> None:
        super().__init__(reason)
        self.faults = tuple(faults)


@dataclass(frozen=True)
class TableSummary:
    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    rows: int
    digest: str
    """Of all rows, in whatever order; the same on both engines."""


@dataclass(frozen=True)
class BackupManifest:
    """What a backup holds."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    made_at: str
    software: str
    engine: str
    revision: str
    serial: int
    release: str | None
    tables: Mapping[str, TableSummary]

    def __str__(self) -> str:
        rows = sum(table.rows for table in self.tables.values())
        release = f", release {self.release}" if self.release else ""
        return f"serial {self.serial}{release}, schema {self.revision}, {rows} rows in {len(self.tables)} tables"


# --- making one ---------------------------------------------------------------------------------------------------


def backup(database: Database, target: Path) -> BackupManifest:
    """Write one consistent state of the database, while others read and write; the file appears when it is whole."""
    exists = BackupError(f"{target.name} exists already. Choose another name; a backup is never overwritten.")
    if os.path.lexists(target):
        raise exists
    with database.engine.connect() as connection:
        revision = schema.current(connection)
    if revision is None:
        raise BackupError("The database is empty: there is nothing to back up.")
    with _directory_beside(target) as directory:
        file = directory / target.name
        (_copy_sqlite if database.is_sqlite else _copy_postgresql)(database, file, revision)
        manifest = _write_manifest(file, "sqlite" if database.is_sqlite else "postgresql")
        with file.open("rb") as written:
            os.fsync(written.fileno())
        try:
            target.hardlink_to(file)  # unlike a rename, it replaces nothing
        except FileExistsError:
            raise exists from None
    folder = os.open(target.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return manifest


@contextmanager
def _directory_beside(target: Path) -> Iterator[Path]:
    """A directory on the same file system; removed with what is left in it."""
    directory = Path(tempfile.mkdtemp(prefix=".backup-", dir=target.absolute().parent))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def _copy_sqlite(database: Database, file: Path, _revision: str) -> None:
    with closing(database.engine.raw_connection()) as source, closing(sqlite3.connect(file)) as copy:
        _driver(source).backup(copy)  # all pages in one step: one state, and writers do not wait
        copy.execute("PRAGMA journal_mode=DELETE")


def _copy_postgresql(database: Database, file: Path, revision: str) -> None:
    empty = Database(f"sqlite:///{file}")
    try:
        schema.migrate(empty, revision)
    finally:
        empty.dispose()
    with database.view(primary=True) as view, closing(sqlite3.connect(file)) as copy:
        connection = view.session.connection()
        for table in _reflected(connection):
            if table.name == SET_ASIDE.name:
                _create_set_aside(file)
            columns = [column.name for column in _stored_columns(table)]
            copy.execute(f"DELETE FROM {table.name}")  # noqa: S608 - names of our own tables
            with connection.execute(_rows_of(table), execution_options={"yield_per": BATCH}) as rows:
                copy.executemany(_insert(table.name, columns), map(tuple, rows))
            copy.commit()
        copy.execute("PRAGMA journal_mode=DELETE")


def _create_set_aside(file: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{file}")
    SET_ASIDE.create(engine, checkfirst=True)
    engine.dispose()


def _write_manifest(file: Path, engine: str) -> BackupManifest:
    with closing(sqlite3.connect(file)) as copy:
        manifest = BackupManifest(
            made_at=now(),
            software=version("ldn-evidence"),
            engine=engine,
            revision=copy.execute("SELECT version_num FROM alembic_version").fetchone()[0],
            serial=copy.execute("SELECT coalesce(max(serial), 0) FROM publications").fetchone()[0],
            release=_newest_release(copy),
            tables=_summaries(copy),
        )
        copy.execute(f"CREATE TABLE {MANIFEST} (content TEXT NOT NULL)")
        copy.execute(f"INSERT INTO {MANIFEST} VALUES (?)", [json.dumps(asdict(manifest))])  # noqa: S608
        copy.commit()
    return manifest


def _newest_release(copy: sqlite3.Connection) -> str | None:
    row = copy.execute("SELECT name FROM releases ORDER BY serial DESC, name DESC LIMIT 1").fetchone()
    return row[0] if row else None


# --- checking one -------------------------------------------------------------------------------------------------


def read(file: Path) -> BackupManifest:
    """The manifest of a whole, undamaged backup; BackupError says what is wrong with another file."""
    if not file.is_file():
        raise BackupError(f"There is no file {file.name}.")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            try:
                (content,) = copy.execute(f"SELECT content FROM {MANIFEST}").fetchone()  # noqa: S608
            except (sqlite3.OperationalError, TypeError) as error:
                raise BackupError(f"{file.name} is not a backup: it has no manifest.") from error
            manifest = TypeAdapter(BackupManifest).validate_json(content or "")
            faults = [row[0] for row in copy.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            faults += differences(manifest.tables, _summaries(copy))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        if all(detail["type"] == "unexpected_keyword_argument" for detail in details):
            raise BackupError(f"{file.name} was made by a newer release of this software. Use that one.") from error
        faults = [f"manifest: {'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in details]
        raise BackupError(f"{file.name} is damaged, or not a backup. Use another one.", faults) from error
    except (sqlite3.DatabaseError, ValueError) as error:
        raise BackupError(f"{file.name} is damaged, or not a backup. Use another one.", [str(error)]) from error
    if faults:
        raise BackupError(f"{file.name} is damaged. Use another one.", faults)
    return manifest


def differences(expected: Mapping[str, TableSummary], found: Mapping[str, TableSummary]) -> list[str]:
    """The tables whose rows are not those of the manifest, one a line."""
    lines = []
    for name in sorted({*expected, *found}):
        before, after = expected.get(name), found.get(name)
        if before is None or after is None:
            lines.append(f"{name}: {'unexpected' if before is None else 'missing'}")
        elif before.rows != after.rows:
            lines.append(f"{name}: {after.rows} rows in place of {before.rows}")
        elif before.digest != after.digest:
            lines.append(f"{name}: other contents")
    return lines


def summaries(database: Database) -> dict[str, TableSummary]:
    """Row counts and digests of every table of a database."""
    if database.is_sqlite:
        with closing(database.engine.raw_connection()) as raw:
            return _summaries(_driver(raw))
    with database.view(primary=True) as view:
        connection = view.session.connection()
        streamed = {"yield_per": BATCH}
        tables = _reflected(connection)
        return {t.name: _summary(connection.execute(_rows_of(t), execution_options=streamed)) for t in tables}


def _summaries(copy: sqlite3.Connection) -> dict[str, TableSummary]:
    return {name: _summary(_sqlite_rows(copy, name)) for name in _sqlite_tables(copy)}


def _summary(rows: Iterable[Any]) -> TableSummary:
    count = total = 0
    for row in rows:
        count += 1
        total += int.from_bytes(blake2b(ascii(tuple(row)).encode(), digest_size=16).digest())
    return TableSummary(count, f"{total % _DIGESTS:032x}")


# --- restoring ----------------------------------------------------------------------------------------------------


def restore(database: Database, file: Path, *, overwrite: bool = False, verify: bool = False) -> BackupManifest:
    """Put a backup in place of an empty database, or of any with `overwrite`; the schema is that of the backup.

    With `verify`, everything is read back and compared with the manifest.
    """
    manifest = read(file)
    schema.refuse_unknown(manifest.revision)
    with database.engine.connect() as connection:
        revision = schema.current(connection)
        is_filled = revision is not None and bool(connection.scalar(sa.text("SELECT count(*) FROM publications")))
    if is_filled and not overwrite:
        raise BackupError("The database holds data. Name an empty one, or say --overwrite.")
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
        if database.is_sqlite:
            _into_sqlite(database, copy)
        else:
            if is_filled and revision != manifest.revision:
                raise BackupError(
                    f"The database is at schema {revision}, the backup at {manifest.revision}. Name an empty database."
                )
            schema.migrate(database, manifest.revision)
            _into_postgresql(database, copy)
    if verify and (faults := differences(manifest.tables, summaries(database))):
        raise BackupError("The restored database differs from the backup.", faults)
    return manifest


def _into_sqlite(database: Database, copy: sqlite3.Connection) -> None:
    with closing(database.engine.raw_connection()) as raw:
        target = _driver(raw)
        copy.backup(target)  # one transaction of the target: whole, or not at all
        target.execute(f"DROP TABLE {MANIFEST}")


def _into_postgresql(database: Database, copy: sqlite3.Connection) -> None:
    with database.exclusive() as connection:
        if SET_ASIDE.name in _sqlite_tables(copy):
            SET_ASIDE.create(connection, checkfirst=True)
        tables = _reflected(connection)
        connection.execute(sa.text(f"TRUNCATE {', '.join(table.name for table in tables)}"))
        cursor = _driver(connection.connection).cursor()
        for table in tables:
            columns = [column.name for column in _stored_columns(table)]
            # One COPY for each table: rows that refer to others of their own table are checked at its end.
            with cursor.copy(f"COPY {table.name} ({', '.join(map(_quoted, columns))}) FROM STDIN") as stream:
                for row in _sqlite_rows(copy, table.name, columns):
                    stream.write_row(row)
            for column in table.primary_key.columns:
                sequence = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name)))
                highest = connection.scalar(sa.select(sa.func.max(column))) if sequence else None
                if highest is not None:
                    connection.execute(sa.select(sa.func.setval(sequence, highest)))
        connection.commit()


# --- tables and rows ----------------------------------------------------------------------------------------------


def _reflected(connection: sa.Connection) -> list[sa.Table]:
    """The tables of a PostgreSQL database, parents first."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def _stored_columns(table: sa.Table) -> list[sa.Column[Any]]:
    return sorted((column for column in table.columns if column.computed is None), key=lambda column: column.name)


def _rows_of(table: sa.Table) -> sa.Select[Any]:
    """Every row, with truth values and JSON as SQLite has them: numbers and text."""
    return sa.select(*map(_as_in_sqlite, _stored_columns(table)))


def _as_in_sqlite(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    as_stored = {sa.Boolean: sa.Integer, sa.JSON: sa.Text}
    return next((sa.cast(column, new) for old, new in as_stored.items() if isinstance(column.type, old)), column)


def _sqlite_tables(copy: sqlite3.Connection) -> list[str]:
    """Every table but those of SQLite, of the full-text index, of Alembic and of the backup itself."""
    rows = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    own = ("sqlite_", "search_fts", "alembic_version", MANIFEST)
    return [name for (name,) in rows if not name.startswith(own)]


def _sqlite_rows(copy: sqlite3.Connection, table: str, columns: Iterable[str] | None = None) -> sqlite3.Cursor:
    if columns is None:
        columns = sorted(row[1] for row in copy.execute(f"PRAGMA table_info({table})"))
    return copy.execute(f"SELECT {', '.join(map(_quoted, columns))} FROM {table}")  # noqa: S608


def _insert(table: str, columns: list[str]) -> str:
    names, places = ", ".join(map(_quoted, columns)), ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608


def _quoted(name: str) -> str:
    return f'"{name}"'


def _driver(connection: Any) -> Any:
    return connection.driver_connection
