"""Commands on the data set: its files, its sources, what it says and how it is graded."""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import Progress as Bar

from app.accounts.service import ensure_system_actors
from app.cli.terminal import (
    app,
    checked_database,
    console,
    error_messages,
    listed,
    usable_settings,
    write,
)
from app.concepts.manifest import UNDESCRIBED
from app.datasets import add_source as adding
from app.datasets import bundle, corpora, file_schemas, seed_report, skeletons
from app.datasets import export as exports
from app.datasets import preview as previews
from app.datasets import pull as pulling
from app.datasets import seed as seeding
from app.datasets import standing as standings
from app.datasets import value_set as value_sets
from app.datasets.curation import curation_notes
from app.grading.method import method_of
from app.publishing.publish import PublishResult
from app.publishing.rendering import Progress
from app.sources.vocabulary import DocumentKind
from app.storage.database import Database, now
from app.storage.resource import Key

SeedDirectories = Annotated[
    list[Path] | None,
    typer.Option("--from", help="Directory of the YAML files; again for one that builds on it. By default SEED_DIR."),
]


@app.command()
def seed(  # noqa: PLR0913 - each is an option of the command
    directories: SeedDirectories = None,
    take: Annotated[list[str] | None, typer.Option(help="TYPE/ID of a record to take from the files anyway.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")] = False,
    note: Annotated[str, typer.Option(help="What the publication says of itself.")] = seeding.PLAIN.note,
    author: Annotated[str, typer.Option(help="The account that answers for it.")] = seeding.PLAIN.author,
    prune: Annotated[
        bool, typer.Option("--prune", help="Also list the seeded records that the files no longer hold.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --prune: retire those that nobody has edited since.")
    ] = False,
) -> None:
    """Apply the records of the seed files that changed, and that nobody has edited since; 3 if there are conflicts."""
    keys = [Key(*name.split("/", 1)) for name in take or () if "/" in name]
    if len(keys) < len(take or ()):
        console.print("Name a record as TYPE/ID, such as outcome/fatigue.")
        raise typer.Exit(2)
    plan = seeding.SeedPlan(take=keys, note=note, author=author, prune=prune and yes, reread=prune)
    with error_messages(), checked_database() as database:
        names = directories or usable_settings().seed_dir
        if dry_run:
            with database.write() as session:
                result = seed_report.print_preview(console, previews.preview(session, names, plan))
                session.rollback()
        else:
            result = apply_seed(database, names, plan)
        if prune:
            seed_report.print_dropped(console, result, retire=plan.prune)
    if result.conflicts:
        raise typer.Exit(3)


def apply_seed(
    database: Database, directories: Sequence[Path], plan: seeding.SeedPlan = seeding.PLAIN
) -> seeding.SeedResult:
    bar = Bar(console=console, transient=True, disable=not console.is_terminal)
    with _without_collections(), bar, database.write() as session:
        task = bar.add_task("Publishing", total=None)
        progress: Progress = lambda done, total: bar.update(task, advance=done, total=total)  # noqa: E731
        result = seeding.seed(session, directories, progress, plan)
    seed_report.print_result(console, result)
    return result


