"""The manifest of the data set, as it was applied: one row for each time it changed."""

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.manifest import UNDESCRIBED, Manifest
from app.storage.database import Base, TextColumn
from app.storage.serial_memory import SerialMemory


class StoredManifest(Base):
    """What the data set says of itself from one serial on."""

    __tablename__ = "manifests"
    serial: Mapped[int] = mapped_column(ForeignKey("publications.serial"), primary_key=True, autoincrement=False)
    content: Mapped[TextColumn]


def manifest_at(session: Session, serial: int | None = None) -> Manifest | None:
    """The manifest at a serial, by default the newest; null where none was applied by then."""
    rows = select(StoredManifest.content).order_by(StoredManifest.serial.desc()).limit(1)
    content = session.scalar(rows if serial is None else rows.where(StoredManifest.serial <= serial))
    return None if content is None else Manifest.model_validate_json(content)


_CURRENT = SerialMemory(manifest_at)


def current_manifest(session: Session) -> Manifest:
    """The manifest as of now; `UNDESCRIBED` where none was applied."""
    return _CURRENT.get(session) or UNDESCRIBED
