"""The command line: `ldn-evidence --help`."""

import asyncio
import importlib
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress as Bar

from app.accounts.models import Account, Actor
from app.accounts.service import ensure_system_actors
from app.concepts.vocabulary import InterventionKind
from app.core import logging
from app.core.errors import AppError
from app.datasets import add_source as adding
from app.datasets import bundle, corpora, file_schemas, seed_report, skeletons
from app.datasets import export as exports
from app.datasets import preview as previews
from app.datasets import pull as pulling
from app.datasets import seed as seeding
from app.datasets import standing as standings
from app.datasets import value_set as value_sets
from app.datasets.curation import curation_notes
from app.operations import backup as backups
from app.operations import doctor as doctors
from app.publishing import indexes, maintenance
from app.publishing.publish import PublishResult
from app.publishing.rendering import Progress
from app.settings import Settings, settings
from app.sources.vocabulary import DocumentKind
from app.storage.database import Database, UnusableUrl, now
from app.storage.faults import DATABASE_ERRORS, DatabaseUnavailable, database_fault
from app.storage.history import current_serial
from app.storage.resource import Key
from app.storage.schema import SchemaMismatch

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True, soft_wrap=True, highlight=False)

SeedDirectories = Annotated[
    list[Path] | None,
    typer.Option("--from", help="Directory of the YAML files; again for one that builds on it. By default SEED_DIR."),
]
OutputFile = Annotated[Path | None, typer.Option(help="File to write; standard output otherwise.")]


@app.command()
def serve(
    migrate_first: Annotated[bool, typer.Option("--migrate", help="Bring the database up to date first.")] = False,
    seed_first: Annotated[bool, typer.Option("--seed", help="Apply the seed data first.")] = False,
) -> None:
    """Serve the API on HOST:PORT (127.0.0.1:8000)."""
    server, prefix = _interface("app.http.server"), _interface("app.http.prefix")
    with _error_messages(server.PortInUse, prefix.PrefixTaken):
        config = _settings()
        server.listen(config.host, config.port).close()  # report a taken port before doing any work
        with _database(config) as database:
            if migrate_first:
                _migrate(database)
            _refresh(database)
            if seed_first:
                _seed_if_possible(database, config.seed_dirs)
            console.print(f"{doctors.versions(database)}.")
        logging.configure(config.log_json)
        console.print(f"Serving on http://{config.host}:{config.port} (documentation: /docs)")
        timeouts = server.Timeouts(shutdown_delay=config.shutdown_delay_seconds)
        server.run("app.main:asgi", config.host, config.port, timeouts=timeouts)


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="A revision, `head` for the newest, `base` for none.")] = "head",
) -> None:
    """Bring the database to the newest schema, or to another one."""
    with _error_messages(), _database(_settings()) as database:
        _migrate(database, to)


@app.command()
def seed(  # noqa: PLR0913 - each is an option of the command
    directories: SeedDirectories = None,
    take: Annotated[list[str] | None, typer.Option(help="TYPE/ID of a record to take from the files anyway.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")] = False,
    note: Annotated[str, typer.Option(help="What the publication says of itself.")] = seeding.PLAIN.note,
    author: Annotated[str, typer.Option(help="The account that answers for it.")] = seeding.PLAIN.author,
    prune: Annotated[bool, typer.Option("--prune", help="List what the files no longer hold.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --prune: retire it.")] = False,
) -> None:
    """Apply the records of the seed files that changed, and that nobody has edited since; 3 if there are conflicts."""
    keys = [Key(*name.split("/", 1)) for name in take or () if "/" in name]
    if len(keys) < len(take or ()):
        console.print("Name a record as TYPE/ID, such as outcome/fatigue.")
        raise typer.Exit(2)
    plan = seeding.SeedPlan(take=keys, note=note, author=author, prune=prune and yes)
    with _error_messages(), _checked_database() as database:
        names = directories or _settings().seed_dirs
        if dry_run:
            with database.write() as session:
                result = seed_report.print_preview(console, previews.preview(session, names, plan))
                session.rollback()
        else:
            result = _seed(database, names, plan)
        if prune:
            seed_report.print_dropped(console, result, retire=plan.prune)
    if result.conflicts:
        raise typer.Exit(3)


