"""Drugs are members of classes, interventions have a kind, and interaction rules are records

Renames `level` of interventions to `kind`, with `class` for `drug_class`, and turns the class that a drug named as its
parent into a list of members of the class: in the tables, in the contents of all serials, and in the bodies.

Revises: 0007
"""

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.operations.set_aside import giving_back, setting_aside

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SLUG = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
TERM, LINE = sa.String(40), sa.String(500)
STATES = ("records", "record_states")

Json = dict[str, Any]


def upgrade() -> None:
    with giving_back(op.get_bind(), revision):
        _upgrade()


def downgrade() -> None:
    with setting_aside(op.get_bind(), revision):
        _downgrade()


def _upgrade() -> None:
    op.execute("ALTER TABLE concepts RENAME COLUMN level TO kind")
    op.execute("UPDATE concepts SET kind = 'class' WHERE kind = 'drug_class'")
    op.create_table(
        "intervention_members",
        sa.Column("class_pk", sa.Integer, sa.ForeignKey("concepts.pk", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("member_pk", sa.Integer, sa.ForeignKey("concepts.pk"), nullable=False, index=True),
    )
    op.execute(
        "INSERT INTO intervention_members (class_pk, position, member_pk) "
        "SELECT c.pk, row_number() OVER (PARTITION BY c.pk ORDER BY m.id) - 1, m.pk "
        "FROM concepts m JOIN concepts c ON c.pk = m.parent_pk "
        "WHERE m.type = 'intervention' AND m.kind = 'drug' AND c.kind = 'class'"
    )
    op.execute("UPDATE concepts SET parent_pk = NULL WHERE pk IN (SELECT member_pk FROM intervention_members)")
    _create_rules()
    _rewrite_contents(_upgraded_content)
    _rewrite_bodies(_upgraded_body)
    _turn_references()


def _downgrade() -> None:
    for table in ("interaction_rule_claims", "interaction_rule_drugs", "interaction_rules"):
        op.drop_table(table)
    for table in (*STATES, "seed_records", "record_references"):
        records = sa.table(table, sa.column("type"))
        op.execute(sa.delete(records).where(records.c.type == "interaction_rule"))
    _rewrite_bodies(_downgraded_body)
    _rewrite_contents(_downgraded_content)
    op.execute(
        "UPDATE concepts SET parent_pk = "
        "(SELECT min(class_pk) FROM intervention_members WHERE member_pk = concepts.pk) "
        "WHERE parent_pk IS NULL AND pk IN (SELECT member_pk FROM intervention_members)"
    )
    op.drop_table("intervention_members")
    op.execute("UPDATE concepts SET kind = 'drug_class' WHERE kind = 'class'")
    op.execute("ALTER TABLE concepts RENAME COLUMN kind TO level")
    _turn_references()


def _create_rules() -> None:
    op.create_table(
        "interaction_rules",
        sa.Column("pk", sa.Integer, primary_key=True),
        sa.Column("id", SLUG, nullable=False, unique=True),
        sa.Column("status", TERM, nullable=False),
        sa.Column("successor", SLUG),
        sa.Column("name", LINE, nullable=False),
        sa.Column("severity", TERM, nullable=False),
    )
    op.create_table(
        "interaction_rule_drugs",
        sa.Column("rule_pk", sa.Integer, sa.ForeignKey("interaction_rules.pk", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("side", TERM, nullable=False),
        sa.Column("concept_pk", sa.Integer, sa.ForeignKey("concepts.pk"), nullable=False, index=True),
    )
    op.create_table(
        "interaction_rule_claims",
        sa.Column("rule_pk", sa.Integer, sa.ForeignKey("interaction_rules.pk", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("situation", TERM, nullable=False),
        sa.Column("claim_pk", sa.Integer, sa.ForeignKey("claims.pk"), nullable=False, index=True),
    )


# --- contents and bodies ------------------------------------------------------------------------------------------


def _rewrite_contents(rewritten: Callable[[Json, "_Family"], Json]) -> None:
    """Rewrite the contents of interventions, now and at every serial. What the seed applied stays what it applied."""
    connection = op.get_bind()
    every = sa.text("SELECT id, serial, content FROM record_states WHERE type = 'intervention' ORDER BY serial")
    family = _Family([(row.id, row.serial, json.loads(row.content)) for row in connection.execute(every)])
    digests: dict[tuple[str, str], str] = {}
    for table in STATES:
        states = sa.table(table, *map(sa.column, ("type", "id", "serial", "content")))
        own = states.c.type == "intervention"
        for record_id, serial, text in connection.execute(sa.select(*list(states.c)[1:]).where(own)).all():
            family.serial = serial if table == "record_states" else family.last
            content = _text(rewritten(json.loads(text), family))
            if table == "records":
                digests[record_id, _digest(text)] = _digest(content)
            row = sa.and_(own, states.c.id == record_id, states.c.serial == serial)
            connection.execute(sa.update(states).where(row).values(content=content))
    seeded = sa.table("seed_records", *map(sa.column, ("type", "id", "digest")))
    for (record_id, before), after in digests.items():
        row = sa.and_(seeded.c.type == "intervention", seeded.c.id == record_id, seeded.c.digest == before)
        connection.execute(sa.update(seeded).where(row).values(digest=after))


class _Family:
    """Who belonged to which class at a serial."""

    def __init__(self, states: list[tuple[str, int, Json]]) -> None:
        self._states = states
        self.last = max((serial for _, serial, _ in states), default=0)
        self.serial = self.last
        newest_of_class: dict[str, int] = {}
        for record_id, serial, content in states:
            if _is_class(content):
                newest_of_class[record_id] = serial
        self._newest_of_class = newest_of_class

    def contents(self, class_id: str | None = None) -> dict[str, Json]:
        """The contents at the serial; those of today for the newest state of a class, which stays until the next."""
        is_newest = class_id is not None and self._newest_of_class.get(class_id, 0) <= self.serial
        until = self.last if is_newest else self.serial
        return {record_id: content for record_id, serial, content in self._states if serial <= until}


def _is_class(content: Json | None) -> bool:
    return content is not None and (content.get("level") or content.get("kind")) in ("drug_class", "class")


def _upgraded_content(content: Json, family: _Family) -> Json:
    contents = family.contents(content["id"])
    members = sorted(
        record_id
        for record_id, other in contents.items()
        if other.get("parent") == content["id"] and other["level"] == "drug" and other["status"] == "published"
    )
    new = {("kind" if name == "level" else name): value for name, value in content.items()}
    new["kind"] = {"drug_class": "class"}.get(content["level"], content["level"])
    if content["level"] == "drug" and _is_class(contents.get(content.get("parent") or "")):
        new["parent"] = None
    return {**new, "members": members if new["kind"] == "class" else []}


def _downgraded_content(content: Json, family: _Family) -> Json:
    old = {("level" if name == "kind" else name): value for name, value in content.items() if name != "members"}
    old["level"] = {"class": "drug_class"}.get(content["kind"], content["kind"])
    if old.get("parent") is None and content["kind"] == "drug":
        classes = (name for name, other in family.contents().items() if content["id"] in other.get("members", ()))
        old["parent"] = min(classes, default=None)
    return old


def _rewrite_bodies(rewritten: Callable[[Json, dict[str, Json]], Json]) -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, body FROM records WHERE type = 'intervention'")).all()
    bodies = {row.id: json.loads(bytes(row.body)) for row in rows}
    for record_id, body in bodies.items():
        connection.execute(
            sa.text("UPDATE records SET body = :body WHERE type = 'intervention' AND id = :id"),
            {"body": _text(rewritten(body, bodies)).encode(), "id": record_id},
        )


def _upgraded_body(body: Json, bodies: dict[str, Json]) -> Json:
    new: Json = {}
    for name, value in body.items():
        if name == "level":
            new["kind"] = {"drug_class": "class"}.get(value, value)
        elif name == "parent":
            in_class = value and body["level"] == "drug" and bodies.get(value["id"], {}).get("level") == "drug_class"
            new["parent"] = None if in_class else value
            new["members"] = [
                {"id": other["id"], "name": other["name"]}
                for _, other in sorted(bodies.items())
                if body["level"] == "drug_class"
                and other["level"] == "drug"
                and (other["parent"] or {}).get("id") == body["id"]
            ]
        else:
            new[name] = value
    return new


def _downgraded_body(body: Json, bodies: dict[str, Json]) -> Json:
    old: Json = {}
    for name, value in body.items():
        if name == "kind":
            old["level"] = {"class": "drug_class"}.get(value, value)
        elif name == "parent":
            classes = (
                {"id": other["id"], "name": other["name"]}
                for _, other in sorted(bodies.items())
                if any(member["id"] == body["id"] for member in other["members"])
            )
            old["parent"] = value or next(classes, None)
        elif name != "members":
            old[name] = value
    return old


def _turn_references() -> None:
    """What refers to which intervention, from the contents as they are now."""
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, content FROM records WHERE type = 'intervention'")).all()
    connection.execute(sa.text("DELETE FROM record_references WHERE type = 'intervention'"))
    for record_id, text in rows:
        content = json.loads(text)
        for target in sorted({*filter(None, [content.get("parent")]), *content.get("members", ())}):
            connection.execute(
                sa.text(
                    "INSERT INTO record_references (type, id, to_type, to_id) "
                    "VALUES ('intervention', :id, 'intervention', :target)"
                ),
                {"id": record_id, "target": target},
            )


def _text(content: Json) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
