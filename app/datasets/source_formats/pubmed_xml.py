"""PubMed's XML: what EFetch answers, and what PubMed and its mirrors deliver as files."""

from xml.etree import ElementTree as ET

from app.core.errors import InvalidInput
from app.datasets.source_formats.pubmed_terms import (
    read_notice,
    read_registration,
    read_subject,
    read_types,
    title_of,
)
from app.datasets.source_formats.record import SourceFile, StatedSource, one_line
from app.sources.vocabulary import DocumentKind, IdentifierScheme

_SCHEMES = {"doi": IdentifierScheme.doi, "pubmed": IdentifierScheme.pmid, "pmc": IdentifierScheme.pmcid}
_MARKUP = ("i", "b", "sup", "sub")
"""Elements in a title that are kept."""


def read(raw: bytes, name: str) -> SourceFile:
    """Every article and book chapter of the file."""
    if b"<!ENTITY" in raw:
        raise InvalidInput(f"{name} defines entities, which no file of PubMed does; it was not read.", errors=[])
    try:
        root = ET.fromstring(raw)  # noqa: S314 - without entities of its own
    except (ET.ParseError, ValueError, LookupError) as error:
        raise InvalidInput(f"{name} is no XML that can be read ({error}).", errors=[]) from error
    file = SourceFile()
    for element in root.iter():
        if element.tag in ("PubmedArticle", "PubmedBookArticle"):
            file.records.append(_record(element, f"Record {len(file.records) + 1}"))
        elif element.tag == "DeleteCitation":
            file.doubts.append("The file lists deleted citations; they were passed over.")
    if not file.records:
        file.doubts.append(f"{name} holds no article of PubMed.")
    return file


def _record(element: ET.Element, at: str) -> StatedSource:
    record = StatedSource(at, "pubmed")
    is_book = element.tag == "PubmedBookArticle"
    citation = element.find("BookDocument" if is_book else "MedlineCitation")
    if citation is None:
        record.doubt("it has no citation.")
        return record
    record.identify(IdentifierScheme.pmid, citation.findtext("PMID"))
    if pmid := record.identifiers.get(IdentifierScheme.pmid):
        record.at = f"PMID {pmid}"
    if is_book:
        _read_book(record, citation)
    else:
        _read_article(record, citation)
    data = element.find("PubmedBookData" if is_book else "PubmedData")
    for found in [] if data is None else data.findall("ArticleIdList/ArticleId"):
        if scheme := _SCHEMES.get(found.get("IdType", "")):
            record.identify(scheme, found.text)
    return record


def _read_article(record: StatedSource, citation: ET.Element) -> None:
    article = citation.find("Article")
    if article is None:
        record.doubt("it has no article.")
        return
    record.kind, record.type_text = DocumentKind.article_journal, "PubmedArticle"
    record.state("title", title_of(_text(article.find("ArticleTitle"))))
    record.state("title", title_of(_text(article.find("VernacularTitle"))))
    if record.fields.get("title", "").startswith("["):
        record.doubt("its title stands in brackets, which means that PubMed translated it.")
    record.state("container_title", article.findtext("Journal/Title"))
    record.state("container_title_short", article.findtext("Journal/ISOAbbreviation"))
    record.state("volume", article.findtext("Journal/JournalIssue/Volume"))
    record.state("issue", article.findtext("Journal/JournalIssue/Issue"))
    record.state_pages(article.findtext("Pagination/MedlinePgn"))
    _read_date(record, article.find("Journal/JournalIssue/PubDate"))
    _read_authors(record, article.find("AuthorList"))
    for location in article.findall("ELocationID"):
        if location.get("EIdType") == "doi" and location.get("ValidYN") != "N":
            record.identify(IdentifierScheme.doi, location.text)
    for bank in article.findall("DataBankList/DataBank"):
        for number in bank.findall("AccessionNumberList/AccessionNumber"):
            read_registration(record, bank.findtext("DataBankName") or "", number.text or "")
    for heading in citation.findall("MeshHeadingList/MeshHeading/DescriptorName"):
        read_subject(record, heading.text or "")
    for notice in citation.findall("CommentsCorrectionsList/CommentsCorrections"):
        pmid = one_line(notice.findtext("PMID")) or None
        read_notice(record, notice.get("RefType", ""), _text(notice.find("RefSource")), pmid)
    read_types(record, [kind.text or "" for kind in article.findall("PublicationTypeList/PublicationType")])


def _read_book(record: StatedSource, document: ET.Element) -> None:
    chapter = _text(document.find("ArticleTitle"))
    record.type_text = "chapter" if chapter else "book"
    record.kind = DocumentKind.chapter if chapter else None
    record.state("title", title_of(chapter or _text(document.find("Book/BookTitle"))))
    record.state("container_title", _text(document.find("Book/BookTitle")) if chapter else None)
    record.state("publisher", document.findtext("Book/Publisher/PublisherName"))
    _read_date(record, document.find("Book/PubDate"))
    authors = document.find("AuthorList")
    _read_authors(record, document.find("Book/AuthorList") if authors is None and not chapter else authors)
    read_types(record, [kind.text or "" for kind in document.findall("PublicationType")])


def _read_date(record: StatedSource, published: ET.Element | None) -> None:
    if published is not None:
        parts = [published.findtext(name) or "" for name in ("Year", "Month", "Season", "Day")]
        record.state_date(" ".join(parts) if parts[0] else published.findtext("MedlineDate"))


def _read_authors(record: StatedSource, authors: ET.Element | None) -> None:
    if authors is None:
        return
    record.authors_complete = authors.get("CompleteYN") != "N"
    for author in authors.findall("Author"):
        given, suffix = author.findtext("ForeName") or author.findtext("Initials"), author.findtext("Suffix")
        given = f"{given}, {suffix}" if given and suffix else given
        record.name_author(author.findtext("LastName"), given, _text(author.find("CollectiveName")))


def _text(element: ET.Element | None) -> str:
    """The text of an element, with the markup that titles may have."""
    if element is None:
        return ""
    text = element.text or ""
    for child in element:
        inner = _text(child)
        text += (f"<{child.tag}>{inner}</{child.tag}>" if child.tag in _MARKUP else inner) + (child.tail or "")
    return text
