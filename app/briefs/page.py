"""A brief as one HTML page that holds its own style, needs no script, and can be saved and printed. Pure."""

from collections.abc import Iterator

from app.briefs import wording
from app.briefs.responses import BriefRead, Statement
from app.claims.vocabulary import Stance
from app.core.english import joined
from app.core.templates import content_security_policy, page_style, render_template, style_digest
from app.grading.wording import NO_ALL_CLEAR, verdict

STYLE = page_style("briefs/brief.css")
CONTENT_SECURITY_POLICY = content_security_policy(style_src=style_digest(STYLE), img_src="'self' data:")
"""Allows the page's own style, by its digest, and nothing else."""


def html(brief: BriefRead) -> str:
    return render_template("briefs/brief.html", brief=brief, **_CONTEXT)


def _notes(statement: Statement) -> Iterator[tuple[str, str]]:
    """CSS class and text of the paragraphs below a statement."""
    paragraphs = (
        ("caveat", statement.caveat),
        ("quiet", wording.inheritance(statement)),
        ("quiet", wording.validity(statement)),
        ("certainty", joined(verdict(statement), statement.certainty_text)),
        *(("quiet", f"Stated by {wording.origin_line(origin)}") for origin in statement.origins),
    )
    return ((css, text) for css, text in paragraphs if text)


def _relative(address: str) -> str:
    """Our own address, relative to the brief's, so that it holds behind a proxy that adds a prefix."""
    return "../../" + address.removeprefix("/v1/")


_CONTEXT = {
    "style": STYLE,
    "words": wording,
    "verdict": verdict,
    "joined": joined,
    "no_all_clear": NO_ALL_CLEAR,
    "notes": _notes,
    "relative": _relative,
    "signs": {Stance.supports: "+", Stance.disputes: "\N{MINUS SIGN}", Stance.mixed: "\N{PLUS-MINUS SIGN}"},
}
"""What the templates of a brief use besides the brief."""