@app.command()
def pull(
    directories: SeedDirectories = None,
) -> None:
    """Write the stored records back into the seed files; comments and whatever did not change stay as they are."""
    with _error_messages(), _checked_database() as database:
        with database.read() as session:
            changes = pulling.pull(session, directories or _settings().seed_dirs)
        for line in changes:
            console.print(line, markup=False)
        console.print(f"{len(changes)} records written." if changes else "The files hold what is stored.")


@app.command()
def check(directories: SeedDirectories = None) -> None:
    """Check the seed files as a whole, and list what a curator should look at; needs no database."""
    with _error_messages():
        changes = bundle.read(*(directories or _settings().seed_dirs))
        console.print(f"{len(changes)} records, no fault.")
        for note in curation_notes({change.key: change.content for change in changes}):
            console.print(f"To look at: {note}")


@app.command()
def schema(
    output: Annotated[Path, typer.Option(help="Directory to write to, such as seed_data/schema.")],
) -> None:
    """Write a JSON Schema of each seed file, from which editors complete and explain fields; needs no database."""
    with _error_messages():
        console.print(f"{file_schemas.write_schemas(output)} schemas written.")


@app.command()
def new(
    what: Annotated[Literal["claim", "document", "study", "dataset"], typer.Argument(help="What to begin.")],
    record_id: Annotated[str, typer.Argument(help="Its id, such as pain-in-children.")],
    output: Annotated[
        Path | None,
        typer.Option(help="File to add it to, standard output otherwise; of a data set, its directory."),
    ] = None,
) -> None:
    """Write a commented skeleton of a record or of a data set; what to fill in is marked with FILL."""
    with _error_messages():
        if what == "dataset":
            directory = output or Path(record_id)
            for name in skeletons.new_data_set(record_id, directory):
                console.print(f"{directory / name}", markup=False)
        elif output is None:
            sys.stdout.write(skeletons.new_record(what, record_id))
        else:
            skeletons.new_file(what, record_id, output)


@app.command()
def brief(
    intervention: str,
    condition: str,
    form: Annotated[
        Literal["json", "markdown", "html"], typer.Option("--format", help="How to write it.")
    ] = "markdown",
    output: OutputFile = None,
) -> None:
    """Write what is known of an intervention in a condition, with its sources; ids or codes name them."""
    briefs = _interface("app.api.briefs")
    with _error_messages(), _checked_database() as database:
        text = briefs.brief_file(database, intervention, condition, briefs.Format(form))
        _write(text, output)


