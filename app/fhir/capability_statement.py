"""The CapabilityStatement, generated from TYPES."""

from importlib.metadata import version

from app.concepts.manifest import Manifest
from app.fhir.types import TYPES, FhirType
from app.fhir.values import Json, drops_empty

_READS = [{"code": "read"}, {"code": "search-type"}]
_INTERACTIONS: Json = {"interaction": _READS, "versioning": "versioned", "conditionalRead": "not-match"}
_ID = {
    "name": "_id",
    "definition": "http://hl7.org/fhir/SearchParameter/Resource-id",
    "type": "token",
    "documentation": "Ids of resources.",
}


@drops_empty
def capability_statement(url: str, published_at: str, manifest: Manifest) -> Json:
    """`url` is the address of the interface; empty if the server's public address is not configured."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": published_at,
        "kind": "instance",
        "software": {"name": manifest.name, "version": version("ldn-evidence")},
        "implementation": {"description": f"{manifest.name}, read-only. {manifest.disclaimer()}", "url": url},
        "fhirVersion": "5.0.0",
        "format": ["json", "application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Read-only. Stances of citations are told by CiTO classifiers of related "
                "artifacts; a claim's caveat, verdict and both sides' counts stand in `text` and in `note` or its "
                "extension, in every summary too. Searches, by GET or POST, are ordered by id or as `_sort` says "
                "(`_id`; Citation: `title` too); follow the `next` link.",
                "security": {"cors": True, "description": "Open for reading."},
                "resource": [
                    *(_resource(fhir_type) for fhir_type in TYPES),
                    {"type": "Library", **_INTERACTIONS, "searchParam": [_ID]},
                ],
            }
        ],
    }


def _resource(fhir_type: FhirType) -> Json:
    parameters = [
        {"name": p.name, "definition": p.url, "type": p.type, "documentation": p.documentation}
        for p in fhir_type.parameters
    ]
    interactions = _READS if fhir_type.is_aggregate else [*_READS, {"code": "vread"}]
    return {"type": fhir_type.name, **_INTERACTIONS, "interaction": interactions, "searchParam": [_ID, *parameters]}
