"""A claim inside the pages of others: `/embed.js` defines `<evidence-claim>`, `/embed/claims/{id}` is for iframes.

What must travel with a claim's text (answer, verdict, both counts, caveat) cannot be switched off in either.
"""

from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter, Request, Response

from app.api import common
from app.claims.responses import CitationBody, ClaimRead
from app.concepts.manifest import current_manifest
from app.core.errors import Gone, NotFound
from app.core.templates import content_security_policy, render_template
from app.http import conditional
from app.http.conditional import conditional_response
from app.http.queries import query_of
from app.http.reads import reads_of
from app.sources.vocabulary import Standing
from app.storage.read_view import ReadView
from app.web.assets import STATIC
from app.web.pages import HTML, page_response
from app.web.records import STANCE_HEADINGS

router = APIRouter(include_in_schema=False)

CONTENT_SECURITY_POLICY = content_security_policy(style_src="'self'", frame_ancestors="*")
"""Of the page for iframes, the only one that others may frame."""
SHORT_DISCLAIMER = "A record of published evidence, not medical advice."
RETRACTED = "retracted"
SIDES = {
    **{stance.value: heading for stance, heading in STANCE_HEADINGS.items()},
    RETRACTED: "Retracted, counts for nothing",
}
"""What the footnotes of each stance are headed by."""
MARKS = {
    Standing.retracted.value: "RETRACTED",
    Standing.expression_of_concern.value: "EXPRESSION OF CONCERN",
    Standing.preprint.value: "PREPRINT",
}
"""What stands in front of a footnote whose document does not stand as others do."""


class EmbedQuery(common.ItemQuery):
    theme: Literal["auto", "light", "dark"] = "auto"
    """`auto` follows the reader's system."""
    footnotes: Literal["closed", "open", "none"] = "closed"
    """Whether the list of sources is folded, open, or left out; their counts stay."""


class Footnotes(NamedTuple):
    """The citations of one side, and the number of the first."""

    side: str
    first: int
    citations: list[CitationBody]


@router.get("/embed/claims/{id}")
async def embedded_claim(
    request: Request, id: common.RecordId, query: Annotated[EmbedQuery, query_of(EmbedQuery)]
) -> Response:
    return await reads_of(request).run(request, _embedded_claim, request, id, query)


def _embedded_claim(view: ReadView, request: Request, claim_id: str, query: EmbedQuery) -> Response:
    try:
        body, _ = common.item_at(view, "claim", claim_id, query.serial)
    except (Gone, NotFound) as error:
        return _without_claim(view, error, query)
    claim = ClaimRead.model_validate_json(body)
    return page_response(
        request,
        view,
        "web/embed.html",
        policy=CONTENT_SECURITY_POLICY,
        title=claim.evidence.answer,
        claim=claim,
        footnotes=footnotes_of(claim),
        other_sources=_other_sources(claim),
        marks=MARKS,
        query=query,
        short_disclaimer=SHORT_DISCLAIMER,
    )


def footnotes_of(claim: ClaimRead) -> list[Footnotes]:
    """The citations in the order of the claim, by side; those of retracted documents apart."""
    sides: dict[str, list[CitationBody]] = {}
    for citation in claim.citations:
        sides.setdefault(_side(citation), []).append(citation)
    first = 1
    footnotes = []
    for side, citations in sides.items():
        footnotes.append(Footnotes(SIDES[side], first, citations))
        first += len(citations)
    return footnotes


def _side(citation: CitationBody) -> str:
    return RETRACTED if citation.document.standing is Standing.retracted else citation.stance.value


def _other_sources(claim: ClaimRead) -> int:
    stances = claim.evidence.by_stance
    return sum(
        stance.documents for stance in (stances.mixed, stances.inconclusive, stances.background, stances.not_assessed)
    )


def _without_claim(view: ReadView, error: Gone | NotFound, query: EmbedQuery) -> Response:
    """Says in the frame that the claim was withdrawn, and what replaces it, or that there is none."""
    page = render_template(
        "web/embed_notice.html",
        manifest=current_manifest(view.session),
        title="This claim was withdrawn" if isinstance(error, Gone) else error.detail,
        is_retired=isinstance(error, Gone),
        successor=error.successor if isinstance(error, Gone) else None,
        query=query,
    )
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": conditional.NO_STORE}
    return Response(page, error.status, headers, HTML)


# --- the web component --------------------------------------------------------------------------------------------


@router.get("/embed.js")
async def script(request: Request) -> Response:
    """Takes any query, so that a page can ask past its own caches."""
    return await reads_of(request).inline(request, _script_response, request)


def _script_response(view: ReadView, request: Request) -> Response:
    body = _script(current_manifest(view.session).language)
    headers = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "cross-origin"}
    return conditional_response(request, conditional.etag(body), body, media_type="text/javascript", headers=headers)


@lru_cache(maxsize=1)
def _script(language: str) -> bytes:
    """With its style sheet, the language of the texts, and the words that it shares with the page for iframes."""
    style = " ".join((STATIC / "embed.css").read_text(encoding="utf-8").split()).partition("*/ ")[2]
    words = {"sides": SIDES, "marks": MARKS, "short_disclaimer": SHORT_DISCLAIMER}
    page = render_template("web/embed.js", style=style, language=language, **words)
    return "\n".join(line.strip() for line in page.splitlines() if line.strip()).encode()
