"""A backup holds one whole state, made while others write; what is restored from it answers alike, on either engine."""

import json
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import Result

from app.operations.backup import BackupError, backup, read, restore
from app.publishing import indexes
from app.settings import settings
from app.storage import schema
from app.storage.database import Database
from app.storage.history import Publication, current_serial
from app.storage.schema import SchemaMismatch
from tests import test_cli
from tests.conftest import Engine, Engines, opened
from tests.factories import amended, content, put
from tests.operations.test_down_and_up import answers, with_history


@pytest.fixture
def file(small: Database, tmp_path: Path) -> Path:
    """A backup of the small world."""
    target = tmp_path / "small.backup"
    backup(small, target)
    return target


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def elsewhere(request: pytest.FixtureRequest, engines: Engines) -> Iterator[Database]:
    """An empty database of each engine in turn, whatever engine the backup came from."""
    engine = engines(request.param, "neutral")
    url = engine.empty(f"elsewhere_{abs(hash(request.node.nodeid)):x}")
    with opened(url) as database:
        yield database
    engine.drop(url)


@pytest.fixture
def empty(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database beside `small`, on the same engine."""
    url = engine.empty(f"empty_{abs(hash(request.node.nodeid)):x}")
    with opened(url) as database:
        yield database
    engine.drop(url)


def run(database: Database | str, *arguments: str) -> Result:
    settings.cache_clear()
    try:
        return test_cli.run(database, *arguments)
    finally:
        settings.cache_clear()


def test_what_is_restored_answers_byte_for_byte(small: Database, elsewhere: Database, tmp_path: Path) -> None:
    with_history(small)
    before = answers(small)
    made = backup(small, tmp_path / "a.backup")
    assert restore(elsewhere, tmp_path / "a.backup", verify=True) == made
    indexes.check(elsewhere)
    assert answers(elsewhere) == before
    put(elsewhere, amended(content(elsewhere, "outcome", "pain"), name="Written after the restore"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.backup"]


def test_a_backup_under_load_holds_whatever_was_acknowledged_before(small: Database, tmp_path: Path) -> None:
    acknowledged = [0]
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with small.write() as session:
                serial = current_serial(session) + 1
                session.add(Publication(serial=serial, at="2026-01-01T00:00:00Z", actor="maintenance", note="x" * 400))
            acknowledged.append(serial)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            while len(acknowledged) < 5 * (number + 1):
                assert writer.is_alive()
            before = acknowledged[-1]
            manifest = backup(small, tmp_path / f"{number}.backup")
            assert manifest.serial >= before
            with sqlite3.connect(tmp_path / f"{number}.backup") as copy:
                serials = [row[0] for row in copy.execute("SELECT serial FROM publications ORDER BY serial")]
            copy.close()
            assert serials == list(range(1, manifest.serial + 1))
            assert read(tmp_path / f"{number}.backup") == manifest
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("damage", ["cut", "bit", "row", "no manifest", "no database", "gone"])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    small: Database, file: Path, empty: Database, damage: str
) -> None:
    whole = file.read_bytes()
    if damage == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif damage == "bit":
        at = whole.rindex(b"drug eases")
        file.write_bytes(whole[:at] + b"D" + whole[at + 1 :])
    elif damage in ("row", "no manifest"):
        statement = "DELETE FROM record_states LIMIT 1" if damage == "row" else "DROP TABLE backup_manifest"
        statement = statement.replace(" LIMIT 1", " WHERE id = 'pain'")
        with sqlite3.connect(file) as copy:
            copy.execute(statement)
        copy.close()
    elif damage == "no database":
        file.write_text("Dear all, " * 100)
    else:
        file.unlink()
    with pytest.raises(BackupError, match=r"is damaged|is not a backup|There is no file"):
        restore(empty, file)
    with empty.engine.connect() as connection:
        assert schema.current(connection) is None
    small.dispose()


def test_a_database_with_data_is_replaced_only_where_that_is_asked_for(small: Database, file: Path) -> None:
    put(small, amended(content(small, "outcome", "pain"), name="Newer than the backup"))
    with pytest.raises(BackupError, match="holds data"):
        restore(small, file)
    assert content(small, "outcome", "pain").content.model_dump()["name"] == "Newer than the backup"
    restore(small, file, overwrite=True, verify=True)
    assert content(small, "outcome", "pain").content.model_dump()["name"] == "pain"
    with pytest.raises(BackupError, match="exists already"):
        backup(small, file)


def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    small: Database, elsewhere: Database, tmp_path: Path
) -> None:
    before = answers(small)
    schema.migrate(small, "0010")
    manifest = backup(small, tmp_path / "old.backup")
    assert manifest.revision == "0010"
    restore(elsewhere, tmp_path / "old.backup", verify=True)
    assert indexes.migrate(elsewhere) == ("0010", schema.newest())
    assert answers(elsewhere) == before


def test_a_backup_of_newer_software_is_refused(file: Path, empty: Database) -> None:
    with sqlite3.connect(file) as copy:
        (raw,) = copy.execute("SELECT content FROM backup_manifest").fetchone()
        manifest = json.dumps({**json.loads(raw), "revision": "9999"})
        copy.execute("UPDATE backup_manifest SET content = ?", [manifest])
    copy.close()
    with pytest.raises(SchemaMismatch, match="newer version of this software"):
        restore(empty, file)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        *((content, "is damaged, or not a backup") for content in ("{}", "[]", "null", "1", "", "x", None, b"\xff")),
        ({"serial": "1"}, "is damaged, or not a backup"),
        ({"tables": []}, "is damaged, or not a backup"),
        ({"tables": {"claims": None}}, "is damaged, or not a backup"),
        ({"places": 1}, "newer release"),
        ({"tables": {"claims": {"rows": 0, "digest": "", "pages": 1}}}, "newer release"),
    ],
)  # fmt: skip
def test_a_manifest_that_cannot_be_used_is_refused_in_words(file: Path, content: Any, reason: str) -> None:
    copy = sqlite3.connect(file)
    with copy:
        (raw,) = copy.execute("SELECT content FROM backup_manifest").fetchone()
        copy.execute("DROP TABLE backup_manifest")
        copy.execute("CREATE TABLE backup_manifest (content)")
        given = json.dumps({**json.loads(raw), **content}) if isinstance(content, dict) else content
        copy.execute("INSERT INTO backup_manifest VALUES (?)", [given])
    copy.close()
    with pytest.raises(BackupError, match=reason):
        read(file)


def test_a_backup_replaces_nothing(small: Database, tmp_path: Path) -> None:
    """Not even what appeared while it was made, nor a link to nowhere."""
    link = tmp_path / "link.backup"
    link.symlink_to(tmp_path / "nowhere")
    with pytest.raises(BackupError, match="exists already"):
        backup(small, link)
    assert link.is_symlink()

    if not small.is_sqlite:
        return  # two at once are two processes there: Alembic makes the file's schema, and knows one at a time
    start, results = threading.Barrier(2), list[str]()

    def make() -> None:
        start.wait()
        try:
            results.append(backup(small, tmp_path / "a.backup").engine)
        except BackupError as error:
            results.append(str(error))

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.partition(" ")[2][:14] for result in results) == ["", "exists already"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.backup", "link.backup"]
    read(tmp_path / "a.backup")


def test_a_backup_that_breaks_off_leaves_no_file(
    small: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", _refuse)
    with pytest.raises(OSError, match="disk"):
        backup(small, tmp_path / "a.backup")
    assert list(tmp_path.iterdir()) == []


def _refuse(_path: Path, _target: Path) -> None:
    raise OSError("the disk is full")


# --- on the command line, with the doctor -------------------------------------------------------------------------


def test_the_commands_say_what_they_did(small: Database, empty: Database, tmp_path: Path) -> None:
    file = str(tmp_path / "a.backup")
    made = run(small, "backup", file)
    assert made.exit_code == 0, made.output
    assert made.stderr.startswith("Backup: serial 1, schema ")
    restored = run(empty, "restore", file, "--verify")
    assert restored.exit_code == 0, restored.output
    assert "Restored: serial 1, schema " in restored.stderr
    assert "ok      bodies: " in restored.stderr
    refused = run(empty, "restore", file)
    assert (refused.exit_code, refused.stderr) == (
        1,
        "The database holds data. Name an empty one, or say --overwrite.\n",
    )
    assert run(empty, "restore", file, "--overwrite").exit_code == 0


@pytest.mark.parametrize("name", ["none.db", "no/such/none.db"])
def test_without_a_database_nothing_is_made(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path / name}"
    made = run(url, "backup", str(tmp_path / "a.backup"))
    assert (made.exit_code, "(database_missing)" in made.stderr) == (1, True)
    found = run(url, "doctor", "--json")
    assert found.exit_code == 1
    findings = [(finding["subject"], finding["level"]) for finding in json.loads(found.stdout)]
    assert findings == [("settings", "ok"), ("database", "fault")]
    assert "fault   database: The file of the database is gone." in run(url, "doctor").stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["doctor", "migrate", "maintain"])
@pytest.mark.parametrize("url", ["sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true", "sqlite://"])
def test_a_database_in_memory_is_refused(command: str, url: str) -> None:
    result = run(url, command)
    assert (result.exit_code, result.stderr[:30]) == (2, "DATABASE_URL must be sqlite://")


FAULTS = {
    "indexes": "DELETE FROM projections WHERE name = 'search'",
    "counts": "DELETE FROM search_entries WHERE type = 'claim'",
    "history": "DELETE FROM record_states WHERE id = 'pain'",
    "bodies": "UPDATE records SET body = digest WHERE type = 'outcome'",
    "data set": None,
}


@pytest.mark.parametrize("subject", FAULTS)
def test_the_doctor_names_what_is_wrong(small: Database, subject: str) -> None:
    statement = FAULTS[subject]
    if statement:
        cast = "CAST(digest AS BLOB)" if small.is_sqlite else "CAST(digest AS bytea)"
        with small.engine.begin() as connection:
            connection.execute(text(statement.replace("= digest", f"= {cast}")))
    result = run(small, "doctor", "--json")
    findings = {finding["subject"]: finding["level"] for finding in json.loads(result.stdout)}
    wrong = [name for name, level in findings.items() if level == "fault"]
    assert (wrong, result.exit_code) == (([subject], 1) if statement else ([], 0))


@pytest.mark.parametrize(("address", "is_named"), [("https://example.org/kb/", True), ("https://example.org/", False)])
def test_the_doctor_names_the_path_below_which_the_deployment_lies(
    small: Database, monkeypatch: pytest.MonkeyPatch, address: str, is_named: bool
) -> None:
    monkeypatch.setenv("PUBLIC_URL", address)
    assert ("every address in an answer begins with /kb" in run(small, "doctor").stderr) == is_named


def test_the_doctor_says_what_to_run_on_an_older_schema(small: Database) -> None:
    schema.migrate(small, "0010")
    result = run(small, "doctor")
    assert result.exit_code == 1
    assert "The database is at an older schema (0010). Run: ldn-evidence migrate" in result.stderr


@pytest.mark.parametrize("engine", [("sqlite", True)], indirect=True, ids=["sqlite"])
def test_the_doctor_sees_a_damaged_file(small: Database, tmp_path: Path) -> None:
    small.dispose()
    damaged = Path(shutil.copy(str(small.url.database), tmp_path / "damaged.db"))
    whole = damaged.read_bytes()
    page = len(whole) // 4096 // 2 * 4096
    damaged.write_bytes(whole[:page] + b"\xff" * 20_000 + whole[page + 20_000 :])
    result = run(f"sqlite:///{damaged}", "doctor")
    assert result.exit_code == 1
    assert "fault   integrity: " in result.stderr or "fault   database: " in result.stderr
