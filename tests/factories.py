"""Small valid records for tests, and a small world made of them in which every kind of dependence occurs once."""

from collections.abc import Iterable
from typing import Any

import yaml
from sqlalchemy import inspect, select, table, text

from app.accounts.models import MAINTENANCE, SEED, Actor
from app.accounts.service import ensure_system_actors
from app.claims.rules import VOTING_FORMS
from app.concepts.manifest import UNDESCRIBED, StoredManifest, about_to_apply
from app.concepts.manifest_doses import DoseTiers
from app.core.vocabulary import Status
from app.datasets.layout import file_name
from app.publishing import indexes
from app.publishing.changes import Change
from app.publishing.publish import PublishResult, announce, open_publication, publish
from app.registry import BY_TYPE, RESOURCES
from app.storage.database import Database
from app.storage.history import StoredRecord, text_of
from app.storage.resource import Key

CURATOR: Actor = MAINTENANCE
"""Anybody but the seed."""

Fields = dict[str, Any]

_CONCEPT: Fields = {"description": "Made for tests."}
_DEFAULTS: dict[str, Fields] = {
    "intervention": {**_CONCEPT, "kind": "drug"},
    "condition": _CONCEPT,
    "mechanism": _CONCEPT,
    "side_effect": _CONCEPT,
    "outcome": {**_CONCEPT, "better": "lower"},
    "study": {"design": "randomized_parallel_trial", "evidence_source": "human_clinical"},
    "document": {"kind": "article-journal"},
    "dosing_range": {"intervention": "drug", "dose_text": "4.5 mg a day", "basis": "studied"},
    "claim": {
        "kind": "efficacy",
        "form": "general_effect",
        "statement": "The drug eases the ache.",
        "effect": "improves",
        "intervention": "drug",
        "conditions": ["ache"],
        "outcome": "pain",
    },
    "search": {"question": "Is it so?", "coverage": "not_searched", "topic": "Whether it is so"},
    "interaction_rule": {"severity": "contraindicated", "claims": []},
}


def record(record_type: str, record_id: str, **fields: Any) -> Change:
    """A valid record; its name or label is its id, unless given."""
    write = BY_TYPE[record_type].write
    named = {name: record_id for name in ("name", "label") if name in write.model_fields}
    values = {**_DEFAULTS[record_type], **fields}
    if record_type == "claim" and values["form"] in VOTING_FORMS:
        values.setdefault("wording", wording("harm" if values["kind"] == "safety" else "benefit"))
    return Change(record_type, write.model_validate({"id": record_id, **named, **values}))


def wording(frame: str = "benefit", **fields: Any) -> Fields:
    """Phrases of an answer, as a field of a claim: `The drug reduces pain in people with the ailment.`"""
    verb, thing = ("cause", "trouble sleeping") if frame == "harm" else ("reduce", "pain in people with the ailment")
    return {"frame": frame, "subject": "The drug", "verb": verb, "object": thing, **fields}


def amended(change: Change, **fields: Any) -> Change:
    """The record with other values in some fields."""
    kept = change.content.model_dump(mode="json")
    return Change(change.type, type(change.content).model_validate({**kept, **fields}))


def citation(citation_id: str, document: str, study: str | None, stance: str = "supports", **fields: Any) -> Fields:
    """A legal citation, as a field of a claim."""
    reason = {"disputes": "n1a_excludes_mid", "inconclusive": "wide_ci"}.get(stance)
    silent = stance in ("background", "not_assessed")
    return {
        "id": citation_id,
        "document": document,
        "study": study,
        "stance": stance,
        "stance_reason": reason,
        "directness": "direct",
        "role": "background" if silent else "primary_result",
        "finding": None if silent else "It was found.",
        "verification": {"result": "unverified" if silent else "verified", "basis": None if silent else "abstract"},
        **fields,
    }


def standing(*history: str) -> Fields:
    """A history with a day for each entry, since a reinstatement lifts only what was stated before it."""
    return {"standing": [{"standing": entry, "on": f"2024-01-{day:02}"} for day, entry in enumerate(history, 1)]}


