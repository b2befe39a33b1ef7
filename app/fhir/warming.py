"""Have a running server render every resource, so that nobody waits for the first reading after a publication."""

from collections import Counter
from urllib.parse import urlsplit

from app.fhir.routes import MOUNT, R5
from app.fhir.types import TYPES

PAGE = 200
SECONDS = 60.0
"""For one page."""


def warm(server: str) -> dict[str, int]:
    """Number of resources of each type that the server at this address rendered, and now holds in memory.

    OSError if it cannot be reached or refuses.
    """
    import httpx2  # heavy, and needed here alone

    counts: Counter[str] = Counter()
    try:
        with httpx2.Client(base_url=server, timeout=SECONDS) as client:
            for fhir_type in TYPES:
                following: str | None = f"{MOUNT}{R5}/{fhir_type.name}?_count={PAGE}"
                while following is not None:
                    bundle = client.get(following).raise_for_status().json()
                    counts[fhir_type.name] += len(bundle.get("entry", ()))
                    links = {link["relation"]: link["url"] for link in bundle["link"]}
                    # The address may be the one that the world uses: here only its path counts.
                    following = _path(links["next"]) if "next" in links else None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise OSError(f"{type(error).__name__}") from error
    return dict(counts)


def _path(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"
