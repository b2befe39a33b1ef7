"""What bears on a question: the published claims that name everything asked, and the citations that tell something.

Harms of a drug hold for its dose regimens and, beside another drug, those of a class hold for its members; benefits
hold for what they name alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.claims.models import Citation, Claim, ClaimConcept
from app.claims.rules import INFORMATIVE, VOTING_FORMS
from app.claims.vocabulary import HARM_KINDS, Certainty, Consensus, Directness, Effect, Form, Kind, Leaning, Stance
from app.concepts.models import Concept
from app.concepts.queries import keys_named
from app.concepts.schemas import OutcomeRef
from app.concepts.vocabulary import Better, InterventionLevel
from app.core.errors import Fault, InvalidInput
from app.core.vocabulary import Status
from app.grading.counts import Counted, Tally, tally
from app.sources.models import Document, Study
from app.sources.vocabulary import Design, Standing

BEARING_FORMS = VOTING_FORMS | {Form.study_report, Form.regulatory_status}
"""Forms that evidence can bear on; use, advice and opinions tell nothing of effect or harm."""

_MAIN_KIND = {
    "condition": Kind.efficacy,
    "mechanism": Kind.mechanism,
    "side_effect": Kind.safety,
    "interactant": Kind.interaction,
}
_DECIDED = (Consensus.unanimous, Consensus.mostly, Consensus.conflicting)


@dataclass(frozen=True)
class Question:
    """Keys of what is asked; `named` by role."""

    intervention: int
    named: Mapping[str, int]
    line: Sequence[int]
    """The intervention, then what it shares warnings with: its drug and, beside another drug, classes and regimens."""
    other_line: Sequence[int] = ()
    """The same for an interactant."""


# --- the question -------------------------------------------------------------------------------------------------


def key_named(session: Session, record_type: str, name: str, parameter: str) -> int:
    """The one concept that a parameter names by id or code; InvalidInput lists several that carry a code."""
    keys = list(dict.fromkeys(keys_named(session, record_type, [name], parameter)))
    if len(keys) > 1:
        ids = tuple(session.scalars(select(Concept.id).where(Concept.pk.in_(keys)).order_by(Concept.id)))
        fault = Fault("query", parameter, "ambiguous_code", "Several records carry this code: name one by its id.", ids)
        raise InvalidInput("A code leads to more than one record.", errors=[fault])
    return keys[0]


@dataclass(frozen=True)
class Kinship:
    """Which interventions stand under which."""

    parents: Mapping[int, int]
    regimens: frozenset[int]

    def drug(self, pk: int) -> list[int]:
        """The intervention and, if it is a dose regimen, its drug."""
        return [pk, self.parents[pk]] if pk in self.regimens and pk in self.parents else [pk]

    def line(self, pk: int) -> list[int]:
        """The intervention, then all that it shares warnings with: the drug, its classes, the regimens of a drug."""
        line = [pk]
        while (above := self.parents.get(line[-1])) is not None and above not in line:
            line.append(above)
        return line + sorted(child for child in self.regimens if self.parents.get(child) == pk)

    @property
    def dosed(self) -> frozenset[int]:
        """Drugs of which dose regimens are told apart, and those regimens."""
        return self.regimens | {self.parents[pk] for pk in self.regimens if pk in self.parents}


def kinship(session: Session) -> Kinship:
    rows = session.execute(
        select(Concept.pk, Concept.parent_pk, Concept.level).where(
            Concept.type == "intervention", Concept.parent_pk.is_not(None)
        )
    ).all()
    return Kinship(
        {pk: parent for pk, parent, _ in rows if parent is not None},
        frozenset(pk for pk, _, level in rows if level == InterventionLevel.regimen),
    )


def question_of(session: Session, intervention_pk: int, named: Mapping[str, int]) -> Question:
    """The question by its keys: `named` says, by role, what is asked beside the intervention. One statement."""
    kin = kinship(session)
    if "interactant" in named:
        return Question(intervention_pk, named, kin.line(intervention_pk), kin.line(named["interactant"]))
    return Question(intervention_pk, named, kin.drug(intervention_pk))


def _about(question: Question) -> list[ColumnElement[bool]]:
    """Claims on the intervention and everything else that is named."""
    if "interactant" in question.named:
        line, other = question.line, question.other_line
        # "A meets B" says the same as "B meets A", whichever of the two a claim is filed under.
        subject = or_(
            and_(_on(line), _names("interactant", other)),
            and_(_on(other), _names("interactant", line)),
        )
    else:
        subject = _on(question.line)
    return [subject, *(_names(role, [pk]) for role, pk in question.named.items() if role != "interactant")]


def _on(line: Sequence[int]) -> ColumnElement[bool]:
    return or_(Claim.intervention_pk == line[0], and_(Claim.intervention_pk.in_(line[1:]), Claim.kind.in_(HARM_KINDS)))


def _names(role: str, pks: Sequence[int]) -> ColumnElement[bool]:
    linked = select(ClaimConcept.claim_pk).where(ClaimConcept.role == role, ClaimConcept.concept_pk.in_(pks))
    return Claim.pk.in_(linked)


# --- the evidence on it -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CitedClaim:
    """A claim on which something informative is cited."""

    id: str
    kind: Kind
    form: Form
    effect: Effect
    outcome: OutcomeRef | None
    consensus: Consensus
    leaning: Leaning
    certainty: Certainty
    studies: int
    participants: int

    @property
    def rank(self) -> tuple[Any, ...]:
        """Sorts the claim that tells most first: contraindications, then what gathers votes, then by amount."""
        return (
            self.effect is not Effect.contraindicated,
            self.form not in VOTING_FORMS,
            self.consensus not in _DECIDED,
            -self.studies,
            -self.participants,
            self.id,
        )


@dataclass(frozen=True)
class CitationRow:
    """A citation that tells something, as far as counting needs it."""

    counted: Counted
    design: Design | None
    direct: bool


@dataclass(frozen=True)
class EvidenceBody:
    """All that bears on a question."""

    claims: tuple[CitedClaim, ...] = ()
    citations: tuple[CitationRow, ...] = ()
    main_kinds: frozenset[Kind] = field(default_factory=frozenset)

    @property
    def headline(self) -> CitedClaim | None:
        """The claim that most bears on the question: of the kind that answers it, if there is one."""
        return min(self.claims, key=lambda claim: (claim.kind not in self.main_kinds, claim.rank), default=None)

    @property
    def totals(self) -> Tally:
        return tally(cite.counted for cite in self.citations)

    @property
    def best_design(self) -> Design | None:
        return best_design(self.citations)


def best_design(citations: Iterable[CitationRow]) -> Design | None:
    """The strongest design; of reviews, and of indirect evidence, only where there is no other."""
    ranks = list(Design)
    designs = [(d.is_review, not cite.direct, ranks.index(d)) for cite in citations if (d := cite.design) is not None]
    return ranks[min(designs)[2]] if designs else None


def informative_citations(claims: Select[Any]) -> Select[Any]:
    """Citations of the claims that tell something; those of retracted documents tell nothing."""
    columns: tuple[InstrumentedAttribute[Any], ...] = (
        Citation.claim_pk, Citation.id, Document.id, Citation.stance, Citation.directness,
        Study.id, Study.is_review, Study.participants, Study.design,
    )  # fmt: skip
    return (
        select(*columns)
        .join(Document, Document.pk == Citation.document_pk)
        .outerjoin(Study, Study.pk == Citation.study_pk)
        .where(
            Citation.claim_pk.in_(claims),
            Citation.stance.in_(INFORMATIVE),
            Document.standing != Standing.retracted,
        )
        .order_by(Citation.id)
    )


def citation_row(row: Sequence[Any]) -> tuple[int, CitationRow]:
    """The claim's key and the citation, from a row of `informative_citations`."""
    claim_pk, citation, document, stance, directness, study, is_review, participants, design = row
    counted = Counted(
        citation=citation,
        document=document,
        stance=Stance(stance),
        study=study,
        is_review=bool(is_review),
        people=participants,
    )
    return claim_pk, CitationRow(counted, Design(design) if design else None, directness != Directness.indirect)


