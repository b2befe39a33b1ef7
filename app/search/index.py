"""What each type of record is found by, and keeping the index in step with what is published."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, text, tuple_
from sqlalchemy.orm import Session

from app.core.history import RecordReference, StoredRecord
from app.core.resource import Key, World
from app.core.vocabulary import Status
from app.evidence import render
from app.evidence.derive import ClaimDerived
from app.evidence.reads import ClaimEvidence
from app.evidence.schemas import ClaimWrite, DosingRangeWrite, SearchWrite
from app.evidence.vocabulary import HARM_KINDS, Effect, Kind
from app.search import facets
from app.search.models import RANK_BITS, SearchEntry, SearchName, SearchWord
from app.search.text import stems, words
from app.sources.identifiers import normalise
from app.sources.projection import year_of
from app.sources.render import author_name
from app.sources.schemas import DocumentWrite, StudyWrite

VERSION = 2
"""Of what entries hold and how: raised with every change, so that migrating makes the index again."""

CONCEPTS = ("intervention", "condition", "mechanism", "side_effect", "outcome")
PORTION = 500
MOST_WORDS = 100_000
"""Words whose numbers are kept in memory while entries are written."""
LONGEST_NAME = 200
LONGEST_WORD = 100


@dataclass(frozen=True)
class Found:
    """What one record can be found by."""

    title: str
    names: tuple[tuple[str, str], ...] = ()
    """Shown text and what it is (`name`, `synonym`, `code`, `identifier`, `title`), for typeahead as well."""
    about: tuple[str, ...] = ()
    """Names of what it is about; found by, but not suggested for."""
    body: tuple[str | None, ...] = ()
    against: tuple[str, ...] = ()
    """Names of what it warns of."""
    warning: int = 0
    rank: int = 500
    label: str | None = None
    """The name where space is short, if it is not the title."""
    summary: str | None = None
    facets: dict[str, tuple[str, ...]] = field(default_factory=dict)


# --- what each type is found by -----------------------------------------------------------------------------------


def _concept(_session: Session, _world: World, concept: Any, _derived: Any) -> Found:
    return Found(
        title=concept.name,
        names=(
            (concept.name, "name"),
            *((synonym, "synonym") for synonym in concept.synonyms),
            *((code.code, "code") for code in concept.codes),
        ),
        body=(concept.description,),
        rank=0,
    )


def _names_of(world: World, keys: Iterable[Key]) -> tuple[str, ...]:
    found: list[str] = []
    for key in keys:
        concept = world.content(key)
        found += [concept.name, *concept.synonyms, *(code.code for code in concept.codes)]
    return tuple(found)


def _claim(session: Session, world: World, claim: ClaimWrite, derived: ClaimDerived) -> Found:
    concepts = [
        *(Key("condition", c) for c in claim.conditions),
        *(Key("mechanism", m) for m in claim.mechanisms),
        *(Key("side_effect", s) for s in claim.side_effects),
        *(Key("intervention", i) for i in (claim.intervention, *claim.interactants) if i),
        *(Key("outcome", o) for o in (claim.outcome,) if o),
        *_inheriting(session, world, claim),
    ]
    against = _names_of(world, _with_kinds(session, world, claim.interactants))
    warning = _warning(claim)
    dosing: DosingRangeWrite | None = (
        world.content(Key("dosing_range", claim.dosing_range)) if claim.dosing_range else None
    )
    documents = [world.content(Key("document", citation.document)) for citation in claim.citations]
    studies = [world.content(Key("study", c.study)) for c in claim.citations if c.study]
    evidence = derived.evidence
    return Found(
        title=claim.statement,
        about=(
            *_names_of(world, concepts),
            *(against if warning else ()),
            claim.kind.label,
            claim.effect.label,
            *(("dosage",) if claim.kind is Kind.dosing else ()),
        ),
        body=(
            claim.caveat,
            claim.origin.asserts if claim.origin else None,
            claim.population,
            claim.timepoint,
            dosing.dose_text if dosing else None,
            *(citation.finding for citation in claim.citations),
            *(document.label for document in documents),
        ),
        against=against,
        warning=warning,
        rank=_rank(claim, warning, evidence),
        summary=render.summary(world, claim.id).model_dump_json(),
        facets={
            "kind": (claim.kind,),
            "condition": claim.conditions,
            "stance": tuple({citation.stance for citation in claim.citations}),
            "consensus": (evidence.consensus,),
            "certainty": (evidence.certainty,),
            "design": tuple({study.design for study in studies}),
            "year": tuple({str(year) for document in documents if (year := year_of(document.issued))}),
        },
    )


def _warning(claim: ClaimWrite) -> int:
    """See `SearchEntry.warning`."""
    if claim.effect is Effect.contraindicated:
        return 4
    if claim.kind is Kind.interaction and claim.interactants:
        return {Effect.causes: 3, Effect.worsens: 3, Effect.interacts: 2}.get(claim.effect, 1)
    return 1 if claim.kind in HARM_KINDS else 0


def _rank(claim: ClaimWrite, warning: int, evidence: ClaimEvidence) -> int:
    """Where only so many can be looked at, what forbids and what warns of a combination must be among them: first
    what warns of most."""
    if warning > 1:
        return 120 - 10 * warning - 20 * min(len(claim.interactants), 3)
    is_graded = evidence.consensus not in ("uncited", "not_applicable")
    return max(100, 400 - 10 * evidence.study_count - 20 * is_graded)


def _with_kinds(session: Session, world: World, interventions: Iterable[str]) -> Iterator[Key]:
    """Interventions and what is a kind of them: what warns of opioids warns of tramadol."""
    for intervention in interventions:
        yield Key("intervention", intervention)
        yield from _children(session, world, intervention)


def _inheriting(session: Session, world: World, claim: ClaimWrite) -> Iterator[Key]:
    """Harm crosses doses: what warns of a drug is found under its regimens as well."""
    if claim.kind not in (Kind.safety, Kind.interaction) or claim.intervention is None:
        return
    yield from _children(session, world, claim.intervention)


def _children(session: Session, world: World, intervention: str) -> Iterator[Key]:
    naming = select(RecordReference.id).where(
        RecordReference.type == "intervention",
        RecordReference.to_type == "intervention",
        RecordReference.to_id == intervention,
    )
    for child in sorted(set(session.scalars(naming))):
        content = world.content(Key("intervention", child))
        if content.parent == intervention and content.status is Status.published:
            yield Key("intervention", child)


def _document(_session: Session, world: World, document: DocumentWrite, _derived: Any) -> Found:
    year = year_of(document.issued)
    studies = [world.content(Key("study", link.study)) for link in document.studies]
    conditions = [condition for study in studies for condition in study.conditions]
    return Found(
        title=document.title or document.label,
        names=(
            (document.label, "name"),
            *(((document.title, "title"),) if document.title else ()),
            *((normalise(read.scheme, read.value), "identifier") for read in document.identifiers),
        ),
        about=(
            *(author_name(author) for author in document.authors),
            *_names_of(world, (Key("condition", c) for c in dict.fromkeys(conditions))),
        ),
        body=(document.container_title, document.note),
        rank=450,
        label=document.label,
        facets={"year": (str(year),) if year else ()},
    )


def _study(_session: Session, world: World, study: StudyWrite, _derived: Any) -> Found:
    return Found(
        title=study.name,
        names=(
            (study.name, "name"),
            *((normalise(read.scheme, read.value), "identifier") for read in study.registry_ids),
        ),
        about=_names_of(world, (Key("condition", c) for c in study.conditions)),
        body=(study.population, study.design.label, study.comparator, *(arm.dose_text for arm in study.arms)),
        rank=440,
        facets={"condition": study.conditions, "design": (study.design,)},
    )


def _dosing_range(_session: Session, world: World, dosing: DosingRangeWrite, _derived: Any) -> Found:
    keys = [Key("intervention", dosing.intervention), *(Key("condition", c) for c in dosing.conditions)]
    return Found(
        title=dosing.dose_text,
        about=(*_names_of(world, keys), "dosage", dosing.basis.label),
        body=(dosing.titration, dosing.population, dosing.schedule.text, dosing.schedule.timing, dosing.formulation),
        rank=300,
        facets={"condition": dosing.conditions},
    )


def _search(session: Session, world: World, search: SearchWrite, _derived: Any) -> Found:
    keys = [
        *(Key("condition", c) for c in search.conditions),
        *(Key("intervention", i) for i in (search.intervention,) if i),
    ]
    against = _names_of(world, _with_kinds(session, world, search.interactants))
    return Found(
        title=search.question,
        names=((search.topic, "name"),) if search.topic else (),
        about=(*_names_of(world, keys), *against, *(("interaction",) if search.interactants else ())),
        body=(search.note,),
        against=against,
        warning=1,
        rank=90,
        facets={"condition": search.conditions},
    )


FOUND_BY: dict[str, Callable[[Session, World, Any, Any], Found]] = {
    **dict.fromkeys(("intervention", "condition", "mechanism", "side_effect", "outcome"), _concept),
    "claim": _claim,
    "document": _document,
    "study": _study,
    "dosing_range": _dosing_range,
    "search": _search,
}
"""Citations are found by their claims."""


# --- keeping in step ----------------------------------------------------------------------------------------------

COPIED_FROM = frozenset(
    ("intervention", "condition", "mechanism", "side_effect", "outcome", "study", "document", "dosing_range")
)
"""Types of which something stands in the entries of the records that name them."""


@dataclass(frozen=True)
class IndexEntry:
    """The rows by which one record is found, without their internal keys."""

    texts: dict[str, Any]
    names: list[dict[str, Any]]


def renew(session: Session, world: World, records: Iterable[tuple[Key, Any, Any]]) -> None:
    """Index records again, given as key, content and derived values, and those in which their names stand; retired
    ones leave the index."""
    writer = _Writer(session)
    pending = {key: (content, derived) for key, content, derived in records if key.type in FOUND_BY}
    seen = set(pending)
    while pending:
        entries = ((key, _entry(session, world, key, *pending[key])) for key in sorted(pending))
        changed = {key: pending[key][0] for key in writer.replace(entries)}
        pending = {key: (world.content(key), world.derived(key)) for key in sorted(_copying(session, changed) - seen)}
        seen |= set(pending)
    writer.finish()


def rebuild(session: Session, world_of: Callable[[Session], World]) -> None:
    """Make the whole index again from the records, a portion at a time, each with a fresh view of them."""
    for table in (SearchName, SearchEntry, SearchWord):
        session.execute(delete(table))
    writer = _Writer(session)
    last = ("", "")
    while keys := _published_after(session, last):
        world = world_of(session)
        writer.replace((key, _entry(session, world, key, world.content(key), world.derived(key))) for key in keys)
        last = keys[-1]
    writer.finish()
    facets.rebuild(session)


def _published_after(session: Session, last: tuple[str, str]) -> list[Key]:
    rows = (
        select(StoredRecord.type, StoredRecord.id)
        .where(
            StoredRecord.type.in_(FOUND_BY),
            StoredRecord.status == Status.published,
            tuple_(StoredRecord.type, StoredRecord.id) > last,
        )
        .order_by(StoredRecord.type, StoredRecord.id)
        .limit(PORTION)
    )
    return [Key(*row) for row in session.execute(rows)]


def _copying(session: Session, changed: Mapping[Key, Any]) -> set[Key]:
    """Records that name any of these and may hold something of them."""
    named = {key for key in changed if key.type in COPIED_FROM}
    # What warns of a drug holds the names of its regimens without naming them.
    named |= {Key(key.type, parent) for key in named if (parent := getattr(changed[key], "parent", None))}
    found: set[Key] = set()
    for record_type in {key.type for key in named}:
        ids = sorted(key.id for key in named if key.type == record_type)
        for start in range(0, len(ids), 500):
            rows = select(RecordReference.type, RecordReference.id).where(
                RecordReference.to_type == record_type, RecordReference.to_id.in_(ids[start : start + 500])
            )
            found.update(Key(*row) for row in session.execute(rows) if row[0] in FOUND_BY)
    return found


def _entry(session: Session, world: World, key: Key, content: Any, derived: Any) -> IndexEntry | None:
    if content.status is not Status.published:
        return None
    return entry_for(key, FOUND_BY[key.type](session, world, content, derived))


def entry_for(key: Key, found: Found) -> IndexEntry:
    texts = {
        "title": found.title,
        "names": " ".join((*(text for text, _ in found.names), *found.about)),
        "body": " ".join(text for text in found.body if text),
    }
    stemmed = {name: _between_spaces(stems(text)) for name, text in texts.items()}
    values = {"type": (key.type,), **found.facets}
    return IndexEntry(
        texts={
            "type": key.type,
            "id": key.id,
            "rank": found.rank,
            "warning": found.warning,
            **stemmed,
            "against": "|".join(_between_spaces(stems(name)) for name in found.against),
            "facets": " ".join(sorted({f"{name}={value}" for name, some in values.items() for value in some})),
            "heading": found.title,
            "label": found.label or found.title,
            "summary": found.summary,
            "spelled": " ".join(dict.fromkeys(words(" ".join(texts.values())))),
        },
        names=[{"is_concept": key.type in CONCEPTS, **name} for name in _suggestions(found)],
    )


def _between_spaces(stemmed: Sequence[str]) -> str:
    """Each between two spaces, so that looking for ` word ` finds whole words only."""
    return f" {' '.join(stemmed)} "


def pk_of(rank: int, number: int) -> int:
    """The key of an entry, whose number no other has."""
    return (rank << RANK_BITS) + number


def number_of(pk: int) -> int:
    return pk & ((1 << RANK_BITS) - 1)


class _Writer:
    """Writes entries in the order of their keys, as the full-text index likes it, and what is counted of them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._words: Counter[tuple[str, bool]] = Counter()
        self._moves = facets.Moves()
        self._next: int | None = None

    def replace(self, entries: Iterable[tuple[Key, IndexEntry | None]]) -> list[Key]:
        """Put each entry in the place of the one before, or take that out; the keys of those that changed."""
        rest = iter(entries)
        changed: list[Key] = []
        while portion := dict(islice(rest, PORTION)):
            before = _stored(self._session, list(portion))
            moved = [key for key, entry in portion.items() if entry != before.get(key, _NOTHING)[1]]
            self._remove([before[key] for key in moved if key in before])
            self._insert([(entry, before.get(key)) for key in moved if (entry := portion[key]) is not None])
            changed += moved
            if len(self._words) > MOST_WORDS:
                self._count()
        return changed

    def finish(self) -> None:
        self._count()
        self._moves.write(self._session)

    def _count(self) -> None:
        _count_words(self._session, self._words)
        self._words.clear()

    def _remove(self, stored: Sequence[tuple[int, IndexEntry]]) -> None:
        pks = [pk for pk, _ in stored]
        for pk, entry in stored:
            self._words.subtract(vocabulary_of(entry))
            self._moves.remove(pk, entry.texts["facets"])
        self._session.execute(delete(SearchName).where(SearchName.entry_pk.in_(pks)))
        self._session.execute(delete(SearchEntry).where(SearchEntry.pk.in_(pks)))

    def _insert(self, entries: Sequence[tuple[IndexEntry, tuple[int, IndexEntry] | None]]) -> None:
        placed = [(self._place(entry, before), entry) for entry, before in entries]
        for pk, entry in placed:
            self._words.update(vocabulary_of(entry))
            self._moves.add(pk, entry.texts["facets"])
        placed.sort(key=itemgetter(0))
        rows = [{"pk": pk, "number": number_of(pk), **entry.texts} for pk, entry in placed]
        names = [{"entry_pk": pk, **name} for pk, entry in placed for name in entry.names]
        for table, made in ((SearchEntry, rows), (SearchName, names)):
            if made:
                self._session.execute(insert(table), made)

    def _place(self, entry: IndexEntry, before: tuple[int, IndexEntry] | None) -> int:
        if before is not None:
            return pk_of(entry.texts["rank"], number_of(before[0]))
        if self._next is None:
            self._next = (self._session.scalar(select(func.max(SearchEntry.number))) or 0) + 1
        self._next += 1
        return pk_of(entry.texts["rank"], self._next - 1)


