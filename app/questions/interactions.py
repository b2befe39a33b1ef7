"""Interaction checks: one status for every pair of drugs, with the claims behind it. No pair is ever left out.

Warnings of a drug apply to its dose regimens and the other way round, those of a class to its members, whatever the
dose. A pair on which nothing is recorded is not cleared, and every empty answer says so.
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
from app.claims.models import Citation, Claim, ClaimConcept, LiteratureSearch
from app.claims.responses import ClaimSummary
from app.claims.vocabulary import HARM_KINDS, Coverage, DoseTier, Effect, Kind
from app.concepts.drug_names import DrugMatch, DrugNames
from app.concepts.schemas import ConceptRef
from app.core.errors import Fault, InvalidInput
from app.core.vocabulary import Status
from app.grading.wording import NO_ALL_CLEAR
from app.questions.coverage import sentence_on
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
from app.questions.relevance import RELEVANT_FORMS, InterventionTree, intervention_tree
from app.questions.searches import RecordedSearch, SearchMatch, names_concept, newest, recorded_searches

MAX_CLAIMS = 20
"""Claims shown of one pair, contraindications first."""

_HARMS = frozenset({Effect.causes, Effect.worsens, Effect.increases, Effect.interacts, Effect.contraindicated})
_NO_EFFECT = frozenset({Effect.not_applicable, Effect.no_difference})

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
class RequestedDrug:
    """A drug of the request with the record that it was recognized as."""

    position: int
    match: DrugMatch
    dose: DailyDose | None
    tiers: frozenset[DoseTier]
    """Bands that the dose touches; empty for drugs without dose regimens."""


@dataclass(frozen=True)
class HarmClaim:
    """A claim of harm about a drug that meets others."""

    id: str
    kind: Kind
    effect: Effect
    intervention: int
    interactants: frozenset[int]
    tiers: tuple[DoseTier, ...]

    @property
    def status(self) -> InteractionStatus | None:
        """The status that the claim gives a pair; null if it names both drugs without a finding."""
        if self.effect is Effect.contraindicated:
            return InteractionStatus.contraindicated
        is_finding = self.effect not in _NO_EFFECT if self.kind is Kind.interaction else self.effect in _HARMS
        return InteractionStatus.interaction if is_finding else None

    @property
    def rank(self) -> tuple[int, str]:
        return (list(InteractionStatus).index(self.status) if self.status else len(InteractionStatus)), self.id


@dataclass(frozen=True)
class PairEvidence:
    """Two drugs of the request, and the claims and searches that name both or relatives of them."""

    first: RequestedDrug
    second: RequestedDrug
    claims: Sequence[HarmClaim] = ()
    searches: Sequence[RecordedSearch] = ()

    def is_exact(self, entry: HarmClaim | RecordedSearch) -> bool:
        """Whether the two drugs themselves are named, not relatives of them."""
        first, second = self.first.match.pk, self.second.match.pk
        return (entry.intervention == first and second in entry.interactants) or (
            entry.intervention == second and first in entry.interactants
        )

    @property
    def findings(self) -> list[InteractionStatus]:
        return [claim.status for claim in self.claims if claim.status is not None]

    @property
    def answer(self) -> SearchMatch | None:
        """The newest search on just these two drugs that found nothing."""
        return newest(s for s in self.searches if self.is_exact(s) and set(s.concepts) == {"interactant"})


def check(session: Session, request: InteractionCheck) -> InteractionCheckRead:
    """One status for every pair. The number of statements does not depend on the number of drugs."""
    doses = _doses(request.drugs)
    names = DrugNames(session, [drug.code for drug in request.drugs if drug.code is not None])
    tree = intervention_tree(session)
    drugs = []
    for position, (drug, dose) in enumerate(zip(request.drugs, doses, strict=True)):
        match = _match(names, drug)
        tiers = dose.tiers if dose and match.pk in tree.with_regimens else ()
        drugs.append(RequestedDrug(position, match, dose, frozenset(tiers)))
    relatives = {drug.match.pk: tree.relatives(drug.match.pk) for drug in drugs if drug.match.pk is not None}
    every_relative = sorted({pk for pks in relatives.values() for pk in pks})
    claims, searches = _harm_claims(session, every_relative), _searches(session, every_relative)
    evidence = [_evidence(a, b, relatives, claims, searches) for a, b in combinations(drugs, 2)]
    claim_ids = {claim.id for pair in evidence for claim in pair.claims[:MAX_CLAIMS]}
    summaries = render.summaries(session, claim_ids) if claim_ids else {}
    pairs = [_pair(pair, tree, names.refs, summaries) for pair in evidence]
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


def _match(names: DrugNames, drug: DrugAsked) -> DrugMatch:
    if drug.id is not None:
        return names.by_id(drug.id)
    return names.by_code(drug.code) if drug.code is not None else names.by_text(drug.text or "")


# --- reading ------------------------------------------------------------------------------------------------------


def _harm_claims(session: Session, relatives: Sequence[int]) -> list[HarmClaim]:
    """Claims of harm about one of the interventions that name another, most severe first. Three statements.

    A warning counts even where no citation is informative: only findings of benefit need evidence.
    """
    claims = select(Claim.pk).where(
        Claim.status == Status.published,
        Claim.kind.in_(HARM_KINDS),
        Claim.form.in_(RELEVANT_FORMS),
        Claim.intervention_pk.in_(relatives),
    )
    interactants: dict[int, set[int]] = {}
    for claim_pk, concept_pk in session.execute(
        select(ClaimConcept.claim_pk, ClaimConcept.concept_pk).where(
            ClaimConcept.role == "interactant",
            ClaimConcept.concept_pk.in_(relatives),
            ClaimConcept.claim_pk.in_(claims),
        )
    ):
        interactants.setdefault(claim_pk, set()).add(concept_pk)
    tiers: dict[int, set[DoseTier]] = {}
    for claim_pk, low, high in session.execute(
        select(Citation.claim_pk, Citation.dose_low_pg, Citation.dose_high_pg).where(
            Citation.claim_pk.in_(interactants), Citation.dose_low_pg.is_not(None)
        )
    ):
        tiers.setdefault(claim_pk, set()).update(DailyDose(low, high).tiers)
    rows = session.execute(
        select(Claim.pk, Claim.id, Claim.kind, Claim.effect, Claim.intervention_pk).where(Claim.pk.in_(interactants))
    )
    harms = (
        HarmClaim(
            id=row.id,
            kind=Kind(row.kind),
            effect=Effect(row.effect),
            intervention=row.intervention_pk,
            interactants=frozenset(interactants[row.pk]),
            tiers=_in_order(tiers.get(row.pk, ())),
        )
        for row in rows
    )
    return sorted(harms, key=lambda claim: claim.rank)


def _in_order(tiers: Iterable[DoseTier]) -> tuple[DoseTier, ...]:
    return tuple(sorted(tiers, key=list(DoseTier).index))


def _searches(session: Session, relatives: Sequence[int]) -> list[RecordedSearch]:
    """Searches about one of the interventions that name another."""
    on = LiteratureSearch.intervention_pk.in_(relatives)
    return recorded_searches(session, on, names_concept("interactant", relatives))


def _evidence(
    a: RequestedDrug,
    b: RequestedDrug,
    relatives: Mapping[int, Sequence[int]],
    claims: Sequence[HarmClaim],
    searches: Sequence[RecordedSearch],
) -> PairEvidence:
    if a.match.pk is None or b.match.pk is None:
        return PairEvidence(a, b)
    one, other = relatives[a.match.pk], relatives[b.match.pk]

    def joins(entry: HarmClaim | RecordedSearch) -> bool:
        """Whether one drug or a relative of it meets the other or a relative of that."""
        return (entry.intervention in one and any(pk in other for pk in entry.interactants)) or (
            entry.intervention in other and any(pk in one for pk in entry.interactants)
        )

    return PairEvidence(a, b, [claim for claim in claims if joins(claim)], [s for s in searches if joins(s)])


# --- the answer ---------------------------------------------------------------------------------------------------


def _drug(drug: RequestedDrug) -> DrugChecked:
    dose, match = drug.dose, drug.match
    return DrugChecked(
        position=drug.position,
        recognized=match.pk is not None,
        intervention=match.ref,
        matched_by=match.matched_by,
        relation=match.relation,
        dose=DoseGiven(low_pg_per_day=dose.low, high_pg_per_day=dose.high, tiers=_in_order(drug.tiers))
        if dose
        else None,
        did_you_mean=match.near,
    )


def _pair(
    pair: PairEvidence,
    tree: InterventionTree,
    refs: Mapping[int, ConceptRef],
    summaries: Mapping[str, ClaimSummary],
) -> PairChecked:
    first, second = pair.first.match, pair.second.match
    is_same, crosses = False, False
    if first.pk is None or second.pk is None:
        status = InteractionStatus.unrecognized
        which = "Neither drug was" if first.pk is None and second.pk is None else "One of the two drugs was not"
        sentence = f"{which} recognized, so nothing was checked. {NO_ALL_CLEAR}"
    else:
        status = _status(pair)
        is_same = tree.with_drug(first.pk)[-1] == tree.with_drug(second.pk)[-1]
        crosses = bool(pair.findings) and bool(tree.with_regimens & {first.pk, second.pk}) and _crosses_tiers(pair)
        sentence = _sentence(status, pair, sorted((refs[first.pk].name, refs[second.pk].name)))
        sentence += " Both are the same drug." if is_same else ""
    return PairChecked(
        positions=(pair.first.position, pair.second.position),
        drugs=(first.ref, second.ref),
        status=status,
        sentence=sentence,
        same_drug=is_same,
        crosses_dose_tiers=crosses,
        dose_note=DOSE_NOTE if crosses else None,
        claims=tuple(
            PairClaim(
                claim=summaries[claim.id],
                kind=claim.kind,
                effect=claim.effect,
                on=refs[claim.intervention],
                inherited=not pair.is_exact(claim),
                dose_tiers=claim.tiers,
            )
            for claim in pair.claims[:MAX_CLAIMS]
        ),
        claims_truncated=len(pair.claims) > MAX_CLAIMS,
        search=pair.answer if status is InteractionStatus.searched_none_found else None,
        searches=tuple(search.match for search in pair.searches),
    )


def _status(pair: PairEvidence) -> InteractionStatus:
    if pair.findings:
        return min(pair.findings, key=list(InteractionStatus).index)
    return InteractionStatus.searched_none_found if pair.answer else InteractionStatus.not_searched


def _crosses_tiers(pair: PairEvidence) -> bool:
    """Whether a claim is about a relative, or about doses that were not read or do not include the given ones."""
    drugs, tiers = (pair.first.match.pk, pair.second.match.pk), pair.first.tiers | pair.second.tiers
    return any(
        not claim.tiers or claim.intervention not in drugs or not tiers <= set(claim.tiers) for claim in pair.claims
    )


def _sentence(status: InteractionStatus, pair: PairEvidence, names: Sequence[str]) -> str:
    about = " and ".join(names)
    if status is InteractionStatus.contraindicated:
        return f"{about}: a contraindication is recorded. Do not start, stop or combine them without your prescriber."
    if status is InteractionStatus.interaction:
        return f"{about}: an interaction is recorded. Do not start, stop or combine them without your prescriber."
    if pair.claims and pair.answer is None:
        return f"{about}: claims name both, none of them as an interaction. {NO_ALL_CLEAR}"
    return sentence_on(Coverage(status.value), names, pair.answer)
