"""The primary freezes, and what reads from the standby goes on. It dies under load, the standby takes its place, and
nobody is told anything that was not so."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from app.settings import ROOT
from app.storage.database import Database
from app.storage.history import RecordState
from tests.cluster.cluster import Answer, Cluster
from tests.conftest import opened
from tests.serving import eventually

pytestmark = pytest.mark.cluster

PATH = "/v1/outcomes/pain"
OTHERS = ("/v1/claims?condition=ache", "/v1/claims/drug-eases-ache", "/v1/search?q=ache")
READERS = 3
MANY = 60
"""More than the threads of a process."""


@dataclass
class Writer:
    """The process that publishes, and what was acknowledged to it: serial → words."""

    process: subprocess.Popen[str]
    acknowledged: dict[int, str] = field(default_factory=dict)

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            serial, words = line.rstrip("\n").split(maxsplit=1)
            self.acknowledged[int(serial)] = words


@contextmanager
def writing(url: str) -> Iterator[Writer]:
    command = [sys.executable, "-m", "tests.cluster.writer", url]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        writer = Writer(process)
        listener = threading.Thread(target=writer.listen)
        listener.start()
        try:
            yield writer
        finally:
            assert process.stdin is not None
            process.stdin.close()
            listener.join()


@dataclass
class Reader:
    """A client that asks every process in turn, and never wants to see less than it has seen."""

    cluster: Cluster
    answers: list[tuple[int, str, Answer]] = field(default_factory=list)
    broken: list[OSError] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    seen: int = 0
    failures: int = 0

    def read(self) -> None:
        turn = 0
        while not self.stopping.is_set():
            turn += 1
            api = self.cluster.apis[turn % len(self.cluster.apis)]
            path = PATH if turn % 4 < 2 else OTHERS[turn % len(OTHERS)]
            try:
                answer = api.get(path, self.seen)
            except OSError as error:
                self.broken.append(error)
                continue
            self.answers.append((self.seen, path, answer))
            if answer.status == 200:
                self.seen = max(self.seen, answer.serial)
            else:
                self.failures += 1
            self.stopping.wait(0.02)


@contextmanager
def reading(cluster: Cluster) -> Iterator[list[Reader]]:
    readers = [Reader(cluster) for _ in range(READERS)]
    threads = [threading.Thread(target=reader.read) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        yield readers
    finally:
        for reader in readers:
            reader.stopping.set()
        for thread in threads:
            thread.join()


def test_reads_from_the_standby_go_on_while_the_primary_is_frozen(cluster: Cluster) -> None:
    api = cluster.apis[1]
    newest = api.get(PATH).serial
    with cluster.frozen_primary(), ThreadPoolExecutor(MANY) as crowd:
        in_vain = [crowd.submit(api.get, PATH, newest + 1) for _ in range(MANY)]
        probes = [crowd.submit(api.get, "/readyz") for _ in range(4)]
        eventually("the crowd is turned away", lambda: sum(one.done() for one in in_vain) > MANY // 2)
        assert {api.get(path).status for path in (PATH, *OTHERS, "/healthz") for _ in range(5)} == {200}
    assert {one.result().status for one in in_vain} == {503}
    assert {one.result().status for one in probes} <= {200, 503}
    eventually("all is well again", lambda: {one.get("/readyz").status for one in cluster.apis} == {200})


def test_a_promotion_under_load_loses_nothing_and_never_goes_back(cluster: Cluster) -> None:
    with writing(cluster.pooler.url("evidence")) as writer, reading(cluster) as readers:
        eventually("the load runs", lambda: len(writer.acknowledged) >= 20)
        cluster.kill_primary()
        at_death = max(writer.acknowledged)
        eventually("readers meet the failure", lambda: all(reader.failures for reader in readers))
        cluster.promote_standby()
        cluster.pooler.lead(writes=cluster.standby.port, reads=cluster.standby.port)
        eventually("publications go on", lambda: max(writer.acknowledged) >= at_death + 10)
        eventually("reads go on", lambda: all(reader.seen > at_death for reader in readers))

    with opened(cluster.pooler.url("evidence")) as database:
        told = history(database)
    assert {serial for serial, words in writer.acknowledged.items() if told.get(serial) != words} == set()
    for reader in readers:
        assert reader.broken == []
        assert {answer.status for _, _, answer in reader.answers} <= {200, 503}
        for least, path, answer in reader.answers:
            if answer.status == 200:
                assert answer.serial >= least
                assert path != PATH or answer.body["description"] == told[answer.serial]
    newest = max(told)
    for api in cluster.apis:
        assert api.get(PATH, newest).serial == newest
        eventually("it shows the newest to everybody", lambda: api.get(PATH).serial == newest)  # noqa: B023 - runs now
        assert api.get("/readyz").body == {"status": "ready", "serial": newest, "write_fault": None}


def history(database: Database) -> dict[int, str]:
    """Serial → words, as the data set tells its own history."""
    statement = select(RecordState.serial, RecordState.content).where(
        RecordState.type == "outcome", RecordState.id == "pain"
    )
    with database.read() as session:
        return {serial: json.loads(content)["description"] for serial, content in session.execute(statement)}
