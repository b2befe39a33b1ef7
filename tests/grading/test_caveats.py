"""A caveat whose evidence has moved is flagged until somebody has looked at it."""

from typing import Any

import pytest

from app.claims.rules import claim_faults
from app.claims.schemas import ClaimWrite
from app.datasets.curation import curation_notes
from app.publishing.changes import Change
from app.storage.database import Database
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from tests.factories import amended, citation, content, put, record, small_data_set, standing

CLAIM = "drug-eases-ache"
BASIS = [
    {"citation": "cit-a", "stance": "supports"},
    {"citation": "cit-b", "stance": "disputes"},
    {"citation": "cit-review", "stance": "supports"},
]


@pytest.fixture
def records(small: Database) -> Database:
    put(small, with_basis(content(small, "claim", CLAIM)))
    return small


def with_basis(change: Change, basis: list[dict[str, str]] | None = BASIS, **fields: Any) -> Change:
    return amended(change, caveat="Two trials disagree.", caveat_required=True, caveat_basis=basis, **fields)


def is_stale(database: Database) -> bool:
    with database.read() as session:
        return bool(CurrentRecords(session).derived(Key("claim", CLAIM)).caveat_stale)


def test_a_caveat_that_names_its_evidence_is_not_stale(records: Database) -> None:
    assert not is_stale(records)


def test_a_new_trial_makes_the_caveat_stale_until_it_is_looked_at(records: Database) -> None:
    put(records, record("study", "trial-c"), record("document", "paper-c"))
    claim = content(records, "claim", CLAIM)
    cites = [*claim.content.model_dump(mode="json")["citations"], citation("cit-c", "paper-c", "trial-c")]
    put(records, amended(claim, citations=cites))
    assert is_stale(records)
    put(records, with_basis(content(records, "claim", CLAIM), [*BASIS, {"citation": "cit-c", "stance": "supports"}]))
    assert not is_stale(records)


def test_a_retraction_makes_the_caveat_stale(records: Database) -> None:
    put(records, amended(content(records, "document", "paper-b"), **standing("current", "retracted")))
    assert is_stale(records)


def test_another_stance_makes_the_caveat_stale(records: Database) -> None:
    claim = content(records, "claim", CLAIM)
    cites = claim.content.model_dump(mode="json")["citations"]
    cites[0] |= {"stance": "inconclusive", "stance_reason": "wide_ci"}
    put(records, amended(claim, citations=cites))
    assert is_stale(records)


def test_background_is_no_evidence_that_moves(records: Database) -> None:
    put(records, record("document", "paper-c"))
    claim = content(records, "claim", CLAIM)
    cites = [*claim.content.model_dump(mode="json")["citations"], citation("cit-c", "paper-c", None, "background")]
    put(records, amended(claim, citations=cites))
    assert not is_stale(records)


def test_the_check_lists_stale_caveats_and_only_those() -> None:
    def listed(basis: list[dict[str, str]] | None) -> list[str]:
        contents = {change.key: change.content for change in small_data_set()}
        changed = with_basis(Change("claim", contents[Key("claim", CLAIM)]), basis)
        return [note for note in curation_notes({**contents, changed.key: changed.content}) if "caveat" in note]

    assert listed(BASIS) == listed(None) == []
    assert [note.split(": ")[:2] for note in listed(BASIS[:2])] == [[CLAIM, "caveat_stale"]]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"caveat": None, "caveat_required": False}, "goes with a caveat"),
        ({"caveat_basis": [BASIS[0], BASIS[0]]}, "names a citation twice"),
        ({"caveat_basis": [{"citation": "cit-a", "stance": "background"}]}, "is no evidence"),
    ],
)
def test_a_basis_that_says_nothing_is_refused(fields: dict[str, Any], reason: str) -> None:
    claim = next(change for change in small_data_set() if change.key == Key("claim", CLAIM))
    changed = amended(with_basis(claim), **fields).content
    assert isinstance(changed, ClaimWrite)
    faults = claim_faults(changed)
    assert any(reason in text for _, text in faults)
