"""The closed vocabularies of evidence: what a claim is, how a citation bears on it, what they add up to."""

from app.core.vocabulary import Term, vocabularies_of


class Kind(Term):
    """What a claim is about."""

    efficacy = "efficacy", "Efficacy", "Whether a treatment changes an outcome."
    mechanism = "mechanism", "Mechanism", "How a treatment or a disease process works."
    safety = "safety", "Safety", "Harms, tolerability and their course."
    dosing = "dosing", "Dosing", "Doses, timing and titration."
    regulatory = "regulatory", "Regulatory", "Approvals, labels and the rules of an authority."
    interaction = "interaction", "Interaction", "What must not, or only with care, be combined."
    background = "background", "Background", "Definitions, features of a condition, how often something occurs."
    access = "access", "Access", "Prescribing, dispensing and compounding in practice."
    research_gap = "research_gap", "Research gap", "What has not been studied."
    advice = "advice", "Advice", "What somebody recommends; it has no truth value."


HARM_KINDS = (Kind.interaction, Kind.safety)
"""Claims of these kinds on a drug hold for its dose regimens too: harm crosses dose tiers, benefit never does."""


class Form(Term):
    """What sort of statement a claim is; it decides what counts as support."""

    general_effect = "general_effect", "General effect", "Something changes something else."
    association = "association", "Association", "Two things occur together."
    hypothesis = "hypothesis", "Hypothesis", "A proposed explanation."
    study_report = "study_report", "Report of a study", "What one study found; disputed by nothing but itself."
    usage = "usage", "Statement of use", "That something is used, never that it helps."
    attribution = "attribution", "Attribution", "That somebody holds or said something."
    definition_ = "definition", "Definition", "What a word means or what a thing is."
    advice = "advice", "Advice", "What somebody should do."
    appraisal = "appraisal", "Appraisal", "A judgement of value, such as 'promising'."
    gap = "gap", "Gap", "That something is not known."
    regulatory_status = (
        "regulatory_status",
        "Regulatory status",
        "What an authority decided, in a place, from and to a date.",
    )


class Effect(Term):
    """Which way the claim points, so that 'supports' can be read."""

    improves = "improves", "Improves", "The outcome gets better."
    worsens = "worsens", "Worsens", "The outcome gets worse."
    increases = "increases", "Increases", "The measured thing goes up; whether that is good is another question."
    decreases = "decreases", "Decreases", "The measured thing goes down; whether that is good is another question."
    no_difference = "no_difference", "No difference", "No difference from the comparator is claimed."
    causes = "causes", "Causes", "The harm or event follows from it."
    prevents = "prevents", "Prevents", "The harm or event is averted."
    contraindicated = "contraindicated", "Contraindicated", "Must not be used together or in that state."
    interacts = "interacts", "Interacts", "The combination changes effect or risk."
    approved = "approved", "Approved", "An authority has approved it."
    not_approved = "not_approved", "Not approved", "An authority has not approved it."
    not_applicable = "not_applicable", "Not applicable", "The statement has no direction."


class EvidenceLevel(Term):
    """The highest level at which a mechanism claim speaks."""

    molecular = "molecular", "Molecular", "Molecules and receptors."
    cell = "cell", "Cell", "Cells or tissue."
    animal = "animal", "Animal", "Living animals."
    human_biomarker = (
        "human_biomarker",
        "Human biomarker",
        "Something measured in people that is not itself a complaint.",
    )
    human_clinical = "human_clinical", "Human clinical", "What people experience."


class Aspect(Term):
    """Which side of its subject a claim describes; the subject shows it under this heading."""

    occurrence = "occurrence", "Occurrence", "That it happens, or how often."
    onset = "onset", "Onset", "When it begins."
    course = "course", "Course", "How it goes on and ends."
    mitigation = "mitigation", "Mitigation", "What is done to lessen it."
    severity = "severity", "Severity", "How bad it is."
    approval = "approval", "Approval", "What an authority has approved or not."
    definition_ = "definition", "Definition", "What it is."
    use = "use", "Use", "What it is used for."


class Hedge(Term):
    """How firmly the origin asserts it, so that 'may' is not graded as 'does'."""

    states = "states", "States", "Asserted outright."
    suggests = "suggests", "Suggests", "Put forward as indicated by something."
    may = "may", "May", "Put forward as possible."
    is_believed = "is_believed", "Is believed", "Reported as a belief."
    unknown = "unknown", "Unknown", "The firmness was not recorded."


