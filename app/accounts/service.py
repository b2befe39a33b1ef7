"""The accounts that exist from the start."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import SYSTEM_ACTORS, Account
from app.storage.database import now


def ensure_system_actors(session: Session) -> None:
    """Create the system actors that are missing."""
    existing = set(session.scalars(select(Account.id)))
    for actor in SYSTEM_ACTORS:
        if actor.id not in existing:
            session.add(Account(id=actor.id, kind=actor.kind, role=actor.role, name=actor.name, created_at=now()))
    session.flush()
