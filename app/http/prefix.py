"""The path below which a deployment is reached, that of `PUBLIC_URL`: the one place that takes it off and puts it on.

Stored bodies, routes, the cost table and log lines know addresses without it. `PathPrefix.of_request` takes it off a
request; what stands around the application works on that. `PathPrefix.around` puts it on the application's answers:
on headers, and on the addresses in JSON, HTML, XML and Markdown. An answer is changed before it is compressed and
kept, so once. Without a prefix nothing of this is in the way of a request.

Only whole values are changed, and only where an address of ours can stand: a property, an attribute or a link target
whose value begins with `/` and the first segment of a route. Statements, titles and quotes are never touched.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.conditional import without_coding
from app.http.problems import MEDIA_TYPE as PROBLEM

ADDRESS_PROPERTIES = frozenset(
    b"""
    @id address artifactUri briefs citation citations claim claims contentUrl document documents evidence first
    first_call fullUrl hasEvidenceItems href html id instance iri json last link markdown next page permalink prev
    previous reportedIn self src studies study system type uri url urls versions
    """.split()
)
"""Properties of JSON that hold addresses. So does whatever stands in an object named `links`, and what ends in `_url`,
`_uri`, `_href` or `_link`."""
_ENDINGS = (b"_url", b"_uri", b"_href", b"_link")
ADDRESS_ATTRIBUTES = frozenset(
    b"href src action formaction poster cite data content template imagesrcset srcset".split()
)
"""Attributes of HTML and XML that hold addresses; so do those whose name ends in `-href`, `-src`, `-url` or `:href`."""
_ATTRIBUTE_ENDINGS = (b"-href", b"-src", b"-url", b"-uri", b"-address", b":href")
MAX_NAME_BYTES = 40
MAX_LINKS_BYTES = 4000
"""How far from its beginning an object named `links` is recognised."""

_TAG = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_FHIR_VERSION = re.compile(rb'(?:W/)?"\d{1,18}"')
"""FHIR wants the version of a resource as its ETag, and nothing else."""
_JSON_IN_HTML = re.compile(rb'<script type="application/(?:ld\+)?json"[^>]*>[^<]*')
_SRCSET = re.compile(rb'srcset="[^"]*')

Convert = Callable[[bytes], bytes]


class PrefixTaken(ValueError):
    """The prefix begins with the first segment of an address of the application."""

    def __init__(self, segment: str) -> None:
        super().__init__(
            f"The path of PUBLIC_URL may not begin with /{segment}, which is an address of this server itself."
        )


@dataclass(frozen=True)
class _Format:
    """How addresses are found in a media type, and where a body that comes in pieces may be cut."""

    convert: Convert
    cuts: tuple[bytes, ...]

    def cut(self, body: bytes) -> int:
        """Up to where the body can be converted although more comes."""
        return max(0, *(body.rfind(cut) for cut in self.cuts))


@dataclass
class PathPrefix:
    """`path` such as `/kb`; `segments` are the first segments of all addresses of the application.

    PrefixTaken if the prefix begins like one of them: nobody could tell whether a proxy has taken it off.
    """

    path: str
    segments: Iterable[str]
    _formats: dict[str, _Format] = field(init=False)

    def __post_init__(self) -> None:
        segments = {*self.segments, "errors"}
        first = self.path.split("/")[1]
        if first in segments:
            raise PrefixTaken(first)
        self.raw = self.path.encode()
        digest = hashlib.blake2b(self.raw, digest_size=4).hexdigest()
        self._mark = f"-p{digest}".encode()
        own = b"|".join(re.escape(name.encode()) for name in sorted(segments))
        ours = rb"/(?:(?:%b)(?=[/?#\"'<>)\s]|$)|(?=[?#\"'<>)]|$))" % own
        string = rb'"(?=/(?:(?:%b)[/?#"]|[?#"]))' % own
        self._leading = re.compile(ours)
        self._in_json = re.compile(rb'": ?' + string)
        self._in_array = re.compile(rb'": ?\[' + string)
        self._array_element = re.compile(rb'", ?' + string)
        self._cited = re.compile(rb'"how_to_cite": ?"[^"\\]*Available from: (?=%b)' % ours)
        self._in_sentence = re.compile(rb"(?<= )(?=/(?:%b)[/?#.,; ])" % own)
        self._in_attribute = re.compile(rb"=[\"'](?=%b)" % ours)
        self._in_srcset = re.compile(rb",\s*(?=%b)" % ours)
        self._in_refresh = re.compile(rb"content=[\"']\d+; ?url=(?=%b)" % ours)
        self._in_element = re.compile(rb"<(?:id|uri|icon|logo|link|loc)>(?=%b)" % ours)
        self._in_cell = re.compile(rb'(?:(?<=[,\n"])|^)(?=/(?:%b)[/?#])' % own)
        self._in_markdown = re.compile(rb"(?<!\\)(?:\]\(<?|\]: |<)(?=%b)" % ours)
        self._formats = {
            "json": _Format(self._json, (b"\n", b"},{")),
            "html": _Format(self._html, (b"<",)),
            "xml": _Format(self._html, (b"<",)),
            "markdown": _Format(self._markdown, (b"\n",)),
            "csv": _Format(self._csv, (b"\n",)),
        }

    # --- requests

    def of_request(self, scope: Scope) -> Scope:
        """The request without the prefix; one that comes without it, because a proxy took it off, as it is."""
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        if not raw_path.startswith(self.raw) or raw_path[len(self.raw) : len(self.raw) + 1] not in (b"", b"/"):
            return scope
        return {**scope, "path": scope["path"][len(self.path) :], "raw_path": raw_path[len(self.raw) :]}

    def _known_tags(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The headers with the tags that the application itself gave; tags of another deployment are left out."""
        known = []
        for name, value in headers:
            if name == b"if-none-match" and value.strip() != b"*":
                tags = [own for tag in _TAG.findall(value) if (own := self._unmarked(tag)) is not None]
                known += [(name, b", ".join(tags))] if tags else []
            else:
                known.append((name, value))
        return known

    def _unmarked(self, tag: bytes) -> bytes | None:
        if _FHIR_VERSION.fullmatch(tag):
            return tag
        end = self._end(tag)
        return tag[: end - len(self._mark)] + tag[end:] if tag[:end].endswith(self._mark) else None

    def _marked(self, tag: bytes) -> bytes:
        if _FHIR_VERSION.fullmatch(tag) and tag.startswith(b"W/"):
            return tag
        end = self._end(tag)
        return tag[:end] + self._mark + tag[end:]

    def _end(self, tag: bytes) -> int:
        """Where the tag ends, but for the content coding and the quotation mark."""
        return len(without_coding(tag.decode("latin-1"))) - 1

    # --- answers

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, whose answers hold addresses with the prefix."""

        async def prefixed(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
            elif not scope["path"]:  # relative links need the final slash
                await RedirectResponse(f"{self.path}/", 308)(scope, receive, send)
            else:
                # In place: the layers around this one read from the scope which route has answered.
                scope["headers"] = self._known_tags(scope["headers"])
                await app(scope, receive, _Answer(self, send).send)

        return prefixed

    def of_response(self, response: Response) -> Response:
        """A whole response, with the prefix in its addresses."""
        form = self.format_of(response.headers)
        if form is not None:
            response.body = form.convert(bytes(response.body))
            response.headers["content-length"] = str(len(response.body))
        response.raw_headers = self.of_headers(response.raw_headers)
        return response

    def of_headers(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [(name, self._header(name.lower(), value)) for name, value in headers]

    def _header(self, name: bytes, value: bytes) -> bytes:
        if name == b"etag":
            return self._marked(value)
        if name in (b"location", b"content-location"):
            return self.raw + value if self._leading.match(value) else value
        if name == b"link":
            return b"<".join(
                self.raw + part if number and self._leading.match(part) else part
                for number, part in enumerate(value.split(b"<"))
            )
        return value

    def format_of(self, headers: Headers) -> _Format | None:
        """How the body is to be converted; null for media types without addresses, and for what is compressed."""
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if "content-encoding" in headers:
            return None
        if media_type == PROBLEM:
            return _Format(self._problem, ())
        subtype = media_type.rpartition("/")[2].rpartition("+")[2].removeprefix("x-")
        subtype = {"ndjson": "json", "jsonl": "json", "xhtml": "html"}.get(subtype, subtype)
        return self._formats.get(subtype)

    # --- bodies

    def _json(self, body: bytes) -> bytes:
        body = self._in_json.sub(self._value, body)
        if b'"how_to_cite"' in body:
            body = self._cited.sub(self._appended, body)
        if body.startswith(b'{"resourceType":"OperationOutcome"'):
            body = self._in_sentence.sub(self.raw, body)
        return self._arrays(body) if b'["/' in body else body

    def _problem(self, body: bytes) -> bytes:
        """A problem's `detail` is a sentence of ours, which may name an address."""
        start = body.find(b'"detail":"')
        end = body.find(b'","code":"', start)
        if start > 0 and end > 0:
            body = body[:start] + self._in_sentence.sub(self.raw, body[start:end]) + body[end:]
        return self._json(body)

    def _value(self, match: re.Match[bytes]) -> bytes:
        """The beginning of a string, after it the prefix if the string is the value of a property with addresses."""
        body, start = match.string, match.start()
        name = body[body.rfind(b'"', max(0, start - MAX_NAME_BYTES), start) + 1 : start]
        is_address = name in ADDRESS_PROPERTIES or name.endswith(_ENDINGS) or _is_among_links(body, start)
        if name == b"value":  # of an extension, whose name stands before
            is_address = body.endswith(b'"name":"permalink",', 0, start - len(b'"value'))
        return match[0] + self.raw if is_address else match[0]

    def _arrays(self, body: bytes) -> bytes:
        """The elements of arrays that hold addresses alone."""
        pieces, done = [], 0
        for match in self._in_array.finditer(body):
            end = body.find(b"]", match.end())
            if self._value(match) != match[0] and end > 0:
                elements = self._array_element.sub(self._appended, body[match.end() : end])
                pieces += [body[done : match.end()], self.raw, elements]
                done = end
        return b"".join([*pieces, body[done:]])

    def _appended(self, match: re.Match[bytes]) -> bytes:
        return match[0] + self.raw

    def _html(self, body: bytes) -> bytes:
        body = self._in_attribute.sub(self._attribute, body)
        body = self._in_element.sub(self._appended, body)
        if b'json"' in body:
            body = _JSON_IN_HTML.sub(lambda match: self._json(match[0]), body)
        if b"srcset=" in body:
            body = _SRCSET.sub(lambda match: self._in_srcset.sub(self._appended, match[0]), body)
        return self._in_refresh.sub(self._appended, body) if b"http-equiv" in body else body

    def _attribute(self, match: re.Match[bytes]) -> bytes:
        body, start = match.string, match.start()
        if body.rfind(b"<", 0, start) <= body.rfind(b">", 0, start):
            return match[0]  # text between elements
        name = b"".join(body[max(0, start - MAX_NAME_BYTES) : start].split()[-1:]).lower()
        is_address = name in ADDRESS_ATTRIBUTES or name.endswith(_ATTRIBUTE_ENDINGS)
        if name == b"content":  # of a `meta`, which may be a sentence
            is_address = b" " not in body[match.end() : body.find(match[0][-1:], match.end())]
        return match[0] + self.raw if is_address else match[0]

    def _csv(self, body: bytes) -> bytes:
        return self._in_cell.sub(self.raw, body)

    def _markdown(self, body: bytes) -> bytes:
        return self._in_markdown.sub(self._appended, body)