def small_data_set() -> list[Change]:
    """Two trials on either side of a claim, a review of one, a drug with a regimen, and what hangs on them."""
    return [
        record("intervention", "drug"),
        record("intervention", "drug-low", kind="regimen", parent="drug"),
        record("intervention", "other-drug"),
        record("condition", "ailment"),
        record("condition", "ache", parent="ailment"),
        record("mechanism", "blockade"),
        record("side_effect", "insomnia"),
        record("outcome", "pain"),
        record("study", "trial-a", participants=40, conditions=["ache"]),
        record("study", "trial-b", participants=60, conditions=["ache"]),
        record(
            "study",
            "review",
            design="systematic_review",
            includes={"studies": ["trial-a"], "completeness": "full", "study_count": 1, "participants": 40},
        ),
        record("document", "paper-a", issued="2013", studies=[{"study": "trial-a", "role": "primary"}]),
        record("document", "paper-a2", issued="2014", studies=[{"study": "trial-a", "role": "secondary"}]),
        record("document", "paper-b", issued="2024", studies=[{"study": "trial-b", "role": "primary"}]),
        record("document", "paper-review", issued="2023", studies=[{"study": "review", "role": "review"}]),
        record("dosing_range", "dose", low=4.5, high=4.5, unit="mg", conditions=["ache"]),
        record(
            "claim",
            "drug-eases-ache",
            dosing_range="dose",
            citations=[
                citation("cit-a", "paper-a", "trial-a"),
                citation("cit-b", "paper-b", "trial-b", "disputes"),
                citation("cit-review", "paper-review", "review", role="review_synthesis"),
            ],
        ),
        record(
            "claim",
            "low-dose-eases-ache",
            intervention="drug-low",
            relations=[{"type": "restates", "claim": "drug-eases-ache"}],
        ),
        record(
            "claim",
            "drug-causes-insomnia",
            kind="safety",
            statement="The drug keeps people awake.",
            effect="causes",
            outcome=None,
            side_effects=["insomnia"],
            aspect="occurrence",
            citations=[citation("cit-awake", "paper-a2", "trial-a")],
        ),
        record("search", "drug-with-other-drug", intervention="drug", interactants=["other-drug"]),
    ]


def small_files() -> dict[str, str]:
    """The small world as a curator would write it: file name → YAML."""
    records: dict[str, list[Fields]] = {}
    for change in small_data_set():
        fields = change.content.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        records.setdefault(change.type, []).append(fields)
    names = {resource.type: file_name(resource) for resource in RESOURCES}
    return {
        names[record_type]: yaml.safe_dump({names[record_type].removesuffix(".yaml"): found}, sort_keys=False)
        for record_type, found in records.items()
    }


def fill(database: Database, changes: Iterable[Change]) -> None:
    """Make an empty database into one that holds these records."""
    indexes.migrate(database)
    with database.write() as session:
        ensure_system_actors(session)
        publish(session, SEED, changes, "First")


def put(database: Database, *changes: Change, actor: Actor = CURATOR) -> PublishResult:
    """Publish in a transaction of its own."""
    with database.write() as session:
        return publish(session, actor, changes, "An edit")


LOW_AND_STANDARD: Fields = {
    "unit": "mg",
    "bands": [
        {"value": "low", "label": "Low", "definition": "Up to 5 mg a day.", "up_to": 5},
        {"value": "standard", "label": "Standard", "definition": "More than 5 mg a day."},
    ],
}


def tell_bands(database: Database, intervention: str, **tiers: Any) -> None:
    """Let the data set tell bands of doses apart; by default those up to 5 mg a day and above."""
    described = {"intervention": intervention, **(tiers or LOW_AND_STANDARD)}
    manifest = UNDESCRIBED.model_copy(update={"dose_tiers": (DoseTiers.model_validate(described),)})
    with database.write() as session, about_to_apply(session, manifest):
        doses = session.scalars(select(StoredRecord.id).where(StoredRecord.type == "dosing_range")).all()
        keys = [Key("dosing_range", dose) for dose in doses]
        serial = publish(session, CURATOR, (), "Bands", recompute=keys).serial
        if serial is None:
            serial = open_publication(session, CURATOR, "Bands").serial
            announce(session, serial)
        session.add(StoredManifest(serial=serial, content=text_of(manifest)))


def content(database: Database, record_type: str, record_id: str) -> Change:
    """The record as curators wrote it, ready to be amended."""
    row = stored(database, record_type, record_id)
    return Change(record_type, BY_TYPE[record_type].write.model_validate_json(row.content))


def stored(database: Database, record_type: str, record_id: str) -> StoredRecord:
    with database.read() as session:
        return session.scalars(
            select(StoredRecord).where(StoredRecord.type == record_type, StoredRecord.id == record_id)
        ).one()


def bodies(database: Database) -> dict[Key, bytes]:
    """What the API serves of every published record."""
    statement = select(StoredRecord.type, StoredRecord.id, StoredRecord.body)
    with database.read() as session:
        rows = session.execute(statement.where(StoredRecord.status == Status.published))
        return {Key(record_type, record_id): body for record_type, record_id, body in rows}


def dump(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in a fixed order."""
    with database.engine.connect() as connection:
        return {
            name: sorted(map(tuple, connection.execute(select(text("*")).select_from(table(name)))), key=repr)
            for name in inspect(connection).get_table_names()
        }
