"""Our own words, numbers that were read, sound identifiers, and nothing that a clinician would miss."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.claims.schemas import CitationWrite
from app.claims.vocabulary import Coverage, Form, Kind
from app.sources.identifiers import normalise
from app.sources.schemas import DocumentWrite, StudyWrite
from app.sources.vocabulary import IdentifierScheme, Standing
from tests.content.seed import citations, claims, documents, reading_notes, records, searches

HERE = Path(__file__).parent


# --- our own words ------------------------------------------------------------------------------------------------

VERBATIM = {
    "title",
    "container_title",
    "container_title_short",
    "section",
    "authors",
    "publisher",
    "source",
    "codes",
    "url",
    "identifiers",
}
"""Fields that hold names, titles and headings as they stand in the source."""


def texts(value: Any, field: str = "") -> Iterator[str]:
    """Every string of ours in a record."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in VERBATIM:
                yield from texts(part, name)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from texts(part, field)


def our_texts() -> Iterator[tuple[str, str]]:
    for (kind, name), record in records().items():
        for text in texts(record.model_dump(mode="json")):
            yield f"{kind}/{name}", text
    for document, notes in reading_notes().items():
        yield f"reading notes of {document}", notes


def test_no_eight_words_in_a_row_are_the_articles() -> None:
    """The article itself is not in the repository: only salted hashes of its runs of eight words are."""
    table = json.loads((HERE / "eight_word_runs.json").read_text(encoding="utf-8"))
    key, runs = bytes.fromhex(table["salt"]), set(" ".join(table["hashes"]).split())

    def copied(text: str) -> Iterator[str]:
        words = re.findall(r"[a-z0-9']+", text.lower().replace("\u2019", "'"))
        for start in range(len(words) - 7):
            run = " ".join(words[start : start + 8])
            if hashlib.blake2b(run.encode(), digest_size=8, key=key).hexdigest() in runs:
                yield run

    assert len(runs) > 1500
    assert [(place, run) for place, text in our_texts() for run in copied(text)] == []


FORBIDDEN = re.compile(
    r"\b(?:fail(?:s|ed|ure)|prove[sdn]?|works|safe|safely|natural(?:ly)?|boost(?:s|ed|ing)?)\b", re.I
)
OF_LIVER = re.compile(r"\b(?:liver|acute hepatitis or liver) failure\b", re.I)
ENTHUSIASM = re.compile(r"\b(?:promis(?:e|es|ing)|emerging|growing)\b", re.I)


def test_words_that_claim_too_much_are_not_ours() -> None:
    bare = [
        (place, match.group())
        for place, text in our_texts()
        if not place.startswith("reading notes") and not re.fullmatch(r"[a-z0-9-]+|https?://\S+", text)
        for match in FORBIDDEN.finditer(OF_LIVER.sub("", text))
    ]

    assert bare == []


def test_enthusiasm_stands_only_as_the_view_of_the_origin() -> None:
    for claim in claims().values():
        if claim.form not in (Form.appraisal, Form.attribution):
            own = [claim.statement, claim.caveat or "", *(c.finding or "" for c in claim.citations)]
            assert not any(ENTHUSIASM.search(text) for text in own), claim.id


def test_doses_are_never_recommended() -> None:
    dosing = [claim for claim in claims().values() if claim.kind is Kind.dosing]

    assert dosing
    for claim in dosing:
        assert not re.search(r"\brecommend", claim.statement), claim.id
        if claim.intervention == "low-dose-naltrexone":
            assert claim.caveat_required, claim.id
            assert re.search(r"low-dose (?:naltrexone )?product", claim.caveat or ""), claim.id


# --- numbers ------------------------------------------------------------------------------------------------------


