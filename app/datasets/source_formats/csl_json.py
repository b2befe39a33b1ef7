"""Works of Crossref, and CSL-JSON of reference managers: two spellings of one shape."""

from typing import Any

from app.core.errors import InvalidInput
from app.core.json_reader import read_json
from app.datasets.source_formats.record import SourceFile, StatedSource, one_line
from app.datasets.standing import StandingFeed, crossref_date, read_crossref_work, works_in
from app.sources.identifiers import identify
from app.sources.vocabulary import REGISTRIES, DocumentKind, IdentifierScheme

KINDS = {
    "journal-article": DocumentKind.article_journal,
    "article-journal": DocumentKind.article_journal,
    "book-chapter": DocumentKind.chapter,
    "chapter": DocumentKind.chapter,
    "report": DocumentKind.report,
    "dataset": DocumentKind.dataset,
    "webpage": DocumentKind.webpage,
    "regulation": DocumentKind.legislation,
}
"""Types of Crossref and of CSL that are kinds here."""
_FIELDS = {
    "container_title": "container-title",
    "container_title_short": ("short-container-title", "container-title-short", "journalAbbreviation"),
    "volume": "volume",
    "issue": "issue",
    "publisher": "publisher",
    "url": "URL",
}


def read(raw: bytes, name: str) -> SourceFile:
    """Every work in the file."""
    try:
        data = read_json(raw)
    except ValueError as error:
        raise InvalidInput(f"{name} is no JSON that can be read.", errors=[]) from error
    file = SourceFile()
    for number, work in enumerate(works_in(data), 1):
        if isinstance(work, dict) and (work.keys() & {"DOI", "title", "PMID", "id"}):
            file.records.append(_record(work, f"Work {number}"))
        else:
            file.doubts.append(f"Work {number} is no work of Crossref and no item of CSL-JSON; it was left out.")
    if not file.records:
        file.doubts.append(f"{name} holds no work.")
    return file


def _record(work: dict[str, Any], at: str) -> StatedSource:
    is_crossref = isinstance(work.get("title"), list) or "deposited" in work or "updated-by" in work
    record = StatedSource(at, "crossref" if is_crossref else "csl-json")
    record.identify(IdentifierScheme.doi, work.get("DOI"))
    if doi := record.identifiers.get(IdentifierScheme.doi):
        record.at = doi
    record.identify(IdentifierScheme.pmid, work.get("PMID"))
    record.identify(IdentifierScheme.pmcid, work.get("PMCID"))
    record.type_text = one_line(work.get("type")) or None
    record.kind = KINDS.get(record.type_text or "")
    _read_title(record, work)
    for name, keys in _FIELDS.items():
        for key in (keys,) if isinstance(keys, str) else keys:
            record.state(name, _first(work.get(key)))
    record.state_pages(work.get("page") or work.get("article-number"))
    _read_date(record, work.get("issued"))
    for author in _items(work.get("author")):
        _read_author(record, author)
    for trial in _items(work.get("clinical-trial-number")):
        found = identify(one_line(trial.get("clinical-trial-number")))
        if found and found[0] in REGISTRIES:
            record.register(*found)
    if "preprint" in (work.get("subtype"), str(work.get("genre")).lower()):
        record.state_preprint()
    _read_standing(record, work)
    return record


def _read_title(record: StatedSource, work: dict[str, Any]) -> None:
    title, subtitle = one_line(_first(work.get("title"))), one_line(_first(work.get("subtitle")))
    if title and subtitle and subtitle not in title:
        title = f"{title}{'' if title.endswith(('?', '!', ':')) else ':'} {subtitle}"
    record.state("title", title)
    if isinstance(work.get("title"), list) and len(work["title"]) > 1:
        record.doubt("it has several titles; the first was taken.")


def _read_date(record: StatedSource, issued: Any) -> None:
    """`date-parts`, or a text as reference managers write it."""
    if not isinstance(issued, dict):
        record.state_date(issued)
        return
    if day := crossref_date({"date-parts": issued.get("date-parts")}):
        record.fields["issued"] = day
        parts = issued.get("date-parts")
        if isinstance(parts, list) and len(parts) > 1:
            record.doubt("its date of publication is a range; the beginning was taken.")
        return
    record.state_date(issued.get("raw") or issued.get("literal"))


def _read_author(record: StatedSource, author: dict[str, Any]) -> None:
    particle, dropping = one_line(author.get("non-dropping-particle")), one_line(author.get("dropping-particle"))
    family = " ".join(filter(None, (particle, one_line(author.get("family")))))
    given = " ".join(filter(None, (one_line(author.get("given")), dropping)))
    if given and (suffix := one_line(author.get("suffix"))):
        given = f"{given}, {suffix}"
    record.name_author(family, given, author.get("name") or author.get("literal"))


def _read_standing(record: StatedSource, work: dict[str, Any]) -> None:
    doi = record.identifiers.get(IdentifierScheme.doi)
    if doi is not None:
        feed = StandingFeed(record.source)
        read_crossref_work(feed, doi, work)
        record.standing += [update.entry for update in feed.updates]
        record.doubts += [sentence for sentence, _ in feed.doubts]
    if _items(work.get("update-to")):
        record.doubt("it is a notice about another publication; add that one, and give it this notice.")


def _first(value: Any) -> Any:
    return next((one for one in value if one), None) if isinstance(value, list) else value


def _items(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
