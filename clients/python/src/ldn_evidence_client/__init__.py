"""A typed client of an LDN Evidence server: every operation a method, every list an iterator.

    from ldn_evidence_client import EvidenceClient

    with EvidenceClient("http://127.0.0.1:8000") as client:
        for claim in client.iterate_claims(condition="fibromyalgia", kind="efficacy"):
            print(claim["evidence"]["answer"], claim["evidence"]["counts_text"], claim["caveat"] or "")

Answers are dictionaries, typed by `ldn_evidence_client.answers`. They may gain fields and values of enumerations.
"""

from ldn_evidence_client.operations import Operations
from ldn_evidence_client.transport import EvidenceError


class EvidenceClient(Operations):
    """Answers come from one server; use it as a context manager, or call `close`."""


__all__ = ["EvidenceClient", "EvidenceError"]
