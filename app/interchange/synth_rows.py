"""Synthetic records as rows of every table, the same that `publish` would write."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from hashlib import blake2b
from itertools import groupby
from typing import Any, cast

from pydantic import BaseModel
from sqlalchemy import Table, create_engine
from sqlalchemy.orm import Session

from app.catalog import BY_TYPE
from app.concepts.models import Concept, ConceptSynonym
from app.core.database import Base
from app.core.history import RecordReference, RecordState, StoredRecord
from app.core.resource import Key, Stamp
from app.curation.service import text_of
from app.evidence.counts import Counted, study_stances, tally
from app.evidence.derive import ConceptDerived, Nothing, SourceDerived, computed_claim
from app.evidence.models import Citation, Claim, ClaimConcept, Estimate
from app.evidence.reads import ByStance, CatalogueEvidence, StanceCount
from app.evidence.schemas import CitationRecord, CitationWrite, ClaimWrite
from app.evidence.vocabulary import Stance
from app.interchange.bulk import columns_of
from app.interchange.synthetic import Contents, number_of
from app.search import index
from app.search.models import SearchEntry, SearchFacet, SearchName
from app.sources.identifiers import normalise
from app.sources.models import (
    Document,
    DocumentIdentifier,
    DocumentStanding,
    DocumentStudy,
    Study,
    StudyArm,
    StudyCondition,
    StudyIdentifier,
)
from app.sources.projection import year_of
from app.sources.schemas import DocumentWrite, Identifier, StudyWrite

AT = "2026-01-01T00:00:00Z"
"""When synthetic records say that they were published: the same seed gives the same bytes."""
SERIAL = 1
_INDEXED = ("claim", "condition", "document", "intervention", "mechanism", "outcome", "side_effect", "study")
_WHAT = tuple(StanceCount.model_fields)

Cited = tuple[int, int, str, str, str]
"""Keys of study and claim, stance, and the claim's kind and consensus."""
Numbers = Counter[tuple[str, int, str, str]]
"""Type and place of a concept, what is counted, of which value → how much."""


