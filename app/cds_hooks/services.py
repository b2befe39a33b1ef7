"""The services that can be discovered: one id for each hook, since clients tell services apart by their address."""

from dataclasses import dataclass

from app.cds_hooks.reading import MEDICATIONS, STATEMENTS, STOPPED
from app.cds_hooks.settings import ServiceId
from app.cds_hooks.shapes import Service

VERSION = "1.1.0"
"""Of the rules and words here; counts up when the same request may get another card from the same data."""

_PATIENT = "patient={{context.patientId}}"
PREFETCH = {
    MEDICATIONS: f"MedicationRequest?{_PATIENT}&status=active,on-hold&_include=MedicationRequest:medication",
    STOPPED: f"MedicationRequest?{_PATIENT}&status=stopped,completed&_include=MedicationRequest:medication",
    STATEMENTS: f"MedicationStatement?{_PATIENT}&_include=MedicationStatement:medication",
}

_NEEDS = (
    "Send the prefetch. A list that is missing is fetched only from a FHIR server that the operator here has named; "
    "with one missing, refused or paged the answer is a warning that the opioid check is incomplete, and with none of "
    "them 412."
)


@dataclass(frozen=True)
class Known:
    hook: str
    title: str
    description: str


SERVICES: dict[ServiceId, Known] = {
    "ldn-order-select": Known(
        "order-select",
        "Naltrexone and opioids; low-dose naltrexone evidence",
        "While an order is being chosen: warns when naltrexone and an opioid meet, in the drafts or with current or "
        "recently ended medicines, and shows what is on record, for and against, on low-dose naltrexone.",
    ),
    "ldn-order-sign": Known(
        "order-sign",
        "Naltrexone and opioids; low-dose naltrexone evidence",
        "Before orders are signed: warns when naltrexone and an opioid meet, in the drafts or with current or recently "
        "ended medicines, and shows what is on record, for and against, on low-dose naltrexone.",
    ),
    "ldn-patient-view": Known(
        "patient-view",
        "Low-dose naltrexone on the list of medicines",
        "When a chart is opened: shows what is on record on low-dose naltrexone for those who take it, and warns when "
        "naltrexone and an opioid are both on the list.",
    ),
}


def wanted(statements: bool) -> dict[str, str]:
    """The prefetch that is asked for."""
    return {key: template for key, template in PREFETCH.items() if statements or key != STATEMENTS}


def described(service: ServiceId, *, statements: bool) -> Service:
    known = SERVICES[service]
    return Service(
        hook=known.hook,
        title=known.title,
        description=known.description,
        id=service,
        version=VERSION,
        prefetch=wanted(statements),
        usageRequirements=_NEEDS,
    )
