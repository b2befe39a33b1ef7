"""The intervention in the light of diagnoses and allergies: services of their own, which a manifest describes."""

import re
from collections.abc import Mapping
from typing import Any

from app.cds_hooks.bounds import MAX_PARTS, PART_WORK, REASON_WORK
from app.cds_hooks.bundles import Gap, Resource, ResourceList, read_list
from app.cds_hooks.chart import Chart
from app.cds_hooks.drugs import CodedText, Coding
from app.cds_hooks.fhir_json import member, objects, text_member
from app.cds_hooks.medicines import MedicineReader, concept_text
from app.cds_hooks.rules import Finding, NotEnoughData, Rule
from app.concepts.code_systems import ICD10CM, SHIPPED_SYSTEMS
from app.concepts.manifest_cds import CdsPatientCheck
from app.core import deadline

RESOURCE_TYPES = {"conditions": "Condition", "allergies": "AllergyIntolerance"}
"""What the lists of checks hold, by their names."""

_NOT_PRESENT = re.compile(r"\b(?:no|negative|vaccin\w*|immuni[sz]\w*|screening|family history|exposure)\b", re.I)


def findings(check: CdsPatientCheck, lists: Mapping[str, Any], chart: Chart, reader: MedicineReader) -> list[Finding]:
    """What a list of diagnoses or allergies says about the drafted drug; NotEnoughData if it was not sent."""
    watched = tuple(medicine for medicine in chart.selected if medicine.drug.is_watched)
    if not watched:
        return []
    if check.reads not in lists:
        raise NotEnoughData
    resource_type = RESOURCE_TYPES[check.reads]
    listed = read_list(lists[check.reads], (resource_type,))
    is_cut = any(draft.is_cut for draft in chart.selected)
    for resource in deadline.checked(listed.of_type(resource_type)):
        if reader.work.is_spent:
            is_cut = True
            break
        if _is_valid(resource):
            text, is_text_cut = _text(resource)
            reader.work.add(PART_WORK * (1 + len(text.codes)) + REASON_WORK * sum(map(len, text.words)))
            if _is_reason(check, text, reader):
                return [Finding(Rule.patient_check, watched, check=check, removable=watched[0])]
            is_cut = is_cut or is_text_cut
    gaps = _gaps(listed, is_cut=is_cut)
    return [Finding(Rule.record_incomplete, watched, check=check, gaps=gaps)] if gaps else []


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


def _is_reason(check: CdsPatientCheck, text: CodedText, reader: MedicineReader) -> bool:
    """Whether the check is about the diagnosis, or the allergy about the intervention itself."""
    if check.reads == "allergies":
        return reader.drug(text).is_watched
    return any(_has_code(check, code) for code in text.codes) or any(_has_word(check, words) for words in text.words)


def _has_code(check: CdsPatientCheck, coding: Coding) -> bool:
    is_icd = SHIPPED_SYSTEMS.identified(coding.system) == ICD10CM or coding.system == "http://hl7.org/fhir/sid/icd-10"
    return is_icd and coding.code.upper().startswith(check.icd10)


def _has_word(check: CdsPatientCheck, words: str) -> bool:
    lower = words.lower()
    return any(word.lower() in lower for word in check.words) and not _NOT_PRESENT.search(words)


def _codes(concept: Any) -> set[str]:
    return {text_member(coding, "code") for coding in objects(member(concept, "coding"))}
