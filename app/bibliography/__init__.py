"""Reference in, text out. A format is one module here and one entry in FORMATS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.bibliography import bibtex, csl_json, ris
from app.bibliography import styles as text
from app.bibliography.reference import Reference


@dataclass(frozen=True)
class Format:
    """A form in which references leave the house."""

    media_type: str
    """As doi.org names it for content negotiation."""
    extension: str
    """Of the file under which it is downloaded."""
    render: Callable[[Sequence[Reference], str], str]
    """All references in order; the style matters to formatted text alone."""
    aliases: tuple[str, ...] = ()
    """Other media types by which it is asked for."""
    has_styles: bool = False


FORMATS: dict[str, Format] = {
    "csl-json": Format(
        "application/vnd.citationstyles.csl+json", "json", csl_json.render, ("application/citeproc+json",)
    ),
    "bibtex": Format("application/x-bibtex", "bib", bibtex.render),
    "ris": Format("application/x-research-info-systems", "ris", ris.render),
    "text": Format("text/x-bibliography", "txt", text.render, ("text/plain",), has_styles=True),
}
