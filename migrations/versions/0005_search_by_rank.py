"""The search index in the order of ranks, with its facets as bitmaps and with what is shown

The index is made again from the records: `app.search.index.rebuild`.

Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SLUG = sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql")
NAME = sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql")
WORD = sa.String(length=100).with_variant(sa.String(length=100, collation="C"), "postgresql")
TABLES = ("search_words", "search_names", "search_facets", "search_entries")


def upgrade() -> None:
    _drop()
    op.create_table(
        "search_entries",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("id", SLUG, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("warning", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("against", sa.Text(), nullable=False),
        sa.Column("facets", sa.Text(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("spelled", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_search_entries")),
        sa.UniqueConstraint("number", name=op.f("uq_search_entries_number")),
    )
    op.create_index("ix_search_entries_type_id", "search_entries", ["type", "id"], unique=True)
    op.create_table(
        "search_facets",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", SLUG, nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "value", name=op.f("pk_search_facets")),
    )
    op.create_index("ix_search_facets_serial", "search_facets", ["serial"])
    op.create_table(
        "search_names",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("entry_pk", sa.Integer(), nullable=False),
        sa.Column("is_concept", sa.Boolean(), nullable=False),
        sa.Column("folded", NAME, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("matched_on", sa.String(length=20), nullable=False),
        sa.Column("is_start", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_pk"], ["search_entries.pk"], name=op.f("fk_search_names_entry_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_search_names")),
    )
    op.create_index(op.f("ix_search_names_entry_pk"), "search_names", ["entry_pk"])
    op.create_index("ix_search_names_is_concept_folded", "search_names", ["is_concept", "folded"])
    _create_words()
    for statement in POSTGRESQL if _is_postgresql() else SQLITE:
        op.execute(statement)


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _drop() -> None:
    if not _is_postgresql():
        op.execute("DROP TABLE search_fts")
    for table in TABLES:
        op.drop_table(table)


def _create_words() -> None:
    op.create_table(
        "search_words",
        sa.Column("word", WORD, nullable=False),
        sa.Column("is_stem", sa.Boolean(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", "is_stem", name=op.f("pk_search_words")),
    )


WEIGHTED = " || ".join(
    f"setweight(to_tsvector('simple'::regconfig, {column}), '{weight}')"
    for column, weight in (("title", "A"), ("names", "B"), ("body", "C"))
)
POSTGRESQL = (
    "ALTER TABLE search_entries ADD COLUMN vector tsvector GENERATED ALWAYS AS "
    f"({WEIGHTED} || array_to_tsvector(string_to_array(facets, ' '))) STORED",
    "CREATE INDEX ix_search_entries_vector ON search_entries USING gin (vector)",
)
SQLITE = (
    "CREATE VIRTUAL TABLE search_fts USING fts5(title, names, body, facets, content='search_entries', "
    """content_rowid='pk', tokenize="unicode61 tokenchars '=_-'")""",
    "CREATE TRIGGER search_entries_inserted AFTER INSERT ON search_entries BEGIN "
    "INSERT INTO search_fts(rowid, title, names, body, facets) "
    "VALUES (new.pk, new.title, new.names, new.body, new.facets); END",
    "CREATE TRIGGER search_entries_deleted AFTER DELETE ON search_entries BEGIN "
    "INSERT INTO search_fts(search_fts, rowid, title, names, body, facets) "
    "VALUES ('delete', old.pk, old.title, old.names, old.body, old.facets); END",
)


def downgrade() -> None:
    """The index as it was before, empty."""
    _drop()
    op.create_table(
        "search_entries",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("id", SLUG, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("spelled", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_search_entries")),
    )
    op.create_index("ix_search_entries_type_id", "search_entries", ["type", "id"], unique=True)
    op.create_index("ix_search_entries_rank_pk", "search_entries", ["rank", "pk"])
    op.create_table(
        "search_facets",
        sa.Column("entry_pk", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", SLUG, nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_pk"], ["search_entries.pk"], name=op.f("fk_search_facets_entry_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_pk", "name", "value", name=op.f("pk_search_facets")),
    )
    op.create_index("ix_search_facets_name_value_entry_pk", "search_facets", ["name", "value", "entry_pk"])
    op.create_table(
        "search_names",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("entry_pk", sa.Integer(), nullable=False),
        sa.Column("folded", NAME, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("matched_on", sa.String(length=20), nullable=False),
        sa.Column("is_start", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_pk"], ["search_entries.pk"], name=op.f("fk_search_names_entry_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_search_names")),
    )
    op.create_index(op.f("ix_search_names_entry_pk"), "search_names", ["entry_pk"])
    op.create_index(op.f("ix_search_names_folded"), "search_names", ["folded"])
    _create_words()
    for statement in POSTGRESQL_BEFORE if _is_postgresql() else SQLITE_BEFORE:
        op.execute(statement)


WEIGHTED_BEFORE = " || ".join(
    f"setweight(to_tsvector('simple'::regconfig, {column}), '{weight}')"
    for column, weight in (("title", "A"), ("names", "B"), ("body", "C"), ("spelled", "D"))
)
POSTGRESQL_BEFORE = (
    f"ALTER TABLE search_entries ADD COLUMN vector tsvector GENERATED ALWAYS AS ({WEIGHTED_BEFORE}) STORED",
    "CREATE INDEX ix_search_entries_vector ON search_entries USING gin (vector)",
)
SQLITE_BEFORE = (
    "CREATE VIRTUAL TABLE search_fts USING fts5(title, names, body, spelled, content='search_entries', "
    "content_rowid='pk', prefix='3 4')",
    "CREATE TRIGGER search_entries_inserted AFTER INSERT ON search_entries BEGIN "
    "INSERT INTO search_fts(rowid, title, names, body, spelled) "
    "VALUES (new.pk, new.title, new.names, new.body, new.spelled); END",
    "CREATE TRIGGER search_entries_deleted AFTER DELETE ON search_entries BEGIN "
    "INSERT INTO search_fts(search_fts, rowid, title, names, body, spelled) "
    "VALUES ('delete', old.pk, old.title, old.names, old.body, old.spelled); END",
)
