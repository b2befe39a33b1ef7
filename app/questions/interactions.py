"""Interaction checks: one status for every pair of drugs, with the claims behind it. No pair is ever left out.

Warnings of a drug apply to its dose regimens and the other way round, those of a class to its members, whatever the
dose; interaction rules apply to their sets of drugs. A product of several drugs meets others with each of them. A pair
on which nothing is recorded is not cleared, and every empty answer says so.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.claims import dose_query
from app.claims import rendering as render
from app.claims.dose_responses import dose_fields
from app.claims.doses import DailyDose, bands_of, from_stored
from app.claims.interaction_rules import interaction_rules
from app.claims.models import Citation, Claim, ClaimConcept, LiteratureSearch
from app.claims.responses import ClaimSummary
from app.claims.schemas import InteractionRuleWrite
from app.claims.vocabulary import (
    HARM_KINDS,
    Coverage,
    Effect,
    InteractionSeverity,
    InteractionSituation,
    Kind,
)
from app.concepts.disclaimer import disclaimer_about
from app.concepts.dose_tiers import dose_tiers
from app.concepts.drug_index import drug_index
from app.concepts.lineage import InterventionTree, intervention_tree, worded_line
from app.concepts.manifest import current_units
from app.concepts.models import Concept
from app.concepts.recognition import DrugIndex, Recognition, UnrecognizedReason
from app.concepts.schemas import Inheritance
from app.concepts.units import MASS, Units
from app.core import deadline
from app.core.english import quantity
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
    InteractionHeadline,
    InteractionStatus,
    PairChecked,
    PairClaim,
    UnrecognizedDrug,
)
from app.questions.relevance import RELEVANT_FORMS
from app.questions.searches import RecordedSearch, SearchMatch, names_concept, newest, recorded_searches

MAX_CLAIMS = 20
"""Claims shown of one pair, contraindications first."""

_HARMS = frozenset({Effect.causes, Effect.worsens, Effect.increases, Effect.interacts, Effect.contraindicated})
_NO_EFFECT = frozenset({Effect.not_applicable, Effect.no_difference})
_STATUS_OF_SEVERITY = {
    InteractionSeverity.contraindicated: InteractionStatus.contraindicated,
    InteractionSeverity.caution: InteractionStatus.interaction,
}
_FINDINGS = (InteractionStatus.contraindicated, InteractionStatus.interaction)

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
    recognition: Recognition
    dose: DailyDose | None
    tiers: tuple[str, ...]
    """Bands that the dose touches; empty for drugs without bands."""

    @property
    def pks(self) -> frozenset[int]:
        """The records of its drugs; empty if it was not recognized."""
        return frozenset(drug.pk for drug in self.recognition.drugs)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(drug.id for drug in self.recognition.drugs)

    @property
    def name(self) -> str:
        return " with ".join(drug.name for drug in self.recognition.drugs)


@dataclass(frozen=True)
class HarmClaim:
    """A claim of harm about a drug that meets others."""

    id: str
    kind: Kind
    effect: Effect
    intervention: int
    interactants: frozenset[int]
    tiers: tuple[str, ...]

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
    rules: Sequence[InteractionRuleWrite] = ()
    only_of_rules: frozenset[str] = frozenset()
    """Claims that only a rule relates to the two drugs: the rule's severity counts, not what they say of others."""

    def is_exact(self, entry: HarmClaim | RecordedSearch) -> bool:
        """Whether the two drugs themselves are named, not relatives of them."""
        first, second, named = self.first.pks, self.second.pks, set(entry.interactants)
        return bool(
            (entry.intervention in first and second & named) or (entry.intervention in second and first & named)
        )

    @property
    def direct_findings(self) -> list[InteractionStatus]:
        """What claims say of the two drugs or of relatives of them."""
        direct = (claim for claim in self.claims if claim.id not in self.only_of_rules)
        return [claim.status for claim in direct if claim.status is not None]

    @property
    def findings(self) -> list[InteractionStatus]:
        return self.direct_findings + [_STATUS_OF_SEVERITY[rule.severity] for rule in self.rules]

    @property
    def answer(self) -> SearchMatch | None:
        """The newest search on just these two drugs that found nothing."""
        return newest(s for s in self.searches if self.is_exact(s) and set(s.concepts) == {"interactant"})