@app.command()
def render(
    server_url: Annotated[
        str | None, typer.Option("--warm", help="Have the server at this address render and keep them instead.")
    ] = None,
) -> None:
    """Render every FHIR resource and check it; needs the extra `fhir`."""
    if server_url is not None:
        try:
            counts = _interface("app.fhir.warming").warm(server_url)
        except OSError as error:
            console.print(f"The server cannot be read ({error}). Check the address.")
            raise typer.Exit(1) from None
        console.print(f"Warm: {_listed(counts)}.")
        return
    validation = _interface("app.fhir.validation")
    with (
        _error_messages(validation.InvalidResources, validation.ValidatorMissing),
        _checked_database() as database,
        Bar(console=console, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("Rendering", total=None)
        counts = validation.render_all(
            database, progress=lambda name, done: bar.update(task, description=f"{name} {done}")
        )
    console.print(f"{_listed(counts)}: no error.")


@app.command()
def mcp() -> None:
    """Serve the Model Context Protocol on standard input and output, to an assistant on this machine."""
    main, transport = _interface("app.main"), _interface("app.mcp.transport")
    with _error_messages():
        config = _settings()
        with _checked_database():
            logging.configure(config.log_json)
        service = main.create_app(config)
        limits = (config.deadline_seconds, config.max_body_bytes)
        try:
            asyncio.run(transport.serve_stdio(service, config.own_url, *limits))
        finally:
            service.state.reads.close()


@app.command()
def openapi(output: OutputFile = None) -> None:
    """Write the OpenAPI document."""
    with _error_messages():
        document = _interface("app.main").create_app(_settings()).openapi()
        _write(json.dumps(document, indent=1, ensure_ascii=False) + "\n", output)


@app.command()
def export(output: Annotated[Path, typer.Option(help="File to write.")]) -> None:
    """Write the whole data set, contents and derived values, as JSON lines."""
    with _error_messages(), _checked_database() as database:
        with database.read() as session, output.open("w", encoding="utf-8") as file:
            count = exports.write(session, file)
        console.print(f"{count} records written.")


@app.command()
def grade(source: Annotated[Path, typer.Option("--from", help="A file made by `export`.")]) -> None:
    """Compute every grade again from an export, and name those that differ; needs no database."""
    with _error_messages():
        count, differences = exports.regrade(source)
        for difference in differences:
            console.print(f"{difference.claim}\n  stored   {difference.stored}\n  computed {difference.computed}")
        console.print(f"{count} claims graded again, {len(differences)} differences.")
        if differences:
            raise typer.Exit(1)


@app.command()
def standing(
    crossref: Annotated[Path | None, typer.Option(help="JSON of Crossref works, with `updated-by`.")] = None,
    retraction_watch: Annotated[Path | None, typer.Option(help="The Retraction Watch table, CSV.")] = None,
    checked_on: Annotated[str, typer.Option(help="The day on which the files were fetched.")] = now()[:10],
) -> None:
    """Publish retractions, concerns, corrections and reinstatements from files; dependent claims follow."""
    if crossref is None and retraction_watch is None:
        console.print("Name a file: --crossref FILE or --retraction-watch FILE.")
        raise typer.Exit(2)
    if not standings.is_day(checked_on):
        console.print("--checked-on must be a day that exists, such as 2026-11-25.")
        raise typer.Exit(2)
    with _error_messages(), _checked_database() as database, database.write() as session:
        ensure_system_actors(session)
        feeds = [standings.from_crossref(crossref)] if crossref else []
        feeds += [standings.from_retraction_watch(retraction_watch)] if retraction_watch else []
        for feed in feeds:
            _print_standing(feed.source, standings.apply(session, feed, checked_on))
            for doubt in standings.doubts_to_print(session, feed):
                console.print(f"  {doubt}")


@app.command()
def add_source(
    sources: Annotated[list[str], typer.Argument(help="Files of references, DOIs, pmid:NUMBER or PMCIDs.")],
    to: Annotated[Path | None, typer.Option(help="Directory of seed files to append to; printed otherwise.")] = None,
    kind: Annotated[DocumentKind | None, typer.Option(help="What records are whose type is no kind here.")] = None,
) -> None:
    """Make the skeleton of a document, and of its study, from what a source states; name what is recorded already."""
    with _error_messages():
        files = [adding.read_source(source, _settings()) for source in sources]
        result = adding.add_sources(files, to or _settings().seed_dir, kind)
        for note in result.notes:
            console.print(note, markup=False)
        if to is None:
            _write(result.text(), None)
        elif result.skeletons:
            names = adding.append(result, to)
            console.print(f"{len(result.skeletons)} documents written; files changed: {', '.join(names)}.")
        if not result.skeletons:
            console.print("Nothing to add.")
            raise typer.Exit(1)


@app.command()
def import_corpus(
    corpus: Annotated[corpora.Corpus, typer.Argument(help="Which corpus it is.")],
    directory: Annotated[Path, typer.Argument(help="Its directory, as it is published.")],
    to: Annotated[Path, typer.Option(help="Directory for the seed files; new or empty.")],
    therapy_kind: Annotated[
        InterventionKind | None, typer.Option(help="What its therapies are here; without it they are left out.")
    ] = None,
) -> None:
    """Make seed files of a foreign corpus, and list what it says that cannot be expressed."""
    with _error_messages():
        result = corpora.import_corpus(corpus, directory, therapy_kind)
        result.write(to)
        console.print(f"Taken from {result.corpus}: {_listed(result.counts()) or 'nothing'}.")
        for sentence in result.report():
            console.print(f"  {sentence}", markup=False)


@app.command()
def value_set(
    file: Annotated[Path, typer.Argument(help="An expanded FHIR ValueSet, JSON.")],
    into: Annotated[str, typer.Option(help="The class of drugs to which its codes belong.")],
) -> None:
    """Load the codes of a FHIR ValueSet into a class of drugs; run it again with a newer file to replace them."""
    with _error_messages(), _checked_database() as database, database.write() as session:
        ensure_system_actors(session)
        result = value_sets.load(session, file, into)
    console.print(
        f"{result.record}: {result.loaded} codes, {result.known} more are known by their drugs, "
        f"{result.skipped} of unknown code systems left out"
        + (f"; serial {result.serial}." if result.serial else "; nothing changed.")
    )


@app.command()
def maintain(day: Annotated[str, typer.Option(help="Publish what has expired by this day.")] = now()[:10]) -> None:
    """Publish what the calendar has brought: overrides that end, claims due for review. Run it once a day."""
    with _error_messages(), _checked_database() as database, database.write() as session:
        ensure_system_actors(session)
        result = maintenance.maintain(session, day)
    console.print(
        f"{result.ended_overrides} overrides ended, {result.stale_claims} claims due for review"
        + (f"; serial {result.serial}." if result.serial else "; nothing to publish.")
    )


@app.command()
def override(
    claim: str,
    field: Annotated[str, typer.Option(help="`consensus` or `certainty`.")],
    value: Annotated[str, typer.Option(help="The value to show instead.")],
    reason: Annotated[str, typer.Option(help="Why; it is published.")],
    author: Annotated[str, typer.Option(help="The account that answers for it.")],
    expires_on: Annotated[str, typer.Option(help="The first day on which it holds no more, YYYY-MM-DD.")],
) -> None:
    """Set a grade aside until a day; the computed one stays visible beside it."""
    new = maintenance.NewOverride(claim, field, value, reason, expires_on)
    with _error_messages(), _checked_database() as database, database.write() as session:
        account = session.get(Account, author)
        actor = Actor(author, account.name, account.kind, account.role) if account else Actor(author, "", "", "")
        result = maintenance.override(session, actor, new)
    console.print(f"Override published; serial {result.serial}.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="File to write; it must not exist.")]) -> None:
    """Write one state of the whole database to a file, while others read and write."""
    with _error_messages(backups.BackupError), _database(_settings(), must_exist=True) as database:
        manifest = backups.backup(database, file)
    console.print(f"Backup: {manifest}, {file.stat().st_size // 1_000_000} MB.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` made, of either engine.")],
    verify: Annotated[bool, typer.Option("--verify", help="Read it all back; then as `doctor`.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the data; stop the servers first.")] = False,
) -> None:
    """Check a backup, put it into the empty database that DATABASE_URL names, and bring it up to date."""
    with _error_messages(backups.BackupError), _database(_settings()) as database:
        manifest = backups.restore(database, file, overwrite=overwrite, verify=verify)
        console.print(f"Restored: {manifest}.")
        _migrate(database)
        if verify:
            _examine(database)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="A list of findings on standard output.")] = False,
) -> None:
    """Examine settings, database, schema, indexes and records; exits with 1 where there is a fault."""
    with _error_messages(), _database(_settings(), must_exist=True) as database:
        _examine(database, as_json)


