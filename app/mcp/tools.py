"""The tools: what each is for, what it takes, and how its answer is made from the answers of the API."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from app.bibliography import FORMATS
from app.core.content import ResponseModel
from app.mcp import arguments, text
from app.mcp.answers import (
    AnsweredDataset,
    BriefAddresses,
    BriefInShort,
    BriefSection,
    CitationAnswer,
    CitationsAnswer,
    CitedSource,
    ClaimAnswer,
    ClaimsFound,
    InteractionsChecked,
    NearQuotableClaim,
    PairInShort,
    QuotableClaim,
    ReferenceLine,
    ReferencesFound,
)
from app.mcp.arguments import ToolArguments
from app.mcp.claims import MAX_SOURCES_BESIDE, MAX_SOURCES_OF_ONE, QuotableClaimReader
from app.mcp.reading import ApiAnswer

MAX_SECTION_CLAIMS = 2
MAX_PAIR_CLAIMS = 20
"""Claims behind pairs that are given whole."""
MAX_REFERENCES = 40


@dataclass(frozen=True)
class EvidenceTool:
    """A tool of the Model Context Protocol."""

    name: str
    title: str
    description: str
    arguments: type[ToolArguments]
    answer: type[ResponseModel]
    run: Callable[[QuotableClaimReader, Any], Coroutine[Any, Any, ResponseModel]]
    write: Callable[[Any], str]
    """The answer as text that can be quoted without being misread."""


async def _dataset(reader: QuotableClaimReader, answer: ApiAnswer) -> AnsweredDataset:
    meta = (await reader.own.get("/v1/meta")).body
    licence = meta["licences"]["data"]
    return AnsweredDataset(
        name=meta["name"],
        serial=answer.serial,
        release=answer.release,
        licence=licence["spdx"] or licence["name"],
        disclaimer=meta["disclaimer"],
    )


async def _search(reader: QuotableClaimReader, given: arguments.SearchArguments) -> ClaimsFound:
    answer = await reader.own.post("/v1/search", {"q": given.q, "type": ["claim"], "limit": given.limit})
    claims = await reader.quotable(hit["id"] for hit in answer.body["items"])
    nothing = (
        "No recorded claim was found. That is not evidence of no effect, nor of safety: nothing may have been recorded."
    )
    return ClaimsFound(
        claims=claims,
        **{name: answer.body[name] for name in ("total", "total_is", "matched", "did_you_mean")},
        note=None if claims else nothing,
        dataset=await _dataset(reader, answer),
    )


async def _claim(reader: QuotableClaimReader, given: arguments.ClaimArguments) -> ClaimAnswer:
    answer = await reader.own.get(f"/v1/claims/{given.id}")
    claim = reader.quote(answer.body, MAX_SOURCES_OF_ONE)
    return ClaimAnswer(claim=claim, dataset=await _dataset(reader, answer))


async def _brief(reader: QuotableClaimReader, given: arguments.BriefArguments) -> BriefInShort:
    pair = f"{quote(given.intervention, safe=':')}/{quote(given.condition, safe=':')}"
    answer = await reader.own.get(f"/v1/briefs/{pair}", [("format", "json")])
    brief = answer.body
    headline = brief["notice"]["claim"]
    first = {section["id"]: _first_claims(section) for section in brief["sections"]}
    ids = [*([headline["id"]] if headline else []), *(claim for claims in first.values() for claim in claims)]
    claims = await reader.quotable(
        ids, _inheritances(s for section in brief["sections"] for s in section["statements"])
    )
    links = brief["links"]
    return BriefInShort(
        title=brief["title"],
        intervention=brief["intervention"],
        condition=brief["condition"],
        coverage=brief["coverage"]["status"],
        coverage_sentence=brief["coverage"]["sentence"],
        summary=brief["notice"]["summary"],
        headline=next((claim for claim in claims if headline and claim.id == headline["id"]), None),
        sections=tuple(
            BriefSection(
                title=section["title"],
                note=section["note"],
                claims=first[section["id"]],
                total=len(section["statements"]),
            )
            for section in brief["sections"]
        ),
        claims=claims,
        undecided=len(brief["undecided"]),
        open_questions=len(brief["open_questions"]),
        references=len(brief["references"]),
        addresses=BriefAddresses(
            html=reader.base + links["html"],
            markdown=reader.base + links["markdown"],
            data=reader.base + links["self"],
            claims=reader.base + links["claims"],
        ),
        dataset=await _dataset(reader, answer),
    )


def _first_claims(section: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(statement["claim_id"] for statement in section["statements"][:MAX_SECTION_CLAIMS])


async def _interactions(reader: QuotableClaimReader, given: arguments.InteractionArguments) -> InteractionsChecked:
    answer = await reader.own.post("/v1/interaction-checks", given.model_dump(mode="json", exclude_none=True))
    check = answer.body
    ids = list(dict.fromkeys(claim for pair in check["pairs"] for claim in _claims_of(pair)))
    return InteractionsChecked(
        headline=check["headline"],
        drugs=tuple(drug["intervention"] for drug in check["drugs"]),
        unrecognized=check["unrecognized"],
        pairs=tuple(
            PairInShort(
                claims=_claims_of(pair),
                **{name: pair[name] for name in ("positions", "status", "sentence", "dose_note")},
            )
            for pair in check["pairs"]
        ),
        claims=await reader.quotable(
            ids[:MAX_PAIR_CLAIMS], _inheritances(c for pair in check["pairs"] for c in pair["claims"])
        ),
        uncited=not ids,
        notice=check["notice"],
        dataset=await _dataset(reader, answer),
    )


def _inheritances(shown: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Claim → of whom it is said, of those in a brief or in pairs that are said of others than were asked about."""
    found: dict[str, dict[str, None]] = {}
    for entry in shown:
        claim = entry["claim_id"] if "claim_id" in entry else entry["claim"]["id"]
        lines = (entry.get(name) for name in ("inheritance", "interactant_inheritance"))
        found.setdefault(claim, {}).update((line["text"], None) for line in lines if line)
    return {claim: " ".join(texts) for claim, texts in found.items() if texts}


