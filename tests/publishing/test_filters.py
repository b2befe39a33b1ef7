"""The filters of lists are in step with what is published, after any sequence of edits."""

import random

import pytest
from pyroaring import BitMap
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.errors import InvalidInput
from app.publishing import indexes
from app.publishing.index_state import IndexState
from app.registry import FILTERS
from app.storage.database import Database
from app.storage.filter_bitmaps import Filter
from app.storage.filter_index import FilterBits, FilterEntry, FilterRow, rebuild
from tests.factories import amended, content, put, standing
from tests.publishing.test_history import edits
from tests.storage.joined import index_of

Named = tuple[str, str, str]


def filed(session: Session) -> tuple[dict[Named, BitMap], set[tuple[Named, str, int]]]:
    """The bitmaps by the names of their filters, and the ids that are stored in order."""
    rows = session.execute(select(FilterRow.pk, FilterRow.scope, FilterRow.name, FilterRow.value))
    names = {pk: (scope, name, value) for pk, scope, name, value in rows}
    bits: dict[Named, BitMap] = {}
    for pk, _, blob in session.execute(select(FilterBits.filter_pk, FilterBits.chunk, FilterBits.bits)):
        bits.setdefault(names[pk], BitMap()).update(BitMap.deserialize(blob))
    places = session.execute(select(FilterEntry.filter_pk, FilterEntry.id, FilterEntry.record_pk))
    return bits, {(names[pk], record_id, key) for pk, record_id, key in places}


def assert_in_step(database: Database) -> None:
    with database.write() as session:
        as_published = filed(session)
        rebuild(session, FILTERS)
        assert filed(session) == as_published


@pytest.mark.parametrize("seed", range(3))
def test_filters_are_what_they_would_be_if_made_anew(small: Database, seed: int) -> None:
    assert_in_step(small)
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for number in range(10):
        try:
            put(small, *edits(chance, small, number))
        except InvalidInput:
            continue
        assert_in_step(small)


def test_a_regimen_that_gets_another_drug_no_longer_stands_under_the_warnings_of_the_first(small: Database) -> None:
    """Harm crosses from a drug to its regimens: the filter of a claim moves though no claim was touched."""
    regimen = content(small, "intervention", "drug-low")
    with small.read() as session:
        before = keys_of(session, "intervention", "drug-low")
    put(small, amended(regimen, parent="other-drug"))
    assert_in_step(small)
    with small.read() as session:
        assert keys_of(session, "intervention", "drug-low") < before


def test_a_retraction_moves_the_claims_that_cite_the_work(small: Database) -> None:
    put(small, amended(content(small, "document", "paper-a"), **standing("current", "retracted")))
    assert_in_step(small)


def keys_of(session: Session, name: str, value: str) -> set[int]:
    return set(index_of(session).of("claim", Filter(name, value)))


def test_a_database_from_before_gets_its_filters_when_it_is_migrated(small: Database) -> None:
    with small.write() as session:
        wanted = filed(session)
        for table in (FilterEntry, FilterBits, FilterRow):
            session.execute(delete(table))
        session.execute(delete(IndexState).where(IndexState.name == "filters"))
    indexes.migrate(small)
    indexes.check(small)
    with small.read() as session:
        assert filed(session) == wanted
