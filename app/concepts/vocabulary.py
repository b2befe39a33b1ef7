"""The vocabularies of concepts: kinds of interventions, code systems (open), relations of codes."""

from typing import Annotated

from app.concepts.terms import SHIPPED
from app.core.vocabulary import OpenVocabulary, Term


class InterventionKind(Term):
    """What an intervention record stands for."""

    drug = "drug", "A single active ingredient at any dose, with its products, salts and brands."
    drug_class = "class", "Drug class", "A group of drugs, such as opioid analgesics; its members are listed."
    regimen = "regimen", "Dose regimen", "A drug in a stated dose range, child of the drug."


class Better(Term):
    """Which way an outcome improves."""

    lower_ = "lower", "Lower is better", "A smaller value means that the person is better off."
    higher_ = "higher", "Higher is better", "A larger value means that the person is better off."


CODE_SYSTEMS = OpenVocabulary(
    "CodeSystem", "The terminology that a code belongs to.", tuple(term.id for term in SHIPPED.code_systems)
)
CodeSystem = Annotated[str, CODE_SYSTEMS]


class CodeRelation(Term):
    """How the coded meaning relates to ours (SKOS mapping relations)."""

    exact = "exactMatch", "Exact", "The code means the same."
    close = "closeMatch", "Close", "The code means nearly the same."
    broad = "broadMatch", "Broader", "The code means something wider than this concept."
    narrow = "narrowMatch", "Narrower", "The code means a part of this concept."
    related = "relatedMatch", "Related", "The code means something associated, neither wider nor narrower."


VOCABULARIES = (InterventionKind, Better, CODE_SYSTEMS, CodeRelation)
