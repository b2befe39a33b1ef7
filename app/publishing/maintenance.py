"""Overrides of derived values, and the daily maintenance.

Nothing in the data set changes by the clock alone: `maintain` takes a day and publishes what expires by then.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from app.accounts.models import MAINTENANCE, Account, Actor
from app.claims.models import Claim, Maintained, Override
from app.claims.vocabulary import Certainty, Consensus
from app.core.errors import Fault, InvalidInput
from app.core.vocabulary import Status
from app.publishing.publish import PublishResult, publish
from app.storage.database import now
from app.storage.records import CurrentRecords
from app.storage.resource import Key

OVERRIDABLE = {"consensus": tuple(Consensus), "certainty": tuple(Certainty)}
"""Derived values that can be overridden, and the values they take."""


@dataclass(frozen=True)
class NewOverride:
    """A value to show instead of a computed one, until a day."""

    claim_id: str
    field: str
    """A key of `OVERRIDABLE`."""
    value: str
    reason: str
    """Is published."""
    expires_on: str
    """YYYY-MM-DD, after today: the first day without the override."""


def override(session: Session, actor: Actor, new: NewOverride) -> PublishResult:
    """Replace a claim's derived value until a day; the computed value stays visible beside it."""
    faults = list(_faults(session, actor, new))
    if faults:
        raise InvalidInput("The override is not complete.", errors=faults)
    session.execute(
        update(Override)
        .where(Override.claim_id == new.claim_id, Override.field == new.field, Override.is_active)
        .values(is_active=False)
    )
    values = asdict(new) | {"reason": new.reason.strip()}
    session.add(Override(**values, author_id=actor.id, created_at=now(), is_active=True))
    session.flush()
    return publish(session, actor, (), f"Override of {new.field}", recompute=[Key("claim", new.claim_id)])


def _faults(session: Session, actor: Actor, new: NewOverride) -> Iterator[Fault]:
    row = CurrentRecords(session).row(Key("claim", new.claim_id))
    if row is None or row.is_retired:
        yield Fault("body", "claim", "unknown_value", "names no published claim")
    if session.get(Account, actor.id) is None:
        yield Fault("body", "author", "unknown_value", "names no account")
    values = OVERRIDABLE.get(new.field)
    if values is None:
        yield Fault("body", "field", "unknown_value", "is not a derived value", tuple(OVERRIDABLE))
    elif new.value not in values:
        yield Fault("body", "value", "unknown_value", f"is not a {new.field}", values)
    if not new.reason.strip():
        yield Fault("body", "reason", "missing", "is required")
    if len(new.expires_on) != 10 or new.expires_on <= now()[:10]:
        yield Fault("body", "expires_on", "expired", "must be a day after today, as YYYY-MM-DD")


@dataclass(frozen=True)
class MaintenanceResult:
    """What the maintenance of a day did; `serial` is null if nothing changed."""

    serial: int | None
    ended_overrides: int
    stale_claims: int


def maintain(session: Session, day: str) -> MaintenanceResult:
    """Publish what changes by a day: overrides that end, and claims that become due for review."""
    ended = session.scalars(select(Override).where(Override.is_active, Override.expires_on <= day)).all()
    for one in ended:
        one.is_active = False
    row = session.scalar(select(Maintained))
    if row is None:
        session.add(Maintained(day=day))
    else:
        row.day = max(row.day, day)
    session.flush()
    due = session.scalars(
        select(Claim.id).where(
            or_(Claim.stale_on <= day, Claim.is_stale, Claim.valid_to < day), Claim.status == Status.published
        )
    )
    keys = [Key("claim", claim_id) for claim_id in (*due, *(one.claim_id for one in ended))]
    result = publish(session, MAINTENANCE, (), f"Maintenance of {day}", recompute=keys)
    stale = session.scalar(select(func.count()).where(Claim.is_stale)) or 0
    return MaintenanceResult(result.serial, len(ended), stale)
