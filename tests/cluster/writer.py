"""Publishes one edit after the other until its input ends; prints serial and words of each acknowledged one.

python -m tests.cluster.writer URL
"""

import select
import sys
import time

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.storage.database import Database
from tests.factories import amended, content, put

PAUSE_SECONDS = 0.02


def publish_until_told(database: Database) -> None:
    number = 0
    while not select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
        number += 1
        words = f"Words {number}."
        try:
            outcome = put(database, amended(content(database, "outcome", "pain"), description=words))
        except (DBAPIError, PoolTimeout):
            time.sleep(10 * PAUSE_SECONDS)  # whether it was kept is not known: never acknowledged, so no promise
            continue
        print(outcome.serial, words, flush=True)


if __name__ == "__main__":
    publish_until_told(Database(sys.argv[1]))
