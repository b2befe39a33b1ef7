"""Databases for tests: migrated and seeded once on each engine, then shared for reading or copied for writing."""

import gc
import os
import shutil
import sys
import tempfile
from collections import UserDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import pytest
from sqlalchemy import URL, create_engine
from sqlalchemy import Engine as SqlalchemyEngine
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from app.core.logging import AccessLog
from app.datasets.seed import seed
from app.main import create_app, in_context
from app.publishing import indexes as projections
from app.settings import ROOT, Settings
from app.storage import database
from app.storage.database import Database
from tests import factories, neutral
from tests.clock import frozen_clock
from tests.originals import copy_original
from tests.postgres import build_data, create_database, drop_database, running_postgres, shared_postgres

ENGINES = ("sqlite", "postgresql")
SEED = ROOT / "seed_data"
ON_THE_SHIPPED_DATA = "tests/content/"
"""Tests whose fixtures hold the data set of `seed_data/`; all others run on that of `tests/neutral.py`."""

SWEPT = (
    "tests/benchmarks/test_scaling.py",
    "tests/benchmarks/test_synthetic.py",
    "tests/cds_hooks/test_privacy.py::test_the_search_would_find",
    "tests/cds_hooks/test_services.py::test_malformed_fhir_never_breaks_the_service[sqlite-medications-",
    "tests/clients/test_python_client.py::test_a_wrong_field_is_refused",
    "tests/clients/test_python_client.py::test_the_package_is_typed",
    "tests/content/api/test_cited_sources.py::test_no_two_documents",
    "tests/content/contract/test_expensive_answers.py::test_every_expensive_request_is_bounded",
    "tests/content/contract/test_openapi_examples.py::test_every_answer_has_the_declared_fields",
    "tests/content/datasets/test_files.py::test_a_seed_file_fits",
    "tests/content/datasets/test_files.py::test_every_record_of_the_data_set_can_be_written_whole",
    "tests/content/datasets/test_upgrade.py::test_an_upgraded_database",
    "tests/content/datasets/test_upgrade.py::test_every_release",
    "tests/content/datasets/test_upgrade.py::test_people_who_ask_about_a_condition",
    "tests/content/linked_data/test_shipped_records.py::test_every_shipped_record_expands",
    "tests/content/mcp/test_long_answers.py::test_the_longest_answers",
    "tests/content/questions/test_pair_counts.py::test_every_pair",
    "tests/content/search/test_answers.py::test_the_words_of_a_list",
    "tests/content/web/test_pages_of_records.py",
    "tests/contract/test_large_numbers.py::test_a_number_that_no_column_holds_is_refused[sqlite-92-19",
    "tests/contract/test_openapi.py::test_a_document_that_cannot_be_finished",
    "tests/contract/test_openapi.py::test_two_applications_asked_at_once",
    "tests/contract/test_prefix.py::test_nothing_but_addresses",
    "tests/contract/test_schemathesis.py",
    "tests/datasets/test_guide.py::test_make_run_serves",
    "tests/deploy/test_dependencies.py::test_the_bill_of_materials_is_valid",
    "tests/http/test_process.py::test_who_waits_to_be_accepted_when_the_signal_comes_is_answered",
    "tests/http/test_response_cache.py::test_memory_stays_bounded",
    "tests/http/test_two_processes.py::test_a_minute",
    "tests/mcp/test_mcp.py::test_an_assistant_on_this_machine_is_served_over_pipes[legacy]",
    "tests/operations/test_backup.py::test_a_backup_under_load",
    "tests/operations/test_down_and_up.py::test_down_to_every_revision",
    "tests/storage/test_parsed_values.py::test_remembered_values_take_no_more_memory",
    "tests/storage/test_power_cut.py",
    "tests/storage/test_silence.py::test_a_frozen_replica_holds_nobody",
    "tests/storage/test_silence.py::test_a_killed_server_that_starts_again_is_used_again",
    "tests/storage/test_silence.py::test_a_writer_is_answered_that_freezes_while_it_commits",
    "tests/storage/test_silence.py::test_everybody_is_answered_while_the_server_is_frozen",
    "tests/test_quality.py::test_static_check_passes[types of all Python are strict]",
    *(
        f"tests/publishing/{test}[{engine}-{seed}"
        for test in (
            "test_filters.py::test_filters_are_what_they_would_be_if_made_anew",
            "test_history.py::test_every_state_is_served_again_as_it_was",
        )
        for engine in ("sqlite", "postgresql")
        for seed in (1, 2)
    ),
)
"""Left to `make test-all`: Schemathesis, the generator of synthetic data, the schema of a bill of materials, earlier
releases, all but one of the random histories and of the schemas, and what goes through every record of the shipped
data set. Node ids begin so."""

