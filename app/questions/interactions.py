"""Interaction checks: one status for every pair of drugs, with the claims behind it. No pair is ever left out.

Warnings of a drug hold for its dose regimens and the other way round, those of a class for its members, whatever the
dose. That nothing is recorded on a pair clears nothing, and every empty answer says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claims import dose_query
from app.claims import rendering as render
from app.claims.disclaimer import DISCLAIMER
from app.claims.doses import DailyDose
from app.claims.models import Citation, Claim, ClaimConcept, Search, SearchConcept, SearchSource
from app.claims.vocabulary import HARM_KINDS, Coverage, DoseTier, Effect, Kind
from app.concepts.drug_names import DrugNames, Found
from app.concepts.schemas import ConceptRef
from app.core.errors import Fault, InvalidInput
from app.core.vocabulary import Status
from app.grading.wording import NO_ALL_CLEAR
from app.questions.coverage import SearchMatch, search_match, sentence_on
from app.questions.interaction_responses import (
    DoseGiven,
    DrugAsked,
    DrugChecked,
    InteractionCheck,
    InteractionCheckRead,
    InteractionStatus,
    PairChecked,
    PairClaim,
)
from app.questions.relevance import BEARING_FORMS, Kinship, kinship
from app.storage.resource import RecordReader

MAX_CLAIMS = 20
"""Claims shown of one pair, contraindications first."""

_WARNINGS = frozenset({Effect.causes, Effect.worsens, Effect.increases, Effect.interacts, Effect.contraindicated})
_TELLS_NOTHING = frozenset({Effect.not_applicable, Effect.no_difference})

NOTICE = (
    "Only what is recorded here was checked. A pair without a recorded interaction has not been cleared: "
    "that is not evidence of no effect or of safety."
)
DOSE_NOTE = (
    "The claims were recorded at other doses, or at doses that were not read. Harm is taken to hold at every dose: "
    "a lower dose does not lift a warning."
)


# --- the check ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A drug of the request with what it was recognized as."""

    position: int
    found: Found
    dose: DailyDose | None
    dosed: bool

    @property
    def tiers(self) -> frozenset[DoseTier]:
        return frozenset(self.dose.tiers) if self.dose and self.dosed else frozenset()


@dataclass(frozen=True)
class Warned:
    """A claim that may stand behind a pair."""

    pk: int
    id: str
    kind: Kind
    effect: Effect
    on: int
    meets: frozenset[int]
    tiers: tuple[DoseTier, ...]

    @property
    def status(self) -> InteractionStatus | None:
        if self.effect is Effect.contraindicated:
            return InteractionStatus.contraindicated
        told = self.effect not in _TELLS_NOTHING if self.kind is Kind.interaction else self.effect in _WARNINGS
        return InteractionStatus.interaction if told else None

    @property
    def rank(self) -> tuple[int, str]:
        return (list(InteractionStatus).index(self.status) if self.status else len(InteractionStatus)), self.id


@dataclass(frozen=True)
class Looked:
    """A recorded question on two drugs."""

    match: SearchMatch
    on: int
    meets: frozenset[int]
    narrower: bool
    """Whether it also names a condition, mechanism or side effect."""


@dataclass(frozen=True)
class Recorded:
    """All that is recorded on the drugs of a request and their relatives."""

    records: RecordReader
    kin: Kinship
    refs: Mapping[int, ConceptRef]
    warned: Sequence[Warned]
    looked: Sequence[Looked]


def check(session: Session, records: RecordReader, asked: InteractionCheck) -> InteractionCheckRead:
    """One status for every pair. The number of statements does not grow with the drugs, but for the claims shown."""
    doses = _doses(asked.drugs)
    names = DrugNames(session, [drug.code for drug in asked.drugs if drug.code is not None])
    kin = kinship(session)
    drugs = [
        Asked(position, found := _recognized(names, drug), doses[position], found.pk in kin.dosed)
        for position, drug in enumerate(asked.drugs)
    ]
    relatives = sorted({pk for drug in drugs if drug.found.pk is not None for pk in kin.line(drug.found.pk)})
    recorded = Recorded(records, kin, names.refs, _warnings(session, relatives), _questions(session, relatives))
    pairs = [_pair(recorded, a, b) for a, b in combinations(drugs, 2)]
    severity = list(InteractionStatus)
    return InteractionCheckRead(
        drugs=tuple(_drug(drug) for drug in drugs),
        pairs=tuple(sorted(pairs, key=lambda pair: (severity.index(pair.status), pair.positions))),
        notice=NOTICE,
        disclaimer=DISCLAIMER,
    )


