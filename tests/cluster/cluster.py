"""Everything that production has, on one machine: primary, streaming standby, pooler, and processes of the API."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

from app.settings import ROOT
from tests.postgres import RunAs, Server, create_database, free_port, initdb, libpq_url, prepare, serving
from tests.serving import eventually

PATIENCE_SECONDS = 90
"""How long anything may take on a busy machine before the test gives up."""
PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
POOLER = """\
[databases]
evidence = host=127.0.0.1 port={writes} dbname=evidence user=postgres
evidence_read = host=127.0.0.1 port={reads} dbname=evidence user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
auth_type = any
pool_mode = transaction
default_pool_size = 10
query_wait_timeout = 3
server_connect_timeout = 2
server_login_retry = 1
"""


@dataclass
class Pooler:
    """pgbouncer in transaction mode; `evidence` leads to the primary, `evidence_read` to the standby."""

    process: subprocess.Popen[bytes]
    file: Path
    port: int

    def lead(self, writes: int, reads: int) -> None:
        """Lead to these ports from now on."""
        self.file.write_text(POOLER.format(port=self.port, writes=writes, reads=reads))
        self.process.send_signal(signal.SIGHUP)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://anybody@127.0.0.1:{self.port}/{database}"


@dataclass(frozen=True)
class Answer:
    status: int
    serial: int
    body: dict[str, Any]


@dataclass
class Api:
    """A process of the API."""

    process: subprocess.Popen[bytes]
    port: int

    def get(self, path: str, least: int = 0) -> Answer:
        """The answer, from a connection of its own; a refused or broken connection raises."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", path, headers={"Min-Dataset-Serial": str(least)} if least else {})
            answer = connection.getresponse()
            body = json.loads(answer.read())
            return Answer(answer.status, int(answer.headers.get("Dataset-Serial", 0)), body)
        finally:
            connection.close()


@dataclass
class Cluster:
    binaries: Path
    run_as: RunAs
    primary: Server
    standby: Server
    standby_data: Path
    pooler: Pooler
    apis: list[Api] = field(default_factory=list)

    def ask(self, server: Server, statement: str) -> Any:
        """The first value that a server answers."""
        with psycopg.connect(libpq_url(server.url), autocommit=True, connect_timeout=5) as connection:
            found = connection.execute(statement.encode())
            row = found.fetchone() if found.description else None
        return row[0] if row else None

    def kill_primary(self) -> None:
        self.primary.process.kill()
        self.primary.process.wait()

    @contextmanager
    def frozen_primary(self) -> Iterator[None]:
        """It neither answers nor goes away, as on a machine that swaps or whose disk hangs."""
        postmaster = self.primary.process.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        stopped = [postmaster, *map(int, children)]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    def promote_standby(self) -> None:
        command = [str(self.binaries / "pg_ctl"), "promote", "--wait", "--pgdata", str(self.standby_data)]
        subprocess.run(command, cwd="/", check=True, capture_output=True, **self.run_as)


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A migrated, empty data set on a primary that acknowledges nothing before the standby has it."""
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is missing; on Debian and Ubuntu: apt-get install pgbouncer")
    with TemporaryDirectory(prefix="evidence-cluster-") as name, ExitStack() as stack:
        home = Path(name)
        binaries, run_as = prepare(home)
        data, copy = home / "state" / "primary", home / "state" / "standby"
        initdb(binaries / "initdb", data, run_as)
        primary = stack.enter_context(serving(binaries / "postgres", data, run_as))
        create_database(primary.url, "evidence")
        _copy(binaries, primary, copy, run_as)
        standby = stack.enter_context(serving(binaries / "postgres", copy, run_as))
        pooler = stack.enter_context(_pooler(home / "state", run_as, primary, standby))
        cluster = Cluster(binaries, run_as, primary, standby, copy, pooler)
        _acknowledge_only_what_is_copied(cluster)
        _command("migrate", DATABASE_URL=pooler.url("evidence"))
        either = f"host=127.0.0.1,127.0.0.1&port={primary.port},{standby.port}&target_session_attrs=read-write"
        address = {
            "DATABASE_URL": pooler.url("evidence"),
            "DATABASE_LISTEN_URL": f"postgresql://postgres@/evidence?{either}",
        }
        for further in ({}, {"DATABASE_READ_URL": pooler.url("evidence_read")}):
            log = home / f"api-{len(cluster.apis)}.log"
            cluster.apis.append(stack.enter_context(_api(log, **address, **further)))
        yield cluster


def _copy(binaries: Path, primary: Server, target: Path, run_as: RunAs) -> None:
    options = ["--write-recovery-conf", "--checkpoint=fast", "--username=postgres", "--host=127.0.0.1"]
    command = [str(binaries / "pg_basebackup"), *options, f"--port={primary.port}", "--pgdata", str(target)]
    subprocess.run(command, cwd="/", check=True, capture_output=True, **run_as)


def _acknowledge_only_what_is_copied(cluster: Cluster) -> None:
    cluster.ask(cluster.primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
    cluster.ask(cluster.primary, "SELECT pg_reload_conf()")
    in_step = "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
    eventually("the standby follows", lambda: bool(cluster.ask(cluster.primary, in_step)))


@contextmanager
def _pooler(directory: Path, run_as: RunAs, primary: Server, standby: Server) -> Iterator[Pooler]:
    file = directory / "pgbouncer.ini"
    port = free_port()
    file.write_text(POOLER.format(port=port, writes=primary.port, reads=standby.port))
    file.chmod(0o644)
    with (directory / "pgbouncer.log").open("w") as log:
        process = subprocess.Popen(
            [str(PGBOUNCER), file],
            cwd=directory,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **run_as,
        )
    pooler = Pooler(process, file, port)
    try:
        eventually("the pooler answers", lambda: _answers(pooler.url("evidence")))
        yield pooler
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        psycopg.connect(libpq_url(url), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _command(*arguments: str, **environment: str) -> None:
    command = [sys.executable, "-m", "app.cli", *arguments]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True, capture_output=True)


@contextmanager
def _api(log: Path, **environment: str) -> Iterator[Api]:
    port = free_port()
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"],
            cwd=ROOT,
            env={**os.environ, **environment, "PORT": str(port)},
            stdout=output,
            stderr=output,
        )
    api = Api(process, port)
    try:
        eventually("the API starts or ends", lambda: _lives(api) or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield api
    finally:
        process.terminate()
        process.wait()


def _lives(api: Api) -> bool:
    try:
        return api.get("/healthz").status == 200
    except OSError:
        return False
