"""`/cds-services`: discovery, the services, and the feedback on their cards.

Nothing of a request outlives it: it is parsed, answered and dropped. Errors never repeat it, and it reaches no log.
"""

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Annotated, Any, NamedTuple, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from app.cds_hooks import fetching, patient_checks, rules
from app.cds_hooks.bundles import medications
from app.cds_hooks.cards import CardBuilder
from app.cds_hooks.chart import Chart, read_chart
from app.cds_hooks.claims import ClaimMemory, ClaimReader
from app.cds_hooks.drugs import Formulary, load_formulary
from app.cds_hooks.medicines import MedicineReader
from app.cds_hooks.schemas import Cards, Discovery, FeedbackRequest, HookRequest, Issue, OperationOutcome, OutcomeText
from app.cds_hooks.services import HookService, discovery_entry, load_services, prefetch_templates
from app.cds_hooks.settings import CdsSettings, Issuer, require_secure
from app.cds_hooks.tokens import TokenAuthenticator
from app.cds_hooks.wording import reason_codes
from app.claims.interaction_rules import interaction_rules
from app.concepts.manifest import current_manifest
from app.concepts.manifest_cds import CdsManifest
from app.core.errors import Fault, InvalidInput, MalformedJson, NotFound
from app.core.text import Serial
from app.http.problems import declared_parameters_only, responses
from app.http.reads import SlotToWrite, reads_of
from app.storage.read_view import ReadView
from app.storage.replay import count_feedback

router = APIRouter(prefix="/cds-services", tags=["cds-hooks"])

FHIR_JSON = "application/fhir+json"
MAX_BODY_BYTES = 4_000_000
"""Of requests to the services: a record system sends whole lists with them."""
_NO_STORE = {"Cache-Control": "no-store"}
_MAX_SERIALS = 4
Model = TypeVar("Model", bound=BaseModel)


class CdsService:
    """What all requests share."""

    def __init__(self, settings: CdsSettings, base_url: str) -> None:
        """`base_url` is this server as record systems address it. InsecureAddress if tokens would travel openly."""
        require_secure(base_url, settings.issuers)
        self.settings = settings
        self.base_url = base_url
        self.authenticator = TokenAuthenticator(settings.issuers, base_url)
        self.memory_at = lru_cache(_MAX_SERIALS)(lambda _state, _serial: ClaimMemory())

    def prefetch(self, service: HookService) -> dict[str, str]:
        return prefetch_templates(self.settings, service)

    def chart(
        self, formulary: Formulary, hook: HookRequest, prefetch: dict[str, Any], templates: dict[str, str]
    ) -> Chart:
        drafts = None if hook.hook == "patient-view" else hook.context.draftOrders
        selections = [chosen for chosen in hook.context.selections if isinstance(chosen, str)]
        return read_chart(formulary, drafts, selections, prefetch, templates)


def cds_service(request: Request) -> CdsService:
    service: CdsService = request.app.state.cds_hooks
    return service


async def body(request: Request) -> bytes:
    """Without a byte order mark. Not parsed yet: the caller is authenticated first."""
    return (await request.body()).removeprefix(BOM_UTF8)


async def authenticated(request: Request) -> Issuer | None:
    """Raises Unauthorized. Uses a short session of its own, before any other is open."""
    reads = reads_of(request)
    return await cds_service(request).authenticator.authenticate(request, reads.database, reads.limiter.primary)


def _request_body(model: type[BaseModel]) -> dict[str, Any]:
    """What FastAPI would document if it parsed the body."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _schema(model)}}}}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    inlined: dict[str, Any] = _inlined(schema, schema.pop("$defs", {}))
    return inlined


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with its references replaced, because its definitions are not among the document's components."""
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if name := schema.get("$ref"):
        return _inlined(definitions[name.rpartition("/")[2]], definitions)
    return {key: _inlined(part, definitions) for key, part in schema.items()}


Body = Annotated[bytes, Depends(body)]
Authenticated = Depends(authenticated)
Caller = Annotated[Issuer | None, Authenticated]
ServiceName = Annotated[str, Path(max_length=100, description="The service's id, as discovery lists it.")]
AtSerial = Annotated[
    Serial | None,
    Query(description="Make the cards again from the data set as it was at this serial."),
]


@dataclass(frozen=True)
class HookCall:
    """A parsed request, as far as cards need it."""

    service: HookService
    instance: UUID
    formulary: Formulary
    chart: Chart
    lists: dict[str, Any]
    """The lists that were sent or fetched."""

    @property
    def views_chart(self) -> bool:
        return self.service.hook == "patient-view"


class Checks(NamedTuple):
    """What the data set says of services and drugs."""

    services: Mapping[str, HookService]
    formulary: Formulary


async def checks(request: Request, _caller: Caller) -> Checks:
    """Uses a short view of its own, before any other is open."""
    settings = cds_service(request).settings

    def read(view: ReadView) -> Checks:
        return Checks(load_services(view.session, settings), load_formulary(view.session))

    return await reads_of(request).run(request, read)


