"""Filling an empty database with synthetic records, many at a time, as publishing them one by one would.

`draws` draws what they say, `specimens` publishes one of each make, `rows` fills the others in, worker
by worker, and here the rows are written. `tests/benchmarks/test_synthetic.py` holds every table against what `publish`
makes of the same contents.
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
from app.claims.models import Citation
from app.core.errors import InvalidInput
from app.registry import FILTERS
from app.search import facets
from app.search.models import SearchFacet, SearchWord
from app.storage import filter_index as filters
from app.storage.database import CHANNEL, Database
from app.storage.history import Publication, Release
from benchmarks.synthetic.bulk import BulkWriter, unhurried
from benchmarks.synthetic.draws import Draws, Size
from benchmarks.synthetic.rows import Cites, Made, Maker, Numbers
from benchmarks.synthetic.specimens import AT, Templates, make_templates

Progress = Callable[[int, int], None]

_BATCH = 128
_SMALL = 2_000
"""Claims up to which a second process costs more than it gives."""


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
    """Fill an empty, migrated database. What it says follows from `claims` and `seed` alone."""
    started = time.perf_counter()
    size = Size(claims)
    with unhurried(database) as connection:
        _begin(connection)
        with _workers(seed, size, len(os.sched_getaffinity(0)) if processes is None else processes) as (pool, maker):
            writer = BulkWriter(connection)
            _fill(writer, pool, maker, progress or (lambda _done, _total: None))
        if not database.is_sqlite:
            connection.execute(select(func.pg_notify(CHANNEL, "1")))
            connection.commit()
    return Report(writer.rows, claims, time.perf_counter() - started)


def _begin(connection: Connection) -> None:
    """The one publication that everything belongs to, as its first release."""
    if connection.scalar(select(Publication.serial).limit(1)) is not None:
        raise InvalidInput("The database holds records already; synthetic ones go into an empty database.")
    with Session(connection, join_transaction_mode="control_fully") as session:
        ensure_system_actors(session)
        session.add(Publication(serial=1, at=AT, actor=SEED.id, note="Synthetic data"))
        session.flush()
        session.add(Release(name="synthetic", serial=1, published_on=AT[:10], note="Synthetic data"))
        session.commit()


def _fill(writer: BulkWriter, pool: Executor, maker: Maker, progress: Progress) -> None:
    """Rows of sources, then claims, then the records of sources and concepts, which count the claims."""
    size = maker.size
    sources, claims = _batches(size.studies), _batches(size.claims)
    step = 1 + size.claims // 20
    total, done = 2 * size.studies + size.claims + writer.missing * step, 0
    counted: Numbers = Counter()

    def advance(by: int) -> None:
        nonlocal done
        done += by
        progress(done, total)

    def load(make: Callable[..., Made], batches: Iterable[tuple[Any, ...]]) -> None:
        for number, made in _in_order(pool, make, batches):
            writer.write(made.rows, made.words)
            counted.update(made.counted)
            advance(number)

    writer.write(maker.concepts().rows)
    load(Maker.sources, ((batch,) for batch in sources))
    load(Maker.claims, ((batch,) for batch in claims))
    for _ in writer.index("citations"):
        advance(step)
    load(Maker.source_records, ((batch, _cites(writer.connection, batch)) for batch in sources))
    made = maker.concept_records(counted)
    writer.write(made.rows, made.words)
    for _ in writer.index():
        advance(step)
    writer.finish()
    with Session(writer.connection, join_transaction_mode="control_fully") as session:
        filters.rebuild(session, FILTERS)
        facets.rebuild(session)
        for table in (filters.FilterRow, filters.FilterBits, filters.FilterEntry, SearchFacet, SearchWord):
            writer.rows[table.__tablename__] = session.scalar(select(func.count()).select_from(table)) or 0
        session.commit()


def _batches(count: int) -> list[range]:
    return [range(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH)]


def _cites(connection: Connection, studies: range) -> list[Cites]:
    """Which claims cite these studies, study by study."""
    rows = connection.execute(
        select(Citation.study_pk, Citation.claim_pk)
        .where(Citation.study_pk > studies.start, Citation.study_pk <= studies.stop)
        .order_by(Citation.study_pk, Citation.claim_pk)
    )
    return [(study or 0, claim) for study, claim in rows]


# --- processes ----------------------------------------------------------------------------------------------------

_maker: Maker
"""Of this process: it holds all that can be remembered, and tasks need not carry it along."""


@contextlib.contextmanager
def _workers(seed: int, size: Size, processes: int) -> Iterator[tuple[Executor, Maker]]:
    """Who makes rows, and what it takes in this process."""
    global _maker
    draws = Draws(seed, size)
    if processes < 2 or size.claims <= _SMALL:
        patterns = {draws.about(number).pattern for number in range(min(size.claims, _SMALL))}
        _maker = Maker(draws, make_templates(draws, patterns), size)
        yield _Here(), _maker
        return
    # A fork would share the open database. The server loads this software once, while templates are made here.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    forkserver.ensure_running()
    templates = make_templates(draws, range(len(draws.patterns)))
    pool = ProcessPoolExecutor(processes, context, initializer=_start, initargs=(seed, size, templates))
    try:
        yield pool, Maker(draws, templates, size)
    finally:
        pool.shutdown(cancel_futures=True)


def _start(seed: int, size: Size, templates: Templates) -> None:
    global _maker
    _maker = Maker(Draws(seed, size), templates, size)


def _call(make: Callable[..., Made], *args: Any) -> Made:
    return make(_maker, *args)


class _Here(Executor):
    """Runs at once and in this process."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(call(*args, **kwargs))
        return future


def _in_order(
    pool: Executor, make: Callable[..., Made], batches: Iterable[tuple[Any, ...]], ahead: int = 4
) -> Iterator[tuple[int, Made]]:
    """Sizes and results in the order of the batches; only a few are ever ahead, so that memory stays bounded."""
    waiting: deque[tuple[int, Future[Made]]] = deque()
    for batch in batches:
        waiting.append((len(batch[0]), pool.submit(_call, make, *batch)))
        if len(waiting) >= ahead:
            size, future = waiting.popleft()
            yield size, future.result()
    for size, future in waiting:
        yield size, future.result()
