"""Subgroups of claims, qualifiers of citations, and several quotations of one document

Stored contents gain the new fields, empty, and the digests by which seeding knows them follow; so no record counts as
edited. The one quotation of a citation becomes the first of its quotations in the tables. In contents it stays where it
is, and is read as the only quotation. Going back keeps the first quotation of each citation.

Revises: 0016
"""

import re
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.operations.set_aside import giving_back, setting_aside

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BATCH = 500
SLUG = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
SUBGROUP: dict[str, Any] = {"subgroup": SLUG, "subgroup_label": sa.String(500), "subgroup_basis": sa.String(40)}
QUALIFIERS: dict[str, Any] = {
    "extent": sa.String(40),
    "extent_note": sa.Text(),
    "strength": sa.String(500),
    "strength_scale": sa.String(500),
}
PLACE = ("section", "page", "figure")
BEFORE_SUBGROUP, BEFORE_QUALIFIERS = ',"magnitude":', ',"attached_by":'
"""The keys that the new fields stand before. Quotation marks inside a text are escaped, so that these are no text."""
NO_SUBGROUP = ',"subgroup":null'
NO_QUALIFIERS = ',"extent":null,"extent_note":null,"strength":null,"quotes":[]'


def upgrade() -> None:
    with giving_back(op.get_bind(), revision):
        _upgrade()


def downgrade() -> None:
    with setting_aside(op.get_bind(), revision):
        _rewrite(_without_fields)
    op.add_column("citations", sa.Column("locator_quote", sa.String(500), nullable=True))
    op.execute(
        "UPDATE citations SET locator_quote = (SELECT text FROM citation_quotes "
        "WHERE citation_quotes.citation_pk = citations.pk AND citation_quotes.position = 0)"
    )
    op.drop_table("citation_quotes")
    op.drop_table("claim_subgroup_codes")
    op.drop_index("ix_claims_subgroup_id", table_name="claims")
    for name in QUALIFIERS:
        op.drop_column("citations", name)
    for name in SUBGROUP:
        op.drop_column("claims", name)


def _upgrade() -> None:
    for name, type_ in SUBGROUP.items():
        op.add_column("claims", sa.Column(name, type_, nullable=True))
    op.create_index("ix_claims_subgroup_id", "claims", ["subgroup", "id"])
    op.create_table(
        "claim_subgroup_codes",
        sa.Column("claim_pk", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("code", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["claim_pk"], ["claims.pk"], name=op.f("fk_claim_subgroup_codes_claim_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("claim_pk", "position", name=op.f("pk_claim_subgroup_codes")),
    )
    for name, type_ in QUALIFIERS.items():
        op.add_column("citations", sa.Column(name, type_, nullable=True))
    op.create_table(
        "citation_quotes",
        sa.Column("citation_pk", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.String(500), nullable=False),
        *(sa.Column(name, sa.String(500), nullable=True) for name in PLACE),
        sa.ForeignKeyConstraint(
            ["citation_pk"], ["citations.pk"], name=op.f("fk_citation_quotes_citation_pk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("citation_pk", "position", name=op.f("pk_citation_quotes")),
    )
    places = ", ".join(f"locator_{name}" for name in PLACE)
    op.execute(
        f"INSERT INTO citation_quotes (citation_pk, position, text, {', '.join(PLACE)}) "  # noqa: S608 - names of this file
        f"SELECT pk, 0, locator_quote, {places} FROM citations WHERE locator_quote IS NOT NULL"
    )
    op.drop_column("citations", "locator_quote")
    _rewrite(_with_fields)


# --- stored contents ----------------------------------------------------------------------------------------------


def _with_fields(content: str) -> str:
    return content.replace(BEFORE_SUBGROUP, NO_SUBGROUP + BEFORE_SUBGROUP).replace(
        BEFORE_QUALIFIERS, NO_QUALIFIERS + BEFORE_QUALIFIERS
    )


def _without_fields(content: str) -> str:
    """The content as the older code reads it; what it has no place for goes, and of several quotations all but one."""
    content = _cut(content, "subgroup", BEFORE_SUBGROUP)
    return _cut(content, "extent", BEFORE_QUALIFIERS)


def _cut(content: str, first: str, following: str) -> str:
    """The content without everything from the key `first` up to the key that follows the new fields."""
    parts, start = [], 0
    for match in re.finditer(f',"{first}":', content):
        parts.append(content[start : match.start()])
        start = content.index(following, match.end())
    return "".join((*parts, content[start:]))


def _rewrite(change: Callable[[str], str]) -> None:
    """Changes the content of claims and citations now and in history, and the digests that seeding compares."""
    connection = op.get_bind()
    digests: dict[tuple[str, str, str], str] = {}
    for table, key in (("records", ("type", "id")), ("record_states", ("type", "id", "serial"))):
        columns: list[Any] = [sa.column(name) for name in key]
        rows = sa.table(table, sa.column("content"), *columns)
        for *values, content in _contents(connection, rows, columns):
            changed = change(content)
            if changed == content:
                continue
            digests[values[0], values[1], _digest(content)] = _digest(changed)
            own = [column == value for column, value in zip(columns, values, strict=True)]
            connection.execute(rows.update().where(*own).values(content=changed))
    seeds = sa.table("seed_records", sa.column("type"), sa.column("id"), sa.column("digest"))
    for row in connection.execute(sa.select(seeds.c.type, seeds.c.id, seeds.c.digest)).all():
        if (digest := digests.get(tuple(row))) is not None:
            own = [seeds.c.type == row.type, seeds.c.id == row.id]
            connection.execute(seeds.update().where(*own).values(digest=digest))


def _contents(connection: sa.Connection, rows: sa.TableClause, key: list[Any]) -> Iterator[Any]:
    """Key and content of every row of a claim or citation, in batches."""
    last: tuple[Any, ...] | None = None
    while True:
        statement = sa.select(*key, rows.c.content).where(rows.c.type.in_(("claim", "citation")))
        if last is not None:
            statement = statement.where(sa.tuple_(*key) > sa.tuple_(*map(sa.literal, last)))
        found = connection.execute(statement.order_by(*key).limit(BATCH)).all()
        yield from found
        if len(found) < BATCH:
            return
        last = tuple(found[-1][:-1])


def _digest(content: str) -> str:
    return blake2b(content.encode(), digest_size=16).hexdigest()
