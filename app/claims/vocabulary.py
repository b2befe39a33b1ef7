"""The vocabularies of evidence: what a claim is, how a citation bears on it, what they add up to.

Routes and units of doses are open.
"""

from typing import Annotated

from app.concepts.terms import SHIPPED
from app.concepts.vocabulary import UNITS
from app.core.vocabulary import OpenVocabulary, Term, vocabularies_of


class Kind(Term):
    """What a claim is about."""

    efficacy = "efficacy", "Whether a treatment changes an outcome."
    mechanism = "mechanism", "How a treatment or a disease process works."
    safety = "safety", "Harms, tolerability and their course."
    dosing = "dosing", "Doses, timing and titration."
    regulatory = "regulatory", "Approvals, labels and the rules of an authority."
    interaction = "interaction", "What must not, or only with care, be combined."
    background = "background", "Definitions, features of a condition, how often something occurs."
    access = "access", "Prescribing, dispensing and compounding in practice."
    research_gap = "research_gap", "What has not been studied."
    advice = "advice", "What somebody recommends; it has no truth value."


HARM_KINDS = (Kind.interaction, Kind.safety)
"""Claims of these kinds on a drug hold for its dose regimens too: harm crosses dose tiers, benefit never does."""


class Form(Term):
    """What sort of statement a claim is; it decides what counts as support."""

    general_effect = "general_effect", "Something changes something else."
    association = "association", "Two things occur together."
    hypothesis = "hypothesis", "A proposed explanation."
    study_report = "study_report", "Report of a study", "What one study found; disputed by nothing but itself."
    usage = "usage", "Statement of use", "That something is used, never that it helps."
    attribution = "attribution", "That somebody holds or said something."
    definition_ = "definition", "What a word means or what a thing is."
    advice = "advice", "What somebody should do."
    appraisal = "appraisal", "A judgement of value, such as 'promising'."
    gap = "gap", "That something is not known."
    regulatory_status = "regulatory_status", "What an authority decided, in a place, from and to a date."


class Effect(Term):
    """Which way the claim points, so that 'supports' can be read."""

    improves = "improves", "The outcome gets better."
    worsens = "worsens", "The outcome gets worse."
    increases = "increases", "The measured thing goes up; whether that is good is another question."
    decreases = "decreases", "The measured thing goes down; whether that is good is another question."
    no_difference = "no_difference", "No difference from the comparator is claimed."
    causes = "causes", "The harm or event follows from it."
    prevents = "prevents", "The harm or event is averted."
    contraindicated = "contraindicated", "Must not be used together or in that state."
    interacts = "interacts", "The combination changes effect or risk."
    approved = "approved", "An authority has approved it."
    not_approved = "not_approved", "An authority has not approved it."
    not_applicable = "not_applicable", "The statement has no direction."


class SubgroupBasis(Term):
    """By what the people of a subgroup are told from all others with the condition."""

    biomarker = "biomarker", "A finding in blood, tissue, genes or images."
    age = "age", "Their age."
    sex = "sex", "Their sex."
    severity = "severity", "How severe or how far advanced the condition is."
    prior_treatment = "prior_treatment", "What was tried before, or how that went."
    other = "other", "Something else, which the label names."


class Frame(Term):
    """What sort of sentence answers a claim that gathers votes, and what the answer is to its reader."""

    benefit = "benefit", "An effect that the reader wants."
    harm = "harm", "An effect that the reader does not want."
    no_harm = "no_harm", "That a harm is no more frequent; phrased as the harm, so that support means no difference."
    comparison = "comparison", "How one group of people differs from another."
    state = "state", "Severity, course, timing or dose: how something is."
    mechanism = "mechanism", "How something works."


class Verb(Term):
    """The verb between subject and object of an answer; each has an opposite or none."""

    reduce = "reduce", "The opposite of increase."
    increase = "increase", "The opposite of reduce."
    improve = "improve", "The opposite of worsen."
    worsen = "worsen", "The opposite of improve."
    ease = "ease", "The opposite of worsen."
    raise_ = "raise", "The opposite of lower."
    lower_ = "lower", "The opposite of raise."
    calm = "calm", "The opposite of activate."
    activate = "activate", "The opposite of calm."
    protect = "protect", "The opposite of damage."
    damage = "damage", "The opposite of protect."
    change = "change", "Has no opposite."
    cause = "cause", "Has no opposite."
    block = "block", "Has no opposite."
    be = "be", "For states. Has no opposite."
    have_higher = "have_higher", "For comparisons. The opposite of have lower."
    have_lower = "have_lower", "For comparisons. The opposite of have higher."
    have_more = "have_more", "For comparisons. The opposite of have less."
    have_less = "have_less", "For comparisons of an amount. The opposite of have more."
    have_fewer = "have_fewer", "For comparisons of a number. The opposite of have more."


