"""Identifiers of documents and studies: one normal form each, whatever way they are written."""

import html
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote, unquote

from app.core.folding import unify_marks
from app.sources.vocabulary import IdentifierScheme

_ADDRESSES: dict[IdentifierScheme, str] = {
    IdentifierScheme.doi: r"(?:(?:dx|www)\.)?doi\.org/",
    IdentifierScheme.pmid: r"(?:(?:www\.)?pubmed\.gov|(?:www\.)?pubmed\.ncbi\.nlm\.nih\.gov"
    r"|(?:www\.)?ncbi\.nlm\.nih\.gov(?:/m)?/pubmed|(?:www\.)?europepmc\.org(?:/(?:abstract|article))?/med)/(?:\?term=)?",
    IdentifierScheme.pmcid: r"(?:(?:www\.)?(?:pmc\.)?ncbi\.nlm\.nih\.gov(?:/labs)?(?:/pmc)?/articles"
    r"|(?:www\.)?europepmc\.org/(?:abstract|articles?)(?:/pmc)?)/",
    IdentifierScheme.nct: r"(?:(?:www|classic|beta)\.)?clinicaltrials\.gov/(?:ct2?/)?"
    r"(?:(?:show|study|results|history)/)*",
    IdentifierScheme.eudract: r"(?:www\.)?clinicaltrialsregister\.eu/ctr-search/(?:trial/|search\?query=)",
    IdentifierScheme.ctis: r"(?:www\.)?euclinicaltrials\.eu/(?:ctis-public/view/|app/#/view/)",
    IdentifierScheme.isrctn: r"(?:www\.)?(?:isrctn\.com|controlled-trials\.com)/",
    IdentifierScheme.anzctr: r"(?:www\.)?anzctr\.org\.au/(?:Trial/Registration/TrialReview\.aspx\?ACTRN=)?",
    IdentifierScheme.drks: r"(?:www\.)?drks\.de/search/(?:en|de)/trial/",
}
"""Of the sites where identifiers are looked up, without their `https://`."""
_LABELS: dict[IdentifierScheme, str] = {
    IdentifierScheme.doi: r"(?:info:doi/|urn:doi:|doi(?:\.org)?[:=\s]+)",
    IdentifierScheme.pmid: r"(?:pubmed(?:\s+id)?|pmid)(?=[^.])[:=#\s-]*",
    IdentifierScheme.pmcid: r"pmcid[:=\s]*",
    IdentifierScheme.nct: r"(?:clinicaltrials\.gov[:,\s]+|(?:identifier|id|number|no\.)[:,\s]+|nct[:\s]+(?=nct))",
    IdentifierScheme.eudract: r"eudract\b(?:\s+(?:number|no\.?))?[:\s]*",
    IdentifierScheme.ctis: r"(?:ctis|eu\s+ct)\b(?:\s+(?:number|no\.?))?[:\s]*",
    IdentifierScheme.isrctn: r"isrctn(?:\s+(?:registry|number))?[:\s]+(?=isrctn)",
    IdentifierScheme.anzctr: r"(?:anzctr|actrn)[:\s]+(?=actrn)",
    IdentifierScheme.drks: r"drks[:\s]+(?=drks)",
}
"""What stands before an identifier in a text."""
_PREFIXES = {
    scheme: re.compile(rf"(?:(?P<address>(?:(?:https?:)?//)?{_ADDRESSES[scheme]})|{_LABELS[scheme]})+", re.IGNORECASE)
    for scheme in IdentifierScheme
}
_FORMS: dict[IdentifierScheme, tuple[str, str]] = {
    IdentifierScheme.doi: (r"10\.\d{4,9}/[!-~]+", "a DOI such as 10.1002/art.37734"),
    IdentifierScheme.pmid: (r"[1-9]\d{0,8}", "a PMID of one to nine digits"),
    IdentifierScheme.pmcid: (r"PMC[1-9]\d{0,8}", "a PMCID such as PMC7921161"),
    IdentifierScheme.nct: (r"NCT\d{8}", "an NCT number of eight digits"),
    IdentifierScheme.eudract: (r"\d{4}-\d{6}-\d{2}(?:-[A-Z]{2})?", "a EudraCT number such as 2019-000702-30"),
    IdentifierScheme.ctis: (r"\d{4}-\d{6}-\d{2}-\d{2}", "an EU CT number such as 2023-503698-40-00"),
    IdentifierScheme.isrctn: (r"ISRCTN\d{8}", "an ISRCTN of eight digits such as ISRCTN10175490"),
    IdentifierScheme.anzctr: (r"ACTRN\d{14}", "an ACTRN of fourteen digits such as ACTRN12623000498695"),
    IdentifierScheme.drks: (r"DRKS\d{8}", "a DRKS number of eight digits such as DRKS00031815"),
}
"""Those of registries are as in the Bioregistry (0.15.6), ctregistries and ctrdata."""
_MAX_LENGTH = 200
_OPENING, _CLOSING = "(<[{\"'", {")": "(", ">": "<", "]": "[", "}": "{"}
_QUERY = re.compile(r"(?:\?(?:[\w.~-]+=.*)?|&[\w.]+=.*|</.*)$")
_COMMENT = re.compile(r"\s\[[^\]]*\]\.?$")
"""`[doi]`, `[PubMed - indexed for MEDLINE]`: as PubMed writes behind an identifier."""
_SPACED = re.compile(r"^(PMC|NCT|ISRCTN|ACTRN|DRKS)[:\s-]+")
_SUFFIX = re.compile(r"\.ASPX$")
_VERSION = re.compile(r"\.\d+$")
_SENTENCE_MARKS = str.maketrans("\u201c\u201d\u201e\u00ab\u00bb\u3002\u3001", '""""".,')
_FRAGMENT = re.compile(r"(?<!;2-)#.*$")
"""A SICI, the oldest form of DOI, may end in `;2-#`."""
_PUNCTUATION = "., ;:!?\"'/"


