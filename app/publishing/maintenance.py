"""What people and the calendar do to derived values: overrides with a reason and an end, and the publishing of ends.

Nothing in the data set changes by the clock alone: `maintain` takes a day and publishes what has expired by then.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.accounts.models import MAINTENANCE, Account, Actor
from app.claims.models import Claim, Maintained, Override
from app.claims.vocabulary import Certainty, Consensus
from app.core.errors import Fault, InvalidInput
from app.core.vocabulary import Status
from app.publishing.publish import Outcome, publish
from app.storage.database import now
from app.storage.history import StoredRecord
from app.storage.resource import Key

_VALUES = {"consensus": tuple(Consensus), "certainty": tuple(Certainty)}


def overrides_before(
    session: Session, pk: int | None, limit: int, *, is_active: bool | None
) -> tuple[Sequence[Override], int]:
    """Overrides that were set before one of them, newest first; and how many there are in all."""
    every = select(Override)
    if is_active is not None:
        every = every.where(Override.is_active.is_(is_active))
    total = session.scalar(select(func.count()).select_from(every.subquery())) or 0
    if pk is not None:
        every = every.where(Override.pk < pk)
    return session.scalars(every.order_by(Override.pk.desc()).limit(limit)).all(), total


def override(
    session: Session, actor: Actor, claim_id: str, field: str, value: str, reason: str, expires_on: str
) -> Outcome:
    """Set a derived value aside until a day; the computed value stays visible beside it."""
    faults = list(_override_faults(session, actor, claim_id, field, value, reason, expires_on))
    if faults:
        raise InvalidInput("The override is not complete.", errors=faults)
    for earlier in session.scalars(
        select(Override).where(Override.claim_id == claim_id, Override.field == field, Override.is_active)
    ):
        earlier.is_active = False
    session.add(
        Override(
            claim_id=claim_id,
            field=field,
            value=value,
            reason=reason.strip(),
            author_id=actor.id,
            created_at=now(),
            expires_on=expires_on,
            is_active=True,
        )
    )
    session.flush()
    return publish(session, actor, (), f"Override of {field}", recompute=[Key("claim", claim_id)])


def _override_faults(
    session: Session, actor: Actor, claim_id: str, field: str, value: str, reason: str, expires_on: str
) -> list[Fault]:
    faults = []
    row = session.get(StoredRecord, ("claim", claim_id))
    if row is None or row.status != Status.published:
        faults.append(Fault("body", "claim", "unknown_value", "names no published claim"))
    if session.get(Account, actor.id) is None:
        faults.append(Fault("body", "author", "unknown_value", "names no account"))
    if field not in _VALUES:
        faults.append(Fault("body", "field", "unknown_value", "is not a derived value", tuple(_VALUES)))
    elif value not in _VALUES[field]:
        faults.append(Fault("body", "value", "unknown_value", f"is not a {field}", _VALUES[field]))
    if not reason.strip():
        faults.append(Fault("body", "reason", "missing", "is required"))
    if len(expires_on) != 10 or expires_on <= now()[:10]:
        faults.append(Fault("body", "expires_on", "expired", "must be a day after today, as YYYY-MM-DD"))
    return faults


@dataclass(frozen=True)
class Maintenance:
    """What a day's maintenance did."""

    serial: int | None
    ended_overrides: int
    stale_claims: int


def maintain(session: Session, day: str) -> Maintenance:
    """Publish everything that has expired by a day: overrides that end, claims that fall due for review."""
    ended = list(session.scalars(select(Override).where(Override.is_active, Override.expires_on <= day)))
    for one in ended:
        one.is_active = False
    row = session.scalar(select(Maintained))
    if row is None:
        session.add(Maintained(day=day))
    else:
        row.day = max(row.day, day)
    session.flush()
    due = session.scalars(
        select(Claim.id).where(or_(Claim.stale_on <= day, Claim.is_stale), Claim.status == Status.published)
    ).all()
    keys = {Key("claim", claim_id) for claim_id in (*due, *(one.claim_id for one in ended))}
    outcome = publish(session, MAINTENANCE, (), f"Maintenance of {day}", recompute=keys)
    stale = session.scalars(select(Claim.id).where(Claim.is_stale)).all()
    return Maintenance(outcome.serial, len(ended), len(stale))
