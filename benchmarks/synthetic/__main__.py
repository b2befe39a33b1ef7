"""Fill an empty, migrated database with synthetic records: `python -m benchmarks.synthetic --claims 10000`."""

import argparse
import sys

from app.settings import settings
from app.storage.database import Database
from benchmarks.synthetic.fill import fill


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=10_000, help="how many claims; the rest follows")
    parser.add_argument("--seed", type=int, default=1, help="the same number gives the same data")
    options = parser.parse_args()
    report = fill(Database(settings().database_url, statement_timeout_ms=0), options.claims, options.seed)
    sys.stderr.write(f"{report}\n")


if __name__ == "__main__":
    main()