class EvidenceLevel(Term):
    """The highest level at which a mechanism claim speaks."""

    molecular = "molecular", "Molecules and receptors."
    cell = "cell", "Cells or tissue."
    animal = "animal", "Living animals."
    human_biomarker = "human_biomarker", "Something measured in people that is not itself a complaint."
    human_clinical = "human_clinical", "What people experience."


class Aspect(Term):
    """Which side of its subject a claim describes; the subject shows it under this heading."""

    occurrence = "occurrence", "That it happens, or how often."
    onset = "onset", "When it begins."
    course = "course", "How it goes on and ends."
    mitigation = "mitigation", "What is done to lessen it."
    severity = "severity", "How bad it is."
    approval = "approval", "What an authority has approved or not."
    definition_ = "definition", "What it is."
    use = "use", "What it is used for."


class Hedge(Term):
    """How firmly the origin asserts it, so that 'may' is not graded as 'does'."""

    states = "states", "Asserted outright."
    suggests = "suggests", "Put forward as indicated by something."
    may = "may", "Put forward as possible."
    is_believed = "is_believed", "Reported as a belief."
    unknown = "unknown", "The firmness was not recorded."


class Fit(Term):
    """How the origin's assertion stands to the source that the origin itself cites for it."""

    fits = "fits", "The source says so."
    overstates = "overstates", "The origin says more than the source."
    narrower = "narrower", "The origin says less than the source, or leaves something out."
    misattributed = "misattributed", "The source says it of something else, or another source says it."
    contradicts = "contradicts", "The source says the opposite."
    does_not_address = "does_not_address", "The source does not speak of it."
    outdated = "outdated", "Right when written, no longer."
    unverifiable = "unverifiable", "What was read of the source is silent on it."
    not_checked = "not_checked", "Nobody compared, or the origin cites no source."


class Basis(Term):
    """Against what a statement was checked."""

    full_text = "full_text", "The whole publication."
    abstract = "abstract", "The abstract or an excerpt of it."
    registry = "registry", "The entry in a trial registry."
    label_ = "label", "The approved drug label."
    secondary_source = "secondary_source", "News, a forum, a mirror, or another paper that reports it."


class RelationType(Term):
    """How one claim stands to another."""

    restates = "restates", "Says the same again; the evidence hangs on the other claim."
    reports = "reports", "Reports a study that bears on the other claim."
    bears_on = "bears_on", "Matters for the other claim without stating it."
    partner_of = "partner_of", "The other half of a statement that was split."
    supersedes = "supersedes", "Takes the place of the other claim from a date on."
    conflicts_with = "conflicts_with", "Both cannot hold."


class Stance(Term):
    """How a citation bears on the claim; the direction of the finding, never its quality."""

    supports = "supports", "The finding goes the claimed way."
    disputes = "disputes", "The finding goes the other way, or excludes a difference that matters."
    mixed = "mixed", "The same study points both ways at equal rank."
    inconclusive = "inconclusive", "Measured, but it could not decide."
    background = "background", "Context that does not test the claim."
    not_assessed = "not_assessed", "Nobody has read the part that matters."


