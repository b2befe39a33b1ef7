"""What each type of record is found by."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claims import rendering as render
from app.claims.derived import ClaimDerived
from app.claims.responses import ClaimEvidence
from app.claims.schemas import ClaimWrite, DosingRangeWrite, LiteratureSearchWrite
from app.claims.vocabulary import HARM_KINDS, Effect, Kind
from app.core.vocabulary import Status
from app.sources.identifiers import normalise
from app.sources.projection import year_of
from app.sources.rendering import author_name
from app.sources.schemas import DocumentWrite, StudyWrite
from app.storage.history import RecordReference
from app.storage.resource import Key, RecordReader

CONCEPTS = ("intervention", "condition", "mechanism", "side_effect", "outcome")


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


def _concept(_session: Session, _world: RecordReader, concept: Any, _derived: Any) -> Found:
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


def _names_of(records: RecordReader, keys: Iterable[Key]) -> tuple[str, ...]:
    found: list[str] = []
    for key in keys:
        concept = records.content(key)
        found += [concept.name, *concept.synonyms, *(code.code for code in concept.codes)]
    return tuple(found)


def _claim(session: Session, records: RecordReader, claim: ClaimWrite, derived: ClaimDerived) -> Found:
    concepts = [
        *(Key("condition", c) for c in claim.conditions),
        *(Key("mechanism", m) for m in claim.mechanisms),
        *(Key("side_effect", s) for s in claim.side_effects),
        *(Key("intervention", i) for i in (claim.intervention, *claim.interactants) if i),
        *(Key("outcome", o) for o in (claim.outcome,) if o),
        *_inheriting(session, records, claim),
    ]
    against = _names_of(records, _with_kinds(session, records, claim.interactants))
    warning = _warning(claim)
    dosing: DosingRangeWrite | None = (
        records.content(Key("dosing_range", claim.dosing_range)) if claim.dosing_range else None
    )
    documents = [records.content(Key("document", citation.document)) for citation in claim.citations]
    studies = [records.content(Key("study", c.study)) for c in claim.citations if c.study]
    evidence = derived.evidence
    return Found(
        title=claim.statement,
        about=(
            *_names_of(records, concepts),
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
        summary=render.summary(records, claim.id).model_dump_json(),
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


def _with_kinds(session: Session, records: RecordReader, interventions: Iterable[str]) -> Iterator[Key]:
    """Interventions and what is a kind of them: what warns of opioids warns of tramadol."""
    for intervention in interventions:
        yield Key("intervention", intervention)
        yield from _children(session, records, intervention)


def _inheriting(session: Session, records: RecordReader, claim: ClaimWrite) -> Iterator[Key]:
    """Harm crosses doses: what warns of a drug is found under its regimens as well."""
    if claim.kind not in HARM_KINDS or claim.intervention is None:
        return
    yield from _children(session, records, claim.intervention)


def _children(session: Session, records: RecordReader, intervention: str) -> Iterator[Key]:
    naming = select(RecordReference.id).where(
        RecordReference.type == "intervention",
        RecordReference.to_type == "intervention",
        RecordReference.to_id == intervention,
    )
    for child in sorted(set(session.scalars(naming))):
        content = records.content(Key("intervention", child))
        if content.parent == intervention and content.status is Status.published:
            yield Key("intervention", child)


def _document(_session: Session, records: RecordReader, document: DocumentWrite, _derived: Any) -> Found:
    year = year_of(document.issued)
    studies = [records.content(Key("study", link.study)) for link in document.studies]
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
            *_names_of(records, (Key("condition", c) for c in dict.fromkeys(conditions))),
        ),
        body=(document.container_title, document.note),
        rank=450,
        label=document.label,
        facets={"year": (str(year),) if year else ()},
    )


def _study(_session: Session, records: RecordReader, study: StudyWrite, _derived: Any) -> Found:
    return Found(
        title=study.name,
        names=(
            (study.name, "name"),
            *((normalise(read.scheme, read.value), "identifier") for read in study.registry_ids),
        ),
        about=_names_of(records, (Key("condition", c) for c in study.conditions)),
        body=(study.population, study.design.label, study.comparator, *(arm.dose_text for arm in study.arms)),
        rank=440,
        facets={"condition": study.conditions, "design": (study.design,)},
    )


def _dosing_range(_session: Session, records: RecordReader, dosing: DosingRangeWrite, _derived: Any) -> Found:
    keys = [Key("intervention", dosing.intervention), *(Key("condition", c) for c in dosing.conditions)]
    return Found(
        title=dosing.dose_text,
        about=(*_names_of(records, keys), "dosage", dosing.basis.label),
        body=(dosing.titration, dosing.population, dosing.schedule.text, dosing.schedule.timing, dosing.formulation),
        rank=300,
        facets={"condition": dosing.conditions},
    )


def _search(session: Session, records: RecordReader, search: LiteratureSearchWrite, _derived: Any) -> Found:
    keys = [
        *(Key("condition", c) for c in search.conditions),
        *(Key("intervention", i) for i in (search.intervention,) if i),
    ]
    against = _names_of(records, _with_kinds(session, records, search.interactants))
    return Found(
        title=search.question,
        names=((search.topic, "name"),) if search.topic else (),
        about=(*_names_of(records, keys), *against, *(("interaction",) if search.interactants else ())),
        body=(search.note,),
        against=against,
        warning=1,
        rank=90,
        facets={"condition": search.conditions},
    )


FOUND_BY: dict[str, Callable[[Session, RecordReader, Any, Any], Found]] = {
    **dict.fromkeys(("intervention", "condition", "mechanism", "side_effect", "outcome"), _concept),
    "claim": _claim,
    "document": _document,
    "study": _study,
    "dosing_range": _dosing_range,
    "search": _search,
}
"""Citations are found by their claims."""