def _is_among_links(body: bytes, position: int) -> bool:
    """Whether the innermost object at this place of a JSON body is named `links`."""
    start = body.rfind(b"{", max(0, position - MAX_LINKS_BYTES), position)
    is_open = start > 0 and body.find(b"}", start, position) < 0
    return is_open and body[max(0, start - 10) : start].rstrip().endswith(b'"links":')


class _Answer:
    """One answer on its way out. A body that comes whole is converted whole; else piece by piece."""

    def __init__(self, prefix: PathPrefix, send: Send) -> None:
        self._prefix = prefix
        self._send = send
        self._form: _Format | None = None
        self._start: Message | None = None
        """Held back until the length is known."""
        self._rest = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": self._prefix.of_headers(message["headers"])}
            self._form = self._prefix.format_of(Headers(raw=message["headers"]))
            if self._form is not None:
                self._start = message
                return
        if message["type"] == "http.response.body" and self._form is not None:
            message = await self._converted(message, self._form)
        await self._send(message)

    async def _converted(self, message: Message, form: _Format) -> Message:
        is_last = not message.get("more_body", False)
        body = self._rest + message.get("body", b"")
        cut = len(body) if is_last else form.cut(body)
        self._rest = body[cut:]
        body = form.convert(body[:cut])
        if self._start is not None:
            headers = MutableHeaders(raw=self._start["headers"])
            if "content-length" in headers:
                del headers["content-length"]
                if is_last:
                    headers["content-length"] = str(len(body))
            await self._send(self._start)
            self._start = None
        return {**message, "body": body}
