"""What the pages of records share: one record, a list that pages by the API's cursors, and claims with harm first."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

from fastapi import Depends, Path, Request, Response

from app.api.common import get_current, next_address, select_page
from app.claims import queries
from app.claims import rendering as render
from app.claims.responses import CitationBody, ClaimRead, ClaimSummary
from app.claims.vocabulary import HARM_KINDS, Kind, Stance
from app.core.text import SLUG_LENGTH
from app.http.conditional import canonical
from app.http.problems import declared_parameters_only
from app.http.reads import reads_of
from app.registry import BY_TYPE
from app.storage.history import current_bodies
from app.storage.paging import Page, SortedQuery, Sorts
from app.storage.read_view import ReadView
from app.storage.selection import Selection
from app.web.pages import API, page_address, page_response

RecordId = Annotated[str, Path(max_length=SLUG_LENGTH)]
MAX_DESCRIPTION = 300
"""Characters of the description that search engines and link previews show."""
CLAIMS_A_SECTION = 12
STANCE_HEADINGS = {
    Stance.supports: "For the claim",
    Stance.disputes: "Against the claim",
    Stance.mixed: "Points both ways",
    Stance.inconclusive: "Could not decide",
    Stance.background: "Background",
    Stance.not_assessed: "Not assessed",
}
"""What citations of each stance stand under."""
NO_PARAMETERS = (Depends(declared_parameters_only),)
"""Dependencies of addresses that take no parameter."""
OTHER_KINDS = tuple(kind for kind in Kind if kind not in HARM_KINDS)


class RecordList(NamedTuple):
    """One page of records as the API shows them, and the address of the next page."""

    items: Sequence[Any]
    total: int
    is_exact: bool
    next: str | None


def read_record(view: ReadView, record_type: str, record_id: str) -> Any:
    """The record as the API shows it; raises NotFound, or Gone with the successor."""
    resource = BY_TYPE[record_type]
    return resource.read.model_validate_json(get_current(view, resource, record_id).body)


def read_list(
    view: ReadView, request: Request, record_type: str, query: Any, select: Callable[..., Selection], sorts: Sorts
) -> RecordList:
    page = select_page(view, query, select(view, query), sorts)
    read = BY_TYPE[record_type].read
    items = [read.model_validate_json(body) for body in current_bodies(view, record_type, page.ids)]
    return RecordList(items, page.total, page.is_exact, next_address(request, page.next_cursor))


def api_address(request: Request) -> str:
    """The address of the same list as data."""
    query = canonical(request.scope["query_string"].decode("latin-1"))
    return f"{API}{request.scope['path']}{f'?{query}' if query else ''}"


def shortened(text: str) -> str:
    """Text for the description of a page."""
    return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 2].rsplit(' ', 1)[0]} …"


# --- claims -------------------------------------------------------------------------------------------------------


class ClaimSection(NamedTuple):
    """Claims of some kinds under a heading, and where all of them are."""

    heading: str
    claims: Sequence[ClaimSummary]
    total: int
    address: str


def claim_sections(view: ReadView, filters: Mapping[str, str]) -> list[ClaimSection]:
    """The claims that meet the filters: harms and interactions first, then the others."""
    return [
        ClaimSection(heading, summaries(view, page.ids), page.total, address)
        for heading, page, address in _by_harm(view, filters)
    ]


def _by_harm(view: ReadView, filters: Mapping[str, str]) -> Iterator[tuple[str, Page, str]]:
    """The most relevant claims on each side of the line, and the address of all of them."""
    for heading, kinds in (("Harms and interactions", HARM_KINDS), ("Other claims", OTHER_KINDS)):
        chosen = {name: (value,) for name, value in filters.items()}
        query = queries.ClaimQuery.model_validate({**chosen, "kind": kinds, "limit": CLAIMS_A_SECTION})
        page = select_page(view, query, queries.claims(view, query), queries.CLAIM_SORTS)
        yield heading, page, f"/claims?{urlencode([*filters.items(), *(('kind', kind.value) for kind in kinds)])}"


class CitedClaim(NamedTuple):
    """A claim, and what one source found on it."""

    claim: ClaimRead
    citations: Sequence[CitationBody]


class CitedSection(NamedTuple):
    """As `ClaimSection`, with what the source found."""

    heading: str
    claims: Sequence[CitedClaim]
    total: int
    address: str


def cited_sections(view: ReadView, filters: Mapping[str, str]) -> list[CitedSection]:
    """The claims that cite a document or a study, with what it found: harms and interactions first."""
    ((by, source),) = filters.items()
    sections = []
    for heading, page, address in _by_harm(view, filters):
        claims = [ClaimRead.model_validate_json(body) for body in current_bodies(view, "claim", page.ids)]
        cited = [
            CitedClaim(claim, [c for c in claim.citations if (embed := getattr(c, by)) and embed.id == source])
            for claim in claims
        ]
        sections.append(CitedSection(heading, cited, page.total, address))
    return sections


def summaries(view: ReadView, ids: Iterable[str]) -> list[ClaimSummary]:
    """Claims with all that must stand beside their text, in the order of the ids that are given."""
    ids = list(ids)
    found = render.summaries(view.session, ids)
    return [found[claim_id] for claim_id in ids if claim_id in found]


# --- lists --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listing:
    """The list of one type: how it is selected, and in which words it is introduced."""

    record_type: str
    query: type[SortedQuery]
    select: Callable[..., Selection]
    sorts: Sorts
    title: str
    lead: str
    template: str

    @property
    def path(self) -> str:
        return page_address(BY_TYPE[self.record_type].path)


async def answer_listing(
    request: Request,
    listing: Listing,
    query: SortedQuery,
    more: Callable[[ReadView, Sequence[Any]], Mapping[str, Any]] = lambda _view, _records: {},
) -> Response:
    """A page of the list; `more` gives further values for its template, or others, from the records on the page."""

    def answer(view: ReadView) -> Response:
        records = read_list(view, request, listing.record_type, query, listing.select, listing.sorts)
        values = {"title": listing.title, "description": listing.lead, **more(view, records.items)}
        return page_response(
            request,
            view,
            listing.template,
            json_address=api_address(request),
            listing=listing,
            records=records,
            **values,
        )

    return await reads_of(request).run(request, answer)
