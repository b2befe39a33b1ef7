"""The services of discovery: one id for each hook, because clients tell services apart by their address."""

from dataclasses import dataclass

from app.cds_hooks.chart import MEDICATIONS, STATEMENTS, STOPPED
from app.cds_hooks.schemas import Service
from app.cds_hooks.settings import ServiceId

VERSION = "1.1.0"
"""Of the rules and words: raised when the same request may get another card from the same data."""

_PATIENT = "patient={{context.patientId}}"
_PREFETCH = {
    MEDICATIONS: f"MedicationRequest?{_PATIENT}&status=active,on-hold&_include=MedicationRequest:medication",
    STOPPED: f"MedicationRequest?{_PATIENT}&status=stopped,completed&_include=MedicationRequest:medication",
    STATEMENTS: f"MedicationStatement?{_PATIENT}&_include=MedicationStatement:medication",
}

_REQUIREMENTS = (
    "Send the prefetch. A list that is missing is fetched only from a FHIR server that the operator here has named; "
    "with one missing, refused or paged the answer is a warning that the opioid check is incomplete, and with none of "
    "them 412."
)


@dataclass(frozen=True)
class HookService:
    hook: str
    title: str
    description: str


SERVICES: dict[ServiceId, HookService] = {
    "ldn-order-select": HookService(
        "order-select",
        "Naltrexone and opioids; low-dose naltrexone evidence",
        "While an order is being chosen: warns when naltrexone and an opioid meet, in the drafts or with current or "
        "recently ended medicines, and shows what is on record, for and against, on low-dose naltrexone.",
    ),
    "ldn-order-sign": HookService(
        "order-sign",
        "Naltrexone and opioids; low-dose naltrexone evidence",
        "Before orders are signed: warns when naltrexone and an opioid meet, in the drafts or with current or recently "
        "ended medicines, and shows what is on record, for and against, on low-dose naltrexone.",
    ),
    "ldn-patient-view": HookService(
        "patient-view",
        "Low-dose naltrexone on the list of medicines",
        "When a chart is opened: shows what is on record on low-dose naltrexone for those who take it, and warns when "
        "naltrexone and an opioid are both on the list.",
    ),
}


def prefetch_templates(*, statements: bool) -> dict[str, str]:
    """Queries for the lists of medicines by name; without MedicationStatement unless `statements`."""
    return {name: template for name, template in _PREFETCH.items() if statements or name != STATEMENTS}


def discovery_entry(service_id: ServiceId, prefetch: dict[str, str]) -> Service:
    service = SERVICES[service_id]
    return Service(
        hook=service.hook,
        title=service.title,
        description=service.description,
        id=service_id,
        version=VERSION,
        prefetch=prefetch,
        usageRequirements=_REQUIREMENTS,
    )
