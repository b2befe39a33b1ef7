"""What tools answer: claims with everything that must travel with them, and their sources."""

from typing import Literal

from app.claims.responses import StanceCount, VerdictRead
from app.claims.schemas import Checked
from app.claims.vocabulary import Certainty, Consensus, Coverage, Directness, Stance
from app.concepts.schemas import ConceptRef
from app.core.content import ResponseModel
from app.core.text import Slug
from app.questions.interaction_responses import InteractionHeadline, InteractionStatus, UnrecognizedDrug
from app.sources.vocabulary import Standing
from app.verification.schemas import ItemFault, QuoteCheck, ReplacedRecord, TitleCheck, VerifiedSource
from app.verification.vocabulary import VerificationResult


class AnsweredDataset(ResponseModel):
    """Of which data set, and of which state of it, an answer is; name it with whatever you cite."""

    name: str
    serial: int
    release: str | None
    licence: str
    disclaimer: str
    """Say it with whatever you repeat to a person."""


class CitedSource(ResponseModel):
    """A publication that a claim cites, and what was found in it."""

    citation: Slug
    stance: Stance
    """Which way it points on this claim."""
    directness: Directness
    label: str
    """Short form, such as `Younger 2013`."""
    title: str | None
    year: int | None
    doi: str | None
    pmid: str | None
    pmcid: str | None
    registry_ids: tuple[str, ...]
    """Of the study, such as an NCT number."""
    url: str
    """Where the source opens, else its record here."""
    standing: Standing
    """`retracted` counts for nothing."""
    finding: str | None
    """In the words of this data set, not of the source: never put it in quotation marks."""
    extent_note: str | None
    """The part of the claim that it bears on, where that is not the whole."""
    verification: Checked
    """Whether the finding was checked, when, and against what."""


class QuotableClaim(ResponseModel):
    """A claim with everything that must be said with it."""

    id: Slug
    answer: str
    """What the evidence says. Say this."""
    verdict: VerdictRead
    certainty: Certainty
    consensus: Consensus
    counts_text: str | None
    """Who found what, both sides. Say it with the answer."""
    statement: str
    """What is claimed; not what is shown."""
    caveat: str | None
    """Must be said with the statement where `caveat_required`."""
    caveat_required: bool
    inheritance: str | None
    """Of whom it is said, where that is not whom was asked about, such as the drug at its usual doses. Say it with the
    answer."""
    supports: StanceCount
    disputes: StanceCount
    uncited: bool
    """No source is recorded for it: do not state it as evidence."""
    sources: tuple[CitedSource, ...]
    """Those that weigh most, of both sides."""
    sources_left_out: int
    """More of them, at `url`."""
    permalink: str
    """These words as they are now, for ever."""
    url: str


class ClaimsFound(ResponseModel):
    """Claims that a search found, the best first."""

    claims: tuple[QuotableClaim, ...]
    total: int
    total_is: Literal["exact", "at_least"]
    matched: Literal["all", "any"]
    """Whether everything asked for occurs in each claim, or only a part of it."""
    did_you_mean: str | None
    note: str | None
    """What an empty answer means."""
    dataset: AnsweredDataset


class ClaimAnswer(ResponseModel):
    """One claim with its sources."""

    claim: QuotableClaim
    dataset: AnsweredDataset


class BriefSection(ResponseModel):
    """A part of a brief."""

    title: str
    note: str | None
    claims: tuple[Slug, ...]
    """The first of its claims, which stand in `claims`."""
    total: int


class BriefAddresses(ResponseModel):
    """Where the whole brief is."""

    html: str
    markdown: str
    data: str
    """As JSON."""
    claims: str


class BriefInShort(ResponseModel):
    """What is known of an intervention in a condition, in short."""

    title: str
    intervention: ConceptRef
    condition: ConceptRef
    coverage: Coverage
    coverage_sentence: str
    summary: str
    """The answer to the headline claim with its counts, or what was and was not looked for."""
    headline: QuotableClaim | None
    sections: tuple[BriefSection, ...]
    claims: tuple[QuotableClaim, ...]
    """The first claims of each section, with their sources."""
    undecided: int
    """Questions on which there is too little evidence."""
    open_questions: int
    references: int
    addresses: BriefAddresses
    dataset: AnsweredDataset


class PairInShort(ResponseModel):
    """Two drugs together."""

    positions: tuple[int, int]
    status: InteractionStatus
    sentence: str
    dose_note: str | None
    claims: tuple[Slug, ...]
    """The claims behind it; the first ones stand in `claims` of the answer."""


class InteractionsChecked(ResponseModel):
    """One status for every pair; a pair without a recorded interaction has not been cleared."""

    headline: InteractionHeadline
    drugs: tuple[ConceptRef | None, ...]
    """As they were recognized, in the order asked; null where one was not."""
    unrecognized: tuple[UnrecognizedDrug, ...]
    pairs: tuple[PairInShort, ...]
    """The worst first."""
    claims: tuple[QuotableClaim, ...]
    uncited: bool
    """Whether no claim stands behind any pair."""
    notice: str
    dataset: AnsweredDataset


class ReferenceLine(ResponseModel):
    """A publication, as a reference list names it."""

    number: int
    text: str
    doi: str | None
    pmid: str | None
    pmcid: str | None
    url: str
    standing: Standing


class ReferencesFound(ResponseModel):
    """Every publication that the claims cite, for and against."""

    references: tuple[ReferenceLine, ...]
    total: int
    left_out: int
    uncited: bool
    """No source is recorded for these claims."""
    how_to_cite: str
    """How to cite the data set itself."""
    bibtex: str
    ris: str
    csl_json: str
    dataset: AnsweredDataset


class NearQuotableClaim(ResponseModel):
    """A claim near a sentence, and what the source says on it."""

    claim: QuotableClaim
    found_in_source: tuple[CitedSource, ...]
    """Empty if the source is not cited for it."""


class CitationAnswer(ResponseModel):
    """One citation, verified."""

    position: int
    result: VerificationResult
    advice: str
    claim: QuotableClaim | None
    replaced: ReplacedRecord | None
    source: VerifiedSource | None
    title: TitleCheck | None
    quote: QuoteCheck | None
    found_in_source: tuple[CitedSource, ...]
    """What the source says on the claim; empty if it is not cited for it."""
    nearest: tuple[NearQuotableClaim, ...]
    errors: tuple[ItemFault, ...]


class CitationsAnswer(ResponseModel):
    """One answer for every citation, in the order asked."""

    items: tuple[CitationAnswer, ...]
    notice: str
    dataset: AnsweredDataset
