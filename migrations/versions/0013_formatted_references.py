"""References as each citation style formats them

They are made with the indexes, after the migration.

Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "formatted_references",
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("style", sa.String(40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "style", name=op.f("pk_formatted_references")),
    )


def downgrade() -> None:
    op.drop_table("formatted_references")
