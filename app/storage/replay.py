"""State of services that all replicas share: used tokens, and counts of feedback. No table holds text of a client."""

from sqlalchemy import Integer, String, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.storage.database import Base, InstantColumn, LineColumn, TermColumn, now


class ReplayGuard(Base):
    """A used token; the primary key makes a second use fail on every replica."""

    __tablename__ = "replay_guards"
    issuer: Mapped[LineColumn] = mapped_column(primary_key=True)
    token_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Digest of the token's id; the id itself is text of a client."""
    until: Mapped[InstantColumn] = mapped_column(index=True)
    """The token expires at this instant; the row can then be deleted."""


class FeedbackCount(Base):
    """Number of answers of a service that had an outcome, for a reason of a closed list."""

    __tablename__ = "feedback_counts"
    service: Mapped[TermColumn] = mapped_column(primary_key=True)
    outcome: Mapped[TermColumn] = mapped_column(primary_key=True)
    reason: Mapped[TermColumn] = mapped_column(primary_key=True)
    """Empty if none was stated."""
    count: Mapped[int] = mapped_column(Integer)


def use_once(session: Session, issuer: str, token_id: str, until: str) -> None:
    """Store a token; IntegrityError if it was used before. Deletes expired ones that nobody else is deleting."""
    session.add(ReplayGuard(issuer=issuer, token_id=token_id, until=until))
    session.flush()
    key = tuple_(ReplayGuard.issuer, ReplayGuard.token_id)
    expired = select(ReplayGuard.issuer, ReplayGuard.token_id).where(ReplayGuard.until < now())
    session.execute(delete(ReplayGuard).where(key.in_(expired.with_for_update(skip_locked=True))))


def count_feedback(session: Session, service: str, outcome: str, reason: str) -> None:
    """Add one. Others may count at the same time."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    key = {"service": service, "outcome": outcome, "reason": reason}
    counted = insert(FeedbackCount).values(**key, count=1)
    session.execute(
        counted.on_conflict_do_update(index_elements=list(key), set_={FeedbackCount.count: FeedbackCount.count + 1})
    )
