"""The closed vocabularies of sources: studies, documents and how far a document still stands."""

from app.core.vocabulary import Term, vocabularies_of


class Design(Term):
    """How a study was made; the order is from strongest to weakest for the question whether a treatment helps."""

    randomized_parallel_trial = (
        "randomized_parallel_trial",
        "Randomized parallel-group trial",
        "People are assigned by chance to groups that are followed side by side.",
    )
    randomized_crossover_trial = (
        "randomized_crossover_trial",
        "Each person receives every treatment, in an order assigned by chance; people are counted once.",
    )
    randomized_trial_unspecified = (
        "randomized_trial_unspecified",
        "Randomized trial, layout not read",
        "Assigned by chance; whether in parallel groups or in crossover was not read.",
    )
    fixed_order_placebo_trial = (
        "fixed_order_placebo_trial",
        "Fixed-order placebo-controlled trial",
        "Placebo and treatment are given in the same order to everybody, not by chance.",
    )
    controlled_registry_study = (
        "controlled_registry_study",
        "Registry study with exposure groups",
        "Records of people with more and less exposure are compared, without random assignment.",
    )
    case_control = "case_control", "Case-control study", "People with a condition are compared with people without it."
    cross_sectional = "cross_sectional", "Cross-sectional study", "People are measured at one point in time."
    dose_finding = "dose_finding", "Dose-finding trial", "Doses are varied to find the one that gives a response."
    uncontrolled_trial = "uncontrolled_trial", "Everybody receives the treatment; before is compared with after."
    uncontrolled_registry_study = (
        "uncontrolled_registry_study",
        "Before-after registry study",
        "Records before and after first use are compared, without an unexposed group.",
    )
    retrospective_cohort = (
        "retrospective_cohort",
        "Retrospective chart review",
        "Clinical records of treated people are read afterwards, without a comparison group.",
    )
    drug_utilization = "drug_utilization", "Drug utilization study", "Describes who was dispensed a drug, and how much."
    case_series = "case_series", "A description of five or more treated people."
    case_report = "case_report", "A description of fewer than five treated people."
    laboratory = "laboratory", "Laboratory study", "Work in cells, tissue or animals."
    methodological = (
        "methodological",
        "Methodological study",
        "A study of a measure, such as its minimal important difference.",
    )
    meta_analysis = (
        "meta_analysis",
        "Systematic review with meta-analysis",
        "Studies searched for by a stated method and pooled.",
    )
    systematic_review = "systematic_review", "Studies searched for by a stated method, not pooled."
    scoping_review = "scoping_review", "A map of what has been studied."
    narrative_review = "narrative_review", "An overview without a stated method of search."
    other = "other", "Other or not recorded", "None of the other designs, or nobody recorded which."

    @property
    def is_review(self) -> bool:
        """Reviews report other people's studies and are counted apart from them."""
        return self in REVIEWS

    @property
    def is_systematic(self) -> bool:
        return self in (Design.meta_analysis, Design.systematic_review)

    @property
    def is_randomized(self) -> bool:
        return self in RANDOMIZED


RANDOMIZED = (
    Design.randomized_parallel_trial,
    Design.randomized_crossover_trial,
    Design.randomized_trial_unspecified,
)
REVIEWS = (Design.meta_analysis, Design.systematic_review, Design.scoping_review, Design.narrative_review)


class IncludedDesigns(Term):
    """How the studies that a review includes were made."""

    randomized = "randomized", "Randomized trials only."
    mixed = "mixed", "Randomized trials and other studies."
    other = "other", "Other studies only", "Studies of other designs only."
    unknown = "unknown", "Not read."


class EvidenceSource(Term):
    """What was studied."""

    human_clinical = "human_clinical", "People", "Observations in people."
    animal = "animal", "Animals", "Observations in living animals."
    in_vitro = "in_vitro", "Cells or tissue", "Observations in cells or tissue outside the body."
    computational = "computational", "Models and simulations."
    other = "other", "Mixed sources, or none that can be named."


class Blinding(Term):
    """Who did not know which treatment was given."""

    double_blind = "double_blind", "Double-blind", "Neither participants nor those who assessed them knew."
    single_blind = "single_blind", "Single-blind", "Only the participants did not know."
    open_label = "open_label", "Everybody knew."


class Recruitment(Term):
    """Where a registered study stood when it was last read."""

    protocol = "protocol", "Protocol published", "Planned; recruitment not read."
    recruiting = "recruiting", "Taking in participants when last read."
    active = "active", "Under way, no longer taking in participants."
    completed = "completed", "Ended as planned."
    terminated = "terminated", "Stopped early."


