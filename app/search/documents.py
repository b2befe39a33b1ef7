"""Builds the search document of each type of record: the text that the search index holds of it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.bibliography.from_documents import reference_of
from app.claims import rendering as render
from app.claims.derived import ClaimDerived, ConceptDerived
from app.claims.responses import ClaimEvidence
from app.claims.schemas import ClaimWrite, DosingRangeWrite, LiteratureSearchWrite
from app.claims.vocabulary import HARM_KINDS, Effect, Kind
from app.concepts.lineage import stored_heirs
from app.concepts.manifest import manifest_in_force
from app.concepts.models import Concept
from app.concepts.schemas import ConceptWrite, InterventionWrite
from app.concepts.vocabulary import CodeRelation
from app.core.vocabulary import Status
from app.search.ranking import UNCITED_RANK
from app.sources.identifiers import normalise
from app.sources.projection import year_of
from app.sources.rendering import author_name
from app.sources.schemas import DocumentWrite, StudyWrite
from app.storage.history import RecordReference
from app.storage.resource import Key, RecordReader

WITHOUT_CLAIMS = 1
"""The static rank of interventions that only searches name: typeahead leaves them out."""
CONCEPTS = ("intervention", "condition", "mechanism", "side_effect", "outcome")


@dataclass(frozen=True)
class SearchDocument:
    title: str
    names: tuple[tuple[str, str], ...] = ()
    """Text and its role (see `SearchName.matched_on`); typeahead suggests these as well."""
    about: tuple[str, ...] = ()
    """Names of the record's concepts and authors; not suggested."""
    body: tuple[str | None, ...] = ()
    against: tuple[str, ...] = ()
    """Names of what it warns of."""
    warning: int = 0
    """See `SearchEntry.warning`."""
    rank: int = 500
    """The static rank: entries with a lower one come first."""
    label: str | None = None
    """The short name, if it is not the title."""
    summary: str | None = None
    """Of a claim, a `ClaimSummary` as JSON."""
    facets: dict[str, tuple[str, ...]] = field(default_factory=dict)


# --- one builder for each type ------------------------------------------------------------------------------------


def _concept(session: Session, _records: RecordReader, concept: Any, derived: ConceptDerived) -> SearchDocument | None:
    """Drugs that no claim or search names are only recognised by their names and codes, and not found."""
    is_bare = isinstance(concept, InterventionWrite) and not derived.evidence.claims
    if is_bare and not _is_searched(session, concept.id):
        return None
    return SearchDocument(
        title=concept.name,
        names=(
            (concept.name, "name"),
            *((synonym, "synonym") for synonym in concept.synonyms),
            *((code, "code") for code in _codes_of(concept)),
        ),
        body=(concept.description,),
        rank=WITHOUT_CLAIMS if is_bare else 0,
    )


def _is_searched(session: Session, intervention: str) -> bool:
    """Whether a question that was put to the literature, or not yet, names the intervention."""
    searches = select(RecordReference.id).where(
        RecordReference.type == "search",
        RecordReference.to_type == "intervention",
        RecordReference.to_id == intervention,
    )
    return session.scalar(searches.limit(1)) is not None


def _codes_of(concept: ConceptWrite) -> Iterator[str]:
    """Its own codes, not those of its products, of which there may be hundreds."""
    return (code.code for code in concept.codes if code.relation is not CodeRelation.narrow)


def _names_of(records: RecordReader, keys: Iterable[Key]) -> tuple[str, ...]:
    concepts = [records.content(key) for key in keys]
    return tuple(name for concept in concepts for name in (concept.name, *concept.synonyms, *_codes_of(concept)))


