"""The shape of a brief: what is known of an intervention in a condition, as a page that can be read and checked."""

from typing import Self

from app.claims import vocabulary as terms
from app.claims.responses import ClaimSummary, DosingRangeRef, StanceCount, SubgroupRef, VerdictRead, VoteCounts
from app.claims.schemas import CitationQuote, CitationStrength
from app.concepts.manifest import DataLicence
from app.concepts.schemas import ConceptRef, Inheritance
from app.core.content import ResponseModel
from app.core.text import Slug
from app.questions.coverage import PendingStudy
from app.questions.searches import SearchMatch
from app.sources.schemas import DocumentRef, Notice
from app.sources.vocabulary import Design, Interest, Standing


class Footnote(ResponseModel):
    """A mark behind a sentence: which reference, and which way it points."""

    number: int
    """Of the reference in `references`."""
    citation_id: Slug
    stance: terms.Stance
    stance_label: str
    extent: terms.Extent | None
    """`partially` where the source bears on a part of the sentence only."""
    document: DocumentRef
    standing: Standing


class BriefCitation(ResponseModel):
    """What a source found on the sentence's own question."""

    number: int
    citation_id: Slug
    stance_reason: terms.StanceReason | None
    directness: terms.Directness
    finding: str | None
    design: Design | None
    design_label: str | None
    participants: int | None
    """People analysed for the finding where that was read, else those who took part."""
    basis: terms.Basis | None
    """Against what the finding was checked."""
    extent: terms.Extent | None
    """`partially` where the source bears on a part of the sentence only."""
    extent_note: str | None
    """Which part that is."""
    strength: CitationStrength | None
    """How strongly it bears on the sentence by a scale of others."""
    quotes: tuple[CitationQuote, ...]
    """Words of the document."""
    document: DocumentRef
    standing: Standing


class Sides(ResponseModel):
    """The sentence's citations, side by side; within a side the strongest first."""

    supports: tuple[BriefCitation, ...]
    disputes: tuple[BriefCitation, ...]
    mixed: tuple[BriefCitation, ...]
    inconclusive: tuple[BriefCitation, ...]
    background: tuple[BriefCitation, ...]
    not_assessed: tuple[BriefCitation, ...]


class BriefOrigin(ResponseModel):
    """The document that says it, and how that stands to the source it gives."""

    document: DocumentRef
    section: str
    paragraph: int
    reference_numbers: tuple[int, ...]
    """The numbers that the origin itself gives its references; not those of this brief."""
    asserts: str
    fit: terms.Fit
    fit_label: str


class Sentence(ResponseModel):
    """A claim as a sentence of the brief, with everything that must travel with its text."""

    verdict: VerdictRead
    answer: str
    """What the evidence says; shown before the text."""
    counts_text: str | None
    """Who found what, both sides."""
    text: str
    """What is claimed."""
    subgroup: SubgroupRef | None
    """Whom alone it is about; null for everybody with the condition."""
    claim_id: Slug
    version: int
    permalink: str
    kind: terms.Kind
    form: terms.Form
    caveat: str | None
    caveat_required: bool
    consensus: terms.Consensus
    leaning: terms.Leaning
    certainty: terms.Certainty
    supports: StanceCount
    disputes: StanceCount
    counts: VoteCounts | None
    """Who votes, by side, as the claim counts them."""
    cited: bool
    """False where no citation is recorded for it."""
    footnotes: tuple[Footnote, ...]
    citations: Sides
    origins: tuple[BriefOrigin, ...]
    """Every place where a document states it."""
    valid_from: str | None
    valid_to: str | None
    as_of: str | None


class Statement(Sentence):
    topic: str
    """A heading inside the section."""
    inherited_from: ConceptRef | None
    """The drug or class that it was said of, where that is not the intervention of the brief."""
    inheritance: Inheritance | None
    """How what was said of that drug or class holds for the intervention of the brief; null where it was said of that
    itself."""
    dose: DosingRangeRef | None
    restated_by: tuple[Sentence, ...]
    """Claims that say the same again; the evidence hangs on the statement."""


class Section(ResponseModel):
    id: Slug
    title: str
    note: str | None
    """What has to be said of the section as a whole, such as that an empty one means nothing."""
    statements: tuple[Statement, ...]
    truncated: bool
    """Whether there are more than are shown; the brief's `links.claims` lists all."""


class BriefReference(ResponseModel):
    number: int
    document: DocumentRef
    text: str
    """The whole reference as plain text."""
    doi: str | None
    pmid: str | None
    standing: Standing
    standing_label: str
    notice: Notice | None
    interest: Interest
    """What the publisher stands to gain."""
    interest_label: str | None
    self: str
    url: str | None
    """Where a reader can open it."""


class BriefCoverage(ResponseModel):
    status: terms.Coverage
    sentence: str
    """What the status means, in plain words; an empty answer never reads as 'safe' or 'no effect'."""


class BriefNotice(ResponseModel):
    """What has to be read first."""

    disclaimer: str
    summary: str
    """The answer on the headline claim with its counts; or what was and was not looked for."""
    claim: ClaimSummary | None
    """The claim that the summary speaks of."""


class BriefFoot(ResponseModel):
    """What to record beside the brief, so that it can be reproduced."""

    release: str | None
    serial: int
    consensus_method: str
    certainty_method: str
    licence: DataLicence


class BriefLinks(ResponseModel):
    self: str
    markdown: str
    html: str
    claims: str

    @classmethod
    def of(cls, intervention: str, condition: str) -> Self:
        address = f"/v1/briefs/{intervention}/{condition}"
        return cls(
            self=address,
            markdown=f"{address}?format=markdown",
            html=f"{address}?format=html",
            claims=f"/v1/claims?intervention={intervention}&condition={condition}",
        )


class BriefRead(ResponseModel):
    """What is known, and not known, of an intervention in a condition."""

    title: str
    intervention: ConceptRef
    condition: ConceptRef
    coverage: BriefCoverage
    notice: BriefNotice
    sections: tuple[Section, ...]
    """In reading order; all are always present."""
    open_questions: tuple[SearchMatch, ...]
    """Questions that were searched without a find, or that nobody has searched: part of what is unknown."""
    open_questions_truncated: bool
    """Whether there are more than the 200 that are given; `/v1/searches` lists all."""
    undecided: tuple[ClaimSummary, ...]
    """Benefits and harms on which there is too little evidence to decide: part of what is unknown."""
    pending_studies: tuple[PendingStudy, ...]
    """Part of what is unknown."""
    references: tuple[BriefReference, ...]
    """Each document once, numbered in the order of first appearance."""
    origins: tuple[DocumentRef, ...]
    """Documents whose statements the brief contains; they are no evidence for them."""
    foot: BriefFoot
    links: BriefLinks
