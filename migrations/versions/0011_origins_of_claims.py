"""Every place where a document states a claim, in place of one; and the order of claims by relevance

The one origin of a claim becomes the first of its origins, in the tables, in the stored contents and in the digests by
which seeding knows them. Its position in the document is that of its claim among the document's claims; the seed files
say it exactly. Going back keeps the first origin of each claim.

Revises: 0010
"""

import json
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.operations.set_aside import giving_back, setting_aside

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BATCH = 500
COLUMNS: dict[str, Any] = {
    "section": sa.String(500),
    "paragraph": sa.Integer(),
    "asserts": sa.Text(),
    "hedge": sa.String(40),
    "fit": sa.String(40),
    "fit_basis": sa.String(40),
}
DOWNWARDS = ("updated_at", "study_count", "participant_count")
"""Sorts whose indexes go downwards. Where SQLite makes the table anew, Alembic makes them upwards, as it reads them."""


def upgrade() -> None:
    with giving_back(op.get_bind(), revision):
        _upgrade()


def downgrade() -> None:
    with setting_aside(op.get_bind(), revision):
        _downgrade()


def _upgrade() -> None:
    op.create_table(
        "claim_origins",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("claim_pk", sa.Integer(), nullable=False),
        sa.Column("document_pk", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *(sa.Column(name, type_, nullable=name == "fit_basis") for name, type_ in COLUMNS.items()),
        sa.ForeignKeyConstraint(
            ["claim_pk"], ["claims.pk"], name=op.f("fk_claim_origins_claim_pk"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["document_pk"], ["documents.pk"], name=op.f("fk_claim_origins_document_pk")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_claim_origins")),
    )
    op.create_index(op.f("ix_claim_origins_claim_pk"), "claim_origins", ["claim_pk"])
    op.create_index("ix_claim_origins_document_pk_position", "claim_origins", ["document_pk", "position"])
    op.create_table(
        "origin_references",
        sa.Column("origin_pk", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["origin_pk"], ["claim_origins.pk"], name=op.f("fk_origin_references_origin_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("origin_pk", "number", name=op.f("pk_origin_references")),
    )
    columns = ", ".join(COLUMNS)
    op.execute(
        f"INSERT INTO claim_origins (claim_pk, document_pk, position, {columns}) "  # noqa: S608 - names of this file
        "SELECT pk, origin_document_pk, row_number() OVER (PARTITION BY origin_document_pk ORDER BY pk), "
        f"{', '.join(f'origin_{name}' for name in COLUMNS)} "
        "FROM claims WHERE origin_document_pk IS NOT NULL ORDER BY pk"
    )
    op.execute(
        "INSERT INTO origin_references (origin_pk, number) SELECT claim_origins.pk, claim_references.number "
        "FROM claim_references JOIN claim_origins ON claim_origins.claim_pk = claim_references.claim_pk"
    )
    op.drop_table("claim_references")
    _rewrite(_with_origins(_positions()))
    with op.batch_alter_table("claims") as batch:
        batch.drop_index("ix_claims_origin_document_pk")
        batch.drop_constraint("fk_claims_origin_document_pk", type_="foreignkey")
        for name in ("document_pk", *COLUMNS):
            batch.drop_column(f"origin_{name}")
        batch.add_column(sa.Column("relevance", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("claims") as batch:
        batch.alter_column("relevance", existing_type=sa.Integer(), server_default=None)
    op.create_index("ix_claims_relevance_id", "claims", ["relevance", "id"])
    _restore_indexes()


def _downgrade() -> None:
    op.drop_index("ix_claims_relevance_id", table_name="claims")
    with op.batch_alter_table("claims") as batch:
        batch.drop_column("relevance")
        batch.add_column(sa.Column("origin_document_pk", sa.Integer(), nullable=True))
        for name, type_ in COLUMNS.items():
            batch.add_column(sa.Column(f"origin_{name}", type_, nullable=True))
        batch.create_foreign_key("fk_claims_origin_document_pk", "documents", ["origin_document_pk"], ["pk"])
        batch.create_index("ix_claims_origin_document_pk", ["origin_document_pk"])
    _restore_indexes()
    op.create_table(
        "claim_references",
        sa.Column("claim_pk", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["claim_pk"], ["claims.pk"], name=op.f("fk_claim_references_claim_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("claim_pk", "number", name=op.f("pk_claim_references")),
    )
    of_claim = "SELECT min(pk) FROM claim_origins AS other WHERE other.claim_pk = claim_origins.claim_pk"
    first = f"claim_origins.pk = ({of_claim})"
    for name in ("document_pk", *COLUMNS):
        op.execute(
            f"UPDATE claims SET origin_{name} = (SELECT {name} FROM claim_origins "  # noqa: S608 - names of this file
            f"WHERE claim_origins.claim_pk = claims.pk AND {first})"
        )
    op.execute(
        "INSERT INTO claim_references (claim_pk, number) SELECT claim_origins.claim_pk, origin_references.number "  # noqa: S608
        f"FROM origin_references JOIN claim_origins ON claim_origins.pk = origin_references.origin_pk WHERE {first}"
    )
    op.drop_table("origin_references")
    op.drop_table("claim_origins")
    _rewrite(_with_first_origin)


def _restore_indexes() -> None:
    for column in DOWNWARDS:
        op.execute(f"DROP INDEX IF EXISTS ix_claims_{column}_desc_id")
        op.execute(f"CREATE INDEX ix_claims_{column}_desc_id ON claims ({column} DESC, id)")


# --- stored contents ----------------------------------------------------------------------------------------------


def _positions() -> dict[str, int]:
    rows = op.get_bind().execute(
        sa.text("SELECT claims.id, position FROM claim_origins JOIN claims ON claims.pk = claim_origins.claim_pk")
    )
    return {row[0]: row[1] for row in rows}


def _with_origins(positions: dict[str, int]) -> Callable[[str, str], str]:
    def change(claim: str, content: str) -> str:
        start, end, origin = _field(content, "origin")
        if origin is not None:
            document, rest = next(iter(origin.items())), list(origin.items())[1:]
            # An origin that only earlier states have stands at the end.
            position = positions.get(claim, len(positions) + 1)
            origin = dict([document, ("position", position), *rest])
        return f'{content[:start]}"origins":{_text([origin] if origin else [])}{content[end:]}'

    return change


def _with_first_origin(_claim: str, content: str) -> str:
    start, end, origins = _field(content, "origins")
    origin = {name: value for name, value in origins[0].items() if name != "position"} if origins else None
    return f'{content[:start]}"origin":{_text(origin)}{content[end:]}'


def _field(content: str, name: str) -> tuple[int, int, Any]:
    """Where a field with its value stands in a content, and the value. The rest stays byte for byte."""
    start = content.index(f'"{name}":')
    value, end = json.JSONDecoder().raw_decode(content, start + len(name) + 3)
    return start, end, value


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _rewrite(change: Callable[[str, str], str]) -> None:
    """Changes the content of every claim in the data set and its history, and the digest that seeding compares."""
    connection = op.get_bind()
    digests: dict[tuple[str, str], str] = {}
    for table, key in (("records", ("id",)), ("record_states", ("id", "serial"))):
        columns: list[Any] = [sa.column(name) for name in key]
        rows = sa.table(table, sa.column("type"), sa.column("content"), *columns)
        for *values, content in _claims(connection, rows, columns):
            changed = change(values[0], content)
            digests[values[0], _digest(content)] = _digest(changed)
            own = [column == value for column, value in zip(columns, values, strict=True)]
            connection.execute(rows.update().where(rows.c.type == "claim", *own).values(content=changed))
    seeds = sa.table("seed_records", sa.column("type"), sa.column("id"), sa.column("digest"))
    for claim, digest in connection.execute(sa.select(seeds.c.id, seeds.c.digest).where(seeds.c.type == "claim")).all():
        if (claim, digest) in digests:
            row = (seeds.c.type == "claim", seeds.c.id == claim)
            connection.execute(seeds.update().where(*row).values(digest=digests[claim, digest]))


def _claims(connection: sa.Connection, rows: sa.TableClause, key: list[Any]) -> Iterator[Any]:
    """Key and content of every row of a claim, in batches."""
    last: tuple[Any, ...] | None = None
    while True:
        statement = sa.select(*key, rows.c.content).where(rows.c.type == "claim").order_by(*key).limit(BATCH)
        if last is not None:
            statement = statement.where(sa.tuple_(*key) > sa.tuple_(*map(sa.literal, last)))
        found = connection.execute(statement).all()
        yield from found
        if len(found) < BATCH:
            return
        last = tuple(found[-1][:-1])


def _digest(content: str) -> str:
    return blake2b(content.encode(), digest_size=16).hexdigest()
