"""Response models of claims and their citations."""

from typing import ClassVar, Literal

from app.claims import vocabulary as terms
from app.claims.schemas import (
    Attached,
    CaveatSource,
    Checked,
    CitationQuote,
    CitationStrength,
    ClaimWording,
    EstimateArm,
    Locator,
    Subgroup,
)
from app.concepts.schemas import ConceptRef, Inheritance, OutcomeRef
from app.core.content import Envelope, RecordLinks, ResponseModel
from app.core.text import Number, Slug
from app.sources.schemas import DocumentAddresses, DocumentEmbed, DocumentRef, StudyEmbed


class StanceCount(ResponseModel):
    """How much takes one stance; a study counts once however many documents report it."""

    citations: int
    documents: int
    studies: int
    """Studies other than reviews."""
    reviews: int
    participants: int
    """People in those studies, each study once; studies of unknown size add none."""


class ByStance(ResponseModel):
    supports: StanceCount
    disputes: StanceCount
    mixed: StanceCount
    inconclusive: StanceCount
    background: StanceCount
    not_assessed: StanceCount


class VoterCount(ResponseModel):
    """Studies on one side, each counted once; reviews are counted apart."""

    studies: int
    participants: int
    """People analysed for this finding, else people in the study; studies of unknown size add none."""
    unknown_size: int
    """Studies whose number of people was not read."""
    randomized_trials: int
    """Of the studies, those that are randomized."""
    randomized_participants: int


class ReviewCount(ResponseModel):
    """Systematic reviews on one side. Their people are never added up, since they may be the same."""

    reviews: int
    largest_participants: int | None
    """People in the largest of them; null where none was read."""


class ReviewSides(ResponseModel):
    """Systematic reviews by what they found."""

    supports: ReviewCount
    disputes: ReviewCount
    mixed: ReviewCount
    undecided: ReviewCount


class VoteCounts(ResponseModel):
    """Who votes on a claim, by side, and who does not. Claims, maps, coverage and briefs all show these numbers."""

    supports: VoterCount
    disputes: VoterCount
    mixed: VoterCount
    """Studies that point both ways; half of their weight goes to each side."""
    undecided: VoterCount
    """Studies that measured it and could not decide."""
    not_weighable: VoterCount
    """Studies that found something, but how they were made was not recorded; they do not vote."""
    background: int
    """Studies that are cited for context only."""
    not_assessed: int
    """Studies of which nobody has read the part that matters."""
    voting_reviews: ReviewSides
    """Reviews that vote together, because no study does; all zero where a study votes."""
    other_reviews: ReviewSides
    """Reviews that do not vote: beside studies that do, undecided ones, and indirect ones beside direct evidence."""


class OverrideRead(ResponseModel):
    """A derived value that a person has set aside, for a reason and until a day."""

    field: Literal["consensus", "certainty"]
    value: str
    """The value that is shown."""
    computed: str
    """The value that the method gives."""
    reason: str
    author: str
    expires_on: str


class VerdictRead(ResponseModel):
    """What the evidence says of a claim's statement, and what that is to a reader. A badge needs nothing else."""

    code: terms.VerdictCode
    label: str
    """For people; it is about the statement."""
    tone: terms.Tone
    """It is about the reader: only `favourable` may be shown in green, and a supported harm is `caution`."""


class ClaimEvidence(ResponseModel):
    """What the citations of a claim add up to; derived by the named method, never typed in."""

    ALWAYS_SHOWN: ClassVar[frozenset[str]] = frozenset({"verdict", "answer", "counts_text", "by_stance"})

    verdict: VerdictRead
    """Of a claim that restates another: that claim's verdict, answer and counts, since the evidence hangs there."""
    answer: str
    """What the evidence says, as one plain sentence: what a reader should see first."""
    counts_text: str | None
    """The second sentence: who found what, both sides. Null where nothing was counted, and for forms that gather no
    votes."""
    consensus: terms.Consensus
    leaning: terms.Leaning
    certainty: terms.Certainty
    method: str
    """The versioned method of the certainty; the consensus has its own, see `consensus_method`."""
    consensus_method: str
    support_share: Number | None
    """Share of the weight on the supporting side; null where nothing weighs."""
    body: terms.AnsweringBody | None = None
    """Which evidence answers; null where nothing was measured, and for grades of `consensus/1`."""
    insufficient_reason: terms.InsufficientReason | None = None
    """Why the evidence is too little; null for every other consensus, for laboratory work, which is enough for what it
    says, and for grades of `consensus/1`."""
    opposite_share: Number | None = None
    """Share of the disputing weight that is a significant result the other way; null where nothing disputes."""
    study_count: int
    """Studies that vote: those for, against and both."""
    review_count: int
    """Systematic reviews that found something or could not decide, whether or not they vote."""
    participant_count: int
    """People in the studies that vote."""
    counts: VoteCounts | None = None
    """Who votes, by side; null for grades of `consensus/1`."""
    overlap: terms.Overlap
    by_stance: ByStance
    """Citations by stance, with the studies and reviews behind them, whether or not these vote."""
    overrides: tuple[OverrideRead, ...]
    """Values above that a person has set aside; normally empty."""