class StanceReason(Term):
    """Why a finding was coded as it was; obligatory for inconclusive and for null results that dispute."""

    wide_ci = "wide_ci", "Wide interval", "The interval holds both no effect and an important one."
    no_estimate = "no_estimate", "No figure on this outcome was read."
    within_group_only = "within_group_only", "Within-group only", "Only before-after figures within groups."
    underpowered = "underpowered", "Too small", "Too few people to decide."
    zero_or_few_events = "zero_or_few_events", "No or few events", "Zero events bound a rate only loosely."
    no_comparator = "no_comparator", "Nothing to compare with on this point."
    co_intervention = "co_intervention", "Co-intervention", "Another treatment cannot be told apart."
    ambiguous_reading = "ambiguous_reading", "Ambiguous", "The finding can be read in more than one way."
    n1a = (
        "n1a_excludes_mid",
        "Null: excludes an important difference",
        "The interval excludes an important benefit or, of a harm, an important increase.",
    )
    n1b = (
        "n1b_near_zero",
        "Null: near zero",
        "Estimate on the comparator's side, or standardized effect below 0.2, with at least 40 analysed per arm.",
    )
    n1c = (
        "n1c_primary_null",
        "Null: planned primary outcome",
        "Primary outcome null at 80 % or more of the planned size; the authors conclude no relevant effect.",
    )
    n1d = (
        "n1d_named_null",
        "Null: named as not different",
        "Named as not different with at least 40 per arm, no estimate read.",
    )
    opposite = "opposite_direction", "A significant result the other way."
    review_conclusion = "review_conclusion", "Conclusion of a review", "The review's own conclusion goes this way."


class Directness(Term):
    """Whether the finding is about just what the claim is about."""

    direct = "direct", "Same people, treatment, dose tier, comparison and outcome."
    indirect = "indirect", "Differs in at least one respect, which is named."
    unknown = "unknown", "Not judged."


class IndirectBecause(Term):
    """In what respect evidence is indirect."""

    dose = "dose", "Another dose tier (for benefits)."
    population = "population", "Other people."
    condition = "condition", "Another condition."
    outcome = "outcome", "A proxy or another construct."
    comparator = "comparator", "Another comparison."
    species = "species", "Animals or cells."
    compound = "compound", "Another compound, such as an isomer."
    route = "route", "Another way of giving it."
    co_intervention = "co_intervention", "Co-treatment", "A treatment that cannot be separated."


class Extent(Term):
    """How much of the claim a citation bears on, where it is not the whole of it."""

    partially = "partially", "The source supports or disputes a part of the claim only, which is named."


class CitationRole(Term):
    """What the cited result was in its document."""

    primary_result = "primary_result", "The planned main outcome."
    secondary_result = "secondary_result", "A planned further outcome."
    exploratory_result = "exploratory_result", "Not planned, or not protected against chance."
    review_synthesis = "review_synthesis", "Synthesis of a review", "The conclusion or pooled result of a review."
    protocol = "protocol", "A plan."
    label_ = "label", "The text of a drug label or authority."
    background = "background", "Context."


class Verification(Term):
    """Whether the finding was checked against its source."""

    verified = "verified", "Found in the source named by the basis."
    partial = "partial", "Partly verified", "Part of it was found."
    unverified = "unverified", "Not found, or not looked for."


class AttachedBy(Term):
    """Who put the citation to the claim."""

    origin = "origin", "The origin", "The document that the claim comes from cites it there."
    curator = "curator", "A curator", "Added by this knowledge base."


class Measure(Term):
    """What kind of number an estimate is."""

    mean_difference = "mean_difference", "Difference of means between groups."
    standardized_mean_difference = "standardized_mean_difference", "Difference of means in standard deviations."
    effect_size = "effect_size", "A standardized size whose exact kind was not read."
    mean_change = "mean_change", "Change from the start within a group."
    percent_change = "percent_change", "Change from the start in per cent."
    risk_ratio = "risk_ratio", "Ratio of risks."
    odds_ratio = "odds_ratio", "Ratio of odds."
    hazard_ratio = "hazard_ratio", "Ratio of hazards."
    incidence_rate_ratio = "incidence_rate_ratio", "Ratio of event rates."
    proportion = "proportion", "Share of people."
    count_ = "count", "A number of people, events or studies."
    mean = "mean", "An average at one time."
    median = "median", "A middle value."
    correlation = "correlation", "Strength of association, -1 to 1."
    effective_dose = "effective_dose", "Dose at which a stated share of people respond."
    minimal_important_difference = "minimal_important_difference", "Smallest change that people notice."


class Comparison(Term):
    """What an estimate compares."""

    between_groups = "between_groups", "Treatment against comparator."
    within_group = "within_group", "Before against after, in a study that has other groups."
    single_arm = "single_arm", "Before against after, or a share, without any comparator."


class Analysis(Term):
    """What part the analysis had in the study's plan."""

    primary = "primary", "The planned main analysis."
    secondary = "secondary", "A planned further analysis."
    exploratory = "exploratory", "Not planned as a test."
    post_hoc = "post_hoc", "Thought of after the data were seen."