@dataclass(frozen=True)
class EvidenceOnPairs:
    """What was read for all pairs of a request."""

    relatives: Mapping[int, Sequence[int]]
    """Drug → itself and the interventions that it shares warnings with."""
    claims: Sequence[HarmClaim]
    searches: Sequence[RecordedSearch]
    rules: Sequence[tuple[InteractionRuleWrite, frozenset[str], frozenset[str]]]
    """Rules with the ids of all drugs in their two sets."""

    def of(self, a: RequestedDrug, b: RequestedDrug) -> PairEvidence:
        if not a.pks or not b.pks:
            return PairEvidence(a, b)
        one = {relative for pk in a.pks for relative in self.relatives[pk]}
        other = {relative for pk in b.pks for relative in self.relatives[pk]}
        rules = [
            rule
            for rule, first, second in self.rules
            if (a.ids & first and b.ids & second) or (b.ids & first and a.ids & second)
        ]
        of_rules = {claim for rule in rules for claim in _claims_of(rule)}

        def joins(entry: HarmClaim | RecordedSearch) -> bool:
            """Whether one drug or a relative of it meets the other or a relative of that."""
            named = set(entry.interactants)
            return bool((entry.intervention in one and named & other) or (entry.intervention in other and named & one))

        joining = {claim.id for claim in self.claims if joins(claim)}
        return PairEvidence(
            a,
            b,
            claims=[claim for claim in self.claims if claim.id in joining | of_rules],
            searches=[search for search in self.searches if joins(search)],
            rules=rules,
            only_of_rules=frozenset(of_rules - joining),
        )


def check(session: Session, request: InteractionCheck) -> InteractionCheckRead:
    """One status for every pair. The number of statements does not depend on the number of drugs."""
    units = current_units(session)
    doses = _doses(request.drugs, units)
    index, tree = drug_index(session), intervention_tree(session)
    drugs = []
    for position, (drug, dose) in enumerate(zip(request.drugs, doses, strict=True)):
        recognition = _recognise(index, drug)
        tiers = (dose_tiers(session, record.id) for record in recognition.drugs) if dose else ()
        bands = bands_of(dose, next(filter(None, tiers), None), units)
        drugs.append(RequestedDrug(position, recognition, dose, tuple(band.value for band in bands)))
    read = _read_evidence(session, index, tree, drugs)
    evidence = [read.of(a, b) for a, b in deadline.checked(combinations(drugs, 2))]
    claim_ids = {claim.id for pair in evidence for claim in pair.claims[:MAX_CLAIMS]}
    summaries = render.summaries(session, claim_ids) if claim_ids else {}
    severity = list(InteractionStatus)
    pairs = sorted(
        (_pair(pair, tree, index, summaries) for pair in deadline.checked(evidence)),
        key=lambda pair: (severity.index(pair.status), pair.positions),
    )
    unrecognized = [drug for drug in drugs if not drug.pks]
    recognised = {record.ref.id for drug in drugs for record in drug.recognition.drugs}
    return InteractionCheckRead(
        headline=_headline(pairs, len(unrecognized)),
        unrecognized=tuple(
            UnrecognizedDrug(
                position=drug.position,
                reason=drug.recognition.reason or UnrecognizedReason.unknown_name,
                candidates=tuple(record.ref for record in drug.recognition.near),
            )
            for drug in unrecognized
        ),
        drugs=tuple(_drug(drug, units) for drug in drugs),
        pairs=tuple(pairs),
        notice=NOTICE,
        disclaimer=disclaimer_about(session, () if unrecognized else recognised),
    )


def _doses(drugs: Sequence[DrugAsked], units: Units) -> list[DailyDose | None]:
    """Every dose that was given; InvalidInput with all that cannot be read."""
    doses: list[DailyDose | None] = []
    faults: list[Fault] = []
    for position, drug in enumerate(drugs):
        try:
            field = f"drugs.{position}.dose"
            doses.append(None if drug.dose is None else dose_query.parse(drug.dose, units, where="body", field=field))
        except InvalidInput as refused:
            faults.extend(refused.errors)
    if faults:
        raise InvalidInput("A dose cannot be read.", errors=faults)
    return doses


def _recognise(index: DrugIndex, drug: DrugAsked) -> Recognition:
    if drug.id is not None:
        return index.by_id(drug.id)
    return index.by_code(drug.code) if drug.code is not None else index.by_text(drug.text or "")


# --- reading ------------------------------------------------------------------------------------------------------


def _read_evidence(
    session: Session, index: DrugIndex, tree: InterventionTree, drugs: Iterable[RequestedDrug]
) -> EvidenceOnPairs:
    relatives = {pk: tree.relatives(pk) for drug in drugs for pk in drug.pks}
    every_relative = sorted({relative for line in relatives.values() for relative in line})
    rules = [(rule, index.expand(rule.first), index.expand(rule.second)) for rule in interaction_rules(session)]
    of_rules = sorted({claim for rule, _, _ in rules for claim in _claims_of(rule)})
    return EvidenceOnPairs(
        relatives, _harm_claims(session, every_relative, of_rules), _searches(session, every_relative), rules
    )