class ResultsStatus(Term):
    """Whether a study's results could be read."""

    posted = "posted", "Results published", "Results were read or are published."
    pending = "pending", "Results pending", "The study is under way; no results are expected yet."
    none_found = "none_found", "No results found", "Results were looked for and not found."
    overdue = "overdue", "Results overdue", "The study ended and its results were not published in time."


class Limitation(Term):
    """A known serious limit of a study (risk of bias); absence means not known, never absent."""

    no_comparator = "no_comparator", "No comparison group", "Nobody received anything else."
    single_blind = "single_blind", "Single-blind", "Those who measured knew the treatment."
    within_group_analysis = (
        "within_group_analysis",
        "Within-group analysis",
        "The result compares before with after although there was a control group.",
    )
    co_treatment = "co_treatment", "Inseparable co-treatment", "Another treatment was given that cannot be told apart."
    dropout = "dropout", "Dropout of 20 % or more", "At least one in five participants is missing from the analysis."


class ArmRole(Term):
    """What a study arm is for."""

    intervention = "intervention", "Receives what is being tested."
    comparator = "comparator", "Receives what it is compared with."
    other = "other", "Neither, or both."


class Completeness(Term):
    """How much of a review's list of included studies is known."""

    full = "full", "Every included study is recorded."
    partial = "partial", "Some included studies are recorded."
    unknown = "unknown", "The list of included studies was not read."


class DocumentKind(Term):
    """What kind of publication a document is (CSL item types)."""

    article_journal = "article-journal", "Journal article", "An article in a scholarly journal."
    chapter = "chapter", "Book chapter", "A chapter of a book."
    webpage = "webpage", "Web page", "A page or article on the web."
    report = "report", "A report of an agency or institution."
    legislation = "regulation", "Regulatory text", "A drug label or the text of an authority."
    dataset = "dataset", "Registry entry or data set", "An entry of a trial registry, or data."


class IdentifierScheme(Term):
    """The scheme of a document's or study's identifier."""

    doi = "doi", "DOI", "Digital Object Identifier."
    pmid = "pmid", "PMID", "PubMed identifier."
    pmcid = "pmcid", "PMCID", "PubMed Central identifier."
    nct = "nct", "NCT number", "ClinicalTrials.gov registration."
    eudract = "eudract", "EudraCT number", "European clinical trials register."
    ctis = "ctis", "EU CT number", "Clinical Trials Information System of the European Union."
    isrctn = "isrctn", "ISRCTN", "ISRCTN registry."
    anzctr = "anzctr", "ACTRN", "Australian New Zealand Clinical Trials Registry."
    drks = "drks", "DRKS number", "German Clinical Trials Register."


REGISTRIES = (
    IdentifierScheme.nct,
    IdentifierScheme.isrctn,
    IdentifierScheme.eudract,
    IdentifierScheme.ctis,
    IdentifierScheme.anzctr,
    IdentifierScheme.drks,
)
"""The schemes in which trials are registered."""


class StudyRole(Term):
    """What a document is to a study."""

    primary = "primary", "Primary report", "Reports the main results."
    secondary = "secondary", "Secondary report", "Reports further analyses of the same study."
    protocol = "protocol", "Describes the plan."
    review = "review", "The document is the report of the review itself."


class Standing(Term):
    """How far a document still stands; the most serious statement of its dated history that was not lifted."""

    not_checked = "not_checked", "Nobody has yet looked for corrections or retractions."
    current = "current", "Checked; nothing that changes it was found."
    corrected = "corrected", "A correction or erratum was published."
    expression_of_concern = "expression_of_concern", "The journal has warned of possible problems."
    retracted = "retracted", "Withdrawn from the record: it counts for nothing."
    reinstated = "reinstated", "A retraction or concern was lifted."
    superseded = "superseded", "A newer version replaces it."
    preprint = "preprint", "Not peer reviewed."


class Interest(Term):
    """What the publisher of a document stands to gain."""

    none_known = "none_known", "No interest of the publisher is known."
    publisher_of_service = (
        "publisher_of_service",
        "Sells a related service",
        "Offers care or another service that the document speaks for.",
    )
    vendor = "vendor", "Sells a related product."
    advocacy = "advocacy", "Promotes the treatment."
    manufacturer = "manufacturer", "Makes the drug."


VOCABULARIES = vocabularies_of(__name__)
