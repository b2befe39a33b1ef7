"""The unit that stands for the kind of a dose, beside its amounts

Amounts are comparable with those of the same kind alone. All that were stored are masses. What can be compared since,
such as doses by body weight, is computed after the migration. The language of a data set becomes the first of several.

Going back, doses of other kinds lose their amounts, as they had none. Set aside are doses in units, identifiers in
schemes and sections of the manifest that the older code does not know.

Revises: 0017
"""

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.operations.set_aside import giving_back, setting_aside

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BATCH = 500
MASS = "mg"
SLUG = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
MASSES = ("ng", "ug", "mg", "g")
UNITS = (*MASSES, "mg/kg", "[iU]", None)
SCHEMES = ("doi", "pmid", "pmcid", "nct", "eudract")
"""What the older code knows of units and identifiers."""
TABLES = {"records": ("type", "id"), "record_states": ("type", "id", "serial")}
Row = dict[str, Any]


def upgrade() -> None:
    with giving_back(op.get_bind(), revision):
        op.add_column("dosing_ranges", sa.Column("amount_of", sa.String(40), nullable=True))
        op.add_column("dosing_ranges", sa.Column("dose_order", SLUG, nullable=True))
        op.add_column("citations", sa.Column("dose_of", sa.String(40), nullable=True))
        is_known = "low_amount IS NOT NULL OR high_amount IS NOT NULL"
        op.execute(f"UPDATE dosing_ranges SET amount_of = '{MASS}' WHERE {is_known}")  # noqa: S608 - names of this file
        op.execute(f"UPDATE citations SET dose_of = '{MASS}' WHERE dose_low IS NOT NULL")  # noqa: S608
        _rewrite_manifests(_with_languages)


def downgrade() -> None:
    with setting_aside(op.get_bind(), revision, (*TABLES, "manifests")):
        _rewrite("dosing_range", _without_other_units)
        _rewrite("claim", _without_other_doses)
        _rewrite("study", _without_other_schemes)
        _rewrite("document", _without_other_schemes)
        _rewrite_manifests(_without_newer_sections)
    for table, columns, kind in (
        ("dosing_ranges", ("low_amount", "high_amount"), "amount_of"),
        ("citations", ("dose_low", "dose_high"), "dose_of"),
    ):
        nulls = ", ".join(f"{column} = NULL" for column in columns)
        op.execute(f"UPDATE {table} SET {nulls} WHERE {kind} <> '{MASS}'")  # noqa: S608
    op.drop_column("citations", "dose_of")
    op.drop_column("dosing_ranges", "dose_order")
    op.drop_column("dosing_ranges", "amount_of")


# --- what is stored of records ------------------------------------------------------------------------------------


def _rewrite(record_type: str, change: Callable[[Row, Row], bool]) -> None:
    """Content and derived values of all records of a type, at every serial; `change` says whether it changed them."""
    connection = op.get_bind()
    for name, key in TABLES.items():
        table = sa.table(name, *(sa.column(column) for column in (*key, "content", "derived")))
        keys = [table.c[column] for column in key]
        last: tuple[Any, ...] | None = None
        while True:
            rows = sa.select(*keys, table.c.content, table.c.derived).where(table.c.type == record_type)
            if last is not None:
                rows = rows.where(sa.tuple_(*keys) > sa.tuple_(*map(sa.literal, last)))
            found = connection.execute(rows.order_by(*keys).limit(BATCH)).all()
            if not found:
                break
            for row in found:
                content, derived = json.loads(row.content), json.loads(row.derived)
                if change(content, derived):
                    own = [table.c[column] == value for column, value in zip(key, row, strict=False)]
                    texts = {"content": _text(row.content, content), "derived": _text(row.derived, derived)}
                    connection.execute(table.update().where(*own).values(**texts))
            last = tuple(found[-1][: len(key)])


def _text(old: str, value: Row) -> str:
    """The text of before where nothing changed: by it the seed knows its own."""
    return old if json.loads(old) == value else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _without_other_units(content: Row, derived: Row) -> bool:
    is_other = content.get("unit") not in UNITS
    if is_other:
        content.update({"low": None, "high": None, "unit": None})
    had_total = "total" in derived
    derived.pop("total", None)
    return is_other or had_total


def _without_other_doses(_content: Row, derived: Row) -> bool:
    doses = derived.get("doses") or {}
    derived["doses"] = {citation: ends for citation, ends in doses.items() if len(ends) == 2}
    return len(derived["doses"]) < len(doses)


def _without_other_schemes(content: Row, _derived: Row) -> bool:
    changed = False
    for name in {"registry_ids", "identifiers"} & set(content):
        known = [identifier for identifier in content[name] if identifier["scheme"] in SCHEMES]
        changed |= len(known) < len(content[name])
        content[name] = known
    return changed


# --- what the data set says of itself -----------------------------------------------------------------------------


def _with_languages(manifest: Row) -> None:
    if "language" in manifest:
        manifest["languages"] = [manifest.pop("language")]


def _without_newer_sections(manifest: Row) -> None:
    manifest["language"] = (manifest.pop("languages", None) or ["en"])[0]
    manifest.get("vocabularies", {}).pop("units", None)
    tiers = manifest.get("dose_tiers")
    if tiers:
        manifest["dose_tiers"] = [one for one in tiers if one["unit"] in MASSES]


def _rewrite_manifests(change: Callable[[Row], None]) -> None:
    connection = op.get_bind()
    table = sa.table("manifests", sa.column("serial"), sa.column("content"))
    for serial, text in connection.execute(sa.select(table.c.serial, table.c.content)).all():
        manifest = json.loads(text)
        change(manifest)
        connection.execute(table.update().where(table.c.serial == serial).values(content=_text(text, manifest)))
