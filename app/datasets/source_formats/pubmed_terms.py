"""What PubMed says of a record in its own words, in XML and in the MEDLINE format alike: notices, trials, subjects."""

import re

from app.datasets.source_formats.record import StatedSource, one_line, partial_date
from app.sources.identifiers import address, normal_or_none
from app.sources.schemas import Notice, StandingEntry
from app.sources.vocabulary import IdentifierScheme, Standing

NOTICES = {
    "RetractionIn": Standing.retracted,
    "RetractedandRepublishedIn": Standing.retracted,
    "ErratumIn": Standing.corrected,
    "CorrectedandRepublishedIn": Standing.corrected,
    "ExpressionOfConcernIn": Standing.expression_of_concern,
    "UpdateIn": Standing.superseded,
}
"""`RefType` of a notice about the record, and what it makes of it."""
NOTICES_OF_OTHERS = frozenset({"RetractionOf", "ErratumFor", "ExpressionOfConcernFor"})
"""`RefType` of a record that is a notice itself."""
TAGS = {
    "RIN": "RetractionIn", "RRI": "RetractedandRepublishedIn", "EIN": "ErratumIn", "CRI": "CorrectedandRepublishedIn",
    "ECI": "ExpressionOfConcernIn", "UIN": "UpdateIn", "ROF": "RetractionOf", "EFR": "ErratumFor",
    "ECF": "ExpressionOfConcernFor",
}  # fmt: skip
"""The same in the MEDLINE format."""
_DOI = re.compile(r"\bdoi:\s*(10\.\d{4,9}/\S+)", re.IGNORECASE)
_PMID = re.compile(r"\bPMID:\s*(\d{1,9})")
_DATE = re.compile(r"\.\s+(\d{4}(?: [A-Z][a-z]{2}(?: \d{1,2})?)?)(?=[;:.\s]|$)")
"""Behind the journal, as in `Lancet. 2010 Feb 6;375(9713):445`."""
_REGISTRIES = {
    "clinicaltrials.gov": IdentifierScheme.nct,
    "eudract": IdentifierScheme.eudract,
    "isrctn": IdentifierScheme.isrctn,
    "anzctr": IdentifierScheme.anzctr,
    "drks": IdentifierScheme.drks,
}
"""The names of MEDLINE's databanks."""


def read_notice(record: StatedSource, kind: str, text: str, pmid: str | None = None) -> None:
    """Add what PubMed says of another publication about this one; comments and the like are passed over."""
    text = one_line(text)
    if kind in NOTICES_OF_OTHERS:
        record.doubt("it is a notice about another publication; add that one, and give it this notice.")
        return
    if kind not in NOTICES:
        return
    day = _DATE.search(text)
    found = _PMID.search(text)
    pmid = pmid or (found[1] if found else None)
    notice = Notice(
        doi=_doi(text), url=address(IdentifierScheme.pmid, pmid) if pmid else None, text=text[:4000].strip() or None
    )
    on = partial_date(day[1])[0] if day else None
    record.standing.append(StandingEntry(standing=NOTICES[kind], on=on, source=record.source, notice=notice))


def read_types(record: StatedSource, types: list[str]) -> None:
    """Take the publication types, and what they say of the standing."""
    record.publication_types = [text for text in map(one_line, types) if text]
    if "Preprint" in record.publication_types:
        record.state_preprint()
    standings = {entry.standing for entry in record.standing}
    if "Retracted Publication" in record.publication_types and Standing.retracted not in standings:
        record.standing.append(StandingEntry(standing=Standing.retracted, source=record.source))


def read_registration(record: StatedSource, registry: str, number: str) -> None:
    """Take the number of a trial in a register of which numbers are recorded here."""
    if scheme := _REGISTRIES.get(one_line(registry).lower()):
        record.register(scheme, number)


def read_subject(record: StatedSource, heading: str) -> None:
    """Note whether people or animals were studied, as the headings say."""
    subject = one_line(heading).lower().strip("*")
    if subject in ("humans", "animals"):
        record.subjects.add(subject)


def title_of(text: str) -> str:
    """The title without the full stop that PubMed puts behind every title."""
    title = one_line(text)
    return title[:-1] if title.endswith(".") and not title.endswith("..") else title


def _doi(text: str) -> str | None:
    found = _DOI.search(text)
    return normal_or_none(IdentifierScheme.doi, found[1]) if found else None
