"""How the studies that a review includes were made; unknown for the reviews that are stored

Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("studies", sa.Column("includes_designs", sa.String(length=40), nullable=True))
    op.execute("UPDATE studies SET includes_designs = 'unknown' WHERE includes_completeness IS NOT NULL")


def downgrade() -> None:
    op.drop_column("studies", "includes_designs")