def _doses(drugs: Sequence[DrugAsked]) -> list[DailyDose | None]:
    """Every dose that was given; InvalidInput with all that cannot be read."""
    doses: list[DailyDose | None] = []
    faults: list[Fault] = []
    for position, drug in enumerate(drugs):
        try:
            field = f"drugs.{position}.dose"
            doses.append(None if drug.dose is None else dose_query.parse(drug.dose, where="body", field=field))
        except InvalidInput as refused:
            faults.extend(refused.errors)
    if faults:
        raise InvalidInput("A dose cannot be read.", errors=faults)
    return doses


def _recognized(names: DrugNames, drug: DrugAsked) -> Found:
    if drug.id is not None:
        return names.by_id(drug.id)
    return names.by_code(drug.code) if drug.code is not None else names.by_text(drug.text or "")


def _warnings(session: Session, relatives: Sequence[int]) -> list[Warned]:
    """Claims of harm that are about one of the drugs or their relatives and meet another. Three statements.

    A warning counts even where its citations tell nothing: only findings of benefit have to be earned.
    """
    claims = select(Claim.pk).where(
        Claim.status == Status.published,
        Claim.kind.in_(HARM_KINDS),
        Claim.form.in_(BEARING_FORMS),
        Claim.intervention_pk.in_(relatives),
    )
    meets: dict[int, set[int]] = {}
    for claim, concept in session.execute(
        select(ClaimConcept.claim_pk, ClaimConcept.concept_pk).where(
            ClaimConcept.role == "interactant",
            ClaimConcept.concept_pk.in_(relatives),
            ClaimConcept.claim_pk.in_(claims),
        )
    ):
        meets.setdefault(claim, set()).add(concept)
    tiers: dict[int, set[DoseTier]] = {}
    for claim, low, high in session.execute(
        select(Citation.claim_pk, Citation.dose_low_pg, Citation.dose_high_pg).where(
            Citation.claim_pk.in_(meets), Citation.dose_low_pg.is_not(None)
        )
    ):
        tiers.setdefault(claim, set()).update(DailyDose(low, high).tiers)
    rows = session.execute(
        select(Claim.pk, Claim.id, Claim.kind, Claim.effect, Claim.intervention_pk).where(Claim.pk.in_(meets))
    )
    warned = [
        Warned(pk, record_id, Kind(kind), Effect(effect), on or 0, frozenset(meets[pk]), _in_order(tiers.get(pk, ())))
        for pk, record_id, kind, effect, on in rows
    ]
    return sorted(warned, key=lambda claim: claim.rank)


def _in_order(tiers: Iterable[DoseTier]) -> tuple[DoseTier, ...]:
    return tuple(sorted(tiers, key=list(DoseTier).index))


def _questions(session: Session, relatives: Sequence[int]) -> list[Looked]:
    """Recorded questions that are about one of the drugs or their relatives and meet another. Three statements."""
    meets = select(SearchConcept.search_pk).where(
        SearchConcept.role == "interactant", SearchConcept.concept_pk.in_(relatives)
    )
    rows = session.scalars(
        select(Search)
        .where(Search.status == Status.published, Search.intervention_pk.in_(relatives), Search.pk.in_(meets))
        .order_by(Search.id)
    ).all()
    pks = [row.pk for row in rows]
    named: dict[int, set[int]] = {pk: set() for pk in pks}
    narrower: set[int] = set()
    for pk, role, concept in session.execute(
        select(SearchConcept.search_pk, SearchConcept.role, SearchConcept.concept_pk).where(
            SearchConcept.search_pk.in_(pks)
        )
    ):
        if role == "interactant":
            named[pk].add(concept)
        else:
            narrower.add(pk)
    sources: dict[int, list[str]] = {pk: [] for pk in pks}
    for pk, name in session.execute(
        select(SearchSource.search_pk, SearchSource.name)
        .where(SearchSource.search_pk.in_(pks))
        .order_by(SearchSource.search_pk, SearchSource.position)
    ):
        sources[pk].append(name)
    return [
        Looked(
            search_match(row, sources[row.pk]), row.intervention_pk or 0, frozenset(named[row.pk]), row.pk in narrower
        )
        for row in rows
    ]


