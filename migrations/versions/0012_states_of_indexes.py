"""Each index knows the serial and the schema of which it was made

Indexes that were made before are made again.

Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create(sa.Column("serial", sa.Integer(), nullable=False), sa.Column("revision", sa.String(32), nullable=False))


def downgrade() -> None:
    _create()


def _create(*more: sa.Column[int] | sa.Column[str]) -> None:
    op.drop_table("projections")
    op.create_table(
        "projections",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *more,
        sa.PrimaryKeyConstraint("name", name=op.f("pk_projections")),
    )