# --- steps of several commands ------------------------------------------------------------------------------------


def _migrate(database: Database, target: str = "head") -> None:
    before, after = indexes.migrate(database, target)
    if before == after:
        console.print(f"Schema {after}: nothing to migrate.")
    else:
        console.print(f"Schema {before or 'none'} → {after or 'none'}.")


def _refresh(database: Database) -> None:
    names = indexes.refresh(database)
    if names:
        console.print(f"Made anew, because they did not fit the data: {', '.join(names)}.")


def _seed(
    database: Database, directories: Sequence[Path], plan: seeding.SeedPlan = seeding.PLAIN
) -> seeding.SeedResult:
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar, database.write() as session:
        task = bar.add_task("Publishing", total=None)
        progress: Progress = lambda done, total: bar.update(task, completed=done, total=total)  # noqa: E731
        result = seeding.seed(session, directories, progress, plan)
    seed_report.print_result(console, result)
    return result


def _examine(database: Database, as_json: bool = False) -> None:
    findings = []
    for finding in doctors.examine(database, _settings()):
        findings.append(finding)
        if not as_json:
            console.print(str(finding), markup=False)
    if as_json:
        _write(json.dumps([asdict(finding) for finding in findings], indent=1) + "\n", None)
    if any(finding.level is doctors.Level.fault for finding in findings):
        raise typer.Exit(1)


