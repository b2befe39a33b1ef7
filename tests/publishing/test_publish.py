"""The one door: all or nothing, nothing where nothing changes, and everything that depends on a change."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from app.core.errors import InvalidInput
from app.publishing.changes import Change
from app.publishing.publish import publish
from app.registry import BY_TYPE
from app.storage.database import Database
from app.storage.history import Publication, RecordReference, StoredRecord, current_serial
from app.storage.resource import Key
from tests.conftest import serving
from tests.factories import CURATOR, amended, bodies, citation, content, dump, put, record, standing, stored


def body(database: Database, record_type: str, record_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stored(database, record_type, record_id).body)
    return found


def refused(database: Database, *changes: Change) -> dict[str, str]:
    """Publishes what must be refused; the faults as field → code. Nothing may be written."""
    before = dump(database)
    with pytest.raises(InvalidInput) as caught:
        put(database, *changes)
    assert dump(database) == before
    return {fault.field: fault.code for fault in caught.value.errors}


# --- all or nothing -----------------------------------------------------------------------------------------------


def test_one_faulty_record_among_good_ones_means_that_nothing_is_written(small: Database) -> None:
    faults = refused(
        small,
        record("condition", "good-one"),
        record("claim", "bad-one", conditions=["good-one", "achee"], outcome=None),
        record("document", "bad-two", identifiers=[{"scheme": "pmid", "value": "not-a-number"}]),
        record("condition", "good-two", parent="good-one"),
    )
    assert faults == {
        "claim/bad-one: conditions[1]": "unknown_reference",
        "claim/bad-one: outcome": "rule",
        "document/bad-two: identifiers[0].value": "rule",
    }


def test_a_dangling_reference_is_refused_with_the_nearest_ids(small: Database) -> None:
    with pytest.raises(InvalidInput) as caught:
        put(small, record("claim", "new", conditions=["achee"]))
    (fault,) = caught.value.errors
    assert fault.did_you_mean is not None
    assert fault.did_you_mean[0] == "ache"


def test_the_same_record_twice_in_one_publication_is_refused(small: Database) -> None:
    twice = (record("condition", "new"), record("condition", "new", name="Another name"))
    assert refused(small, *twice) == {"condition/new: id": "duplicate"}


def test_records_may_name_one_another_in_one_publication_in_any_order(small: Database) -> None:
    put(
        small,
        record("claim", "one", relations=[{"type": "partner_of", "claim": "two"}]),
        record("claim", "two", relations=[{"type": "partner_of", "claim": "one"}]),
        record("condition", "child", parent="parent"),
        record("condition", "parent"),
    )
    assert body(small, "claim", "one")["relations"][0]["claim"]["id"] == "two"
    assert body(small, "condition", "child")["parent"] == {"id": "parent", "name": "parent"}


def test_an_error_in_the_midst_of_writing_leaves_nothing_behind(small: Database) -> None:
    before = dump(small)

    def break_down(done: int, total: int) -> None:
        if done == total:
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError, match="power"), small.write() as session:
        publish(session, CURATOR, [record("condition", "new")], "An edit", break_down)
    assert dump(small) == before


# --- serials and versions -----------------------------------------------------------------------------------------


def test_publishing_what_is_already_there_makes_no_serial(small: Database) -> None:
    before = dump(small)
    outcome = put(small, content(small, "claim", "drug-eases-ache"), content(small, "document", "paper-a"))
    assert outcome.serial is None
    assert dump(small) == before


def test_a_change_of_content_is_the_next_version_under_the_next_serial(small: Database) -> None:
    claim = content(small, "claim", "drug-eases-ache")
    outcome = put(small, amended(claim, caveat="Only two trials."))
    assert (outcome.serial, outcome.created, outcome.updated) == (2, (), (Key("claim", "drug-eases-ache"),))
    read = body(small, "claim", "drug-eases-ache")
    assert (read["version"], read["caveat"]) == (2, "Only two trials.")
    assert read["links"]["permalink"] == "/v1/claims/drug-eases-ache?serial=2"


def test_a_renamed_document_reprints_its_claims_without_a_new_version(small: Database) -> None:
    before = body(small, "claim", "drug-eases-ache")
    outcome = put(small, amended(content(small, "document", "paper-a"), label="Somebody 2013"))
    after = body(small, "claim", "drug-eases-ache")
    assert after["citations"][1]["document"]["label"] == "Somebody 2013"
    assert (after["version"], after["updated_at"]) == (before["version"], before["updated_at"])
    assert after["links"]["permalink"].endswith("serial=2")
    assert Key("claim", "drug-eases-ache") in outcome.touched


def test_a_side_effect_names_the_drug_and_the_document_of_its_claims_as_they_are_called(small: Database) -> None:
    put(small, amended(content(small, "intervention", "drug"), name="Renamed drug"))
    (frequency,) = body(small, "side_effect", "insomnia")["frequency"]
    assert frequency["intervention"]["name"] == "Renamed drug"
    cited = frequency["references"][0]["document"]["id"]
    put(small, amended(content(small, "document", cited), label="Somebody 2013"))
    (frequency,) = body(small, "side_effect", "insomnia")["frequency"]
    assert frequency["references"][0]["document"]["label"] == "Somebody 2013"


def test_answers_on_a_dose_name_its_drug_as_it_is_called(small: Database) -> None:
    at_other_doses = citation("cit-low", "paper-a", "trial-a", directness="indirect", indirect_because=["dose"])
    fields = {"kind": "safety", "effect": "causes", "outcome": None, "side_effects": ["insomnia"]}
    put(
        small,
        record(
            "claim", "low-insomnia", intervention="drug-low", aspect="occurrence", citations=[at_other_doses], **fields
        ),
    )
    assert "with drug at other doses" in body(small, "claim", "low-insomnia")["evidence"]["answer"]
    put(small, amended(content(small, "intervention", "drug"), name="Remedy"))
    assert "with remedy at other doses" in body(small, "claim", "low-insomnia")["evidence"]["answer"]


def test_what_a_change_does_not_reach_keeps_its_bytes(small: Database) -> None:
    before = bodies(small)
    outcome = put(small, amended(content(small, "document", "paper-b"), label="Somebody 2024"))
    changed = {key for key, found in bodies(small).items() if found != before[key]}
    assert changed == {*outcome.updated, *outcome.touched}
    assert changed == {
        Key("citation", "cit-b"),
        Key("claim", "drug-eases-ache"),
        Key("document", "paper-b"),
        Key("study", "trial-b"),
    }


def test_a_concept_under_a_new_name_is_shown_under_it_everywhere(small: Database) -> None:
    put(small, amended(content(small, "condition", "ache"), name="Aching"))
    stale = [key for key, found in bodies(small).items() if b'"name":"ache"' in found]
    assert stale == []


# --- standing -----------------------------------------------------------------------------------------------------


def test_a_retraction_changes_its_dependants_and_a_reinstatement_restores_them_to_the_byte(small: Database) -> None:
    paper = content(small, "document", "paper-a")
    before, versions = body(small, "claim", "drug-eases-ache"), stored(small, "claim", "drug-eases-ache").version
    put(small, amended(paper, **standing("current", "retracted")))
    without = body(small, "claim", "drug-eases-ache")
    assert without["evidence"]["by_stance"]["supports"]["studies"] == 0
    assert without["version"] == versions + 1
    assert without["citations"][-1]["id"] == "cit-a"
    assert without["citations"][-1]["document"]["standing"] == "retracted"

    put(small, amended(paper, **standing("current", "retracted", "reinstated")))
    again = body(small, "claim", "drug-eases-ache")
    assert again["version"] == versions + 2
    assert json.dumps(again["evidence"]) == json.dumps(before["evidence"])
    assert [c["id"] for c in again["citations"]] == [c["id"] for c in before["citations"]]


def test_every_document_of_the_data_set_can_be_retracted_and_reinstated_without_a_trace(scratch: Database) -> None:
    with scratch.read() as session:
        cited = select(RecordReference.to_id).where(
            RecordReference.type == "claim", RecordReference.to_type == "document"
        )
        documents = sorted(set(session.scalars(cited)))[::6]
        evidence = {row.id: row.derived for row in session.scalars(select(StoredRecord).filter_by(type="claim"))}
    originals = [content(scratch, "document", document) for document in documents]
    histories = [[entry.standing for entry in original.content.standing] for original in originals]  # type: ignore[attr-defined]
    put(scratch, *(amended(o, **standing(*h, "retracted")) for o, h in zip(originals, histories, strict=True)))
    with scratch.read() as session:
        moved = {row.id: row.derived for row in session.scalars(select(StoredRecord).filter_by(type="claim"))}
    assert moved != evidence
    put(
        scratch,
        *(amended(o, **standing(*h, "retracted", "reinstated")) for o, h in zip(originals, histories, strict=True)),
    )
    with scratch.read() as session:
        back = {row.id: row.derived for row in session.scalars(select(StoredRecord).filter_by(type="claim"))}
    assert back == evidence


# --- citations ----------------------------------------------------------------------------------------------------


def test_a_citation_id_belongs_to_its_claim_for_ever(small: Database) -> None:
    thief = amended(content(small, "claim", "low-dose-eases-ache"), citations=[citation("cit-a", "paper-a", "trial-a")])
    assert refused(small, thief) == {"claim/low-dose-eases-ache: citations": "duplicate"}
    robbed = amended(content(small, "claim", "drug-eases-ache"), citations=[])
    assert "claim/low-dose-eases-ache: citations" in refused(small, robbed, thief)


def test_a_citation_id_twice_in_one_claim_is_refused(small: Database) -> None:
    twice = [citation("cit-new", "paper-a", "trial-a"), citation("cit-new", "paper-b", "trial-b")]
    assert refused(small, amended(content(small, "claim", "low-dose-eases-ache"), citations=twice)) == {
        "citation/cit-new: id": "duplicate"
    }


def test_a_stored_citation_id_repeated_in_its_claim_is_refused(small: Database) -> None:
    claim = content(small, "claim", "drug-causes-insomnia")
    kept = claim.content.model_dump(mode="json")["citations"]
    again = amended(claim, citations=[*kept, citation("cit-awake", "paper-b", "trial-b")])
    assert refused(small, again) == {"citation/cit-awake: id": "duplicate"}


def test_a_removed_citation_is_gone_and_can_come_back(small: Database) -> None:
    claim = content(small, "claim", "drug-eases-ache")
    url = small.url.render_as_string(hide_password=False)
    put(small, amended(claim, citations=claim.content.model_dump(mode="json")["citations"][1:]))
    with serving(url) as client:
        assert client.get("/v1/citations/cit-a").status_code == 410
        assert client.get("/v1/citations/cit-a?serial=1").status_code == 200
        assert "cit-a" not in [c["id"] for c in client.get("/v1/claims/drug-eases-ache").json()["citations"]]
        assert client.get("/v1/documents/paper-a").json()["evidence"]["citations"] == 0
    put(small, claim)
    assert body(small, "citation", "cit-a")["status"] == "published"
    assert body(small, "document", "paper-a")["evidence"]["citations"] == 1


# --- retirement ---------------------------------------------------------------------------------------------------


def test_a_retired_claim_is_gone_with_its_citations_and_leaves_the_counts(small: Database) -> None:
    put(
        small,
        amended(content(small, "claim", "low-dose-eases-ache"), relations=[]),
        amended(content(small, "claim", "drug-eases-ache"), status="retired", successor="low-dose-eases-ache"),
    )
    with serving(small.url.render_as_string(hide_password=False)) as client:
        gone = client.get("/v1/claims/drug-eases-ache")
        assert gone.status_code == 410
        assert "low-dose-eases-ache" in gone.headers["link"]
        assert client.get("/v1/citations/cit-b").status_code == 410
        assert [item["id"] for item in client.get("/v1/claims").json()["items"]] == [
            "drug-causes-insomnia",
            "low-dose-eases-ache",
        ]
    assert body(small, "document", "paper-b")["evidence"]["claims"] == 0
    assert body(small, "condition", "ache")["evidence"]["claims"] == 2
    assert body(small, "dosing_range", "dose")["claims"] == []


def test_nothing_published_may_name_a_retired_record(small: Database) -> None:
    put(small, record("condition", "gone", status="retired", successor="ache"))
    assert refused(small, record("claim", "new", conditions=["gone"])) == {
        "claim/new: conditions[0]": "unknown_reference"
    }


def test_a_record_that_is_still_named_cannot_be_retired(small: Database) -> None:
    faults = refused(small, amended(content(small, "document", "paper-a"), status="retired"))
    assert any("paper-a" in field for field in faults)


def test_a_record_can_be_retired_together_with_what_names_it(small: Database) -> None:
    outcome = put(
        small,
        amended(content(small, "claim", "drug-causes-insomnia"), status="retired"),
        amended(content(small, "side_effect", "insomnia"), status="retired"),
    )
    assert outcome.serial == 2


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"successor": "ailment"}, "rule"),
        ({"status": "retired", "successor": "nowhere"}, "unknown_reference"),
    ],
    ids=["a successor of a published record", "a successor that does not exist"],
)
def test_a_successor_must_exist_and_belongs_to_retired_records(
    small: Database, fields: dict[str, str], code: str
) -> None:
    assert refused(small, record("condition", "new", **fields)) == {"condition/new: successor": code}


def test_an_identifier_names_one_document(small: Database) -> None:
    first = amended(content(small, "document", "paper-a"), identifiers=[{"scheme": "pmid", "value": "12345"}])
    put(small, first)
    second = amended(content(small, "document", "paper-b"), identifiers=[{"scheme": "pmid", "value": "PMID: 12345"}])
    assert refused(small, second) == {"document/paper-b: identifiers[0]": "duplicate"}


def test_a_record_cannot_succeed_itself(small: Database) -> None:
    assert refused(small, record("condition", "new", status="retired", successor="new")) != {}


# --- indexes and counts -------------------------------------------------------------------------------------------


def test_every_reference_of_every_stored_record_is_indexed(scratch: Database) -> None:
    with scratch.read() as session:
        indexed = {(Key(r.type, r.id), Key(r.to_type, r.to_id)) for r in session.scalars(select(RecordReference))}
        named = set()
        for row in session.scalars(select(StoredRecord)):
            resource = BY_TYPE[row.type]
            for reference in resource.references(resource.write.model_validate_json(row.content)):
                named.add((Key(row.type, row.id), reference.key))
    assert indexed == named


def test_a_document_that_comes_retracted_may_bring_its_citations_and_gets_no_other(small: Database) -> None:
    claim = content(small, "claim", "drug-causes-insomnia")
    cited = [citation("cit-awake", "paper-a2", "trial-a"), citation("cit-withdrawn", "withdrawn", None)]
    put(small, record("document", "withdrawn", **standing("retracted")), amended(claim, citations=cited))
    other = content(small, "claim", "drug-eases-ache")
    more = [*other.content.model_dump(mode="json")["citations"], citation("cit-more", "withdrawn", None)]
    assert refused(small, amended(other, citations=more)) == {"claim/drug-eases-ache: citations": "retracted"}
    put(small, amended(content(small, "document", "withdrawn"), **standing("retracted", "reinstated")))
    put(small, amended(other, citations=more))


def test_counts_on_catalogue_records_equal_what_their_claims_add_up_to(small: Database) -> None:
    assert_counts_agree(small)
    put(small, amended(content(small, "document", "paper-b"), **standing("current", "retracted")))
    assert_counts_agree(small)
    put(small, amended(content(small, "study", "trial-a"), participants=44))
    assert_counts_agree(small)


def test_counts_follow_a_study_whose_size_was_corrected_although_its_claims_give_their_own(small: Database) -> None:
    claim = content(small, "claim", "drug-causes-insomnia")
    put(small, amended(claim, citations=[citation("cit-awake", "paper-a2", "trial-a", analysed_n=30)]))
    put(small, amended(content(small, "study", "trial-a"), participants=44))
    assert_counts_agree(small)


def test_counts_on_the_whole_data_set_equal_what_its_claims_add_up_to(scratch: Database) -> None:
    assert_counts_agree(scratch)


def assert_counts_agree(database: Database) -> None:
    """Counts claims, documents, studies and people of every catalogue record by brute force over the contents."""
    with database.read() as session:
        rows = list(session.scalars(select(StoredRecord)))
    contents = {Key(r.type, r.id): json.loads(r.content) for r in rows}
    claims = [c for key, c in contents.items() if key.type == "claim" and c["status"] == "published"]
    retracted = {
        key.id for key, c in contents.items() if key.type == "document" and c["standing"][-1]["standing"] == "retracted"
    }
    for row in rows:
        selects = SELECTS.get(row.type)
        if selects is None or row.status != "published":
            continue
        about, cites = selects(row.id)
        mine = [c for c in claims if about(c)]
        cited = [x for c in mine for x in c["citations"] if cites(x) and x["document"] not in retracted]
        studies = {x["study"] for x in cited if x["study"]}
        reviews = {
            s
            for s in studies
            if contents[Key("study", s)]["design"].endswith("_review")
            or contents[Key("study", s)]["design"] == "meta_analysis"
        }
        shown = json.loads(row.body)["evidence"]
        expected = {
            "claims": len(mine),
            "citations": len(cited),
            "documents": len({x["document"] for x in cited}),
            "studies": len(studies - reviews),
            "reviews": len(reviews),
            "participants": sum(contents[Key("study", s)]["participants"] or 0 for s in studies - reviews),
        }
        assert {name: shown[name] for name in expected} == expected, f"{row.type}/{row.id}"
        for stance, count in shown["by_stance"].items():
            assert count["citations"] == sum(x["stance"] == stance for x in cited), f"{row.type}/{row.id} {stance}"


Selects = tuple[Callable[[Any], bool], Callable[[Any], bool]]


def _concept(*fields: str) -> Callable[[str], Selects]:
    def named(claim: Any, record_id: str) -> bool:
        values = [claim[field] for field in fields]
        return any(record_id == value or (isinstance(value, list) and record_id in value) for value in values)

    return lambda record_id: (lambda claim: named(claim, record_id), lambda _citation: True)


def _source(field: str) -> Callable[[str], Selects]:
    return lambda record_id: (
        lambda claim: any(c[field] == record_id for c in claim["citations"]),
        lambda cited: cited[field] == record_id,
    )


SELECTS: dict[str, Callable[[str], Selects]] = {
    "intervention": _concept("intervention", "interactants"),
    "condition": _concept("conditions"),
    "mechanism": _concept("mechanisms"),
    "side_effect": _concept("side_effects"),
    "outcome": _concept("outcome"),
    "study": _source("study"),
    "document": _source("document"),
}
"""For each type: which claims count for a record, and which of their citations."""


# --- several writers ----------------------------------------------------------------------------------------------


def test_concurrent_writers_queue_up_and_lose_nothing(small: Database) -> None:
    writers, edits = 4, 5
    errors: list[BaseException] = []

    def edit(writer: int) -> None:
        try:
            for number in range(edits):
                with small.write() as session:
                    row = session.get_one(StoredRecord, ("condition", "ache"))
                    now = Change("condition", BY_TYPE["condition"].write.model_validate_json(row.content))
                    synonyms = [*json.loads(row.content)["synonyms"], f"{writer}-{number}"]
                    publish(session, CURATOR, [amended(now, synonyms=synonyms)], "An edit")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=edit, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    read = body(small, "condition", "ache")
    assert sorted(read["synonyms"]) == sorted(f"{w}-{n}" for w in range(writers) for n in range(edits))
    assert read["version"] == 1 + writers * edits
    with small.read() as session:
        assert current_serial(session) == 1 + writers * edits
        assert session.scalar(select(func.count()).select_from(Publication)) == 1 + writers * edits


def test_a_reader_sees_one_state_for_the_length_of_its_session(small: Database) -> None:
    with small.read() as session:
        before = current_serial(session)
        put(small, record("condition", "new"))
        assert current_serial(session) == before
    with small.read() as session:
        assert current_serial(session) == before + 1


def test_a_publication_is_served_at_once(small: Database) -> None:
    with serving(small.url.render_as_string(hide_password=False)) as client:
        for number in range(5):
            put(small, amended(content(small, "condition", "ache"), description=f"Edit {number}."))
            served: TestClient = client
            assert served.get("/v1/conditions/ache").json()["description"] == f"Edit {number}."
