"""BibTeX and BibLaTeX, read by pybtex."""

import re
from typing import TYPE_CHECKING, Any

from app.bibliography import markup
from app.datasets.source_formats.record import SourceFile, StatedSource, one_line
from app.sources.vocabulary import DocumentKind, IdentifierScheme

if TYPE_CHECKING:
    from pybtex.database import Entry

KINDS = {
    "article": DocumentKind.article_journal,
    "incollection": DocumentKind.chapter,
    "inbook": DocumentKind.chapter,
    "techreport": DocumentKind.report,
    "report": DocumentKind.report,
    "online": DocumentKind.webpage,
    "electronic": DocumentKind.webpage,
    "dataset": DocumentKind.dataset,
}
"""Types of entries that are kinds here."""
_FIELDS = {
    "container_title": ("journal", "journaltitle", "booktitle"),
    "container_title_short": ("shortjournal",),
    "volume": ("volume",),
    "issue": ("number", "issue"),
    "publisher": ("publisher", "institution"),
}
_COMMANDS = {"textit": "i", "emph": "i", "textbf": "b", "textsuperscript": "sup", "textsubscript": "sub"}
_COMMAND = re.compile(r"\\(textit|emph|textbf|textsuperscript|textsubscript)\s?\{([^{}]*)\}")
_ESCAPED = re.compile(r"\\([_%&#$])")
_YEAR_AND_MORE = ("year", "month", "day")


def read(text: str, name: str) -> SourceFile:
    """Every entry that can be read."""
    import pybtex.errors
    from pybtex.database import parse_string

    file = SourceFile()
    with pybtex.errors.capture() as errors:
        entries = parse_string(text, "bibtex").entries
    for error in errors:
        file.doubts.append(f"{name}: {one_line(str(error))[:200]}. The rest was read.")
    for key, entry in entries.items():
        file.records.append(_record(entry, one_line(key) or f"Entry {len(file.records) + 1}"))
    if not file.records:
        file.doubts.append(f"{name} holds no entry of BibTeX.")
    return file


def _record(entry: "Entry", key: str) -> StatedSource:
    fields: dict[str, str] = {name.lower(): value for name, value in entry.fields.items()}
    record = StatedSource(key, "bibtex", KINDS.get(entry.type.lower()), entry.type)
    record.state("title", _plain(fields.get("title", ""), keeps_markup=True))
    for name, keys in _FIELDS.items():
        for field in keys:
            record.state(name, _plain(fields.get(field, "")))
    record.state("url", _ESCAPED.sub(r"\1", fields.get("url", "")))
    record.state_pages(_plain(fields.get("pages", "")))
    record.state_date(fields.get("date") or " ".join(fields.get(name, "") for name in _YEAR_AND_MORE))
    for scheme in (IdentifierScheme.doi, IdentifierScheme.pmid, IdentifierScheme.pmcid):
        record.identify(scheme, _ESCAPED.sub(r"\1", fields.get(scheme, "")))
    if "preprint" in fields.get("type", "").lower():
        record.state_preprint()
    for person in entry.persons.get("author", []):
        _name(record, person)
    return record


def _name(record: StatedSource, person: Any) -> None:
    family = _plain(" ".join([*person.prelast_names, *person.last_names]))
    given = _plain(" ".join([*person.first_names, *person.middle_names]))
    if not given and family.lower() == "others":
        record.authors_complete = False
    elif given:
        suffix = _plain(" ".join(person.lineage_names))
        record.name_author(family, f"{given}, {suffix}" if suffix else given)
    else:
        record.name_author(literal=family)


def _plain(text: str, *, keeps_markup: bool = False) -> str:
    """The text without TeX; raised, lowered and slanted letters as elements where markup may stand."""
    from pybtex.richtext import Text

    marked = _COMMAND.sub(lambda match: markup.mark(_COMMANDS[match[1]], match[2]), text)
    try:
        marked = Text.from_latex(marked).render_as("text")
    except Exception:
        marked = text.replace("{", "").replace("}", "")
    return markup.as_csl(marked) if keeps_markup else markup.plain(marked)
