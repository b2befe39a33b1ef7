"""Render every resource and validate it by HL7's definitions: for a release, and after a change of a mapper.

The models of `fhir.resources` take seconds to load and are needed here alone, so they load on first use.
"""

import importlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy.orm import Session

from app.fhir.rendered import ResourceCache, ResourceRenderer
from app.fhir.routes import EPOCH, library_body
from app.fhir.types import TYPES, FhirType
from app.http.dataset import Dataset
from app.storage.database import Database
from app.storage.history import Publication
from app.storage.read_view import view_of

PAGE_SIZE = 200


class InvalidResources(Exception):
    """Resources that HL7's definitions refuse; `faults` says which and why."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(f"{len(faults)} resources are not valid FHIR R5.")
        self.faults = faults


class ValidatorMissing(Exception):
    """The optional package `fhir.resources` is not installed."""


def render_all(
    database: Database, base: str = "", progress: Callable[[str, int], None] = lambda _name, _count: None
) -> dict[str, int]:
    """Number of resources of each type, all of them valid; `progress` is called with type and count of each page."""
    models = _models()
    counts: Counter[str] = Counter()
    faults: list[str] = []
    with database.read() as session:
        for name, bodies in pages(session, base):
            for body in bodies:
                try:
                    models(name).model_validate_json(body)
                except ValueError as error:
                    faults.append(f"{name}: {error}")
            counts[name] += len(bodies)
            progress(name, len(bodies))
    if faults:
        raise InvalidResources(faults)
    return dict(counts)


def pages(session: Session, base: str = "") -> Iterator[tuple[str, list[bytes]]]:
    """Every resource of the data set: type and bodies, page by page."""
    view = view_of(session)
    dataset = Dataset(view.serial, view.release)
    renderer = ResourceRenderer(session, ResourceCache(0), dataset.serial, base)
    publication = session.get(Publication, dataset.serial)
    for fhir_type in TYPES:
        for ids in _pages_of_ids(session, fhir_type):
            yield fhir_type.name, [resource.body for resource in renderer.read_many(fhir_type, ids)]
    yield "Library", [library_body(session, dataset, publication.at if publication else EPOCH, f"{base}/fhir/r5")]


def _pages_of_ids(session: Session, fhir_type: FhirType) -> Iterator[list[str]]:
    ids, after = fhir_type.ids.order_by(fhir_type.id).limit(PAGE_SIZE), ""
    while page := list(session.scalars(ids.where(fhir_type.id > after))):
        yield page
        after = page[-1]


def _models() -> Callable[[str], Any]:
    try:
        library = importlib.import_module("fhir.resources")
    except ImportError as error:
        raise ValidatorMissing("Install fhir.resources to validate what is rendered.") from error
    return library.get_fhir_model_class  # type: ignore[no-any-return]
