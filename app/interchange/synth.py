"""Filling an empty database with synthetic records, many at a time, as publishing them one by one would.

Contents, grades and documents come from the same models and functions as everywhere; only the way into the tables is
shorter. `tests/interchange/test_synth.py` holds every table against what `publish` makes of the same contents.
"""

import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from app.accounts.models import SEED
from app.accounts.service import ensure_system_actors
from app.core.database import CHANNEL, Database
from app.core.errors import InvalidInput
from app.core.history import Publication, Release
from app.evidence.models import Citation, Claim
from app.interchange.bulk import BulkWriter, continue_keys, unhurried
from app.interchange.synth_rows import AT, SERIAL, Cited, Made, Maker, Numbers
from app.interchange.synthetic import EIGHT, Contents, Size

Progress = Callable[[int, int], None]

_BATCH = 50 * EIGHT


@dataclass(frozen=True)
class Report:
    """How many rows went into each table, and how long it took."""

    rows: Counter[str]
    claims: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        return self.rows.total() / self.seconds

    @property
    def claims_per_second(self) -> float:
        return self.claims / self.seconds


def synth(
    database: Database, claims: int, seed: int, progress: Progress | None = None, processes: int | None = None
) -> Report:
    """Fill an empty, migrated database. What it says follows from `claims` and `seed` alone.

    Written in many transactions: a run that was interrupted leaves a database to throw away.
    """
    started = time.perf_counter()
    size = Size(claims)
    with unhurried(database) as connection:
        _begin(connection)
        writer = BulkWriter(connection)
        pool = _pool(seed, size, len(os.sched_getaffinity(0)) if processes is None else processes)
        try:
            _fill(writer, pool, Maker(Contents(seed, size)), progress or (lambda _done, _total: None))
        finally:
            pool.shutdown(cancel_futures=True)
        if not database.is_sqlite:
            continue_keys(connection)
            connection.execute(select(func.pg_notify(CHANNEL, str(SERIAL))))
            connection.commit()
    return Report(writer.rows, claims, time.perf_counter() - started)


def _begin(connection: Connection) -> None:
    """The one publication that everything belongs to, as its first release."""
    if connection.scalar(select(Publication.serial).limit(1)) is not None:
        raise InvalidInput("The database holds records already; synthetic ones go into an empty database.")
    with Session(connection, join_transaction_mode="control_fully") as session:
        ensure_system_actors(session)
        session.add(Publication(serial=SERIAL, at=AT, actor=SEED.id, note="Synthetic data"))
        session.flush()
        session.add(Release(name="synthetic", serial=SERIAL, published_on=AT[:10], note="Synthetic data"))
        session.commit()


def _fill(writer: BulkWriter, pool: Executor, maker: Maker, progress: Progress) -> None:
    """Rows of sources, then claims, then the records of sources and concepts, which count the claims."""
    size = maker.contents.size
    sources, claims = _batches(size.studies), _batches(size.claims)
    total, done = 2 * size.studies + size.claims, 0
    counted: Numbers = Counter()
    writer.write(maker.concepts().rows)
    steps: tuple[tuple[Callable[..., Made], Iterable[tuple[Any, ...]]], ...] = (
        (_make_sources, ((batch,) for batch in sources)),
        (_make_claims, ((batch,) for batch in claims)),
        (_make_source_records, ((batch, _cited(writer.connection, batch)) for batch in sources)),
    )
    for task, batches in steps:
        for number, made in _in_order(pool, task, batches):
            writer.write(made.rows, made.words)
            counted.update(made.counted)
            done += number
            progress(done, total)
    made = maker.concept_records(counted)
    writer.write(made.rows, made.words)


def _batches(count: int) -> list[range]:
    return [range(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH)]


def _cited(connection: Connection, studies: range) -> list[Cited]:
    """Who cites these studies, study by study."""
    rows = connection.execute(
        select(Citation.study_pk, Citation.claim_pk, Citation.stance, Claim.kind, Claim.consensus)
        .join(Claim, Claim.pk == Citation.claim_pk)
        .where(Citation.study_pk > studies.start, Citation.study_pk <= studies.stop)
        .order_by(Citation.study_pk, Citation.claim_pk)
    )
    return [(study or 0, claim, stance, kind, consensus) for study, claim, stance, kind, consensus in rows]


# --- processes ----------------------------------------------------------------------------------------------------

_maker: Maker
"""Of this process: it holds all that can be remembered, and tasks need not carry it along."""


def _start(seed: int, size: Size) -> None:
    global _maker
    _maker = Maker(Contents(seed, size))


def _make_sources(batch: range) -> Made:
    return _maker.sources(batch)


def _make_claims(batch: range) -> Made:
    return _maker.claims(batch)


def _make_source_records(batch: range, cited: Sequence[Cited]) -> Made:
    return _maker.source_records(batch, cited)


class _Here(Executor):
    """Runs at once and in this process: for small sizes, where a second one costs more than it gives."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(call(*args, **kwargs))
        return future


def _pool(seed: int, size: Size, processes: int) -> Executor:
    if processes < 2 or size.claims < 10 * _BATCH:
        _start(seed, size)
        return _Here()
    context = multiprocessing.get_context("spawn")  # a fork would share the open database
    return ProcessPoolExecutor(processes, context, initializer=_start, initargs=(seed, size))


def _in_order(
    pool: Executor, task: Callable[..., Made], batches: Iterable[tuple[Any, ...]], ahead: int = 6
) -> Iterator[tuple[int, Made]]:
    """Sizes and results in the order of the batches; only a few are ever ahead, so that memory stays bounded."""
    waiting: deque[tuple[int, Future[Made]]] = deque()
    for batch in batches:
        waiting.append((len(batch[0]), pool.submit(task, *batch)))
        if len(waiting) >= ahead:
            size, future = waiting.popleft()
            yield size, future.result()
    for size, future in waiting:
        yield size, future.result()