SWEPT_ON_POSTGRESQL = (
    "tests/api/test_bibliography.py",
    "tests/api/test_bodies.py",
    "tests/api/test_briefs.py",
    "tests/api/test_capped_answers.py",
    "tests/api/test_doses.py",
    "tests/api/test_drug_lists.py",
    "tests/api/test_evidence.py",
    "tests/api/test_format_addresses.py",
    "tests/api/test_interaction_checks.py",
    "tests/api/test_presentation.py",
    "tests/api/test_qualifiers.py",
    "tests/api/test_reported_requests.py",
    "tests/api/test_statements.py",
    "tests/api/test_subgroups.py",
    "tests/api/test_tables.py",
    "tests/api/test_unknown_ids.py",
    "tests/api/test_verify.py",
    "tests/briefs/",
    "tests/cds_hooks/",
    "tests/concepts/",
    "tests/content/api/",
    "tests/content/briefs/",
    "tests/content/cds_hooks/",
    "tests/content/concepts/",
    "tests/content/contract/",
    "tests/content/datasets/",
    "tests/content/fhir/",
    "tests/content/linked_data/",
    "tests/content/questions/",
    "tests/content/search/",
    "tests/content/test_neutral.py",
    "tests/content/test_readme.py",
    "tests/content/web/",
    "tests/contract/test_errors.py",
    "tests/contract/test_large_numbers.py::test_a_number_that_no_column_holds_is_refused[postgresql-99-5000",
    "tests/contract/test_laws.py",
    "tests/contract/test_openapi.py",
    "tests/contract/test_prefix.py",
    "tests/contract/test_requests.py",
    "tests/contract/test_retraction_is_seen.py",
    "tests/datasets/test_changed_files.py",
    "tests/datasets/test_corpora.py",
    "tests/datasets/test_example_datasets.py",
    "tests/datasets/test_export.py",
    "tests/datasets/test_foreign_sets.py",
    "tests/datasets/test_loops.py",
    "tests/datasets/test_manifest.py",
    "tests/datasets/test_open_vocabularies.py",
    "tests/datasets/test_pull.py",
    "tests/datasets/test_seed.py",
    "tests/datasets/test_seed_command.py",
    "tests/datasets/test_standing.py",
    "tests/datasets/test_units.py",
    "tests/datasets/test_value_set.py",
    "tests/fhir/",
    "tests/grading/",
    "tests/http/test_metrics.py",
    "tests/http/test_prefix.py",
    "tests/http/test_rate_limits.py",
    "tests/http/test_response_cache.py",
    "tests/http/test_shortcut.py",
    "tests/infobutton/",
    "tests/linked_data/",
    "tests/operations/test_backup.py::test_a_backup_of_an_older",
    "tests/operations/test_backup.py::test_a_damaged_backup",
    "tests/operations/test_backup.py::test_a_manifest",
    "tests/operations/test_backup.py::test_the_commands_say",
    "tests/operations/test_backup.py::test_what_is_restored",
    "tests/operations/test_down_and_up.py::test_down_and_up_again",
    "tests/publishing/test_filters.py::test_filters_are_what_they_would_be",
    "tests/publishing/test_history.py::test_every_state",
    "tests/publishing/test_publish.py::test_a_c",
    "tests/publishing/test_publish.py::test_a_d",
    "tests/publishing/test_publish.py::test_a_record_",
    "tests/publishing/test_publish.py::test_a_removed_",
    "tests/publishing/test_publish.py::test_a_renamed_",
    "tests/publishing/test_publish.py::test_a_retired_",
    "tests/publishing/test_publish.py::test_a_s",
    "tests/publishing/test_publish.py::test_answers_",
    "tests/publishing/test_publish.py::test_counts_",
    "tests/publishing/test_publish.py::test_every_document_of_the_data_set_can_be_retracted_and_reinstated",
    "tests/publishing/test_publish.py::test_nothing_published_",
    "tests/publishing/test_publish.py::test_what_a_change_",
    "tests/questions/test_counts.py",
    "tests/questions/test_coverage.py",
    "tests/questions/test_evidence_map.py",
    "tests/questions/test_interactions.py",
    "tests/search/test_api.py",
    "tests/search/test_bounds.py::test_different_questions_fill_no_memory",
    "tests/search/test_index.py::test_after_any_edits_the_index_and_its_word_counts_are_exact",
    "tests/test_cli.py",
    "tests/web/",
)
"""`make test` checks it on SQLite alone, `make test-all` on PostgreSQL too. What lies below, and the SQL of every
interface, answers alike on both engines: that is proven by the frozen answers of `content/golden/test_golden.py`, and
by the tests of storage, publishing, migrations, filters and search."""

