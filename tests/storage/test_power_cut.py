"""A power cut: of what SQLite wrote only that survives which it had the system write to the disk before it went on.

A library that is loaded into the server copies every file of the database at the moment of its fsync. What is counted
in the copies was there when the power went. `kill -9` proves nothing of this: the system still has what was written.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.settings import ROOT
from tests.conftest import Engines
from tests.serving import eventually

COMPILER = shutil.which("cc") or ""
WRITERS, SECONDS = 2, 2

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void keep(int fd) {
  char link[64], name[4096], target[8192], part[8200], block[65536];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, name, sizeof name - 1);
  if (length < 0) return;
  name[length] = 0;
  char *base = strrchr(name, '/');
  if (!base || !strstr(base, ".db") || strstr(base, "-shm")) return;
  snprintf(target, sizeof target, "%s%s", getenv("AFTER_THE_CUT"), base);
  snprintf(part, sizeof part, "%s.%d", target, getpid());
  int in = open(link, O_RDONLY), out = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  for (ssize_t n; (n = pread(in, block, sizeof block, lseek(in, 0, SEEK_CUR))) > 0; lseek(in, n, SEEK_CUR))
    if (write(out, block, n) != n) abort();
  close(out);
  rename(part, target);
}
#define WATCH(call) int call(int fd) { \
  int (*real)(int) = dlsym(RTLD_NEXT, #call); int result = real(fd); keep(fd); return result; }
WATCH(fsync)
WATCH(fdatasync)
"""
WRITER = """
import sys
from app.storage.database import Database
from app.storage.replay import count_feedback
import app.tables
number, url = int(sys.argv[1]), sys.argv[2]
database = Database(url, statement_timeout_ms=30_000)
while True:
    with database.write() as session:
        count_feedback(session, str(number), "accepted", "")
    print("x", end="", flush=True)
"""


@pytest.mark.skipif(not COMPILER, reason="needs a C compiler")
@pytest.mark.parametrize("synchronous", ["FULL", "OFF"])
def test_what_was_acknowledged_survives_a_power_cut(engines: Engines, tmp_path: Path, synchronous: str) -> None:
    """With OFF, which this software never sets, the same test finds losses."""
    source, shim, after = tmp_path / "shim.c", tmp_path / "shim.so", tmp_path / "after"
    source.write_text(SHIM)
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    after.mkdir()
    file = Path(engines("sqlite").small(f"power{synchronous}").removeprefix("sqlite:///"))
    shutil.copyfile(file, after / file.name)
    program = WRITER.replace("while True", f"{_set(synchronous)}while True")
    environment = {**os.environ, "LD_PRELOAD": str(shim), "AFTER_THE_CUT": str(after)}
    acks = [tmp_path / str(number) for number in range(WRITERS)]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(number), f"sqlite:///{file}"],
            cwd=ROOT, env=environment, stdout=descriptor,
        )
        for number, descriptor in enumerate(_written(acks))
    ]  # fmt: skip
    eventually("all write", lambda: all(path.stat().st_size for path in acks))
    time.sleep(SECONDS)
    for sign in (signal.SIGSTOP, signal.SIGKILL):
        for writer in writers:
            writer.send_signal(sign)
    for writer in writers:
        writer.wait()
    acknowledged = sum(path.stat().st_size for path in acks)
    with closing(sqlite3.connect(after / file.name)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        survived = connection.execute("SELECT coalesce(sum(count), 0) FROM feedback_counts").fetchone()[0]
    print(f"{acknowledged} acknowledged, {survived} survived")
    assert (survived >= acknowledged) == (synchronous == "FULL")


def _written(paths: list[Path]) -> Iterator[int]:
    """Each file, open for a child."""
    for path in paths:
        with path.open("wb") as file:
            yield file.fileno()


def _set(synchronous: str) -> str:
    """Lets the writer run with another setting than the software's own."""
    if synchronous == "FULL":
        return ""
    statement = f"PRAGMA synchronous={synchronous}"
    return (
        "from sqlalchemy import event\n"
        f"event.listen(database.engine, 'checkout', lambda c, *_: c.execute('{statement}').fetchall())\n"
    )
