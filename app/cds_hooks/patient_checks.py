"""Naltrexone in the light of diagnoses and allergies: two services that are off unless an operator names them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from app.cds_hooks.bounds import MAX_PARTS, PART_WORK, REASON_WORK
from app.cds_hooks.bundles import Gap, Resource, ResourceList, read_list
from app.cds_hooks.chart import Chart
from app.cds_hooks.drugs import CodedText, Coding
from app.cds_hooks.fhir_json import member, objects, text_member
from app.cds_hooks.medicines import MedicineReader, concept_text
from app.cds_hooks.rules import DrugPair, Finding, NotEnoughData, Rule
from app.concepts.code_systems import ICD10CM, SHIPPED_SYSTEMS
from app.core import deadline

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
    checks: dict[str, tuple[str, Rule, Callable[[CodedText], bool]]] = {
        CONDITIONS: ("Condition", Rule.liver_disease, is_liver_disease),
        ALLERGIES: ("AllergyIntolerance", Rule.hypersensitivity, lambda text: reader.drug(text).is_naltrexone),
    }
    resource_type, rule, is_reason = checks[list_name]
    listed = read_list(lists[list_name], (resource_type,))
    is_cut = any(draft.is_cut for draft in chart.selected)
    for resource in deadline.checked(listed.of_type(resource_type)):
        if reader.work.is_spent:
            is_cut = True
            break
        if _is_valid(resource):
            text, is_text_cut = _text(resource)
            reader.work.add(PART_WORK * (1 + len(text.codes)) + REASON_WORK * sum(map(len, text.words)))
            if is_reason(text):
                return [Finding(rule, naltrexone, removable=naltrexone[0])]
            is_cut = is_cut or is_text_cut
    gaps = _gaps(listed, is_cut=is_cut)
    return [Finding(Rule.record_incomplete, naltrexone, gaps=gaps)] if gaps else []


def _gaps(listed: ResourceList, *, is_cut: bool) -> tuple[Gap, ...]:
    gaps = {*listed.gaps, *([Gap.paged] if listed.is_paged else []), *([Gap.too_large] if is_cut else [])}
    return tuple(gap for gap in Gap if gap in gaps)


def _is_valid(resource: Resource) -> bool:
    """Whether the record holds: active, and neither refuted nor a mistake."""
    clinical, verification = (_codes(resource.get(name)) for name in ("clinicalStatus", "verificationStatus"))
    is_over = clinical and clinical <= {"inactive", "resolved", "remission"}
    return not is_over and verification.isdisjoint({"refuted", "entered-in-error"})


def _text(resource: Resource) -> tuple[CodedText, bool]:
    """What a diagnosis names, or what somebody is hypersensitive to, and whether there was too much to be read; an
    intolerance such as nausea is no hypersensitivity."""
    if text_member(resource, "type") == "intolerance":
        return CodedText(), False
    reactions = objects(resource.get("reaction"), MAX_PARTS + 1)
    return concept_text(resource.get("code"), *(member(reaction, "substance") for reaction in reactions))


def is_liver_disease(text: CodedText) -> bool:
    if any(map(_is_liver_code, text.codes)):
        return True
    return any(_LIVER_WORDS.search(words) and not _NOT_PRESENT.search(words) for words in text.words)


def _is_liver_code(coding: Coding) -> bool:
    is_icd = SHIPPED_SYSTEMS.identified(coding.system) == ICD10CM or coding.system == "http://hl7.org/fhir/sid/icd-10"
    return is_icd and _LIVER_CODES.match(coding.code.upper()) is not None


def _codes(concept: Any) -> set[str]:
    return {text_member(coding, "code") for coding in objects(member(concept, "coding"))}
