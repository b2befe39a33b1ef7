"""Identifiers of documents and studies: one normal form each, whatever way they are written."""

import re
from contextlib import suppress
from urllib.parse import quote

from app.sources.vocabulary import IdentifierScheme

_PREFIXES: dict[IdentifierScheme, str] = {
    IdentifierScheme.doi: r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)",
    IdentifierScheme.pmid: r"(?:https?://pubmed\.ncbi\.nlm\.nih\.gov/|pmid:\s*)",
    IdentifierScheme.pmcid: r"(?:https?://pmc\.ncbi\.nlm\.nih\.gov/articles/|pmcid:\s*)",
    IdentifierScheme.nct: r"(?:https?://clinicaltrials\.gov/study/|nct:\s*)",
    IdentifierScheme.eudract: r"(?:eudract:\s*)",
}
_FORMS: dict[IdentifierScheme, tuple[str, str]] = {
    IdentifierScheme.doi: (r"10\.\d{4,9}/[!-~]+", "a DOI such as 10.1002/art.37734"),
    IdentifierScheme.pmid: (r"[1-9]\d{0,8}", "a PMID of one to nine digits"),
    IdentifierScheme.pmcid: (r"PMC[1-9]\d{0,8}", "a PMCID such as PMC7921161"),
    IdentifierScheme.nct: (r"NCT\d{8}", "an NCT number of eight digits"),
    IdentifierScheme.eudract: (r"\d{4}-\d{6}-\d{2}(?:-[A-Z]{2})?", "a EudraCT number such as 2019-000702-30"),
}
_MAX_LENGTH = 200


class IdentifierError(ValueError):
    """The text is not an identifier of the scheme; the message says what one looks like."""


def normalise(scheme: IdentifierScheme, value: str) -> str:
    """The one form in which an identifier is compared: DOIs in lower case, prefixes and resolver addresses removed."""
    form, example = _FORMS[scheme]
    bare = re.sub(rf"^{_PREFIXES[scheme]}", "", value.strip()[: _MAX_LENGTH * 2], flags=re.IGNORECASE).rstrip("/ ")
    bare = bare.lower() if scheme is IdentifierScheme.doi else bare.upper()
    if len(bare) > _MAX_LENGTH or not re.fullmatch(form, bare, flags=re.ASCII):
        raise IdentifierError(f"must be {example}")
    return bare


def address(scheme: IdentifierScheme, normal: str) -> str | None:
    """Where a reader can open it: an IRI, with every character of a DOI percent-encoded that an IRI does not allow."""
    bases = {
        IdentifierScheme.doi: "https://doi.org/",
        IdentifierScheme.pmid: "https://pubmed.ncbi.nlm.nih.gov/",
        IdentifierScheme.pmcid: "https://pmc.ncbi.nlm.nih.gov/articles/",
        IdentifierScheme.nct: "https://clinicaltrials.gov/study/",
    }
    if scheme is IdentifierScheme.doi:
        normal = quote_doi(normal)
    return bases[scheme] + normal if scheme in bases else None


def doi_address(written: str) -> str:
    """The address of a DOI in whatever way it is written."""
    with suppress(IdentifierError):
        written = normalise(IdentifierScheme.doi, written)
    return f"https://doi.org/{quote_doi(written)}"


def quote_doi(doi: str) -> str:
    """The DOI as it stands in an address."""
    return quote(doi, safe="/:;()!$&'*+,=@")
