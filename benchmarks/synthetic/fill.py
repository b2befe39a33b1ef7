"""Fills an empty database with synthetic records, many at a time, as publishing them one by one would.

`facts` draws what records say, `specimens` publishes one record of each pattern and cuts it into templates, `rows`
fills the templates in other processes, and here the rows are written. `tests/benchmarks/test_synthetic.py` compares
every table with what `publish` makes of the same contents.
"""

import contextlib
import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import forkserver
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from app.accounts.models import SEED
from app.accounts.service import ensure_system_actors
from app.bibliography import formatted
from app.claims.models import Citation
from app.core.errors import InvalidInput
from app.publishing import index_state
from app.registry import FILTERS
from app.search import facets
from app.storage import filter_index as filters
from app.storage.database import CHANNEL, Database
from app.storage.history import Publication, Release
from benchmarks.synthetic.bulk import BulkWriter, bulk_connection
from benchmarks.synthetic.facts import FactGenerator, Size
from benchmarks.synthetic.rows import CitationKeys, ConceptCounts, RowBatch, RowMaker
from benchmarks.synthetic.specimens import PUBLISHED_AT, Templates, make_templates

_BATCH = 128
_BATCHES_AHEAD = 4
_SMALL = 2_000
"""Claims up to which a second process costs more than it saves."""


@dataclass(frozen=True)
class FillReport:
    """How many rows were written to each table, indexes apart, and how long it took."""

    rows: Counter[str]
    claims: int
    seconds: float

    def __str__(self) -> str:
        total = self.rows.total()
        rates = f"{total / self.seconds:.0f} rows/s, {self.claims / self.seconds:.0f} claims/s"
        return f"{total} rows in {self.seconds:.0f} s: {rates}."


def fill(database: Database, claims: int, seed: int, processes: int | None = None) -> FillReport:
    """Fill an empty, migrated database. The contents follow from `claims` and `seed` alone."""
    start = time.perf_counter()
    size = Size(claims)
    with bulk_connection(database) as connection:
        _publish_empty(connection)
        with _workers(seed, size, processes or len(os.sched_getaffinity(0))) as (executor, maker):
            writer = BulkWriter(connection)
            _write_all(writer, executor, maker)
        with Session(connection, join_transaction_mode="control_fully") as session:
            formatted.rebuild(session)
            index_state.advance(session, 1)
            session.commit()
        if not database.is_sqlite:
            connection.execute(select(func.pg_notify(CHANNEL, "1")))
            connection.commit()
    return FillReport(writer.row_counts, claims, time.perf_counter() - start)


def _publish_empty(connection: Connection) -> None:
    """Add the one publication that everything belongs to, as the first release."""
    if connection.scalar(select(Publication.serial).limit(1)) is not None:
        raise InvalidInput("The database holds records already; synthetic ones go into an empty database.")
    with Session(connection, join_transaction_mode="control_fully") as session:
        ensure_system_actors(session)
        session.add(Publication(serial=1, at=PUBLISHED_AT, actor=SEED.id, note="Synthetic data"))
        session.flush()
        session.add(Release(name="synthetic", serial=1, published_on=PUBLISHED_AT[:10], note="Synthetic data"))
        session.commit()


def _write_all(writer: BulkWriter, executor: Executor, maker: RowMaker) -> None:
    """Rows of sources, then claims, then the records of sources and concepts, which count the claims."""
    size, counts = maker.size, ConceptCounts()

    def write(make: Callable[..., RowBatch], batches: Iterable[tuple[Any, ...]]) -> None:
        for batch in _in_order(executor, make, batches):
            writer.write(batch.rows, batch.words)
            counts.update(batch.counts)

    writer.write(maker.concepts().rows)
    write(RowMaker.sources, ((numbers,) for numbers in _batches(size.studies)))
    write(RowMaker.claims, ((numbers,) for numbers in _batches(size.claims)))
    writer.create_indexes("citations")
    write(
        RowMaker.source_records,
        ((numbers, _citations_of(writer.connection, numbers)) for numbers in _batches(size.studies)),
    )
    records = maker.concept_records(counts)
    writer.write(records.rows, records.words)
    writer.finish()
    with Session(writer.connection, join_transaction_mode="control_fully") as session:
        filters.rebuild(session, FILTERS)
        facets.rebuild(session)
        session.commit()


def _batches(count: int) -> list[range]:
    return [range(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH)]


def _citations_of(connection: Connection, studies: range) -> list[CitationKeys]:
    """Which claims cite these studies, in the order of studies."""
    rows = connection.execute(
        select(Citation.study_pk, Citation.claim_pk)
        .where(Citation.study_pk > studies.start, Citation.study_pk <= studies.stop)
        .order_by(Citation.study_pk, Citation.claim_pk)
    )
    return [(study or 0, claim) for study, claim in rows]


# --- processes ----------------------------------------------------------------------------------------------------

_maker: RowMaker
"""Of this process: it holds all that can be remembered, so that tasks need not carry it along."""


@contextlib.contextmanager
def _workers(seed: int, size: Size, processes: int) -> Iterator[tuple[Executor, RowMaker]]:
    """What runs the tasks, and a maker for this process."""
    generator = FactGenerator(seed, size)
    if processes < 2 or size.claims <= _SMALL:
        patterns = {generator.topic(number).pattern for number in range(min(size.claims, _SMALL))}
        templates = make_templates(generator, patterns)
        _start_worker(seed, size, templates)
        yield _InlineExecutor(), _maker
        return
    # A fork would share the open database. The server loads this software once, while templates are made here.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    forkserver.ensure_running()
    templates = make_templates(generator, range(len(generator.patterns)))
    pool = ProcessPoolExecutor(processes, context, initializer=_start_worker, initargs=(seed, size, templates))
    try:
        yield pool, RowMaker(generator, templates, size)
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(seed: int, size: Size, templates: Templates) -> None:
    global _maker
    _maker = RowMaker(FactGenerator(seed, size), templates, size)


def _call(make: Callable[..., RowBatch], *args: Any) -> RowBatch:
    return make(_maker, *args)


class _InlineExecutor(Executor):
    """Runs a task at once and in this process."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(call(*args, **kwargs))
        return future


def _in_order(
    executor: Executor, make: Callable[..., RowBatch], tasks: Iterable[tuple[Any, ...]]
) -> Iterator[RowBatch]:
    """Results in the order of the tasks. Only a few are ever ahead, so that memory stays bounded."""
    waiting: deque[Future[RowBatch]] = deque()
    for task in tasks:
        waiting.append(executor.submit(_call, make, *task))
        if len(waiting) >= _BATCHES_AHEAD:
            yield waiting.popleft().result()
    for future in waiting:
        yield future.result()
