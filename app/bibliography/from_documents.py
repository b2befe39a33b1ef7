"""References made from documents."""

from app.bibliography import markup
from app.bibliography.reference import Mark, Name, Reference, titled
from app.sources import identifiers
from app.sources.names import split_suffix
from app.sources.rendering import identified
from app.sources.schemas import Author, DocumentWrite, StandingEntry
from app.sources.vocabulary import REGISTRIES, DocumentKind, IdentifierScheme, Standing

_TYPES = {DocumentKind.legislation: "webpage"}
"""As CSL's `regulation`, citation styles print a drug label by the rules for statutes, without address or publisher."""

WARNINGS = {Standing.retracted: Mark.retracted, Standing.expression_of_concern: Mark.concern}
"""Standings that are named wherever the document is."""
_CHANGES = {
    Standing.retracted: "Retracted",
    Standing.expression_of_concern: "Expression of concern",
    Standing.corrected: "Corrected",
    Standing.superseded: "Superseded",
    Standing.preprint: "Preprint, not peer reviewed",
    Standing.reinstated: "Reinstated after a retraction or concern",
}


_AS_IS = ("id", "label", "title", "authors_complete")


def reference_of(document: DocumentWrite) -> Reference:
    """The document as it is cited. Its id is the key in every format."""
    standing = document.current_standing
    return Reference(
        **{name: getattr(document, name) for name in _AS_IS},
        container_title=_text(document.container_title),
        container_title_short=_text(document.container_title_short),
        publisher=_text(document.publisher),
        volume=_text(document.volume),
        issue=_text(document.issue),
        page=_text(document.page),
        type=_TYPES.get(document.kind, document.kind.value),
        authors=tuple(_name(author) for author in document.authors),
        issued=_date_parts(document.issued),
        url=document.url or _registry_url(document),
        accessed=_date_parts(document.accessed),
        doi=identified(document, IdentifierScheme.doi),
        pmid=identified(document, IdentifierScheme.pmid),
        pmcid=identified(document, IdentifierScheme.pmcid),
        is_preprint=any(entry.standing is Standing.preprint for entry in document.standing),
        warning=WARNINGS.get(standing.standing),
        notice=_notice(standing),
    )


def plain_title(title: str | None, label: str, standing: Standing) -> str:
    """The title, or else the label, without markup, for formats that have a field for the standing.

    A warning that the publisher wrote into the title is said in one way; none is added.
    """
    warning, is_preprint = WARNINGS.get(standing), standing is Standing.preprint
    text = titled(title or label, label, None, is_preprint=is_preprint)
    warned = titled(title or label, label, warning, is_preprint=is_preprint)
    return markup.plain(text if warned == f"{warning}: {text}" else warned)


def _name(author: Author) -> Name:
    """The name, with its suffix taken off the given names, or off the family name of who has given names."""
    family, given, literal = (_text(part) for part in (author.family, author.given, author.literal))
    suffix = None
    if given:  # a family name that stands alone is left whole
        family, suffix = split_suffix(family or "")
        given, behind = split_suffix(given)
        suffix = behind or suffix
    return Name(family, given, literal, suffix)


def _text(text: str | None) -> str | None:
    """A name or number without markup and entities."""
    return markup.plain(markup.marked(text)) if text else None


def reader_url(document: DocumentWrite) -> str | None:
    """Where a reader can open the document: by its first identifier in this order, else at its own address."""
    for scheme in (IdentifierScheme.doi, IdentifierScheme.pmid, IdentifierScheme.pmcid, *REGISTRIES):
        if normal := identified(document, scheme):
            return identifiers.address(scheme, normal)
    return document.url


def _date_parts(date: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in date.split("-")) if date else ()


def _registry_url(document: DocumentWrite) -> str | None:
    """The address of a trial registration. Other documents are found by their identifiers."""
    numbers = ((scheme, identified(document, scheme)) for scheme in REGISTRIES)
    return next((identifiers.address(scheme, number) for scheme, number in numbers if number), None)


def _notice(entry: StandingEntry) -> str | None:
    """The change of standing with its date and notice: `Retracted 2024-05. Notice: https://doi.org/...`"""
    if entry.standing not in _CHANGES:
        return None
    change = _CHANGES[entry.standing] + (f" {entry.on}" if entry.on else "")
    notice = entry.notice
    text = " ".join(notice.text.split()).rstrip(".") if notice and notice.text else None
    address = None
    if notice is not None:
        address = identifiers.doi_address(notice.doi) if notice.doi else notice.url
    parts = (change, text, f"Notice: {address}" if address else None)
    return ". ".join(part for part in parts if part) + "."
