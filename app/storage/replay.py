"""Two small memories that all replicas share: tokens already used, and how answers were received. Neither holds text
that somebody sent."""

from sqlalchemy import Integer, String, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.storage.database import Base, InstantColumn, LineColumn, TermColumn, now


class ReplayGuard(Base):
    """A token that has been used; the key makes a second use fail on every replica."""

    __tablename__ = "replay_guards"
    issuer: Mapped[LineColumn] = mapped_column(primary_key=True)
    token_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """A digest of the token's id: the id itself is the sender's text."""
    until: Mapped[InstantColumn] = mapped_column(index=True)
    """After this instant the token is refused for its age, so the row can go."""


class FeedbackCount(Base):
    """How often an answer of a service met with an outcome, for a reason of a closed list."""

    __tablename__ = "feedback_counts"
    service: Mapped[TermColumn] = mapped_column(primary_key=True)
    outcome: Mapped[TermColumn] = mapped_column(primary_key=True)
    reason: Mapped[TermColumn] = mapped_column(primary_key=True)
    """Empty where none was given."""
    count: Mapped[int] = mapped_column(Integer)


def use_once(session: Session, issuer: str, token_id: str, until: str) -> None:
    """Remember a token; IntegrityError if it was used before. Forgets those whose time is over."""
    session.execute(delete(ReplayGuard).where(ReplayGuard.until < now()))
    session.add(ReplayGuard(issuer=issuer, token_id=token_id, until=until))
    session.flush()


def count_feedback(session: Session, service: str, outcome: str, reason: str) -> None:
    """Add one. Writers take turns, so reading before writing loses nothing."""
    key = (service, outcome, reason)
    row = session.get(FeedbackCount, key)
    if row is None:
        session.add(FeedbackCount(service=service, outcome=outcome, reason=reason, count=1))
        session.flush()
    else:
        row.count += 1