def _claims_of(rule: InteractionRuleWrite) -> Sequence[str]:
    """The claims that the rule's warning rests on when both drugs are taken."""
    return next((one.claims for one in rule.claims if one.situation is InteractionSituation.together), ())


def _harm_claims(session: Session, relatives: Sequence[int], of_rules: Sequence[str]) -> list[HarmClaim]:
    """Claims of harm about one of the interventions that name another, and claims of interaction rules, most severe
    first. Three statements.

    A warning counts even where no citation is informative: only findings of benefit need evidence.
    """
    about_relatives = select(Claim.pk).where(
        Claim.status == Status.published,
        Claim.kind.in_(HARM_KINDS),
        Claim.form.in_(RELEVANT_FORMS),
        Claim.intervention_pk.in_(relatives),
    )
    is_named: ColumnElement[bool] = ClaimConcept.concept_pk.in_(relatives) & ClaimConcept.claim_pk.in_(about_relatives)
    if of_rules:
        ruled = select(Claim.pk).where(Claim.status == Status.published, Claim.id.in_(of_rules))
        is_named = or_(is_named, ClaimConcept.claim_pk.in_(ruled))
    interactants: dict[int, set[int]] = {}
    for claim_pk, concept_pk in session.execute(
        select(ClaimConcept.claim_pk, ClaimConcept.concept_pk).where(ClaimConcept.role == "interactant", is_named)
    ):
        interactants.setdefault(claim_pk, set()).add(concept_pk)
    doses: dict[int, list[DailyDose]] = {}
    for claim_pk, low, high, of in session.execute(
        select(Citation.claim_pk, Citation.dose_low, Citation.dose_high, Citation.dose_of).where(
            Citation.claim_pk.in_(interactants), Citation.dose_low.is_not(None)
        )
    ):
        doses.setdefault(claim_pk, []).append(DailyDose(from_stored(low), from_stored(high), of or MASS))
    rows = session.execute(
        select(Claim.pk, Claim.id, Claim.kind, Claim.effect, Claim.intervention_pk, Concept.id.label("intervention"))
        .join(Concept, Concept.pk == Claim.intervention_pk)
        .where(Claim.pk.in_(interactants))
    )
    harms = (
        HarmClaim(
            id=row.id,
            kind=Kind(row.kind),
            effect=Effect(row.effect),
            intervention=row.intervention_pk,
            interactants=frozenset(interactants[row.pk]),
            tiers=_bands(session, row.intervention, doses.get(row.pk, ())),
        )
        for row in rows
    )
    return sorted(harms, key=lambda claim: claim.rank)


def _bands(session: Session, intervention: str, doses: Sequence[DailyDose]) -> tuple[str, ...]:
    """The bands of the intervention that the doses touch, from the lowest to the highest."""
    tiers, units = dose_tiers(session, intervention) if doses else None, current_units(session)
    touched = {band.value for dose in doses for band in bands_of(dose, tiers, units)}
    return tuple(band.value for band in tiers.bands if band.value in touched) if tiers else ()


def _searches(session: Session, relatives: Sequence[int]) -> list[RecordedSearch]:
    """Searches about one of the interventions that name another."""
    on = LiteratureSearch.intervention_pk.in_(relatives)
    return recorded_searches(session, on, names_concept("interactant", relatives))


# --- the answer ---------------------------------------------------------------------------------------------------


def _drug(drug: RequestedDrug, units: Units) -> DrugChecked:
    dose, recognition = drug.dose, drug.recognition
    refs = tuple(record.ref for record in recognition.drugs)
    return DrugChecked(
        position=drug.position,
        recognized=bool(refs),
        intervention=refs[0] if refs else None,
        ingredients=refs,
        matched_by=recognition.matched_by,
        confidence=recognition.confidence,
        relation=recognition.relation,
        dose=DoseGiven(
            **dose_fields(dose, units.smallest(dose.of)),
            tiers=drug.tiers,
        )
        if dose
        else None,
    )


