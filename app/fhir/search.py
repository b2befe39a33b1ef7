"""FHIR search: the parameters of each type and their SQL. Text is always a bound value."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from app.claims.models import Citation, Claim, ClaimConcept
from app.concepts.code_systems import SHIPPED_SYSTEMS, CodeSystems
from app.concepts.models import Concept, ConceptCode
from app.core.errors import Fault, MalformedRequest
from app.fhir import uses
from app.fhir.citation import IDENTIFIER_SYSTEMS
from app.fhir.values import SAME_MEANING
from app.questions.subjects import about_interventions
from app.sources import identifiers
from app.sources.models import Document, DocumentIdentifier
from app.sources.vocabulary import IdentifierScheme

CANONICAL = "CanonicalResource"
MAX_VALUES = 50
MAX_VALUE_LENGTH = 500

Where = Callable[[Sequence[str]], ColumnElement[bool]]
"""The condition for one occurrence of a parameter, from its values; any of them may match."""


@dataclass(frozen=True)
class SearchParameter:
    base: str
    """The type of resource for which HL7 defines the parameter."""
    name: str
    type: str
    documentation: str
    where: Where
    modifiers: Mapping[str, Where] = field(default_factory=dict)
    sort: ColumnElement[str] | None = None
    """The column of `_sort`, never null; null if the parameter does not order."""

    @property
    def url(self) -> str:
        return f"http://hl7.org/fhir/SearchParameter/{self.base}-{self.name.lstrip('_')}"

    def condition(self, alternatives: Sequence[str], modifier: str, systems: CodeSystems) -> ColumnElement[bool]:
        """`modifier` is empty for a plain parameter; `systems` are those of codes."""
        if modifier and modifier not in self.modifiers:
            raise parameter_error(self.name, "This modifier is not supported here.", tuple(self.modifiers))
        if self.type == "token":
            alternatives = [_with_our_system(value, systems) for value in alternatives]
        return (self.modifiers[modifier] if modifier else self.where)(alternatives)


def parameter_error(parameter: str, message: str, allowed: Sequence[str] | None = None) -> MalformedRequest:
    fault = Fault("query", parameter, "invalid", message, tuple(allowed) if allowed else None)
    return MalformedRequest(message, errors=[fault])


def values(parameter: str, text: str) -> list[str]:
    """The alternatives of one occurrence: separated by commas, `\\,` being a comma."""
    if len(text) > MAX_VALUE_LENGTH:
        raise parameter_error(parameter, f"A value may have at most {MAX_VALUE_LENGTH} characters.")
    alternatives = [re.sub(r"\\([,|$\\])", r"\1", part) for part in re.split(r"(?<!\\),", text)]
    if len(alternatives) > MAX_VALUES:
        raise parameter_error(parameter, f"At most {MAX_VALUES} alternatives can be asked for.")
    return [value for value in alternatives if value]


# --- tokens -----------------------------------------------------------------------------------------------------------


def token(value: str) -> tuple[str | None, str]:
    """`system|code`, `code` (any system: null), `|code` (no system: empty)."""
    system, bar, code = value.partition("|")
    return (system, code) if bar else (None, value)


def _with_our_system(value: str, systems: CodeSystems) -> str:
    """A token with the id of its code system in the place of its URI, and its code in normal form; any other as it
    is."""
    uri, code = token(value)
    system = systems.identified(uri) if uri else None
    return f"{system}|{systems.normal(system, code)}" if system and systems.uri(system) == uri else value


def codes(tokens: Sequence[str]) -> list[str]:
    return [code for _, code in map(token, tokens)]


def concepts(record_type: str, tokens: Sequence[str]) -> Select[Any]:
    """Keys of concepts with one of the codes, as resources show them, or with one of our own ids."""
    return select(Concept.pk).where(Concept.type == record_type, or_(*map(_has_code, tokens)))


def _has_code(value: str) -> ColumnElement[bool]:
    system, code = token(value)
    coded = select(ConceptCode.concept_pk).where(
        ConceptCode.code == code.upper(),
        ConceptCode.system.not_in(_NOT_SHOWN) if system is None else ConceptCode.system == system,
        ConceptCode.relation.in_(SAME_MEANING),
        ConceptCode.verified,
    )
    return Concept.pk.in_(coded) if system is not None else or_(Concept.pk.in_(coded), Concept.id == code)


_NOT_SHOWN = tuple(system for system in SHIPPED_SYSTEMS.ids if SHIPPED_SYSTEMS.uri(system) is None)


def _names(role: str, use_type: str) -> Where:
    """Claims of a type of use that name a concept with one of the codes in a role, which is the concept's type too."""

    def where(tokens: Sequence[str]) -> ColumnElement[bool]:
        linked = select(ClaimConcept.claim_pk).where(
            ClaimConcept.role == role, ClaimConcept.concept_pk.in_(concepts(role, tokens))
        )
        return and_(Claim.pk.in_(linked), uses.of_types((use_type,)))

    return where


