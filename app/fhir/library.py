"""The data set as a whole → Library: what it holds, in which state, under which licence."""

from collections.abc import Mapping

from app.claims.disclaimer import DISCLAIMER
from app.fhir.values import Json, built, terminology
from app.fhir.wording import narrative

ID = "ldn-evidence"
TITLE = "LDN Evidence"
MANDATORY = ("status", "type")
SUMMARY = ("version", "name", "title", "date", "description")
COPYRIGHT = "Data: CC BY 4.0. Bibliographic facts belong to nobody; titles are those of the publications."


def library(base: str, release: str | None, serial: int, at: str, counts: Mapping[str, int]) -> Json:
    """`base` is where this server's resources are; `counts` says how many there are of each type."""
    return built(
        {
            "resourceType": "Library",
            "id": ID,
            "text": narrative(TITLE, DISCLAIMER, listed=[f"{name}: {count}" for name, count in counts.items()]),
            "version": f"{release or 'unreleased'}+{serial}",
            "name": "LDNEvidence",
            "title": TITLE,
            "status": "active",
            "type": terminology("library-type", "asset-collection", "Asset Collection"),
            "date": at,
            "description": DISCLAIMER,
            "copyright": COPYRIGHT,
            "relatedArtifact": [
                {"type": "composed-of", "display": f"{name}: {count}", "document": {"url": f"{base}/{name}"}}
                for name, count in counts.items()
            ],
        }
    )