class Fit(Term):
    """How the origin's assertion stands to the source that the origin itself cites for it."""

    fits = "fits", "Fits", "The source says so."
    overstates = "overstates", "Overstates", "The origin says more than the source."
    narrower = "narrower", "Narrower", "The origin says less than the source, or leaves something out."
    misattributed = "misattributed", "Misattributed", "The source says it of something else, or another source says it."
    contradicts = "contradicts", "Contradicts", "The source says the opposite."
    does_not_address = "does_not_address", "Does not address", "The source does not speak of it."
    outdated = "outdated", "Outdated", "Right when written, no longer."
    unverifiable = "unverifiable", "Unverifiable", "What was read of the source is silent on it."
    not_checked = "not_checked", "Not checked", "Nobody compared, or the origin cites no source."


class Basis(Term):
    """Against what a statement was checked."""

    full_text = "full_text", "Full text", "The whole publication."
    abstract = "abstract", "Abstract", "The abstract or an excerpt of it."
    registry = "registry", "Registry", "The entry in a trial registry."
    label_ = "label", "Label", "The approved drug label."
    secondary_source = (
        "secondary_source",
        "Secondary source",
        "News, a forum, a mirror, or another paper that reports it.",
    )


class RelationType(Term):
    """How one claim stands to another."""

    restates = "restates", "Restates", "Says the same again; the evidence hangs on the other claim."
    reports = "reports", "Reports", "Reports a study that bears on the other claim."
    bears_on = "bears_on", "Bears on", "Matters for the other claim without stating it."
    partner_of = "partner_of", "Partner of", "The other half of a statement that was split."
    supersedes = "supersedes", "Supersedes", "Takes the place of the other claim from a date on."
    conflicts_with = "conflicts_with", "Conflicts with", "Both cannot hold."


class Stance(Term):
    """How a citation bears on the claim; the direction of the finding, never its quality."""

    supports = "supports", "Supports", "The finding goes the claimed way."
    disputes = "disputes", "Disputes", "The finding goes the other way, or excludes a difference that matters."
    mixed = "mixed", "Mixed", "The same study points both ways at equal rank."
    inconclusive = "inconclusive", "Inconclusive", "Measured, but it could not decide."
    background = "background", "Background", "Context that does not test the claim."
    not_assessed = "not_assessed", "Not assessed", "Nobody has read the part that matters."


