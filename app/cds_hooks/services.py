"""The services of discovery: one id for each hook, because clients tell services apart by their address."""

from dataclasses import dataclass

from app.cds_hooks.chart import MEDICATIONS, STATEMENTS, STOPPED
from app.cds_hooks.patient_checks import ALLERGIES, CONDITIONS
from app.cds_hooks.schemas import Service
from app.cds_hooks.settings import CdsSettings, ServiceId

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
    CONDITIONS: f"Condition?{_PATIENT}&clinical-status=active",
    ALLERGIES: f"AllergyIntolerance?{_PATIENT}&clinical-status=active",
}

_REQUIREMENTS = (
    "Send the prefetch. A list that is missing is fetched only from a FHIR server that the operator here has named; "
    "with one missing or refused the answer is a warning that the check is incomplete, and with none of them 412. Of "
    "`stopped` a page is enough if it is sorted, newest first, and goes back 60 days."
)


@dataclass(frozen=True)
class HookService:
    hook: str
    title: str
    description: str
    patient_list: str | None = None
    """The list on which a service rests that does not look at medicines."""


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
    "ldn-liver-disease": HookService(
        "order-sign",
        "Naltrexone and liver disease",
        "Before naltrexone is signed for somebody with a recorded liver disease: what its labels say about the liver.",
        CONDITIONS,
    ),
    "ldn-hypersensitivity": HookService(
        "order-sign",
        "Naltrexone and hypersensitivity",
        "Before naltrexone is signed for somebody with a recorded allergy to it: the contraindication of its label.",
        ALLERGIES,
    ),
}


def prefetch_templates(settings: CdsSettings, service: HookService) -> dict[str, str]:
    """The queries of a service by the names of their lists."""
    if service.patient_list:
        return {service.patient_list: _PATIENT_LISTS[service.patient_list]}
    templates = {
        name: query if settings.plain_search else query + _INCLUDES[name] for name, query in _MEDICINES.items()
    }
    if not settings.plain_search:
        templates[STOPPED] += _NEWEST_FIRST
    return {name: query for name, query in templates.items() if settings.statements or name != STATEMENTS}


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
