"""The data set as a whole → Library: what it holds, in which state, under which licence."""

import re
from collections.abc import Mapping

from app.concepts.manifest import Manifest
from app.fhir.values import Json, drops_empty, hl7_code
from app.fhir.wording import narrative

MANDATORY = ("status", "type")
SUMMARY = ("version", "name", "title", "date", "publisher", "description")
_FACTS = "Bibliographic facts belong to nobody; titles are those of the publications."


@drops_empty
def library(url: str, manifest: Manifest, version: str, published_at: str, counts: Mapping[str, int]) -> Json:
    """`url` is the address of the interface; `counts` is the number of resources of each type."""
    return {
        "resourceType": "Library",
        "id": manifest.evidence_id,
        "language": manifest.language,
        "text": narrative(manifest.name, manifest.disclaimer(), items=[f"{n}: {count}" for n, count in counts.items()]),
        "version": version,
        "name": _computer_name(manifest.name),
        "title": manifest.name,
        "status": "active",
        "type": hl7_code("library-type", "asset-collection", "Asset Collection"),
        "date": published_at,
        "description": manifest.disclaimer(),
        "publisher": manifest.publisher.name,
        "copyright": f"Data: {manifest.licence.name}. {_FACTS}",
        "relatedArtifact": [
            {"type": "composed-of", "display": f"{name}: {count}", "document": {"url": f"{url}/{name}"}}
            for name, count in counts.items()
        ],
    }


def _computer_name(name: str) -> str:
    """The name as FHIR wants it for programs: letters and digits, the first a capital."""
    letters = re.sub(r"[^A-Za-z0-9]", "", name).lstrip("0123456789")
    return f"{letters[:1].upper()}{letters[1:]}" if len(letters) > 1 else "Evidence"
