"""The vocabularies of sources: studies, documents and how far a document still stands. Designs of studies are open."""

from typing import Annotated

from app.concepts.terms import SHIPPED
from app.concepts.weighing import WeighsAs
from app.core.vocabulary import OpenVocabulary, Term, vocabularies_of

DESIGNS = OpenVocabulary(
    "Design",
    "How a study was made; the order is from strongest to weakest for the question whether a treatment helps.",
    tuple(design.id for design in SHIPPED.study_designs),
)
Design = Annotated[str, DESIGNS]
UNRECORDED_DESIGN = "other"
"""The design of what has no study, and of studies of which nobody recorded it."""


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


VOCABULARIES: tuple[type[Term] | OpenVocabulary, ...] = (DESIGNS, WeighsAs, *vocabularies_of(__name__))
