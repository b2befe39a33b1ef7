"""Whole names found without reading all that hold the same word

Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEX = "ix_search_names_folded_entry_pk"


def upgrade() -> None:
    whole = sa.text("is_start")
    op.create_index(INDEX, "search_names", ["folded", "entry_pk"], sqlite_where=whole, postgresql_where=whole)


def downgrade() -> None:
    op.drop_index(INDEX, table_name="search_names")
