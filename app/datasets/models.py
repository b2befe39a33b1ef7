"""What was last applied from the seed files."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import SLUG, Base


class SeedRecord(Base):
    """The digest of a record's content as the seed files last gave it.

    A record whose stored content has another digest was edited by a curator since; a restart never undoes that.
    """

    __tablename__ = "seed_records"
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    digest: Mapped[str] = mapped_column(String(32))