def _seed_if_possible(database: Database, directories: Sequence[Path]) -> None:
    """A database that holds data already is served even where the seed files do not fit it."""
    try:
        with _error_messages():
            _seed(database, directories)
    except typer.Exit:
        with database.read() as session:
            if current_serial(session) == 0:
                raise
        console.print("The seed data were not applied. Serving what the database holds.")


def _print_standing(source: str, result: PublishResult) -> None:
    claims = sum(key.type == "claim" for key in result.touched)
    if result.serial is None:
        console.print(f"{source}: nothing new.")
    else:
        documents = len(result.updated)
        console.print(f"{source}: {documents} documents, {claims} claims recomputed; serial {result.serial}.")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _write(text: str, output: Path | None) -> None:
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


def _interface(module: str) -> Any:
    """Load an interface by name when a command needs it: interfaces stand beside the command line, not below it."""
    return importlib.import_module(module)


def _settings() -> Settings:
    try:
        return settings()
    except ValidationError as error:
        names = ", ".join(str(detail["loc"][0]).upper() for detail in error.errors(include_input=False))
        console.print(f"A setting in the environment is not usable: {names}.")
        raise typer.Exit(2) from None


@contextmanager
def _checked_database() -> Iterator[Database]:
    with _database(_settings()) as database:
        indexes.check(database)
        yield database


@contextmanager
def _database(config: Settings, *, must_exist: bool = False) -> Iterator[Database]:
    database = Database(config.database_url, statement_timeout_ms=0, must_exist=must_exist)
    database.on_wait = console.print
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def _error_messages(*expected: type[Exception]) -> Iterator[None]:
    """Print errors as a line or two without a traceback, and exit; `expected` adds errors of the command's own."""
    explained: tuple[type[Exception], ...] = (SchemaMismatch, *expected)
    try:
        yield
    except (DatabaseUnavailable, *DATABASE_ERRORS) as error:
        console.print(str(database_fault(error)))
        raise typer.Exit(1) from None
    except AppError as error:
        console.print(error.detail)
        for fault in error.errors:
            guesses = f" (did you mean {', '.join(fault.did_you_mean)}?)" if fault.did_you_mean else ""
            console.print(f"  {fault.field}: {fault.message}{guesses}")
        raise typer.Exit(1) from None
    except explained as error:
        console.print(str(error))
        for line in getattr(error, "faults", ()):
            console.print(f"  {line}")
        raise typer.Exit(1) from None
    except UnusableUrl as error:
        console.print(str(error))
        raise typer.Exit(2) from None
    except OSError as error:
        console.print(f"{Path(error.filename or 'A file').name} cannot be read or written: {error.strerror}.")
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
