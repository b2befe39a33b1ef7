"""Formats of references. A format is one module here and one entry in FORMATS or PAGES."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.bibliography import bibtex, csl_json, ris, styles
from app.bibliography.reference import Reference


@dataclass(frozen=True)
class CitationFormat:
    media_type: str
    """As doi.org names it for content negotiation."""
    extension: str
    """File name extension of a download."""
    render: Callable[[Sequence[Reference], str], str]
    """The text of all references in order. Only a format that has styles uses the style."""
    aliases: tuple[str, ...] = ()
    """Other media types that clients use for it."""
    has_styles: bool = False
    suffix: str = ""
    """Of an address that answers in this format, where it is not the extension."""


FORMATS: dict[str, CitationFormat] = {
    "csl-json": CitationFormat(
        "application/vnd.citationstyles.csl+json",
        "json",
        csl_json.render,
        ("application/citeproc+json",),
        suffix="csl.json",
    ),
    "bibtex": CitationFormat("application/x-bibtex", "bib", bibtex.render),
    "ris": CitationFormat("application/x-research-info-systems", "ris", ris.render),
    "text": CitationFormat("text/x-bibliography", "txt", styles.render, ("text/plain",), has_styles=True),
}
"""What reference managers and writers read: negotiated, and downloaded under a name."""
PAGES = {"html": CitationFormat("text/html", "html", styles.render_html, has_styles=True)}
"""What people read: asked for by name or address alone, because a browser likes HTML best at every address."""
ALL_FORMATS = FORMATS | PAGES
