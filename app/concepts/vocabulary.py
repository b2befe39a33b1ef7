"""The closed vocabularies of concepts: kinds of interventions, code systems, relations of codes."""

from app.core.vocabulary import Term, vocabularies_of


class InterventionKind(Term):
    """What an intervention record stands for."""

    drug = "drug", "A single active ingredient at any dose, with its products, salts and brands."
    drug_class = "class", "Drug class", "A group of drugs; its members are listed."
    regimen = "regimen", "Dose regimen", "A drug in a stated dose range, child of the drug."


class HarmRelation(Term):
    """How what is said of one intervention holds for another. Harm is passed on by these steps; benefit never is."""

    drug_of_regimen = (
        "drug_of_regimen",
        "Drug of the regimen",
        "Said of the drug at its usual doses, not of the regimen's dose.",
    )
    class_of_drug = "class_of_drug", "Class of the drug", "Said of a class of drugs that has the drug as a member."
    wider_class = "wider_class", "Wider class", "Said of a class of drugs that includes the narrower class."
    regimen_of_drug = (
        "regimen_of_drug",
        "Regimen of the drug",
        "Said of a dose regimen of the drug; in questions about two drugs that counts as a warning of the drug.",
    )


class Better(Term):
    """Which way an outcome improves."""

    lower_ = "lower", "Lower is better", "A smaller value means that the person is better off."
    higher_ = "higher", "Higher is better", "A larger value means that the person is better off."


class CodeSystem(Term):
    """The terminology that a code belongs to."""

    rxnorm = "rxnorm", "RxNorm", "US drug names, National Library of Medicine."
    atc = "atc", "ATC", "Anatomical Therapeutic Chemical classification, WHO."
    unii = "unii", "UNII", "Unique Ingredient Identifier, FDA."
    mesh = "mesh", "MeSH", "Medical Subject Headings, National Library of Medicine."
    icd10cm = (
        "icd10cm",
        "ICD-10-CM",
        "International Classification of Diseases, 10th revision, US clinical modification.",
    )
    icd11 = "icd11", "ICD-11", "International Classification of Diseases, 11th revision, WHO."
    snomed = "snomed", "SNOMED CT", "Systematized Nomenclature of Medicine, Clinical Terms."
    doid = "doid", "Disease Ontology", "Human Disease Ontology identifiers."
    pubchem = "pubchem", "PubChem CID", "PubChem compound identifiers."
    cas = "cas", "CAS", "Chemical Abstracts Service registry numbers."
    chebi = "chebi", "ChEBI", "Chemical Entities of Biological Interest."
    drugbank = "drugbank", "DrugBank", "DrugBank drug identifiers."
    ndc = "ndc", "NDC", "National Drug Code of a product, FDA."
    omop = "omop", "OMOP", "OHDSI standard concept identifiers."
    inchikey = "inchikey", "InChIKey", "Hashed IUPAC International Chemical Identifier."


class CodeRelation(Term):
    """How the coded meaning relates to ours (SKOS mapping relations)."""

    exact = "exactMatch", "Exact", "The code means the same."
    close = "closeMatch", "Close", "The code means nearly the same."
    broad = "broadMatch", "Broader", "The code means something wider than this concept."
    narrow = "narrowMatch", "Narrower", "The code means a part of this concept."
    related = "relatedMatch", "Related", "The code means something associated, neither wider nor narrower."


VOCABULARIES = vocabularies_of(__name__)
