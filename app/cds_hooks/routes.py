"""`/cds-services`: discovery, the services, and what became of their cards.

Nothing of a request outlives it: it is parsed, answered and dropped. Errors never repeat it, and it reaches no log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from app.cds_hooks import fetching, reading, rules
from app.cds_hooks.cards import OVERRIDE_REASONS, Maker
from app.cds_hooks.claims import Library, Memory
from app.cds_hooks.drugs import Formulary
from app.cds_hooks.services import SERVICES, described, wanted
from app.cds_hooks.settings import CdsSettings, Issuer, ServiceId
from app.cds_hooks.shapes import (
    Cards,
    Discovery,
    FeedbackRequest,
    HookRequest,
    Issue,
    OperationOutcome,
    OutcomeText,
)
from app.cds_hooks.tokens import Gate
from app.core.errors import Fault, InvalidInput, MalformedJson, NotFound
from app.http.problems import declared_parameters_only, responses
from app.http.reads import SlotToWrite, reads_of
from app.storage.read_view import ReadView
from app.storage.replay import count_feedback

router = APIRouter(prefix="/cds-services", tags=["cds-hooks"])

FHIR_JSON = "application/fhir+json"
_NO_STORE = {"Cache-Control": "no-store"}
_SERIALS_KEPT = 4
_REASONS = frozenset(reason.code for reason in OVERRIDE_REASONS)
Parsed = TypeVar("Parsed", bound=BaseModel)


class Face:
    """What the services work with; made once."""

    def __init__(self, settings: CdsSettings, formulary: Formulary) -> None:
        self.settings = settings
        self.formulary = formulary
        self.gate = Gate(settings.issuers, settings.base_url)
        self.wanted = wanted(settings.statements)
        self._memories: dict[int, Memory] = {}

    def memory(self, serial: int) -> Memory:
        """Of a serial; those of the last few that were asked for are kept."""
        found = self._memories.pop(serial, None) or Memory()
        self._memories[serial] = found
        for old in list(self._memories)[:-_SERIALS_KEPT]:
            self._memories.pop(old, None)
        return found


def face(request: Request) -> Face:
    found: Face = request.app.state.cds_hooks
    return found


async def body(request: Request) -> bytes:
    """As it came: who calls is asked before what was sent is looked at."""
    return await request.body()


async def admitted(request: Request) -> Issuer | None:
    """Raises Unauthorized. The database is asked in a short session of its own, before any other is open."""
    return await face(request).gate.admit(request, reads_of(request).database, reads_of(request).limiter.primary)


def _body(shape: type[BaseModel]) -> dict[str, Any]:
    """What FastAPI would document had it parsed the body."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _schema(shape)}}}}


