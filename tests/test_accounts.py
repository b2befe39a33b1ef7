"""Accounts of people, made by the command line, and who may answer for a publication."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app.accounts.models import Account
from app.settings import settings
from app.storage.database import Database
from tests.test_cli import error_text, run


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def account(database: Database, account_id: str) -> Account | None:
    with database.read() as session:
        return session.scalar(select(Account).where(Account.id == account_id))


def test_an_account_is_made_changed_and_disabled(small: Database) -> None:
    assert error_text(run(small, "account", "anna", "--name", "Anna")) == "Account anna made.\n"
    made = account(small, "anna")
    assert made is not None
    assert (made.name, made.role, made.kind, made.disabled_at) == ("Anna", "curator", "person", None)

    said = error_text(run(small, "account", "anna", "--name", "Anna B.", "--role", "reviewer", "--disable"))
    assert said == "Account anna changed; disabled.\n"
    changed = account(small, "anna")
    assert changed is not None
    assert (changed.name, changed.role, changed.created_at) == ("Anna B.", "reviewer", made.created_at)
    assert changed.disabled_at is not None

    error_text(run(small, "account", "anna", "--name", "Anna B."))
    again = account(small, "anna")
    assert again is not None
    assert again.disabled_at is None


def test_what_cannot_be_an_account_is_named_and_nothing_is_made(small: Database) -> None:
    assert "id: " in error_text(run(small, "account", "Anna!", "--name", "Anna"), 1)
    assert "name: " in error_text(run(small, "account", "anna", "--name", "An\nna"), 1)
    assert "account of the system" in error_text(run(small, "account", "seed", "--name", "Anna"), 1)
    assert account(small, "anna") is None
