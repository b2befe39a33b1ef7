"""Have a running server render every resource, so that the first read after a publication is fast too."""

from collections import Counter
from urllib.parse import urlsplit

from app.core.http_client import http_client
from app.fhir.routes import MOUNT, R5
from app.fhir.types import TYPES

PAGE_SIZE = 200
TIMEOUT_SECONDS = 60.0
"""For one page."""


def warm(server: str) -> dict[str, int]:
    """Number of resources of each type that the server at this address rendered.

    OSError if it cannot be reached or refuses.
    """
    counts: Counter[str] = Counter()
    with http_client(base_url=server, timeout=TIMEOUT_SECONDS, trust_env=True) as client:
        for fhir_type in TYPES:
            path: str | None = f"{MOUNT}{R5}/{fhir_type.name}?_count={PAGE_SIZE}"
            while path is not None:
                bundle = client.get(path).raise_for_status().json()
                counts[fhir_type.name] += len(bundle.get("entry", ()))
                links = {link["relation"]: link["url"] for link in bundle["link"]}
                # The link may hold the server's public address, which may not lead back to this server.
                path = _path(links["next"], server) if "next" in links else None
    return dict(counts)


def _path(address: str, server: str) -> str:
    """Path and query below the server's address, which may have a path itself."""
    parts = urlsplit(address)
    return f"{parts.path.removeprefix(urlsplit(server).path.rstrip('/'))}?{parts.query}"