LENGTHY = (
    "tests/api/test_bodies.py::test_neither_text_nor_a_truth_value",
    "tests/api/test_doses.py",
    "tests/api/test_readiness.py",
    "tests/api/test_verify.py::test_whatever_is_written",
    "tests/benchmarks/",
    "tests/bibliography/test_corpus.py",
    "tests/bibliography/test_formatted.py",
    "tests/briefs/test_briefs.py::test_sentences_that_the_program_makes",
    "tests/briefs/test_briefs.py::test_text_from_the_data",
    "tests/cds_hooks/test_fetching.py",
    "tests/cds_hooks/test_large_requests.py",
    "tests/cds_hooks/test_privacy.py",
    "tests/cds_hooks/test_services.py",
    "tests/cds_hooks/test_tokens.py",
    "tests/clients/",
    "tests/concepts/test_lineage.py",
    "tests/content/",
    "tests/contract/",
    "tests/datasets/test_add_source.py",
    "tests/datasets/test_bundle.py::test_damage_to_a_file",
    "tests/datasets/test_changed_files.py",
    "tests/datasets/test_corpora.py",
    "tests/datasets/test_curators_day.py",
    "tests/datasets/test_example_datasets.py",
    "tests/datasets/test_foreign_sets.py",
    "tests/datasets/test_guide.py",
    "tests/datasets/test_loops.py",
    "tests/datasets/test_pull.py",
    "tests/datasets/test_seed_command.py",
    "tests/datasets/test_standing.py",
    "tests/datasets/test_units.py",
    "tests/deploy/",
    "tests/fhir/test_resources.py::test_rendering_everything",
    "tests/fhir/test_versions.py",
    "tests/fhir/test_warming.py",
    "tests/grading/test_own_method.py",
    "tests/http/",
    "tests/mcp/",
    "tests/operations/",
    "tests/publishing/test_filters.py::test_filters_are_what_they_would_be",
    "tests/publishing/test_history.py",
    "tests/publishing/test_publish.py::test_concurrent_writers",
    "tests/publishing/test_publish.py::test_every_",
    "tests/search/test_agreement.py",
    "tests/search/test_api.py::test_the_words_of_a_list_find",
    "tests/search/test_index.py",
    "tests/storage/test_records.py",
    "tests/storage/test_silence.py",
    "tests/storage/test_sqlite_file.py::test_a_file_in_the_place",
    "tests/storage/test_writes_out_of_turn.py",
    "tests/test_cli.py",
    "tests/test_docs.py",
    "tests/test_migrations.py",
    "tests/test_quality.py",
    "tests/test_regular_expressions.py",
    "tests/test_what_is_loaded.py",
    "tests/web/test_pages.py::test_pages_and_files_answer_head",
    "tests/web/test_records.py",
    "tests/web/test_start_and_search.py::test_llms_txt",
)
"""What `make test-quick` leaves out beside PostgreSQL: the contract, the content, static checks, and what starts
processes, waits, or goes through all records."""

