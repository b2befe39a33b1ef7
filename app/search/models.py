"""Tables of the search index. The full-text index itself differs by engine; a migration makes it."""

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import SLUG, Base, Pk, TextColumn

RANK_BITS = 22
"""The lower bits of an entry's key hold its number and the others its rank, so that the order of keys is the order of
ranks and the first entries are found without sorting. There is room for four million entries."""


class SearchEntry(Base):
    """The searchable text of a published record, as stems between spaces, and what results show of it."""

    __tablename__ = "search_entries"
    pk: Mapped[Pk]
    number: Mapped[int] = mapped_column(unique=True)
    type: Mapped[str] = mapped_column(String(20))
    id: Mapped[str] = mapped_column(SLUG)
    rank: Mapped[int]
    """The static rank: entries with a lower one come first if nothing else decides."""
    warning: Mapped[int]
    """Severity: 0 no warning, 1 a harm, 2 an interaction, 3 a harmful interaction, 4 a contraindication."""
    title: Mapped[TextColumn]
    """Name, statement or title."""
    names: Mapped[TextColumn]
    """Synonyms, codes, identifiers, and the names of its concepts."""
    body: Mapped[TextColumn]
    against: Mapped[TextColumn]
    """Names of what it warns of."""
    facets: Mapped[TextColumn]
    """`name=value`, separated by spaces."""
    heading: Mapped[TextColumn]
    """The title as displayed."""
    label: Mapped[TextColumn]
    """The short name as displayed."""
    summary: Mapped[str | None] = mapped_column(Text)
    """Of a claim, a `ClaimSummary` as JSON."""
    spelled: Mapped[TextColumn]
    """Its words unstemmed: for corrections, and for completing an unfinished word."""
    __table_args__ = (Index("ix_search_entries_type_id", "type", "id", unique=True),)


class SearchFacet(Base):
    """The entries that have a facet value, as a Roaring bitmap."""

    __tablename__ = "search_facets"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[str] = mapped_column(SLUG, primary_key=True)
    serial: Mapped[int]
    """The serial at which it last changed; readers that know an older serial read only what is new."""
    entries: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (Index("ix_search_facets_serial", "serial"),)


_WHOLE = text("is_start")


class SearchName(Base):
    """A name from one of its words on, for typeahead."""

    __tablename__ = "search_names"
    pk: Mapped[Pk]
    entry_pk: Mapped[int] = mapped_column(ForeignKey("search_entries.pk", ondelete="CASCADE"), index=True)
    is_concept: Mapped[bool]
    """Names of concepts come first in typeahead and are recognised in questions."""
    folded: Mapped[str] = mapped_column(String(200).with_variant(String(200, collation="C"), "postgresql"))
    text: Mapped[TextColumn]
    """The whole name as displayed."""
    matched_on: Mapped[str] = mapped_column(String(20))
    """`name`, `synonym`, `code`, `identifier`, `title` or `statement`."""
    is_start: Mapped[bool]
    """Whether it starts with the first word."""
    __table_args__ = (
        Index("ix_search_names_is_concept_folded", "is_concept", "folded"),
        Index("ix_search_names_folded_entry_pk", "folded", "entry_pk", sqlite_where=_WHOLE, postgresql_where=_WHOLE),
    )


class SearchWord(Base):
    """The number of entries that have a folded word or stem."""

    __tablename__ = "search_words"
    word: Mapped[str] = mapped_column(
        String(100).with_variant(String(100, collation="C"), "postgresql"), primary_key=True
    )
    is_stem: Mapped[bool] = mapped_column(primary_key=True)
    entries: Mapped[int]
