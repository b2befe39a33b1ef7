"""The command line: `ldn-evidence --help`."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress as Bar
from sqlalchemy.exc import DBAPIError

from app.accounts.models import Account, Actor
from app.accounts.service import ensure_system_actors
from app.api.briefs import Format, brief_file
from app.core import logging
from app.core.errors import AppError
from app.datasets import bundle
from app.datasets import export as exports
from app.datasets import standing as standings
from app.datasets.seed import Report
from app.datasets.seed import seed as apply_seed
from app.fhir.validation import InvalidResources, ValidatorMissing, render_all
from app.fhir.warming import warm
from app.http import server
from app.publishing import indexes as projections
from app.publishing import maintenance
from app.publishing.publish import Outcome
from app.settings import Settings, settings
from app.storage.database import Database, UnusableUrl, now
from app.storage.schema import SchemaMismatch

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True, soft_wrap=True, highlight=False)

SeedDirectory = Annotated[Path | None, typer.Option("--from", help="Directory of the YAML files.")]


@app.command()
def serve(
    migrate_first: Annotated[bool, typer.Option("--migrate", help="Bring the database up to date first.")] = False,
    seed_first: Annotated[bool, typer.Option("--seed", help="Apply the seed data first.")] = False,
) -> None:
    """Serve the API on HOST:PORT (127.0.0.1:8000)."""
    with _plain_words():
        given = _settings()
        server.listen(given.host, given.port).close()  # a taken port is said before any work is done
        with _database(given) as database:
            if migrate_first:
                _migrate(database)
            projections.check(database)
            if seed_first:
                _seed(database, given.seed_dir)
        logging.configure(given.log_json)
        console.print(f"Serving on http://{given.host}:{given.port} (documentation: /docs)")
        server.run("app.main:asgi", given.host, given.port)


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="A revision, `head` for the newest, `base` for none.")] = "head",
) -> None:
    """Bring the database to the newest schema, or to another one."""
    with _plain_words(), _database(_settings()) as database:
        _migrate(database, to)


@app.command()
def seed(directory: SeedDirectory = None) -> None:
    """Apply the records of the seed files that changed, and that nobody has edited since."""
    with _plain_words():
        given = _settings()
        with _database(given) as database:
            projections.check(database)
            _seed(database, directory or given.seed_dir)


@app.command()
def check(directory: SeedDirectory = None) -> None:
    """Check the seed files as a whole; needs no database."""
    with _plain_words():
        changes = bundle.read(directory or _settings().seed_dir)
        console.print(f"{len(changes)} records, no fault.")


@app.command()
def brief(
    intervention: str,
    condition: str,
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.markdown,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output otherwise.")] = None,
) -> None:
    """Write what is known of an intervention in a condition, with its sources; ids or codes name them."""
    with _plain_words(), _checked_database() as database:
        text = brief_file(database, intervention, condition, form)
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


@app.command()
def render(
    server_url: Annotated[
        str | None, typer.Option("--warm", help="Have the server at this address render and keep them instead.")
    ] = None,
) -> None:
    """Render every FHIR resource and check it; needs the extra `fhir`."""
    if server_url is not None:
        try:
            counts = warm(server_url)
        except OSError as error:
            console.print(f"The server cannot be read ({error}). Check the address.")
            raise typer.Exit(1) from None
        console.print("Warm: " + ", ".join(f"{count} {name}" for name, count in counts.items()) + ".")
        return
    with _plain_words(), _checked_database() as database, Bar(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Rendering", total=None)
        try:
            counts = render_all(database, progress=lambda name, done: bar.update(task, description=f"{name} {done}"))
        except (InvalidResources, ValidatorMissing) as error:
            console.print(str(error))
            for fault in getattr(error, "faults", ()):
                console.print(f"  {fault}")
            raise typer.Exit(1) from None
    console.print(", ".join(f"{count} {name}" for name, count in counts.items()) + ": no error.")


@app.command()
def openapi(
    output: Annotated[Path | None, typer.Option(help="File to write; standard output otherwise.")] = None,
) -> None:
    """Write the OpenAPI document."""
    with _plain_words():
        # Loaded by name: the application stands beside the command line, not below it.
        document = __import__("app.main", fromlist=["create_app"]).create_app(_settings()).openapi()
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        if output:
            output.write_text(text, encoding="utf-8")
        else:
            sys.stdout.write(text)


@app.command()
def export(output: Annotated[Path, typer.Option(help="File to write.")]) -> None:
    """Write the whole data set, contents and derived values, as JSON lines."""
    with _plain_words(), _checked_database() as database:
        with database.read() as session, output.open("w", encoding="utf-8") as out:
            count = exports.write(session, out)
        console.print(f"{count} records written.")


@app.command()
def grade(source: Annotated[Path, typer.Option("--from", help="A file made by `export`.")]) -> None:
    """Compute every grade again from an export, and name those that differ; needs no database."""
    with _plain_words():
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
    with _plain_words(), _checked_database() as database, database.write() as session:
        ensure_system_actors(session)
        if crossref is not None:
            updates, checked = standings.from_crossref(crossref)
            outcome = standings.apply(session, updates, checked=checked, checked_on=checked_on, source="crossref")
            _tell_standing("Crossref", outcome)
        if retraction_watch is not None:
            updates = standings.from_retraction_watch(retraction_watch)
            outcome = standings.apply(session, updates, checked_on=checked_on, source="retraction-watch")
            _tell_standing("Retraction Watch", outcome)


def _tell_standing(name: str, outcome: Outcome) -> None:
    claims = sum(key.type == "claim" for key in outcome.touched)
    if outcome.serial is None:
        console.print(f"{name}: nothing new.")
    else:
        console.print(f"{name}: {len(outcome.updated)} documents, {claims} claims recomputed; serial {outcome.serial}.")


@app.command()
def maintain(day: Annotated[str, typer.Option(help="Publish what has expired by this day.")] = now()[:10]) -> None:
    """Publish what the calendar has brought: overrides that end, claims due for review. Run it once a day."""
    with _plain_words(), _checked_database() as database, database.write() as session:
        ensure_system_actors(session)
        done = maintenance.maintain(session, day)
    console.print(
        f"{done.ended_overrides} overrides ended, {done.stale_claims} claims due for review"
        + (f"; serial {done.serial}." if done.serial else "; nothing to publish.")
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
    with _plain_words(), _checked_database() as database, database.write() as session:
        account = session.get(Account, author)
        actor = Actor(author, account.name, account.kind, account.role) if account else Actor(author, "", "", "")
        outcome = maintenance.override(session, actor, claim, field, value, reason, expires_on)
    console.print(f"Override published; serial {outcome.serial}.")


def _migrate(database: Database, target: str = "head") -> None:
    before, after = projections.migrate(database, target)
    if before == after:
        console.print(f"Schema {after}: nothing to migrate.")
    else:
        console.print(f"Schema {before or 'none'} → {after or 'none'}.")


def _seed(database: Database, directory: Path) -> None:
    with Bar(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Publishing", total=None)
        with database.write() as session:
            report = apply_seed(session, directory, lambda done, total: bar.update(task, completed=done, total=total))
    _tell(report)


def _tell(report: Report) -> None:
    if report.serial is None:
        console.print(f"Seed data: nothing changed ({report.unchanged} records).")
    else:
        console.print(
            f"Seed data: {report.created} records created, {report.updated} updated, "
            f"{report.unchanged} unchanged; serial {report.serial}."
        )
    if report.release:
        console.print(f"Release {report.release} cut.")
    for key in report.conflicts:
        console.print(f"Conflict: {key.type}/{key.id} was edited here and in the files; left as it is here.")


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
        projections.check(database)
        yield database


@contextmanager
def _database(given: Settings) -> Iterator[Database]:
    database = Database(given.database_url, statement_timeout_ms=0)
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def _plain_words() -> Iterator[None]:
    """Turn what can go wrong into a line or two for the person at the keyboard."""
    try:
        yield
    except AppError as error:
        console.print(error.detail)
        for fault in error.errors:
            guesses = f" (did you mean {', '.join(fault.did_you_mean)}?)" if fault.did_you_mean else ""
            console.print(f"  {fault.field}: {fault.message}{guesses}")
        raise typer.Exit(1) from None
    except (SchemaMismatch, server.PortInUse) as error:
        console.print(str(error))
        raise typer.Exit(1) from None
    except DBAPIError as error:
        console.print(f"The database does not answer or refuses ({type(error.orig).__name__}). Check DATABASE_URL.")
        raise typer.Exit(1) from None
    except UnusableUrl as error:
        console.print(str(error))
        raise typer.Exit(2) from None
    except OSError as error:
        console.print(f"{Path(error.filename or 'A file').name} cannot be read or written: {error.strerror}.")
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
