"""A brief as one HTML page that holds its own style, needs no script, and can be saved and printed. Pure.

Text from the data reaches the page through `escape` alone; addresses are our own or were checked to be http(s).
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from app.briefs import wording as words
from app.briefs.responses import (
    BriefCitation,
    BriefRead,
    BriefReference,
    Footnote,
    Section,
    Sentence,
    Statement,
    Undecided,
)
from app.claims.responses import ClaimSummary
from app.claims.vocabulary import Stance
from app.questions.coverage import NO_ALL_CLEAR

STYLE = (Path(__file__).parent / "brief.css").read_text(encoding="utf-8")

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Admits the page's own style, by its digest, and nothing else."""

_SIGNS = {Stance.supports: "+", Stance.disputes: "\N{MINUS SIGN}", Stance.mixed: "\N{PLUS-MINUS SIGN}"}


def html(brief: BriefRead) -> str:
    title = escape(brief.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title} · what is known</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n{_top(brief)}\n"
        + "\n".join(_section(brief, section) for section in brief.sections)
        + f"\n{_references(brief)}\n</main>\n{_foot(brief)}\n</body>\n</html>\n"
    )


def _p(text: str, css: str = "") -> str:
    """A paragraph of text; nothing for no text."""
    return f'<p class="{css}">{escape(text)}</p>' if text else ""


def _joined(*texts: str | None) -> str:
    return " ".join(text for text in texts if text)


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _own(address: str) -> str:
    """Our own address, relative to the brief's, so that it holds behind a proxy that adds a prefix."""
    return escape("../../" + address.removeprefix("/v1/"))


# --- top and sections ---------------------------------------------------------------------------------------------


def _top(brief: BriefRead) -> str:
    known = brief.notice
    entries = [*((section.id, section.title) for section in brief.sections), ("references", "References")]
    contents = "".join(f'<li><a href="#{anchor}">{escape(title)}</a></li>' for anchor, title in entries)
    read_first = f"<p><strong>Read first.</strong> {escape(known.disclaimer)}</p>"
    return "\n".join(
        (
            _p(known.summary, "answer"),
            _summary(known.claim) if known.claim else "",
            _p(f"Coverage. {brief.coverage.sentence}", "quiet"),
            f'<aside class="notice" aria-label="Notice">{read_first}</aside>',
            f'<nav aria-label="Sections"><ol>{contents}</ol></nav>',
            '<p class="legend">Footnotes: + supports, \N{MINUS SIGN} disputes, \N{PLUS-MINUS SIGN} mixed, no sign: '
            "inconclusive, background or not assessed.</p>",
        )
    )


def _summary(claim: ClaimSummary) -> str:
    link = f'<a href="{_own(claim.links.self)}">{escape(claim.statement)}</a>'
    return f'<p class="verdict">On the claim: {link} {escape(words.verdict(claim))}</p>' + _p(
        claim.caveat or "", "caveat"
    )


def _section(brief: BriefRead, section: Section) -> str:
    parts = [f'<section id="{section.id}">', f"<h2>{escape(section.title)}</h2>", _p(section.note or "", "note")]
    topic = None
    for statement in section.statements:
        if statement.topic != topic:
            topic = statement.topic
            parts.append(f"<h3>{escape(topic)}</h3>")
        parts.append(_statement(statement, opened=section.id == "does-it-help"))
    if section.truncated:
        parts.append(f'<p><a href="{_own(brief.links.claims)}">There are more statements than are shown here.</a></p>')
    if section.id == "unknown":
        parts.extend(_unknown(brief))
    return "\n".join(part for part in [*parts, "</section>"] if part)


# --- statements ---------------------------------------------------------------------------------------------------


def _statement(statement: Statement, *, opened: bool) -> str:
    origin = f"Stated by {words.origin_line(statement.origin)}" if statement.origin else ""
    record = f'<a href="{_own(statement.permalink)}">{statement.claim_id}</a>, version {statement.version}'
    parts = (
        f'<article class="statement" id="claim-{statement.claim_id}">',
        f'<p class="text">{escape(statement.text)}{_marks(statement)}</p>',
        _p(statement.caveat or "", "caveat"),
        _p(words.inheritance(statement), "quiet"),
        _p(words.validity(statement), "quiet"),
        _p(_joined(words.verdict(statement), statement.certainty_text), "certainty"),
        _p(origin, "quiet"),
        _sources(statement, opened=opened),
        _restated(statement.restated_by),
        f'<p class="record">{record}</p>',
        "</article>",
    )
    return "\n".join(part for part in parts if part)