_NOTHING = (0, None)


def _stored(session: Session, keys: Sequence[Key]) -> dict[Key, tuple[int, IndexEntry]]:
    """Entries as they are, with their internal keys."""
    columns = [column for column in SearchEntry.__table__.columns if column.name not in ("pk", "number")]
    found: dict[int, IndexEntry] = {}
    for record_type, some in groupby(sorted(keys), key=lambda key: key.type):
        rows = select(SearchEntry.pk, *columns).where(
            SearchEntry.type == record_type, SearchEntry.id.in_([key.id for key in some])
        )
        for pk, *values in session.execute(rows):
            texts = dict(zip((column.name for column in columns), values, strict=True))
            found[pk] = IndexEntry(texts, [])
    names = select(
        SearchName.entry_pk,
        SearchName.is_concept,
        SearchName.folded,
        SearchName.text,
        SearchName.matched_on,
        SearchName.is_start,
    ).where(SearchName.entry_pk.in_(found))
    for row in session.execute(names.order_by(SearchName.pk)).mappings() if found else ():
        name = dict(row)
        found[name.pop("entry_pk")].names.append(name)
    return {Key(entry.texts["type"], entry.texts["id"]): (pk, entry) for pk, entry in found.items()}


def _suggestions(found: Found) -> Iterator[dict[str, Any]]:
    """Each name once from every word on, so that `naltrexone` finds `Low-dose naltrexone`."""
    seen = set()
    for name, matched_on in found.names:
        parts = words(name)
        for start in range(len(parts)):
            folded = " ".join(parts[start:])[:LONGEST_NAME]
            if (folded, name) not in seen and (start < 8):
                seen.add((folded, name))
                yield {"folded": folded, "text": name, "matched_on": matched_on, "is_start": start == 0}


