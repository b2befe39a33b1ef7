"""Filters of lists as bitmaps, and indexes for every sort

Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SLUG = sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql")
SORTED = (
    ("claims", "updated_at"),
    ("claims", "study_count"),
    ("claims", "participant_count"),
    ("studies", "participants"),
    ("documents", "year"),
    ("documents", "label"),
)
THERE_ALREADY = ("claims", "updated_at")


def upgrade() -> None:
    op.create_table(
        "filters",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_filters")),
        sa.UniqueConstraint("scope", "name", "value", name=op.f("uq_filters_scope_name_value")),
    )
    op.create_table(
        "filter_bits",
        sa.Column("filter_pk", sa.Integer(), nullable=False),
        sa.Column("chunk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bits", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["filter_pk"], ["filters.pk"], name=op.f("fk_filter_bits_filter_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("filter_pk", "chunk", name=op.f("pk_filter_bits")),
    )
    op.create_table(
        "filter_places",
        sa.Column("filter_pk", sa.Integer(), nullable=False),
        sa.Column("id", SLUG, nullable=False),
        sa.Column("record_pk", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["filter_pk"], ["filters.pk"], name=op.f("fk_filter_places_filter_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("filter_pk", "id", name=op.f("pk_filter_places")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "projections",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_projections")),
    )
    for table, column in SORTED:
        if (table, column) != THERE_ALREADY:
            op.create_index(f"ix_{table}_{column}_id", table, [column, "id"])
        op.create_index(f"ix_{table}_{column}_desc_id", table, [sa.text(f"{column} DESC"), "id"])


def downgrade() -> None:
    for table, column in SORTED:
        op.drop_index(f"ix_{table}_{column}_desc_id", table_name=table)
        if (table, column) != THERE_ALREADY:
            op.drop_index(f"ix_{table}_{column}_id", table_name=table)
    for table in ("projections", "filter_places", "filter_bits", "filters"):
        op.drop_table(table)