def _pair(
    pair: PairEvidence, tree: InterventionTree, index: DrugIndex, summaries: Mapping[str, ClaimSummary]
) -> PairChecked:
    first, second = pair.first, pair.second
    is_same, crosses = False, False
    if not first.pks or not second.pks:
        status = InteractionStatus.unrecognized
        which = "Neither drug was" if not first.pks and not second.pks else "One of the two drugs was not"
        sentence = f"{which} recognized, so nothing was checked. {NO_ALL_CLEAR}"
    else:
        status = _status(pair)
        is_same = not _drugs_of(tree, first).isdisjoint(_drugs_of(tree, second))
        crosses = bool(pair.findings) and bool(tree.with_regimens & (first.pks | second.pks)) and _crosses_tiers(pair)
        sentence = _sentence(status, pair, sorted((first.name, second.name)))
        sentence += " Both are the same drug." if is_same else ""
    refs = [one.recognition.drugs[0].ref if one.pks else None for one in (first, second)]
    return PairChecked(
        positions=(first.position, second.position),
        drugs=(refs[0], refs[1]),
        status=status,
        sentence=sentence,
        same_drug=is_same,
        crosses_dose_tiers=crosses,
        dose_note=DOSE_NOTE if crosses else None,
        rules=tuple(rule.id for rule in pair.rules),
        claims=tuple(
            PairClaim(
                claim=summaries[claim.id],
                kind=claim.kind,
                effect=claim.effect,
                on=index.records[claim.intervention].ref,
                inherited=not pair.is_exact(claim),
                inheritance=_inheritance(pair, tree, index, [claim.intervention]),
                interactant_inheritance=_inheritance(pair, tree, index, claim.interactants),
                dose_tiers=claim.tiers,
            )
            for claim in pair.claims[:MAX_CLAIMS]
        ),
        claims_truncated=len(pair.claims) > MAX_CLAIMS,
        search=pair.answer if status is InteractionStatus.searched_none_found else None,
        searches=tuple(search.match for search in pair.searches),
    )


def _inheritance(
    pair: PairEvidence, tree: InterventionTree, index: DrugIndex, named: Iterable[int]
) -> Inheritance | None:
    """How what a claim says of one of the interventions holds for a drug of the pair, by the fewest steps; null where
    the drug itself is named, or neither is a relative."""
    lines = (
        (len(line), pk, line)
        for pk in sorted(pair.first.pks | pair.second.pks)
        for relative in named
        if (line := tree.line_to(pk, relative)) is not None
    )
    _, pk, line = min(lines, default=(0, 0, ()))
    if not line:
        return None
    return worded_line(index.records[pk].ref, ((step.relation, index.records[step.source].ref) for step in line))


def _drugs_of(tree: InterventionTree, drug: RequestedDrug) -> set[int]:
    """Its drugs; of dose regimens, the drugs that they dose."""
    return {tree.drug(pk) for pk in drug.pks}


def _headline(pairs: Sequence[PairChecked], unrecognized: int) -> InteractionHeadline:
    """The worst pair. A drug that was not recognized is named beside a finding: what was checked is not all."""
    worst = pairs[0]
    label, answer = worst.status.label, worst.sentence
    alike = Counter(pair.status for pair in pairs)[worst.status] - 1
    if alike and worst.status in _FINDINGS:
        answer += f" The same holds for {quantity(alike, 'more pair', 'more pairs')}."
    if unrecognized and worst.status in _FINDINGS:
        drugs = quantity(unrecognized, "drug", "drugs")
        label += f"; {drugs} not recognized"
        answer += f" Not recognized, and so not checked: {drugs} of the request."
    return InteractionHeadline(
        status=worst.status,
        label=label,
        tone="caution" if worst.status in _FINDINGS else "unclear",
        answer=answer,
        pair=worst.positions,
    )


def _status(pair: PairEvidence) -> InteractionStatus:
    if pair.findings:
        return min(pair.findings, key=list(InteractionStatus).index)
    return InteractionStatus.searched_none_found if pair.answer else InteractionStatus.not_searched


def _crosses_tiers(pair: PairEvidence) -> bool:
    """Whether a claim is about a relative, or about doses that were not read or do not include the given ones."""

    def crosses(claim: HarmClaim) -> bool:
        own = next((side for side in (pair.first, pair.second) if claim.intervention in side.pks), None)
        return own is None or not claim.tiers or not set(own.tiers) <= set(claim.tiers)

    return any(map(crosses, pair.claims))


def _sentence(status: InteractionStatus, pair: PairEvidence, names: Sequence[str]) -> str:
    about = " and ".join(names)
    if pair.findings and not pair.direct_findings:
        return (
            f"{about}: a warning is set for them; the claims behind it are about drugs that act alike. "
            "Do not start, stop or combine them without your prescriber."
        )
    if status is InteractionStatus.contraindicated:
        return f"{about}: a contraindication is recorded. Do not start, stop or combine them without your prescriber."
    if status is InteractionStatus.interaction:
        return f"{about}: an interaction is recorded. Do not start, stop or combine them without your prescriber."
    if pair.claims and pair.answer is None:
        return f"{about}: claims name both, none of them as an interaction. {NO_ALL_CLEAR}"
    return sentence_on(Coverage(status.value), names, pair.answer)
