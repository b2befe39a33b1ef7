"""Commands on the service: serving, the database, backups, maintenance, and what the service answers."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError
from rich.progress import Progress as Bar

from app.accounts import service as accounts
from app.accounts.models import Account, Actor, Person
from app.accounts.service import ensure_system_actors
from app.bibliography import formatted
from app.cli.data import apply_seed
from app.cli.terminal import (
    OutputFile,
    app,
    checked_database,
    console,
    error_messages,
    interface,
    listed,
    opened_database,
    usable_settings,
    write,
)
from app.core import logging
from app.core.errors import InvalidInput
from app.datasets.validation import validation_faults
from app.operations import backup as backups
from app.operations import doctor as doctors
from app.publishing import indexes, maintenance
from app.storage.database import Database, now
from app.storage.history import current_serial


@app.command()
def serve(
    migrate_first: Annotated[bool, typer.Option("--migrate", help="Bring the database up to date first.")] = False,
    seed_first: Annotated[bool, typer.Option("--seed", help="Apply the seed data first.")] = False,
) -> None:
    """Serve the API on HOST:PORT (127.0.0.1:8000)."""
    server, prefix = interface("app.http.server"), interface("app.http.prefix")
    with error_messages(server.PortInUse, prefix.PrefixTaken):
        config = usable_settings()
        server.listen(config.host, config.port).close()  # report a taken port before doing any work
        with opened_database(config) as database:
            if migrate_first:
                _migrate(database)
            _refresh(database)
            if seed_first:
                _seed_if_possible(database, config.seed_dir)
            console.print(f"{doctors.versions(database)}.")
        logging.configure(config.log_json)
        console.print(f"Serving on http://{config.host}:{config.port} (documentation: /docs)")
        timeouts = server.Timeouts(shutdown_delay=config.shutdown_delay_seconds)
        server.run("app.main:asgi", config.host, config.port, timeouts=timeouts)


def _seed_if_possible(database: Database, directories: Sequence[Path]) -> None:
    """A database that holds data already is served even where the seed files do not fit it."""
    try:
        with error_messages():
            apply_seed(database, directories)
    except typer.Exit:
        with database.read() as session:
            if current_serial(session) == 0:
                raise
        console.print("The seed data were not applied. Serving what the database holds.")


def _refresh(database: Database) -> None:
    names = indexes.refresh(database)
    if names:
        console.print(f"Made anew, because they did not fit the data: {', '.join(names)}.")


@app.command()
def migrate(
    to: Annotated[str, typer.Option(help="A revision, `head` for the newest, `base` for none.")] = "head",
) -> None:
    """Bring the database to the newest schema, or to another one."""
    with error_messages(), opened_database(usable_settings()) as database:
        _migrate(database, to)


def _migrate(database: Database, target: str = "head") -> None:
    before, after = indexes.migrate(database, target)
    if before == after:
        console.print(f"Schema {after}: nothing to migrate.")
    else:
        console.print(f"Schema {before or 'none'} → {after or 'none'}.")


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="File to write; it must not exist.")]) -> None:
    """Write one state of the whole database to a file, while others read and write."""
    with error_messages(backups.BackupError), opened_database(usable_settings(), must_exist=True) as database:
        manifest = backups.backup(database, file)
    console.print(f"Backup: {manifest}, {file.stat().st_size // 1_000_000} MB.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `backup` made, of either engine.")],
    verify: Annotated[bool, typer.Option("--verify", help="Read it all back; then as `doctor`.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the data; stop the servers first.")] = False,
) -> None:
    """Check a backup, put it into the empty database that DATABASE_URL names, and bring it up to date."""
    with error_messages(backups.BackupError), opened_database(usable_settings()) as database:
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
    with error_messages(), opened_database(usable_settings(), must_exist=True) as database:
        _examine(database, as_json)


def _examine(database: Database, as_json: bool = False) -> None:
    findings = []
    for finding in doctors.examine(database, usable_settings()):
        findings.append(finding)
        if not as_json:
            console.print(str(finding), markup=False)
    if as_json:
        write(json.dumps([asdict(finding) for finding in findings], indent=1) + "\n", None)
    if any(finding.level is doctors.Level.fault for finding in findings):
        raise typer.Exit(1)


@app.command()
def mcp() -> None:
    """Serve the Model Context Protocol on standard input and output, to an assistant on this machine."""
    main, transport = interface("app.main"), interface("app.mcp.transport")
    with error_messages():
        config = usable_settings()
        with checked_database():
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
    with error_messages():
        document = interface("app.main").create_app(usable_settings()).openapi()
        write(json.dumps(document, indent=1, ensure_ascii=False) + "\n", output)


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
    briefs = interface("app.api.briefs")
    with error_messages(), checked_database() as database:
        text = briefs.brief_file(database, intervention, condition, briefs.Format(form))
        write(text, output)


@app.command()
def render(
    server_url: Annotated[
        str | None, typer.Option("--warm", help="Have the server at this address render and keep them instead.")
    ] = None,
) -> None:
    """Render every FHIR resource and check it; needs the extra `fhir`."""
    if server_url is not None:
        try:
            counts = interface("app.fhir.warming").warm(server_url)
        except OSError as error:
            console.print(f"The server cannot be read ({error}). Check the address.")
            raise typer.Exit(1) from None
        console.print(f"Warm: {listed(counts)}.")
        return
    validation = interface("app.fhir.validation")
    with (
        error_messages(validation.InvalidResources, validation.ValidatorMissing),
        checked_database() as database,
        Bar(console=console, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("Rendering", total=None)
        counts = validation.render_all(
            database, progress=lambda name, done: bar.update(task, description=f"{name} {done}")
        )
    console.print(f"{listed(counts)}: no error.")


@app.command()
def maintain(day: Annotated[str, typer.Option(help="Publish what has expired by this day.")] = now()[:10]) -> None:
    """Publish what the calendar has brought: overrides that end, claims due for review. Run it once a day."""
    with error_messages(), checked_database() as database, database.write() as session:
        ensure_system_actors(session)
        result = maintenance.maintain(session, day)
    with error_messages(), checked_database() as database:
        _store_references(database)
    console.print(
        f"{result.ended_overrides} overrides ended, {result.stale_claims} claims due for review"
        + (f"; serial {result.serial}." if result.serial else "; nothing to publish.")
    )


def _store_references(database: Database) -> None:
    """Format the references that a large publication left out, in a transaction for each part of them."""
    left = 1
    while left:
        with database.write() as session:
            left = formatted.store_missing(session)


@app.command()
def account(
    account_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, such as anna; never changed or reused.")],
    name: Annotated[str, typer.Option(help="As publications name the person.")],
    role: Annotated[Literal["curator", "reviewer", "admin"], typer.Option(help="What the person does.")] = "curator",
    disable: Annotated[bool, typer.Option("--disable", help="Let it answer for no new publication.")] = False,
) -> None:
    """Make the account of a person, or change it; `--author` names it wherever something is published."""
    with error_messages(), checked_database() as database:
        fields = {"id": account_id, "name": name, "role": role}
        try:
            person = Person.model_validate(fields)
        except ValidationError as error:
            faults = [replace(fault, field=str(path[0])) for path, fault in validation_faults(Person, fields, error)]
            raise InvalidInput("The account cannot be made.", errors=faults) from None
        with database.write() as session:
            is_new = accounts.put_person(session, person, is_disabled=disable)
    console.print(f"Account {person.id} {'made' if is_new else 'changed'}{'; disabled' if disable else ''}.")


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
    with error_messages(), checked_database() as database, database.write() as session:
        account = session.get(Account, author)
        actor = account.actor if account else Actor(author, "", "", "")
        result = maintenance.override(session, actor, new)
    console.print(f"Override published; serial {result.serial}.")
