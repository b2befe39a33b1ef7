"""Reads claims with the sources to show of them: those that weigh most, of both sides."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from app.mcp.answers import CitedSource, QuotableClaim
from app.mcp.reading import OwnApplication

MAX_SOURCES = 4
"""Of a claim among others."""
MAX_SOURCES_BESIDE = 2
"""Of a claim that a source is compared with: one of each side, beside the source itself."""
MAX_SOURCES_OF_ONE = 25
"""Of a claim that is asked for alone."""
_SIDES = ("supports", "disputes")


class QuotableClaimReader:
    """Reads claims, and writes their addresses below `base`."""

    def __init__(self, own: OwnApplication, base: str) -> None:
        self.own = own
        self.base = base

    async def read(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The published claims with these ids, as the API gives them, in this order; each with the `serial` of the data
        set from which it was read."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return {}
        answer = await self.own.get("/v1/claims", [*(("id", one) for one in wanted), ("limit", str(len(wanted)))])
        claims = {claim["id"]: claim | {"serial": answer.serial} for claim in answer.body["items"]}
        return {one: claims[one] for one in wanted if one in claims}

    async def quotable(self, ids: Iterable[str]) -> tuple[QuotableClaim, ...]:
        claims = await self.read(ids)
        return tuple(self.quote(claim) for claim in claims.values())

    def quote(self, claim: Mapping[str, Any], max_sources: int = MAX_SOURCES) -> QuotableClaim:
        evidence = claim["evidence"]
        total = sum(count["citations"] for count in evidence["by_stance"].values())
        shown = _heaviest(claim["citations"], max_sources)
        address = claim["links"]["self"]
        fields = ("answer", "verdict", "certainty", "consensus", "counts_text")
        return QuotableClaim.model_validate(
            {
                **{name: evidence[name] for name in fields},
                **{name: claim[name] for name in ("id", "statement", "caveat", "caveat_required")},
                **{side: evidence["by_stance"][side] for side in _SIDES},
                "uncited": total == 0,
                "sources": [self.source(citation) for citation in shown],
                "sources_left_out": total - len(shown),
                "permalink": f"{self.base}{address}?serial={claim['serial']}",
                "url": self.base + address,
            }
        )

    def source(self, citation: Mapping[str, Any]) -> CitedSource:
        document, study, verification = citation["document"], citation["study"], citation["verification"]
        pubmed = f"https://pubmed.ncbi.nlm.nih.gov/{document['pmid']}/" if document["pmid"] else None
        against = f" against {verification['basis'].replace('_', ' ')}" if verification["basis"] else ""
        return CitedSource.model_validate(
            {
                **{name: citation[name] for name in ("stance", "directness", "finding")},
                **{name: document[name] for name in ("label", "title", "year", "doi", "pmid", "pmcid", "standing")},
                "citation": citation["id"],
                "registry_ids": study["registry_ids"] if study else (),
                "url": document["links"]["doi"] or pubmed or self.base + document["links"]["self"],
                "verification": verification["result"] + against,
            }
        )


def _heaviest(citations: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """The first citations of both sides in turn, so that neither crowds out the other, then the others; in the order of
    the claim, where the heavier side stands first."""
    sides = ([citation for citation in citations if citation["stance"] == side] for side in _SIDES)
    in_turn = [citation for pair in zip_longest(*sides) for citation in pair if citation is not None]
    chosen = list(dict.fromkeys(citation["id"] for citation in (*in_turn, *citations)))[:most]
    return [citation for citation in citations if citation["id"] in chosen]
