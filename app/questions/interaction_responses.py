"""The shapes of interaction checks: what is asked, and what is answered for every pair."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.claims import dose_query
from app.claims.responses import ClaimSummary
from app.claims.vocabulary import DoseTier, Effect, Kind
from app.concepts.drug_names import MatchedBy
from app.concepts.schemas import ConceptRef
from app.concepts.vocabulary import CodeRelation
from app.core.content import ResponseModel
from app.core.text import Line, Named, Slug
from app.core.vocabulary import Term
from app.questions.searches import SearchMatch

FEWEST, MAX = 2, 30


class InteractionStatus(Term):
    """What is recorded of two drugs together; only the first two are findings."""

    contraindicated = "contraindicated", "A recorded claim says that they must not be combined."
    interaction = "interaction", "A recorded claim says that the combination changes effect or risk."
    searched_none_found = (
        "searched_none_found",
        "Searched, none found",
        "Somebody looked on the date given and found nothing; that clears nothing.",
    )
    not_searched = "not_searched", "Nobody has looked yet; that clears nothing."
    unrecognized = (
        "unrecognized",
        "Not recognized",
        "At least one of the two is not known here, so nothing was checked.",
    )


# --- what is asked ------------------------------------------------------------------------------------------------


class DrugAsked(BaseModel):
    """One drug, named in exactly one way. Send nothing about a person: it is not needed, and nothing is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    id: Slug | None = None
    """Id of an intervention."""
    code: Named | None = Field(default=None, pattern=r"^[A-Za-z0-9]+:[!-~]+$")
    """`system:code`, such as `rxnorm:7243`."""
    text: Line | None = Field(default=None, max_length=200)
    """Name or synonym; case and accents do not matter."""
    dose: Line | None = Field(default=None, max_length=dose_query.MAX_LENGTH)
    """Daily total with a UCUM unit, such as `4.5 mg` or `1.5..4.5 mg`."""

    @model_validator(mode="after")
    def _named_once(self) -> "DrugAsked":
        if sum(value is not None for value in (self.id, self.code, self.text)) != 1:
            raise ValueError("name a drug by exactly one of id, code and text")
        return self


class InteractionCheck(BaseModel):
    """The drugs to check against one another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    drugs: list[DrugAsked] = Field(min_length=FEWEST, max_length=MAX)
    """In any order; the order changes nothing but the positions that the answer refers to."""


# --- what is answered ---------------------------------------------------------------------------------------------


class DoseGiven(ResponseModel):
    """The dose that was given, as a daily total in picograms; an open end is null."""

    low_pg_per_day: int | None
    high_pg_per_day: int | None
    tiers: tuple[DoseTier, ...]
    """Bands that it touches; empty for drugs of which no dose regimens are told apart."""


class DrugChecked(ResponseModel):
    """How a drug of the request was understood."""

    position: int
    """In the request, from 0."""
    recognized: bool
    intervention: ConceptRef | None
    matched_by: MatchedBy | None
    relation: CodeRelation | None
    """How the code's meaning relates to the record; null unless matched by code."""
    dose: DoseGiven | None
    did_you_mean: tuple[ConceptRef, ...]
    """For a drug that was not recognized."""


class PairClaim(ResponseModel):
    """A claim behind the status of a pair."""

    claim: ClaimSummary
    kind: Kind
    effect: Effect
    on: ConceptRef
    """The drug, class or regimen that the claim is about."""
    inherited: bool
    """Whether that, or what it meets, is a relative of the drug that was asked for: its drug, class or regimen."""
    dose_tiers: tuple[DoseTier, ...]
    """Bands of the doses read in its sources; empty where none was read."""


class PairChecked(ResponseModel):
    """Two drugs of the request, the earlier one first."""

    positions: tuple[int, int]
    drugs: tuple[ConceptRef | None, ConceptRef | None]
    status: InteractionStatus
    sentence: str
    same_drug: bool
    """Whether both are the same drug, or one is a dose regimen of the other."""
    crosses_dose_tiers: bool
    """Whether the claims were recorded at other doses than the ones given, or at unread ones: harm crosses doses."""
    dose_note: str | None
    claims: tuple[PairClaim, ...]
    """Contraindications first, at most 20."""
    claims_truncated: bool
    search: SearchMatch | None
    """The search that found nothing, where that is the status."""
    searches: tuple[SearchMatch, ...]
    """Recorded questions on the pair, open ones included."""


class InteractionCheckRead(ResponseModel):
    """Every unordered pair of the request, contraindications first."""

    drugs: tuple[DrugChecked, ...]
    pairs: tuple[PairChecked, ...]
    notice: str
    disclaimer: str
