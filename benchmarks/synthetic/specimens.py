"""One synthetic record of each make, published through the one door into a database of its own and cut into templates.

So the tables, the grades and the documents of synthetic records are those that `publish` writes: nothing is told twice.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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
from app.publishing.changes import Change
from app.publishing.publish import publish
from app.registry import BY_TYPE
from app.search.documents import BUILDERS, SearchDocument
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
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from benchmarks.synthetic.bulk import columns_of
from benchmarks.synthetic.draws import (
    CONCEPTS,
    CitationFacts,
    Cited,
    ClaimFacts,
    ConceptFacts,
    Drawn,
    Draws,
    Pattern,
    Profile,
    SourceFacts,
)
from benchmarks.synthetic.templates import Cutter, Keys, Row, Template

AT = "2026-01-01T00:00:00Z"
"""When synthetic records say that they were published: the same seed gives the same bytes."""
_REASONS = {Stance.disputes: StanceReason.opposite, Stance.inconclusive: StanceReason.wide_ci}
_FAVOURS = {Stance.supports: Favours.intervention, Stance.disputes: Favours.comparator}
_Facts = TypeVar("_Facts", ConceptFacts, SourceFacts, CitationFacts, ClaimFacts)
_OF_RECORDS = ("records", "record_states", "record_references")
"""Tables whose rows belong to a record by its type and id."""


@dataclass(frozen=True)
class Templates:
    """Of everything; studies and documents of each profile come together."""

    concepts: dict[str, Template]
    concept_records: dict[str, Template]
    sources: list[Template]
    studies: list[Template]
    documents: list[Template]
    claims: dict[int, Template]
    """By pattern."""
    consensus: dict[int, str]
    """By pattern."""


# --- contents -----------------------------------------------------------------------------------------------------


def _concept(record_type: str, facts: ConceptFacts) -> ConceptWrite:
    more: dict[str, Any] = {}
    if record_type == "intervention":
        more["level"] = InterventionLevel.drug
    if record_type == "outcome":
        more["better"] = Better.lower_
    noun = CONCEPTS[record_type][1]
    write: Any = BY_TYPE[record_type].write
    content: ConceptWrite = write(
        id=facts.id,
        name=facts.name,
        synonyms=(facts.synonym,),
        description=f"Synthetic {noun} for measurements; it exists nowhere else.",
        **more,
    )
    return content


def _study(profile: Profile, facts: SourceFacts, condition: str) -> StudyWrite:
    arms: tuple[Arm, ...] = ()
    if profile.people is not None:
        dose = Decimal(profile.dose)
        given = Arm(
            name="Active",
            role=ArmRole.intervention,
            participants=profile.people // 2,
            dose_text=f"{dose} mg daily",
            dose_low=dose,
            dose_high=dose,
            dose_unit="mg",
            called_low_dose=True,
        )
        arms = (given, Arm(name="Placebo", role=ArmRole.comparator, participants=profile.people // 2))
    registry_id = Identifier(scheme=IdentifierScheme.nct, value=facts.registry_id)
    return StudyWrite(
        id=facts.study,
        name=facts.name,
        design=profile.design,
        evidence_source=EvidenceSource.human_clinical,
        registry_ids=(registry_id,) if profile.is_registered else (),
        conditions=(condition,),
        population=facts.population,
        participants=profile.people,
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


def _claim(pattern: Pattern, profiles: Sequence[Profile], drawn: Drawn) -> ClaimWrite:
    named = defaultdict(list)
    for record_type, concept in zip(pattern.about, drawn.concepts, strict=True):
        named[record_type].append(concept.id)
    outcome = next(iter(named["outcome"]), None)
    is_mechanism = pattern.kind is Kind.mechanism
    facts = drawn.claim
    return ClaimWrite(
        id=facts.id,
        kind=pattern.kind,
        form=Form.hypothesis if is_mechanism else Form.general_effect,
        statement=facts.statement,
        effect=Effect.causes if pattern.kind is Kind.safety else Effect.improves,
        intervention=named["intervention"][0],
        conditions=tuple(named["condition"]),
        mechanisms=tuple(named["mechanism"]),
        side_effects=tuple(named["side_effect"]),
        outcome=outcome,
        evidence_level=EvidenceLevel.cell if is_mechanism else None,
        population="Adults" if pattern.has_population else None,
        timepoint=facts.timepoint if pattern.has_timepoint else None,
        caveat=facts.caveat if pattern.has_caveat else None,
        reviewed_on=facts.reviewed_on,
        citations=tuple(
            _citation(f"{facts.id}-c{place}", cited, profiles[cited.profile], *cites, outcome)
            for place, (cited, cites) in enumerate(zip(pattern.citations, drawn.citations, strict=True), start=1)
        ),
    )


def _citation(
    name: str, cited: Cited, profile: Profile, facts: CitationFacts, source: SourceFacts, outcome: str | None
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

    def __init__(self, draws: Draws, patterns: Iterable[int]) -> None:
        self._marks = (f"zq{number:04d}zq" for number in range(10_000))
        self._draws = draws
        self.concepts = {
            (record_type, place): ConceptFacts(0, self._mark(), self._mark(), self._mark())
            for record_type in CONCEPTS
            for place in range(2 if record_type == "condition" else 1)
        }
        self.sources = [self._source(place) for place in range(len(draws.profiles))]
        self.claims = {pattern: self._claim(draws.patterns[pattern]) for pattern in patterns}

    def _mark(self) -> str:
        return next(self._marks)

    def _source(self, place: int) -> SourceFacts:
        return SourceFacts(
            pk=0,
            study=self._mark(),
            document=self._mark(),
            name=self._mark(),
            population=self._mark(),
            title=self._mark(),
            family=self._mark(),
            year=9100 + place,
            volume=self._mark(),
            page=self._mark(),
            doi=f"10.5555/{self._mark()}",
            pmid=str(777_000_000 + place),
            registry_id=f"NCT{66_000_000 + place}",
        )

    def _claim(self, pattern: Pattern) -> Drawn:
        before: Counter[str] = Counter()
        concepts = []
        for record_type in pattern.about:
            concepts.append(self.concepts[record_type, before[record_type]])
            before[record_type] += 1
        return Drawn(
            ClaimFacts(0, self._mark(), self._mark(), self._mark(), self._mark(), reviewed_on="9999-07-15"),
            tuple(concepts),
            tuple(
                (self._citation(place), self.sources[cited.profile]) for place, cited in enumerate(pattern.citations)
            ),
        )

    def _citation(self, place: int) -> CitationFacts:
        return CitationFacts(
            pk=0,
            finding=self._mark(),
            value=5000.125 + place,
            ci_low=4000.125 + place,
            ci_high=6000.125 + place,
            p_value=(98_765 + place) / 100_000,
        )

    def changes(self) -> Iterator[Change]:
        for (record_type, _), facts in self.concepts.items():
            yield Change(record_type, _concept(record_type, facts))
        condition = self.concepts["condition", 0].id
        for profile, source in zip(self._draws.profiles, self.sources, strict=True):
            yield Change("study", _study(profile, source, condition))
            yield Change("document", _document(profile, source))
        for number, drawn in self.claims.items():
            yield Change("claim", _claim(self._draws.patterns[number], self._draws.profiles, drawn))


class _Published:
    """The rows of a small database, by what they belong to."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._world = CurrentRecords(session)
        self._own: dict[tuple[str, int], tuple[Table, Row]] = {}
        self._hanging: dict[tuple[str, int], list[tuple[Table, Row]]] = defaultdict(list)
        self._of_records: dict[Key, list[tuple[Table, Row]]] = defaultdict(list)
        self._pks: dict[tuple[str, str], int] = {}
        at = session.scalars(select(Publication.at)).one()
        for table in Base.metadata.sorted_tables:
            for row in self._rows(table, at):
                self._keep(table, row)

    def _rows(self, table: Table, at: str) -> Iterator[Row]:
        """As the database holds them, with the instant of publication made the same for all."""
        names = ", ".join(f'"{name}"' for name in columns_of(table))
        for row in self._session.connection().exec_driver_sql(f'SELECT {names} FROM "{table.name}"'):  # noqa: S608
            yield tuple(
                value.replace(at, AT)
                if isinstance(value, str)
                else value.replace(at.encode(), AT.encode())
                if isinstance(value, bytes)
                else value
                for value in row
            )

    def _keep(self, table: Table, row: Row) -> None:
        values = dict(zip(columns_of(table), row, strict=True))
        if table.name in _OF_RECORDS:
            self._of_records[Key(values["type"], values["id"])].append((table, row))
        if "pk" in values:
            self._own[table.name, values["pk"]] = (table, row)
        if "pk" in values and "id" in values:
            self._pks[table.name, values["id"]] = values["pk"]
        for key in table.foreign_keys:
            if key.ondelete == "CASCADE" and key.column.name == "pk":
                self._hanging[key.column.table.name, values[key.parent.name]].append((table, row))

    def pk(self, table: str, record_id: str) -> tuple[str, int]:
        return table, self._pks[table, record_id]

    def rows(self, *owners: tuple[str, int]) -> Iterator[tuple[Table, Row]]:
        """Rows of these keys, with all that hangs on them."""
        for owner in owners:
            yield self._own[owner]
            for table, row in self._hanging[owner]:
                if "pk" in table.columns:
                    yield from self.rows((table.name, row[columns_of(table).index("pk")]))
                else:
                    yield table, row

    def keys_under(self, table: str, owner: tuple[str, int]) -> Iterator[tuple[str, int]]:
        """Keys of the rows in a table that hang on an owner."""
        for hanging, row in self._hanging[owner]:
            if hanging.name == table:
                yield table, row[columns_of(hanging).index("pk")]

    def records(self, *keys: Key) -> Iterator[tuple[Table, Row]]:
        for key in keys:
            yield from self._of_records[key]

    def found(self, key: Key) -> SearchDocument:
        content, derived = self._world.content(key), self._world.derived(key)
        return BUILDERS[key.type](self._session, self._world, content, derived)

    def evidence(self, key: Key) -> str:
        """The marker of a catalogue record's counts: their text itself."""
        return str(self._world.derived(key).evidence.model_dump_json())

    def consensus(self, key: Key) -> str:
        return str(self._world.derived(key).evidence.consensus.value)


