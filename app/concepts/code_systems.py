"""How other systems name the code systems, and the normal form of codes."""

import re

from app.concepts.vocabulary import CodeSystem
from app.core.folding import fold_code, words

URIS = {
    CodeSystem.rxnorm: "http://www.nlm.nih.gov/research/umls/rxnorm",
    CodeSystem.atc: "http://www.whocc.no/atc",
    CodeSystem.unii: "http://fdasis.nlm.nih.gov",
    CodeSystem.mesh: "https://www.nlm.nih.gov/mesh",
    CodeSystem.icd10cm: "http://hl7.org/fhir/sid/icd-10-cm",
    CodeSystem.icd11: "http://id.who.int/icd/release/11/mms",
    CodeSystem.snomed: "http://snomed.info/sct",
    CodeSystem.cas: "http://terminology.hl7.org/CodeSystem/CAS",
    CodeSystem.ndc: "http://hl7.org/fhir/sid/ndc",
    CodeSystem.omop: "https://fhir-terminology.ohdsi.org",
}
"""The URIs of HL7's terminology (7.0.1); a code system that is missing there has none."""

OIDS = {
    CodeSystem.rxnorm: "2.16.840.1.113883.6.88",
    CodeSystem.icd10cm: "2.16.840.1.113883.6.90",
    CodeSystem.snomed: "2.16.840.1.113883.6.96",
    CodeSystem.mesh: "2.16.840.1.113883.6.177",
    CodeSystem.atc: "2.16.840.1.113883.6.73",
    CodeSystem.unii: "2.16.840.1.113883.4.9",
    CodeSystem.ndc: "2.16.840.1.113883.6.69",
}
"""The OIDs that HL7 version 3 (Infobutton, CDA) uses."""

_SYSTEMS = {name: system for names in (URIS, OIDS) for system, name in names.items()}
_SPELLINGS = {system.replace("_", ""): system for system in CodeSystem} | {
    "rxcui": CodeSystem.rxnorm,
    "icd10": CodeSystem.icd10cm,
    "icd11mms": CodeSystem.icd11,
    "snomedct": CodeSystem.snomed,
    "sct": CodeSystem.snomed,
    "pubchemcid": CodeSystem.pubchem,
    "fdaunii": CodeSystem.unii,
    "whoatc": CodeSystem.atc,
}

_POINT_AFTER = {CodeSystem.icd10cm: 3, CodeSystem.icd11: 4}
"""Characters before the point, in classifications whose codes are also written without it."""
_NDC_WIDTHS = (5, 4, 2)


def code_system(identifier: str) -> CodeSystem | None:
    """The code system with this URI or OID (bare or as `urn:oid:`); null where none here has it."""
    return _SYSTEMS.get(identifier.removeprefix("urn:oid:"))


def code_system_named(name: str) -> CodeSystem | None:
    """The code system with this name in any spelling (`ICD-10-CM`, `icd10cm`), URI or OID; null where none has it."""
    return code_system(name.strip().rstrip("/")) or _SPELLINGS.get("".join(words(name)))


def normal_code(system: CodeSystem, code: str) -> str:
    """The form in which codes are stored and compared: capitals, no spaces, with its point (`M797` is `M79.7`), an NDC
    as digits in 5-4-2 (`0406-1170-03` is `00406117003`) or, without the package, in 5-4."""
    plain = fold_code(code)
    if system is CodeSystem.ndc:
        return _normal_ndc(plain)
    point = _POINT_AFTER.get(system)
    digits = plain.replace(".", "")
    if point and len(digits) > point and re.fullmatch(r"[0-9A-Z]+", digits):
        return f"{digits[:point]}.{digits[point:]}"
    return plain


def _normal_ndc(code: str) -> str:
    parts = code.split("-")
    if len(parts) == 1:
        return code
    return "".join(part.zfill(width) for part, width in zip(parts, _NDC_WIDTHS, strict=False))
