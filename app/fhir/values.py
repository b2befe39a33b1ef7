"""FHIR's small data types from our values, as plain dictionaries. What is unknown is left out: FHIR has no null."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from app.concepts.schemas import Code, ConceptWrite
from app.concepts.vocabulary import CodeRelation, CodeSystem
from app.core.vocabulary import Term

Json = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
CITO = "http://purl.org/spar/cito/"

SYSTEMS = {
    CodeSystem.rxnorm: "http://www.nlm.nih.gov/research/umls/rxnorm",
    CodeSystem.atc: "http://www.whocc.no/atc",
    CodeSystem.unii: "http://fdasis.nlm.nih.gov",
    CodeSystem.mesh: "https://www.nlm.nih.gov/mesh",
    CodeSystem.icd10cm: "http://hl7.org/fhir/sid/icd-10-cm",
    CodeSystem.icd11: "http://id.who.int/icd/release/11/mms",
    CodeSystem.snomed: "http://snomed.info/sct",
    CodeSystem.cas: "http://terminology.hl7.org/CodeSystem/CAS",
    CodeSystem.omop: "https://fhir-terminology.ohdsi.org",
}
"""The systems that HL7's terminology (7.0.1) names; codes of other systems have no address to stand under."""

SAME = (CodeRelation.exact, CodeRelation.close)
"""All codings of a concept mean the same, so wider and narrower codes stay out."""


def pruned(value: Any) -> Any:
    """Without what is null or empty, at any depth."""
    if isinstance(value, dict):
        kept = {name: pruned(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [inner for inner in map(pruned, value) if inner not in (None, "", [], {})]
    return value


def built(resource: Json) -> Json:
    """The resource as FHIR wants it: without nulls and empty values."""
    kept: Json = pruned(resource)
    return kept


def number(value: Decimal | None) -> int | float | None:
    """A JSON number; our decimals have at most 15 digits, so that it is exact."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def coded(system: str, code: str, display: str | None = None) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def hl7(name: str, code: str, display: str | None = None) -> Json:
    """A code of one of FHIR's own systems."""
    return coded(f"http://hl7.org/fhir/{name}", code, display)


def terminology(name: str, code: str, display: str | None = None) -> Json:
    """A code of HL7's terminology."""
    return coded(f"http://terminology.hl7.org/CodeSystem/{name}", code, display)


def termed(term: Term | None) -> Json | None:
    """One of our own terms: its label as text, for it stands in no public terminology."""
    return None if term is None else {"text": term.label}


def codeable(concept: ConceptWrite) -> Json:
    """A concept with the codes that mean the same and were read in their own terminology."""
    codings = [{"system": SYSTEMS[code.system], "code": code.code} for code in concept.codes if _shown(code)]
    return {"coding": codings, "text": concept.name}


def codeable_all(concepts: Sequence[ConceptWrite]) -> Json | None:
    """Several concepts where FHIR has room for one: their names alone, since codings must all mean the same."""
    if len(concepts) == 1:
        return codeable(concepts[0])
    return {"text": "; ".join(concept.name for concept in concepts)} if concepts else None


def _shown(code: Code) -> bool:
    return code.verified and code.relation in SAME and code.system in SYSTEMS


def reference(resource_type: str, record_id: str, display: str | None = None) -> Json:
    return {"reference": f"{resource_type}/{record_id}", "display": display}


def ucum(value: Decimal | None, unit: str | None) -> Json | None:
    """A quantity in a UCUM unit; of an unknown unit, the bare number."""
    if value is None:
        return None
    if unit is None:
        return {"value": number(value)}
    return {"value": number(value), "unit": unit, "system": UCUM, "code": unit}


def joined(parts: Iterable[str | None], separator: str = " ") -> str:
    return separator.join(part for part in parts if part)
