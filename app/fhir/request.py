"""What a FHIR request asks for: representation, handling, page, parts of resources, and the search itself."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, and_, or_, select
from starlette.requests import Request

from app.core.errors import AppError, Fault, MalformedRequest, NotAcceptable, PayloadTooLarge
from app.core.text import is_readable
from app.fhir.search import Parameter, bad, by_id, values
from app.fhir.types import FhirType

MEDIA_TYPE = "application/fhir+json"
GENERIC = "application/json"
_ALIASES = {MEDIA_TYPE: MEDIA_TYPE, "application/json+fhir": MEDIA_TYPE, "json": MEDIA_TYPE, GENERIC: GENERIC}
_FORMATS = (MEDIA_TYPE, GENERIC, "json")

DEFAULT_COUNT = 20
MAX_COUNT = 200
MAX_PARAMETERS = 50
MAX_LENGTH_FORM = 32_000
"""Bytes of a search by POST; no more fits into the head of a request either."""
FORM = "application/x-www-form-urlencoded"
SUMMARIES = ("true", "text", "data", "count", "false")
_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_EVERYWHERE = ("_format", "_pretty")
_PARTS = ("_summary", "_elements")


class UnsupportedMediaType(AppError):
    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"

    def __init__(self) -> None:
        super().__init__(f"Send the parameters of a search as {FORM}.")


@dataclass(frozen=True)
class Parts:
    """Which elements of a resource are wanted."""

    summary: str | None = None
    elements: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return self.summary in (None, "false") and not self.elements


@dataclass(frozen=True)
class Order:
    """Of results: by id, or by a text and the id."""

    descending: bool = False
    text: ColumnElement[str] | None = None

    def page(self, matching: Select[str], fhir_type: FhirType, after: str | None) -> Select[str]:
        """The matching ids behind the one that ended the page before."""
        keys = [fhir_type.id] if self.text is None else [self.text, fhir_type.id]
        if after is not None:
            matching = matching.where(self._behind(fhir_type, after))
        return matching.order_by(*(key.desc() if self.descending else key.asc() for key in keys))

    def _behind(self, fhir_type: FhirType, after: str) -> ColumnElement[bool]:
        by_id = fhir_type.id < after if self.descending else fhir_type.id > after
        if self.text is None:
            return by_id
        last = select(self.text).where(fhir_type.id == after).scalar_subquery()
        return or_(self.text < last if self.descending else self.text > last, and_(self.text == last, by_id))


@dataclass(frozen=True)
class Search:
    conditions: tuple[ColumnElement[bool], ...]
    count: int
    after: str | None
    """Id of the last resource of the page before."""
    order: Order
    parts: Parts
    used: tuple[tuple[str, str], ...]
    """The parameters that took part, as the `self` link must tell them."""

    @property
    def counts_only(self) -> bool:
        return self.count == 0 or self.parts.summary == "count"

    def address(self, path: str, after: str | None = None) -> str:
        pairs = [*self.used, *([("_after", after)] if after else [])]
        return f"{path}?{urlencode(pairs)}" if pairs else path


# --- representation ---------------------------------------------------------------------------------------------------


def media_type(request: Request) -> str:
    """`_format` goes before `Accept`; NotAcceptable where JSON of FHIR R5 is not wanted."""
    wanted = request.query_params.get("_format")
    if wanted is not None:
        bare, *parameters = _media(wanted.replace(" ", "+"))
        if bare not in _ALIASES or not _is_r5(parameters):
            raise NotAcceptable(_FORMATS)
        return _ALIASES[bare]
    accept = request.headers.get("accept", "").strip()
    best = max(_ranges(accept), key=lambda found: found[0], default=(0.0, MEDIA_TYPE)) if accept else (1.0, MEDIA_TYPE)
    if not best[0]:
        raise NotAcceptable((MEDIA_TYPE, GENERIC))
    return best[1]


def _ranges(accept: str) -> Iterable[tuple[float, str]]:
    """Quality and media type of each range that one of ours satisfies."""
    for item in accept.lower().split(","):
        bare, *parameters = _media(item)
        quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        ours = MEDIA_TYPE if bare in ("*/*", "application/*") else _ALIASES.get(bare)
        if ours and _is_r5(parameters):
            yield float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 0.0, ours


def _media(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(";")]


def _is_r5(parameters: Sequence[str]) -> bool:
    asked = [part.partition("=")[2].strip('"') for part in parameters if part.startswith("fhirversion=")]
    return all(version in ("5.0", "5.0.0") for version in asked)


def strict(request: Request) -> bool:
    """`Prefer: handling=strict`: what we do not know is an error instead of being ignored."""
    preferences = ",".join(request.headers.getlist("prefer")).lower().replace(";", ",").split(",")
    return "handling=strict" in [preference.replace(" ", "").replace('"', "") for preference in preferences]


# --- parameters -------------------------------------------------------------------------------------------------------


def of_read(request: Request) -> Parts:
    known = (*_EVERYWHERE, *_PARTS)
    _refuse_unknown(request, [name for name in request.query_params if name not in known], known)
    return _parts(request, counting=False)


def of_metadata(request: Request) -> None:
    known = (*_EVERYWHERE, *_PARTS, "mode")
    _refuse_unknown(request, [name for name in request.query_params if name not in known], known)


def of_search(request: Request, fhir_type: FhirType) -> Search:
    """The search; MalformedRequest for values that cannot be read, and for unknown parameters if strict."""
    identity = Parameter("_id", "token", "Resource-id", "Ids of resources.", by_id(fhir_type.id))
    by_name = {parameter.name: parameter for parameter in (*fhir_type.parameters, identity)}
    known = (*by_name, *_EVERYWHERE, *_PARTS, "_count", "_sort", "_after")
    items = request.query_params.multi_items()
    if len(items) > MAX_PARAMETERS:
        raise MalformedRequest(f"At most {MAX_PARAMETERS} parameters can be sent.")
    order = _order(fhir_type, request.query_params.get("_sort"))
    conditions, used, unknown = [], [], []
    for name, text in items:
        bare, _, modifier = name.partition(":")
        if bare not in known or (name == "_sort" and order is None):
            unknown.append(name)
        elif bare in by_name:
            alternatives = values(name, text)
            if alternatives:  # FHIR: an empty parameter is as good as none
                conditions.append(_condition(by_name[bare], alternatives, modifier or None))
                used.append((name, text))
        elif bare != "_after":
            used.append((name, text))
    _refuse_unknown(request, unknown, known)
    return Search(
        conditions=tuple(conditions),
        count=_count(request),
        after=_after(request),
        order=order or Order(),
        parts=_parts(request, counting=True),
        used=tuple(used),
    )


def _order(fhir_type: FhirType, text: str | None) -> Order | None:
    """What `_sort` asks for; null where nothing here can be ordered so."""
    if not text:
        return Order()
    name, descending = text.removeprefix("-"), text.startswith("-")
    if name == "_id":
        return Order(descending)
    column = next((parameter.sort for parameter in fhir_type.parameters if parameter.name == name), None)
    return Order(descending, column) if column is not None else None


def posted(request: Request, form: bytes) -> Request:
    """A search by POST as the search by GET that it stands for: parameters of the address, then those of the body."""
    sent_as = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if form and sent_as != FORM:
        raise UnsupportedMediaType
    if len(form) > MAX_LENGTH_FORM:
        raise PayloadTooLarge(MAX_LENGTH_FORM)
    if not (form.isascii() and is_readable(form)):
        raise MalformedRequest("The body must be percent-encoded UTF-8 without NUL.")
    query = b"&".join(filter(None, (request.scope["query_string"], form)))
    # What a client has by GET says nothing about an answer to POST.
    headers = [(name, value) for name, value in request.scope["headers"] if name != b"if-none-match"]
    return Request({**request.scope, "query_string": query, "headers": headers})


@dataclass(frozen=True)
class LibrarySearch:
    """A search among the one Library."""

    found: bool
    counts_only: bool
    parts: Parts
    used: tuple[tuple[str, str], ...]

    def address(self, path: str) -> str:
        return f"{path}?{urlencode(self.used)}" if self.used else path


def of_library_search(request: Request, only: str) -> LibrarySearch:
    known = ("_id", *_EVERYWHERE, *_PARTS, "_count")
    items = request.query_params.multi_items()
    _refuse_unknown(request, [name for name, _ in items if name not in known], known)
    asked_for = [alternatives for name, text in items if name == "_id" and (alternatives := values("_id", text))]
    parts = _parts(request, counting=True)
    return LibrarySearch(
        found=all(only in alternatives for alternatives in asked_for),
        counts_only=_count(request) == 0 or parts.summary == "count",
        parts=parts,
        used=tuple((name, text) for name, text in items if name in known),
    )


def _condition(parameter: Parameter, alternatives: list[str], modifier: str | None) -> ColumnElement[bool]:
    if modifier is not None and modifier not in parameter.modifiers:
        raise bad(parameter.name, "This modifier is not supported here.", parameter.modifiers)
    return parameter.where(alternatives, modifier)


def _refuse_unknown(request: Request, unknown: Sequence[str], known: Sequence[str]) -> None:
    if unknown and strict(request):
        message = "This parameter is not supported here."
        faults = [Fault("query", name, "not-supported", message, tuple(known)) for name in unknown]
        raise MalformedRequest("The request names parameters that are not supported here.", errors=faults)


def _count(request: Request) -> int:
    text = request.query_params.get("_count")
    if text is None or text == "":
        return DEFAULT_COUNT
    if not re.fullmatch(r"\d{1,9}", text, flags=re.ASCII):
        raise bad("_count", "Must be a whole number that is not negative.")
    return min(int(text), MAX_COUNT)


def _after(request: Request) -> str | None:
    text = request.query_params.get("_after") or None
    if text is not None and not _FHIR_ID.fullmatch(text):
        raise bad("_after", "Follow the `next` link of a page as it is.")
    return text


def _parts(request: Request, *, counting: bool) -> Parts:
    summary = request.query_params.get("_summary") or None
    elements = tuple(filter(None, request.query_params.get("_elements", "").split(",")))
    allowed = SUMMARIES if counting else tuple(name for name in SUMMARIES if name != "count")
    if summary is not None and summary not in allowed:
        raise bad("_summary", "Must be one of the allowed values.", allowed)
    if summary not in (None, "false") and elements:
        raise bad("_elements", "Cannot be used together with _summary.")
    return Parts(summary, elements)
