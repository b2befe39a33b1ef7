"""What the commands share: the terminal, settings, the database, and errors in a line or two."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from app.core.errors import AppError
from app.publishing import indexes
from app.settings import Settings, settings
from app.storage.database import Database, UnusableUrl
from app.storage.faults import DATABASE_ERRORS, DatabaseUnavailable, database_fault
from app.storage.schema import SchemaMismatch

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)

OutputFile = Annotated[Path | None, typer.Option(help="File to write; standard output otherwise.")]


def write(text: str, output: Path | None) -> None:
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


def listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def interface(module: str) -> Any:
    """Load an interface by name when a command needs it: interfaces stand beside the command line, not below it."""
    return importlib.import_module(module)


def usable_settings() -> Settings:
    try:
        return settings()
    except ValidationError as error:
        names = ", ".join(str(detail["loc"][0]).upper() for detail in error.errors(include_input=False))
        console.print(f"A setting in the environment is not usable: {names}.")
        raise typer.Exit(2) from None


@contextmanager
def checked_database() -> Iterator[Database]:
    with opened_database(usable_settings()) as database:
        indexes.check(database)
        yield database


@contextmanager
def opened_database(config: Settings, *, must_exist: bool = False) -> Iterator[Database]:
    database = Database(config.database_url, statement_timeout_ms=0, must_exist=must_exist)
    database.on_wait = console.print
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def error_messages(*expected: type[Exception]) -> Iterator[None]:
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