def _claims_of(pair: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(claim["claim"]["id"] for claim in pair["claims"])


async def _references(reader: QuotableClaimReader, given: arguments.ReferenceArguments) -> ReferencesFound:
    chosen = [("id", claim) for claim in given.claims] or [("brief", f"{given.intervention}/{given.condition}")]
    answer = await reader.own.get("/v1/bibliography", [*chosen, ("style", given.style), ("format", "json")])
    items = answer.body["items"]
    shown = items[:MAX_REFERENCES]
    address = f"{reader.base}/v1/bibliography"
    return ReferencesFound(
        references=tuple(
            ReferenceLine(
                **{name: item[name] for name in ("number", "text", "doi", "pmid", "pmcid", "standing")},
                url=item["url"] or reader.base + item["links"]["self"],
            )
            for item in shown
        ),
        total=len(items),
        left_out=len(items) - len(shown),
        uncited=not items,
        how_to_cite=answer.body["how_to_cite"].replace("Available from: /", f"Available from: {reader.base}/"),
        bibtex=f"{address}.{FORMATS['bibtex'].ending}?{urlencode(chosen)}",
        ris=f"{address}.{FORMATS['ris'].ending}?{urlencode(chosen)}",
        csl_json=f"{address}.{FORMATS['csl-json'].ending}?{urlencode(chosen)}",
        dataset=await _dataset(reader, answer),
    )


async def _verify(reader: QuotableClaimReader, given: arguments.VerifyArguments) -> CitationsAnswer:
    answer = await reader.own.post("/v1/verify", given.model_dump(mode="json", exclude_none=True))
    items = answer.body["items"]
    summaries = [summary for item in items for summary in (item["claim"], *(n["claim"] for n in item["nearest"]))]
    claims = await reader.read(summary["id"] for summary in summaries if summary)
    shown = [citation for item in items for part in (item, *item["nearest"]) for citation in part["citations"]]
    sources = await reader.sources(shown, claims.values())
    return CitationsAnswer(
        items=tuple(_verified(reader, item, claims, sources) for item in items),
        notice=answer.body["notice"],
        dataset=await _dataset(reader, answer),
    )


def _verified(
    reader: QuotableClaimReader,
    item: Mapping[str, Any],
    claims: Mapping[str, Any],
    sources: Mapping[str, CitedSource],
) -> CitationAnswer:
    def quotable(summary: Mapping[str, Any]) -> QuotableClaim:
        return reader.quote(claims[summary["id"]], MAX_SOURCES_BESIDE)

    def sources_of(citations: Sequence[Mapping[str, Any]]) -> tuple[CitedSource, ...]:
        return tuple(sources[citation["id"]] for citation in citations)

    copied = ("position", "result", "advice", "replaced", "source", "title", "quote", "errors")
    return CitationAnswer(
        **{name: item[name] for name in copied},
        claim=quotable(item["claim"]) if item["claim"] else None,
        found_in_source=sources_of(item["citations"]),
        nearest=tuple(
            NearQuotableClaim(claim=quotable(near["claim"]), found_in_source=sources_of(near["citations"]))
            for near in item["nearest"]
        ),
    )


_SAY = (
    "Say the `answer` with its `counts_text` and `caveat`, never the `statement` alone, and name the sources with "
    "their DOI or PMID."
)

TOOLS = (
    EvidenceTool(
        "search_claims",
        "Search claims",
        "Find what is recorded in this data set: effects, harms, doses, mechanisms, approvals. "
        f"Gives claims with the evidence for and against each. {_SAY}",
        arguments.SearchArguments,
        ClaimsFound,
        _search,
        text.of_search,
    ),
    EvidenceTool(
        "get_claim",
        "One claim with its sources",
        f"One claim by id, with up to 25 of its sources, for and against, and what was found in each. {_SAY}",
        arguments.ClaimArguments,
        ClaimAnswer,
        _claim,
        text.of_claim,
    ),
    EvidenceTool(
        "get_brief",
        "What is known of a treatment in a condition",
        "The short form of a brief: the headline, the first claims of every section with their sources, what is not "
        f"known, and the addresses of the whole. {_SAY}",
        arguments.BriefArguments,
        BriefInShort,
        _brief,
        text.of_brief,
    ),
    EvidenceTool(
        "check_interactions",
        "Check drugs against one another",
        "What is recorded of every pair of two to ten drugs. A pair without a recorded interaction has not been "
        "cleared: never say that a combination is safe. A drug that was not recognized was not checked.",
        arguments.InteractionArguments,
        InteractionsChecked,
        _interactions,
        text.of_interactions,
    ),
    EvidenceTool(
        "get_references",
        "References of claims or of a brief",
        "The publications that claims cite, for and against, as formatted references, with addresses for BibTeX, RIS "
        "and CSL-JSON. That a publication is listed does not say that it supports a claim.",
        arguments.ReferenceArguments,
        ReferencesFound,
        _references,
        text.of_references,
    ),
    EvidenceTool(
        "verify_citations",
        "Verify citations before you use them",
        "For each source (DOI, PMID, PMCID, NCT) and the claim or sentence that it is cited for: is it recorded, is "
        "the title its own, was it retracted, and what does it say on the claim? No full text is held, so quotations "
        "are never confirmed. Use it before you cite a source that you have not read.",
        arguments.VerifyArguments,
        CitationsAnswer,
        _verify,
        text.of_verification,
    ),
)
"""In the order in which an assistant is likely to need them."""
