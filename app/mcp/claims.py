"""Reads claims with the sources to show of them: those that weigh most, of both sides."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType
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
        """The published claims with these ids, as the API gives them, in this order."""
        unique = list(dict.fromkeys(ids))
        if not unique:
            return {}
        answer = await self.own.get("/v1/claims", [*(("id", one) for one in unique), ("limit", str(len(unique)))])
        return {claim["id"]: claim for claim in answer.body["items"]}

    async def sources(
        self, citations: Sequence[Mapping[str, Any]], claims: Iterable[Mapping[str, Any]]
    ) -> dict[str, CitedSource]:
        """The sources of citations by id: those that the claims show, and one request for each of the others."""
        shown = {citation["id"]: citation for claim in claims for citation in claim["citations"]}
        for citation in citations:
            if citation["id"] not in shown:
                shown[citation["id"]] = (await self.own.get(citation["links"]["self"])).body
        return {citation["id"]: self.source(shown[citation["id"]]) for citation in citations}

    async def quotable(
        self, ids: Iterable[str], inheritances: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[QuotableClaim, ...]:
        """`inheritances` says of claims, by their ids, whom they are about where somebody else was asked about."""
        claims = await self.read(ids)
        return tuple(self.quote(claim, inheritance=inheritances.get(name)) for name, claim in claims.items())

    def quote(
        self, claim: Mapping[str, Any], max_sources: int = MAX_SOURCES, inheritance: str | None = None
    ) -> QuotableClaim:
        evidence = claim["evidence"]
        total = sum(count["citations"] for count in evidence["by_stance"].values())
        shown = _heaviest(claim["citations"], max_sources)
        links = claim["links"]
        fields = ("answer", "verdict", "certainty", "consensus", "counts_text")
        return QuotableClaim.model_validate(
            {
                **{name: evidence[name] for name in fields},
                **{name: claim[name] for name in ("id", "statement", "caveat", "caveat_required")},
                **{side: evidence["by_stance"][side] for side in _SIDES},
                "inheritance": inheritance,
                "uncited": total == 0,
                "sources": [self.source(citation) for citation in shown],
                "sources_left_out": total - len(shown),
                "permalink": self.base + links["permalink"],
                "url": self.base + links["self"],
            }
        )

    def source(self, citation: Mapping[str, Any]) -> CitedSource:
        document, study = citation["document"], citation["study"]
        return CitedSource.model_validate(
            {
                **{name: citation[name] for name in ("stance", "directness", "finding", "extent_note", "verification")},
                **{name: document[name] for name in ("label", "title", "year", "doi", "pmid", "pmcid", "standing")},
                "citation": citation["id"],
                "registry_ids": study["registry_ids"] if study else (),
                "url": citation["links"]["best"] or self.base + document["links"]["self"],
            }
        )


def _heaviest(citations: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """The first citations of both sides in turn, so that neither crowds out the other, then the others; in the order of
    the claim, where the heavier side stands first."""
    sides = ([citation for citation in citations if citation["stance"] == side] for side in _SIDES)
    in_turn = [citation for pair in zip_longest(*sides) for citation in pair if citation is not None]
    chosen = list(dict.fromkeys(citation["id"] for citation in (*in_turn, *citations)))[:most]
    return [citation for citation in citations if citation["id"] in chosen]
