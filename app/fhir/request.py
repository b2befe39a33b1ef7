"""Reads a FHIR request: media type, handling, elements, and the search."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, and_, or_, select
from starlette.requests import Request

from app.concepts.code_systems import CodeSystems
from app.core.errors import Fault, MalformedRequest, NotAcceptable, PayloadTooLarge
from app.core.text import is_readable
from app.fhir.search import SearchParameter, parameter_error, values
from app.fhir.types import FhirType

MEDIA_TYPE = "application/fhir+json"
GENERIC_MEDIA_TYPE = "application/json"
OLD_MEDIA_TYPE = "application/json+fhir"
_FORMATS = {
    MEDIA_TYPE: MEDIA_TYPE,
    OLD_MEDIA_TYPE: MEDIA_TYPE,
    "json": MEDIA_TYPE,
    GENERIC_MEDIA_TYPE: GENERIC_MEDIA_TYPE,
}

DEFAULT_COUNT = 20
MAX_COUNT = 200
MAX_PARAMETERS = 50
MAX_FORM_BYTES = 32_000
"""Of a search by POST; the head of a request holds no more either."""
SUMMARIES = ("true", "text", "data", "count", "false")
_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_COMMON = ("_format", "_pretty", "_summary", "_elements")
_ONCE = frozenset({*_COMMON, "_count", "_sort", "_after"})
"""What says how a result looks may stand once; a search parameter that is repeated narrows further."""


@dataclass(frozen=True)
class ElementSelection:
    """The elements of a resource to answer, by `_summary` or `_elements`."""

    summary: str | None = None
    elements: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        return self.summary in (None, "false") and not self.elements


@dataclass(frozen=True)
class SearchOrder:
    """The order of results: by id, or by a text and then the id."""

    is_descending: bool = False
    text: ColumnElement[str] | None = None

    def page(self, matches: Select[str], fhir_type: FhirType, after: str | None) -> Select[str]:
        """The matching ids after the one that ended the page before."""
        keys = [fhir_type.id] if self.text is None else [self.text, fhir_type.id]
        if after is not None:
            matches = matches.where(self._is_after(fhir_type, after))
        return matches.order_by(*(key.desc() if self.is_descending else key.asc() for key in keys))

    def _is_after(self, fhir_type: FhirType, after: str) -> ColumnElement[bool]:
        has_later_id = fhir_type.id < after if self.is_descending else fhir_type.id > after
        if self.text is None:
            return has_later_id
        last = select(self.text).where(fhir_type.id == after).scalar_subquery()
        has_later_text = self.text < last if self.is_descending else self.text > last
        return or_(has_later_text, and_(self.text == last, has_later_id))


@dataclass(frozen=True)
class FhirSearch:
    count: int
    elements: ElementSelection
    used: tuple[tuple[str, str], ...]
    """The parameters that took part, for the `self` link."""
    conditions: tuple[ColumnElement[bool], ...] = ()
    order: SearchOrder = field(default_factory=SearchOrder)
    after: str | None = None
    """Id of the last resource of the page before."""

    @property
    def is_count_only(self) -> bool:
        return self.count == 0 or self.elements.summary == "count"

    def address(self, path: str, after: str | None = None) -> str:
        pairs = [*self.used, *([("_after", after)] if after else [])]
        return f"{path}?{urlencode(pairs)}" if pairs else path


# --- representation ---------------------------------------------------------------------------------------------------


def media_type(request: Request) -> str:
    """`_format` decides, else `Accept`; NotAcceptable for anything but JSON of FHIR R5."""
    if (requested := request.query_params.get("_format")) is not None:
        name, *parameters = _split_media_type(requested.replace(" ", "+"))
        if name not in _FORMATS or not _is_r5(parameters):
            raise NotAcceptable((MEDIA_TYPE, GENERIC_MEDIA_TYPE, "json"))
        return _FORMATS[name]
    accept = request.headers.get("accept", "").strip()
    return _negotiate(_r5_ranges(accept), default=MEDIA_TYPE) if accept else MEDIA_TYPE


def _r5_ranges(accept: str) -> str:
    """The Accept header in today's names, without ranges whose `fhirVersion` is another version."""
    ranges = [item for item in accept.lower().split(",") if _is_r5(_split_media_type(item)[1:])]
    return ",".join(ranges).replace(OLD_MEDIA_TYPE, MEDIA_TYPE)


def _negotiate(accept: str, *, default: str) -> str:
    """The media type of ours with the highest quality, the first listed if several have it; else NotAcceptable."""
    best, best_quality = None, 0.0
    for name, *parameters in map(_split_media_type, accept.split(",")):
        offer = default if name in ("*/*", "application/*") else _FORMATS.get(name)
        text = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        quality = float(text) if re.fullmatch(r"[01](\.\d{0,3})?", text) else 0.0
        if offer and quality > best_quality:
            best, best_quality = offer, quality
    if best is None:
        raise NotAcceptable((MEDIA_TYPE, GENERIC_MEDIA_TYPE))
    return best


def _split_media_type(text: str) -> list[str]:
    """The type and its parameters."""
    return [part.strip().lower() for part in text.split(";")]


def _is_r5(parameters: Sequence[str]) -> bool:
    versions = [part.partition("=")[2].strip('"') for part in parameters if part.startswith("fhirversion=")]
    return all(version in ("5.0", "5.0.0") for version in versions)


def is_strict(request: Request) -> bool:
    """`Prefer: handling=strict` makes ignored parameters errors."""
    preferences = ",".join(request.headers.getlist("prefer")).lower().replace(";", ",").split(",")
    return "handling=strict" in [preference.replace(" ", "").replace('"', "") for preference in preferences]