@dataclass
class Made:
    """Rows by table, as tuples in the order of its columns, and what cannot be written before all is made."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    words: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """Words of the search index by the number of entries that hold them."""
    counted: Numbers = field(default_factory=Counter)
    """What concepts count: claims by `kind` and `consensus`; the rest by stance, and in total under an empty one."""

    def add(self, table: type[Base], **values: Any) -> None:
        name = table.__tablename__
        self.rows.setdefault(name, []).append(tuple(map(values.get, _COLUMNS[name])))


class World:
    """What documents are rendered from: all contents, and the claim at hand with its derived values."""

    def __init__(self, contents: Contents, claim: ClaimWrite | None = None) -> None:
        self._contents = contents
        self._claim = claim
        self._derived = computed_claim(self, claim, None) if claim else None

    def content(self, key: Key) -> Any:
        return self._claim if key.type == "claim" else self._contents.content(key)

    def derived(self, _key: Key) -> Any:
        return self._derived


class Maker:
    """Makes the rows of some records at a time, from nothing but their numbers."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        places = ((record_type, place) for record_type, made in contents.concepts.items() for place in range(len(made)))
        self._pks = {place: pk for pk, place in enumerate(places, start=1)}
        engine = create_engine("sqlite://")
        cast("Table", RecordReference.__table__).create(engine)
        self._unrelated = Session(engine)
        """A database in which nothing names a regimen's drug: no synthetic intervention has a parent."""

    # --- every record ---------------------------------------------------------------------------------------------

    def _record(self, made: Made, world: World, key: Key, content: Any, derived: BaseModel) -> None:
        """The record with its first state, its references and its rendered document."""
        resource = BY_TYPE[key.type]
        document = resource.render(world, content, derived, Stamp(1, 0, AT)).model_dump_json()
        # The digest is taken at serial 0, and the document differs from that in its permalink alone.
        body = document.replace(f'{resource.path}/{key.id}?serial=0"', f'{resource.path}/{key.id}?serial={SERIAL}"')
        state = {
            "type": key.type, "id": key.id, "serial": SERIAL, "version": 1, "status": "published", "updated_at": AT,
            "content": text_of(content), "derived": text_of(derived),
        }  # fmt: skip
        digest = blake2b(document.encode(), digest_size=16).hexdigest()
        made.add(StoredRecord, **state, digest=digest, body=body.encode())
        made.add(RecordState, **state)
        for target in sorted({reference.key for reference in resource.references(content)}):
            made.add(RecordReference, type=key.type, id=key.id, to_type=target.type, to_id=target.id)

    def _entry(self, made: Made, world: World, key: Key, content: Any, derived: BaseModel) -> None:
        """The record in the search index."""
        entry = index.entry_for(key, index.FOUND_BY[key.type](self._unrelated, world, content, derived))
        pk = self._entry_pk(key)
        made.words.update(index.vocabulary_of(entry))
        made.add(SearchEntry, pk=pk, **entry.texts)
        for facet in entry.facets:
            made.add(SearchFacet, entry_pk=pk, **facet)
        for name in entry.names:
            made.add(SearchName, entry_pk=pk, **name)

    def _entry_pk(self, key: Key) -> int:
        """Entries are numbered type by type in alphabetical order, and within a type by id."""
        sizes = {name: len(made) for name, made in self.contents.concepts.items()}
        sizes |= dict.fromkeys(("document", "study"), self.contents.size.studies)
        sizes["claim"] = self.contents.size.claims
        return 1 + number_of(key.id) + sum(sizes[name] for name in _INDEXED[: _INDEXED.index(key.type)])

    # --- concepts -------------------------------------------------------------------------------------------------

    def concepts(self) -> Made:
        """Their own rows; their records come last, with `concept_records`."""
        made = Made()
        for (record_type, place), pk in self._pks.items():
            concept = self.contents.concepts[record_type][place]
            more = {name: _value(getattr(concept, name, None)) for name in ("level", "better")}
            made.add(Concept, pk=pk, type=record_type, **_plain(concept, _CONCEPT_COLUMNS), **more)
            for position, synonym in enumerate(concept.synonyms):
                made.add(ConceptSynonym, concept_pk=pk, position=position, text=synonym)
        return made

    def concept_records(self, counted: Numbers) -> Made:
        made = Made()
        world = World(self.contents)
        for record_type, place in sorted(self._pks):
            concept = self.contents.concepts[record_type][place]
            numbers = {key[2:]: n for key, n in counted.items() if key[:2] == (record_type, place)}
            derived = ConceptDerived(evidence=_evidence(numbers), assertions=(), inherited=())
            key = Key(record_type, concept.id)
            self._record(made, world, key, concept, derived)
            self._entry(made, world, key, concept, derived)
        return made

    # --- studies and documents ------------------------------------------------------------------------------------

    def sources(self, batch: range) -> Made:
        """Rows of studies and documents; their records come after the claims, with `source_records`."""
        made = Made()
        for number in batch:
            self._study(made, number + 1, self.contents.study(number))
            self._document(made, number + 1, self.contents.document(number))
        return made

    def _study(self, made: Made, pk: int, study: StudyWrite) -> None:
        made.add(Study, pk=pk, is_review=study.design.is_review, **_plain(study, _STUDY_COLUMNS))
        for position, read in enumerate(study.registry_ids):
            made.add(StudyIdentifier, study_pk=pk, position=position, **_identifier(read))
        for position, condition in enumerate(study.conditions):
            concept_pk = self._pks["condition", number_of(condition)]
            made.add(StudyCondition, study_pk=pk, position=position, concept_pk=concept_pk)
        for position, arm in enumerate(study.arms):
            made.add(StudyArm, study_pk=pk, position=position, **_plain(arm, type(arm).model_fields))

    def _document(self, made: Made, pk: int, document: DocumentWrite) -> None:
        standing = document.standing[-1]
        made.add(
            Document,
            pk=pk,
            **_plain(document, _DOCUMENT_COLUMNS),
            authors=json.dumps([author.model_dump() for author in document.authors]),
            year=year_of(document.issued),
            standing=standing.standing.value,
        )
        for position, read in enumerate(document.identifiers):
            made.add(DocumentIdentifier, document_pk=pk, position=position, **_identifier(read))
        entry = {"standing": standing.standing.value, "on_date": standing.on, "source": standing.source}
        made.add(DocumentStanding, document_pk=pk, position=0, **entry)
        made.add(DocumentStudy, document_pk=pk, study_pk=pk, role=document.studies[0].role.value, position=0)

    def source_records(self, batch: range, cited: Sequence[Cited]) -> Made:
        """Studies and documents with what cites them; each document reports the study of its own number."""
        made = Made()
        world = World(self.contents)
        by_study = {pk: list(rows) for pk, rows in groupby(cited, key=lambda row: row[0])}
        for number in batch:
            study, document = self.contents.study(number), self.contents.document(number)
            rows, is_review = by_study.get(number + 1, []), study.design.is_review
            citations = [
                Counted(str(claim), document.id, Stance(stance), 0, study.id, is_review, study.participants)
                for _, claim, stance, _, _ in rows
            ]
            self._count(made.counted, [row[1] - 1 for row in rows], citations)
            totals = tally(citations)
            evidence = CatalogueEvidence(
                claims=len(rows),
                **{what: getattr(totals, what) for what in _WHAT},
                by_kind=dict(sorted(Counter(row[3] for row in rows).items())),
                by_consensus=dict(sorted(Counter(row[4] for row in rows).items())),
                by_stance=totals.by_stance,
            )
            reports = ((document.id, document.studies[0].role.value),)
            of_study, of_document = Key("study", study.id), Key("document", document.id)
            for key, content, documents in ((of_study, study, reports), (of_document, document, ())):
                derived = SourceDerived(evidence=evidence, documents=documents)
                self._record(made, world, key, content, derived)
                self._entry(made, world, key, content, derived)
        return made

    def _count(self, counted: Numbers, claims: Sequence[int], citations: Sequence[Counted]) -> None:
        """Add what one study, cited by these claims, brings to the concepts that they are about."""
        by_concept: dict[tuple[str, int], list[Counted]] = {}
        for claim, citation in zip(claims, citations, strict=True):
            for concept in self.contents.about(claim).named():
                by_concept.setdefault(concept, []).append(citation)
        for (record_type, place), citing in by_concept.items():
            for stance in {"", *(citation.stance.value for citation in citing)}:
                taken = sum(not stance or citation.stance == stance for citation in citing)
                counted[record_type, place, "citations", stance] += taken
                counted[record_type, place, "documents", stance] += 1
                counted[record_type, place, "reviews", stance] += citing[0].is_review
            for study_stance in study_stances(citing).values():
                for stance in ("", study_stance.value):
                    counted[record_type, place, "studies", stance] += 1
                    counted[record_type, place, "participants", stance] += citing[0].people or 0

    # --- claims ---------------------------------------------------------------------------------------------------

    def claims(self, batch: range) -> Made:
        """Claims with everything that hangs on them."""
        made = Made()
        for number in batch:
            claim = self.contents.claim(number)
            world = World(self.contents, claim)
            key = Key("claim", claim.id)
            derived = world.derived(key)
            self._claim(made, number, claim, derived)
            first = self.contents.size.citations_before(number) + 1
            for position, citation in enumerate(claim.citations):
                doses = derived.doses.get(citation.id, (None, None))
                self._citation(made, first + position, number + 1, position, citation, doses)
                record = CitationRecord.model_construct(id=citation.id, claim=claim.id, citation=citation)
                self._record(made, world, Key("citation", citation.id), record, Nothing())
            self._record(made, world, key, claim, derived)
            self._entry(made, world, key, claim, derived)
        return made

    def _claim(self, made: Made, number: int, claim: ClaimWrite, derived: Any) -> None:
        named = self.contents.about(number).named()
        for concept in named:
            made.counted[(*concept, "kind", claim.kind.value)] += 1
            made.counted[(*concept, "consensus", derived.evidence.consensus.value)] += 1
        of_type = {record_type: self._pks[record_type, place] for record_type, place in named}
        made.add(
            Claim,
            pk=number + 1,
            **_plain(claim, _CLAIM_COLUMNS),
            intervention_pk=of_type["intervention"],
            outcome_pk=of_type.get("outcome"),
            updated_at=AT,
            **_plain(derived.evidence, _VERDICT_COLUMNS),
            citation_count=len(derived.order),
            is_stale=derived.stale,
        )
        linked = (concept for concept in named if concept[0] not in ("intervention", "outcome"))
        for position, concept in enumerate(linked):
            link = {"role": concept[0], "concept_pk": self._pks[concept], "position": position}
            made.add(ClaimConcept, claim_pk=number + 1, **link)

    def _citation(
        self,
        made: Made,
        pk: int,
        claim_pk: int,
        position: int,
        citation: CitationWrite,
        doses: tuple[int | None, int | None],
    ) -> None:
        source = number_of(citation.document) + 1
        made.add(
            Citation,
            pk=pk,
            claim_pk=claim_pk,
            position=position,
            document_pk=source,
            study_pk=source,
            **_plain(citation, _CITATION_COLUMNS),
            attached_by=citation.attached_by.by.value,
            verification=citation.verification.result.value,
            verification_basis=_value(citation.verification.basis),
            checked_on=citation.verification.checked_on,
            dose_low_pg=doses[0],
            dose_high_pg=doses[1],
        )
        for estimate in citation.estimates:  # one at most, so that it can have the citation's key
            outcome_pk = self._pks["outcome", number_of(estimate.outcome)] if estimate.outcome else None
            own = {"pk": pk, "citation_pk": pk, "position": 0, "is_primary": estimate.primary, "outcome_pk": outcome_pk}
            made.add(Estimate, **own, **_plain(estimate, _ESTIMATE_COLUMNS))


