"""What each type of record is found by, and keeping the index in step with what is published."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.core.history import RecordReference
from app.core.resource import Key, World
from app.core.vocabulary import Status
from app.evidence.derive import ClaimDerived
from app.evidence.schemas import ClaimWrite, DosingRangeWrite, SearchWrite
from app.evidence.vocabulary import Kind
from app.search.models import SearchEntry, SearchFacet, SearchName, SearchWord
from app.search.text import stems, words
from app.sources.identifiers import normalise
from app.sources.projection import year_of
from app.sources.render import author_name
from app.sources.schemas import DocumentWrite, StudyWrite

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
    rank: int = 500
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
        rank=max(100, 400 - 10 * evidence.study_count - 20 * (evidence.consensus not in ("uncited", "not_applicable"))),
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


def _inheriting(session: Session, world: World, claim: ClaimWrite) -> Iterator[Key]:
    """Harm crosses doses: what warns of a drug is found under its regimens as well."""
    if claim.kind not in (Kind.safety, Kind.interaction) or claim.intervention is None:
        return
    naming = select(RecordReference.id).where(
        RecordReference.type == "intervention",
        RecordReference.to_type == "intervention",
        RecordReference.to_id == claim.intervention,
    )
    for regimen in sorted(set(session.scalars(naming))):
        if world.content(Key("intervention", regimen)).parent == claim.intervention:
            yield Key("intervention", regimen)


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


def _search(_session: Session, world: World, search: SearchWrite, _derived: Any) -> Found:
    keys = [
        *(Key("condition", c) for c in search.conditions),
        *(Key("intervention", i) for i in (search.intervention, *search.interactants) if i),
    ]
    return Found(
        title=search.question,
        names=((search.topic, "name"),) if search.topic else (),
        about=(*_names_of(world, keys), *(("interaction",) if search.interactants else ())),
        body=(search.note,),
        rank=250,
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
    facets: list[dict[str, Any]]
    names: list[dict[str, Any]]


def renew(session: Session, world: World, records: Iterable[tuple[Key, Any, Any]]) -> None:
    """Index records again, given as key, content and derived values, and those in which their names stand; retired
    ones leave the index."""
    counts: Counter[tuple[str, bool]] = Counter()
    pending = {key: (content, derived) for key, content, derived in records}
    seen = set(pending)
    while pending:
        changed = {
            key: content
            for key, (content, derived) in pending.items()
            if _renew(session, world, key, content, derived, counts)
        }
        pending = {key: (world.content(key), world.derived(key)) for key in _copying(session, changed) - seen}
        seen |= set(pending)
    _count_words(session, counts)


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


def _renew(
    session: Session, world: World, key: Key, content: Any, derived: Any, counts: Counter[tuple[str, bool]]
) -> bool:
    """Whether the record's entry had to change."""
    if key.type not in FOUND_BY:
        return False
    is_found = content.status is Status.published
    entry = entry_for(key, FOUND_BY[key.type](session, world, content, derived)) if is_found else None
    pk, before = _stored(session, key)
    if entry == before:
        return False
    if before is not None:
        counts.subtract(vocabulary_of(before))
        for table in (SearchFacet, SearchName):
            session.execute(delete(table).where(table.entry_pk == pk))
        session.execute(delete(SearchEntry).where(SearchEntry.pk == pk))
    if entry is not None:
        counts.update(vocabulary_of(entry))
        _insert(session, entry)
    return True


def entry_for(key: Key, found: Found) -> IndexEntry:
    texts = {
        "title": found.title,
        "names": " ".join((*(text for text, _ in found.names), *found.about)),
        "body": " ".join(text for text in found.body if text),
    }
    stemmed = {name: " ".join(stems(text)) for name, text in texts.items()}
    spelled = " ".join(dict.fromkeys(words(" ".join(texts.values()))))
    return IndexEntry(
        texts={"type": key.type, "id": key.id, **stemmed, "spelled": spelled, "rank": found.rank},
        facets=[
            {"name": name, "value": value}
            for name, values in sorted(found.facets.items())
            for value in sorted(set(values))
        ],
        names=list(_suggestions(found)),
    )


def _stored(session: Session, key: Key) -> tuple[int | None, IndexEntry | None]:
    columns = [column for column in SearchEntry.__table__.columns if column.name != "pk"]
    row = session.execute(
        select(SearchEntry.pk, *columns).where(SearchEntry.type == key.type, SearchEntry.id == key.id)
    ).one_or_none()
    if row is None:
        return None, None
    facets = select(SearchFacet.name, SearchFacet.value).where(SearchFacet.entry_pk == row.pk)
    names = select(SearchName.folded, SearchName.text, SearchName.matched_on, SearchName.is_start).where(
        SearchName.entry_pk == row.pk
    )
    entry = IndexEntry(
        texts={column.name: getattr(row, column.name) for column in columns},
        facets=sorted((dict(f) for f in session.execute(facets).mappings()), key=lambda f: (f["name"], f["value"])),
        names=[dict(name) for name in session.execute(names.order_by(SearchName.pk)).mappings()],
    )
    return row.pk, entry


def _insert(session: Session, entry: IndexEntry) -> None:
    pk = session.execute(insert(SearchEntry).values(**entry.texts).returning(SearchEntry.pk)).scalar_one()
    for table, rows in ((SearchFacet, entry.facets), (SearchName, entry.names)):
        if rows:
            session.execute(insert(table), [{"entry_pk": pk, **row} for row in rows])


def _suggestions(found: Found) -> Iterator[dict[str, Any]]:
    """Each name once from every word on, so that `naltrexone` finds `Low-dose naltrexone`."""
    seen = set()
    for text, matched_on in found.names:
        parts = words(text)
        for start in range(len(parts)):
            folded = " ".join(parts[start:])[:LONGEST_NAME]
            if (folded, text) not in seen and (start < 8):
                seen.add((folded, text))
                yield {"folded": folded, "text": text, "matched_on": matched_on, "is_start": start == 0}


def vocabulary_of(entry: IndexEntry) -> Counter[tuple[str, bool]]:
    stemmed = {word for field in ("title", "names", "body") for word in entry.texts[field].split()}
    spelled = set(entry.texts["spelled"].split())
    return Counter(
        {(word[:LONGEST_WORD], is_stem) for is_stem in (True, False) for word in (stemmed if is_stem else spelled)}
    )


def _count_words(session: Session, counts: Counter[tuple[str, bool]]) -> None:
    moved = {key: number for key, number in counts.items() if number}
    for start in range(0, len(moved), 400):
        part = dict(list(moved.items())[start : start + 400])
        spellings = {word for word, _ in part}
        known = {
            (row.word, row.is_stem): row.entries
            for row in session.execute(
                select(SearchWord.word, SearchWord.is_stem, SearchWord.entries).where(SearchWord.word.in_(spellings))
            )
        }
        fresh = [{"word": w, "is_stem": s, "entries": n} for (w, s), n in part.items() if (w, s) not in known and n > 0]
        if fresh:
            session.execute(insert(SearchWord), fresh)
        for (word, is_stem), number in part.items():
            if (word, is_stem) in known:
                here = (SearchWord.word == word, SearchWord.is_stem.is_(is_stem))
                left = known[word, is_stem] + number
                if left > 0:
                    session.execute(update(SearchWord).where(*here).values(entries=left))
                else:
                    session.execute(delete(SearchWord).where(*here))