def _marks(sentence: Sentence) -> str:
    if not sentence.cited:
        return ' <span class="uncited">uncited</span>'
    links = ", ".join(map(_mark, sentence.footnotes))
    return f'<span class="mark">{links}</span>'


def _mark(note: Footnote) -> str:
    says = escape(f"{note.stance_label}: {note.document.label}")
    sign = _SIGNS.get(note.stance, "")
    return f'<a class="{note.stance}" href="#ref-{note.number}" title="{says}">{sign}{note.number}</a>'


def _sources(statement: Statement, *, opened: bool) -> str:
    """Both sides in two columns, what decides nothing below; folded away where the question is not benefit."""
    if not statement.cited:
        return ""
    sides = "".join(_side(statement, stance) for stance in words.stances(statement))
    if opened:
        return f'<div class="sides">{sides}</div>'
    number = len(statement.footnotes)
    return f'<details><summary>Sources and findings ({number})</summary><div class="sides">{sides}</div></details>'


def _side(statement: Statement, stance: Stance) -> str:
    wide = "" if stance in (Stance.supports, Stance.disputes) else " wide"
    title = f"<h4>{escape(words.side_title(statement, stance))}</h4>"
    return f'<div class="side {stance}{wide}">{title}{_list(map(_citation, words.side(statement, stance)))}</div>'


def _citation(citation: BriefCitation) -> str:
    source = escape(words.source_line(citation))
    by = f'<a href="#ref-{citation.number}">[{citation.number}]</a> <span class="by">{source}</span>'
    return f"{by}<br>{escape(citation.finding)}" if citation.finding else by


def _restated(sentences: Iterable[Sentence]) -> str:
    def told(sentence: Sentence) -> str:
        said = words.origin_line(sentence.origin) if sentence.origin else sentence.text
        rest = _joined(sentence.caveat, words.verdict(sentence))
        link = f'<a href="{_own(sentence.permalink)}">{sentence.claim_id}</a>'
        return f"Also stated by {escape(said)}{_marks(sentence)} {escape(rest)} {link}"

    items = [told(sentence) for sentence in sentences]
    return f'<div class="restated">{_list(items)}</div>' if items else ""


# --- what is unknown, references, foot ----------------------------------------------------------------------------


def _unknown(brief: BriefRead) -> Iterator[str]:
    if brief.undecided:
        yield "<h3>Measured or claimed, and not decided</h3>"
        yield _list(map(_undecided, brief.undecided))
    if brief.open_questions:
        yield "<h3>Open questions</h3>"
        yield _list(
            f'{escape(words.question_line(question))} <span class="quiet">{escape(question.note or "")}</span>'
            for question in brief.open_questions
        )
    yield "<h3>Studies without results</h3>"
    if brief.pending_studies:
        yield _list(
            f'<a href="{_own(study.links.self)}">{escape(words.pending_line(study))}</a>'
            for study in brief.pending_studies
        )
    else:
        yield _p(f"None is recorded. {NO_ALL_CLEAR}", "quiet")


def _undecided(undecided: Undecided) -> str:
    claim = undecided.claim
    rest = _joined(words.verdict(claim), undecided.certainty_text, claim.caveat)
    return f'<a href="#claim-{claim.id}">{escape(claim.statement)}</a> <span class="quiet">{escape(rest)}</span>'


def _references(brief: BriefRead) -> str:
    items = "".join(map(_reference, brief.references))
    listed = f'<ol class="references">{items}</ol>' if items else _p("No source is cited.", "quiet")
    origins = "".join(
        _p(f"Statements marked “stated by” come from {origin.label}, which is no evidence for them.", "quiet")
        for origin in brief.origins
    )
    return f'<section id="references">\n<h2>References</h2>\n{listed}\n{origins}</section>'


def _reference(reference: BriefReference) -> str:
    link = f' <a href="{escape(reference.url)}" rel="noreferrer">Open</a>' if reference.url else ""
    marks = f'<span class="quiet standing-{reference.standing}">{escape(words.reference_marks(reference))}</span>'
    record = f'<a href="{_own(reference.self)}">Record</a>'
    anchor = f'id="ref-{reference.number}" value="{reference.number}"'
    return f"<li {anchor}>{escape(reference.text)} {marks}{link} {record}</li>"


def _foot(brief: BriefRead) -> str:
    address = f"{brief.intervention.id}/{brief.condition.id}"
    return (
        "<footer>\n"
        + "\n".join(_p(line) for line in words.foot_lines(brief))
        + f'\n<p><a href="{_own(brief.links.markdown)}">Markdown</a> · <a href="../{address}?format=json">JSON</a> · '
        f'<a href="{_own(brief.links.claims)}">Claims</a></p>\n</footer>'
    )
