"""Tokens already used, and how answers were received

Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feedback_counts",
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("service", "outcome", "reason", name=op.f("pk_feedback_counts")),
    )
    op.create_table(
        "replay_guards",
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("token_id", sa.String(length=64), nullable=False),
        sa.Column("until", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "token_id", name=op.f("pk_replay_guards")),
    )
    with op.batch_alter_table("replay_guards", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_replay_guards_until"), ["until"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("replay_guards", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_replay_guards_until"))

    op.drop_table("replay_guards")
    op.drop_table("feedback_counts")
