"""An Infobutton's answer as JSON, as an Atom feed and as a page. Pure; every text is escaped."""

from xml.etree import ElementTree as ET

from pydantic import BaseModel, ConfigDict

from app.claims.vocabulary import Consensus, Leaning, Tone
from app.core.english import join_sentences
from app.core.templates import content_security_policy, render_template, style_digest

ATOM = "application/atom+xml"
_NAMESPACE = "http://www.w3.org/2005/Atom"

STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "article{border:1px solid #bbb;border-radius:.5rem;padding:.75rem 1rem;margin:.75rem 0}"
    ".text{font-weight:600}.caveat{border-left:.25rem solid #d9a441;padding-left:.7rem}"
    ".quiet{color:#555;font-size:.9rem}"
)
CONTENT_SECURITY_POLICY = content_security_policy(style_src=style_digest(STYLE))


class _InfobuttonModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InfobuttonClaim(_InfobuttonModel):
    """A claim's text with all that must travel with it."""

    id: str
    kind: str
    answer: str
    """What the evidence says."""
    counts: str | None
    """Who found what."""
    claimed: str | None
    """The statement, named as what is claimed; null where the answer quotes it."""
    caveat: str | None
    inheritance: str | None
    """Of whom it is said, where the concept inherits it, such as the drug at its usual doses."""
    consensus: Consensus
    leaning: Leaning
    verdict: str
    tone: Tone
    supporting: str
    disputing: str
    link: str
    updated: str


class InfobuttonLinks(_InfobuttonModel):
    claims: str
    briefs: str | None


class InfobuttonGroup(_InfobuttonModel):
    """The claims about one concept."""

    label: str
    type: str
    id: str
    message: str | None
    claims: list[InfobuttonClaim]
    truncated: bool
    links: InfobuttonLinks


class InfobuttonAnswer(_InfobuttonModel):
    site: str
    """The name of the data set."""
    language: str
    """Of its texts."""
    evidence_id: str
    """What the ids of its feeds begin with."""
    title: str
    updated: str
    message: str | None
    disclaimer: str
    groups: list[InfobuttonGroup]


def page(answer: InfobuttonAnswer) -> str:
    return render_template("infobutton/answer.html", answer=answer, style=STYLE)


def atom(answer: InfobuttonAnswer) -> bytes:
    """A feed with an entry for each claim; the group stands in its category."""
    feed = ET.Element("feed", {"xmlns": _NAMESPACE, "xml:lang": answer.language})
    _texts(feed, title=answer.title, subtitle=answer.message or answer.disclaimer, updated=answer.updated)
    _texts(
        feed,
        id=f"tag:{answer.evidence_id},2026:infobutton/{'+'.join(group.id for group in answer.groups) or 'none'}",
    )
    _texts(feed, rights=answer.disclaimer)
    _texts(ET.SubElement(feed, "author"), name=answer.site)
    for group in answer.groups:
        for claim in group.claims:
            entry = ET.SubElement(feed, "entry")
            _texts(
                entry,
                title=join_sentences(claim.answer, claim.claimed),
                id=f"tag:{answer.evidence_id},2026:{group.id}/claims/{claim.id}",
            )
            _texts(entry, updated=claim.updated)
            ET.SubElement(entry, "link", {"rel": "alternate", "type": "application/json", "href": claim.link})
            ET.SubElement(entry, "category", {"term": group.id, "label": group.label})
            ET.SubElement(entry, "category", {"term": claim.kind})
            summary = render_template("infobutton/claim.html", claim=claim)
            ET.SubElement(entry, "summary", {"type": "html"}).text = summary
    written: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _texts(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, name).text = text
