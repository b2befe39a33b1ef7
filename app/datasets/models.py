"""Table of what was last applied from the seed files."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import SLUG, Base


class SeedRecord(Base):
    """Digest of a record's content when the seed files were last applied.

    If the stored content has another digest, a curator has edited the record since.
    """

    __tablename__ = "seed_records"
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(SLUG, primary_key=True)
    digest: Mapped[str] = mapped_column(String(32))
