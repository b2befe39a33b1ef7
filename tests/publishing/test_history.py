"""What was served can be served again: every state, after any sequence of edits."""

import random
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app.core.errors import InvalidInput
from app.publishing.changes import Change
from app.registry import BY_TYPE
from app.storage.database import Database
from app.storage.history import Publication, RecordState, current_serial
from app.storage.resource import Key
from tests.conftest import serving
from tests.factories import CURATOR, amended, bodies, citation, content, put, record, standing

EDITS = 12


@pytest.mark.parametrize("seed", range(3))
def test_every_state_is_served_again_as_it_was(small: Database, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    served = {1: bodies(small)}
    for number in range(EDITS):
        try:
            outcome = put(small, *edits(chance, small, number))
        except InvalidInput:
            continue  # an edit that breaks a rule is one more thing that must change nothing
        if outcome.serial:
            served[outcome.serial] = bodies(small)
    assert len(served) > EDITS // 2

    with serving(small.url.render_as_string(hide_password=False)) as client:
        for serial, then in served.items():
            for key, body in then.items():
                assert read(client, key, serial) == (200, body), f"{key} at serial {serial}"
            for key in served[1].keys() - then.keys():
                status, body = read(client, key, serial)
                assert (status, b'"status":"retired"' in body) == (200, True), f"{key} at serial {serial}"
        for key in served[max(served)]:
            before = min(serial for serial, then in served.items() if key in then) - 1
            if before:
                assert read(client, key, before)[0] == 404, f"{key} before its first serial"


def read(client: TestClient, key: Key, serial: int | None = None) -> tuple[int, bytes]:
    answer = client.get(f"{BY_TYPE[key.type].path}/{key.id}", params={"serial": serial} if serial else None)
    return answer.status_code, answer.content


def edits(chance: random.Random, database: Database, number: int) -> Iterator[Change]:
    """One or two edits of any kind."""
    for kind in chance.sample(range(9), k=chance.choice([1, 1, 2])):
        yield edit(chance, database, kind, number)


def edit(chance: random.Random, database: Database, kind: int, number: int) -> Change:
    papers = ["paper-a", "paper-a2", "paper-b", "paper-review"]
    claims = ["drug-eases-ache", "low-dose-eases-ache", "drug-causes-insomnia"]
    match kind:
        case 0:
            concept = chance.choice([("condition", "ache"), ("intervention", "drug"), ("outcome", "pain")])
            return amended(content(database, *concept), name=f"Name {number}")
        case 1:
            return amended(content(database, "document", chance.choice(papers)), **standing("current", "retracted"))
        case 2:
            return amended(
                content(database, "document", chance.choice(papers)), **standing("current", "retracted", "reinstated")
            )
        case 3:
            study = chance.choice(["trial-a", "trial-b", "review"])
            return amended(content(database, "study", study), participants=chance.randrange(50, 90))
        case 4:
            new = citation(f"cit-{number}", chance.choice(papers), "trial-b", chance.choice(["supports", "disputes"]))
            claim = content(database, "claim", chance.choice(claims[:2]))
            return amended(claim, citations=[*claim.content.model_dump(mode="json")["citations"], new])
        case 5:
            claim = content(database, "claim", chance.choice(claims))
            kept = claim.content.model_dump(mode="json")["citations"]
            return amended(claim, citations=kept[1:] or kept)
        case 6:
            return record("claim", f"new-{number}", relations=[{"type": "bears_on", "claim": "drug-eases-ache"}])
        case 7:
            claim = content(database, "claim", chance.choice(claims))
            return amended(claim, caveat=f"Caveat {number}.", effect=chance.choice(["improves", "worsens"]))
        case _:
            return amended(content(database, "claim", "drug-causes-insomnia"), status="retired")


def test_versions_name_when_who_and_why(small: Database) -> None:
    claim = content(small, "claim", "drug-eases-ache")
    put(small, amended(content(small, "document", "paper-a"), label="Renamed"))  # new bytes, no new version
    put(small, amended(claim, caveat="One."))
    put(small, amended(claim, caveat="Two."))
    with serving(small.url.render_as_string(hide_password=False)) as client:
        items = client.get("/v1/claims/drug-eases-ache/versions").json()["items"]
        assert [(item["version"], item["serial"]) for item in items] == [(3, 4), (2, 3), (1, 1)]
        assert {item["actor"]["id"] for item in items[:2]} == {CURATOR.id}
        assert items[-1]["actor"]["id"] == "seed"
        assert [client.get(item["links"]["self"]).json()["caveat"] for item in items] == ["Two.", "One.", None]


def test_a_permalink_leads_to_the_same_bytes_for_ever(small: Database) -> None:
    with serving(small.url.render_as_string(hide_password=False)) as client:
        first = client.get("/v1/claims/drug-eases-ache")
        put(small, amended(content(small, "document", "paper-a"), label="Renamed"))
        second = client.get("/v1/claims/drug-eases-ache")
        assert first.content != second.content
        for answer in (first, second):
            assert client.get(answer.json()["links"]["permalink"]).content == answer.content


def test_every_stored_body_is_the_one_that_its_last_state_renders(scratch: Database) -> None:
    now = bodies(scratch)
    with scratch.read() as session:
        serial = current_serial(session)
    with serving(scratch.url.render_as_string(hide_password=False)) as client:
        for key in sorted(now)[::7]:
            assert read(client, key, serial) == (200, now[key])


def test_only_states_whose_bytes_changed_are_kept(small: Database) -> None:
    put(small, amended(content(small, "outcome", "pain"), description="Other words."))
    with small.read() as session:
        kept = session.execute(select(RecordState.type, RecordState.id).where(RecordState.serial == 2)).all()
        assert [tuple(row) for row in kept] == [("outcome", "pain")]
        assert session.scalar(select(func.count()).select_from(Publication)) == 2