def evidence_on(session: Session, question: Question) -> EvidenceBody:
    """Claims about the question with informative citations, and those citations. Two statements."""
    bearing = (Claim.status == Status.published, Claim.form.in_(BEARING_FORMS), *_about(question))
    cites = [citation_row(row) for row in session.execute(informative_citations(select(Claim.pk).where(*bearing)))]
    if not cites:
        return EvidenceBody()
    rows = session.execute(select(Claim, Concept).outerjoin(Concept, Concept.pk == Claim.outcome_pk).where(*bearing))
    cited = {pk for pk, _ in cites}
    return EvidenceBody(
        claims=tuple(sorted((cited_claim(*row) for row in rows if row[0].pk in cited), key=lambda c: c.rank)),
        citations=tuple(cite for _, cite in cites),
        main_kinds=frozenset(_MAIN_KIND[role] for role in question.named),
    )


def cited_claim(claim: Claim, outcome: Concept | None) -> CitedClaim:
    """The claim's row, with the row of its outcome."""
    return CitedClaim(
        id=claim.id,
        kind=Kind(claim.kind),
        form=Form(claim.form),
        effect=Effect(claim.effect),
        outcome=outcome_ref(outcome) if outcome else None,
        consensus=Consensus(claim.consensus),
        leaning=Leaning(claim.leaning or Leaning.neither),
        certainty=Certainty(claim.certainty),
        studies=claim.study_count,
        participants=claim.participant_count,
    )


def outcome_ref(outcome: Concept) -> OutcomeRef:
    return OutcomeRef(id=outcome.id, name=outcome.name, better=Better(outcome.better or ""))
