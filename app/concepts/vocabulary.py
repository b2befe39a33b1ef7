"""The vocabularies of concepts: kinds of interventions, code systems and units of doses, which are open, and others."""

from typing import Annotated

from app.concepts.terms import SHIPPED
from app.core.vocabulary import OpenVocabulary, Term

INTERVENTION_KINDS = OpenVocabulary(
    "InterventionKind",
    "What an intervention record stands for.",
    tuple(term.id for term in SHIPPED.intervention_kinds),
)
InterventionKind = Annotated[str, INTERVENTION_KINDS]
DRUG, DRUG_CLASS, REGIMEN = "drug", "class", "regimen"
"""The kinds that have rules of their own: a class has members, a regimen a drug."""


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


CODE_SYSTEMS = OpenVocabulary(
    "CodeSystem", "The terminology that a code belongs to.", tuple(term.id for term in SHIPPED.code_systems)
)
CodeSystem = Annotated[str, CODE_SYSTEMS]


UNITS = OpenVocabulary(
    "Unit", "The unit of a dose: a UCUM code where UCUM has one.", tuple(term.id for term in SHIPPED.units)
)
Unit = Annotated[str, UNITS]


class CodeRelation(Term):
    """How the coded meaning relates to ours (SKOS mapping relations)."""

    exact = "exactMatch", "Exact", "The code means the same."
    close = "closeMatch", "Close", "The code means nearly the same."
    broad = "broadMatch", "Broader", "The code means something wider than this concept."
    narrow = "narrowMatch", "Narrower", "The code means a part of this concept."
    related = "relatedMatch", "Related", "The code means something associated, neither wider nor narrower."


VOCABULARIES = (INTERVENTION_KINDS, Better, CODE_SYSTEMS, CodeRelation)
