"""Which seed files were applied last

Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seed_files",
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_seed_files")),
    )


def downgrade() -> None:
    op.drop_table("seed_files")