class SelfLink(ResponseModel):
    self: str


class SubgroupRef(ResponseModel):
    """The people that a claim is about, where it is not about everybody with the condition."""

    id: Slug
    label: str


class ClaimSummary(ResponseModel):
    """A claim's text with all that must travel with it."""

    ALWAYS_SHOWN: ClassVar[frozenset[str]] = frozenset(
        {"id", "verdict", "answer", "counts_text", "caveat", "caveat_required", "supports", "disputes", "links"}
    )

    id: Slug
    verdict: VerdictRead
    answer: str
    """What the evidence says; shown before the statement."""
    counts_text: str | None
    """Who found what, both sides."""
    statement: str
    """What is claimed."""
    subgroup: SubgroupRef | None
    """Whom alone it is about; null for everybody with the condition."""
    caveat: str | None
    caveat_required: bool
    consensus: terms.Consensus
    leaning: terms.Leaning
    certainty: terms.Certainty
    supports: StanceCount
    disputes: StanceCount
    counts: VoteCounts | None
    """Who votes, by side; null for grades of `consensus/1`."""
    links: SelfLink


class EstimateRead(ResponseModel):
    """One reported number with everything needed to read it."""

    primary: bool
    outcome: OutcomeRef | None
    measure: terms.Measure | None
    value: Number | None
    unit: str | None
    scale: str | None
    timepoint: str | None
    ci_low: Number | None
    ci_high: Number | None
    ci_level: Number | None
    dispersion: Number | None
    dispersion_kind: terms.DispersionKind | None
    p_operator: terms.POperator | None
    p_value: Number | None
    favours: terms.Favours | None
    comparison: terms.Comparison | None
    analysis: terms.Analysis | None
    multiplicity_adjusted: bool | None
    n_analysed: int | None
    pooled: bool
    k: int | None
    i2: Number | None
    arms: tuple[EstimateArm, ...]


class EmbeddedCitationLinks(DocumentAddresses):
    self: str
    """The citation at its own address."""
    document: str
    """The document among the records here."""


class CitationBody(ResponseModel):
    """A citation as it stands inside its claim."""

    ALWAYS_SHOWN: ClassVar[frozenset[str]] = frozenset({"document"})

    id: Slug
    number: int
    """The footnote's number within the claim, from 1 in the order of `citations`. It is the same whatever `citations=`
    or `fields=` leave out, and at the claim's permalink for ever; it may change when the claim gets a new version."""
    stance: terms.Stance
    stance_reason: terms.StanceReason | None
    directness: terms.Directness
    indirect_because: tuple[terms.IndirectBecause, ...]
    role: terms.CitationRole
    dose_match: terms.DoseMatch | None
    """Only where the request names a dose."""
    analysed_n: int | None
    finding: str | None
    estimates: tuple[EstimateRead, ...]
    locator: Locator
    extent: terms.Extent | None
    """`partially` where the source bears on a part of the claim only; the grades do not change with it."""
    extent_note: str | None
    """Which part that is."""
    strength: CitationStrength | None
    """How strongly the source bears on the claim by a scale of others; the grades do not rest on it."""
    quotes: tuple[CitationQuote, ...]
    """Words of the document; `locator.quote` is the first of them."""
    attached_by: Attached
    verification: Checked
    document: DocumentEmbed
    study: StudyEmbed | None
    links: EmbeddedCitationLinks


class CitationLinks(RecordLinks, DocumentAddresses):
    claim: str
    document: str
    """The document among the records here."""