FIRST = "tests/test_quality.py::test_static_check_passes"
"""What takes longest, so that no worker is left with it at the end."""

sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
# jsonschema would import it for the format "iri", which no test needs; that takes three seconds in each worker.

hypothesis.settings.register_profile("quick", max_examples=25, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=200, deadline=None)
hypothesis.settings.load_profile("quick")  # `make test-all` names the other


@pytest.hookimpl(optionalhook=True)  # which is not there without pytest-xdist
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are CPUs: some tests wait, for a process that starts or for PostgreSQL."""
    return (os.cpu_count() or 1) + 1


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A run without what is lengthy does not even read the folders in which everything is."""
    if "not lengthy" in config.option.markexpr and collection_path.is_dir():
        folder = f"{collection_path.relative_to(ROOT).as_posix()}/"
        return True if folder in LENGTHY else None
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark before `-m` selects."""
    for item in items:
        on_postgresql = item.get_closest_marker("postgres") is not None
        if item.nodeid.startswith(SWEPT) or (on_postgresql and item.nodeid.startswith(SWEPT_ON_POSTGRESQL)):
            item.add_marker(pytest.mark.sweep)
        if item.nodeid.startswith(LENGTHY):
            item.add_marker(pytest.mark.lengthy)
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


def pytest_collection_finish() -> None:
    """The garbage collector leaves alone what stays until the end, which took one second in twenty."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs a database on both engines, with the data set that is meant for the test."""
    chosen = any(mark.args[0] == "engine" for mark in metafunc.definition.iter_markers("parametrize"))
    if "engine" in metafunc.fixturenames and not chosen:
        shipped = metafunc.definition.nodeid.startswith(ON_THE_SHIPPED_DATA)
        marks = {"postgresql": pytest.mark.postgres}
        params = [pytest.param((name, shipped), id=name, marks=marks.get(name, ())) for name in ENGINES]
        metafunc.parametrize("engine", params, indirect=True, scope="session")


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
    migrated: Callable[[str], str]
    """Makes a database with all tables and without any record; its URL."""
    empty: Callable[[str], str]
    """Makes a database without any table; its URL."""
    drop: Callable[[str], None]
    """Removes a database by its URL."""


class Engines(Protocol):
    """Gives the engine of a name, with the neutral data set or the shipped one in it."""

    def __call__(self, name: str, data_set: str = "neutral") -> Engine: ...


class CompiledStatements(UserDict[tuple[Any, ...], Any]):
    """By the name of the dialect, where SQLAlchemy asks by the dialect of an engine."""

    def __getitem__(self, key: tuple[Any, ...]) -> Any:
        return self.data[key[0].name, *key[1:]]

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        self.data[key[0].name, *key[1:]] = compiled

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and (key[0].name, *key[1:]) in self.data


@pytest.fixture(scope="session", autouse=True)
def compiled_statements() -> Iterator[None]:
    """Engines of one kind compile each statement once: a test opens a database of its own, the statements are the same.

    SQLAlchemy keeps compiled statements for each engine, under its dialect.
    """
    compiled = CompiledStatements()

    def sharing(url: URL, **options: object) -> SqlalchemyEngine:
        made = create_engine(url, **options)
        made.update_execution_options(compiled_cache=compiled)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "sqlalchemy_engine", sharing)
        yield


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
        copy_original("postgresql", lambda path: build_data(path, FILLED), target)

    settings = {"autovacuum": "off", "max_connections": str(100 * max(workers, 1))}
    with shared_postgres(directory, put_data, **settings) as url:
        yield url


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Engines:
    """Makes each engine on first use, so that a run without PostgreSQL starts none, and none is seeded for nothing."""

    @cache
    def make(name: str, data_set: str = "neutral") -> Engine:
        if name == "sqlite":
            return _sqlite(tmp_path_factory.mktemp("sqlite"), data_set)
        return _postgresql(request.getfixturevalue("postgres"), data_set)

    return make


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest, engines: Engines) -> Engine:
    """SQLite and PostgreSQL in turn."""
    name, shipped = request.param
    return engines(name, "shipped" if shipped else "neutral")


