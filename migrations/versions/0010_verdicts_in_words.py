"""The verdict and weight of every claim: columns to count and order by, and the verdict in derived values stored before

States that were stored before verdicts were worded get the code and label that their consensus, leaning and
certainty give, and that label as their answer; what a verdict is to a reader was not known of them. Catalogue records
counted claims by consensus; at those serials they have no counts by verdict.

Revises: 0008
"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.operations.set_aside import giving_back, setting_aside

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BATCH = 500
LABELS = {
    "supported": "Supported",
    "disputed": "Disputed",
    "mostly_supported": "Mostly supported",
    "mostly_disputed": "Mostly disputed",
    "weak_for": "Weak evidence for",
    "weak_against": "Weak evidence against",
    "conflicting": "Conflicting",
    "conflicting_leaning_for": "Conflicting, leaning for",
    "conflicting_leaning_against": "Conflicting, leaning against",
    "too_little": "Too little evidence",
    "uncited": "Stated without a citation",
    "view": "Not graded",
}
TABLES = {"records": ("type", "id"), "record_states": ("type", "id", "serial")}


def upgrade() -> None:
    with giving_back(op.get_bind(), revision):
        _upgrade()


def downgrade() -> None:
    with setting_aside(op.get_bind(), revision):
        _downgrade()


def _upgrade() -> None:
    with op.batch_alter_table("claims") as batch:
        batch.add_column(sa.Column("verdict", sa.String(40), nullable=False, server_default="uncited"))
        batch.add_column(sa.Column("weight", sa.Float(53), nullable=False, server_default="0"))
    with op.batch_alter_table("claims") as batch:
        batch.alter_column("verdict", existing_type=sa.String(40), server_default=None)
        batch.alter_column("weight", existing_type=sa.Float(53), server_default=None)
    _restore_descending_indexes()
    _rewrite(_with_verdict)


def _downgrade() -> None:
    _rewrite(_without_verdict)
    with op.batch_alter_table("claims") as batch:
        batch.drop_column("weight")
        batch.drop_column("verdict")
    _restore_descending_indexes()


def _restore_descending_indexes() -> None:
    """SQLite made the table anew, with all indexes ascending."""
    if op.get_context().dialect.name != "sqlite":
        return
    for column in ("updated_at", "study_count", "participant_count"):
        op.execute(f"DROP INDEX IF EXISTS ix_claims_{column}_desc_id")
        op.execute(f"CREATE INDEX ix_claims_{column}_desc_id ON claims ({column} DESC, id)")


def _rewrite(change: Any) -> None:
    connection = op.get_bind()
    for name, key in TABLES.items():
        table = sa.table(name, *(sa.column(column) for column in (*key, "derived")))
        keys = [table.c[column] for column in key]
        last: tuple[Any, ...] | None = None
        while True:
            rows = sa.select(*keys, table.c.derived).order_by(*keys).limit(BATCH)
            if last is not None:
                rows = rows.where(sa.tuple_(*keys) > sa.tuple_(*map(sa.literal, last)))
            found = connection.execute(rows).all()
            if not found:
                break
            for row in found:
                derived = json.loads(row.derived)
                if "evidence" in derived and change(derived["evidence"]):
                    own = [table.c[column] == value for column, value in zip(key, row, strict=False)]
                    text = json.dumps(derived, ensure_ascii=False, separators=(",", ":"))
                    connection.execute(table.update().where(*own).values(derived=text))
            last = tuple(found[-1][: len(key)])


def _with_verdict(evidence: dict[str, Any]) -> bool:
    if "by_consensus" in evidence:
        del evidence["by_consensus"]
        evidence["by_verdict"] = {}
        return True
    if "consensus" not in evidence or "verdict" in evidence:
        return False
    code = _code(evidence["consensus"], evidence["leaning"], evidence["certainty"])
    tone = "neutral" if code in ("uncited", "view") else "unclear"
    evidence["verdict"] = {"code": code, "label": LABELS[code], "tone": tone}
    evidence["answer"], evidence["counts_text"] = f"{LABELS[code]}.", None
    return True


def _without_verdict(evidence: dict[str, Any]) -> bool:
    if "by_verdict" in evidence:
        del evidence["by_verdict"]
        evidence["by_consensus"] = {}
        return True
    values = [evidence.pop(name, None) for name in ("verdict", "answer", "counts_text")]
    return values[0] is not None


def _code(consensus: str, leaning: str, certainty: str) -> str:
    if consensus in ("uncited", "not_applicable"):
        return {"uncited": "uncited", "not_applicable": "view"}[consensus]
    if consensus == "insufficient" or leaning == "neither":
        return "conflicting" if consensus == "conflicting" else "too_little"
    if consensus == "conflicting":
        return f"conflicting_leaning_{'for' if leaning == 'supports' else 'against'}"
    if certainty in ("very_low", "not_graded"):
        return "weak_for" if leaning == "supports" else "weak_against"
    side = "supported" if leaning == "supports" else "disputed"
    return side if consensus == "unanimous" and certainty != "low" else f"mostly_{side}"
