"""Fill an empty, migrated database with synthetic records: `python -m benchmarks.synthetic --claims 10000`."""

import argparse
import sys

from app.settings import settings
from app.storage.database import Database
from benchmarks.synthetic.fill import synth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=10_000, help="how many claims; the rest follows")
    parser.add_argument("--seed", type=int, default=1, help="the same number gives the same data")
    given = parser.parse_args()
    made = synth(Database(settings().database_url, statement_timeout_ms=0), given.claims, given.seed)
    sys.stderr.write(
        f"{made.rows.total()} rows in {made.seconds:.0f} s: {made.rows_per_second:.0f} rows/s, "
        f"{made.claims_per_second:.0f} claims/s.\n"
    )


if __name__ == "__main__":
    main()
