"""One synthetic record of each pattern, published into a database of its own and cut into templates.

So the tables, grades and documents of synthetic records are those that `publish` writes; nothing is computed twice.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from app.accounts.models import SEED
from app.accounts.service import ensure_system_actors
from app.claims.schemas import Attached, Checked, CitationWrite, ClaimWrite, Estimate
from app.claims.vocabulary import (
    AttachedBy,
    Basis,
    CitationRole,
    Comparison,
    Directness,
    Effect,
    EvidenceLevel,
    Favours,
    Form,
    Kind,
    Measure,
    POperator,
    Stance,
    StanceReason,
    Verification,
)
from app.concepts.schemas import ConceptWrite
from app.concepts.vocabulary import Better, InterventionLevel
from app.publishing.publish import Change, publish
from app.publishing.records import CurrentRecords
from app.registry import BY_TYPE
from app.search.documents import FOUND_BY, Found
from app.sources.schemas import Arm, Author, DocumentStudy, DocumentWrite, Identifier, StandingEntry, StudyWrite
from app.sources.vocabulary import (
    ArmRole,
    Blinding,
    Design,
    DocumentKind,
    EvidenceSource,
    IdentifierScheme,
    Standing,
    StudyRole,
)
from app.storage import schema
from app.storage.database import Base, Database
from app.storage.history import Publication
from app.storage.resource import Key
from benchmarks.synthetic.bulk import Row, columns_of
from benchmarks.synthetic.facts import (
    CONCEPTS,
    CitationFacts,
    ClaimFacts,
    CompleteClaim,
    ConceptFacts,
    FactGenerator,
    Pattern,
    PatternCitation,
    Profile,
    SourceFacts,
)
from benchmarks.synthetic.templates import Keys, Template, TemplateCutter

PUBLISHED_AT = "2026-01-01T00:00:00Z"
"""When synthetic records say that they were published: the same seed gives the same bytes."""
_REASONS = {Stance.disputes: StanceReason.opposite, Stance.inconclusive: StanceReason.wide_ci}
_FAVOURS = {Stance.supports: Favours.intervention, Stance.disputes: Favours.comparator}
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
    consensus: dict[int, str] = field(default_factory=dict)
    """By pattern."""


# --- contents -----------------------------------------------------------------------------------------------------


def _concept(record_type: str, facts: ConceptFacts) -> ConceptWrite:
    extra: dict[str, Any] = {}
    if record_type == "intervention":
        extra["level"] = InterventionLevel.drug
    if record_type == "outcome":
        extra["better"] = Better.lower_
    noun = CONCEPTS[record_type][1]
    write: Any = BY_TYPE[record_type].write
    content: ConceptWrite = write(
        id=facts.id,
        name=facts.name,
        synonyms=(facts.synonym,),
        description=f"Synthetic {noun} for measurements; it exists nowhere else.",
        **extra,
    )
    return content


def _study(profile: Profile, facts: SourceFacts, condition: str) -> StudyWrite:
    arms: tuple[Arm, ...] = ()
    if profile.participants is not None:
        dose = Decimal(profile.dose)
        active = Arm(
            name="Active",
            role=ArmRole.intervention,
            participants=profile.participants // 2,
            dose_text=f"{dose} mg daily",
            dose_low=dose,
            dose_high=dose,
            dose_unit="mg",
            called_low_dose=True,
        )
        arms = (active, Arm(name="Placebo", role=ArmRole.comparator, participants=profile.participants // 2))
    registry_id = Identifier(scheme=IdentifierScheme.nct, value=facts.registry_id)
    return StudyWrite(
        id=facts.study,
        name=facts.name,
        design=profile.design,
        evidence_source=EvidenceSource.human_clinical,
        registry_ids=(registry_id,) if profile.is_registered else (),
        conditions=(condition,),
        population=facts.population,
        participants=profile.participants,
        arms=arms,
        blinding=Blinding.double_blind if profile.design is Design.randomized_parallel_trial else None,
    )


def _document(profile: Profile, facts: SourceFacts) -> DocumentWrite:
    role = StudyRole.review if profile.design.is_review else StudyRole.primary
    return DocumentWrite(
        id=facts.document,
        kind=DocumentKind.article_journal,
        label=f"{facts.family} {facts.year}",
        title=facts.title,
        authors=(Author(family=facts.family, given="A B"), Author(family="Synthetic", given="C")),
        container_title="Journal of Synthetic Results",
        issued=f"{facts.year}-{profile.month:02d}",
        volume=facts.volume,
        page=facts.page,
        identifiers=(
            Identifier(scheme=IdentifierScheme.doi, value=facts.doi),
            Identifier(scheme=IdentifierScheme.pmid, value=facts.pmid),
        ),
        standing=(StandingEntry(standing=Standing.current, on="2025-06-01", source="synthetic"),),
        studies=(DocumentStudy(study=facts.study, role=role),),
    )


def _claim(pattern: Pattern, profiles: Sequence[Profile], complete: CompleteClaim) -> ClaimWrite:
    ids = defaultdict(list)
    for record_type, concept in zip(pattern.concept_types, complete.concepts, strict=True):
        ids[record_type].append(concept.id)
    outcome = next(iter(ids["outcome"]), None)
    is_mechanism = pattern.kind is Kind.mechanism
    facts = complete.claim
    return ClaimWrite(
        id=facts.id,
        kind=pattern.kind,
        form=Form.hypothesis if is_mechanism else Form.general_effect,
        statement=facts.statement,
        effect=Effect.causes if pattern.kind is Kind.safety else Effect.improves,
        intervention=ids["intervention"][0],
        conditions=tuple(ids["condition"]),
        mechanisms=tuple(ids["mechanism"]),
        side_effects=tuple(ids["side_effect"]),
        outcome=outcome,
        evidence_level=EvidenceLevel.cell if is_mechanism else None,
        population="Adults" if pattern.has_population else None,
        timepoint=facts.timepoint if pattern.has_timepoint else None,
        caveat=facts.caveat if pattern.has_caveat else None,
        reviewed_on=facts.reviewed_on,
        citations=tuple(
            _citation(f"{facts.id}-c{place}", cited, profiles[cited.profile], *facts_and_source, outcome)
            for place, (cited, facts_and_source) in enumerate(
                zip(pattern.citations, complete.citations, strict=True), start=1
            )
        ),
    )


def _citation(
    name: str, cited: PatternCitation, profile: Profile, facts: CitationFacts, source: SourceFacts, outcome: str | None
) -> CitationWrite:
    stance, is_review = cited.stance, profile.design.is_review
    assessed = stance is not Stance.not_assessed
    checked = Checked(result=Verification.verified, basis=Basis.abstract, checked_on="2025-06-01")
    return CitationWrite(
        id=name,
        document=source.document,
        study=source.study,
        stance=stance,
        stance_reason=_REASONS.get(stance),
        directness=Directness.direct,
        role=CitationRole.review_synthesis if is_review else CitationRole.primary_result,
        finding=facts.finding if assessed else None,
        estimates=(_estimate(stance, facts, outcome),) if stance in _FAVOURS and not is_review else (),
        attached_by=Attached(by=AttachedBy.curator),
        verification=checked if assessed else Checked(result=Verification.unverified),
    )


def _estimate(stance: Stance, facts: CitationFacts, outcome: str | None) -> Estimate:
    value, low, high, p = (Decimal(str(number)) for number in facts[2:])
    return Estimate(
        primary=True,
        outcome=outcome,
        measure=Measure.mean_difference,
        value=value,
        scale="0-10",
        ci_low=low,
        ci_high=high,
        ci_level=Decimal(95),
        p_operator=POperator.eq,
        p_value=p,
        favours=_FAVOURS[stance],
        comparison=Comparison.between_groups,
    )


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
            yield Change(record_type, _concept(record_type, facts))
        condition = self.concepts["condition", 0].id
        for profile, source in zip(self._generator.profiles, self.sources, strict=True):
            yield Change("study", _study(profile, source, condition))
            yield Change("document", _document(profile, source))
        for number, complete in self.claims.items():
            yield Change("claim", _claim(self._generator.patterns[number], self._generator.profiles, complete))


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

    def search_document(self, key: Key) -> Found:
        content, derived = self._records.content(key), self._records.derived(key)
        return FOUND_BY[key.type](self._session, self._records, content, derived)

    def evidence(self, key: Key) -> str:
        """The marker of a catalogue record's counts: their JSON."""
        return str(self._records.derived(key).evidence.model_dump_json())

    def consensus(self, key: Key) -> str:
        return str(self._records.derived(key).evidence.consensus.value)


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
        citation_keys, citations = [], []
        for number, (citation, source) in enumerate(complete.citations, start=1):
            citation_keys.append(Key("citation", f"{complete.claim.id}-c{number}"))
            own = published.owner("citations", citation_keys[-1].id)
            # A citation has one estimate at most, so that both can have the same key.
            citations.append((_with_keys(citation, own, *published.dependents(own, "estimates")), sources[source]))
        markers_of_claim = CompleteClaim(
            _with_keys(complete.claim, owner), tuple(concepts[c] for c in complete.concepts), tuple(citations)
        )
        rows = [*published.rows(owner), *published.of_records(key, *citation_keys)]
        cutter = TemplateCutter(markers_of_claim.flat())
        templates.claims[pattern] = cutter.cut(rows, published.search_document(key))
        templates.consensus[pattern] = published.consensus(key)
    return templates


def _with_keys(facts: _Facts, *owners: _Owner) -> _Facts:
    marker: Any = Keys(owners)
    return facts._replace(pk=marker)
