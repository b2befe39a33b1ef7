"""Today's code and seed files over a database that the release before made: nothing is lost, nothing dangles."""

import io
import json
import os
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app.claims.schemas import ClaimWrite
from app.core.vocabulary import Status
from app.datasets import bundle
from app.datasets.seed import seed
from app.publishing import indexes
from app.settings import ROOT
from app.storage import schema
from app.storage.database import Database
from app.storage.history import StoredRecord, current_serial, text_of
from app.storage.resource import Key
from tests.conftest import SEED, serving
from tests.test_cli import free_port, started

PREVIOUS = "6f6563fb3b6a00bb56fde18b7730cf7cf023a407"
"""The commit whose code and seed files make the older database."""
RELEASES = {
    "0001": "8c8d26b", "0003": "c06ece4", "0004": "91aa988", "0005": "96882f2", "0006": "ed0954c",
    "0007": "e6eeeb8", "0008": "0378540", "0010": "200b6c5", "0011": "ea81aaa",
}  # fmt: skip
"""The last commit with each schema; 0002 and 0009 came together with the schemas after them."""
STANDS_AGAINST = {
    "0001": "the citation cit-ldn-unique-novel-younger-2014 belongs to claim/article-ldn-unique-novel-action"
}
"""Why a release does not take today's seed."""


@pytest.fixture
def older(blank: Database, tmp_path: Path) -> Database:
    """A database as the previous release left it."""
    make(blank, PREVIOUS, tmp_path)
    return blank


def make(database: Database, commit: str, directory: Path) -> None:
    """Fill an empty database with the code and the seed files of a commit."""
    command = ["git", "archive", commit, "app", "migrations", "seed_data", "pyproject.toml"]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"no commit {commit[:7]} here: older releases are made from the history of the repository")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(directory, filter="data")
    url = database.url.render_as_string(hide_password=False)
    environment = os.environ | {"PYTHONPATH": str(directory), "DATABASE_URL": url}
    for step in ("migrate", "seed"):
        subprocess.run([sys.executable, "-m", "app.cli", step], cwd=directory, env=environment, check=True)


def upgrade(database: Database) -> None:
    indexes.migrate(database)
    with database.write() as session:
        assert seed(session, SEED).conflicts == ()


def merged_claims() -> dict[str, str]:
    """Retired claim → its successor, by the seed files."""
    claims = (change.content for change in bundle.read(SEED) if isinstance(change.content, ClaimWrite))
    return {claim.id: claim.successor or "" for claim in claims if claim.status is Status.retired}


def listed(client: TestClient, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    while path:
        page = client.get(path).json()
        items += page["items"]
        path = page["next"]
    return items


def check_merged(client: TestClient) -> list[dict[str, Any]]:
    """Merged claims answer 410 with a successor that is published, and no relation leads to one; the claims."""
    merged = merged_claims()
    assert len(merged) >= 80
    for claim, successor in merged.items():
        answer = client.get(f"/v1/claims/{claim}")
        assert (answer.status_code, answer.json()["successor"]) == (410, successor), claim
        assert client.get(f"/v1/claims/{successor}").status_code == 200
    claims = listed(client, "/v1/claims?limit=200")
    ids = {claim["id"] for claim in claims}
    assert ids.isdisjoint(merged)
    assert [r for c in claims for r in c["relations"] if r["claim"]["id"] not in ids] == []
    return claims


def test_a_new_database_answers_410_for_every_merged_claim(client: TestClient) -> None:
    check_merged(client)


def test_an_upgraded_database_is_as_a_new_one_and_keeps_its_history(older: Database, client: TestClient) -> None:
    with older.read() as session:
        last = current_serial(session)
    upgrade(older)

    new = check_merged(client)
    with serving(older.url.render_as_string(hide_password=False)) as other:
        upgraded = check_merged(other)

    def said(claims: list[dict[str, Any]]) -> dict[str, Any]:
        names = ("statement", "origins", "relations", "evidence", "citations")
        return {claim["id"]: {name: claim[name] for name in names} for claim in claims}

    assert said(upgraded) == said(new)
    with serving(older.url.render_as_string(hide_password=False)) as other:
        before = other.get("/v1/claims/ldn-insomnia-occurs", params={"serial": last})
        assert before.status_code == 200
        (origin,) = before.json()["origins"]
        assert (origin["paragraph"], origin["reference_numbers"]) == (4, [7])
        assert other.get("/v1/claims/ldn-insomnia", params={"serial": last}).json()["origins"] == []
        assert other.get("/v1/claims/ldn-insomnia-occurs/versions").json()["total"] >= 2


@pytest.mark.parametrize("revision", RELEASES)
def test_every_release_takes_the_seed_of_today_or_says_what_stands_against_it(
    blank: Database, tmp_path: Path, revision: str
) -> None:
    """As by `make run`, which serves it in any case."""
    make(blank, RELEASES[revision], tmp_path)
    url = blank.url.render_as_string(hide_password=False)
    reason = STANDS_AGAINST.get(revision)
    port = free_port()
    with started("serve", "--migrate", "--seed", DATABASE_URL=url, PORT=str(port)) as server:
        lines = read_start(server)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=20) as ready:
            assert ready.status == 200
    assert f"Schema {revision} → {schema.newest()}." in lines
    if reason:
        assert reason in lines
        assert "The seed data were not applied. Serving what the database holds." in lines
        return
    contents = {change.key: text_of(change.content) for change in bundle.read(SEED)}
    with blank.read() as session:
        rows = session.execute(select(StoredRecord.type, StoredRecord.id, StoredRecord.content))
        stored = {Key(record_type, record_id): content for record_type, record_id, content in rows}
    assert {key: stored.get(key) for key in contents} == contents


def read_start(server: subprocess.Popen[str]) -> str:
    """What a server says until it listens."""
    lines: list[str] = []
    assert server.stderr is not None
    for line in server.stderr:
        lines.append(line)
        if '"listening"' in line:
            break
    return "".join(lines)


def test_people_who_ask_about_a_condition_meet_fewer_echoes(older: Database) -> None:
    def counts() -> tuple[int, int]:
        with serving(older.url.render_as_string(hide_password=False)) as client:
            claims = listed(client, "/v1/claims?condition=fibromyalgia&limit=200")
        return len(claims), sum(not claim["citations"] for claim in claims)

    indexes.migrate(older)
    every, uncited = counts()
    upgrade(older)
    every_now, uncited_now = counts()

    assert (every, uncited) == (114, 56)
    assert every_now < 90
    assert uncited_now < 30


def test_going_back_keeps_the_first_origin_of_every_claim(scratch: Database) -> None:
    with scratch.read() as session:
        row = session.connection().exec_driver_sql(
            "SELECT content FROM records WHERE type = 'claim' AND id = 'ldn-me-cfs-fatigue'"
        )
        first = json.loads(row.scalar_one())["origins"][0]
    schema.migrate(scratch, "0007")
    with scratch.engine.connect() as connection:
        sql = "SELECT content FROM records WHERE type = 'claim' AND id = 'ldn-me-cfs-fatigue'"
        content = json.loads(connection.exec_driver_sql(sql).scalar_one())
        columns = "origin_section, origin_paragraph, origin_asserts"
        stored = connection.exec_driver_sql(f"SELECT {columns} FROM claims WHERE id = 'ldn-me-cfs-fatigue'").one()  # noqa: S608
    del first["position"]
    assert content["origin"] == first
    assert tuple(stored) == (first["section"], first["paragraph"], first["asserts"])
