"""Tables of the search index. The full-text table itself differs by engine and is made by its migration."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import SLUG, Base, Pk, TextColumn


class SearchEntry(Base):
    """What a published record can be found by, as stems parted by spaces."""

    __tablename__ = "search_entries"
    pk: Mapped[Pk]
    type: Mapped[str] = mapped_column(String(20))
    id: Mapped[str] = mapped_column(SLUG)
    title: Mapped[TextColumn]
    """Name, statement or title."""
    names: Mapped[TextColumn]
    """Synonyms, codes, identifiers, and the names of the concepts it is about."""
    body: Mapped[TextColumn]
    spelled: Mapped[TextColumn]
    """Its words unstemmed, for the beginning of a word."""
    rank: Mapped[int]
    """Which comes first where nothing else decides: the lower, the earlier."""
    __table_args__ = (
        Index("ix_search_entries_type_id", "type", "id", unique=True),
        Index("ix_search_entries_rank_pk", "rank", "pk"),
    )


class SearchFacet(Base):
    """A value by which found records can be narrowed and counted."""

    __tablename__ = "search_facets"
    entry_pk: Mapped[int] = mapped_column(ForeignKey("search_entries.pk", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[str] = mapped_column(SLUG, primary_key=True)
    __table_args__ = (Index("ix_search_facets_name_value_entry_pk", "name", "value", "entry_pk"),)


class SearchName(Base):
    """A name from each of its words on, for typeahead."""

    __tablename__ = "search_names"
    pk: Mapped[Pk]
    entry_pk: Mapped[int] = mapped_column(ForeignKey("search_entries.pk", ondelete="CASCADE"), index=True)
    folded: Mapped[str] = mapped_column(String(200).with_variant(String(200, collation="C"), "postgresql"), index=True)
    text: Mapped[TextColumn]
    """The whole name as it is shown."""
    matched_on: Mapped[str] = mapped_column(String(20))
    """`name`, `synonym`, `code`, `identifier` or `title`."""
    is_start: Mapped[bool]


class SearchWord(Base):
    """In how many entries a folded word or stem occurs: rare ones weigh more, and unknown ones are corrected."""

    __tablename__ = "search_words"
    word: Mapped[str] = mapped_column(
        String(100).with_variant(String(100, collation="C"), "postgresql"), primary_key=True
    )
    is_stem: Mapped[bool] = mapped_column(primary_key=True)
    entries: Mapped[int]
