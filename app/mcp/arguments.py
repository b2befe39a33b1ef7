"""What tools take: few arguments, each with bounds that keep an answer readable."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.bibliography.styles import Style
from app.core.text import IdOrCode, SearchText, Slug
from app.questions.interaction_responses import FEWEST, DrugAsked
from app.verification.schemas import CitationToVerify

MAX_CLAIMS = 10
MAX_DRUGS = 10
MAX_VERIFIED = 5


class ToolArguments(BaseModel):
    """Unknown arguments are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class SearchArguments(ToolArguments):
    q: SearchText
    """A question or words, such as names of a drug and of a condition; codes and identifiers are known too."""
    limit: Annotated[int, Field(strict=True, ge=1, le=MAX_CLAIMS)] = 5
    """Claims to return, 1 to 10."""


class ClaimArguments(ToolArguments):
    id: Slug
    """Id of a claim, as the other tools give it."""


class BriefArguments(ToolArguments):
    intervention: IdOrCode
    """Id, as other tools give it, or code, `rxnorm:` and the number."""
    condition: IdOrCode
    """Id, as other tools give it, or code, `icd10cm:` and the code."""


class InteractionArguments(ToolArguments):
    drugs: list[DrugAsked] = Field(min_length=FEWEST, max_length=MAX_DRUGS)
    """Two to ten drugs, each by exactly one of `text` (a name), `id` and `code`. Send nothing about a person."""


class ReferenceArguments(ToolArguments):
    claims: list[Slug] = Field(default=[], max_length=MAX_CLAIMS)
    """Ids of claims; or name an intervention and a condition instead."""
    intervention: IdOrCode | None = None
    condition: IdOrCode | None = None
    style: Style = Style.ama
    """How references are written."""

    @model_validator(mode="after")
    def _names_one_choice(self) -> "ReferenceArguments":
        has_pair = self.intervention is not None and self.condition is not None
        is_half = (self.intervention is None) != (self.condition is None)
        if is_half or bool(self.claims) == has_pair:
            raise ValueError("name either claims, or an intervention and a condition")
        return self


class VerifyArguments(ToolArguments):
    items: list[CitationToVerify] = Field(min_length=1, max_length=MAX_VERIFIED)
    """One to five citations."""
