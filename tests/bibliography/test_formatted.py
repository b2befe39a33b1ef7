"""Formatted references are stored when documents are published; no list of references waits for the formatter."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from app.bibliography import formatted, styles
from app.bibliography.formatted import FormattedReference
from app.bibliography.from_documents import reference_of
from app.bibliography.reference import Reference
from app.bibliography.styles import Style, format_marked
from app.main import create_app
from app.settings import Settings
from app.sources.schemas import DocumentWrite
from app.storage.database import Database
from app.storage.history import StoredRecord
from tests.conftest import Engines

LISTS = (
    "/v1/documents?format=text&style={}&limit=200",
    "/v1/bibliography?style={}",
    "/v1/bibliography.txt?style={}",
    "/v1/bibliography.html?style={}",
    "/v1/documents/alder-2013?format=text&style={}",
)
OTHER_PLACES = (
    "/v1/briefs/low-dose-zelvane/murmuria",
    "/fhir/r5/Citation?_count=200",
    "/documents/alder-2013",
)


@pytest.fixture
def data_set() -> str:
    return "neutral"


@pytest.fixture
def database(engines: Engines, data_set: str) -> Iterator[Database]:
    engine = engines("sqlite", data_set)
    url = engine.copy("formatted")
    database = Database(url)
    yield database
    database.dispose()
    engine.drop(url)


@pytest.fixture
def nothing_in_memory() -> None:
    styles._memory.clear()


@pytest.mark.usefixtures("nothing_in_memory")
def test_no_list_waits_for_the_formatter(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(reference: Reference, style: Style) -> str:
        made.append(f"{reference.id} in {style}")
        return format_marked(reference, style)

    monkeypatch.setattr(styles, "format_marked", counted)
    addresses = [*(address.format(style) for address in LISTS for style in Style), *OTHER_PLACES]
    with TestClient(create_app(Settings(database_url=engines("sqlite").original))) as client:
        assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)
    assert made == []


def test_what_is_stored_is_what_the_formatter_makes(database: Database) -> None:
    with database.read() as session:
        documents = _documents(session)
        stored = {(row.digest, row.style): row.text for row in session.scalars(select(FormattedReference))}
    references = [reference_of(document) for document in documents]
    assert references
    assert stored == {(one.digest, style): format_marked(one, style) for one in references for style in Style}


@pytest.mark.usefixtures("nothing_in_memory")
def test_what_is_not_stored_is_formatted_when_it_is_asked_for(database: Database) -> None:
    with database.write() as session:
        first = _documents(session)[:1]
        session.execute(delete(FormattedReference))
    with database.read() as session:
        (reference,) = formatted.references(session, first, Style.apa)
    assert styles.apply_style(reference, Style.apa).marked == format_marked(reference, Style.apa)


def test_a_changed_document_gets_its_text_and_an_unchanged_one_no_second(database: Database) -> None:
    with database.write() as session:
        documents = _documents(session)[:2]
        before = session.scalar(select(func.count()).select_from(FormattedReference)) or 0
        changed = documents[0].model_copy(update={"title": "Another title"})
        formatted.update(session, [changed, documents[1]])
        assert session.scalar(select(func.count()).select_from(FormattedReference)) == before + len(Style)
        text = session.get_one(FormattedReference, (reference_of(changed).digest, "apa")).text
    assert "Another title" in text


def test_memory_of_formatted_references_is_bounded_in_bytes() -> None:
    for number in range(200):
        styles.remember(f"digest-{number}", Style.ama, "x" * 100_000)
    assert styles._memory.bytes <= styles.MAX_BYTES


def _documents(session: Session) -> list[DocumentWrite]:
    contents = session.scalars(select(StoredRecord.content).filter_by(type="document").order_by(StoredRecord.id))
    return [DocumentWrite.model_validate_json(content) for content in contents]
