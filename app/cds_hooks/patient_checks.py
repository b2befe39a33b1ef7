"""Naltrexone in the light of diagnoses and allergies: two services that are off unless an operator names them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from app.cds_hooks.bundles import Gap, Resource, ResourceList, read_list
from app.cds_hooks.chart import Chart
from app.cds_hooks.drugs import CodedText, Coding
from app.cds_hooks.fhir_json import member, objects, text_member
from app.cds_hooks.medicines import MedicineReader, concept_text
from app.cds_hooks.rules import DrugPair, Finding, NotEnoughData, Rule
from app.concepts.code_systems import code_system
from app.concepts.vocabulary import CodeSystem

CONDITIONS, ALLERGIES = "conditions", "allergies"

_LIVER_CODES = re.compile(r"(?:B1[5-9]|K7[0-7]|R17)")
"""Of ICD-10: viral hepatitis, diseases of the liver, and jaundice."""
_LIVER_WORDS = re.compile(
    r"hepatitis|cirrhosis|\b(?:liver|hepatic) (?:failure|disease|insufficiency|injury|fibrosis)", re.I
)
_NOT_PRESENT = re.compile(r"\b(?:no|negative|vaccin\w*|immuni[sz]\w*|screening|family history|exposure)\b", re.I)


def findings(list_name: str, lists: Mapping[str, Any], chart: Chart, reader: MedicineReader) -> list[Finding]:
    """What a list of diagnoses or allergies says about the drafted naltrexone; NotEnoughData if it was not sent."""
    naltrexone = DrugPair.of(chart.selected).naltrexone
    if not naltrexone:
        return []
    if list_name not in lists:
        raise NotEnoughData
    checks: dict[str, tuple[str, Rule, Callable[[Resource], bool]]] = {
        CONDITIONS: ("Condition", Rule.liver_disease, is_liver_disease),
        ALLERGIES: ("AllergyIntolerance", Rule.hypersensitivity, lambda resource: _is_allergy(resource, reader)),
    }
    resource_type, rule, is_reason = checks[list_name]
    listed = read_list(lists[list_name], (resource_type,))
    if any(is_reason(resource) for resource in listed.of_type(resource_type) if _is_valid(resource)):
        return [Finding(rule, naltrexone, removable=naltrexone[0])]
    gaps = _gaps(listed)
    return [Finding(Rule.record_incomplete, naltrexone, gaps=gaps)] if gaps else []


def _gaps(listed: ResourceList) -> tuple[Gap, ...]:
    return tuple(gap for gap in Gap if gap in listed.gaps or (gap is Gap.paged and listed.is_paged))


def _is_valid(resource: Resource) -> bool:
    """Whether the record holds: active, and neither refuted nor a mistake."""
    clinical, verification = (_codes(resource.get(name)) for name in ("clinicalStatus", "verificationStatus"))
    is_over = clinical and clinical <= {"inactive", "resolved", "remission"}
    return not is_over and verification.isdisjoint({"refuted", "entered-in-error"})


def is_liver_disease(condition: Resource) -> bool:
    text = concept_text(condition.get("code"))
    if any(map(_is_liver_code, text.codes)):
        return True
    return any(_LIVER_WORDS.search(words) and not _NOT_PRESENT.search(words) for words in text.words)


def _is_liver_code(coding: Coding) -> bool:
    is_icd = code_system(coding.system) is CodeSystem.icd10cm or coding.system == "http://hl7.org/fhir/sid/icd-10"
    return is_icd and _LIVER_CODES.match(coding.code.upper()) is not None


def _is_allergy(allergy: Resource, reader: MedicineReader) -> bool:
    """Whether somebody is hypersensitive to naltrexone; an intolerance such as nausea is not that."""
    if text_member(allergy, "type") == "intolerance":
        return False
    substances = [member(reaction, "substance") for reaction in objects(allergy.get("reaction"))]
    text = sum(map(concept_text, (allergy.get("code"), *substances)), CodedText())
    return reader.drug(text).is_naltrexone


def _codes(concept: Any) -> set[str]:
    return {text_member(coding, "code") for coding in objects(member(concept, "coding"))}
