"""Resources as bytes: rendered on the first read of a serial, cached in bounded memory, answered whole or in part."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic_core import from_json, to_json
from sqlalchemy.orm import Session

from app.bibliography import formatted
from app.bibliography.styles import Style
from app.core import deadline
from app.core.cache import ByteBoundedCache
from app.core.errors import Gone, NotFound
from app.fhir.request import ElementSelection
from app.fhir.types import FhirType, RenderContext
from app.fhir.values import Json
from app.storage.history import Publication
from app.storage.near_ids import near_ids, not_found
from app.storage.read_view import DatasetState, view_of
from app.storage.records import CurrentRecords, DatabaseRecords, RecordsAt
from app.storage.resource import Key

CACHE_BYTES = 16_000_000

ALWAYS = ("resourceType", "id", "meta", "extension", "note")
"""Shown in every part of a resource: `extension` and `note` hold a claim's caveat, verdict and both sides' counts."""

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


@dataclass(frozen=True)
class RenderedResource:
    id: str
    body: bytes
    version: int
    """The serial at which the resource last changed."""
    updated_at: str

    @property
    def etag(self) -> str:
        return f'W/"{self.version}"'


class ResourceCache:
    """Rendered resources by the state of the data set, within a number of bytes.

    A newer serial than any before drops all. An older one does not, and has resources of its own: whether it is that of
    a slow reader, or of a data set that was restored and is read from now on, cannot be told from the serial.
    """

    def __init__(self, max_bytes: int = CACHE_BYTES) -> None:
        self._newest = DatasetState(-1, -1, "")
        # Half for newcomers: warming renders every resource once, and the whole data set fits into that half.
        self._resources = ByteBoundedCache[tuple[DatasetState, str, str], RenderedResource](
            max_bytes, newcomers_share=0.5
        )
        self._lock = threading.Lock()

    def get(self, state: DatasetState, type_name: str, record_id: str) -> RenderedResource | None:
        """`state` is that of a `ReadView`."""
        with self._lock:
            return self._resources.get((state, type_name, record_id))

    def put(self, state: DatasetState, type_name: str, resource: RenderedResource) -> None:
        with self._lock:
            if state > self._newest:
                self._resources.clear()
                self._newest = state
            self._resources.put((state, type_name, resource.id), resource, len(resource.body))


@dataclass(frozen=True)
class ResourceRenderer:
    """Renders the resources of one state of the data set, through the cache."""

    session: Session
    cache: ResourceCache
    serial: int
    base: str

    @cached_property
    def _context(self) -> RenderContext:
        return RenderContext(self.session, self.base)

    @property
    def _state(self) -> DatasetState:
        return view_of(self.session).state

    def read(self, fhir_type: FhirType, record_id: str) -> RenderedResource:
        """One resource; NotFound, or Gone if its record was retired."""
        if cached := self.cache.get(self._state, fhir_type.name, record_id):
            return cached
        records = CurrentRecords(self.session)
        row = records.row(Key(fhir_type.record_type, record_id))
        if row is not None and row.is_retired:
            raise Gone("This resource was retired.", successor=row.successor)
        resources = self.read_many(fhir_type, [record_id], records) if row is not None else []
        if not resources:
            raise self._not_found(fhir_type, record_id, f"There is no {fhir_type.name} with this id.")
        return resources[0]

    def read_many(
        self, fhir_type: FhirType, ids: Sequence[str], records: CurrentRecords | None = None
    ) -> list[RenderedResource]:
        """The resources in the order of the ids, without those that do not exist."""
        resources = {record_id: self.cache.get(self._state, fhir_type.name, record_id) for record_id in ids}
        missing = [record_id for record_id, cached in resources.items() if cached is None]
        records = records or CurrentRecords(self.session)
        # A citation comes with its claim, and what the claim names is needed to word its certainty.
        depth = 2 if fhir_type.record_type == "citation" else 1
        keys = [Key(fhir_type.record_type, record_id) for record_id in missing]
        records.prefetch(keys, depth)
        if fhir_type.record_type == "document":
            formatted.references(self.session, (records.content(key) for key in keys if records.row(key)), Style.ama)
        for record_id in deadline.checked(missing):
            resource = self._render(records, fhir_type, record_id, self.serial)
            if resource is not None:
                resources[record_id] = resource
                self.cache.put(self._state, fhir_type.name, resource)
        return [resource for resource in resources.values() if resource is not None]

    def read_version(self, fhir_type: FhirType, record_id: str, version: int) -> RenderedResource:
        """The resource as it was at the serial `version`; NotFound if nothing in it changed at that serial."""
        resource: RenderedResource | None = None
        if fhir_type.is_aggregate:
            resource = self.read(fhir_type, record_id)
        else:
            records = RecordsAt(self.session, version)
            row = records.row(Key(fhir_type.record_type, record_id))
            if row is not None and row.is_retired and row.serial == version:
                raise Gone("With this version the resource was retired.")
            if row is not None and not row.is_retired:
                resource = self._render(records, fhir_type, record_id, version)
        if resource is None or resource.version != version:
            detail = f"There is no such version of a {fhir_type.name} with this id."
            if CurrentRecords(self.session).row(Key(fhir_type.record_type, record_id)) is not None:
                raise NotFound(detail)
            raise self._not_found(fhir_type, record_id, detail)
        return resource

    def _not_found(self, fhir_type: FhirType, record_id: str, detail: str) -> NotFound:
        """Offers the ids of resources of the type that are near."""
        near = near_ids(self.session, fhir_type.record_type, record_id)
        there = set(self.session.scalars(fhir_type.ids.where(fhir_type.id.in_(near))))
        return not_found(detail, [near_id for near_id in near if near_id in there])

    def _render(
        self, records: DatabaseRecords, fhir_type: FhirType, record_id: str, serial: int
    ) -> RenderedResource | None:
        records.start_tracking()
        resource = fhir_type.render(records, record_id, self._context)
        if resource is None:
            return None
        version, updated_at = records.last_change()
        if fhir_type.is_aggregate:
            version, updated_at = serial, self.session.get_one(Publication, serial).at
        head = {name: resource[name] for name in ("resourceType", "id")}
        meta = {"versionId": str(version), "lastUpdated": updated_at}
        return RenderedResource(record_id, to_json(head | {"meta": meta} | resource), version, updated_at)


def selected_elements(
    body: bytes, mandatory: Sequence[str], summary: Sequence[str], selection: ElementSelection
) -> bytes:
    """The resource, or the selected part of it, marked as such. `summary` lists what `_summary=true` shows."""
    if selection.is_whole:
        return body
    resource: Json = from_json(body)
    names = {*ALWAYS, *mandatory, *selection.elements}
    if selection.summary == "true":
        names |= set(summary)
    elif selection.summary == "text":
        names |= {"text"}
    elif selection.summary == "data":
        names |= set(resource) - {"text"}
    part = {name: value for name, value in resource.items() if name in names}
    return to_json(part | {"meta": {**part["meta"], "tag": [SUBSETTED]}})