def _schema(shape: type[BaseModel]) -> dict[str, Any]:
    schema = shape.model_json_schema()
    found: dict[str, Any] = _inlined(schema, schema.pop("$defs", {}))
    return found


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with what it refers to written out, since nothing else would carry the definitions."""
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if name := schema.get("$ref"):
        return _inlined(definitions[name.rpartition("/")[2]], definitions)
    return {key: _inlined(part, definitions) for key, part in schema.items()}


Body = Annotated[bytes, Depends(body)]
Admitted = Depends(admitted)
Caller = Annotated[Issuer | None, Admitted]
ServiceName = Annotated[str, Path(max_length=100, description="The service's id, as discovery lists it.")]
Replayed = Annotated[
    int | None,
    Query(ge=1, le=2_147_483_647, description="Make the cards again from the data set as it was at this serial."),
]


@dataclass(frozen=True)
class Heard:
    """A hook, as far as cards need it."""

    service: ServiceId
    instance: UUID
    chart: reading.Chart
    views_chart: bool


def heard(request: Request, id: ServiceName, body: Body, caller: Caller) -> Heard:
    """What was sent and, where the operator allows it, what it left out. Read before a session is open: a record system
    that is slow to answer must not hold a connection to the database."""
    here = face(request)
    service = _service(here, id)
    sent = _parsed(HookRequest, body)
    hook = SERVICES[service].hook
    if sent.hook != hook:
        fault = Fault("body", "hook", "unknown_value", "Must be the hook of this service.", (hook,))
        raise InvalidInput("This service answers another hook.", errors=[fault])
    views_chart = hook == "patient-view"
    if not views_chart and sent.context.draftOrders is None:
        fault = Fault("body", "context.draftOrders", "missing", "This is required: a Bundle of the draft orders.")
        raise InvalidInput("The context lacks the draft orders.", errors=[fault])
    chart = _chart(here, sent, sent.prefetch, views_chart)
    missing = {key: template for key, template in here.wanted.items() if key not in (sent.prefetch or {})}
    if missing and rules.is_due(chart, views_chart=views_chart):
        hosts = caller.fhir_servers if caller else ()
        server = fetching.allowed(sent.fhirServer, sent.fhirAuthorization, hosts)
        if server and (found := fetching.fetched(server, missing, sent.context.patientId)):
            chart = _chart(here, sent, {**(sent.prefetch or {}), **found}, views_chart)
    return Heard(service, sent.hookInstance, chart, views_chart)


def _chart(here: Face, sent: HookRequest, prefetch: dict[str, Any] | None, views_chart: bool) -> reading.Chart:
    return reading.read(
        here.formulary,
        None if views_chart else sent.context.draftOrders,
        [chosen for chosen in sent.context.selections if isinstance(chosen, str)],
        prefetch,
        here.wanted,
    )


@router.get(
    "",
    operation_id="listCdsServices",
    summary="Discover the CDS services",
    response_model=Discovery,
    responses=responses(422),
    dependencies=[Depends(declared_parameters_only)],
)
async def discover(request: Request) -> Response:
    """The CDS Hooks 2.0 services that answer here, with the prefetch that each asks for."""
    settings = face(request).settings
    listed = [
        described(service, statements=settings.statements) for service in SERVICES if service in settings.services
    ]
    return _answer(Discovery(services=listed), {"Cache-Control": "no-cache"})


@router.post(
    "/{id}",
    operation_id="callCdsService",
    summary="Call a CDS service",
    response_model=Cards,
    response_model_exclude_none=True,
    responses={
        **responses(400, 401, 404, 413, 422, 503),
        412: {
            "description": "No list of medicines was sent, so that nothing can be checked",
            "content": {FHIR_JSON: {"schema": _schema(OperationOutcome)}},
        },
    },
    openapi_extra=_body(HookRequest),
    dependencies=[Depends(declared_parameters_only), Admitted],
)
async def call(request: Request, hook: Annotated[Heard, Depends(heard)], serial: Replayed = None) -> Response:
    """Cards for what is being ordered, or seen. No advice is `{"cards": []}`."""
    return await reads_of(request).run(request, _cards, face(request), hook, serial)


def _cards(view: ReadView, here: Face, hook: Heard, serial: int | None) -> Response:
    if serial is not None and serial > view.serial:
        fault = Fault("query", "serial", "unknown_serial", f"The newest serial is {view.serial}.")
        raise InvalidInput("This serial has not been published yet.", errors=[fault])
    try:
        found = rules.findings(hook.chart, views_chart=hook.views_chart)
    except rules.NotEnoughData:
        return _precondition_failed()
    at = serial or view.serial
    library = Library(view.session, at, here.memory(at))
    maker = Maker(library, hook.service, at, here.settings.base_url, hook.instance)
    cards = Cards(cards=[maker.card(finding) for finding in found])
    return _answer(cards, _NO_STORE)


@router.post(
    "/{id}/feedback",
    operation_id="sendCdsFeedback",
    summary="Tell what became of cards",
    status_code=200,
    response_class=Response,
    responses=responses(400, 401, 404, 413, 422, 503),
    openapi_extra=_body(FeedbackRequest),
    dependencies=[Depends(declared_parameters_only), Admitted],
)
def feedback(request: Request, id: ServiceName, body: Body, _slot: SlotToWrite) -> Response:
    """Counted by service, outcome and reason code. Comments, cards and times are dropped."""
    service = _service(face(request), id)
    sent = _parsed(FeedbackRequest, body)
    with reads_of(request).database.write() as session:
        for item in sent.feedback:
            reason = item.overrideReason.reason if item.overrideReason else None
            code = (reason.code if reason else None) or ""
            count_feedback(session, service, item.outcome, code if code in _REASONS or not code else "other")
    return Response(status_code=200, headers=_NO_STORE)


def _service(here: Face, name: str) -> ServiceId:
    if name not in here.settings.services:
        raise NotFound("There is no CDS service with this id. GET /cds-services lists what there is.")
    return name


def _parsed(shape: type[Parsed], raw: bytes) -> Parsed:
    try:
        return shape.model_validate_json(raw)
    except ValidationError as error:
        faults: Sequence[Any] = error.errors(include_url=False, include_input=False)
    if any(fault["type"] == "json_invalid" for fault in faults):
        fault = Fault("body", "body", "malformed_json", "Send one JSON value in UTF-8.")
        raise MalformedJson("The body could not be read as JSON.", errors=[fault])
    raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults])


def _answer(shape: BaseModel, headers: dict[str, str]) -> Response:
    return Response(
        shape.model_dump_json(exclude_none=True, by_alias=True), headers=headers, media_type="application/json"
    )


def _precondition_failed() -> Response:
    text = (
        "The opioid check was NOT made: no list of medicines was sent. Send the prefetch that GET /cds-services asks "
        "for; null where there is none."
    )
    outcome = OperationOutcome(issue=[Issue(details=OutcomeText(text=text))])
    return Response(outcome.model_dump_json(), 412, _NO_STORE, FHIR_JSON)
