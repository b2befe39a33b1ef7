"""A brief as Markdown (CommonMark), and as an HTML page that holds its own style, needs no script and can be saved.

Pure. Text from the data is escaped, so that no reader takes it for markup.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from app.briefs import wording
from app.briefs.responses import BriefRead, Sentence, Statement
from app.claims.vocabulary import Stance
from app.core.english import join_sentences
from app.core.templates import content_security_policy, page_style, render_template, style_digest
from app.grading.wording import NO_ALL_CLEAR, counted_text

STYLE = page_style("briefs/brief.css")
CONTENT_SECURITY_POLICY = content_security_policy(style_src=style_digest(STYLE), img_src="'self' data:")
"""Allows the page's own style, by its digest, and nothing else."""

_SHARED = {"no_all_clear": NO_ALL_CLEAR, "counted_text": counted_text, "words": wording}
"""What both templates use besides the brief."""


# --- Markdown -----------------------------------------------------------------------------------------------------

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!$^])")
_LINE_START = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))")


def escape(text: str) -> str:
    """Text that no reader of Markdown takes for markup, on one line."""
    flat = " ".join(text.split())
    escaped = _SPECIAL.sub(r"\\\1", flat.replace("&", "&amp;"))
    return _LINE_START.sub(lambda match: f"{match[1]}{_as_text(match[2])}", escaped)


def _as_text(start: str) -> str:
    """A character that starts a list at the start of a line, as a character reference; of a number its first digit."""
    return f"&#{ord(start[0])};{start[1:]}"


def markdown(brief: BriefRead) -> str:
    return render_template(
        "briefs/brief.md", brief=brief, escape=escape, marks=_marks, notes=_lines, url=_url, **_SHARED
    )


def _marks(sentence: Sentence) -> str:
    numbers = sorted({footnote.number for footnote in sentence.footnotes})
    return f" \\[{', '.join(map(str, numbers))}\\]" if numbers else " (uncited)"


def _lines(statement: Statement) -> Iterator[str]:
    """The lines below a statement, before its origins and its citations."""
    notes = (
        statement.counts_text,
        wording.claimed(statement),
        f"Note: {statement.caveat}" if statement.caveat else "",
        wording.inheritance(statement),
        wording.validity(statement),
    )
    return filter(None, notes)


def _url(address: str) -> str:
    """An address that cannot end the angle brackets around it."""
    return address.replace("<", "%3C").replace(">", "%3E").replace(" ", "%20").replace("\\", "%5C")


# --- the page -----------------------------------------------------------------------------------------------------

_SIGNS = {Stance.supports: "+", Stance.disputes: "\N{MINUS SIGN}", Stance.mixed: "\N{PLUS-MINUS SIGN}"}


def html(brief: BriefRead, language: str) -> str:
    return render_template("briefs/brief.html", brief=brief, language=language, style=STYLE, **page_words(_relative))


def page_words(address: Callable[[str], str]) -> dict[str, Any]:
    """What `briefs/sections.html` uses besides the brief. `address` turns an address of the API into a link."""
    own = {"join_sentences": join_sentences, "notes": _paragraphs, "relative": address, "signs": _SIGNS}
    return own | _SHARED


def _paragraphs(statement: Statement) -> Iterator[tuple[str, str]]:
    """CSS class and text of the paragraphs below a statement."""
    paragraphs = (
        ("counts", statement.counts_text),
        ("caveat", statement.caveat),
        ("quiet", wording.inheritance(statement)),
        ("quiet", wording.validity(statement)),
        *(("quiet", f"Stated by {wording.origin_line(origin)}") for origin in statement.origins),
    )
    return ((css, text) for css, text in paragraphs if text)


def _relative(address: str) -> str:
    """Our own address, relative to the brief's, so that it holds behind a proxy that adds a prefix."""
    return "../../" + address.removeprefix("/v1/")
