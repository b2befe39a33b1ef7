"""One synthetic record of each pattern, published into a database of its own and cut into templates.

So the tables, grades and documents of synthetic records are those that `publish` writes; nothing is computed twice.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.accounts.models import SEED
from app.accounts.service import ensure_system_actors
from app.publishing.changes import Change
from app.publishing.publish import publish
from app.registry import BY_TYPE
from app.search.documents import BUILDERS, SearchDocument
from app.storage import schema
from app.storage.database import Base, Database
from app.storage.history import Publication
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from benchmarks.synthetic import contents
from benchmarks.synthetic.bulk import Row, columns_of
from benchmarks.synthetic.facts import (
    CONCEPTS,
    CitationFacts,
    ClaimFacts,
    CompleteClaim,
    ConceptFacts,
    FactGenerator,
    Pattern,
    SourceFacts,
)
from benchmarks.synthetic.templates import Keys, Template, TemplateCutter

PUBLISHED_AT = "2026-01-01T00:00:00Z"
"""When synthetic records say that they were published: the same seed gives the same bytes."""
_Facts = TypeVar("_Facts", ConceptFacts, SourceFacts, CitationFacts, ClaimFacts)
_RECORD_TABLES = ("records", "record_states", "record_references")
"""Tables whose rows belong to a record by its type and id."""
_Owner = tuple[str, int]
"""Table and internal key of a row that others refer to."""


@dataclass(frozen=True)
class Templates:
    """Templates of everything. Those of studies and documents are in the order of the profiles."""

    concepts: dict[str, Template] = field(default_factory=dict)
    concept_records: dict[str, Template] = field(default_factory=dict)
    sources: list[Template] = field(default_factory=list)
    studies: list[Template] = field(default_factory=list)
    documents: list[Template] = field(default_factory=list)
    claims: dict[int, Template] = field(default_factory=dict)
    """By pattern."""
    verdict: dict[int, str] = field(default_factory=dict)
    """By pattern."""


# --- specimens ----------------------------------------------------------------------------------------------------


class _Specimens:
    """Contents whose facts are markers; their keys are not known yet."""

    def __init__(self, generator: FactGenerator, patterns: Iterable[int]) -> None:
        self._marks = (f"zq{number:04d}zq" for number in range(10_000))
        self._generator = generator
        self.concepts = {
            (record_type, number): ConceptFacts(0, self._mark(), self._mark(), self._mark())
            for record_type in CONCEPTS
            for number in range(2 if record_type == "condition" else 1)
        }
        self.sources = [self._source(number) for number in range(len(generator.profiles))]
        self.claims = {pattern: self._claim(generator.patterns[pattern]) for pattern in patterns}

    def _mark(self) -> str:
        return next(self._marks)

    def _source(self, number: int) -> SourceFacts:
        return SourceFacts(
            pk=0,
            study=self._mark(),
            document=self._mark(),
            name=self._mark(),
            population=self._mark(),
            title=self._mark(),
            family=self._mark(),
            year=9100 + number,
            volume=self._mark(),
            page=self._mark(),
            doi=f"10.5555/{self._mark()}",
            pmid=str(777_000_000 + number),
            registry_id=f"NCT{66_000_000 + number}",
        )

    def _claim(self, pattern: Pattern) -> CompleteClaim:
        seen: Counter[str] = Counter()
        concepts = []
        for record_type in pattern.concept_types:
            concepts.append(self.concepts[record_type, seen[record_type]])
            seen[record_type] += 1
        return CompleteClaim(
            ClaimFacts(0, self._mark(), self._mark(), self._mark(), self._mark(), reviewed_on="9999-07-15"),
            tuple(concepts),
            tuple((self._citation(n), self.sources[cited.profile]) for n, cited in enumerate(pattern.citations)),
        )

    def _citation(self, number: int) -> CitationFacts:
        return CitationFacts(
            pk=0,
            finding=self._mark(),
            value=5000.125 + number,
            ci_low=4000.125 + number,
            ci_high=6000.125 + number,
            p_value=(98_765 + number) / 100_000,
        )

    def changes(self) -> Iterator[Change]:
        for (record_type, _), facts in self.concepts.items():
            yield _change(record_type, contents.concept(record_type, facts))
        condition = self.concepts["condition", 0].id
        for profile, source in zip(self._generator.profiles, self.sources, strict=True):
            yield _change("study", contents.study(profile, source, condition))
            yield _change("document", contents.document(profile, source))
        for number, complete in self.claims.items():
            pattern = self._generator.patterns[number]
            yield _change("claim", contents.claim(pattern, self._generator.profiles, complete))


def _change(record_type: str, content: contents.Content) -> Change:
    return Change(record_type, BY_TYPE[record_type].write.model_validate(content))


class _PublishedRows:
    """The rows of a small database, by the row or record to which they belong."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._records = CurrentRecords(session)
        self._row: dict[_Owner, tuple[Table, Row]] = {}
        self._dependents: dict[_Owner, list[tuple[Table, Row]]] = defaultdict(list)
        """Rows that are deleted with their owner."""
        self._of_records: dict[Key, list[tuple[Table, Row]]] = defaultdict(list)
        self._pks: dict[tuple[str, str], int] = {}
        published_at = session.scalars(select(Publication.at)).one()
        for table in Base.metadata.sorted_tables:
            names = ", ".join(f'"{name}"' for name in columns_of(table))
            for row in session.connection().exec_driver_sql(f'SELECT {names} FROM "{table.name}"'):  # noqa: S608
                self._add(table, tuple(_redate(value, published_at) for value in row))

    def _add(self, table: Table, row: Row) -> None:
        values = dict(zip(columns_of(table), row, strict=True))
        if table.name in _RECORD_TABLES:
            self._of_records[Key(values["type"], values["id"])].append((table, row))
        if "pk" in values:
            self._row[table.name, values["pk"]] = (table, row)
        if "pk" in values and "id" in values:
            self._pks[table.name, values["id"]] = values["pk"]
        for key in table.foreign_keys:
            if key.ondelete == "CASCADE" and key.column.name == "pk":
                self._dependents[key.column.table.name, values[key.parent.name]].append((table, row))

    def owner(self, table: str, record_id: str) -> _Owner:
        return table, self._pks[table, record_id]

    def rows(self, *owners: _Owner) -> Iterator[tuple[Table, Row]]:
        """Rows with these keys, and all their dependents."""
        for owner in owners:
            yield self._row[owner]
            for table, row in self._dependents[owner]:
                if "pk" in table.columns:
                    yield from self.rows((table.name, row[columns_of(table).index("pk")]))
                else:
                    yield table, row

    def dependents(self, owner: _Owner, table_name: str) -> Iterator[_Owner]:
        """The dependents of an owner in one table."""
        for table, row in self._dependents[owner]:
            if table.name == table_name:
                yield table_name, row[columns_of(table).index("pk")]

    def of_records(self, *keys: Key) -> Iterator[tuple[Table, Row]]:
        for key in keys:
            yield from self._of_records[key]

    def search_document(self, key: Key) -> SearchDocument:
        content, derived = self._records.content(key), self._records.derived(key)
        document = BUILDERS[key.type](self._session, self._records, content, derived)
        if document is None:
            raise ValueError(f"{key} is not found by the search")
        return document

    def evidence(self, key: Key) -> str:
        """The marker of a catalogue record's counts: their JSON."""
        return str(self._records.derived(key).evidence.model_dump_json())

    def verdict(self, key: Key) -> str:
        return str(self._records.derived(key).evidence.verdict.code.value)


