"""On PostgreSQL, bodies are stored as they are

They were compressed, and to undo that was most of what the server did for a list. A body that is stored already stays
compressed until it next changes: to write all of them again would take minutes, and the room of a second copy.

Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _store("EXTERNAL")


def downgrade() -> None:
    _store("EXTENDED")


def _store(how: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE records ALTER COLUMN body SET STORAGE {how}")