def hook_call(
    request: Request, id: ServiceName, body: Body, caller: Caller, known: Annotated[Checks, Depends(checks)]
) -> HookCall:
    """Parses the request and fetches missing lists where the operator allows it.

    Runs before a session is open: a slow record system must not hold a database connection.
    """
    service = cds_service(request)
    called, drugs = _called(known.services, id), known.formulary
    request.state.service = called.id
    hook = _parsed(HookRequest, body)
    expected = called.hook
    if hook.hook != expected:
        fault = Fault("body", "hook", "unknown_value", "Must be the hook of this service.", (expected,))
        raise InvalidInput("This service answers another hook.", errors=[fault])
    views_chart = expected == "patient-view"
    if not views_chart and hook.context.draftOrders is None:
        fault = Fault("body", "context.draftOrders", "missing", "This is required: a Bundle of the draft orders.")
        raise InvalidInput("The context lacks the draft orders.", errors=[fault])
    lists = dict(hook.prefetch or {})
    templates = service.prefetch(called)
    chart = service.chart(drugs, hook, lists, templates)
    missing = {name: template for name, template in templates.items() if name not in lists}
    if missing and rules.is_check_due(chart, drugs, views_chart=views_chart):
        hosts = caller.fhir_servers if caller else ()
        server = fetching.permitted_server(hook.fhirServer, hook.fhirAuthorization, hosts)
        if server and (fetched := fetching.fetch_lists(server, missing, hook.context.patientId)):
            lists |= fetched
            chart = service.chart(drugs, hook, lists, templates)
    return HookCall(called, hook.hookInstance, drugs, chart, lists)


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
    service = cds_service(request)
    services = await reads_of(request).run(request, lambda view: load_services(view.session, service.settings))
    entries = [discovery_entry(one, service.prefetch(one)) for one in services.values()]
    return _json_response(Discovery(services=entries), {"Cache-Control": "no-cache"})


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
    openapi_extra=_request_body(HookRequest),
    dependencies=[Depends(declared_parameters_only), Authenticated],
)
async def call(request: Request, hook: Annotated[HookCall, Depends(hook_call)], serial: AtSerial = None) -> Response:
    """Cards for what is being ordered, or seen. No advice is `{"cards": []}`."""
    return await reads_of(request).run(request, _cards, request, hook, serial)


def _cards(view: ReadView, request: Request, hook: HookCall, serial: int | None) -> Response:
    if serial is not None and serial > view.serial:
        fault = Fault("query", "serial", "unknown_serial", f"The newest serial is {view.serial}.")
        raise InvalidInput("This serial has not been published yet.", errors=[fault])
    service = cds_service(request)
    at = serial or view.serial
    claims = ClaimReader(view.session, at, service.memory_at(view.state, at))
    try:
        findings = _findings(hook, claims)
    except rules.NotEnoughData:
        return _precondition_failed()
    builder = CardBuilder(claims, hook.service.id, at, service.base_url, hook.instance, hook.chart.today)
    cards = builder.cards(findings)
    request.state.rules = [card.extension.reproduction.rule for card in cards]
    return _json_response(Cards(cards=cards), _NO_STORE)


def _findings(hook: HookCall, claims: ClaimReader) -> list[rules.Finding]:
    """NotEnoughData if a check is due and the lists that it needs were not sent."""
    check = hook.service.check
    if check is None:
        conditions = cache(claims.conditions)
        return rules.findings(hook.chart, hook.formulary, conditions, views_chart=hook.views_chart)
    reader = MedicineReader(hook.formulary, medications(hook.lists.values()))
    return patient_checks.findings(check, hook.lists, hook.chart, reader)


@router.post(
    "/{id}/feedback",
    operation_id="sendCdsFeedback",
    summary="Tell what became of cards",
    status_code=200,
    response_class=Response,
    responses=responses(400, 401, 404, 413, 422, 503),
    openapi_extra=_request_body(FeedbackRequest),
    dependencies=[Depends(declared_parameters_only), Authenticated],
)
def feedback(request: Request, id: ServiceName, body: Body, _slot: SlotToWrite) -> Response:
    """Counted by service, outcome and reason code. Comments, cards and times are dropped."""
    with reads_of(request).database.write(in_turn=False) as session:
        service_id = _called(load_services(session, cds_service(request).settings), id).id
        items = _parsed(FeedbackRequest, body).feedback
        cds = current_manifest(session).cds or CdsManifest()
        known = reason_codes(cds, (one for rule in interaction_rules(session) for one in rule.override_reasons))
        counted = []
        for item in items:
            reason = item.overrideReason.reason if item.overrideReason else None
            code = (reason.code if reason else None) or ""
            counted.append((item.outcome, code if code in known or not code else "other"))
        for outcome, code in sorted(counted):  # in one order, so that two requests never wait for each other
            count_feedback(session, service_id, outcome, code)
    request.state.service, request.state.outcomes = service_id, [item.outcome for item in items]
    return Response(status_code=200, headers=_NO_STORE)


def _called(services: Mapping[str, HookService], name: str) -> HookService:
    if name not in services:
        raise NotFound("There is no CDS service with this id. GET /cds-services lists what there is.")
    return services[name]


def _parsed(model: type[Model], raw: bytes) -> Model:
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        faults: Sequence[Any] = error.errors(include_url=False, include_input=False)
    if any(fault["type"] == "json_invalid" for fault in faults):
        fault = Fault("body", "body", "malformed_json", "Send one JSON value in UTF-8.")
        raise MalformedJson("The body could not be read as JSON.", errors=[fault])
    raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults])


def _json_response(model: BaseModel, headers: dict[str, str]) -> Response:
    content = model.model_dump_json(exclude_none=True, by_alias=True)
    return Response(content, headers=headers, media_type="application/json")


def _precondition_failed() -> Response:
    text = (
        "The check was NOT made: no list that it needs was sent. Send the prefetch that GET /cds-services asks "
        "for; null where there is none."
    )
    outcome = OperationOutcome(issue=[Issue(details=OutcomeText(text=text))])
    return Response(outcome.model_dump_json(), 412, _NO_STORE, FHIR_JSON)
