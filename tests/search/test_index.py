"""The index equals one that is built from the published records, after any change."""

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.search import index, service
from app.search.facets import changed_since
from app.search.models import SearchEntry, SearchName, SearchWord
from app.storage.database import Database
from app.storage.records import CurrentRecords
from tests.factories import amended, content, put, record

Row = tuple[object, ...]


def find(database: Database, query: str) -> set[tuple[str, str]]:
    with database.read() as session:
        return {(hit.type, hit.id) for hit in service.search(session, query, {}).hits}


def rows(database: Database) -> dict[str, Counter[Row]]:
    """The rows of the index, without internal keys."""
    columns = [column for column in SearchEntry.__table__.columns if column.name not in ("pk", "number")]
    names = select(
        SearchEntry.type, SearchEntry.id, SearchName.folded, SearchName.text, SearchName.matched_on, SearchName.is_start
    ).join(SearchEntry, SearchEntry.pk == SearchName.entry_pk)
    words = select(SearchWord.word, SearchWord.is_stem, SearchWord.entries)
    with database.read() as session:
        keys = {pk: (record_type, record_id) for pk, record_type, record_id in session.execute(KEYS)}
        return {
            "entries": Counter(tuple(row) for row in session.execute(select(*columns))),
            "names": Counter(tuple(row) for row in session.execute(names)),
            "words": Counter(tuple(row) for row in session.execute(words)),
            "facets": Counter(
                (*facet, *keys[pk]) for facet, entries in changed_since(session, -1).items() for pk in entries
            ),
        }


KEYS = select(SearchEntry.pk, SearchEntry.type, SearchEntry.id)


def rebuilt(database: Database) -> dict[str, Counter[Row]]:
    """The rows of the index after it was made from all records."""
    with database.write() as session:
        index.rebuild(session, CurrentRecords)
    return rows(database)


def test_the_seeded_index_is_what_all_records_make(scratch: Database) -> None:
    seeded = rows(scratch)
    assert seeded["entries"]
    assert rebuilt(scratch) == seeded


def test_a_change_is_found_and_what_was_is_not(small: Database) -> None:
    claim = content(small, "claim", "drug-eases-ache")
    put(small, amended(claim, statement="The drug calms marmots."))
    assert ("claim", "drug-eases-ache") in find(small, "marmots")
    put(small, amended(content(small, "claim", "drug-eases-ache"), statement="The drug calms badgers."))
    assert find(small, "marmots") == set()
    assert ("claim", "drug-eases-ache") in find(small, "badger")


def test_nothing_of_a_retired_record_is_found_until_it_is_reinstated(small: Database) -> None:
    put(small, record("condition", "zebra-fever", name="Zebra fever", synonyms=["striped pyrexia"]))
    assert find(small, "striped pyrexia") == {("condition", "zebra-fever")}
    put(small, amended(content(small, "condition", "zebra-fever"), status="retired"))
    assert find(small, "striped pyrexia") == find(small, "zebra") == set()
    with small.read() as session:
        for table in (SearchEntry, SearchName):
            there = select(func.count()).select_from(table)
            column = SearchEntry.id if table is SearchEntry else SearchName.text
            assert session.scalar(there.where(column.ilike("%zebra%"))) == 0
        assert session.scalar(select(func.count()).select_from(SearchWord).where(SearchWord.word == "zebra")) == 0
    put(small, amended(content(small, "condition", "zebra-fever"), status="published"))
    assert find(small, "striped pyrexia") == {("condition", "zebra-fever")}


def test_a_new_synonym_finds_what_is_about_the_concept(small: Database) -> None:
    put(small, amended(content(small, "condition", "ache"), synonyms=["dolorosis"]))
    assert {("condition", "ache"), ("claim", "drug-eases-ache"), ("study", "trial-a"), ("document", "paper-a")} <= find(
        small, "dolorosis"
    )
    assert rows(small) == rebuilt(small)


def test_what_warns_of_a_drug_is_found_under_its_regimen(small: Database) -> None:
    assert ("claim", "drug-causes-insomnia") in find(small, '"drug low" insomnia')
    put(small, amended(content(small, "intervention", "drug-low"), synonyms=["whisperdose"]))
    assert ("claim", "drug-causes-insomnia") in find(small, "whisperdose")
    assert rows(small) == rebuilt(small)


TEXTS = ("ache", "sleep", "dose", "drug", "trial", "placebo", "zebra", "ünïcode", "4.5", "X-9", "\ufb01x")
WORDS = st.lists(st.sampled_from(TEXTS), max_size=5)
EDIT = st.one_of(
    st.tuples(st.just("claim"), st.just("drug-eases-ache"), st.just("statement"), WORDS),
    st.tuples(st.just("claim"), st.just("drug-eases-ache"), st.just("caveat"), WORDS),
    st.tuples(st.just("condition"), st.just("ache"), st.just("name"), WORDS),
    st.tuples(st.just("condition"), st.just("ache"), st.just("synonyms"), WORDS),
    st.tuples(st.just("document"), st.just("paper-a"), st.just("title"), WORDS),
    st.tuples(st.just("dosing_range"), st.just("dose"), st.just("dose_text"), WORDS),
    st.tuples(st.just("outcome"), st.just("sleep"), st.just("status"), st.sampled_from([["retired"], ["published"]])),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EDIT, min_size=1, max_size=6))
def test_after_any_edits_the_index_and_its_word_counts_are_exact(
    small: Database, edits: list[tuple[str, str, str, list[str]]]
) -> None:
    put(small, record("outcome", "sleep"))
    for record_type, record_id, field, words in edits:
        value = sorted(set(words)) if field == "synonyms" else " ".join(words) or "x"
        put(small, amended(content(small, record_type, record_id), **{field: value}))
    edited = rows(small)
    assert rebuilt(small) == edited
