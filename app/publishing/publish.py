"""The only way in which published records change.

`publish` takes new contents and, in one transaction, checks them, writes the tables, recomputes what depends on them,
renders the bodies that change, and keeps every state under a new serial. It does all of this or nothing, and nothing
if nothing would change.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.orm import Session

from app.accounts.models import Actor
from app.bibliography import formatted
from app.concepts.lineage import stored_lines
from app.concepts.models import Concept
from app.concepts.schemas import InterventionWrite
from app.publishing import index_state
from app.publishing.changes import Change, check, differing, with_citations
from app.publishing.rendering import Progress, Renderer, heirs
from app.registry import BY_TYPE, FILTERS
from app.search import index
from app.sources.projection import mark_reviews
from app.storage.database import CHANNEL, MAX_KEYS, Base, now
from app.storage.filter_index import FilterIndexUpdater
from app.storage.history import (
    Publication,
    RecordReference,
    are_among,
    batches,
    current_serial,
    referrers,
    targets,
)
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from app.storage.rows import RowWriter, load_keys


@dataclass(frozen=True)
class PublishResult:
    """What a publication did; `serial` is null if nothing changed."""

    serial: int | None
    created: tuple[Key, ...] = ()
    updated: tuple[Key, ...] = ()
    touched: tuple[Key, ...] = ()
    """Records whose content stayed the same, but whose derived values or body changed."""


def publish(
    session: Session,
    actor: Actor,
    changes: Iterable[Change],
    note: str,
    progress: Progress | None = None,
    recompute: Iterable[Key] = (),
) -> PublishResult:
    """Publish new contents; InvalidInput lists every fault, and then nothing is written.

    `recompute` names records whose derived values may change although no content does.
    """
    records = CurrentRecords(session)
    every = with_citations(session, records, list(changes))
    changed = differing(records, every)
    recompute = set(recompute)
    if not changed and not recompute:
        return PublishResult(None)
    for change in changed:
        records.overlay(change.key, change.content)
    check(session, records, changed, every)

    keys = {change.key for change in changed}
    neighbours = _neighbours(session, keys)
    updater = FilterIndexUpdater(session, FILTERS)
    inherited = _claims_on_sources(session, changed)
    _snapshot(updater, neighbours | recompute | keys | inherited)
    write_tables(session, changed)
    mark_reviews(session, (key.id for key in recompute if key.type == "study"))
    neighbours |= _neighbours(session, keys)
    _snapshot(updater, neighbours)

    publication = open_publication(session, actor, note)
    serial, at = publication.serial, publication.at
    rendered = Renderer(session, records, serial, at, keys, progress).run(neighbours | recompute)
    indexed = dict.fromkeys((*rendered, *sorted(inherited)))  # under the names of those that inherit their harms, too
    index.update(session, records, indexed)
    formatted.update(session, (records.content(key) for key in rendered if key.type == "document"))
    updater.apply()
    if not rendered:
        session.execute(delete(Publication).where(Publication.serial == serial))
        return PublishResult(None)
    announce(session, serial)
    return PublishResult(
        serial=serial,
        created=tuple(change.key for change in changed if records.row(change.key) is None),
        updated=tuple(change.key for change in changed if records.row(change.key)),
        touched=tuple(key for key in rendered if key not in keys),
    )


def open_publication(session: Session, actor: Actor, note: str) -> Publication:
    """The next serial. Whoever opens one announces it once its changes are written."""
    publication = Publication(serial=current_serial(session) + 1, at=now(), actor=actor.id, note=note)
    session.add(publication)
    session.flush()
    return publication


def announce(session: Session, serial: int) -> None:
    """Make a serial known with the commit: to the indexes, which hold its records, and to processes that listen."""
    index_state.advance(session, serial)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_notify(CHANNEL, str(serial))))


def _neighbours(session: Session, keys: Set[Key]) -> set[Key]:
    """Records that name these or are named by them; what inherits from the interventions among them, with its doses,
    which inherit bands, and its claims, whose answers may name the drug."""
    below = heirs(session, keys)
    interventions = below | {key for key in keys if key.type == "intervention"}
    on_these = {key for key in referrers(session, interventions) if key.type in ("dosing_range", "claim")}
    return referrers(session, keys) | targets(session, keys) | below | on_these


def _claims_on_sources(session: Session, changed: Sequence[Change]) -> set[Key]:
    """Claims on interventions whose families change, and on all above them: the filters list their harms under those
    that inherit them as well."""
    contents = [change.content for change in changed if isinstance(change.content, InterventionWrite)]
    if not contents:
        return set()
    is_one = Concept.type == "intervention"
    named = {name for content in contents for name in (content.id, content.parent, *content.members) if name}
    pks = set(session.scalars(select(Concept.pk).where(is_one, Concept.id.in_(named))))
    above = pks.union(*(stored_lines(session, pk) for pk in pks))
    ids = session.scalars(select(Concept.id).where(Concept.pk.in_(above)))
    sources = [Key("intervention", name) for name in {*named, *ids}]
    return {key for key in referrers(session, sources) if key.type == "claim"}


def _snapshot(updater: FilterIndexUpdater, keys: Iterable[Key]) -> None:
    for record_type, some in _ids_by_type(keys).items():
        updater.snapshot(record_type, some)


def write_tables(session: Session, changed: Sequence[Change]) -> None:
    """Write contents as rows, and what they refer to; parents come first. What is derived is written by `Renderer`."""
    writer = RowWriter(session)
    for some in _some_at_a_time([change for change in changed if BY_TYPE[change.type].part_of is None]):
        named = _references(some)
        _load_keys(session, {*named, *(key for keys in named.values() for key in keys)})
        for change in some:
            BY_TYPE[change.type].apply(writer, change.content)
        writer.flush()
    # What is linked anew must not meet what others are about to give up, such as an identifier.
    stored = [change for change in changed if not writer.is_new(*_row_of(change.key))]
    new = [change for change in changed if writer.is_new(*_row_of(change.key))]
    for some in (stored, *_some_at_a_time(new)):
        named = _references(some)
        _load_keys(session, {key for keys in named.values() for key in keys})
        for change in some:
            BY_TYPE[change.type].link(writer, change.content)
        writer.flush()
        _write_references(session, named)
    mark_reviews(session, (change.content.id for change in changed if change.type == "study"))


def _some_at_a_time(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """As many as are written together: the rows of all of them would take much memory."""
    for start in range(0, len(changes), MAX_KEYS):
        yield changes[start : start + MAX_KEYS]


def _references(changes: Iterable[Change]) -> dict[Key, set[Key]]:
    return {
        change.key: {reference.key for reference in BY_TYPE[change.type].references(change.content)}
        for change in changes
    }


def _write_references(session: Session, named: Mapping[Key, Set[Key]]) -> None:
    for some in batches(named):
        session.execute(delete(RecordReference).where(are_among((RecordReference.type, RecordReference.id), some)))
    rows = [
        {"type": key.type, "id": key.id, "to_type": target.type, "to_id": target.id}
        for key, names in named.items()
        for target in sorted(names)
    ]
    if rows:
        session.execute(insert(cast("Table", RecordReference.__table__)), rows)


def _row_of(key: Key) -> tuple[type[Base], str, str | None]:
    """Table, id, and the type of record where the table holds several: how a `RowWriter` names the record's row."""
    spec = FILTERS[key.type]
    return spec.table, key.id, None if spec.rows is None else key.type


def _load_keys(session: Session, keys: Iterable[Key]) -> None:
    """Read the internal keys of all records that are written or named; parts of others get new ones each time."""
    for record_type, ids in _ids_by_type(key for key in keys if BY_TYPE[key.type].part_of is None).items():
        spec = FILTERS[record_type]
        load_keys(session, spec.table, ids, None if spec.rows is None else record_type)


def _ids_by_type(keys: Iterable[Key]) -> dict[str, set[str]]:
    ids: dict[str, set[str]] = {}
    for key in keys:
        ids.setdefault(key.type, set()).add(key.id)
    return ids