def status(base: str) -> SearchParameter:
    """Every result is active: retired records answer 410 and are not searched."""
    documentation = "`active`: retired resources are not searched."
    return SearchParameter(
        base, "status", "token", documentation, lambda t: true() if "active" in codes(t) else false()
    )


def medication_code(base: str) -> SearchParameter:
    documentation = "Code of the drug, or its id here."
    return SearchParameter(base, "code", "token", documentation, lambda t: Concept.pk.in_(concepts("intervention", t)))


def _use_type(tokens: Sequence[str]) -> ColumnElement[bool]:
    types = tuple(code for code in codes(tokens) if code in uses.TYPES)
    return uses.of_types(types) if types else false()


def _interaction(tokens: Sequence[str]) -> ColumnElement[bool]:
    return uses.of_types(("interaction",)) if "drug-drug" in codes(tokens) else false()


# --- references, identifiers, strings ---------------------------------------------------------------------------------


def _substances(references: Sequence[str]) -> list[str]:
    """Ids in `Substance/id`, `id`, or an address that ends so."""
    paths = [value.split("/") for value in references]
    return [path[-1] for path in paths if len(path) == 1 or path[-2] == "Substance"]


def _identifier(tokens: Sequence[str]) -> ColumnElement[bool]:
    pairs = filter(None, map(_scheme_and_value, tokens))
    conditions = [
        and_(DocumentIdentifier.scheme == scheme, DocumentIdentifier.normal == text) for scheme, text in pairs
    ]
    if not conditions:
        return false()
    return Document.pk.in_(select(DocumentIdentifier.document_pk).where(or_(*conditions)))


def _scheme_and_value(value: str) -> tuple[IdentifierScheme, str] | None:
    """The scheme and normal form; null for what is no identifier of a document."""
    system, text = token(value)
    for scheme in IdentifierScheme:
        if system in (None, IDENTIFIER_SYSTEMS.get(scheme)):
            try:
                return scheme, identifiers.normalise(scheme, text)
            except identifiers.IdentifierError:
                continue
    return None


def _matches(column: InstrumentedAttribute[Any], *, anywhere: bool = False) -> Where:
    """The column begins with a text, or holds it anywhere, whatever the case."""
    lower = func.lower(column)
    match = lower.contains if anywhere else lower.startswith
    return lambda texts: or_(*(match(text.lower(), autoescape=True) for text in texts))


def _ingredient(references: Sequence[str]) -> ColumnElement[bool]:
    return Concept.id.in_(_substances(references))


def _subject(references: Sequence[str]) -> ColumnElement[bool]:
    return about_interventions(_substances(references))


def _string(name: str, documentation: str, column: InstrumentedAttribute[Any]) -> SearchParameter:
    modifiers: dict[str, Where] = {"contains": _matches(column, anywhere=True), "exact": column.in_}
    return SearchParameter(CANONICAL, name, "string", documentation, _matches(column), modifiers)


def _use(name: str, type: str, documentation: str, where: Where) -> SearchParameter:
    return SearchParameter("ClinicalUseDefinition", name, type, documentation, where)


_DOCUMENT_IDS = "DOI, PMID, PMCID or NCT number of the cited document, as in `https://doi.org|10.1002/art.37734`."
_SUBJECTS = "`Substance/` and the id of an intervention; a dose regimen finds the harms of its drug too."
_SUBSTANCE = "`Substance/` and the id of an intervention."
_FORBIDDING = "Code of the condition that forbids the use, or its id here."

IDENTIFIER = SearchParameter(CANONICAL, "identifier", "token", _DOCUMENT_IDS, _identifier)
TITLE = replace(
    _string("title", "Title of the cited document.", Document.title), sort=func.coalesce(func.lower(Document.title), "")
)
DESCRIPTION = _string("description", "The finding.", Citation.finding)
USE_TYPE = _use("type", "token", f"One of {', '.join(uses.TYPES)}.", _use_type)
SUBJECT = _use("subject", "reference", _SUBJECTS, _subject)
INDICATION = _use("indication", "token", "Code of the condition, or its id here.", _names("condition", "indication"))
CONTRAINDICATION = _use("contraindication", "token", _FORBIDDING, _names("condition", "contraindication"))
EFFECT = _use(
    "effect", "token", "Code of the undesirable effect, or its id here.", _names("side_effect", "undesirable-effect")
)
INTERACTION = _use("interaction", "token", "`drug-drug`: all interactions here.", _interaction)
INGREDIENT = SearchParameter("MedicationKnowledge", "ingredient", "reference", _SUBSTANCE, _ingredient)
