"""The shapes of a verification: what is asked of a source, and what is answered."""

from typing import Literal

from pydantic import Field, model_validator

from app.claims.responses import ClaimSummary
from app.claims.schemas import Checked, CitationQuote, Locator
from app.claims.vocabulary import Directness, Extent, IndirectBecause, Stance, StanceReason
from app.core.content import RequestModel, ResponseModel
from app.core.text import IdentifierText, OneLine, SearchText, Slug, Text
from app.sources.schemas import DocumentRef, Notice
from app.sources.vocabulary import IdentifierScheme, Standing
from app.verification.vocabulary import QuoteResult, TitleResult, VerificationResult

MAX_ITEMS = 50

# --- what is asked ------------------------------------------------------------------------------------------------


class CitationToVerify(RequestModel):
    """A source, and the claim or sentence that it is cited for."""

    claim: Slug | None = None
    """Id of a claim. Of a retired one, its successor is compared."""
    sentence: SearchText | None = None
    """A sentence in your words, of at most 400 characters; the nearest claims are found by the search."""
    identifier: IdentifierText
    """A DOI, PMID, PMCID, NCT or EudraCT number in any spelling, such as `pmid:23359310` or an address. A PMID needs
    its label: digits alone could be anything."""
    title: OneLine | None = None
    """The title under which you cite the source."""
    quote: Text | None = Field(default=None, max_length=2000)
    """Words that you quote from the source."""

    @model_validator(mode="after")
    def _about_one_thing(self) -> "CitationToVerify":
        if (self.claim is None) == (self.sentence is None):
            raise ValueError("name exactly one of claim and sentence")
        return self


class VerificationRequest(RequestModel):
    """Up to 50 citations; each is verified by itself."""

    items: list[CitationToVerify] = Field(min_length=1, max_length=MAX_ITEMS)


# --- what is answered ---------------------------------------------------------------------------------------------


class SourceLinks(ResponseModel):
    """Where the record of the source is."""

    self: str


class VerifiedSource(ResponseModel):
    """The record that carries the identifier."""

    type: Literal["document", "study"]
    id: Slug
    name: str
    """The document's short form, such as `Younger 2013`, or the study's name."""
    title: str | None
    """As published; null for a study, and where it was not read."""
    scheme: IdentifierScheme
    identifier: str
    """In normal form."""
    url: str | None
    """Where the identifier opens."""
    standing: Standing | None
    """How far the document still stands; null for a study."""
    standing_checked_on: str | None
    """When somebody last looked and found nothing new; null if nobody did."""
    notice: Notice | None
    """The notice behind the standing, such as that of a retraction."""
    documents: tuple[DocumentRef, ...]
    """The documents that report the study; empty for a document."""
    links: SourceLinks


class TitleCheck(ResponseModel):
    """Whether a title is that of the source."""

    result: TitleResult
    recorded: str | None
    """The recorded title, verbatim."""
    similarity: float | None
    """Of the folded titles, from 0 to 1; null where nothing was compared."""
    other_document: DocumentRef | None
    """The document here that has the title given, if the source has another."""


class QuoteCheck(ResponseModel):
    """Whether words are recorded as a quotation from the source."""

    result: QuoteResult
    citation: Slug | None
    """The citation that records the words; null where none does."""


class SourceLink(ResponseModel):
    """Where the citation and its claim are."""

    self: str
    claim: str


class SourceOnClaim(ResponseModel):
    """A citation: what the source was found to say on the claim."""

    id: Slug
    stance: Stance
    stance_reason: StanceReason | None
    directness: Directness
    indirect_because: tuple[IndirectBecause, ...]
    finding: str | None
    """In our words, never the source's: do not put it in quotation marks."""
    locator: Locator
    extent: Extent | None
    """`partially` where the source bears on a part of the claim only."""
    extent_note: str | None
    """Which part that is."""
    quotes: tuple[CitationQuote, ...]
    """The source's own words."""
    verification: Checked
    """Whether the finding was checked, when, and against what."""
    document: DocumentRef
    links: SourceLink


class NearClaim(ResponseModel):
    """A claim near a sentence, and what the source says on it."""

    claim: ClaimSummary
    citations: tuple[SourceOnClaim, ...]
    """Of the source; empty if it is not cited for this claim."""


class ReplacedRecord(ResponseModel):
    """A retired record, and the one that took its place."""

    id: Slug
    successor: Slug | None


class ItemFault(ResponseModel):
    """Why a citation could not be verified, and how to mend it."""

    field: str
    code: str
    message: str
    """What is wrong, and what would be right."""
    did_you_mean: tuple[str, ...]
    """What may have been meant, best first."""


class CitationVerified(ResponseModel):
    """What is recorded of one citation."""

    position: int
    """In the request, from 0."""
    result: VerificationResult
    advice: str
    """What to make of the result."""
    claim: ClaimSummary | None
    """The claim asked for, or the one that states just the sentence; null where there is none."""
    replaced: ReplacedRecord | None
    """The retired claim that was asked for."""
    source: VerifiedSource | None
    title: TitleCheck | None
    """Null where no title was given, or the source is not recorded."""
    quote: QuoteCheck | None
    """Null where no quotation was given, or the source is not recorded."""
    citations: tuple[SourceOnClaim, ...]
    """What the source says on the claim."""
    related: tuple[SourceOnClaim, ...]
    """What other documents on the same study say on the claim."""
    nearest: tuple[NearClaim, ...]
    """Of a sentence that is no recorded claim: the claims nearest to it, the nearest first."""
    errors: tuple[ItemFault, ...]
    """What could not be read of this citation; empty otherwise."""


class VerificationAnswer(ResponseModel):
    """One answer for every citation, in the order of the request."""

    items: tuple[CitationVerified, ...]
    notice: str
    """What was compared and what was not; to be shown with the answers."""
    disclaimer: str