# --- showing ------------------------------------------------------------------------------------------------------


def _drug(drug: Asked) -> DrugChecked:
    dose = drug.dose
    return DrugChecked(
        position=drug.position,
        recognized=drug.found.pk is not None,
        intervention=drug.found.ref,
        matched_by=drug.found.matched_by,
        relation=drug.found.relation,
        dose=DoseGiven(low_pg_per_day=dose.low, high_pg_per_day=dose.high, tiers=_in_order(drug.tiers))
        if dose
        else None,
        did_you_mean=drug.found.near,
    )


def _pair(recorded: Recorded, a: Asked, b: Asked) -> PairChecked:
    first, second = a.found.pk, b.found.pk
    if first is None or second is None:
        return _unrecognized(a, b)
    kin, refs = recorded.kin, recorded.refs
    one, other = kin.line(first), kin.line(second)

    def joins(entry: Warned | Looked) -> bool:
        return (entry.on in one and not entry.meets.isdisjoint(other)) or (
            entry.on in other and not entry.meets.isdisjoint(one)
        )

    def just_these(entry: Warned | Looked) -> bool:
        return (entry.on == first and second in entry.meets) or (entry.on == second and first in entry.meets)

    claims = [claim for claim in recorded.warned if joins(claim)]
    questions = [question for question in recorded.looked if joins(question)]
    searched = [
        question.match
        for question in questions
        if question.match.coverage is Coverage.searched_none_found and just_these(question) and not question.narrower
    ]
    search = max(searched, key=lambda match: (match.searched_on or "", match.id), default=None)
    told = [claim.status for claim in claims if claim.status is not None]
    status = _status(told, search)
    same_drug = kin.drug(first)[-1] == kin.drug(second)[-1]
    given = a.tiers | b.tiers
    crosses = (
        bool(told)
        and bool(kin.dosed & {first, second})
        and any(not claim.tiers or claim.on not in (first, second) or not given <= set(claim.tiers) for claim in claims)
    )
    return PairChecked(
        positions=(a.position, b.position),
        drugs=(a.found.ref, b.found.ref),
        status=status,
        sentence=_sentence(status, sorted((refs[first].name, refs[second].name)), search, bool(claims))
        + (" Both are the same drug." if same_drug else ""),
        same_drug=same_drug,
        crosses_dose_tiers=crosses,
        dose_note=DOSE_NOTE if crosses else None,
        claims=tuple(
            PairClaim(
                claim=render.summary(recorded.records, claim.id),
                kind=claim.kind,
                effect=claim.effect,
                on=refs[claim.on],
                inherited=not just_these(claim),
                dose_tiers=claim.tiers,
            )
            for claim in claims[:MAX_CLAIMS]
        ),
        claims_truncated=len(claims) > MAX_CLAIMS,
        search=search if status is InteractionStatus.searched_none_found else None,
        searches=tuple(question.match for question in questions),
    )


def _status(told: Sequence[InteractionStatus], search: SearchMatch | None) -> InteractionStatus:
    if told:
        return min(told, key=list(InteractionStatus).index)
    return InteractionStatus.searched_none_found if search else InteractionStatus.not_searched


def _sentence(status: InteractionStatus, names: Sequence[str], search: SearchMatch | None, has_claims: bool) -> str:
    about = " and ".join(names)
    if status is InteractionStatus.contraindicated:
        return f"{about}: a contraindication is recorded. Do not start, stop or combine them without your prescriber."
    if status is InteractionStatus.interaction:
        return f"{about}: an interaction is recorded. Do not start, stop or combine them without your prescriber."
    if has_claims and search is None:
        return f"{about}: claims name both, none of them as an interaction. {NO_ALL_CLEAR}"
    return sentence_on(Coverage(status.value), names, search)


def _unrecognized(a: Asked, b: Asked) -> PairChecked:
    unknown = "Neither drug was" if a.found.pk is None and b.found.pk is None else "One of the two drugs was not"
    return PairChecked(
        positions=(a.position, b.position),
        drugs=(a.found.ref, b.found.ref),
        status=InteractionStatus.unrecognized,
        sentence=f"{unknown} recognized, so nothing was checked. {NO_ALL_CLEAR}",
        same_drug=False,
        crosses_dose_tiers=False,
        dose_note=None,
        claims=(),
        claims_truncated=False,
        search=None,
        searches=(),
    )
