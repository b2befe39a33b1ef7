"""Making, changing and disabling accounts."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import SYSTEM_ACTORS, Account, Person
from app.core.errors import Fault, InvalidInput
from app.storage.database import now


def ensure_system_actors(session: Session) -> None:
    """Create the system actors that are missing."""
    existing = set(session.scalars(select(Account.id)))
    for actor in SYSTEM_ACTORS:
        if actor.id not in existing:
            session.add(Account(id=actor.id, kind=actor.kind, role=actor.role, name=actor.name, created_at=now()))
    session.flush()


def put_person(session: Session, person: Person, *, is_disabled: bool) -> bool:
    """Make the account of a person, or change it; whether it is new. InvalidInput for the account of a system.

    Publications of a disabled account stay; it answers for no new one.
    """
    account = session.get(Account, person.id)
    if (account is not None and account.kind != "person") or person.id in {actor.id for actor in SYSTEM_ACTORS}:
        fault = Fault("file", "id", "taken", "is the account of the system: choose another")
        raise InvalidInput("That account belongs to no person.", errors=[fault])
    is_new = account is None
    if account is None:
        account = Account(id=person.id, kind="person", created_at=now(), disabled_at=None)
        session.add(account)
    account.name, account.role = person.name, person.role
    account.disabled_at = (account.disabled_at or now()) if is_disabled else None
    return is_new