@pytest.fixture(scope="session")
def seed_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The neutral data set as files, which nobody may change."""
    return neutral.write(tmp_path_factory.mktemp("neutral"))


def _sqlite(directory: Path, data_set: str) -> Engine:
    def url(path: Path) -> str:
        return f"sqlite:///{path}"

    def original(name: str) -> Path:
        target = directory / f"{name}.original"
        copy_original(f"{name}.db", lambda path: FILLED[name](url(path)), target)
        return target

    def copied(source: Path, name: str) -> str:
        return url(shutil.copyfile(source, directory / f"{name}.db"))

    def drop(url: str) -> None:
        for path in directory.glob(f"{Path(url).name}*"):
            path.unlink()

    filled, small, migrated = original(data_set), original("small"), original("migrated")
    return Engine(
        "sqlite",
        copied(filled, "original"),
        lambda name: copied(filled, name),
        lambda name: copied(small, name),
        lambda name: copied(migrated, name),
        lambda name: url(directory / f"{name}.db"),
        drop,
    )


def _postgresql(server: str, data_set: str) -> Engine:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")  # others use the server, too

    def create(name: str, template: str | None = None) -> str:
        return create_database(server, f"{worker}_{name}", template)

    def template(name: str) -> str:
        if "TEST_DATABASE_URL" not in os.environ:
            return name
        FILLED[name](create(name))
        return f"{worker}_{name}"

    filled, small, migrated = template(data_set), template("small"), template("migrated")
    return Engine(
        "postgresql",
        create(f"original_{data_set}", filled),
        lambda name: create(name, filled),
        lambda name: create(name, small),
        lambda name: create(name, migrated),
        create,
        drop_database,
    )


def fill(url: str, directory: Path = SEED) -> None:
    """Migrate and seed. Everything is dated alike, so that answers can be compared with frozen ones."""
    with frozen_clock("app.storage.database"), opened(url) as database:
        projections.migrate(database)
        with database.write() as session:
            seed(session, directory)


def fill_neutral(url: str) -> None:
    """Migrate and seed with the neutral data set."""
    with tempfile.TemporaryDirectory() as name:
        fill(url, neutral.write(Path(name)))


def fill_small(url: str) -> None:
    """Migrate and publish the small world, dated as the seed data are."""
    with frozen_clock("app.storage.database"), opened(url) as database:
        factories.fill(database, factories.small_data_set())


def migrate(url: str) -> None:
    with opened(url) as database:
        projections.migrate(database)


FILLED = {"shipped": fill, "neutral": fill_neutral, "small": fill_small, "migrated": migrate}
"""What the databases are called that are made once, and what fills them."""


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
def migrated(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database of the test's own with all tables and no record."""
    yield from _of_its_own(engine, engine.migrated, request)


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
def application(url: str) -> Iterator[ASGIApp]:
    """The whole application over a database, guard included."""
    settings = Settings(database_url=url)
    app = create_app(settings)
    guarded = in_context(app, settings, with_cache=False)
    guarded.log = AccessLog(wait_seconds=0)  # else its lines may come while the next test captures what is printed
    yield guarded
    app.state.reads.close()


@contextmanager
def serving(url: str) -> Iterator[TestClient]:
    """A client that speaks to the whole application over a database."""
    with (
        application(url) as app,
        TestClient(app, base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50_000)) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def client(engine: Engine) -> Iterator[TestClient]:
    """Reads from the seeded original; shared, so nothing may be written through it."""
    with serving(engine.original) as client:
        client.get("/v1/meta")  # whatever test comes first: from here on the data set's headers are known
        yield client


@pytest.fixture
def scratch_client(scratch: Database) -> Iterator[TestClient]:
    """Speaks to the test's own `scratch` database."""
    with serving(scratch.url.render_as_string(hide_password=False)) as client:
        yield client
