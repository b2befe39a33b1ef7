"""What lists, records and searches ask of the database is served by indexes, so that it stays flat as data grow."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection
from starlette.testclient import TestClient

from app import tables
from app.main import create_app, in_context
from app.settings import Settings
from app.storage.database import Database
from tests.conftest import Engine
from tests.statements import Statement, recorded_statements

CLAIMS = "/v1/claims"
READS = (
    f"{CLAIMS}/ldz-murmuria-pain",
    f"{CLAIMS}/ldz-murmuria-pain/citations",
    f"{CLAIMS}/ldz-murmuria-pain/versions",
    f"{CLAIMS}/ldz-murmuria-pain?serial=1",
    CLAIMS,
    *(f"{CLAIMS}?sort={sense}{name}&limit=5" for sense in ("", "-") for name in ("id", "updated_at", "study_count")),
    f"{CLAIMS}?sort=participant_count",
    f"{CLAIMS}?sort=relevance&limit=5",
    f"{CLAIMS}?condition=murmuria&limit=5",
    "/v1/documents/hopeful-article/statements?limit=2",
    f"{CLAIMS}?kind=efficacy",
    f"{CLAIMS}?kind=efficacy&condition=murmuria&consensus=conflicting",
    f"{CLAIMS}?condition=icd10cm:M99.97&descendants=true",
    f"{CLAIMS}?stance=disputes&design=randomized_parallel_trial",
    f"{CLAIMS}?doi=10.5555/zelvane.1",
    f"{CLAIMS}?document=alder-2013&stance=supports",
    f"{CLAIMS}?cited=false",
    "/v1/conditions?code=mesh:D999001",
    "/v1/studies?sort=-participants&limit=5",
    "/v1/studies?condition=murmuria",
    "/v1/documents?sort=-year&limit=5",
    "/v1/documents?sort=label&year=2013",
    "/v1/documents?pmid=99900001",
    "/v1/citations?stance=disputes&directness=direct",
    "/v1/dosing-ranges?condition=murmuria",
    "/v1/searches?intervention=zelvane",
    "/v1/search?q=does+ldz+help+gripes",
    "/v1/search?q=pain&type=claim&kind=efficacy",
    "/v1/suggest?q=mur",
    "/v1/resolve?identifier=doi:10.5555/zelvane.1",
)
FEW = {
    "publications": "asked for its last row",
    "releases": "a handful",
    "manifests": "asked for its last row",
    "concepts": "of one type at most: a few thousand words, whatever is said about them",
    "concept_synonyms": "once for each serial, to recognise drugs",
    "concept_codes": "once for each serial, to recognise drugs",
    "intervention_members": "once for each serial, to recognise drugs",
}
"""What may be read whole, and why."""


@pytest.fixture(scope="module")
def asking(engine: Engine) -> Iterator[tuple[TestClient, Database, list[Statement]]]:
    given = Settings(database_url=engine.original)
    app = create_app(given)
    database: Database = app.state.reads.database
    with TestClient(in_context(app, given, with_cache=False)) as client, recorded_statements() as statements:
        yield client, database, statements
    database.dispose()


def read_whole(connection: Connection, statement: Statement) -> set[str]:
    """The tables that the database would read from one end to the other. Walking an index until the page is full does
    not count; walking it to sort what was found does."""
    sql, parameters = statement
    if connection.dialect.name == "sqlite":
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]
        walks = "LIMIT" in sql and not any("TEMP B-TREE" in line for line in plan)
        scans = [line for line in plan if not (walks and "USING" in line)]
        found = {match[1] for line in scans if (match := re.match(r"SCAN (\w+)", line)) and "VIRTUAL" not in line}
    else:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {sql}", parameters)]
        found = {match[1] for line in plan if (match := re.search(r"Seq Scan on (\w+)", line))}
    return found & tables.metadata.tables.keys()


@pytest.mark.parametrize("path", READS)
def test_no_table_that_grows_is_read_whole(asking: tuple[TestClient, Database, list[Statement]], path: str) -> None:
    client, database, statements = asking
    while path:
        statements.clear()
        answer = client.get(path)
        assert answer.status_code == 200
        reads = [one for one in statements if one[0].lstrip().upper().startswith(("SELECT", "WITH"))]
        assert reads
        with database.engine.connect() as connection:
            for statement in reads:
                assert read_whole(connection, statement) <= FEW.keys(), statement[0]
        path = answer.json().get("next") or "" if "limit=" in path else ""


def test_a_scan_is_seen(asking: tuple[TestClient, Database, list[Statement]]) -> None:
    """The control: without it, a plan that is read wrongly would let everything pass."""
    _, database, _ = asking
    with database.engine.connect() as connection:
        assert read_whole(connection, ("SELECT id FROM claims WHERE caveat = 'none'", ())) == {"claims"}