def _claim(session: Session, records: RecordReader, claim: ClaimWrite, derived: ClaimDerived) -> SearchDocument:
    concepts = [
        *(Key("condition", c) for c in claim.conditions),
        *(Key("mechanism", m) for m in claim.mechanisms),
        *(Key("side_effect", s) for s in claim.side_effects),
        *(Key("intervention", i) for i in (claim.intervention, *claim.interactants) if i),
        *(Key("outcome", o) for o in (claim.outcome,) if o),
        *_heirs(session, records, claim),
    ]
    against = _against(session, records, claim.interactants)
    warning = _warning(claim)
    dosing: DosingRangeWrite | None = (
        records.content(Key("dosing_range", claim.dosing_range)) if claim.dosing_range else None
    )
    documents = [records.content(Key("document", citation.document)) for citation in claim.citations]
    studies = [records.content(Key("study", c.study)) for c in claim.citations if c.study]
    evidence = derived.evidence
    return SearchDocument(
        title=claim.statement,
        names=((claim.statement, "statement"),),
        about=(
            *_names_of(records, concepts),
            *(against if warning else ()),
            claim.kind.label,
            claim.effect.label,
            *(("dosage",) if claim.kind is Kind.dosing else ()),
        ),
        body=(
            claim.caveat,
            *(origin.asserts for origin in claim.origins),
            claim.population,
            claim.subgroup.label if claim.subgroup else None,
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
    """Only the first entries by static rank are ranked by the question, so warnings of combinations come first, those
    of most interactants before others; then claims with most studies. What is stated without a citation comes last."""
    if warning > 1:
        return 120 - 10 * warning - 20 * min(len(claim.interactants), 3)
    if not claim.citations:
        return UNCITED_RANK
    is_graded = evidence.consensus not in ("uncited", "not_applicable")
    return max(100, 400 - 10 * evidence.study_count - 20 * is_graded)


def _against(session: Session, records: RecordReader, interventions: Iterable[str]) -> tuple[str, ...]:
    """All names of interventions and of their regimens and narrower classes, and the names of the members of classes:
    what warns of a class warns of each member. Products of members are known to the question (`parse_query`)."""
    keys = [
        key
        for intervention in interventions
        for key in (Key("intervention", intervention), *_children(session, records, intervention))
    ]
    members = [member for key in keys for member in records.content(key).members]
    names = (records.content(Key("intervention", member)).name for member in members)
    return tuple(dict.fromkeys((*_names_of(records, keys), *names)))


def _heirs(session: Session, records: RecordReader, claim: ClaimWrite) -> Iterator[Key]:
    """Harm is inherited: a search for a regimen or a drug finds the claims about harms of its drug and classes too."""
    if claim.kind not in HARM_KINDS or claim.intervention is None:
        return
    own = session.scalars(select(Concept.pk).where(Concept.type == "intervention", Concept.id == claim.intervention))
    heirs = stored_heirs(session, own)
    for heir in session.scalars(select(Concept.id).where(Concept.pk.in_(heirs)).order_by(Concept.id)):
        key = Key("intervention", heir)
        if records.content(key).status is Status.published:
            yield key


def _children(session: Session, records: RecordReader, intervention: str) -> Iterator[Key]:
    referrers = select(RecordReference.id).where(
        RecordReference.type == "intervention",
        RecordReference.to_type == "intervention",
        RecordReference.to_id == intervention,
    )
    for child in sorted(set(session.scalars(referrers))):
        content = records.content(Key("intervention", child))
        if content.parent == intervention and content.status is Status.published:
            yield Key("intervention", child)


def _document(_session: Session, records: RecordReader, document: DocumentWrite, _derived: Any) -> SearchDocument:
    year = year_of(document.issued)
    studies = [records.content(Key("study", link.study)) for link in document.studies]
    conditions = [condition for study in studies for condition in study.conditions]
    return SearchDocument(
        title=reference_of(document).plain_title if document.title else document.label,
        names=(
            (document.label, "name"),
            *(((document.title, "title"),) if document.title else ()),
            *((normalise(identifier.scheme, identifier.value), "identifier") for identifier in document.identifiers),
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


def _study(session: Session, records: RecordReader, study: StudyWrite, _derived: Any) -> SearchDocument:
    design = manifest_in_force(session).label("design", study.design)
    return SearchDocument(
        title=study.name,
        names=(
            (study.name, "name"),
            *((normalise(identifier.scheme, identifier.value), "identifier") for identifier in study.registry_ids),
        ),
        about=_names_of(records, (Key("condition", c) for c in study.conditions)),
        body=(study.population, design, study.comparator, *(arm.dose_text for arm in study.arms)),
        rank=440,
        facets={"condition": study.conditions, "design": (study.design,)},
    )


def _dosing_range(_session: Session, records: RecordReader, dosing: DosingRangeWrite, _derived: Any) -> SearchDocument:
    keys = [Key("intervention", dosing.intervention), *(Key("condition", c) for c in dosing.conditions)]
    return SearchDocument(
        title=dosing.dose_text,
        about=(
            *_names_of(records, keys),
            "dosage",
            *(("titration",) if dosing.titration else ()),
            dosing.basis.label,
        ),
        body=(dosing.titration, dosing.population, dosing.schedule.text, dosing.schedule.timing, dosing.formulation),
        rank=300,
        facets={"condition": dosing.conditions},
    )


def _search(session: Session, records: RecordReader, search: LiteratureSearchWrite, _derived: Any) -> SearchDocument:
    keys = [
        *(Key("condition", c) for c in search.conditions),
        *(Key("intervention", i) for i in (search.intervention,) if i),
    ]
    against = _against(session, records, search.interactants)
    return SearchDocument(
        title=search.question,
        names=((search.topic, "name"),) if search.topic else (),
        about=(*_names_of(records, keys), *against, *(("interaction",) if search.interactants else ())),
        body=(search.note,),
        against=against,
        warning=1,
        rank=90,
        facets={"condition": search.conditions},
    )


BUILDERS: dict[str, Callable[[Session, RecordReader, Any, Any], SearchDocument | None]] = {
    **dict.fromkeys(CONCEPTS, _concept),
    "claim": _claim,
    "document": _document,
    "study": _study,
    "dosing_range": _dosing_range,
    "search": _search,
}
"""By type of record; null for what is not found. A citation is in the document of its claim."""
