"""What the data set says of itself

It comes with the seed files, after the migration.

Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from app.operations.set_aside import giving_back, setting_aside

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "manifests",
        sa.Column("serial", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["serial"], ["publications.serial"], name=op.f("fk_manifests_serial_publications")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_manifests")),
    )
    with giving_back(op.get_bind(), revision):
        """What an earlier downgrade set aside."""


def downgrade() -> None:
    with setting_aside(op.get_bind(), revision, ("manifests",)):
        op.execute("DELETE FROM manifests")
    op.drop_table("manifests")
