"""Recomputes derived values and renders the bodies of all records that a publication affects."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from app.claims.derived import ClaimDerived, DosingRangeDerived
from app.claims.doses import stored
from app.claims.models import Citation, Claim
from app.claims.projection import write_dose
from app.claims.rules import relevance
from app.claims.vocabulary import RelationType
from app.concepts.lineage import refs_of, stored_heirs
from app.concepts.models import Concept
from app.registry import BY_TYPE
from app.storage.database import MAX_KEYS, Base
from app.storage.history import RecordState, StoredRecord, batches, referrers, targets, text_of
from app.storage.records import CurrentRecords, RecordRow
from app.storage.resource import Key, Stamp
from app.storage.rows import RowWriter


def heirs(session: Session, keys: Set[Key]) -> set[Key]:
    """Regimens and members of the interventions, which show the harms of their drugs and classes."""
    pks: list[int] = []
    for some in batches(key.id for key in keys if key.type == "intervention"):
        pks += session.scalars(select(Concept.pk).where(Concept.type == "intervention", Concept.id.in_(some)))
    return {Key("intervention", heir.id) for heir in refs_of(session, stored_heirs(session, pks)).values()}


_VERDICT_COLUMNS = {
    "consensus", "leaning", "certainty", "method", "study_count", "review_count", "participant_count",
}  # fmt: skip

Progress = Callable[[int, int], None]
"""Takes the number of records that were rendered since it was last called, and the number of all."""


@dataclass
class Renderer:
    """Renders records, and stores those whose bodies change under one serial."""

    session: Session
    records: CurrentRecords
    serial: int
    at: str
    changed: Set[Key]
    """Records whose content changes."""
    progress: Progress | None = None
    _rendered: list[Key] = field(default_factory=list)
    """Those that changed."""

    def run(self, neighbours: Set[Key]) -> list[Key]:
        """Render the changed records, their neighbours and all that depends on them; returns those that changed."""
        affected = set(self.changed | neighbours)
        self.records.prefetch(affected, depth=1)
        # Claims first: the counts on other records are computed from the claims' rows.
        moved = self._derive(key for key in affected if key.type == "claim")
        moved |= self._derive_restatements(moved)
        # A study's number of people counts elsewhere even where a claim states a number of its own.
        sources = (key for key in self.changed if key.type in ("study", "document"))
        moved |= {key for key in referrers(self.session, sources) if key.type == "claim"}
        affected |= referrers(self.session, moved) | targets(self.session, moved)
        # A side effect names the drugs and outcomes of the claims that it shows.
        named = (key for key in self.changed if key.type in ("intervention", "outcome"))
        claims = {key for key in referrers(self.session, named) if key.type == "claim"}
        affected |= {key for key in targets(self.session, claims) if key.type == "side_effect"}
        affected |= heirs(self.session, affected)
        self.records.prefetch(affected)
        for some in self._together(affected):
            self._derive(key for key in some if key.type != "claim")
            self._render(some)
            if self.progress:
                self.progress(len(some), len(affected))
        return self._rendered

    def _together(self, keys: Set[Key]) -> Iterator[list[Key]]:
        """As many records at a time as one statement takes; a claim with its citations, which show the same sources."""
        claims = {key: Key("claim", self.records.content(key).claim) for key in keys if key.type == "citation"}
        ordered = sorted(keys, key=lambda key: (claims.get(key, key), key))
        for start in range(0, len(ordered), MAX_KEYS):
            yield ordered[start : start + MAX_KEYS]

    def _derive_restatements(self, moved: Set[Key]) -> set[Key]:
        """Recompute the claims that restate a changed one, for they show its verdict; those that change."""
        changed: set[Key] = set()
        while restating := {
            key
            for key in referrers(self.session, moved)
            if key.type == "claim" and key not in changed and self._restates(key, moved)
        }:
            moved = self._derive(restating)
            changed |= moved
        return changed

    def _restates(self, key: Key, moved: Set[Key]) -> bool:
        relations = self.records.content(key).relations
        return any(r.type is RelationType.restates and Key("claim", r.claim) in moved for r in relations)

    def _derive(self, keys: Iterable[Key]) -> set[Key]:
        """Recompute the derived values of records; those of which they or the content changed."""
        moved, writer = set(), RowWriter(self.session)
        for record_type, of_type in groupby(sorted(keys), key=attrgetter("type")):
            for some in batches(of_type):
                contents = [self.records.content(key) for key in some]
                values = BY_TYPE[record_type].derive(self.session, self.records, contents)
                verdicts: dict[Key, ClaimDerived] = {}
                for key, derived in zip(some, values, strict=True):
                    text = text_of(derived)
                    self.records.overlay_derived(key, text)
                    row = self.records.row(key)
                    if row is None or key in self.changed or row.derived_json != text:
                        moved.add(key)
                    if isinstance(derived, ClaimDerived):
                        verdicts[key] = derived
                    if isinstance(derived, DosingRangeDerived):
                        write_dose(writer, key.id, derived)
                self._write_verdicts(verdicts)
        writer.flush()
        return moved

    def _write_verdicts(self, verdicts: Mapping[Key, ClaimDerived]) -> None:
        claims = [
            {
                "of": key.id,
                **derived.evidence.model_dump(include=_VERDICT_COLUMNS),
                "verdict": derived.evidence.verdict.code,
                "weight": derived.weight,
                "citation_count": len(derived.order),
                "relevance": relevance(self.records.content(key), derived.weight),
                "is_stale": derived.stale,
            }
            for key, derived in verdicts.items()
        ]
        citations = [
            {"of": citation, "dose_low": stored(low), "dose_high": stored(high), "dose_of": of}
            for derived in verdicts.values()
            for citation in derived.order
            for low, high, of in [derived.dose(citation)]
        ]
        self._update_by_id(Claim, claims)
        self._update_by_id(Citation, citations)

    def _update_by_id(self, table: type[Base], rows: list[dict[str, Any]]) -> None:
        """Write the values of each row into the record whose id is its `of`."""
        if rows:
            target = cast("Table", table.__table__)
            self.session.execute(update(target).where(target.c.id == bindparam("of")), rows)

    def _render(self, keys: Iterable[Key]) -> None:
        """Render records, and write those whose bodies changed."""
        states: list[dict[str, Any]] = []
        new: list[dict[str, Any]] = []
        updated: list[dict[str, Any]] = []
        dated: list[dict[str, Any]] = []
        for key in keys:
            row, content = self.records.row(key), self.records.content(key)
            # What nobody changed keeps its text, even where today's code would add a field: the seed knows it by that.
            kept = None if row is None or key in self.changed else row.content_json
            texts = {"content": kept or text_of(content), "derived": self.records.derived_text(key)}
            stamp = self._stamp(key, row, **texts)
            if key.type == "claim":  # rows that were written again have lost when they last changed
                dated.append({"of": key.id, "updated_at": stamp.updated_at})
            body, digest = self._body(key, content, stamp)
            if row is not None and row.digest == digest and row.content_json == texts["content"]:
                continue
            state = {
                "type": key.type,
                "id": key.id,
                "serial": self.serial,
                "version": stamp.version,
                "status": content.status,
                "updated_at": stamp.updated_at,
                **texts,
            }
            states.append(state)
            current = {**state, "successor": content.successor, "digest": digest, "body": body}
            (new if row is None else updated).append(current)
        records, history = cast("Table", StoredRecord.__table__), cast("Table", RecordState.__table__)
        for statement, rows in ((insert(history), states), (insert(records), new)):
            if rows:
                self.session.execute(statement, rows)
        if updated:
            self.session.execute(update(StoredRecord), updated)
        self._update_by_id(Claim, dated)
        self._rendered += (Key(state["type"], state["id"]) for state in states)

    def _body(self, key: Key, content: Any, stamp: Stamp) -> tuple[bytes, str]:
        """The record's body, and its digest without the permalink."""
        resource = BY_TYPE[key.type]
        body = resource.render(self.records, content, self.records.derived(key), stamp).model_dump_json()
        # Serial 0 leaves the permalink out of the comparison.
        permalink = f'"{resource.path}/{key.id}?serial='
        bare = body.replace(f'{permalink}{stamp.serial}"', f'{permalink}0"')
        return body.encode(), blake2b(bare.encode(), digest_size=16).hexdigest()

    def _stamp(self, key: Key, row: RecordRow | None, content: str, derived: str) -> Stamp:
        """New content makes a new version; so do new derived values of a claim."""
        if row is None:
            return Stamp(1, self.serial, self.at)
        if row.content_json != content or (key.type == "claim" and row.derived_json != derived):
            return Stamp(row.version + 1, self.serial, self.at)
        return Stamp(row.version, self.serial, row.updated_at)