def numbers(text: str) -> set[Decimal]:
    """Numbers as values: `28.8 %` is 28.8, `15,297` is 15297, `-0.34` is 0.34."""
    return {Decimal(number) for number in re.findall(r"\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))}


ESTIMATE_NUMBERS = ("value", "ci_low", "ci_high", "ci_level", "dispersion", "p_value", "n_analysed", "k", "i2")
ARM_NUMBERS = ("n", "value", "events", "total")


def shown_numbers(citation: CitationWrite) -> Iterator[tuple[str, Decimal]]:
    locator = citation.locator
    values: list[tuple[str, Any]] = [("analysed_n", citation.analysed_n)]
    lines: list[tuple[str, str | None]] = [("finding", citation.finding)]
    lines += [("locator", part) for part in (locator.section, locator.page, locator.figure, locator.quote)]
    for estimate in citation.estimates:
        values += [(name, getattr(estimate, name)) for name in ESTIMATE_NUMBERS]
        lines += [("scale", estimate.scale), ("timepoint", estimate.timepoint)]
        for arm in estimate.arms:
            values += [(f"arm {name}", getattr(arm, name)) for name in ARM_NUMBERS]
            lines.append(("arm", arm.name))
    yield from ((name, abs(Decimal(value))) for name, value in values if value is not None)
    yield from ((name, number) for name, line in lines for number in numbers(line or ""))


def test_every_number_of_a_citation_was_read_in_its_document() -> None:
    invented = [
        (citation.id, name, str(number))
        for _, citation in citations()
        for name, number in shown_numbers(citation)
        if number not in numbers(reading_notes()[citation.document])
    ]

    assert invented == []


# --- documents ----------------------------------------------------------------------------------------------------


def test_every_document_has_reading_notes_and_every_note_a_document() -> None:
    assert set(reading_notes()) == set(documents())


def test_no_published_address_is_a_bare_number_or_a_proxy() -> None:
    for document in documents().values():
        notices = [entry.notice.url for entry in document.standing if entry.notice]
        for url in filter(None, [document.url, *notices]):
            address = urlsplit(url)
            assert address.port is None, url
            assert not re.fullmatch(r"[\d.]+", address.hostname or ""), url
            assert not re.search(r"proxy|webvpn|weglot|mirror|mimsdev", url), url


def published_identifiers() -> Iterator[tuple[str, IdentifierScheme, str]]:
    """Of documents and of studies: a registry entry is a document, and its number is also the study's."""
    for record in records().values():
        if isinstance(record, DocumentWrite):
            yield from (("document", i.scheme, i.value) for i in record.identifiers)
        elif isinstance(record, StudyWrite):
            yield from (("study", i.scheme, i.value) for i in record.registry_ids)


def test_identifiers_are_well_formed_and_belong_to_one_record() -> None:
    found = Counter((kind, scheme, normalise(scheme, value)) for kind, scheme, value in published_identifiers())

    assert found
    assert [identifier for identifier, count in found.items() if count > 1] == []


@pytest.mark.parametrize("trap", ["42385209", "NCT0427877", "10.1002/phar.2086"])
def test_identifiers_that_nobody_confirmed_are_not_published(trap: str) -> None:
    assert trap not in {value for _, _, value in published_identifiers()}


def test_nobody_has_checked_the_standing_of_papers_beyond_the_two_corrections() -> None:
    standing = {document.id: document.current_standing.standing for document in documents().values()}

    assert {name for name, value in standing.items() if value is Standing.corrected} == {"raknes-2018", "raknes-2019"}
    assert {name for name, value in standing.items() if value is Standing.preprint} == {"bond-long-covid-review"}
    assert set(standing.values()) == {Standing.corrected, Standing.not_checked, Standing.preprint}


# --- what a clinician looks for ---------------------------------------------------------------------------------

TOPICS: dict[str, Any] = json.loads((HERE / "topics.json").read_text(encoding="utf-8"))
HUBS: list[str] = TOPICS["hubs"]
CLINIC: dict[str, list[str]] = TOPICS["clinic"]
"""For each topic of the clinic: claims, or questions that say openly that nobody has looked."""


@pytest.mark.parametrize("topic", CLINIC)
def test_topic_of_the_clinic_has_an_entry(topic: str) -> None:
    for name in CLINIC[topic]:
        if name in searches():
            search = searches()[name]
            assert search.coverage is Coverage.not_searched, name
            assert search.note, name
        else:
            assert name in claims(), name


def test_lupus_is_a_limited_search_and_not_an_absence_of_studies() -> None:
    lupus = searches()["ldn-lupus"]

    assert (lupus.coverage, lupus.depth, lupus.searched_on) == (Coverage.searched_none_found, "limited", None)


@pytest.mark.parametrize("hub", HUBS)
def test_hub_carries_evidence(hub: str) -> None:
    assert claims()[hub].citations


def test_a_list_of_efficacy_in_fibromyalgia_opens_with_evidence() -> None:
    """Lists are sorted by id unless asked otherwise."""
    listed = sorted(c.id for c in claims().values() if c.kind is Kind.efficacy and "fibromyalgia" in c.conditions)
    first = listed[: listed.index("ldn-fibromyalgia-pain") + 1]

    assert all(claims()[name].citations for name in first)
