"""Formats of references. A format is one module here and one entry in FORMATS or PAGES."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.bibliography import bibtex, csl_json, ris, styles
from app.bibliography.reference import Reference


@dataclass(frozen=True)
class CitationFormat:
    label: str
    """As readers know it."""
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
    """Ends an address in place of the extension, where that would say too little."""

    @property
    def ending(self) -> str:
        """What an address that answers in this format ends in."""
        return self.suffix or self.extension


FORMATS: dict[str, CitationFormat] = {
    "csl-json": CitationFormat(
        "CSL-JSON",
        "application/vnd.citationstyles.csl+json",
        "json",
        csl_json.render,
        ("application/citeproc+json",),
        suffix="csl.json",
    ),
    "bibtex": CitationFormat("BibTeX", "application/x-bibtex", "bib", bibtex.render),
    "ris": CitationFormat("RIS", "application/x-research-info-systems", "ris", ris.render),
    "text": CitationFormat(
        "formatted text", "text/x-bibliography", "txt", styles.render, ("text/plain",), has_styles=True
    ),
}
"""What reference managers and writers read: negotiated, and downloaded under a name."""
PAGES = {"html": CitationFormat("formatted HTML", "text/html", "html", styles.render_html, has_styles=True)}
"""What people read: asked for by name or address alone, because a browser likes HTML best at every address."""
ALL_FORMATS = FORMATS | PAGES
