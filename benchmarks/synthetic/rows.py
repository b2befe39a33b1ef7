"""Synthetic records as rows of every table, the same that `publish` would write: templates filled with facts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.claims.catalogue_responses import CatalogueEvidence
from app.claims.responses import ByStance, StanceCount
from app.claims.vocabulary import Stance
from app.grading.counts import Counted, tally
from app.search import index
from app.search.models import SearchEntry, SearchName
from app.storage.resource import Key
from benchmarks.synthetic.bulk import Row, columns_of
from benchmarks.synthetic.facts import CONCEPTS, PROFILES, FactGenerator, Size
from benchmarks.synthetic.specimens import Templates
from benchmarks.synthetic.templates import Template

_INDEXED = tuple(sorted((*CONCEPTS, "claim", "document", "study")))
_MEASURES = tuple(StanceCount.model_fields)
_ITSELF = ("", 0)
"""Stands in the place of a concept where the evidence of a source itself is counted."""

CitationKeys = tuple[int, int]
"""Keys of a study and of a claim that cites it."""
Concept = tuple[str, int]
"""Type, and position in the list of its type."""
ConceptCounts = Counter[tuple[str, int, str, str]]
"""Type and position of a concept, measure, value of `kind`, `verdict` or stance → how many."""


@dataclass
class RowBatch:
    """Rows by table, and what cannot be written before all rows are made."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    words: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """Words of the search index by the number of entries that hold them."""
    counts: ConceptCounts = field(default_factory=Counter)
    """Of concepts: claims by `kind` and `verdict`; all else by stance, and in total under an empty stance."""


class RowMaker:
    """Makes the rows of some records from nothing but their numbers."""

    def __init__(self, generator: FactGenerator, templates: Templates, size: Size) -> None:
        self.size = size
        self._generator = generator
        self._templates = templates
        sizes = {name: len(concepts) for name, concepts in generator.concepts.items()}
        sizes |= {"claim": size.claims, "document": size.studies, "study": size.studies}
        self._entries_before = {
            name: sum(sizes[earlier] for earlier in _INDEXED[:position]) for position, name in enumerate(_INDEXED)
        }

    def _add_rows(self, batch: RowBatch, template: Template, facts: Row) -> Row:
        cells = template.cells(facts)
        for table, rows in template.rows:
            batch.rows.setdefault(table, []).extend([get(cells) for get in rows])
        return cells

    def _add_entry(self, batch: RowBatch, template: Template, cells: Row, key: Key, position: int) -> None:
        """The record in the search index, where entries are numbered type by type in alphabetical order."""
        number = self._entries_before[key.type] + position + 1
        entry = index.entry_for(key, template.filled_search_document(cells))
        pk = index.pk_of(entry.texts["rank"], number)
        batch.words.update(index.vocabulary_of(entry))  # one entry each
        for table, rows in (
            ("search_entries", ({"pk": pk, "number": number, **entry.texts},)),
            ("search_names", ({"entry_pk": pk, **name} for name in entry.names)),
        ):
            batch.rows.setdefault(table, []).extend([tuple(map(row.get, _SEARCH[table])) for row in rows])

    # --- concepts -------------------------------------------------------------------------------------------------

    def concepts(self) -> RowBatch:
        """Their own rows; their records come last, with `concept_records`."""
        batch = RowBatch()
        for record_type, concepts in self._generator.concepts.items():
            for facts in concepts:
                self._add_rows(batch, self._templates.concepts[record_type], (*facts, ""))
        return batch

    def concept_records(self, counts: ConceptCounts) -> RowBatch:
        batch = RowBatch()
        for record_type, concepts in self._generator.concepts.items():
            template = self._templates.concept_records[record_type]
            for position, facts in enumerate(concepts):
                evidence = _evidence({key[2:]: n for key, n in counts.items() if key[:2] == (record_type, position)})
                cells = self._add_rows(batch, template, (*facts, evidence.model_dump_json()))
                self._add_entry(batch, template, cells, Key(record_type, facts.id), position)
        return batch

    # --- studies and documents ------------------------------------------------------------------------------------

    def sources(self, numbers: range) -> RowBatch:
        """Rows of studies and documents; their records come after the claims, with `source_records`."""
        batch = RowBatch()
        for number in numbers:
            facts = (*self._generator.source(number), *self._generator.condition_of(number), "")
            self._add_rows(batch, self._templates.sources[number % PROFILES], facts)
        return batch

    def source_records(self, numbers: range, citations: Sequence[CitationKeys]) -> RowBatch:
        """Records of studies and documents, from the citations of these studies in the order of studies."""
        batch = RowBatch()
        by_study = groupby(citations, key=itemgetter(0))
        claims_of = {study: [claim - 1 for _, claim in rows] for study, rows in by_study}
        counts = _SourceCounter()
        for number in numbers:
            source, profile = self._generator.source(number), number % PROFILES
            evidence = self._source_evidence(counts, profile, claims_of.get(number + 1, ()))
            facts = (*source, *self._generator.condition_of(number), evidence.model_dump_json())
            for record_type, templates in (("study", self._templates.studies), ("document", self._templates.documents)):
                cells = self._add_rows(batch, templates[profile], facts)
                key = Key(record_type, getattr(source, record_type))
                self._add_entry(batch, templates[profile], cells, key, number)
        batch.counts = counts.concept_counts()
        return batch

    def _source_evidence(self, counts: "_SourceCounter", profile: int, claims: Iterable[int]) -> CatalogueEvidence:
        """The evidence of one study and its document, which are also counted for the concepts of those claims."""
        design, participants, *_ = self._generator.profiles[profile]
        own = _SourceCounter()
        numbers: Counter[tuple[str, str]] = Counter()
        stances: dict[Concept, set[Stance]] = {}
        for claim in claims:
            topic = self._generator.topic(claim)
            pattern = self._generator.patterns[topic.pattern]
            stance = next(cited.stance for cited in pattern.citations if cited.profile == profile)
            numbers["kind", pattern.kind.value] += 1
            numbers["verdict", self._templates.verdict[topic.pattern]] += 1
            own.citations[_ITSELF, stance] += 1
            for concept in zip(pattern.concept_types, topic.positions, strict=True):
                stances.setdefault(concept, set()).add(stance)
                counts.citations[concept, stance] += 1
        for concept, cited_as in stances.items():
            counts.add(concept, cited_as, design.is_review, participants)
        own.add(_ITSELF, {stance for _, stance in own.citations}, design.is_review, participants)
        numbers.update({key[2:]: number for key, number in own.concept_counts().items()})
        return _evidence(numbers)

    # --- claims ---------------------------------------------------------------------------------------------------

    def claims(self, numbers: range) -> RowBatch:
        """Claims with everything that depends on them."""
        batch = RowBatch()
        for number in numbers:
            topic, complete = self._generator.claim(number)
            pattern, template = self._generator.patterns[topic.pattern], self._templates.claims[topic.pattern]
            cells = self._add_rows(batch, template, complete.flat())
            self._add_entry(batch, template, cells, Key("claim", complete.claim.id), number)
            verdict = self._templates.verdict[topic.pattern]
            for record_type, position in zip(pattern.concept_types, topic.positions, strict=True):
                batch.counts[record_type, position, "kind", pattern.kind.value] += 1
                batch.counts[record_type, position, "verdict", verdict] += 1
        return batch


class _SourceCounter:
    """Counts some studies and their documents, for concepts."""

    def __init__(self) -> None:
        self.citations: Counter[tuple[Concept, Stance]] = Counter()
        self._studies: Counter[tuple[Concept, frozenset[Stance], bool]] = Counter()
        """By concept, the stances with which they are cited, and whether they are reviews."""
        self._participants: Counter[tuple[Concept, frozenset[Stance], bool]] = Counter()

    def add(self, concept: Concept, stances: Iterable[Stance], is_review: bool, participants: int | None) -> None:
        """One study, cited with these stances in claims about the concept."""
        alike = (concept, frozenset(stances), is_review)
        self._studies[alike] += 1
        self._participants[alike] += participants or 0

    def concept_counts(self) -> ConceptCounts:
        result: ConceptCounts = Counter()
        for (concept, stance), number in self.citations.items():
            result[(*concept, "citations", "")] += number
            result[(*concept, "citations", stance)] += number
        for alike, studies in self._studies.items():
            concept, stances, is_review = alike
            for measure, value, number in _counts_of_study(stances, is_review):
                times = self._participants[alike] if measure == "participants" else studies
                result[(*concept, measure, value)] += number * times
        return result


@lru_cache(None)
def _counts_of_study(stances: frozenset[Stance], is_review: bool) -> list[tuple[str, str, int]]:
    """What a study with one participant adds, in total and by stance, apart from the number of citations."""
    totals = tally(Counted("", "document", stance, 0, "study", is_review, 1) for stance in stances)
    of_all = [(measure, "", getattr(totals, measure)) for measure in _MEASURES]
    of_stances = [(measure, stance, getattr(n, measure)) for stance, n in totals.by_stance for measure in _MEASURES]
    return [entry for entry in (*of_all, *of_stances) if entry[0] != "citations" and entry[2]]


def _evidence(numbers: Mapping[tuple[str, str], int]) -> CatalogueEvidence:
    """The evidence of a concept, study or document, from its counts by measure and value."""

    def by(measure: str) -> dict[str, int]:
        return dict(sorted((value, number) for (name, value), number in numbers.items() if name == measure))

    def of(stance: str) -> dict[str, int]:
        return {measure: numbers.get((measure, stance), 0) for measure in _MEASURES}

    return CatalogueEvidence(
        claims=sum(by("kind").values()),
        **of(""),
        by_kind=by("kind"),
        by_verdict=by("verdict"),
        by_stance=ByStance(**{stance.value: StanceCount(**of(stance)) for stance in Stance}),
    )


_SEARCH: dict[str, Any] = {
    table.__tablename__: columns_of(table.__table__)  # type: ignore[arg-type]
    for table in (SearchEntry, SearchName)
}