# --- values -------------------------------------------------------------------------------------------------------


def _evidence(numbers: dict[tuple[str, str], int]) -> CatalogueEvidence:
    """A concept's evidence from what was counted for it."""

    def by(what: str) -> dict[str, int]:
        return dict(sorted((value, number) for (counted, value), number in numbers.items() if counted == what))

    def of(stance: str) -> dict[str, int]:
        return {what: numbers.get((what, stance), 0) for what in _WHAT}

    return CatalogueEvidence(
        claims=sum(by("kind").values()),
        **of(""),
        by_kind=by("kind"),
        by_consensus=by("consensus"),
        by_stance=ByStance(**{stance.value: StanceCount(**of(stance)) for stance in Stance}),
    )


def _plain(model: Any, names: Iterable[str]) -> dict[str, Any]:
    """Fields as the tables hold them."""
    return {name: _value(getattr(model, name)) for name in names}


def _value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return float(value) if isinstance(value, Decimal) else value


def _identifier(read: Identifier) -> dict[str, str]:
    return {"scheme": read.scheme.value, "value": read.value, "normal": normalise(read.scheme, read.value)}


_COLUMNS = {table.name: columns_of(table) for table in Base.metadata.tables.values()}


def _shared(table: type[Base], model: type[BaseModel], *apart: str) -> tuple[str, ...]:
    """Columns that hold the field of their name as it is."""
    return tuple(sorted((set(_COLUMNS[table.__tablename__]) & set(model.model_fields)) - set(apart)))


_VERDICT_COLUMNS = (
    "consensus", "leaning", "certainty", "method", "study_count", "review_count", "participant_count",
)  # fmt: skip
_CONCEPT_COLUMNS = ("id", "status", "successor", "name", "description")
_STUDY_COLUMNS = _shared(Study, StudyWrite)
_DOCUMENT_COLUMNS = _shared(Document, DocumentWrite, "authors", "standing")
_CLAIM_COLUMNS = _shared(Claim, ClaimWrite)
_CITATION_COLUMNS = _shared(Citation, CitationWrite, "attached_by", "verification")
_ESTIMATE_COLUMNS = tuple(
    sorted({*_COLUMNS["estimates"]} - {"pk", "citation_pk", "position", "is_primary", "outcome_pk"})
)
