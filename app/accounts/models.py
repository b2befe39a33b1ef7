"""Accounts of people and of the system."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Mapped, mapped_column

from app.core.content import ContentModel
from app.core.text import OneLine, Slug
from app.storage.database import SLUG, Base, InstantColumn, LineColumn, TermColumn


@dataclass(frozen=True)
class Actor:
    """An account as a value that outlives the session it was read in."""

    id: str
    name: str
    kind: str
    role: str


class Person(ContentModel):
    """What is said of a person who curates."""

    id: Slug
    name: OneLine
    """As publications name the person."""
    role: Literal["curator", "reviewer", "admin"] = "curator"


class Account(Base):
    """A person or a system actor; never deleted, because history refers to it."""

    __tablename__ = "accounts"
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    kind: Mapped[TermColumn]
    """`system` or `person`."""
    role: Mapped[TermColumn]
    """`system`, `curator`, `reviewer` or `admin`."""
    name: Mapped[LineColumn]
    created_at: Mapped[InstantColumn]
    disabled_at: Mapped[InstantColumn | None]

    @property
    def actor(self) -> Actor:
        return Actor(self.id, self.name, self.kind, self.role)


SEED = Actor(id="seed", name="Seed data", kind="system", role="system")
MAINTENANCE = Actor(id="maintenance", name="Maintenance", kind="system", role="system")
SYSTEM_ACTORS = (SEED, MAINTENANCE)