class IdentifierError(ValueError):
    """The text is not an identifier of the scheme; the message says what one looks like."""


@lru_cache(maxsize=20_000)
def normalise(scheme: IdentifierScheme, value: str) -> str:
    """The one form in which an identifier is compared: DOIs in lower case, all others in capitals.

    The address of the scheme's site, a label such as `doi:`, percent-encoding, brackets and the punctuation of the
    sentence around it are removed, and so are invisible characters.
    """
    form, example = _FORMS[scheme]
    text = _settled(html.unescape, value[: 4 * _MAX_LENGTH])
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unify_marks(text)).translate(_SENTENCE_MARKS)
    text = _COMMENT.sub("", text).strip().lstrip(_OPENING + " ")
    prefix = _PREFIXES[scheme].match(text)
    bare = text[prefix.end() :] if prefix else text
    is_address = prefix is not None and prefix["address"] is not None
    if scheme is IdentifierScheme.doi:
        bare = _FRAGMENT.sub("", bare) if is_address else bare
        bare = _settled(unquote, _QUERY.sub("", bare)).lower()
    else:
        bare = re.split(r"[/?#&]", bare, maxsplit=1)[0] if is_address else bare
        bare = _SUFFIX.sub("", _SPACED.sub(r"\1", bare.upper()))
        if scheme is IdentifierScheme.pmcid and prefix is not None and bare[:1].isdigit():
            bare = f"PMC{bare}"
        if scheme in (IdentifierScheme.pmid, IdentifierScheme.pmcid):
            bare = _VERSION.sub("", bare)  # `PMC7921161.1`, and `23359310.0` as spreadsheets write it
    bare = _without_punctuation(bare)
    if len(bare) > _MAX_LENGTH or not re.fullmatch(form, bare, flags=re.ASCII):
        raise IdentifierError(f"must be {example}")
    return bare


def normal_or_none(scheme: IdentifierScheme, value: object) -> str | None:
    """The normal form of what may be an identifier of the scheme; null for what is none."""
    try:
        return normalise(scheme, str(value))
    except IdentifierError:
        return None


def identify(text: str) -> tuple[IdentifierScheme, str] | None:
    """The identifier in a text that holds nothing else, with its scheme; null for bare digits and other text."""
    for scheme in IdentifierScheme:
        normal = normal_or_none(scheme, text)
        if normal and (scheme is not IdentifierScheme.pmid or not text.strip().isdigit()):
            return scheme, normal
    return None


def _settled(undo: Callable[[str], str], text: str) -> str:
    """The text after what was done to it, perhaps more than once, is undone."""
    for _ in range(3):
        before, text = text, undo(text)
        if text == before:
            break
    return text


def _without_punctuation(text: str) -> str:
    """Without what the sentence around an identifier adds at its end; brackets that it opened itself stay."""
    while text and (
        text[-1] in _PUNCTUATION or (text[-1] in _CLOSING and text.count(text[-1]) > text.count(_CLOSING[text[-1]]))
    ):
        text = text[:-1]
    return text


def address(scheme: IdentifierScheme, normal: str) -> str:
    """Where a reader can open it: a URI, so that signs such as `<` and `#` in a DOI are percent-encoded."""
    if scheme is IdentifierScheme.doi:
        normal = quote_doi(normal)
    if scheme is IdentifierScheme.eudract:
        normal = normal[:_EUDRACT_LENGTH]
    return _LOOKED_UP[scheme].format(normal)


_LOOKED_UP: dict[IdentifierScheme, str] = {
    IdentifierScheme.doi: "https://doi.org/{}",
    IdentifierScheme.pmid: "https://pubmed.ncbi.nlm.nih.gov/{}",
    IdentifierScheme.pmcid: "https://pmc.ncbi.nlm.nih.gov/articles/{}",
    IdentifierScheme.nct: "https://clinicaltrials.gov/study/{}",
    IdentifierScheme.eudract: "https://www.clinicaltrialsregister.eu/ctr-search/search?query={}",
    IdentifierScheme.ctis: "https://euclinicaltrials.eu/ctis-public/view/{}",
    IdentifierScheme.isrctn: "https://www.isrctn.com/{}",
    IdentifierScheme.anzctr: "https://www.anzctr.org.au/{}.aspx",
    IdentifierScheme.drks: "https://drks.de/search/en/trial/{}",
}
_EUDRACT_LENGTH = len("2019-000702-30")
"""Without the country that may follow."""


def doi_address(written: str) -> str:
    """The address of a DOI in whatever way it is written."""
    return f"https://doi.org/{quote_doi(normal_or_none(IdentifierScheme.doi, written) or written)}"


def quote_doi(doi: str) -> str:
    """The DOI as it stands in an address."""
    return quote(doi, safe="/:;()!$&'*+,=@")
