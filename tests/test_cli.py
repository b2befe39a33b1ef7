"""The command line, as the person at the keyboard meets it."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from app import cli
from app.publishing import indexes
from app.settings import ROOT, Settings, settings
from app.storage.database import Database
from tests.conftest import SEED, Engine
from tests.factories import amended, content, put, small_files

NO_DATABASE = f"sqlite:///{tempfile.gettempdir()}/never-opened.db"
PROGRAM = [sys.executable, "-m", "app.cli"]


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def run(database: Database | str, *arguments: str, **environment: str) -> Result:
    url = database if isinstance(database, str) else database.url.render_as_string(hide_password=False)
    return CliRunner().invoke(cli.app, arguments, env={"DATABASE_URL": url, "COLUMNS": "200", **environment})


def error_text(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.stderr


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*PROGRAM, *arguments], cwd=ROOT, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


# --- migrate and seed ---------------------------------------------------------------------------------------------


def test_migrate_says_where_it_went_and_that_a_second_run_does_nothing(blank: Database) -> None:
    assert re.match(r"Schema none → \w+\.", error_text(run(blank, "migrate")))
    assert "nothing to migrate" in error_text(run(blank, "migrate"))
    assert re.match(r"Schema \w+ → none\.", error_text(run(blank, "migrate", "--to", "base")))


def test_migrate_to_an_unknown_revision_says_so(blank: Database) -> None:
    assert "no revision" in error_text(run(blank, "migrate", "--to", "nonsense"), 1)


def test_seed_tells_what_it_did_and_a_second_run_that_nothing_changed(blank: Database, seed_files: Path) -> None:
    indexes.migrate(blank)
    command = ("seed", "--from", str(seed_files))
    first = error_text(run(blank, *command))
    assert re.match(r"Seed data: \d+ records created, 0 updated, 0 unchanged; serial 1\.\nRelease 1 cut\.", first)
    assert re.match(r"Seed data: nothing changed \(\d+ records\)\.", error_text(run(blank, *command)))


def test_seed_names_the_conflicts(scratch: Database, seed_files: Path, tmp_path: Path) -> None:
    put(scratch, amended(content(scratch, "outcome", "fatigue"), name="A curator's name"))
    directory = shutil.copytree(seed_files, tmp_path / "files")
    path = directory / "outcomes.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("name: Fatigue", "name: Tiredness"), encoding="utf-8")
    message = error_text(run(scratch, "seed", "--from", str(directory)), 3)
    assert (
        "Conflict: outcome/fatigue was edited here and in the files; left as it is here. They differ in name."
        in message
    )
    remedy = message.partition("ldn-evidence ")[2].partition(";")[0].split()
    assert remedy == ["seed", "--take", "outcome/fatigue"]
    assert "1 updated" in error_text(run(scratch, *remedy, "--from", str(directory)))
    assert content(scratch, "outcome", "fatigue").content.model_dump()["name"] == "Tiredness"
    assert "Conflict" not in error_text(run(scratch, "seed", "--from", str(directory)))
    assert "is in no file" in error_text(run(scratch, "seed", "--take", "outcome/nothing"), 1)
    assert "TYPE/ID" in error_text(run(scratch, "seed", "--take", "fatigue"), 2)


@pytest.mark.parametrize("command", ["seed", "serve"])
def test_an_empty_database_is_refused_with_the_command_to_run(blank: Database, command: str) -> None:
    assert "The database is empty. Run: ldn-evidence migrate" in error_text(
        run(blank, command, PORT=str(free_port())), 1
    )


@pytest.mark.parametrize("command", ["migrate", "seed", "serve"])
def test_a_database_of_newer_software_is_refused(scratch: Database, command: str) -> None:
    with scratch.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from_tomorrow'"))
    assert "newer version of this software (schema from_tomorrow)" in error_text(
        run(scratch, command, PORT=str(free_port())), 1
    )


# --- check --------------------------------------------------------------------------------------------------------


def test_check_passes_the_data_set_without_a_database(tmp_path: Path) -> None:
    nowhere = f"sqlite:///{tmp_path}/never/made.db"
    assert re.match(r"\d+ records, no fault\.", error_text(run(nowhere, "check")))
    assert not (tmp_path / "never").exists()


def test_check_lists_every_fault_with_file_record_and_field(tmp_path: Path) -> None:
    damage = {
        "outcomes.yaml": ("better: lower", "better: loewer"),
        "claims.yaml": ("- ache", "- achee"),
        "mechanisms.yaml": ("mechanisms:", "mechanisms: ["),
    }
    for name, raw in small_files().items():
        (tmp_path / name).write_text(raw.replace(*damage.get(name, ("", "")), 1), encoding="utf-8")
    message = error_text(run(NO_DATABASE, "check", "--from", str(tmp_path)), 1)
    assert "3 faults in the seed data; nothing was written." in message
    assert re.search(r"outcomes.yaml:\d+:3: pain: better: .*did you mean lower", message)
    assert re.search(
        r"claims.yaml:\d+:5: drug-eases-ache: conditions\[0\]: names no condition \(did you mean ache\?\)", message
    )
    assert "mechanisms.yaml:2:1: " in message


def test_check_of_a_directory_that_is_not_there_says_so(tmp_path: Path) -> None:
    assert "no directory of seed data" in error_text(run(NO_DATABASE, "check", "--from", str(tmp_path / "nowhere")), 1)


# --- openapi ------------------------------------------------------------------------------------------------------


def test_openapi_goes_to_standard_output_as_json(tmp_path: Path) -> None:
    result = run(NO_DATABASE, "openapi")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["openapi"].startswith("3.1")
    assert run(NO_DATABASE, "openapi", "--output", str(tmp_path / "openapi.json")).stdout == ""
    assert json.loads((tmp_path / "openapi.json").read_text(encoding="utf-8")) == document


# --- serve --------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_a_started_server_migrates_seeds_and_answers(engine: Engine, seed_files: Path) -> None:
    url = engine.empty("served")
    port = free_port()
    with started(
        "serve",
        "--migrate",
        "--seed",
        DATABASE_URL=url,
        PORT=str(port),
        SHUTDOWN_DELAY_SECONDS="3",
        SEED_DIR=str(seed_files),
    ) as server:
        assert server.stderr is not None
        lines = []
        for line in server.stderr:
            lines.append(line)
            if '"listening"' in line:
                break
        assert '"listening"' in lines[-1], lines
        base = f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(f"{base}/readyz", timeout=20) as ready:  # noqa: S310 - our own server
            assert ready.status == 200
        with urllib.request.urlopen(f"{base}/v1/claims?condition=murmuria&kind=efficacy", timeout=20) as answer:  # noqa: S310
            assert json.load(answer)["items"]
        open_connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        assert _answer(open_connection, "/healthz") == (200, None)
        server.send_signal(signal.SIGTERM)
        _until_stopping(server.stderr)
        assert _answer(http.client.HTTPConnection("127.0.0.1", port, timeout=20), "/readyz") == (503, "close")
        assert _answer(open_connection, "/v1/claims/ldz-murmuria-pain") == (200, "close")
    assert server.returncode == 0


@pytest.mark.parametrize(
    ("directories", "own"),
    [((SEED,), False), ((Path("seed_data"),), False), ((SEED, Path("tea")), True), ((Path("tea"),), True)],
)
def test_other_seed_files_have_a_database_of_their_own(
    directories: tuple[Path, ...], own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    shipped = Settings().database_url
    monkeypatch.setenv("SEED_DIR", os.pathsep.join(map(str, directories)))
    assert (Settings().database_url != shipped) == own
    assert Settings().database_url == Settings(seed_dir=directories).database_url
    monkeypatch.setenv("DATABASE_URL", "sqlite:///mine.db")
    assert Settings().database_url == "sqlite:///mine.db"


def _answer(connection: http.client.HTTPConnection, path: str) -> tuple[int, str | None]:
    """Status and `Connection`."""
    connection.request("GET", path)
    with connection.getresponse() as answer:
        answer.read()
        return answer.status, answer.headers["Connection"]


def _until_stopping(log: IO[str]) -> None:
    """Read as far as the server's line that it is about to stop."""
    assert any('"stopping"' in line for line in log)


