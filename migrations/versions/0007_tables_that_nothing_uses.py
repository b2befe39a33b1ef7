"""Drop the tables of proposals, reviews, flags and API keys, which no code reads or writes

They come back, in the shape that their code needs, when something uses them.

Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SLUG = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
TERM, LINE, INSTANT = sa.String(40), sa.String(500), sa.String(20)


def upgrade() -> None:
    for table in ("reviews", "revisions", "flags", "api_keys"):
        op.drop_table(table)


def downgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("prefix", sa.String(16), primary_key=True),
        sa.Column("account_id", SLUG, sa.ForeignKey("accounts.id"), nullable=False, index=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("last_used_at", INSTANT),
    )
    op.create_table(
        "flags",
        sa.Column("pk", sa.Integer, primary_key=True),
        sa.Column("record_type", sa.String(20), nullable=False),
        sa.Column("record_id", SLUG, nullable=False),
        sa.Column("author_id", SLUG, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", TERM, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("resolved_at", INSTANT),
        sa.Index("ix_flags_record_type_record_id", "record_type", "record_id"),
    )
    op.create_table(
        "revisions",
        sa.Column("pk", sa.Integer, primary_key=True),
        sa.Column("record_type", sa.String(20), nullable=False),
        sa.Column("record_id", SLUG, nullable=False),
        sa.Column("base_version", sa.Integer),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("state", TERM, nullable=False),
        sa.Column("author_id", SLUG, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("note", LINE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("serial", sa.Integer, sa.ForeignKey("publications.serial")),
        sa.Index("ix_revisions_record_type_record_id", "record_type", "record_id"),
    )
    op.create_table(
        "reviews",
        sa.Column("pk", sa.Integer, primary_key=True),
        sa.Column("revision_pk", sa.Integer, sa.ForeignKey("revisions.pk"), nullable=False, index=True),
        sa.Column("reviewer_id", SLUG, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("verdict", TERM, nullable=False),
        sa.Column("note", LINE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
    )
