"""Resources as bytes: rendered on the first read at a serial, kept in bounded memory, shown whole or in part."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import from_json, to_json
from sqlalchemy.orm import Session

from app.core.errors import Gone, NotFound
from app.fhir.request import Parts
from app.fhir.types import FhirType, Made
from app.fhir.values import Json
from app.storage.history import Publication
from app.storage.records import CurrentRecords, DatabaseRecords, RecordsAt
from app.storage.resource import Key

CACHE_BYTES = 16_000_000

ALWAYS = ("resourceType", "id", "meta")
TRAVELS = ("extension", "note")
"""Shown in every part of a resource: a claim's caveat, verdict and both sides' counts stand here."""

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


@dataclass(frozen=True)
class Rendered:
    id: str
    body: bytes
    version: int
    """The serial at which the resource last changed."""
    updated_at: str

    @property
    def etag(self) -> str:
        return f'W/"{self.version}"'


class Cache:
    """The newest serial's resources, least recently used first out; an older serial's are dropped at once."""

    def __init__(self, most_bytes: int = CACHE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._serial = -1
        self._kept: OrderedDict[tuple[str, str], Rendered] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, serial: int, name: str, record_id: str) -> Rendered | None:
        with self._lock:
            if serial != self._serial or (name, record_id) not in self._kept:
                return None
            self._kept.move_to_end((name, record_id))
            return self._kept[name, record_id]

    def put(self, serial: int, name: str, rendered: Rendered) -> None:
        with self._lock:
            if serial < self._serial:
                return  # a slow reader: its resource is old news
            if serial > self._serial:
                self._kept.clear()
                self._bytes, self._serial = 0, serial
            if (name, rendered.id) not in self._kept:
                self._kept[name, rendered.id] = rendered
                self._bytes += len(rendered.body)
            while self._bytes > self._most_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped.body)


def read(session: Session, cache: Cache, serial: int, fhir_type: FhirType, record_id: str, base: str) -> Rendered:
    """One resource; NotFound, or Gone where its record was retired."""
    if known := cache.get(serial, fhir_type.name, record_id):
        return known
    records = CurrentRecords(session)
    row = records.row(Key(fhir_type.record_type, record_id))
    if row is not None and row.is_retired:
        raise Gone("This resource was retired.", successor=row.successor)
    found = render(session, cache, serial, fhir_type, [record_id], base, records) if row is not None else []
    if not found:
        raise NotFound(f"There is no {fhir_type.name} with this id.")
    return found[0]


def render(
    session: Session,
    cache: Cache,
    serial: int,
    fhir_type: FhirType,
    ids: Sequence[str],
    base: str,
    records: CurrentRecords | None = None,
) -> list[Rendered]:
    """The resources in the order of the ids; those not yet kept are made together."""
    kept = {record_id: cache.get(serial, fhir_type.name, record_id) for record_id in ids}
    missing = [record_id for record_id, known in kept.items() if known is None]
    records = records or CurrentRecords(session)
    # A citation comes with its claim, and what the claim names is needed to word its certainty.
    depth = 2 if fhir_type.record_type == "citation" else 1
    records.prefetch((Key(fhir_type.record_type, record_id) for record_id in missing), depth)
    made = Made(session, base)
    for record_id in missing:
        found = _rendered(records, fhir_type, record_id, made, serial)
        if found is not None:
            kept[record_id] = found
            cache.put(serial, fhir_type.name, found)
    return [rendered for rendered in kept.values() if rendered is not None]


def read_version(
    session: Session, cache: Cache, serial: int, fhir_type: FhirType, record_id: str, version: int, base: str
) -> Rendered:
    """The resource as it was at the serial that names the version; NotFound where nothing in it changed then."""
    if fhir_type.sums_up:
        found: Rendered | None = read(session, cache, serial, fhir_type, record_id, base)
    else:
        records = RecordsAt(session, version)
        row = records.row(Key(fhir_type.record_type, record_id))
        if row is not None and row.is_retired and row.serial == version:
            raise Gone("With this version the resource was retired.")
        published = row is not None and not row.is_retired
        found = _rendered(records, fhir_type, record_id, Made(session, base), version) if published else None
    if found is None or found.version != version:
        raise NotFound(f"There is no such version of a {fhir_type.name} with this id.")
    return found


def _rendered(
    records: DatabaseRecords, fhir_type: FhirType, record_id: str, made: Made, serial: int
) -> Rendered | None:
    records.start_tracking()
    resource = fhir_type.render(records, record_id, made)
    if resource is None:
        return None
    version, updated_at = records.last_change()
    if fhir_type.sums_up:
        version, updated_at = serial, made.session.get_one(Publication, serial).at
    return Rendered(record_id, to_json(_versioned(resource, version, updated_at)), version, updated_at)


def _versioned(resource: Json, version: int, updated_at: str) -> Json:
    named = {name: resource[name] for name in ("resourceType", "id")}
    return named | {"meta": {"versionId": str(version), "lastUpdated": updated_at}} | resource


# --- parts ------------------------------------------------------------------------------------------------------------


def shown(rendered: Rendered, fhir_type: FhirType, parts: Parts) -> bytes:
    """The resource, or the part of it that was asked for, marked as such."""
    return part(rendered.body, fhir_type.mandatory, fhir_type.summary, parts)


def part(body: bytes, mandatory: Sequence[str], summary: Sequence[str], parts: Parts) -> bytes:
    if parts.whole:
        return body
    resource: Json = from_json(body)
    wanted = {*ALWAYS, *TRAVELS, *mandatory}
    if parts.elements:
        wanted |= set(parts.elements)
    elif parts.summary == "true":
        wanted |= set(summary)
    elif parts.summary == "text":
        wanted |= {"text"}
    elif parts.summary == "data":
        wanted |= set(resource) - {"text"}
    kept = {name: value for name, value in resource.items() if name in wanted}
    return to_json(kept | {"meta": {**kept["meta"], "tag": [SUBSETTED]}})
