"""The readers: what they read, at which moment, and in how few statements."""

import pytest

from app.claims.schemas import ClaimWrite
from app.storage.database import Database
from app.storage.history import current_serial
from app.storage.records import CurrentRecords, DatabaseRecords, RecordsAt, RecordsInMemory
from app.storage.resource import Key
from tests.factories import amended, content, put, record
from tests.statements import Statement, recorded_statements

CLAIM, ACHE = Key("claim", "drug-eases-ache"), Key("condition", "ache")


def count_selects(statements: list[Statement]) -> int:
    """Without the one that begins the transaction."""
    return sum(sql.startswith("SELECT") for sql, _ in statements)


def test_each_reader_reads_its_own_moment(small: Database) -> None:
    put(small, amended(content(small, "condition", "ache"), name="Aching"))
    put(small, amended(content(small, "condition", "ache"), name="Soreness"))
    with small.read() as session:
        names = [reader.content(ACHE).name for reader in (RecordsAt(session, 1), RecordsAt(session, 2))]
        assert [*names, CurrentRecords(session).content(ACHE).name] == ["ache", "Aching", "Soreness"]
        row = RecordsAt(session, 2).row(ACHE)
        assert row is not None
        assert (row.version, row.serial) == (2, 2)


def test_a_record_that_does_not_exist_has_no_row_and_no_content(small: Database) -> None:
    put(small, record("condition", "later"))
    with small.read() as session:
        for reader, key in (
            (CurrentRecords(session), Key("condition", "nowhere")),
            (RecordsAt(session, 1), Key("condition", "later")),
        ):
            reader.prefetch([key], depth=1)
            assert reader.row(key) is None
            with pytest.raises(KeyError):
                reader.content(key)
            with pytest.raises(KeyError):
                reader.derived(key)


def test_pending_content_and_derived_values_take_precedence(small: Database) -> None:
    with small.read() as session:
        records = CurrentRecords(session)
        pending = amended(content(small, "condition", "ache"), name="Pending")
        records.overlay(ACHE, pending.content)
        records.overlay_derived(CLAIM, records.derived_text(Key("claim", "drug-causes-insomnia")))
        assert records.content(ACHE).name == "Pending"
        assert records.derived(CLAIM).order == ("cit-awake",)
        stored = records.row(ACHE)
        assert stored is not None
        assert stored.content.name == "ache"


@pytest.mark.parametrize("reader", [CurrentRecords, lambda session: RecordsAt(session, current_serial(session))])
def test_a_claim_and_all_that_it_names_take_two_statements(small: Database, reader: type[CurrentRecords]) -> None:
    with small.read() as session:
        records: DatabaseRecords = reader(session)
        with recorded_statements() as statements:
            records.prefetch([CLAIM], depth=1)
            claim: ClaimWrite = records.content(CLAIM)
            records.derived(CLAIM)
            for citation in claim.citations:
                records.content(Key("document", citation.document))
                records.content(Key("study", citation.study or ""))
            records.content(ACHE)
        assert count_selects(statements) == 2


def test_many_records_take_a_statement_for_every_500(small: Database) -> None:
    with small.read() as session, recorded_statements() as statements:
        CurrentRecords(session).prefetch(Key("condition", f"number-{number}") for number in range(1_001))
    assert count_selects(statements) == 3


def test_the_last_change_is_that_of_the_records_read_since_tracking_began(small: Database) -> None:
    put(small, amended(content(small, "condition", "ailment"), description="Other words."))
    with small.read() as session:
        records = CurrentRecords(session)
        records.prefetch([ACHE, Key("condition", "ailment")])
        records.content(Key("condition", "ailment"))
        assert records.last_change()[0] == 2
        records.start_tracking()
        records.content(ACHE)
        assert records.last_change()[0] == 1


def test_contents_in_memory_are_read_without_a_database() -> None:
    change = record("condition", "ache")
    records = RecordsInMemory({change.key: change.content})
    assert records.content(ACHE) is change.content
    with pytest.raises(KeyError):
        records.derived(ACHE)