class CitationRead(Envelope):
    """A citation at its own address, with the claim it bears on."""

    ALWAYS_SHOWN: ClassVar[frozenset[str]] = Envelope.ALWAYS_SHOWN | {"document"}

    type: Literal["citation"]
    number: int | None
    """The footnote's number within the claim, from 1; it may change when the claim gets a new version. Null for a
    citation that the claim no longer has."""
    claim: ClaimSummary
    stance: terms.Stance
    stance_reason: terms.StanceReason | None
    directness: terms.Directness
    indirect_because: tuple[terms.IndirectBecause, ...]
    role: terms.CitationRole
    dose_match: terms.DoseMatch | None
    analysed_n: int | None
    finding: str | None
    estimates: tuple[EstimateRead, ...]
    locator: Locator
    extent: terms.Extent | None
    """`partially` where the source bears on a part of the claim only; the grades do not change with it."""
    extent_note: str | None
    """Which part that is."""
    strength: CitationStrength | None
    """How strongly the source bears on the claim by a scale of others; the grades do not rest on it."""
    quotes: tuple[CitationQuote, ...]
    """Words of the document; `locator.quote` is the first of them."""
    attached_by: Attached
    verification: Checked
    document: DocumentEmbed
    study: StudyEmbed | None
    links: CitationLinks


class OriginRead(ResponseModel):
    """A place where a document states the claim, and how what is said there stands to its own source."""

    document: DocumentRef
    position: int
    """Orders the statements of the document."""
    section: str
    """The heading under which it stands."""
    paragraph: int
    """Counted from 1 under the heading; list items count as paragraphs."""
    reference_numbers: tuple[int, ...]
    """The reference numbers that the document attaches to it."""
    asserts: str
    """What the document says, in our own words, apart from what we publish."""
    hedge: terms.Hedge
    fit: terms.Fit
    fit_basis: terms.Basis | None


class RelationRead(ResponseModel):
    type: terms.RelationType
    claim: ClaimSummary


class ClaimLinks(RecordLinks):
    citations: str
    evidence: str
    """The trace of the grades."""


class ClaimRead(Envelope):
    """A statement with the citations that support and dispute it."""

    ALWAYS_SHOWN: ClassVar[frozenset[str]] = Envelope.ALWAYS_SHOWN | {
        "caveat",
        "caveat_required",
        "evidence",
        "citations_truncated",
        "inheritance",
    }

    type: Literal["claim"]
    kind: terms.Kind
    form: terms.Form
    statement: str
    """What is claimed; what the evidence says of it is `evidence.answer`."""
    wording: ClaimWording | None
    """The phrases that the answer is made of; null for forms that gather no votes."""
    effect: terms.Effect
    intervention: ConceptRef | None
    inheritance: Inheritance | None
    """In a list for an `intervention`, of a harm that is said of its drug or of a class: how it holds for the
    intervention that was asked for. Null everywhere else."""
    conditions: tuple[ConceptRef, ...]
    outcome: OutcomeRef | None
    mechanisms: tuple[ConceptRef, ...]
    side_effects: tuple[ConceptRef, ...]
    interactants: tuple[ConceptRef, ...]
    dosing_range: "DosingRangeRef | None"
    comparator: str | None
    timepoint: str | None
    population: str | None
    subgroup: Subgroup | None
    """Whom alone the claim is about; null for everybody with the condition."""
    magnitude: str | None
    evidence_level: terms.EvidenceLevel | None
    aspect: terms.Aspect | None
    jurisdiction: str | None
    authority: str | None
    valid_from: str | None
    valid_to: str | None
    as_of: str | None
    origins: tuple[OriginRead, ...]
    """Every place where a document states the claim; empty if none of the recorded documents does."""
    caveat: str | None
    caveat_required: bool
    caveat_basis: tuple[CaveatSource, ...] | None
    """Every citation that took a side or was undecided when the caveat was written; null where nobody noted them."""
    caveat_stale: bool
    """Whether that evidence has moved since: a citation came, went, was retracted or changed its stance."""
    relations: tuple[RelationRead, ...]
    evidence: ClaimEvidence
    citations: tuple[CitationBody, ...]
    """The side with more weight first, then the other, then mixed, inconclusive, background; retracted ones last."""
    citations_truncated: bool
    """Whether the claim has more citations than are shown here; `links.citations` lists all."""
    reviewed_on: str | None
    stale_on: str | None
    stale: bool
    """Whether the day for review had passed when the data set was last maintained."""
    links: ClaimLinks


class DosingRangeRef(ResponseModel):
    id: Slug
    dose_text: str