class DispersionKind(Term):
    """What a dispersion figure is."""

    sd = "sd", "Standard deviation", "Spread of single values."
    se = "se", "Standard error", "Uncertainty of an average."
    iqr = "iqr", "Interquartile range", "Width of the middle half."
    range = "range", "Smallest to largest."


class POperator(Term):
    """How the p value was printed."""

    eq = "=", "Equal", "The printed value."
    lt = "<", "Below", "Printed as below the value."
    le = "<=", "At most", "Printed as at most the value."
    gt = ">", "Above", "Printed as above the value."


class Favours(Term):
    """Which side an estimate leans to."""

    intervention = "intervention", "Better on the treatment."
    comparator = "comparator", "Better on the comparator."
    neither = "neither", "Neither side."


class DoseBasis(Term):
    """Where a dosing range comes from."""

    studied = "studied", "Given in a study."
    recommended = "recommended", "Recommended by an authority or label."
    maximum = "maximum", "The most that a label or study allows."
    reported = "reported", "Reported in use."


class DoseMatch(Term):
    """How the dose behind a citation stands to the dose that was asked for."""

    overlaps = "overlaps", "The studied dose touches the range that was asked for."
    outside = "outside", "The studied dose lies outside the range that was asked for."
    not_comparable = (
        "not_comparable",
        "The studied dose is in a unit that cannot be compared with that of the dose that was asked for.",
    )
    not_reported = "not_reported", "The dose was not read."


class PeriodUnit(Term):
    """The unit of a dosing period (UCUM codes, and cycles of treatment)."""

    h = "h", "hour", "Hours."
    d = "d", "day", "Days."
    wk = "wk", "week", "Weeks."
    mo = "mo", "month", "Months; they have no fixed length, so that such doses are comparable with no other."
    cycle = "cycle", "treatment cycle", "Cycles of treatment; the period is the number of days of a cycle."


ROUTES = OpenVocabulary("Route", "How the drug is given.", tuple(term.id for term in SHIPPED.routes))
Route = Annotated[str, ROUTES]


class Coverage(Term):
    """What is known of a question; an empty answer must never read as 'safe' or 'no effect'."""

    found = "found", "Evidence is recorded."
    searched_none_found = (
        "searched_none_found",
        "Searched, none found",
        "Somebody looked on the date given and found nothing.",
    )
    not_searched = "not_searched", "Nobody has looked yet."


class SearchDepth(Term):
    """How thorough a search was."""

    systematic = "systematic", "Stated databases and query."
    limited = "limited", "No database was searched by a stated query."


class Consensus(Term):
    """What the citations of a claim add up to."""

    unanimous = "unanimous", "Several studies that vote point one way, and no study and no review says otherwise."
    mostly = (
        "mostly",
        "Less than one fifth of the weight is on the other side, or too few studies agree for unanimity.",
    )
    conflicting = "conflicting", "At least one fifth of the weight is on the other side, or a review says the opposite."
    insufficient = "insufficient", "Fewer than two studies that vote, or too little weight."
    uncited = "uncited", "No citation is recorded."
    not_applicable = "not_applicable", "This form of statement gathers no votes."


class Leaning(Term):
    """The side with at least three fifths of the weight."""

    supports = "supports", "The weight is on the supporting side."
    disputes = "disputes", "The weight is on the disputing side."
    neither = "neither", "Neither side has three fifths of the weight."


class Certainty(Term):
    """Certainty in the answer that the leaning gives (GRADE-shaped, not a formal GRADE assessment)."""

    high = "high", "Further research is very unlikely to change the answer."
    moderate = "moderate", "Further research may change the answer."
    low = "low", "Further research is likely to change the answer."
    very_low = "very_low", "The answer is very uncertain."
    not_graded = "not_graded", "Nothing that could be graded was measured, or the form is not graded."


