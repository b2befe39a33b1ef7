"""Runs a PostgreSQL server for as long as any process holds the lease, then removes its directory.

A lease is a shared lock on a file. The system releases it when its process ends, in whichever way, so that a killed
test run leaves no server behind. Called by `tests.postgres.shared_postgres`:
`postgres_keeper.py LEASE STATE HOME USER GROUP COMMAND...`; nothing but the standard library, to start at once.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(lease: str, state: str, home: str, user: str, group: str, *command: str) -> None:
    if os.fork():
        return  # whoever called goes on at once, and has no child to wait for
    os.setsid()  # Ctrl-C and the end of the terminal are for the tests
    run_as: dict[str, Any] = {"user": int(user), "group": int(group), "extra_groups": []} if user else {}
    with Path(lease).open("a") as file, (Path(home) / "postgres.log").open("w") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, cwd="/", start_new_session=True, **run_as
        )
        fcntl.flock(file, fcntl.LOCK_EX)
        Path(state).unlink(missing_ok=True)
        server.send_signal(signal.SIGQUIT)
        server.wait()
        shutil.rmtree(home)


if __name__ == "__main__":
    main(*sys.argv[1:])