def _redate(value: Any, published_at: str) -> Any:
    """The value with the instant of publication replaced by the one of all synthetic records."""
    if isinstance(value, str):
        return value.replace(published_at, PUBLISHED_AT)
    return value.replace(published_at.encode(), PUBLISHED_AT.encode()) if isinstance(value, bytes) else value


# --- templates ----------------------------------------------------------------------------------------------------


def make_templates(generator: FactGenerator, patterns: Iterable[int]) -> Templates:
    """Templates of every concept and source, and of claims of these patterns."""
    specimens = _Specimens(generator, patterns)
    with tempfile.TemporaryDirectory() as directory:
        database = Database(f"sqlite:///{Path(directory) / 'specimens.db'}")
        schema.migrate(database)
        with database.write() as session:
            ensure_system_actors(session)
            publish(session, SEED, specimens.changes(), "Specimens")
            templates = _cut(specimens, _PublishedRows(session))
        database.dispose()
    return templates


def _cut(specimens: _Specimens, published: _PublishedRows) -> Templates:
    concepts = {
        facts: _with_keys(facts, published.owner("concepts", facts.id)) for facts in specimens.concepts.values()
    }
    sources = {
        facts: _with_keys(facts, published.owner("studies", facts.study), published.owner("documents", facts.document))
        for facts in specimens.sources
    }
    templates = Templates()
    for record_type in CONCEPTS:
        concept = specimens.concepts[record_type, 0]
        key = Key(record_type, concept.id)
        cutter = TemplateCutter((*concepts[concept], published.evidence(key)))
        templates.concepts[record_type] = cutter.cut(published.rows(published.owner("concepts", concept.id)))
        templates.concept_records[record_type] = cutter.cut(published.of_records(key), published.search_document(key))
    condition = concepts[specimens.concepts["condition", 0]]
    for facts, markers in sources.items():
        study, document = Key("study", facts.study), Key("document", facts.document)
        cutter = TemplateCutter((*markers, *condition, published.evidence(study)))
        owners = published.owner("studies", facts.study), published.owner("documents", facts.document)
        templates.sources.append(cutter.cut(published.rows(*owners)))
        for key, made in ((study, templates.studies), (document, templates.documents)):
            made.append(cutter.cut(published.of_records(key), published.search_document(key)))
    for pattern, complete in specimens.claims.items():
        key, owner = Key("claim", complete.claim.id), published.owner("claims", complete.claim.id)
        citation_keys = [Key("citation", record_id) for record_id in contents.citation_ids(complete)]
        citations = []
        for citation_key, (citation, source) in zip(citation_keys, complete.citations, strict=True):
            own = published.owner("citations", citation_key.id)
            # A citation has one estimate at most, so that both can have the same key.
            citations.append((_with_keys(citation, own, *published.dependents(own, "estimates")), sources[source]))
        markers_of_claim = CompleteClaim(
            _with_keys(complete.claim, owner), tuple(concepts[c] for c in complete.concepts), tuple(citations)
        )
        rows = [*published.rows(owner), *published.of_records(key, *citation_keys)]
        cutter = TemplateCutter(markers_of_claim.flat())
        templates.claims[pattern] = cutter.cut(rows, published.search_document(key))
        templates.verdict[pattern] = published.verdict(key)
    return templates


def _with_keys(facts: _Facts, *owners: _Owner) -> _Facts:
    marker: Any = Keys(owners)
    return facts._replace(pk=marker)
