"""Which seed file each record came from, so that only files that changed are read

Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("seed_files")
    op.create_table(
        "seed_files",
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("is_edited", sa.Boolean(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_seed_files")),
    )
    with op.batch_alter_table("seed_records") as batch:
        batch.add_column(sa.Column("file", sa.String(300), nullable=True))
        batch.create_index("ix_seed_records_file", ["file"])


def downgrade() -> None:
    with op.batch_alter_table("seed_records") as batch:
        batch.drop_index("ix_seed_records_file")
        batch.drop_column("file")
    op.drop_table("seed_files")
    op.create_table(
        "seed_files",
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_seed_files")),
    )