def vocabulary_of(entry: IndexEntry) -> Counter[tuple[str, bool]]:
    stemmed = {word for field in ("title", "names", "body") for word in entry.texts[field].split()}
    spelled = set(entry.texts["spelled"].split())
    return Counter(
        {(word[:LONGEST_WORD], is_stem) for is_stem in (True, False) for word in (stemmed if is_stem else spelled)}
    )


def _count_words(session: Session, counts: Counter[tuple[str, bool]]) -> None:
    moved = sorted((key, number) for key, number in counts.items() if number)
    if moved:
        added = [{"w": word, "s": is_stem, "n": number} for (word, is_stem), number in moved]
        session.execute(_ADD_WORDS, added)
    gone = [{"w": word, "s": is_stem} for (word, is_stem), number in moved if number < 0]
    if gone:
        here = (SearchWord.word == bindparam("w"), SearchWord.is_stem == bindparam("s"), SearchWord.entries <= 0)
        session.connection().execute(delete(SearchWord).where(*here), gone)


_ADD_WORDS = text(
    "INSERT INTO search_words (word, is_stem, entries) VALUES (:w, :s, :n) "
    "ON CONFLICT (word, is_stem) DO UPDATE SET entries = search_words.entries + excluded.entries"
)
"""The same on both engines."""
