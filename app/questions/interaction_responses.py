"""The shapes of interaction checks: what is asked, and what is answered for every pair."""

from typing import Literal

from pydantic import Field, model_validator

from app.claims import dose_query
from app.claims.dose_responses import DoseAmount, DoseTotal
from app.claims.responses import ClaimSummary
from app.claims.vocabulary import Effect, Kind
from app.concepts.manifest_doses import BandName
from app.concepts.recognition import Confidence, MatchedBy, UnrecognizedReason
from app.concepts.schemas import ConceptRef, Inheritance
from app.concepts.vocabulary import CodeRelation
from app.core.content import RequestModel, ResponseModel
from app.core.text import IdOrCode, OneLine, Slug
from app.core.vocabulary import Term
from app.questions.searches import SearchMatch

FEWEST, MAX = 2, 30


class InteractionStatus(Term):
    """What is recorded of two drugs together, worst first; only the first two are findings."""

    contraindicated = "contraindicated", "A recorded claim says that they must not be combined."
    interaction = "interaction", "A recorded claim says that the combination changes effect or risk."
    unrecognized = (
        "unrecognized",
        "Not recognized",
        "At least one of the two is not known here, so nothing was checked.",
    )
    not_searched = "not_searched", "Nobody has looked yet; that clears nothing."
    searched_none_found = (
        "searched_none_found",
        "Searched, none found",
        "Somebody looked on the date given and found nothing; that clears nothing.",
    )


# --- what is asked ------------------------------------------------------------------------------------------------


class DrugAsked(RequestModel):
    """One drug, named in exactly one way. Send nothing about a person: it is not needed, and nothing is kept."""

    id: Slug | None = None
    """Id of an intervention."""
    code: IdOrCode | None = Field(default=None, pattern=r"^[A-Za-z][!-~]*[:|][!-~]+$")
    """`system:code`, such as `rxnorm:7243`; the system by any of its names, or `|` after its URI."""
    text: OneLine | None = Field(default=None, max_length=200)
    """A name in any spelling, of a substance, salt, product or class, beside which strength and form may stand."""
    dose: OneLine | None = Field(default=None, max_length=dose_query.MAX_LENGTH)
    """Daily total with a UCUM unit, such as `4.5 mg` or `1.5..4.5 mg`."""

    @model_validator(mode="after")
    def _named_once(self) -> "DrugAsked":
        if sum(value is not None for value in (self.id, self.code, self.text)) != 1:
            raise ValueError("name a drug by exactly one of id, code and text")
        return self


class InteractionCheck(RequestModel):
    """The drugs to check against one another."""

    drugs: list[DrugAsked] = Field(min_length=FEWEST, max_length=MAX)
    """In any order; the order changes nothing but the positions that the answer refers to."""


# --- what is answered ---------------------------------------------------------------------------------------------


class DoseGiven(ResponseModel):
    """The dose that was given, as a daily total. In picograms an open end is null, and so is one that is no whole
    number or no mass."""

    low_pg_per_day: int | None
    high_pg_per_day: int | None
    low_amount: DoseAmount | None
    """Exact whatever the period; null where it is open or no mass."""
    high_amount: DoseAmount | None
    """The upper end, exact whatever the period; null where it is open or no mass."""
    total: DoseTotal
    """In whatever unit."""
    tiers: tuple[BandName, ...]
    """Bands that it touches; empty for drugs of which the data set tells no bands apart."""


class DrugChecked(ResponseModel):
    """How a drug of the request was understood."""

    position: int
    """In the request, from 0."""
    recognized: bool
    intervention: ConceptRef | None
    """The first of its ingredients."""
    ingredients: tuple[ConceptRef, ...]
    """All drugs that are known in it: several for a product of several."""
    matched_by: MatchedBy | None
    confidence: Confidence | None
    """How sure the recognition is; what is merely similar is a candidate, never recognized."""
    relation: CodeRelation | None
    """How the code's meaning relates to the record; null unless matched by code."""
    dose: DoseGiven | None


class UnrecognizedDrug(ResponseModel):
    """A drug that was not recognized, so that nothing was checked for it."""

    position: int
    """In the request, from 0."""
    reason: UnrecognizedReason
    candidates: tuple[ConceptRef, ...]
    """Drugs that may be meant, at most five, the most similar first; none of them was checked."""


class InteractionHeadline(ResponseModel):
    """The worst of all pairs: what a reader must be shown first."""

    status: InteractionStatus
    """The first that occurs of `contraindicated`, `interaction`, `unrecognized`, `not_searched` and
    `searched_none_found`."""
    label: str
    """A few words; with a finding they also say that a drug was not recognized."""
    tone: Literal["caution", "unclear"]
    """For the reader: never a sign that a combination is safe."""
    answer: str
    """A sentence or two."""
    pair: tuple[int, int]
    """Positions of the two drugs."""


class PairClaim(ResponseModel):
    """A claim behind the status of a pair."""

    claim: ClaimSummary
    kind: Kind
    effect: Effect
    on: ConceptRef
    """The drug, class or regimen that the claim is about."""
    inherited: bool
    """Whether that, or what it meets, is a relative of the drug that was asked for: its drug, class or regimen."""
    inheritance: Inheritance | None
    """How what is said of `on` holds for the drug that was asked for; null where `on` is that drug, or where only an
    interaction rule relates them."""
    interactant_inheritance: Inheritance | None
    """The same for what the claim says that it meets."""
    dose_tiers: tuple[BandName, ...]
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
    rules: tuple[Slug, ...]
    """Interaction rules that warn of the pair."""
    claims: tuple[PairClaim, ...]
    """Contraindications first, at most 20."""
    claims_truncated: bool
    search: SearchMatch | None
    """The search that found nothing, where that is the status."""
    searches: tuple[SearchMatch, ...]
    """Recorded questions on the pair, open ones included."""


class InteractionCheckRead(ResponseModel):
    """The worst first, then what was not recognized, then every unordered pair of the request."""

    headline: InteractionHeadline
    unrecognized: tuple[UnrecognizedDrug, ...]
    drugs: tuple[DrugChecked, ...]
    pairs: tuple[PairChecked, ...]
    notice: str
    disclaimer: str