# --- parameters -------------------------------------------------------------------------------------------------------


def read_parameters(request: Request) -> ElementSelection:
    _refuse_unknown(request, [name for name in request.query_params if name not in _COMMON], _COMMON)
    return _element_selection(request, [name for name in SUMMARIES if name != "count"])


def check_metadata_parameters(request: Request) -> None:
    supported = (*_COMMON, "mode")
    _refuse_unknown(request, [name for name in request.query_params if name not in supported], supported)


def library_search(request: Request, library_id: str) -> tuple[FhirSearch, bool]:
    """A search of the one Library, and whether it matches."""
    supported = ("_id", *_COMMON, "_count")
    items = request.query_params.multi_items()
    _refuse_unknown(request, [name for name, _ in items if name not in supported], supported)
    ids = [alternatives for name, text in items if name == "_id" and (alternatives := values("_id", text))]
    search = FhirSearch(
        elements=_element_selection(request, SUMMARIES),
        count=_count(request),
        used=tuple((name, text) for name, text in items if name in supported),
    )
    return search, all(library_id in alternatives for alternatives in ids)


def search_parameters(request: Request, fhir_type: FhirType, systems: CodeSystems) -> FhirSearch:
    """The search, with codes of these systems; MalformedRequest for values that cannot be read, and for unknown
    parameters if strict."""
    identity = SearchParameter("Resource", "_id", "token", "Ids of resources.", fhir_type.id.in_)
    by_name = {parameter.name: parameter for parameter in (*fhir_type.parameters, identity)}
    supported = (*by_name, *_COMMON, "_count", "_sort", "_after")
    items = request.query_params.multi_items()
    if len(items) > MAX_PARAMETERS:
        raise MalformedRequest(f"At most {MAX_PARAMETERS} parameters can be sent.")
    order = _order(fhir_type, request.query_params.get("_sort"))
    conditions, used, unknown = [], [], []
    for name, text in items:
        plain_name, _, modifier = name.partition(":")
        if plain_name not in supported or (name == "_sort" and order is None):
            unknown.append(name)
        elif plain_name in by_name:
            if alternatives := values(name, text):  # FHIR ignores an empty parameter
                conditions.append(by_name[plain_name].condition(alternatives, modifier, systems))
                used.append((name, text))
        elif plain_name != "_after":
            used.append((name, text))
    _refuse_unknown(request, unknown, supported)
    return FhirSearch(
        conditions=tuple(conditions),
        count=_count(request),
        after=_after(request),
        order=order or SearchOrder(),
        elements=_element_selection(request, SUMMARIES),
        used=tuple(used),
    )


def form_as_query(request: Request, form: bytes) -> Request:
    """A search by POST as a search by GET: the parameters of the address, then those of the body."""
    if len(form) > MAX_FORM_BYTES:
        raise PayloadTooLarge(MAX_FORM_BYTES)
    if not (form.isascii() and is_readable(form)):
        raise MalformedRequest("The body must be percent-encoded UTF-8 without NUL.")
    query = b"&".join(filter(None, (request.scope["query_string"], form)))
    # A condition is about an answer to GET, so it does not apply to POST.
    headers = [(name, value) for name, value in request.scope["headers"] if name != b"if-none-match"]
    return Request({**request.scope, "query_string": query, "headers": headers})


def _order(fhir_type: FhirType, text: str | None) -> SearchOrder | None:
    """The order that `_sort` names; null if it is not supported."""
    if not text:
        return SearchOrder()
    name, is_descending = text.removeprefix("-"), text.startswith("-")
    if name == "_id":
        return SearchOrder(is_descending)
    column = next((parameter.sort for parameter in fhir_type.parameters if parameter.name == name), None)
    return SearchOrder(is_descending, column) if column is not None else None


def _refuse_unknown(request: Request, unknown: Sequence[str], supported: Sequence[str]) -> None:
    """MalformedRequest if there are any and the client wants strict handling, or if what may stand once is repeated."""
    names = Counter(name for name, _ in request.query_params.multi_items())
    for name in _ONCE & names.keys():
        if names[name] > 1:
            raise parameter_error(name, "Send this parameter once.")
    if unknown and is_strict(request):
        message = "This parameter is not supported here."
        faults = [Fault("query", name, "not-supported", message, tuple(supported)) for name in unknown]
        raise MalformedRequest("The request names parameters that are not supported here.", errors=faults)


def _count(request: Request) -> int:
    text = request.query_params.get("_count")
    if text is None or text == "":
        return DEFAULT_COUNT
    if not re.fullmatch(r"\d{1,9}", text, flags=re.ASCII):
        raise parameter_error("_count", "Must be a whole number that is not negative.")
    return min(int(text), MAX_COUNT)


def _after(request: Request) -> str | None:
    text = request.query_params.get("_after") or None
    if text is not None and not _FHIR_ID.fullmatch(text):
        raise parameter_error("_after", "Follow the `next` link of a page as it is.")
    return text


def _element_selection(request: Request, summaries: Sequence[str]) -> ElementSelection:
    summary = request.query_params.get("_summary") or None
    elements = tuple(filter(None, request.query_params.get("_elements", "").split(",")))
    if summary is not None and summary not in summaries:
        raise parameter_error("_summary", "Must be one of the allowed values.", summaries)
    if summary not in (None, "false") and elements:
        raise parameter_error("_elements", "Cannot be used together with _summary.")
    return ElementSelection(summary, elements)
