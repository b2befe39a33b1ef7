"""A brief as Markdown (CommonMark). Pure. Text from the data is escaped, so that no reader takes it for markup."""

import re
from collections.abc import Iterator

from app.briefs import wording
from app.briefs.responses import BriefRead, Sentence, Statement
from app.core.templates import render_template
from app.grading.wording import NO_ALL_CLEAR, verdict

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
    return render_template("briefs/brief.md", brief=brief, **_CONTEXT)


def _marks(sentence: Sentence) -> str:
    numbers = sorted({footnote.number for footnote in sentence.footnotes})
    return f" \\[{', '.join(map(str, numbers))}\\]" if numbers else " (uncited)"


def _notes(statement: Statement) -> Iterator[str]:
    """The lines below a statement, before its origin and its citations."""
    notes = (
        f"Note: {statement.caveat}" if statement.caveat else "",
        wording.inheritance(statement),
        wording.validity(statement),
        verdict(statement),
        statement.certainty_text,
    )
    return filter(None, notes)


def _url(address: str) -> str:
    """An address that cannot end the angle brackets around it."""
    return address.replace("<", "%3C").replace(">", "%3E").replace(" ", "%20").replace("\\", "%5C")


_CONTEXT = {
    "escape": escape,
    "marks": _marks,
    "no_all_clear": NO_ALL_CLEAR,
    "notes": _notes,
    "url": _url,
    "verdict": verdict,
    "words": wording,
}
"""What the template uses besides the brief."""
