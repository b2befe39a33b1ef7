"""The services of discovery: one id for each hook, because clients tell services apart by their address."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.cds_hooks.chart import MEDICATIONS, STATEMENTS, STOPPED
from app.cds_hooks.patient_checks import RESOURCE_TYPES
from app.cds_hooks.schemas import Service
from app.cds_hooks.settings import CdsSettings
from app.claims.interaction_rules import interaction_rules
from app.concepts.manifest import current_manifest
from app.concepts.manifest_cds import CdsManifest, CdsPatientCheck, CdsServiceWords

VERSION = "2.1.0"
"""Of the rules and words: raised when the same request may get another card from the same data."""

_PATIENT = "patient={{context.patientId}}"
_MEDICINES = {
    MEDICATIONS: f"MedicationRequest?{_PATIENT}&status=active,on-hold",
    STOPPED: f"MedicationRequest?{_PATIENT}&status=stopped,completed",
    STATEMENTS: f"MedicationStatement?{_PATIENT}",
}
_NEWEST_FIRST = "&_sort=-authoredon"
_INCLUDES = {
    MEDICATIONS: "&_include=MedicationRequest:medication",
    STOPPED: "&_include=MedicationRequest:medication",
    STATEMENTS: "&_include=MedicationStatement:medication",
}
_PATIENT_LISTS = {
    name: f"{resource_type}?{_PATIENT}&clinical-status=active" for name, resource_type in RESOURCE_TYPES.items()
}

_REQUIREMENTS = (
    "Send the prefetch. A list that is missing is fetched only from a FHIR server that the operator here has named; "
    "with one missing or refused the answer is a warning that the check is incomplete, and with none of them 412. Of "
    "`stopped` a page is enough if it is sorted, newest first, and goes back 60 days."
)


_USUAL = (
    CdsServiceWords(
        hook="order-select",
        title="Medicines that must not meet",
        description="While an order is being chosen: warns when medicines meet, in the drafts or with current or "
        "recently ended medicines, of which an interaction is on record.",
    ),
    CdsServiceWords(
        hook="order-sign",
        title="Medicines that must not meet",
        description="Before orders are signed: warns when medicines meet, in the drafts or with current or recently "
        "ended medicines, of which an interaction is on record.",
    ),
)
"""The services of a data set that has interaction rules and describes no services."""


@dataclass(frozen=True)
class HookService:
    id: str
    words: CdsServiceWords
    check: CdsPatientCheck | None = None
    """Of a service that does not look at medicines."""

    @property
    def hook(self) -> str:
        return self.words.hook


def load_services(session: Session, settings: CdsSettings) -> Mapping[str, HookService]:
    """The services that answer, by id: those of the data set that are switched on."""
    manifest = current_manifest(session)
    cds = manifest.cds or CdsManifest()
    described = cds.services or (_USUAL if interaction_rules(session) else ())
    checks = {check.id: check for check in cds.patient_checks}
    found: dict[str, HookService] = {}
    for words in described if cds.enabled else ():
        service_id = words.id or f"{manifest.id}-{words.hook}"
        is_on = words.is_on if settings.services is None else service_id in settings.services
        if is_on:
            found[service_id] = HookService(service_id, words, checks.get(words.patient_check or ""))
    return found


def prefetch_templates(settings: CdsSettings, service: HookService) -> dict[str, str]:
    """The queries of a service by the names of their lists."""
    if service.check:
        return {service.check.reads: _PATIENT_LISTS[service.check.reads]}
    templates = {
        name: query if settings.plain_search else query + _INCLUDES[name] for name, query in _MEDICINES.items()
    }
    if not settings.plain_search:
        templates[STOPPED] += _NEWEST_FIRST
    return {name: query for name, query in templates.items() if settings.statements or name != STATEMENTS}


def discovery_entry(service: HookService, prefetch: dict[str, str]) -> Service:
    return Service(
        hook=service.hook,
        title=service.words.title,
        description=service.words.description,
        id=service.id,
        version=VERSION,
        prefetch=prefetch,
        usageRequirements=_REQUIREMENTS,
    )
