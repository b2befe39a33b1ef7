"""Content models of claims, citations, dosing ranges and literature searches: what curators write."""

from app.claims import vocabulary as terms
from app.concepts.schemas import Code
from app.concepts.vocabulary import Unit
from app.core.content import ContentModel, Record
from app.core.text import Count, DoseNumber, Number, OneLine, PartialDate, Quote, Slug, Text
from app.sources.vocabulary import ArmRole


class EstimateArm(ContentModel):
    """One arm's figures behind an estimate."""

    name: OneLine
    role: ArmRole
    n: Count | None = None
    """People analysed in this arm."""
    value: Number | None = None
    events: Count | None = None
    total: Count | None = None
    """People in whom events were counted."""


class Estimate(ContentModel):
    """One reported number with everything needed to read it; what was not reported is null."""

    primary: bool = False
    """The one estimate that the citation's stance rests on."""
    outcome: Slug | None = None
    measure: terms.Measure | None = None
    value: Number | None = None
    unit: OneLine | None = None
    """UCUM, `%`, or `{score}` points of the scale."""
    scale: OneLine | None = None
    timepoint: OneLine | None = None
    ci_low: Number | None = None
    ci_high: Number | None = None
    ci_level: Number | None = None
    """Confidence level in per cent."""
    dispersion: Number | None = None
    dispersion_kind: terms.DispersionKind | None = None
    p_operator: terms.POperator | None = None
    p_value: Number | None = None
    favours: terms.Favours | None = None
    comparison: terms.Comparison | None = None
    analysis: terms.Analysis | None = None
    multiplicity_adjusted: bool | None = None
    n_analysed: Count | None = None
    pooled: bool = False
    k: Count | None = None
    """Studies pooled."""
    i2: Number | None = None
    """Heterogeneity I², in per cent."""
    arms: tuple[EstimateArm, ...] = ()


class QuoteLocator(ContentModel):
    """Where in the document a quotation stands."""

    section: OneLine | None = None
    page: OneLine | None = None
    figure: OneLine | None = None
    """Table or figure."""


class Locator(QuoteLocator):
    """Where in the document the finding stands."""

    quote: Quote | None = None
    """The only quotation, as it was written before there could be several; new ones go to `quotes`."""


class CitationQuote(ContentModel):
    """Words of the document, with the place where they stand."""

    text: Quote
    """At most 25 words, verbatim, only where the text may be held."""
    locator: QuoteLocator = QuoteLocator()


class CitationStrength(ContentModel):
    """How strongly the source bears on the claim by a scale of others. It is shown, and no grade here rests on it."""

    value: OneLine
    """As the scale names it, such as `B` or `strong`."""
    scale: OneLine
    """The name of the scale, and of whoever judged by it."""


class Attached(ContentModel):
    by: terms.AttachedBy
    reference_numbers: tuple[int, ...] = ()
    """The numbers under which the origin cites the document at this place."""


class Checked(ContentModel):
    """Whether, when and against what the finding was checked."""

    result: terms.Verification
    basis: terms.Basis | None = None
    checked_on: PartialDate | None = None


class CitationWrite(ContentModel):
    """The link from a claim to a document, and the study meant; stance lives here, never on the document."""

    id: Slug
    document: Slug
    study: Slug | None = None
    stance: terms.Stance
    stance_reason: terms.StanceReason | None = None
    directness: terms.Directness
    indirect_because: tuple[terms.IndirectBecause, ...] = ()
    role: terms.CitationRole
    finding: Text | None = None
    """What the source found on this claim's outcome, in our own words, with the source's numbers."""
    estimates: tuple[Estimate, ...] = ()
    locator: Locator = Locator()
    analysed_n: Count | None = None
    """People analysed for this finding; null where not read."""
    extent: terms.Extent | None = None
    """`partially` where the source bears on a part of the claim only; null for the whole of it."""
    extent_note: Text | None = None
    """Which part that is; required with `extent`."""
    strength: CitationStrength | None = None
    quotes: tuple[CitationQuote, ...] = ()
    """At most five."""
    attached_by: Attached = Attached(by=terms.AttachedBy.curator)
    verification: Checked

    @property
    def all_quotes(self) -> tuple[CitationQuote, ...]:
        """The quotations, also the single one of earlier states, which stands in the locator."""
        if self.quotes or self.locator.quote is None:
            return self.quotes
        place = self.locator.model_dump(exclude={"quote"})
        return (CitationQuote(text=self.locator.quote, locator=QuoteLocator(**place)),)


class Origin(ContentModel):
    """A place where a document states the claim, and how what is said there stands to its own source."""

    document: Slug
    position: int
    """Orders the statements of the document, as they are read; counted from 1."""
    section: OneLine
    """The heading under which it stands, verbatim."""
    paragraph: int
    """Counted from 1 under the heading; list items count as paragraphs."""
    reference_numbers: tuple[int, ...] = ()
    """Exactly the reference numbers that the origin attaches to the statement."""
    asserts: Text
    """What the origin says, in our own words, apart from what we publish."""
    hedge: terms.Hedge
    fit: terms.Fit
    fit_basis: terms.Basis | None = None


class CaveatSource(ContentModel):
    """A citation that a caveat rests on, with the stance that it had when the caveat was written."""

    citation: Slug
    stance: terms.Stance


class Relation(ContentModel):
    type: terms.RelationType
    claim: Slug