class VerdictCode(Term):
    """What the evidence says of the statement, in one word; the weaker of agreement and certainty decides."""

    supported = "supported", "All studies agree with it, at moderate or high certainty."
    disputed = "disputed", "All studies speak against it, at moderate or high certainty."
    mostly_supported = "mostly_supported", "Most of the weight is for it, at low certainty or better."
    mostly_disputed = "mostly_disputed", "Most of the weight is against it, at low certainty or better."
    weak_for = "weak_for", "Weak evidence for", "Most of the weight is for it, at very low certainty."
    weak_against = "weak_against", "Weak evidence against", "Most of the weight is against it, at very low certainty."
    conflicting = "conflicting", "Studies disagree, and neither side has three fifths of the weight."
    conflicting_leaning_for = (
        "conflicting_leaning_for",
        "Conflicting, leaning for",
        "Studies disagree; at least three fifths of the weight is for it.",
    )
    conflicting_leaning_against = (
        "conflicting_leaning_against",
        "Conflicting, leaning against",
        "Studies disagree; at least three fifths of the weight is against it.",
    )
    too_little = "too_little", "Too little evidence", "Too few studies, or too light ones, to say."
    not_weighable = "not_weighable", "Studies exist, but how they were made is not recorded."
    laboratory_only = "laboratory_only", "Laboratory evidence only", "No study in people looked at it."
    stated_by_label = "stated_by_label", "Stated by the label", "A drug label says so; no study is recorded."
    stated_by_review = "stated_by_review", "Stated by a review", "A narrative review says so; no study is recorded."
    not_read = "not_read", "Not read yet", "A source is named that nobody has read on this point."
    no_study = "no_study", "No study recorded", "What is cited gives context only."
    uncited = "uncited", "Stated without a citation", "No source is given for it."
    official_warning = "official_warning", "A contraindication, interaction or warning of an authority or label."
    official_record = "official_record", "What an authority or label states, other than a warning."
    one_study = "one_study", "Report of one study", "What one study found; it says nothing beyond it."
    usage = "usage", "How it is used", "That something is used, never that it helps."
    view = "view", "A view or advice", "What somebody holds, expects or recommends."
    definition_ = "definition", "What a word means", "What a word means or what a thing is."
    gap = "gap", "A gap", "That something is not known."


class Tone(Term):
    """What a verdict is to its reader. Only `favourable` may be shown in green."""

    favourable = "favourable", "A benefit that is supported at low certainty or better; nothing else."
    unfavourable = "unfavourable", "A benefit that is disputed, or on which the evidence leans against it."
    caution = "caution", "A harm that is supported or possible, and every official warning."
    mixed = "mixed", "A benefit on which studies disagree."
    unclear = "unclear", "Too little or too weak evidence to say."
    neutral = "neutral", "Neither good nor bad news for the reader, such as records, views and mechanisms."


class AnsweringBody(Term):
    """Which evidence answers a claim."""

    primary = "primary", "Studies", "Studies that are cited themselves."
    reviews = "reviews", "All systematic reviews together, since no study that votes is cited itself."
    laboratory = "laboratory", "Laboratory studies", "Work in animals, cells or models only; nothing in people."


class InsufficientReason(Term):
    """Why the evidence of a claim is too little; the first that holds."""

    none_voted = "none_voted", "Nobody voted", "No study and no review found for or against it."
    not_weighable = "not_weighable", "How the studies that found for or against it were made is not recorded."
    too_few = "too_few", "Fewer than two studies found for or against it."
    too_light = "too_light", "The studies that found for or against it have too little weight together."


class Overlap(Term):
    """Whether reviews and trials under one claim count the same people."""

    none = "none", "No review among the citations, or none of its studies is cited."
    some = "some", "A review includes studies that are also cited themselves."
    unknown = "unknown", "A review's list of studies was not read in full."


class InteractionSeverity(Term):
    """How loudly an interaction rule warns."""

    contraindicated = "contraindicated", "The two must not be combined."
    caution = "caution", "The combination may change effect or risk; a quieter warning."


class InteractionSituation(Term):
    """How two drugs of an interaction rule meet."""

    together = "together", "Both are ordered, or both are taken."
    first_starts = "first_starts", "A drug of the first set is started while one of the second is taken."
    second_starts = "second_starts", "A drug of the second set is started while one of the first is taken."
    first_after_second = "first_after_second", "A drug of the first set is started after one of the second has ended."
    second_after_first = "second_after_first", "A drug of the second set is started after one of the first has ended."
    unknown = "unknown", "Whether the two meet could not be checked."


VOCABULARIES: tuple[type[Term] | OpenVocabulary, ...] = (*vocabularies_of(__name__), UNITS, ROUTES)
