"""What each type of record is found by, and keeping the index in step with what is published."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from app.core.resource import Key, World
from app.core.vocabulary import Status
from app.evidence.derive import ClaimDerived
from app.evidence.schemas import CitationRecord, ClaimWrite, DosingRangeWrite, SearchWrite
from app.search.models import SearchEntry, SearchFacet, SearchName, SearchWord
from app.search.text import stems, words
from app.sources.identifiers import normalise
from app.sources.projection import year_of
from app.sources.render import author_name
from app.sources.schemas import DocumentWrite, StudyWrite

LONGEST_NAME = 200


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


def _concept(_world: World, concept: Any, _derived: Any) -> Found:
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


def _claim(world: World, claim: ClaimWrite, derived: ClaimDerived) -> Found:
    concepts = [
        *(Key("condition", c) for c in claim.conditions),
        *(Key("mechanism", m) for m in claim.mechanisms),
        *(Key("side_effect", s) for s in claim.side_effects),
        *(Key("intervention", i) for i in (claim.intervention, *claim.interactants) if i),
        *(Key("outcome", o) for o in (claim.outcome,) if o),
    ]
    dosing: DosingRangeWrite | None = (
        world.content(Key("dosing_range", claim.dosing_range)) if claim.dosing_range else None
    )
    documents = [world.content(Key("document", citation.document)) for citation in claim.citations]
    studies = [world.content(Key("study", c.study)) for c in claim.citations if c.study]
    evidence = derived.evidence
    return Found(
        title=claim.statement,
        about=(*_names_of(world, concepts), claim.kind.label, claim.effect.label),
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


def _document(_world: World, document: DocumentWrite, _derived: Any) -> Found:
    year = year_of(document.issued)
    return Found(
        title=document.title or document.label,
        names=(
            (document.label, "name"),
            *(((document.title, "title"),) if document.title else ()),
            *((normalise(read.scheme, read.value), "identifier") for read in document.identifiers),
        ),
        about=tuple(author_name(author) for author in document.authors),
        body=(document.container_title, document.note),
        rank=450,
        facets={"year": (str(year),) if year else ()},
    )


def _study(world: World, study: StudyWrite, _derived: Any) -> Found:
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


def _dosing_range(world: World, dosing: DosingRangeWrite, _derived: Any) -> Found:
    keys = [Key("intervention", dosing.intervention), *(Key("condition", c) for c in dosing.conditions)]
    return Found(
        title=dosing.dose_text,
        about=(*_names_of(world, keys), "dose", "dosing", dosing.basis.label),
        body=(dosing.titration, dosing.population, dosing.schedule.text, dosing.schedule.timing, dosing.formulation),
        rank=300,
        facets={"condition": dosing.conditions},
    )


def _search(world: World, search: SearchWrite, _derived: Any) -> Found:
    keys = [
        *(Key("condition", c) for c in search.conditions),
        *(Key("intervention", i) for i in (search.intervention, *search.interactants) if i),
    ]
    return Found(
        title=search.question,
        names=((search.topic, "name"),) if search.topic else (),
        about=_names_of(world, keys),
        body=(search.note,),
        rank=350,
        facets={"condition": search.conditions},
    )


FOUND_BY: dict[str, Callable[[World, Any, Any], Found]] = {
    **dict.fromkeys(("intervention", "condition", "mechanism", "side_effect", "outcome"), _concept),
    "claim": _claim,
    "document": _document,
    "study": _study,
    "dosing_range": _dosing_range,
    "search": _search,
}
"""Citations are found by their claims."""


# --- keeping in step ----------------------------------------------------------------------------------------------


def renew(session: Session, world: World, records: Iterable[tuple[Key, Any, Any]]) -> None:
    """Index records again, given as key, content and derived values; retired ones leave the index."""
    counts: Counter[tuple[str, bool]] = Counter()
    for key, content, derived in records:
        if isinstance(content, CitationRecord):
            continue
        _forget(session, key, counts)
        if content.status is Status.published:
            _enter(session, key, FOUND_BY[key.type](world, content, derived), counts)
    _count_words(session, counts)


def _forget(session: Session, key: Key, counts: Counter[tuple[str, bool]]) -> None:
    entry = session.scalar(select(SearchEntry).where(SearchEntry.type == key.type, SearchEntry.id == key.id))
    if entry is None:
        return
    counts.subtract(_vocabulary(entry.title, entry.names, entry.body, entry.spelled))
    for table in (SearchFacet, SearchName):
        session.execute(delete(table).where(table.entry_pk == entry.pk))
    session.execute(delete(SearchEntry).where(SearchEntry.pk == entry.pk))


def _enter(session: Session, key: Key, found: Found, counts: Counter[tuple[str, bool]]) -> None:
    texts = {
        "title": found.title,
        "names": " ".join((*(text for text, _ in found.names), *found.about)),
        "body": " ".join(text for text in found.body if text),
    }
    stemmed = {name: " ".join(stems(text)) for name, text in texts.items()}
    spelled = " ".join(dict.fromkeys(words(" ".join(texts.values()))))
    counts.update(_vocabulary(stemmed["title"], stemmed["names"], stemmed["body"], spelled))
    row = {"type": key.type, "id": key.id, **stemmed, "spelled": spelled, "rank": found.rank}
    pk = session.execute(insert(SearchEntry).values(**row).returning(SearchEntry.pk)).scalar_one()
    facets = [
        {"entry_pk": pk, "name": name, "value": value}
        for name, values in found.facets.items()
        for value in sorted(set(values))
    ]
    if facets:
        session.execute(insert(SearchFacet), facets)
    names = [{"entry_pk": pk, **name} for name in _suggestions(found)]
    if names:
        session.execute(insert(SearchName), names)


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


def _vocabulary(title: str, names: str, body: str, spelled: str) -> Counter[tuple[str, bool]]:
    stemmed = {(word[:100], True) for word in f"{title} {names} {body}".split()}
    return Counter([*stemmed, *((word[:100], False) for word in set(spelled.split()))])


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