class StanceReason(Term):
    """Why a finding was coded as it was; obligatory for inconclusive and for null results that dispute."""

    wide_ci = "wide_ci", "Wide interval", "The interval holds both no effect and an important one."
    no_estimate = "no_estimate", "No estimate", "No figure on this outcome was read."
    within_group_only = "within_group_only", "Within-group only", "Only before-after figures within groups."
    underpowered = "underpowered", "Too small", "Too few people to decide."
    zero_or_few_events = "zero_or_few_events", "No or few events", "Zero events bound a rate only loosely."
    no_comparator = "no_comparator", "No comparator", "Nothing to compare with on this point."
    co_intervention = "co_intervention", "Co-intervention", "Another treatment cannot be told apart."
    ambiguous_reading = "ambiguous_reading", "Ambiguous", "The finding can be read in more than one way."
    n1a = (
        "n1a_excludes_mid",
        "Null: excludes an important benefit",
        "The interval excludes the minimal important difference on the benefit side.",
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
    opposite = "opposite_direction", "Opposite direction", "A significant result the other way."
    review_conclusion = "review_conclusion", "Conclusion of a review", "The review's own conclusion goes this way."


class Directness(Term):
    """Whether the finding is about just what the claim is about."""

    direct = "direct", "Direct", "Same people, treatment, dose tier, comparison and outcome."
    indirect = "indirect", "Indirect", "Differs in at least one respect, which is named."
    unknown = "unknown", "Unknown", "Not judged."


class IndirectBecause(Term):
    """In what respect evidence is indirect."""

    dose = "dose", "Dose", "Another dose tier (for benefits)."
    population = "population", "Population", "Other people."
    condition = "condition", "Condition", "Another condition."
    outcome = "outcome", "Outcome", "A proxy or another construct."
    comparator = "comparator", "Comparator", "Another comparison."
    species = "species", "Species", "Animals or cells."
    compound = "compound", "Compound", "Another compound, such as an isomer."
    route = "route", "Route", "Another way of giving it."
    co_intervention = "co_intervention", "Co-treatment", "A treatment that cannot be separated."


class CitationRole(Term):
    """What the cited result was in its document."""

    primary_result = "primary_result", "Primary result", "The planned main outcome."
    secondary_result = "secondary_result", "Secondary result", "A planned further outcome."
    exploratory_result = "exploratory_result", "Exploratory result", "Not planned, or not protected against chance."
    review_synthesis = "review_synthesis", "Synthesis of a review", "The conclusion or pooled result of a review."
    protocol = "protocol", "Protocol", "A plan."
    label_ = "label", "Label", "The text of a drug label or authority."
    background = "background", "Background", "Context."


class Verification(Term):
    """Whether the finding was checked against its source."""

    verified = "verified", "Verified", "Found in the source named by the basis."
    partial = "partial", "Partly verified", "Part of it was found."
    unverified = "unverified", "Unverified", "Not found, or not looked for."


class AttachedBy(Term):
    """Who put the citation to the claim."""

    origin = "origin", "The origin", "The document that the claim comes from cites it there."
    curator = "curator", "A curator", "Added by this knowledge base."


class Measure(Term):
    """What kind of number an estimate is."""

    mean_difference = "mean_difference", "Mean difference", "Difference of means between groups."
    standardized_mean_difference = (
        "standardized_mean_difference",
        "Standardized mean difference",
        "Difference of means in standard deviations.",
    )
    effect_size = "effect_size", "Effect size", "A standardized size whose exact kind was not read."
    mean_change = "mean_change", "Mean change", "Change from the start within a group."
    percent_change = "percent_change", "Percent change", "Change from the start in per cent."
    risk_ratio = "risk_ratio", "Risk ratio", "Ratio of risks."
    odds_ratio = "odds_ratio", "Odds ratio", "Ratio of odds."
    hazard_ratio = "hazard_ratio", "Hazard ratio", "Ratio of hazards."
    incidence_rate_ratio = "incidence_rate_ratio", "Incidence rate ratio", "Ratio of event rates."
    proportion = "proportion", "Proportion", "Share of people."
    count_ = "count", "Count", "A number of people, events or studies."
    mean = "mean", "Mean", "An average at one time."
    median = "median", "Median", "A middle value."
    correlation = "correlation", "Correlation", "Strength of association, -1 to 1."
    effective_dose = "effective_dose", "Effective dose", "Dose at which a stated share of people respond."
    minimal_important_difference = (
        "minimal_important_difference",
        "Minimal important difference",
        "Smallest change that people notice.",
    )


class Comparison(Term):
    """What an estimate compares."""

    between_groups = "between_groups", "Between groups", "Treatment against comparator."
    within_group = "within_group", "Within group", "Before against after, in a study that has other groups."
    single_arm = "single_arm", "Single arm", "Before against after, or a share, without any comparator."


class Analysis(Term):
    """What part the analysis had in the study's plan."""

    primary = "primary", "Primary", "The planned main analysis."
    secondary = "secondary", "Secondary", "A planned further analysis."
    exploratory = "exploratory", "Exploratory", "Not planned as a test."
    post_hoc = "post_hoc", "Post hoc", "Thought of after the data were seen."


class DispersionKind(Term):
    """What a dispersion figure is."""

    sd = "sd", "Standard deviation", "Spread of single values."
    se = "se", "Standard error", "Uncertainty of an average."
    iqr = "iqr", "Interquartile range", "Width of the middle half."
    range = "range", "Range", "Smallest to largest."


class POperator(Term):
    """How the p value was printed."""

    eq = "=", "Equal", "The printed value."
    lt = "<", "Below", "Printed as below the value."
    le = "<=", "At most", "Printed as at most the value."
    gt = ">", "Above", "Printed as above the value."


class Favours(Term):
    """Which side an estimate leans to."""

    intervention = "intervention", "Intervention", "Better on the treatment."
    comparator = "comparator", "Comparator", "Better on the comparator."
    neither = "neither", "Neither", "Neither side."


class DoseBasis(Term):
    """Where a dosing range comes from."""

    studied = "studied", "Studied", "Given in a study."
    recommended = "recommended", "Recommended", "Recommended by an authority or label."
    maximum = "maximum", "Maximum", "The most that a label or study allows."
    reported = "reported", "Reported", "Reported in use."


class DoseTier(Term):
    """Daily dose bands of naltrexone (Toljan 2018 up to 5 mg; our names above that)."""

    ultra_low = "ultra_low", "Ultra-low", "Below 1 microgram a day."
    very_low = "very_low", "Very low", "From 1 microgram to below 1 mg a day."
    low = "low", "Low", "From 1 to 5 mg a day."
    intermediate = "intermediate", "Intermediate", "Above 5 and below 50 mg a day."
    standard = "standard", "Standard", "50 mg a day and above."


class DoseMatch(Term):
    """How the dose behind a citation stands to the dose that was asked for."""

    overlaps = "overlaps", "Overlaps", "The studied dose touches the range that was asked for."
    outside = "outside", "Outside", "The studied dose lies outside the range that was asked for."
    not_reported = "not_reported", "Not reported", "The dose was not read."


class Unit(Term):
    """Dose units (UCUM codes)."""

    ng = "ng", "nanogram", "One thousandth of a microgram."
    ug = "ug", "microgram", "One thousandth of a milligram (UCUM has no mcg)."
    mg = "mg", "milligram", "One thousandth of a gram."
    g = "g", "gram", "One gram."
    mg_per_kg = "mg/kg", "milligram per kilogram", "Milligrams for each kilogram of body weight."


class PeriodUnit(Term):
    """The unit of a dosing period (UCUM codes)."""

    h = "h", "hour", "Hours."
    d = "d", "day", "Days."
    wk = "wk", "week", "Weeks."
    mo = "mo", "month", "Months."


class Route(Term):
    """How the drug is given."""

    oral = "oral", "By mouth", "Swallowed."
    intramuscular = "intramuscular", "Into a muscle", "Injected into a muscle."
    intrathecal = "intrathecal", "Into the spinal fluid", "Infused around the spinal cord."
    topical = "topical", "On the skin", "Put on the skin."


class Coverage(Term):
    """What is known of a question; an empty answer must never read as 'safe' or 'no effect'."""

    found = "found", "Found", "Evidence is recorded."
    searched_none_found = (
        "searched_none_found",
        "Searched, none found",
        "Somebody looked on the date given and found nothing.",
    )
    not_searched = "not_searched", "Not searched", "Nobody has looked yet."


class SearchDepth(Term):
    """How thorough a search was."""

    systematic = "systematic", "Systematic", "Stated databases and query."
    limited = "limited", "Limited", "No database was searched by a stated query."


class Consensus(Term):
    """What the citations of a claim add up to."""

    unanimous = "unanimous", "Unanimous", "All informative studies point one way and no review says otherwise."
    mostly = "mostly", "Mostly", "Less than one fifth of the weight is on the other side."
    conflicting = (
        "conflicting",
        "Conflicting",
        "At least one fifth of the weight is on the other side, or a review says the opposite.",
    )
    insufficient = "insufficient", "Insufficient", "Fewer than two informative studies, or too little weight."
    uncited = "uncited", "Uncited", "No citation is recorded."
    not_applicable = "not_applicable", "Not applicable", "This form of statement gathers no votes."


class Leaning(Term):
    """The side with at least three fifths of the weight."""

    supports = "supports", "Supports", "The weight is on the supporting side."
    disputes = "disputes", "Disputes", "The weight is on the disputing side."
    neither = "neither", "Neither", "Neither side has three fifths of the weight."


class Certainty(Term):
    """Certainty in the answer that the leaning gives (GRADE-shaped, not a formal GRADE assessment)."""

    high = "high", "High", "Further research is very unlikely to change the answer."
    moderate = "moderate", "Moderate", "Further research may change the answer."
    low = "low", "Low", "Further research is likely to change the answer."
    very_low = "very_low", "Very low", "The answer is very uncertain."
    not_graded = "not_graded", "Not graded", "Nothing that could be graded was measured, or the form is not graded."


class Overlap(Term):
    """Whether reviews and trials under one claim count the same people."""

    none = "none", "None", "No review among the citations, or none of its studies is cited."
    some = "some", "Some", "A review includes studies that are also cited themselves."
    unknown = "unknown", "Unknown", "A review's list of studies was not read in full."


VOCABULARIES = vocabularies_of(__name__)