class ClaimWording(ContentModel):
    """Short phrases from which the answer to a claim is made, whatever way the evidence points."""

    frame: terms.Frame
    subject: OneLine
    """Begins the sentence; it names the doses studied, never more."""
    plural: bool = False
    """Whether the subject is plural."""
    verb: terms.Verb
    object: OneLine
    """A noun phrase that also reads after 'makes little or no difference to', without hedge, negation or number."""
    other_group: OneLine | None = None
    """Of a comparison: whom the subject is compared with."""
    limit: OneLine | None = None
    """Of `no_harm`: who was left out of the trials, or what else makes the sentence true."""


class Subgroup(ContentModel):
    """The people that a claim is about, where it is not about everybody with the condition."""

    id: Slug
    """The same for all claims on these people; its label and basis are then the same too."""
    label: OneLine
    """The people, as a noun phrase that reads after 'in', such as `people with a raised CRP` or `women`."""
    basis: terms.SubgroupBasis
    codes: tuple[Code, ...] = ()
    """Codes for what tells these people from others, such as a biomarker."""


class ClaimWrite(Record):
    """One statement with its proposition, origins, caveat and citations."""

    kind: terms.Kind
    form: terms.Form
    statement: Text
    """In plain words, as far as the sources support it."""
    wording: ClaimWording | None = None
    """Of forms that gather votes: the phrases of the answer; null for other forms."""
    effect: terms.Effect
    intervention: Slug | None = None
    conditions: tuple[Slug, ...] = ()
    mechanisms: tuple[Slug, ...] = ()
    side_effects: tuple[Slug, ...] = ()
    outcome: Slug | None = None
    interactants: tuple[Slug, ...] = ()
    """Interventions (drugs or classes) that the intervention meets."""
    dosing_range: Slug | None = None
    comparator: OneLine | None = None
    timepoint: OneLine | None = None
    population: OneLine | None = None
    subgroup: Subgroup | None = None
    """Whom alone it is about; null for everybody with the condition. Such a claim never answers for everybody."""
    magnitude: OneLine | None = None
    """The size that is claimed, such as `doubled`."""
    evidence_level: terms.EvidenceLevel | None = None
    aspect: terms.Aspect | None = None
    """Which side of its side effect, condition or intervention the claim describes."""
    jurisdiction: OneLine | None = None
    """ISO 3166 code, such as `US`."""
    authority: OneLine | None = None
    valid_from: PartialDate | None = None
    valid_to: PartialDate | None = None
    """The last day on which it held."""
    as_of: PartialDate | None = None
    """The day for which it is known to hold."""
    origins: tuple[Origin, ...] = ()
    """Every place where a document states it, in the order of the document."""
    caveat: Text | None = None
    caveat_required: bool = False
    caveat_basis: tuple[CaveatSource, ...] | None = None
    """Every citation that took a side or was undecided when the caveat was written; null where nobody noted them."""
    relations: tuple[Relation, ...] = ()
    reviewed_on: PartialDate | None = None
    stale_on: PartialDate | None = None
    """From this day on the claim is due for review."""
    citations: tuple[CitationWrite, ...] = ()


class Schedule(ContentModel):
    """How often a dose is given: `count` times in each `period` `period_unit`s; in a cycle of 28 days on the days 1, 8
    and 15 is 3 times in each 28 `cycle`."""

    count: Count | None = None
    period: Count | None = None
    period_unit: terms.PeriodUnit | None = None
    timing: OneLine | None = None
    """Time of day, where stated."""
    text: OneLine | None = None


class DosingRangeWrite(Record):
    """A dose that was studied, recommended or reported; never advice."""

    intervention: Slug
    conditions: tuple[Slug, ...] = ()
    low: DoseNumber | None = None
    high: DoseNumber | None = None
    unit: Unit | None = None
    dose_text: OneLine
    """The dose as the source words it."""
    schedule: Schedule = Schedule()
    route: terms.Route | None = None
    formulation: OneLine | None = None
    titration: Text | None = None
    population: OneLine | None = None
    basis: terms.DoseBasis


class LiteratureSearchWrite(Record):
    """A question put to the literature, or one that nobody has put yet (`not_searched`)."""

    question: Text
    """The question in plain words."""
    coverage: terms.Coverage
    intervention: Slug | None = None
    conditions: tuple[Slug, ...] = ()
    mechanisms: tuple[Slug, ...] = ()
    side_effects: tuple[Slug, ...] = ()
    interactants: tuple[Slug, ...] = ()
    topic: OneLine | None = None
    """A short name for questions that no concept names, such as `Surgery and emergency pain relief`."""
    depth: terms.SearchDepth | None = None
    sources: tuple[OneLine, ...] = ()
    """What was searched; empty for `not_searched` or where it is not known."""
    query: Text | None = None
    searched_on: PartialDate | None = None
    searched_by: OneLine | None = None
    found: Count | None = None
    screened: Count | None = None
    note: Text | None = None


class CitationRecord(Record):
    """A citation as a record of its own: what its claim says of it. Written with the claim, never apart from it."""

    claim: Slug
    citation: CitationWrite


class SituationClaims(ContentModel):
    """The claims that a warning rests on when the two drugs meet in one way."""

    situation: terms.InteractionSituation
    claims: tuple[Slug, ...]
    """Those to read first come first."""


class OverrideReason(ContentModel):
    """Why a prescriber may go on in spite of the warning."""

    code: Slug
    label: OneLine


class InteractionRuleWrite(Record):
    """A warning that holds for any drug of one set with any drug of another."""

    name: OneLine
    first: tuple[Slug, ...]
    """Interventions; a class stands for its members, a drug also for its dose regimens."""
    second: tuple[Slug, ...]
    severity: terms.InteractionSeverity
    claims: tuple[SituationClaims, ...]
    override_reasons: tuple[OverrideReason, ...] = ()
    """In the order in which they are offered."""
