"""Databases for tests: migrated and seeded once on each engine, then shared for reading or copied for writing."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.datasets.seed import seed
from app.main import create_app, in_context
from app.publishing import indexes as projections
from app.settings import ROOT, Settings
from app.storage.database import Database
from tests.contract.golden.recording import frozen_clock
from tests.postgres import create_database, running_postgres

ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))
SEED = ROOT / "seed_data"


@dataclass(frozen=True)
class Engine:
    """A kind of database, with a migrated and seeded original that is never written to."""

    name: str
    original: str
    """URL of the seeded original."""
    copy: Callable[[str], str]
    """Makes a copy of the original under a name; its URL."""
    empty: Callable[[str], str]
    """Makes a database without any table; its URL."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], Engine]:
    """Makes each engine on first use, so that a run without PostgreSQL starts none."""
    made: dict[str, Engine] = {}

    def make(name: str) -> Engine:
        if name not in made:
            if name == "sqlite":
                made[name] = _sqlite(tmp_path_factory.mktemp("sqlite"))
            else:
                made[name] = _postgresql(request.getfixturevalue("postgres"))
        return made[name]

    return make


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest, engines: Callable[[str], Engine]) -> Engine:
    """SQLite and PostgreSQL in turn."""
    return engines(request.param)


def _sqlite(directory: Path) -> Engine:
    def empty(name: str) -> str:
        return f"sqlite:///{directory / name}.db"

    def copy(name: str) -> str:
        original, target = (directory / f"{stem}.db" for stem in ("original", name))
        with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(target)) as made:
            source.backup(made)
        return empty(name)

    original = empty("original")
    fill(original)
    return Engine("sqlite", original, copy, empty)


def _postgresql(server: str) -> Engine:
    fill(create_database(server, "template"))  # nobody may be connected to it while it is copied
    return Engine(
        "postgresql",
        create_database(server, "original", template="template"),
        lambda name: create_database(server, name, template="template"),
        lambda name: create_database(server, name),
    )


def fill(url: str) -> None:
    """Migrate and seed. Everything is dated alike, so that answers can be compared with frozen ones."""
    with frozen_clock("app.storage.database"), opened(url) as database:
        projections.migrate(database)
        with database.write() as session:
            seed(session, SEED)


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
    with opened(engine.copy(_name(request))) as database:
        yield database


@pytest.fixture
def blank(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database of the test's own without any table."""
    with opened(engine.empty(_name(request))) as database:
        yield database


def _name(request: pytest.FixtureRequest) -> str:
    return f"t{abs(hash(request.node.nodeid)):x}"


@contextmanager
def serving(url: str) -> Iterator[TestClient]:
    """A client that speaks to the whole application, guard included, over a database."""
    given = Settings(database_url=url)
    app = create_app(given)
    with TestClient(
        in_context(app, given, with_cache=False), base_url="http://testserver", client=("127.0.0.1", 50_000)
    ) as client:
        yield client
    app.state.reads.close()


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