def test_a_taken_port_is_said_before_any_work_is_done(tmp_path: Path) -> None:
    database = tmp_path / "var" / "new.db"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = error_text(run(f"sqlite:///{database}", "serve", "--migrate", PORT=str(port)), 1)
    assert f"port {port} on 127.0.0.1 is taken; set PORT=..." in message
    assert not database.exists()


def test_a_path_of_the_public_address_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}",
        "PUBLIC_URL": "https://example.org/v1",
        "COLUMNS": "200",
    }
    finished = subprocess.run(
        [*PROGRAM, "serve", "--migrate"],
        cwd=ROOT,
        env={**os.environ, **given, "PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert "The path of PUBLIC_URL may not begin with /v1" in finished.stderr
    assert "Traceback" not in finished.stderr


# --- what cannot work ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value"), [("PORT", "eighty"), ("PORT", "99999"), ("POOL_SIZE", "0")])
def test_a_setting_that_cannot_be_read_is_named_but_not_shown(name: str, value: str) -> None:
    message = error_text(run(NO_DATABASE, "migrate", **{name: value}), 2)
    assert f"A setting in the environment is not usable: {name}." in message
    assert value not in message.replace(name, "")


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "mysql://u:hunter2@h/d"])
def test_a_database_url_that_cannot_be_used_is_named_but_not_shown(url: str) -> None:
    message = error_text(run(url, "migrate"), 2)
    assert "DATABASE_URL" in message
    assert "hunter2" not in message


def test_a_database_that_does_not_answer_is_said() -> None:
    message = error_text(run(f"postgresql://u:hunter2@127.0.0.1:{free_port()}/d", "migrate"), 1)
    assert "cannot be reached" in message
    assert "DATABASE_URL" in message
    assert "hunter2" not in message


def test_a_place_where_no_directory_can_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    message = error_text(run(f"sqlite:///{tmp_path}/file/new.db", "migrate"), 1)
    assert "DATABASE_URL" in message


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear all, " * 100)
    message = error_text(run(f"sqlite:///{tmp_path}/letter.db", "migrate"), 1)
    assert "DATABASE_URL" in message
    assert (tmp_path / "letter.db").read_text().startswith("Dear all")


def test_a_directory_that_cannot_be_written_to_is_said() -> None:
    """Run as nobody where the tests run as root, whom no permission stops."""
    program = (
        "import os, alembic.command, sqlalchemy.dialects.sqlite; from app.cli import app; "
        "os.geteuid() or os.seteuid(65534); app(['migrate'])"
    )
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o555)
        finished = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": f"sqlite:///{home}/new.db", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        home.chmod(0o755)
    assert "database_read_only" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1
    assert finished.returncode == 1
