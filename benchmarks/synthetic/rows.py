"""Synthetic records as rows of every table, the same that `publish` would write: templates, filled in."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Any

from app.claims.responses import ByStance, CatalogueEvidence, StanceCount
from app.claims.vocabulary import Stance
from app.grading.counts import Counted, tally
from app.search import index
from app.search.models import SearchEntry, SearchName
from app.storage.resource import Key
from benchmarks.synthetic.bulk import columns_of
from benchmarks.synthetic.draws import CONCEPTS, PROFILES, Draws, Size
from benchmarks.synthetic.specimens import Templates
from benchmarks.synthetic.templates import Row, Template

_INDEXED = tuple(sorted((*CONCEPTS, "claim", "document", "study")))
_WHAT = tuple(StanceCount.model_fields)
_ITSELF = ("", 0)
"""Stands for a source where it counts for itself as for a concept."""

Cites = tuple[int, int]
"""Keys of a study and of a claim that cites it."""
Concept = tuple[str, int]
"""Type and place in the list of its type."""
Numbers = Counter[tuple[str, int, str, str]]
"""Concept, what is counted, of which value → how much."""


@dataclass
class Made:
    """Rows by table, as tuples in the order of its columns, and what cannot be written before all is made."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    words: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """Words of the search index by the number of entries that hold them."""
    counted: Numbers = field(default_factory=Counter)
    """What concepts count: claims by `kind` and `consensus`; the rest by stance, and in total under an empty one."""


class Maker:
    """Makes the rows of some records at a time, from nothing but their numbers."""

    def __init__(self, draws: Draws, templates: Templates, size: Size) -> None:
        self.size = size
        self._draws = draws
        self._templates = templates
        sizes = {name: len(made) for name, made in draws.concepts.items()}
        sizes |= {"claim": size.claims, "document": size.studies, "study": size.studies}
        self._entries_before = {
            name: sum(sizes[before] for before in _INDEXED[:place]) for place, name in enumerate(_INDEXED)
        }

    def _fill(self, made: Made, template: Template, facts: Row) -> Row:
        cells = template.cells(facts)
        for table, rows in template.rows:
            made.rows.setdefault(table, []).extend([take(cells) for take in rows])
        return cells

    def _entry(self, made: Made, template: Template, cells: Row, key: Key, place: int) -> None:
        """The record in the search index, where entries are numbered type by type in alphabetical order."""
        number = self._entries_before[key.type] + place + 1
        entry = index.entry_for(key, template.found_by(cells))
        pk = index.pk_of(entry.texts["rank"], number)
        made.words.update(index.vocabulary_of(entry).keys())  # each is there once
        for table, rows in (
            ("search_entries", ({"pk": pk, "number": number, **entry.texts},)),
            ("search_names", ({"entry_pk": pk, **name} for name in entry.names)),
        ):
            made.rows.setdefault(table, []).extend([tuple(map(row.get, _SEARCH[table])) for row in rows])

    # --- concepts -------------------------------------------------------------------------------------------------

    def concepts(self) -> Made:
        """Their own rows; their records come last, with `concept_records`."""
        made = Made()
        for record_type, concepts in self._draws.concepts.items():
            for facts in concepts:
                self._fill(made, self._templates.concepts[record_type], (*facts, ""))
        return made

    def concept_records(self, counted: Numbers) -> Made:
        made = Made()
        for record_type, concepts in self._draws.concepts.items():
            template = self._templates.concept_records[record_type]
            for place, facts in enumerate(concepts):
                evidence = _evidence({key[2:]: n for key, n in counted.items() if key[:2] == (record_type, place)})
                cells = self._fill(made, template, (*facts, evidence.model_dump_json()))
                self._entry(made, template, cells, Key(record_type, facts.id), place)
        return made

    # --- studies and documents ------------------------------------------------------------------------------------

    def sources(self, batch: range) -> Made:
        """Rows of studies and documents; their records come after the claims, with `source_records`."""
        made = Made()
        for number in batch:
            template = self._templates.sources[number % PROFILES]
            self._fill(made, template, (*self._draws.source(number), *self._draws.condition_of(number), ""))
        return made

    def source_records(self, batch: range, cited: Sequence[Cites]) -> Made:
        """Studies and documents with what cites them, given in the order of studies."""
        made = Made()
        citing = {study: [claim - 1 for _, claim in rows] for study, rows in groupby(cited, key=lambda row: row[0])}
        counts = _Counts()
        for number in batch:
            source, profile = self._draws.source(number), number % PROFILES
            evidence = self._source_evidence(counts, profile, citing.get(number + 1, ()))
            facts = (*source, *self._draws.condition_of(number), evidence.model_dump_json())
            for record_type, templates in (("study", self._templates.studies), ("document", self._templates.documents)):
                cells = self._fill(made, templates[profile], facts)
                key = Key(record_type, getattr(source, record_type))
                self._entry(made, templates[profile], cells, key, number)
        made.counted = counts.numbers()
        return made

    def _source_evidence(self, counts: "_Counts", profile: int, claims: Iterable[int]) -> CatalogueEvidence:
        """Of one study and its document; what they bring to the concepts of those claims is counted too."""
        design, people, *_ = self._draws.profiles[profile]
        own = _Counts()
        numbers: Counter[tuple[str, str]] = Counter()
        stances: dict[Concept, set[Stance]] = {}
        for claim in claims:
            about = self._draws.about(claim)
            pattern = self._draws.patterns[about.pattern]
            stance = next(cites.stance for cites in pattern.citations if cites.profile == profile)
            numbers["kind", pattern.kind.value] += 1
            numbers["consensus", self._templates.consensus[about.pattern]] += 1
            own.citations[_ITSELF, stance] += 1
            for concept in zip(pattern.about, about.places, strict=True):
                stances.setdefault(concept, set()).add(stance)
                counts.citations[concept, stance] += 1
        for concept, taken in stances.items():
            counts.add(concept, taken, design.is_review, people)
        own.add(_ITSELF, {stance for _, stance in own.citations}, design.is_review, people)
        numbers.update({key[2:]: number for key, number in own.numbers().items()})
        return _evidence(numbers)

    # --- claims ---------------------------------------------------------------------------------------------------

    def claims(self, batch: range) -> Made:
        """Claims with everything that hangs on them."""
        made = Made()
        for number in batch:
            about, drawn = self._draws.claim(number)
            pattern, template = self._draws.patterns[about.pattern], self._templates.claims[about.pattern]
            cells = self._fill(made, template, drawn.flat())
            self._entry(made, template, cells, Key("claim", drawn.claim.id), number)
            consensus = self._templates.consensus[about.pattern]
            for record_type, place in zip(pattern.about, about.places, strict=True):
                made.counted[record_type, place, "kind", pattern.kind.value] += 1
                made.counted[record_type, place, "consensus", consensus] += 1
        return made


class _Counts:
    """What is counted of some studies and their documents, for concepts."""

    def __init__(self) -> None:
        self.citations: Counter[tuple[Concept, Stance]] = Counter()
        self._studies: Counter[tuple[Concept, frozenset[Stance], bool]] = Counter()
        """How many there are of those that are cited with the same stances, reviews apart."""
        self._people: Counter[tuple[Concept, frozenset[Stance], bool]] = Counter()

    def add(self, concept: Concept, stances: Iterable[Stance], is_review: bool, people: int | None) -> None:
        """One study, cited with these stances in claims about the concept."""
        alike = (concept, frozenset(stances), is_review)
        self._studies[alike] += 1
        self._people[alike] += people or 0

    def numbers(self) -> Numbers:
        made: Numbers = Counter()
        for (concept, stance), number in self.citations.items():
            made[(*concept, "citations", "")] += number
            made[(*concept, "citations", stance)] += number
        for alike, studies in self._studies.items():
            concept, stances, is_review = alike
            for what, value, number in _counted_once(stances, is_review):
                made[(*concept, what, value)] += number * (self._people[alike] if what == "participants" else studies)
        return made


@lru_cache(None)
def _counted_once(stances: frozenset[Stance], is_review: bool) -> list[tuple[str, str, int]]:
    """What one person's study adds, in total and by stance, apart from the number of citations."""
    totals = tally(Counted("", "document", stance, 0, "study", is_review, 1) for stance in stances)
    of_all = [(what, "", getattr(totals, what)) for what in _WHAT]
    by_stance = [(what, stance, getattr(count, what)) for stance, count in totals.by_stance for what in _WHAT]
    return [entry for entry in (*of_all, *by_stance) if entry[0] != "citations" and entry[2]]


def _evidence(numbers: Mapping[tuple[str, str], int]) -> CatalogueEvidence:
    """The evidence of a concept, study or document from what was counted for it."""

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


_SEARCH: dict[str, Any] = {
    table.__tablename__: columns_of(table.__table__)  # type: ignore[arg-type]
    for table in (SearchEntry, SearchName)
}
