"""Tables of the search index. The full-text table itself differs by engine and is made by its migration."""

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import SLUG, Base, Pk, TextColumn

RANK_BITS = 22
"""An entry's key holds its rank above these bits and its number below them, so that walking the keys is walking the
ranks: what comes first is found first, without sorting. There is room for four million entries."""


class SearchEntry(Base):
    """What a published record can be found by, as stems between spaces, and what of it is shown."""

    __tablename__ = "search_entries"
    pk: Mapped[Pk]
    number: Mapped[int] = mapped_column(unique=True)
    type: Mapped[str] = mapped_column(String(20))
    id: Mapped[str] = mapped_column(SLUG)
    rank: Mapped[int]
    """Which comes first where nothing else decides: the lower, the earlier."""
    warning: Mapped[int]
    """How loudly it warns: 0 not at all, 1 of a harm, 2 of a combination, 3 of the harm of one, 4 it forbids."""
    title: Mapped[TextColumn]
    """Name, statement or title."""
    names: Mapped[TextColumn]
    """Synonyms, codes, identifiers, and the names of the concepts it is about."""
    body: Mapped[TextColumn]
    against: Mapped[TextColumn]
    """Names of what it warns of."""
    facets: Mapped[TextColumn]
    """Its facets with their values, as `name=value` parted by spaces."""
    heading: Mapped[TextColumn]
    """The title as it is shown."""
    label: Mapped[TextColumn]
    """The name as it is shown where space is short."""
    summary: Mapped[str | None] = mapped_column(Text)
    """Of a claim, all that must travel with its text, as JSON."""
    spelled: Mapped[TextColumn]
    """Its words unstemmed: what slips are corrected to, and what the beginning of a word may go on to."""
    __table_args__ = (Index("ix_search_entries_type_id", "type", "id", unique=True),)


class SearchFacet(Base):
    """The entries that have a value by which found records can be narrowed and counted, as a Roaring bitmap."""

    __tablename__ = "search_facets"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[str] = mapped_column(SLUG, primary_key=True)
    serial: Mapped[int]
    """The serial at which it last changed: who knows an older one reads no more than what is new."""
    entries: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (Index("ix_search_facets_serial", "serial"),)


_WHOLE = text("is_start")
"""Names from their first word on."""


class SearchName(Base):
    """A name from each of its words on, for typeahead."""

    __tablename__ = "search_names"
    pk: Mapped[Pk]
    entry_pk: Mapped[int] = mapped_column(ForeignKey("search_entries.pk", ondelete="CASCADE"), index=True)
    is_concept: Mapped[bool]
    """Names of concepts are few; they come first, and are looked for in questions."""
    folded: Mapped[str] = mapped_column(String(200).with_variant(String(200, collation="C"), "postgresql"))
    text: Mapped[TextColumn]
    """The whole name as it is shown."""
    matched_on: Mapped[str] = mapped_column(String(20))
    """`name`, `synonym`, `code`, `identifier` or `title`."""
    is_start: Mapped[bool]
    __table_args__ = (
        Index("ix_search_names_is_concept_folded", "is_concept", "folded"),
        Index("ix_search_names_folded_entry_pk", "folded", "entry_pk", sqlite_where=_WHOLE, postgresql_where=_WHOLE),
    )


class SearchWord(Base):
    """In how many entries a folded word or stem occurs: rare ones weigh more, and unknown ones are corrected."""

    __tablename__ = "search_words"
    word: Mapped[str] = mapped_column(
        String(100).with_variant(String(100, collation="C"), "postgresql"), primary_key=True
    )
    is_stem: Mapped[bool] = mapped_column(primary_key=True)
    entries: Mapped[int]
