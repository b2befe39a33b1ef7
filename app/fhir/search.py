"""FHIR search: which parameters there are, and what each asks of the tables. Text never reaches a query unbound."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from app.claims.models import Citation, Claim, ClaimConcept
from app.claims.vocabulary import HARM_KINDS
from app.concepts.models import Concept, ConceptCode
from app.concepts.vocabulary import InterventionLevel
from app.core.errors import Fault, MalformedRequest
from app.fhir import uses
from app.fhir.citation import IDENTIFIER_SYSTEMS
from app.fhir.values import SAME, SYSTEMS
from app.sources import identifiers
from app.sources.models import Document, DocumentIdentifier
from app.sources.vocabulary import IdentifierScheme

CANONICAL = "CanonicalResource"
MAX_VALUES = 50
MAX_LENGTH = 500

Where = Callable[[Sequence[str], str | None], ColumnElement[bool]]
"""From the values of one occurrence, any of which may match, and its modifier."""


@dataclass(frozen=True)
class Parameter:
    name: str
    type: str
    definition: str
    """The name under which HL7 publishes the parameter."""
    documentation: str
    where: Where
    modifiers: tuple[str, ...] = ()
    sort: ColumnElement[str] | None = None
    """By what `_sort` orders, never null; null where an order would tell nothing."""

    @property
    def url(self) -> str:
        return f"http://hl7.org/fhir/SearchParameter/{self.definition}"


def bad(parameter: str, message: str, allowed: Sequence[str] | None = None) -> MalformedRequest:
    fault = Fault("query", parameter, "invalid", message, tuple(allowed) if allowed else None)
    return MalformedRequest(message, errors=[fault])


def values(parameter: str, text: str) -> list[str]:
    """The alternatives of one occurrence: separated by commas, `\\,` being a comma."""
    if len(text) > MAX_LENGTH:
        raise bad(parameter, f"A value may have at most {MAX_LENGTH} characters.")
    found = [re.sub(r"\\([,|$\\])", r"\1", part) for part in re.split(r"(?<!\\),", text)]
    if len(found) > MAX_VALUES:
        raise bad(parameter, f"At most {MAX_VALUES} alternatives can be asked for.")
    return [value for value in found if value]


# --- tokens -----------------------------------------------------------------------------------------------------------


def token(value: str) -> tuple[str | None, str]:
    """`system|code`, `code` (any system: null), `|code` (no system: empty)."""
    system, bar, code = value.partition("|")
    return (system, code) if bar else (None, value)


def concepts(record_type: str, tokens: Sequence[str]) -> Select[Any]:
    """Keys of concepts with one of the codes, as resources show them, or with one of our own ids."""
    return select(Concept.pk).where(Concept.type == record_type, or_(*(_carries(value) for value in tokens)))


def _carries(value: str) -> ColumnElement[bool]:
    system, code = token(value)
    ours = [ours for ours, address in SYSTEMS.items() if system in (None, address)]
    coded = select(ConceptCode.concept_pk).where(
        ConceptCode.code == code.upper(),
        ConceptCode.system.in_(ours),
        ConceptCode.relation.in_(SAME),
        ConceptCode.verified,
    )
    if system is None:
        return or_(Concept.pk.in_(coded), Concept.id == code)
    return Concept.pk.in_(coded)


def _named(role: str, record_type: str, *types: str) -> Where:
    """Claims of the types that name a concept with one of the codes in a role."""

    def where(tokens: Sequence[str], _modifier: str | None) -> ColumnElement[bool]:
        linked = select(ClaimConcept.claim_pk).where(
            ClaimConcept.role == role, ClaimConcept.concept_pk.in_(concepts(record_type, tokens))
        )
        return and_(Claim.pk.in_(linked), uses.of_types(types))

    return where


def status(base: str) -> Parameter:
    """Everything that is found is active: retired records answer 410 and are not searched."""

    def where(tokens: Sequence[str], _modifier: str | None) -> ColumnElement[bool]:
        return true() if any(token(value)[1] == "active" for value in tokens) else false()

    return Parameter("status", "token", f"{base}-status", "`active`: retired resources are not searched.", where)


def _use_type(tokens: Sequence[str], _modifier: str | None) -> ColumnElement[bool]:
    asked = tuple(code for _, code in map(token, tokens) if code in uses.TYPES)
    return uses.of_types(asked) if asked else false()


def _interaction(tokens: Sequence[str], _modifier: str | None) -> ColumnElement[bool]:
    asked = any(token(value)[1] == "drug-drug" for value in tokens)
    return uses.of_types(("interaction",)) if asked else false()


def medication_code(base: str) -> Parameter:
    def where(tokens: Sequence[str], _modifier: str | None) -> ColumnElement[bool]:
        return Concept.pk.in_(concepts("intervention", tokens))

    return Parameter("code", "token", f"{base}-code", "Code of the drug, or its id here.", where)


# --- references, identifiers, strings ---------------------------------------------------------------------------------


def referenced(references: Sequence[str], resource_type: str) -> list[str]:
    """Ids in `Substance/id`, `id`, or an address that ends so."""
    found = []
    for value in references:
        steps = value.split("/")
        if len(steps) == 1 or steps[-2] == resource_type:
            found.append(steps[-1])
    return found


def about_subject(ids: Sequence[str]) -> ColumnElement[bool]:
    """Claims on the substances, and the harms of the drug of which one is a dose regimen."""
    own = select(Concept.pk).where(Concept.type == "intervention", Concept.id.in_(ids))
    drugs = own.with_only_columns(Concept.parent_pk).where(
        Concept.level == InterventionLevel.regimen, Concept.parent_pk.is_not(None)
    )
    inherited = and_(Claim.intervention_pk.in_(drugs), Claim.kind.in_(HARM_KINDS))
    return or_(Claim.intervention_pk.in_(own), inherited)


def _subject(references: Sequence[str], _modifier: str | None) -> ColumnElement[bool]:
    return about_subject(referenced(references, "Substance"))


def _ingredient(references: Sequence[str], _modifier: str | None) -> ColumnElement[bool]:
    return Concept.id.in_(referenced(references, "Substance"))


def _identifier(tokens: Sequence[str], _modifier: str | None) -> ColumnElement[bool]:
    known = list(filter(None, map(_known_identifier, tokens)))
    if not known:
        return false()
    carries = [and_(DocumentIdentifier.scheme == scheme, DocumentIdentifier.normal == text) for scheme, text in known]
    return Document.pk.in_(select(DocumentIdentifier.document_pk).where(or_(*carries)))


def _known_identifier(value: str) -> tuple[IdentifierScheme, str] | None:
    """The scheme and normal form; null for what no document can carry."""
    system, text = token(value)
    for scheme in IdentifierScheme:
        if system in (None, IDENTIFIER_SYSTEMS.get(scheme)):
            try:
                return scheme, identifiers.normalise(scheme, text)
            except identifiers.IdentifierError:
                continue
    return None


def _text(column: InstrumentedAttribute[Any]) -> Where:
    """Begins with the text, whatever the case; `:contains` and `:exact` as FHIR says."""

    def where(texts: Sequence[str], modifier: str | None) -> ColumnElement[bool]:
        if modifier == "exact":
            return column.in_(texts)
        lower = func.lower(column)
        match = lower.contains if modifier == "contains" else lower.startswith
        return or_(*(match(text.lower(), autoescape=True) for text in texts))

    return where


def by_id(column: InstrumentedAttribute[str]) -> Where:
    return lambda tokens, _modifier: column.in_(tokens)


_STRINGS = ("contains", "exact")

IDENTIFIER = Parameter(
    "identifier",
    "token",
    f"{CANONICAL}-identifier",
    "DOI, PMID, PMCID or NCT number of the cited document, as in `https://doi.org|10.1002/art.37734`.",
    _identifier,
)
TITLE = Parameter(
    "title",
    "string",
    f"{CANONICAL}-title",
    "Title of the cited document.",
    _text(Document.title),
    _STRINGS,
    sort=func.coalesce(func.lower(Document.title), ""),
)
DESCRIPTION = Parameter(
    "description", "string", f"{CANONICAL}-description", "The finding.", _text(Citation.finding), _STRINGS
)
USE_TYPE = Parameter("type", "token", "ClinicalUseDefinition-type", f"One of {', '.join(uses.TYPES)}.", _use_type)
SUBJECT = Parameter(
    "subject",
    "reference",
    "ClinicalUseDefinition-subject",
    "`Substance/low-dose-naltrexone`; a dose regimen finds the harms of its drug too.",
    _subject,
)
INDICATION = Parameter(
    "indication",
    "token",
    "ClinicalUseDefinition-indication",
    "Code of the condition, or its id here.",
    _named("condition", "condition", "indication"),
)
CONTRAINDICATION = Parameter(
    "contraindication",
    "token",
    "ClinicalUseDefinition-contraindication",
    "Code of the condition that forbids the use, or its id here.",
    _named("condition", "condition", "contraindication"),
)
EFFECT = Parameter(
    "effect",
    "token",
    "ClinicalUseDefinition-effect",
    "Code of the undesirable effect, or its id here.",
    _named("side_effect", "side_effect", "undesirable-effect"),
)
INTERACTION = Parameter(
    "interaction", "token", "ClinicalUseDefinition-interaction", "`drug-drug`: all interactions here.", _interaction
)
INGREDIENT = Parameter(
    "ingredient", "reference", "MedicationKnowledge-ingredient", "`Substance/naltrexone`.", _ingredient
)
