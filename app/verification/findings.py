"""What is recorded of one citation, before it is judged."""

from typing import NamedTuple

from app.claims.responses import ClaimSummary
from app.verification.schemas import NearClaim, QuoteCheck, ReplacedRecord, SourceOnClaim, TitleCheck, VerifiedSource


class Findings(NamedTuple):
    """The fields of `CitationVerified` from which its result and its advice follow."""

    claim: ClaimSummary | None
    replaced: ReplacedRecord | None
    source: VerifiedSource | None
    title: TitleCheck | None
    quote: QuoteCheck | None
    citations: tuple[SourceOnClaim, ...]
    related: tuple[SourceOnClaim, ...]
    nearest: tuple[NearClaim, ...]
