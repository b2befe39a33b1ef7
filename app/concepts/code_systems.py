"""How other systems name the code systems: one place for their URIs and OIDs."""

from app.concepts.vocabulary import CodeSystem

URIS = {
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
"""The URIs of HL7's terminology (7.0.1); a code system that is missing there has none."""

OIDS = {
    CodeSystem.rxnorm: "2.16.840.1.113883.6.88",
    CodeSystem.icd10cm: "2.16.840.1.113883.6.90",
    CodeSystem.snomed: "2.16.840.1.113883.6.96",
    CodeSystem.mesh: "2.16.840.1.113883.6.177",
    CodeSystem.atc: "2.16.840.1.113883.6.73",
    CodeSystem.unii: "2.16.840.1.113883.4.9",
}
"""The OIDs that HL7 version 3 (Infobutton, CDA) uses."""

_SYSTEMS = {name: system for names in (URIS, OIDS) for system, name in names.items()}


def code_system(identifier: str) -> CodeSystem | None:
    """The code system with this URI or OID (bare or as `urn:oid:`); null where none here has it."""
    return _SYSTEMS.get(identifier.removeprefix("urn:oid:"))
