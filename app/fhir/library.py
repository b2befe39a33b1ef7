"""The data set as a whole → Library: what it holds, in which state, under which licence."""

from collections.abc import Mapping

from app.claims.disclaimer import DISCLAIMER
from app.fhir.values import Json, drops_empty, hl7_code
from app.fhir.wording import narrative

ID = "ldn-evidence"
TITLE = "LDN Evidence"
MANDATORY = ("status", "type")
SUMMARY = ("version", "name", "title", "date", "description")
COPYRIGHT = "Data: CC BY 4.0. Bibliographic facts belong to nobody; titles are those of the publications."


@drops_empty
def library(url: str, release: str | None, serial: int, published_at: str, counts: Mapping[str, int]) -> Json:
    """`url` is the address of the interface; `counts` is the number of resources of each type."""
    return {
        "resourceType": "Library",
        "id": ID,
        "text": narrative(TITLE, DISCLAIMER, items=[f"{name}: {count}" for name, count in counts.items()]),
        "version": f"{release or 'unreleased'}+{serial}",
        "name": "LDNEvidence",
        "title": TITLE,
        "status": "active",
        "type": hl7_code("library-type", "asset-collection", "Asset Collection"),
        "date": published_at,
        "description": DISCLAIMER,
        "copyright": COPYRIGHT,
        "relatedArtifact": [
            {"type": "composed-of", "display": f"{name}: {count}", "document": {"url": f"{url}/{name}"}}
            for name, count in counts.items()
        ],
    }
