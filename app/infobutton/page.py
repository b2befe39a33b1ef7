"""An Infobutton's answer as JSON, as an Atom feed and as a page. Pure; every text is escaped."""

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from xml.etree import ElementTree as ET

from pydantic import BaseModel, ConfigDict

from app.claims.vocabulary import Consensus, Leaning

ATOM = "application/atom+xml"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_NAME = "LDN Evidence"

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "article{border:1px solid #bbb;border-radius:.5rem;padding:.75rem 1rem;margin:.75rem 0}"
    ".text{font-weight:600}.caveat{border-left:.25rem solid #d9a441;padding-left:.7rem}"
    ".quiet{color:#555;font-size:.9rem}"
)
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnswerClaim(_Told):
    """A claim's text with all that must travel with it."""

    id: str
    kind: str
    statement: str
    caveat: str | None
    consensus: Consensus
    leaning: Leaning
    verdict: str
    """Consensus and leaning in words."""
    certainty: str
    supporting: str
    disputing: str
    link: str
    updated: str


class AnswerLinks(_Told):
    claims: str
    briefs: str | None


class AnswerGroup(_Told):
    """What is told of one concept."""

    label: str
    type: str
    id: str
    message: str | None
    claims: list[AnswerClaim]
    truncated: bool
    links: AnswerLinks


class Answer(_Told):
    title: str
    updated: str
    message: str | None
    disclaimer: str
    groups: list[AnswerGroup]


def _lines(claim: AnswerClaim) -> Iterator[tuple[str, str]]:
    """What stands below a statement, each with its class."""
    if claim.caveat:
        yield "caveat", claim.caveat
    yield "verdict", f"{claim.verdict} Supporting: {claim.supporting}. Disputing: {claim.disputing}."
    yield "quiet", claim.certainty


def _body(claim: AnswerClaim) -> str:
    told = "".join(f'<p class="{name}">{escape(text)}</p>' for name, text in _lines(claim))
    return f'<p class="text">{escape(claim.statement)}</p>{told}'


# --- page -------------------------------------------------------------------------------------------------------------


def page(answer: Answer) -> str:
    title = escape(answer.title)
    message = f"<p><strong>{escape(answer.message)}</strong></p>" if answer.message else ""
    groups = "".join(map(_section, answer.groups))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} - {_NAME}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>"
        f'{message}{groups}</main><footer class="quiet"><p>{escape(answer.disclaimer)}</p>'
        f"<p>State of {escape(answer.updated)}.</p></footer></body></html>"
    )


def _section(group: AnswerGroup) -> str:
    claims = "".join(
        f'<article>{_body(claim)}<p class="quiet">{escape(claim.kind)}. '
        f'<a href="{escape(claim.link)}">Citations</a></p></article>'
        for claim in group.claims
    )
    message = f"<p>{escape(group.message)}</p>" if group.message else ""
    more = "All claims (more than are shown here)" if group.truncated else "All claims"
    links = f'<a href="{escape(group.links.claims)}">{more}</a>'
    if group.links.briefs:
        links += f' <a href="{escape(group.links.briefs)}">Briefs</a>'
    return f"<section><h2>{escape(group.label)}</h2>{message}{claims}<p>{links}</p></section>"


# --- feed -------------------------------------------------------------------------------------------------------------


def atom(answer: Answer) -> bytes:
    """A feed with an entry for each claim; the group stands in its category."""
    feed = ET.Element("feed", {"xmlns": _NAMESPACE, "xml:lang": "en"})
    _texts(feed, title=answer.title, subtitle=answer.message or answer.disclaimer, updated=answer.updated)
    _texts(feed, id=f"tag:ldn-evidence,2026:infobutton/{'+'.join(group.id for group in answer.groups) or 'none'}")
    _texts(feed, rights=answer.disclaimer)
    _texts(ET.SubElement(feed, "author"), name=_NAME)
    for group in answer.groups:
        for claim in group.claims:
            entry = ET.SubElement(feed, "entry")
            _texts(entry, title=claim.statement, id=f"tag:ldn-evidence,2026:{group.id}/claims/{claim.id}")
            _texts(entry, updated=claim.updated)
            ET.SubElement(entry, "link", {"rel": "alternate", "type": "application/json", "href": claim.link})
            ET.SubElement(entry, "category", {"term": group.id, "label": group.label})
            ET.SubElement(entry, "category", {"term": claim.kind})
            ET.SubElement(entry, "summary", {"type": "html"}).text = _body(claim)
    written: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _texts(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, name).text = text
