"""Doses of any period as whole picograms in 5,040 days, and bands of doses as data

Every stored total of a day is multiplied by 5,040, so that nothing is lost. The bands, which were the same for every
intervention, become those of the drugs that dosing ranges are about: in the manifest at every serial, and with each
dosing range as it was stored.

Going back, codes of systems and routes that the older code does not know are set aside. Kinds of intervention that it
does not know have nothing to stand for them: with such records there is no way back.

Revises: 0014
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.operations.set_aside import giving_back, setting_aside
from app.storage.schema import SchemaMismatch

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BATCH = 500
DAYS = 5_040
MAX_DAILY = (2**63 - 1) // DAYS
COLUMNS = {
    "dosing_ranges": {"low_pg_per_day": "low_amount", "high_pg_per_day": "high_amount"},
    "citations": {"dose_low_pg": "dose_low", "dose_high_pg": "dose_high"},
}
BANDS: list[dict[str, Any]] = [
    {"value": "ultra_low", "label": "Ultra-low", "definition": "Below 1 microgram a day.", "below": 0.001},
    {"value": "very_low", "label": "Very low", "definition": "From 1 microgram to below 1 mg a day.", "below": 1},
    {"value": "low", "label": "Low", "definition": "From 1 to 5 mg a day.", "up_to": 5},
    {"value": "intermediate", "label": "Intermediate", "definition": "Above 5 and below 50 mg a day.", "below": 50},
    {"value": "standard", "label": "Standard", "definition": "50 mg a day and above."},
]
MILLIGRAMS = {"ng": Decimal("0.000001"), "ug": Decimal("0.001"), "mg": Decimal(1), "g": Decimal(1000)}
HOURS = {"h": 1, "d": 24, "wk": 168}
KINDS = ("drug", "class", "regimen")
ROUTES = ("oral", "intramuscular", "intrathecal", "topical")
CODE_SYSTEMS = (
    "rxnorm", "atc", "unii", "mesh", "icd10cm", "icd11", "snomed", "doid", "pubchem", "cas", "chebi", "drugbank", "ndc",
    "omop", "inchikey",
)  # fmt: skip
"""What the older code knows of vocabularies that are open since."""
MAX_NAMED = 20
TABLES = {"records": ("type", "id"), "record_states": ("type", "id", "serial")}
Row = dict[str, Any]


def upgrade() -> None:
    with giving_back(op.get_bind(), revision):
        for table, columns in COLUMNS.items():
            for old, new in columns.items():
                op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
                scaled = f"CASE WHEN {new} <= {MAX_DAILY} THEN {new} * {DAYS} END"
                op.execute(f"UPDATE {table} SET {new} = {scaled} WHERE {new} IS NOT NULL")  # noqa: S608
        _rewrite("dosing_range", _with_bands)
        _rewrite_manifests(_with_tiers(_drugs_with_doses()))


def downgrade() -> None:
    _refuse_newer_kinds()
    with setting_aside(op.get_bind(), revision, (*TABLES, "manifests")):
        _rewrite("dosing_range", _without_bands)
        _rewrite("claim", _without_fractions)
        for concept in ("intervention", "condition", "mechanism", "side_effect", "outcome"):
            _rewrite(concept, _without_lines_and_newer_codes)
        _rewrite_manifests(_without_tiers)
    for table, columns in COLUMNS.items():
        for old, new in columns.items():
            whole = f"CASE WHEN {new} % {DAYS} = 0 THEN {new} / {DAYS} END"
            op.execute(f"UPDATE {table} SET {new} = {whole} WHERE {new} IS NOT NULL")  # noqa: S608
            op.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}")


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


def _with_bands(content: Row, derived: Row) -> bool:
    derived["bands"] = [_whole(band) for band in _touched(content)]
    return True


def _touched(content: Row) -> list[Row]:
    """The bands that a dosing range touched, by the rules of before."""
    schedule = content.get("schedule") or {}
    count, period, unit = (schedule.get(name) for name in ("count", "period", "period_unit"))
    factor, hours = MILLIGRAMS.get(content.get("unit") or ""), HOURS.get(unit or "")
    if factor is None or hours is None or not count or not period:
        return []
    ends = [content.get(name) for name in ("low", "high")]
    low, high = (None if end is None else Decimal(str(end)) * factor * count * 24 / (period * hours) for end in ends)
    if low is None and high is None:
        return []
    touched = []
    start, holds_start = Decimal(0), True
    for band in BANDS:
        end = Decimal(str(band.get("below") or band.get("up_to") or "Infinity"))
        begins_below = low is None or low < end or (low == end and "up_to" in band)
        ends_above = high is None or high > start or (high == start and holds_start)
        if begins_below and ends_above:
            touched.append(band)
        start, holds_start = end, "below" in band
    return touched


def _whole(band: Row) -> Row:
    return {"below": None, "up_to": None, **band}


def _without_bands(content: Row, derived: Row) -> bool:
    derived.pop("bands", None)
    if content.get("unit") == "[iU]":
        content.update({"low": None, "high": None, "unit": None})
    schedule = content.get("schedule") or {}
    if schedule.get("period_unit") == "cycle":
        schedule["period_unit"] = "d"
    if content.get("route") not in ROUTES:
        content["route"] = None
    return True


def _without_fractions(_content: Row, derived: Row) -> bool:
    doses = derived.get("doses") or {}
    derived["doses"] = {citation: ends for citation, ends in doses.items() if all(isinstance(e, int) for e in ends)}
    return len(derived["doses"]) < len(doses)


def _without_lines_and_newer_codes(content: Row, derived: Row) -> bool:
    codes = content.get("codes") or []
    content["codes"] = [code for code in codes if code["system"] in CODE_SYSTEMS]
    return derived.pop("lines", None) is not None or len(content["codes"]) < len(codes)


def _refuse_newer_kinds() -> None:
    """SchemaMismatch names the interventions, now or at an earlier serial, whose kinds the older code does not know."""
    connection, found = op.get_bind(), set()
    for name in TABLES:
        table = sa.table(name, sa.column("type"), sa.column("id"), sa.column("content"))
        rows = connection.execute(sa.select(table.c.id, table.c.content).where(table.c.type == "intervention"))
        found |= {f"{row.id} ({kind})" for row in rows if (kind := json.loads(row.content).get("kind")) not in KINDS}
    if found:
        named = ", ".join(sorted(found)[:MAX_NAMED]) + (" and others" if len(found) > MAX_NAMED else "")
        raise SchemaMismatch(
            f"The software of schema {down_revision} knows no intervention but {', '.join(KINDS)}, and the data hold "
            f"{named}, now or at an earlier serial. Nothing was changed. Restore a backup of the older software."
        )


# --- what the data set says of itself -----------------------------------------------------------------------------


def _drugs_with_doses() -> list[str]:
    """The drugs of dosing ranges: of a dose regimen, its drug."""
    rows = op.get_bind().execute(
        sa.text(
            "SELECT DISTINCT COALESCE(drugs.id, own.id) FROM dosing_ranges "
            "JOIN concepts own ON own.pk = dosing_ranges.intervention_pk "
            "LEFT JOIN concepts drugs ON drugs.pk = own.parent_pk AND own.kind = 'regimen'"
        )
    )
    return sorted(drug for (drug,) in rows)


def _with_tiers(drugs: list[str]) -> Callable[[Row], None]:
    tiers = {"unit": "mg", "per": "day", "bands": [_whole(band) for band in BANDS]}

    def change(manifest: Row) -> None:
        manifest.setdefault("dose_tiers", [{"intervention": drug, **tiers} for drug in drugs])

    return change


def _without_tiers(manifest: Row) -> None:
    """Nor what else came with the seed files since, which the older code does not know."""
    for name in ("dose_tiers", "search", "examples", "cds", "vocabularies"):
        manifest.pop(name, None)


def _rewrite_manifests(change: Callable[[Row], None]) -> None:
    connection = op.get_bind()
    table = sa.table("manifests", sa.column("serial"), sa.column("content"))
    for serial, text in connection.execute(sa.select(table.c.serial, table.c.content)).all():
        manifest = json.loads(text)
        change(manifest)
        new = json.dumps(manifest, ensure_ascii=False, separators=(",", ":"))
        connection.execute(table.update().where(table.c.serial == serial).values(content=new))