@contextmanager
def _without_collections() -> Iterator[None]:
    """Without looking for circles of unused objects, which takes a third of the time: records form none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@app.command()
def pull(
    directories: SeedDirectories = None,
) -> None:
    """Write the stored records back into the seed files; comments and whatever did not change stay as they are."""
    with error_messages(), checked_database() as database:
        with database.read() as session:
            changes = pulling.pull(session, directories or usable_settings().seed_dir)
        for line in changes:
            console.print(line, markup=False)
        console.print(f"{len(changes)} records written." if changes else "The files hold what is stored.")


@app.command()
def check(directories: SeedDirectories = None) -> None:
    """Check the seed files as a whole, and list what a curator should look at; needs no database."""
    with error_messages():
        files = bundle.load_bundle(directories or usable_settings().seed_dir)
        console.print(f"{len(files.changes)} records, no fault.")
        method = method_of(files.manifest or UNDESCRIBED)
        for note in curation_notes({change.key: change.content for change in files.changes}, method):
            console.print(f"To look at: {note}")


@app.command()
def schema(
    output: Annotated[Path, typer.Option(help="Directory to write to, such as seed_data/schema.")],
) -> None:
    """Write a JSON Schema of each seed file, from which editors complete and explain fields; needs no database."""
    with error_messages():
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
    with error_messages():
        if what == "dataset":
            directory = output or Path(record_id)
            for name in skeletons.new_data_set(record_id, directory):
                console.print(f"{directory / name}", markup=False)
        elif output is None:
            sys.stdout.write(skeletons.new_record(what, record_id))
        else:
            skeletons.new_file(what, record_id, output)


@app.command()
def add_source(
    sources: Annotated[list[str], typer.Argument(help="Files of references, DOIs, pmid:NUMBER or PMCIDs.")],
    to: Annotated[Path | None, typer.Option(help="Directory of seed files to append to; printed otherwise.")] = None,
    kind: Annotated[DocumentKind | None, typer.Option(help="Kind for records whose type is unknown.")] = None,
    directories: SeedDirectories = None,
) -> None:
    """Make the skeleton of a document, and of its study, from what a source states; name what is recorded already."""
    with error_messages():
        files = [adding.read_source(source, usable_settings()) for source in sources]
        within = _directories_with(to, directories)
        result = adding.add_sources(files, within, kind)
        for note in result.notes:
            console.print(note, markup=False)
        if to is None:
            write(result.text(), None)
        elif result.skeletons:
            names = adding.append(result, to, within)
            console.print(f"{len(result.skeletons)} documents written; files changed: {', '.join(names)}.")
        if not result.skeletons:
            console.print("Nothing to add.")
            raise typer.Exit(1)


def _directories_with(to: Path | None, directories: Sequence[Path] | None) -> Sequence[Path]:
    """The directories of which `to` is one: named with it, or in SEED_DIR; if it is in neither, it stands alone."""
    among = directories or usable_settings().seed_dir
    if to is None or to.resolve() in (directory.resolve() for directory in among):
        return among
    return [*(directories or ()), to]


@app.command()
def import_corpus(
    corpus: Annotated[corpora.Corpus, typer.Argument(help="Which corpus it is.")],
    directory: Annotated[Path, typer.Argument(help="Its directory, as it is published.")],
    to: Annotated[Path, typer.Option(help="Directory for the seed files; new or empty.")],
    therapy_kind: Annotated[
        str | None, typer.Option(help="What its therapies are here; without it they are left out.")
    ] = None,
) -> None:
    """Make seed files of a foreign corpus, and list what it says that cannot be expressed."""
    with error_messages():
        result = corpora.import_corpus(corpus, directory, therapy_kind)
        result.write(to)
        console.print(f"Taken from {result.corpus}: {listed(result.counts()) or 'nothing'}.")
        for sentence in result.report():
            console.print(f"  {sentence}", markup=False)


@app.command()
def value_set(
    file: Annotated[Path, typer.Argument(help="An expanded FHIR ValueSet, JSON.")],
    into: Annotated[str, typer.Option(help="The class of drugs to which its codes belong.")],
) -> None:
    """Load the codes of a FHIR ValueSet into a class of drugs; run it again with a newer file to replace them."""
    with error_messages(), checked_database() as database, database.write() as session:
        ensure_system_actors(session)
        result = value_sets.load(session, file, into)
    console.print(
        f"{result.record}: {result.loaded} codes, {result.known} more are known by their drugs, "
        f"{result.skipped} of unknown code systems left out"
        + (f"; serial {result.serial}." if result.serial else "; nothing changed.")
    )


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
    with error_messages(), checked_database() as database, database.write() as session:
        ensure_system_actors(session)
        feeds = [standings.from_crossref(crossref)] if crossref else []
        feeds += [standings.from_retraction_watch(retraction_watch)] if retraction_watch else []
        for feed in feeds:
            _print_standing(feed.source, standings.apply(session, feed, checked_on))
            for doubt in standings.doubts_to_print(session, feed):
                console.print(f"  {doubt}")


def _print_standing(source: str, result: PublishResult) -> None:
    claims = sum(key.type == "claim" for key in result.touched)
    if result.serial is None:
        console.print(f"{source}: nothing new.")
    else:
        documents = len(result.updated)
        console.print(f"{source}: {documents} documents, {claims} claims recomputed; serial {result.serial}.")


@app.command()
def export(output: Annotated[Path, typer.Option(help="File to write.")]) -> None:
    """Write the whole data set, contents and derived values, as JSON lines."""
    with error_messages(), checked_database() as database:
        with database.read() as session, output.open("w", encoding="utf-8") as file:
            count = exports.write(session, file)
        console.print(f"{count} records written.")


@app.command()
def grade(source: Annotated[Path, typer.Option("--from", help="A file made by `export`.")]) -> None:
    """Compute every grade again from an export, and name those that differ; needs no database."""
    with error_messages():
        count, differences = exports.regrade(source)
        for difference in differences:
            console.print(f"{difference.claim}\n  stored   {difference.stored}\n  computed {difference.computed}")
        console.print(f"{count} claims graded again, {len(differences)} differences.")
        if differences:
            raise typer.Exit(1)
