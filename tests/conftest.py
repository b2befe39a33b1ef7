"""Databases for tests: migrated and seeded once on each engine, then shared for reading or copied for writing."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.datasets.seed import seed
from app.main import create_app, guarded
from app.publishing import indexes as projections
from app.settings import ROOT, Settings
from app.storage.database import Database
from tests import factories
from tests.contract.golden.recording import frozen_clock
from tests.originals import copy_original
from tests.postgres import build_data, create_database, drop_database, running_postgres, shared_postgres

ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))
SEED = ROOT / "seed_data"


@dataclass(frozen=True)
class Engine:
    """A kind of database. Every copy belongs to its caller, who may drop it when it is done with."""

    name: str
    original: str
    """URL of a migrated and seeded database that is never written to."""
    copy: Callable[[str], str]
    """Makes a copy of the original under a name; its URL."""
    small: Callable[[str], str]
    """Makes a copy of a database that holds the small world of `tests/factories.py`; its URL."""
    empty: Callable[[str], str]
    """Makes a database without any table; its URL."""
    drop: Callable[[str], None]
    """Removes a database by its URL."""


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server that TEST_DATABASE_URL names, or one that all workers of this run share."""
    if "TEST_DATABASE_URL" in os.environ:
        with running_postgres() as url:
            yield url
        return
    directory = tmp_path_factory.getbasetemp()
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))
    if workers:
        directory = directory.parent

    def put_data(target: Path) -> None:
        copy_original("postgresql", lambda path: build_data(path, {"seeded": fill, "small": fill_small}), target)

    settings = {"autovacuum": "off", "max_connections": str(100 * max(workers, 1))}
    with shared_postgres(directory, put_data, **settings) as url:
        yield url


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], Engine]:
    """Makes each engine on first use, so that a run without PostgreSQL starts none."""

    @cache
    def make(name: str) -> Engine:
        if name == "sqlite":
            return _sqlite(tmp_path_factory.mktemp("sqlite"))
        return _postgresql(request.getfixturevalue("postgres"))

    return make


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest, engines: Callable[[str], Engine]) -> Engine:
    """SQLite and PostgreSQL in turn."""
    return engines(request.param)


def _sqlite(directory: Path) -> Engine:
    def url(path: Path) -> str:
        return f"sqlite:///{path}"

    def original(name: str, fill: Callable[[str], None]) -> Path:
        target = directory / f"{name}.original"
        copy_original(f"{name}.db", lambda path: fill(url(path)), target)
        return target

    def copied(source: Path, name: str) -> str:
        return url(shutil.copyfile(source, directory / f"{name}.db"))

    def drop(url: str) -> None:
        for path in directory.glob(f"{Path(url).name}*"):
            path.unlink()

    seeded, small = original("seeded", fill), original("small", fill_small)
    return Engine(
        "sqlite",
        copied(seeded, "original"),
        lambda name: copied(seeded, name),
        lambda name: copied(small, name),
        lambda name: url(directory / f"{name}.db"),
        drop,
    )


def _postgresql(server: str) -> Engine:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")  # others use the server, too

    def create(name: str, template: str | None = None) -> str:
        return create_database(server, f"{worker}_{name}", template)

    templates = {"seeded": "seeded", "small": "small"}
    if "TEST_DATABASE_URL" in os.environ:
        for name, fill_it in (("seeded", fill), ("small", fill_small)):
            fill_it(create(name))
            templates[name] = f"{worker}_{name}"
    return Engine(
        "postgresql",
        create("original", templates["seeded"]),
        lambda name: create(name, templates["seeded"]),
        lambda name: create(name, templates["small"]),
        create,
        drop_database,
    )


def fill(url: str) -> None:
    """Migrate and seed. Everything is dated alike, so that answers can be compared with frozen ones."""
    with frozen_clock("app.storage.database"), opened(url) as database:
        projections.migrate(database)
        with database.write() as session:
            seed(session, SEED)


def fill_small(url: str) -> None:
    """Migrate and publish the small world, dated as the seed data are."""
    with frozen_clock("app.storage.database"), opened(url) as database:
        factories.fill(database, factories.small_world())


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url, statement_timeout_ms=30_000)
    try:
        yield database
    finally:
        database.dispose()


@pytest.fixture
def scratch(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A seeded database of the test's own, to write to."""
    yield from _of_its_own(engine, engine.copy, request)


@pytest.fixture
def small(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database of the test's own with the small world of `tests/factories.py` in it."""
    yield from _of_its_own(engine, engine.small, request)


@pytest.fixture
def blank(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database of the test's own without any table."""
    yield from _of_its_own(engine, engine.empty, request)


def _of_its_own(engine: Engine, make: Callable[[str], str], request: pytest.FixtureRequest) -> Iterator[Database]:
    url = make(_name(request))
    with opened(url) as database:
        yield database
    engine.drop(url)


def _name(request: pytest.FixtureRequest) -> str:
    return f"t{abs(hash(request.node.nodeid)):x}"


@contextmanager
def serving(url: str) -> Iterator[TestClient]:
    """A client that speaks to the whole application, guard included, over a database."""
    given = Settings(database_url=url)
    app = create_app(given)
    with TestClient(guarded(app, given), base_url="http://testserver", client=("127.0.0.1", 50_000)) as client:
        yield client
    app.state.database.dispose()


@pytest.fixture(scope="session")
def client(engine: Engine) -> Iterator[TestClient]:
    """Reads from the seeded original; shared, so nothing may be written through it."""
    with serving(engine.original) as client:
        yield client


@pytest.fixture
def scratch_client(scratch: Database) -> Iterator[TestClient]:
    """Speaks to the test's own `scratch` database."""
    with serving(scratch.url.render_as_string(hide_password=False)) as client:
        yield client
