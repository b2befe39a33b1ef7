"""Literature searches recorded on a question: open questions, and searches that found nothing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.claims import rendering as render
from app.claims.models import LiteratureSearch, LiteratureSearchConcept, LiteratureSearchSource
from app.claims.responses import SelfLink
from app.claims.vocabulary import Coverage, SearchDepth
from app.core.content import ResponseModel
from app.core.text import Slug
from app.core.vocabulary import Status


class SearchMatch(ResponseModel):
    """A question that was put to the literature, or that nobody has put yet."""

    id: Slug
    question: str
    coverage: Coverage
    topic: str | None
    depth: SearchDepth | None
    sources: tuple[str, ...]
    searched_on: str | None
    """As precise as known; null where the day was not noted, or where nobody searched."""
    note: str | None
    links: SelfLink


@dataclass(frozen=True)
class RecordedSearch:
    """A search with the internal keys of what it names."""

    match: SearchMatch
    intervention: int | None
    concepts: Mapping[str, Collection[int]]
    """Role → keys of the concepts that the search names in it; roles without concepts are absent."""

    @property
    def interactants(self) -> Collection[int]:
        return self.concepts.get("interactant", ())


def recorded_searches(session: Session, *where: ColumnElement[bool]) -> list[RecordedSearch]:
    """Published searches that meet the conditions, by id. At most three statements."""
    search, concept, source = LiteratureSearch, LiteratureSearchConcept, LiteratureSearchSource
    rows = session.execute(
        select(
            search.pk, search.id, search.question, search.coverage, search.intervention_pk, search.topic, search.depth,
            search.searched_on, search.note,
        )
        .where(search.status == Status.published, *where)
        .order_by(search.id)
    ).all()  # fmt: skip
    if not rows:
        return []
    pks = [row.pk for row in rows]
    sources: dict[int, list[str]] = {pk: [] for pk in pks}
    for pk, name in session.execute(
        select(source.search_pk, source.name).where(source.search_pk.in_(pks)).order_by(source.position)
    ):
        sources[pk].append(name)
    concepts: dict[int, dict[str, set[int]]] = {pk: {} for pk in pks}
    for pk, role, concept_pk in session.execute(
        select(concept.search_pk, concept.role, concept.concept_pk).where(concept.search_pk.in_(pks))
    ):
        concepts[pk].setdefault(role, set()).add(concept_pk)
    return [
        RecordedSearch(
            intervention=row.intervention_pk,
            concepts=concepts[row.pk],
            match=SearchMatch(
                id=row.id,
                question=row.question,
                coverage=Coverage(row.coverage),
                topic=row.topic,
                depth=SearchDepth(row.depth) if row.depth else None,
                sources=tuple(sources[row.pk]),
                searched_on=row.searched_on,
                note=row.note,
                links=SelfLink(self=render.address("searches", row.id)),
            ),
        )
        for row in rows
    ]


def names_concept(role: str, concept_pks: Sequence[int]) -> ColumnElement[bool]:
    """Searches that name one of the concepts in the role."""
    link = LiteratureSearchConcept
    return LiteratureSearch.pk.in_(select(link.search_pk).where(link.role == role, link.concept_pk.in_(concept_pks)))


def newest(searches: Iterable[RecordedSearch]) -> SearchMatch | None:
    """The newest of the searches that found nothing."""
    return max(
        (search.match for search in searches if search.match.coverage is Coverage.searched_none_found),
        key=lambda match: (match.searched_on or "", match.id),
        default=None,
    )
