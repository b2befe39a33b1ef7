"""Recomputes derived values and renders the bodies of all records that a publication affects."""

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.claims.derived import ClaimDerived, DosingRangeDerived
from app.claims.doses import stored
from app.claims.models import Citation, Claim
from app.claims.projection import write_tiers
from app.claims.rules import relevance
from app.claims.vocabulary import RelationType
from app.concepts.lineage import stored_heirs
from app.concepts.models import Concept
from app.registry import BY_TYPE
from app.storage.history import RecordState, StoredRecord, referrers, targets, text_of
from app.storage.records import CurrentRecords, RecordRow
from app.storage.resource import Key, Stamp


def _heirs(session: Session, keys: Set[Key]) -> set[Key]:
    """Regimens and members of the interventions, which show the harms of their drugs and classes."""
    ids = [key.id for key in keys if key.type == "intervention"]
    is_one = Concept.type == "intervention"
    pks = session.scalars(select(Concept.pk).where(is_one, Concept.id.in_(ids))).all()
    heirs = stored_heirs(session, pks)
    return {Key("intervention", heir) for heir in session.scalars(select(Concept.id).where(Concept.pk.in_(heirs)))}


_VERDICT_COLUMNS = {
    "consensus", "leaning", "certainty", "method", "study_count", "review_count", "participant_count",
}  # fmt: skip

Progress = Callable[[int, int], None]
"""Takes the number of records rendered so far, and the number of all."""


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
    _states: list[dict[str, Any]] = field(default_factory=list)
    _new: list[dict[str, Any]] = field(default_factory=list)
    _updated: list[dict[str, Any]] = field(default_factory=list)

    def run(self, neighbours: Set[Key]) -> list[Key]:
        """Render the changed records, their neighbours and all that depends on them; returns those that changed."""
        affected = set(self.changed | neighbours)
        self.records.prefetch(affected, depth=1)
        # Claims first: the counts on other records are computed from the claims' rows.
        moved = {key for key in sorted(affected) if key.type == "claim" and self._derive(key)}
        moved |= self._derive_restatements(moved)
        # A study's number of people counts elsewhere even where a claim states a number of its own.
        sources = (key for key in self.changed if key.type in ("study", "document"))
        moved |= {key for key in referrers(self.session, sources) if key.type == "claim"}
        affected |= referrers(self.session, moved) | targets(self.session, moved)
        # A side effect names the drugs and outcomes of the claims that it shows.
        named = (key for key in self.changed if key.type in ("intervention", "outcome"))
        claims = {key for key in referrers(self.session, named) if key.type == "claim"}
        affected |= {key for key in targets(self.session, claims) if key.type == "side_effect"}
        affected |= _heirs(self.session, affected)
        self.records.prefetch(affected)
        ordered = sorted(affected)
        for key in ordered:
            if key.type != "claim":
                self._derive(key)
        for done, key in enumerate(ordered, start=1):
            self._render(key)
            if self.progress:
                self.progress(done, len(ordered))
        for statement, rows in (
            (insert(RecordState), self._states),
            (insert(StoredRecord), self._new),
            (update(StoredRecord), self._updated),
        ):
            if rows:
                self.session.execute(statement, rows)
        return [Key(state["type"], state["id"]) for state in self._states]

    def _derive_restatements(self, moved: Set[Key]) -> set[Key]:
        """Recompute the claims that restate a changed one, for they show its verdict; those that change."""
        changed: set[Key] = set()
        while restating := {
            key
            for key in referrers(self.session, moved)
            if key.type == "claim" and key not in changed and self._restates(key, moved)
        }:
            moved = {key for key in sorted(restating) if self._derive(key)}
            changed |= moved
        return changed

    def _restates(self, key: Key, moved: Set[Key]) -> bool:
        relations = self.records.content(key).relations
        return any(r.type is RelationType.restates and Key("claim", r.claim) in moved for r in relations)

    def _derive(self, key: Key) -> bool:
        """Recompute a record's derived values; whether they or the content changed."""
        derived = BY_TYPE[key.type].derive(self.session, self.records, self.records.content(key))
        self.records.overlay_derived(key, derived)
        if isinstance(derived, ClaimDerived):
            self._write_verdict(key, derived)
        if isinstance(derived, DosingRangeDerived):
            write_tiers(self.session, key.id, derived.bands)
        row = self.records.row(key)
        return row is None or key in self.changed or row.derived_json != text_of(derived)

    def _write_verdict(self, key: Key, derived: ClaimDerived) -> None:
        self.session.execute(
            update(Claim)
            .where(Claim.id == key.id)
            .values(
                **derived.evidence.model_dump(include=_VERDICT_COLUMNS),
                verdict=derived.evidence.verdict.code,
                weight=derived.weight,
                citation_count=len(derived.order),
                relevance=relevance(self.records.content(key), derived.weight),
                is_stale=derived.stale,
            )
        )
        for citation_id, (low, high) in derived.doses.items():
            self.session.execute(
                update(Citation).where(Citation.id == citation_id).values(dose_low=stored(low), dose_high=stored(high))
            )

    def _render(self, key: Key) -> None:
        """Render a record and, if its body changed, keep the rows to write."""
        resource, row = BY_TYPE[key.type], self.records.row(key)
        content, derived = self.records.content(key), self.records.derived(key)
        # What nobody changed keeps its text, even where today's code would add a field: by it the seed knows its own.
        kept = None if row is None or key in self.changed else row.content_json
        texts = {"content": kept or text_of(content), "derived": text_of(derived)}
        stamp = self._stamp(key, row, **texts)
        # Serial 0 leaves the permalink out of the comparison.
        bare = resource.render(self.records, content, derived, stamp._replace(serial=0)).model_dump_json()
        digest = blake2b(bare.encode(), digest_size=16).hexdigest()
        if row is not None and row.digest == digest and row.content_json == texts["content"]:
            return
        body = resource.render(self.records, content, derived, stamp).model_dump_json().encode()
        state = {
            "type": key.type,
            "id": key.id,
            "serial": self.serial,
            "version": stamp.version,
            "status": content.status,
            "updated_at": stamp.updated_at,
            **texts,
        }
        self._states.append(state)
        current = {**state, "successor": content.successor, "digest": digest, "body": body}
        (self._new if row is None else self._updated).append(current)
        if key.type == "claim":
            self.session.execute(update(Claim).where(Claim.id == key.id).values(updated_at=stamp.updated_at))

    def _stamp(self, key: Key, row: RecordRow | None, content: str, derived: str) -> Stamp:
        """New content makes a new version; so do new derived values of a claim."""
        if row is None:
            return Stamp(1, self.serial, self.at)
        if row.content_json != content or (key.type == "claim" and row.derived_json != derived):
            return Stamp(row.version + 1, self.serial, self.at)
        return Stamp(row.version, self.serial, row.updated_at)
