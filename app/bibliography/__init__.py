"""Formats of references. A format is one module here and one entry in FORMATS."""

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


FORMATS: dict[str, CitationFormat] = {
    "csl-json": CitationFormat(
        "application/vnd.citationstyles.csl+json", "json", csl_json.render, ("application/citeproc+json",)
    ),
    "bibtex": CitationFormat("application/x-bibtex", "bib", bibtex.render),
    "ris": CitationFormat("application/x-research-info-systems", "ris", ris.render),
    "text": CitationFormat("text/x-bibliography", "txt", styles.render, ("text/plain",), has_styles=True),
}
