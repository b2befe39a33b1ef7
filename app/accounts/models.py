"""People, system actors and their keys."""

from dataclasses import dataclass

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import SLUG, Base, InstantColumn, LineColumn, TermColumn


@dataclass(frozen=True)
class Actor:
    """Who acts, as a value that outlives the session it was read in."""

    id: str
    name: str
    kind: str
    role: str


class Account(Base):
    """A person or a system actor; never deleted, since history names it."""

    __tablename__ = "accounts"
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    kind: Mapped[TermColumn]
    """`system` or `person`."""
    role: Mapped[TermColumn]
    """`system`, `curator`, `reviewer` or `admin`."""
    name: Mapped[LineColumn]
    created_at: Mapped[InstantColumn]
    disabled_at: Mapped[InstantColumn | None]


class ApiKey(Base):
    """A key's digest; the key itself is shown once and never stored."""

    __tablename__ = "api_keys"
    prefix: Mapped[str] = mapped_column(String(16), primary_key=True)
    account_id: Mapped[str] = mapped_column(SLUG, ForeignKey("accounts.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[InstantColumn]
    expires_at: Mapped[InstantColumn | None]
    last_used_at: Mapped[InstantColumn | None]


SEED = Actor(id="seed", name="Seed data", kind="system", role="system")
MAINTENANCE = Actor(id="maintenance", name="Maintenance", kind="system", role="system")
SYSTEM_ACTORS = (SEED, MAINTENANCE)
