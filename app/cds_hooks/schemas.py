"""Requests and responses of CDS Hooks 2.0.1. Unknown members of requests are ignored; responses hold no null."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.concepts.manifest_cds import MAX_SUMMARY_LENGTH

Short = Annotated[str, Field(max_length=500)]


class CdsRequestModel(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


class Context(CdsRequestModel):
    """What happens in the record system."""

    patientId: Any = Field(default=None, repr=False)  # noqa: N815 - the standard's spelling
    """Read only to ask the record system for its lists."""
    selections: list[Any] = Field(default=[], max_length=1000)
    draftOrders: dict[str, Any] | None = None  # noqa: N815 - the standard's spelling


class HookRequest(CdsRequestModel):
    """A hook that fired."""

    hook: Short
    hookInstance: UUID  # noqa: N815
    fhirServer: Any = Field(default=None, repr=False)  # noqa: N815
    """Missing lists are fetched from it if the operator has named its host."""
    fhirAuthorization: Any = Field(default=None, repr=False)  # noqa: N815
    """Its `access_token` is sent to that server and nowhere else."""
    context: Context
    prefetch: dict[str, Any] | None = None


class ReasonCode(CdsRequestModel):
    code: Short | None = None
    system: Short | None = None


class OverrideReasonSent(CdsRequestModel):
    """`userComment` is not read: it is about a person."""

    reason: ReasonCode | None = None


class AcceptedSuggestion(CdsRequestModel):
    id: Short


class FeedbackItem(CdsRequestModel):
    """What became of a card."""

    card: Short
    outcome: Literal["accepted", "overridden"]
    outcomeTimestamp: datetime  # noqa: N815
    acceptedSuggestions: list[AcceptedSuggestion] | None = Field(default=None, max_length=100)  # noqa: N815
    overrideReason: OverrideReasonSent | None = None  # noqa: N815

    @model_validator(mode="after")
    def _names_accepted_suggestions(self) -> Self:
        if self.outcome == "accepted" and not self.acceptedSuggestions:
            raise ValueError("an accepted card names its `acceptedSuggestions`")
        return self


class FeedbackRequest(CdsRequestModel):
    feedback: list[FeedbackItem] = Field(min_length=1, max_length=100)


class CdsResponseModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Service(CdsResponseModel):
    """A service as discovery lists it."""

    hook: str
    title: str
    description: str
    id: str
    version: str
    prefetch: dict[str, str]
    usageRequirements: str  # noqa: N815


class Discovery(CdsResponseModel):
    services: list[Service]


class CardCoding(CdsResponseModel):
    code: str
    system: str
    display: str


class Source(CdsResponseModel):
    label: str
    url: str
    topic: CardCoding


class Link(CdsResponseModel):
    label: str
    url: str
    type: Literal["absolute"] = "absolute"


class Action(CdsResponseModel):
    type: Literal["delete"] = "delete"
    description: str
    resourceId: str  # noqa: N815


class Suggestion(CdsResponseModel):
    label: str
    uuid: UUID
    actions: list[Action]


class RecognisedDrug(CdsResponseModel):
    """What a medicine of the request was taken for."""

    drug: str
    codes: list[str] | None = None
    """`system|code`; absent where a word was recognised."""


class ReadDose(CdsResponseModel):
    """The daily dose that was read."""

    low_pg_per_day: int | None = None
    high_pg_per_day: int | None = None
    tiers: list[str]
    read_from: str


class ClaimUsed(CdsResponseModel):
    id: str
    version: int
    permalink: str


class Reproduction(CdsResponseModel):
    """All that is needed to make the card again: post the same request with `?serial=`.

    The medicines of both sides stand beside these fields, under the names that the data set gives the sides.
    """

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)
    __pydantic_extra__: dict[str, list[RecognisedDrug]]

    serial: int
    service: str
    service_version: str
    rule: str
    dose: ReadDose | None = None
    gaps: list[str] | None = None
    claims: list[ClaimUsed] | None = None


class Extension(CdsResponseModel):
    reproduction: Reproduction = Field(alias="ldn-evidence.reproduction")


Indicator = Literal["info", "warning", "critical"]


class Card(CdsResponseModel):
    uuid: UUID
    summary: Annotated[str, Field(max_length=MAX_SUMMARY_LENGTH)]
    detail: str
    indicator: Indicator
    source: Source
    suggestions: list[Suggestion] | None = None
    selectionBehavior: Literal["at-most-one"] | None = None  # noqa: N815
    overrideReasons: list[CardCoding] | None = None  # noqa: N815
    links: list[Link] | None = None
    extension: Extension


class Cards(CdsResponseModel):
    cards: list[Card]


class OutcomeText(CdsResponseModel):
    text: str


class Issue(CdsResponseModel):
    severity: Literal["error"] = "error"
    code: Literal["required"] = "required"
    details: OutcomeText


class OperationOutcome(CdsResponseModel):
    """FHIR's way to say what is missing."""

    resourceType: Literal["OperationOutcome"] = "OperationOutcome"  # noqa: N815
    issue: list[Issue]