# --- templates ----------------------------------------------------------------------------------------------------


def make_templates(draws: Draws, patterns: Iterable[int]) -> Templates:
    """Templates of every concept and source, and of claims of these patterns."""
    specimens = _Specimens(draws, patterns)
    with tempfile.TemporaryDirectory() as directory:
        database = Database(f"sqlite:///{Path(directory) / 'specimens.db'}")
        schema.migrate(database)
        with database.write() as session:
            ensure_system_actors(session)
            publish(session, SEED, specimens.changes(), "Specimens")
            templates = _cut(specimens, _Published(session))
        database.dispose()
    return templates


def _cut(specimens: _Specimens, published: _Published) -> Templates:
    concepts = {facts: _with_keys(facts, published.pk("concepts", facts.id)) for facts in specimens.concepts.values()}
    sources = {
        facts: _with_keys(facts, published.pk("studies", facts.study), published.pk("documents", facts.document))
        for facts in specimens.sources
    }
    made = Templates({}, {}, [], [], [], {}, {})
    for record_type in CONCEPTS:
        named = specimens.concepts[record_type, 0]
        key = Key(record_type, named.id)
        cutter = Cutter((*concepts[named], published.evidence(key)))
        made.concepts[record_type] = cutter.cut(published.rows(published.pk("concepts", named.id)))
        made.concept_records[record_type] = cutter.cut(published.records(key), published.found(key))
    people_have = concepts[specimens.concepts["condition", 0]]
    for facts, marked in sources.items():
        study, document = Key("study", facts.study), Key("document", facts.document)
        cutter = Cutter((*marked, *people_have, published.evidence(study)))
        owners = published.pk("studies", facts.study), published.pk("documents", facts.document)
        made.sources.append(cutter.cut(published.rows(*owners)))
        made.studies.append(cutter.cut(published.records(study), published.found(study)))
        made.documents.append(cutter.cut(published.records(document), published.found(document)))
    for pattern, drawn in specimens.claims.items():
        key, own = Key("claim", drawn.claim.id), published.pk("claims", drawn.claim.id)
        ids = [f"{drawn.claim.id}-c{place}" for place, _ in enumerate(drawn.citations, start=1)]
        citations = []
        for name, (cites, source) in zip(ids, drawn.citations, strict=True):
            pk = published.pk("citations", name)
            # A citation has one estimate at most, so that both can have the same key.
            citations.append((_with_keys(cites, pk, *published.keys_under("estimates", pk)), sources[source]))
        whole = Drawn(_with_keys(drawn.claim, own), tuple(concepts[c] for c in drawn.concepts), tuple(citations))
        records = published.records(key, *(Key("citation", name) for name in ids))
        made.claims[pattern] = Cutter(whole.flat()).cut([*published.rows(own), *records], published.found(key))
        made.consensus[pattern] = published.consensus(key)
    return made


def _with_keys(facts: _Facts, *keys: tuple[str, int]) -> _Facts:
    marker: Any = Keys(keys)
    return facts._replace(pk=marker)
