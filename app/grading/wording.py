"""Words a verdict: its code, label and tone, the answer as one sentence, and the counts behind it. Pure.

The tables are those of `docs/method.md`, section 6. This is the only module that words a verdict; interfaces show what
it says. An answer is made from the short phrases of its claim (`ClaimWording`), never from the statement's grammar.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from app.claims.responses import StanceCount, VerdictRead
from app.claims.schemas import ClaimWording, ClaimWrite
from app.claims.vocabulary import (
    HARM_KINDS,
    AnsweringBody,
    Aspect,
    Certainty,
    CitationRole,
    Consensus,
    Directness,
    Effect,
    EvidenceLevel,
    Form,
    Frame,
    IndirectBecause,
    InsufficientReason,
    Leaning,
    Stance,
    Tone,
    Verb,
    VerdictCode,
)
from app.core.english import date_in_words, inline, join_and, quantity
from app.grading.evidence import CitationEvidence, EvidenceUnit, Grade
from app.sources.vocabulary import IncludedDesigns, Standing

NO_ALL_CLEAR = "This is not evidence of no effect or of safety."
"""Stands behind every answer that names no evidence, or too little."""


NEVER_SEARCHED = "Nobody has searched for this here yet."


def search_text(searched_on: str | None, *, is_limited: bool) -> str:
    """That a search found nothing, for a question without a claim."""
    on = "on" if searched_on and searched_on.count("-") == 2 else "in"
    when = f" {on} {date_in_words(searched_on)}" if searched_on else ", whose day was not noted,"
    return f"A {'limited ' if is_limited else ''}search{when} found no study of this."


class WordedVerdict(NamedTuple):
    """What a reader is shown first of a claim."""

    verdict: VerdictRead
    answer: str
    counts_text: str | None
    """Both sides of the evidence; null where nothing was counted."""


# --- verbs and phrases --------------------------------------------------------------------------------------------


class Conjugation(NamedTuple):
    third: str
    plural: str
    opposite: Verb | None = None


CONJUGATIONS: dict[Verb, Conjugation] = {
    Verb.reduce: Conjugation("reduces", "reduce", Verb.increase),
    Verb.increase: Conjugation("increases", "increase", Verb.reduce),
    Verb.improve: Conjugation("improves", "improve", Verb.worsen),
    Verb.worsen: Conjugation("worsens", "worsen", Verb.improve),
    Verb.ease: Conjugation("eases", "ease", Verb.worsen),
    Verb.raise_: Conjugation("raises", "raise", Verb.lower_),
    Verb.lower_: Conjugation("lowers", "lower", Verb.raise_),
    Verb.calm: Conjugation("calms", "calm", Verb.activate),
    Verb.activate: Conjugation("activates", "activate", Verb.calm),
    Verb.protect: Conjugation("protects", "protect", Verb.damage),
    Verb.damage: Conjugation("damages", "damage", Verb.protect),
    Verb.change: Conjugation("changes", "change"),
    Verb.cause: Conjugation("causes", "cause"),
    Verb.block: Conjugation("blocks", "block"),
    Verb.be: Conjugation("is", "are"),
    Verb.have_higher: Conjugation("has higher", "have higher", Verb.have_lower),
    Verb.have_lower: Conjugation("has lower", "have lower", Verb.have_higher),
    Verb.have_more: Conjugation("has more", "have more", Verb.have_less),
    Verb.have_less: Conjugation("has less", "have less", Verb.have_more),
    Verb.have_fewer: Conjugation("has fewer", "have fewer", Verb.have_more),
}


@dataclass(frozen=True)
class Phrase:
    """A claim's phrases as parts of sentences."""

    wording: ClaimWording

    @property
    def subject(self) -> str:
        """The subject inside a sentence."""
        return inline(self.wording.subject)

    @property
    def clause(self) -> str:
        """`low-dose naltrexone reduces pain in people with fibromyalgia`, to stand behind `that` or `whether`."""
        return f"{self.subject} {self._present(self.wording.verb)} {self._object}"

    @property
    def _object(self) -> str:
        other = self.wording.other_group
        return f"{self.wording.object} than {other}" if other else self.wording.object

    @property
    def no_difference_clause(self) -> str:
        """`naltrexone makes little or no difference to serious adverse events`, to stand behind `that`."""
        return f"{self.subject} {self.number('makes', 'make')} little or no difference to {self.wording.object}"

    def _present(self, verb: Verb) -> str:
        conjugation = CONJUGATIONS[verb]
        return conjugation.plural if self.wording.plural else conjugation.third

    def _base(self, verb: Verb) -> str:
        return "be" if verb is Verb.be else CONJUGATIONS[verb].plural

    def number(self, singular: str, plural: str) -> str:
        """A verb in the number of the subject."""
        return plural if self.wording.plural else singular

    def ladder(self, certainty: Certainty, verb: Verb | None = None) -> str:
        """That it is so, as firmly as the certainty allows."""
        verb = verb or self.wording.verb
        present = self._present(verb)
        probable = f"{present} probably" if verb is Verb.be else f"probably {present}"
        return self._firmly(certainty, present, probable, f"may {self._base(verb)}", self._object)

    def no_difference(self, certainty: Certainty) -> str:
        """That it makes no difference that matters, as firmly as the certainty allows."""
        makes = self.number("makes", "make")
        little = f"little or no difference to {self.wording.object}"
        return self._firmly(certainty, makes, f"probably {makes}", "may make", little)

    def _firmly(self, certainty: Certainty, surely: str, probably: str, maybe: str, rest: str) -> str:
        """The rungs of GRADE guideline 26."""
        verb = {Certainty.high: surely, Certainty.moderate: probably}.get(certainty, maybe)
        limit = f", {self.wording.limit}" if self.wording.limit else ""
        return f"{self.wording.subject} {verb} {rest}{limit}{_doubt(certainty)}."

    def same_in_both_groups(self, certainty: Certainty) -> str:
        """Of a comparison: that the groups do not differ much."""
        verb = {Certainty.high: "is", Certainty.moderate: "is probably"}.get(certainty, "may be")
        return (
            f"There {verb} little or no difference in {self.wording.object} between {self.groups}{_doubt(certainty)}."
        )

    @property
    def groups(self) -> str:
        return f"{self.subject} and {self.wording.other_group}"

    def is_not(self, certainty: Certainty) -> str:
        """Of a state: that it is not so."""
        is_not = self.number("is", "are")
        verb = {Certainty.high: f"{is_not} not", Certainty.moderate: f"{is_not} probably not"}.get(
            certainty, "may not be"
        )
        return f"{self.wording.subject} {verb} {self.wording.object}."

    def opposite(self, certainty: Certainty) -> str | None:
        """That the opposite is so; null for a verb without an opposite."""
        opposite = CONJUGATIONS[self.wording.verb].opposite
        return self.ladder(certainty, opposite) if opposite else None

    def less_common(self, certainty: Certainty) -> str:
        """Of a harm: that it is rarer instead."""
        makes = self.number("makes", "make")
        return self._firmly(certainty, makes, f"probably {makes}", "may make", f"{self.wording.object} less common")


def _doubt(certainty: Certainty) -> str:
    return "" if certainty in (Certainty.high, Certainty.moderate, Certainty.low) else _UNCERTAIN


_UNCERTAIN = ", but the evidence is very uncertain"


# --- what a verdict rests on --------------------------------------------------------------------------------------


class Body(StrEnum):
    """What was found on a claim."""

    uncited = "nothing is cited"
    not_read = "a source that nobody has read on this point"
    label = "a drug label"
    narrative = "a narrative review"
    context = "context only"
    laboratory = "laboratory studies only"
    reviews = "systematic reviews alone"
    studies = "studies"


class Support(NamedTuple):
    """Which citations support the claim, at least in part."""

    direct: bool = False
    at_other_doses: bool = False
    """Whether one that does not fit only because of the dose does, and none that is direct."""
    some: bool = False
    """Whether any does, direct or not."""


_NO_SUPPORT = Support()


@dataclass(frozen=True)
class VerdictBasis:
    """All that the tables of verdicts ask of a claim that gathers votes."""

    wording: ClaimWording
    consensus: Consensus
    leaning: Leaning
    certainty: Certainty
    body: Body
    support: Support = _NO_SUPPORT
    is_about_laboratory: bool = False
    is_opposite: bool = False
    """Whether most of the disputing weight found the opposite, not the absence of a difference."""
    is_weighable: bool = True
    """False if studies voted and none of them can be weighed."""
    laboratory_studies: int = 0
    label: str | None = None
    """The name of the drug label that states it."""

    @property
    def frame(self) -> Frame:
        return self.wording.frame

    @property
    def phrase(self) -> Phrase:
        return Phrase(self.wording)

    @property
    def is_towards_effect(self) -> bool:
        """Whether the evidence leans towards an effect; of `no_harm` the sides are swapped."""
        side = Leaning.disputes if self.frame is Frame.no_harm else Leaning.supports
        return self.leaning is side


# --- the code and the tone ----------------------------------------------------------------------------------------

_BODY_CODES = {
    Body.uncited: VerdictCode.uncited,
    Body.not_read: VerdictCode.not_read,
    Body.label: VerdictCode.stated_by_label,
    Body.narrative: VerdictCode.stated_by_review,
    Body.context: VerdictCode.no_study,
    Body.laboratory: VerdictCode.laboratory_only,
}
_CONFLICTS = {
    Leaning.supports: VerdictCode.conflicting_leaning_for,
    Leaning.disputes: VerdictCode.conflicting_leaning_against,
    Leaning.neither: VerdictCode.conflicting,
}
_FOR_OR_AGAINST = {
    Consensus.unanimous: (VerdictCode.supported, VerdictCode.disputed),
    Consensus.mostly: (VerdictCode.mostly_supported, VerdictCode.mostly_disputed),
}
_WEAK = (VerdictCode.weak_for, VerdictCode.weak_against)


def verdict_code(finding: VerdictBasis) -> VerdictCode:
    """The weaker of agreement and certainty."""
    if finding.body in _BODY_CODES:
        return _BODY_CODES[finding.body]
    if finding.consensus is Consensus.conflicting or finding.leaning is Leaning.neither:
        is_decided = finding.consensus in (Consensus.conflicting, *_FOR_OR_AGAINST)
        return _CONFLICTS[finding.leaning] if is_decided else _undecided(finding)
    if finding.consensus not in _FOR_OR_AGAINST:
        return _undecided(finding)
    pair = _FOR_OR_AGAINST[finding.consensus]
    if finding.certainty is Certainty.low:
        pair = _FOR_OR_AGAINST[Consensus.mostly]
    elif finding.certainty not in (Certainty.moderate, Certainty.high):
        pair = _WEAK
    return pair[0] if finding.leaning is Leaning.supports else pair[1]


def _undecided(finding: VerdictBasis) -> VerdictCode:
    return VerdictCode.too_little if finding.is_weighable else VerdictCode.not_weighable


_CONFLICTING = frozenset(_CONFLICTS.values())
_FOR = frozenset({VerdictCode.supported, VerdictCode.mostly_supported})
_AGAINST = frozenset({VerdictCode.disputed, VerdictCode.mostly_disputed})
_UNDECIDED = frozenset({VerdictCode.too_little, VerdictCode.not_weighable})
_STATED = frozenset({VerdictCode.stated_by_label, VerdictCode.stated_by_review})


def tone_of(finding: VerdictBasis, code: VerdictCode) -> Tone:
    """What the verdict is to a reader; the first row that fits. Only a supported benefit is ever favourable."""
    tone = _TONES.get(finding.frame, _neutral_tone)(finding, code)
    if tone is None and code in _STATED:
        return Tone.caution if finding.frame is Frame.harm else Tone.unclear
    if tone is None and code in (*_UNDECIDED, *_WEAK):
        return Tone.unclear
    return tone or Tone.neutral


def _benefit_tone(_finding: VerdictBasis, code: VerdictCode) -> Tone | None:
    if code in _FOR:
        return Tone.favourable
    if code in _AGAINST or code is VerdictCode.conflicting_leaning_against:
        return Tone.unfavourable
    return Tone.mixed if code in _CONFLICTING else None


def _harm_tone(finding: VerdictBasis, code: VerdictCode) -> Tone | None:
    if code in _FOR or code in _CONFLICTING or code is VerdictCode.weak_for:
        return Tone.caution
    if code in (*_UNDECIDED, VerdictCode.laboratory_only) and finding.support.some:
        return Tone.caution
    return Tone.unclear if code in _AGAINST and finding.certainty not in _SURE else None


def _no_harm_tone(_finding: VerdictBasis, code: VerdictCode) -> Tone | None:
    is_disputed = code in _AGAINST or code is VerdictCode.weak_against
    return Tone.caution if is_disputed or code in _CONFLICTING else None


def _neutral_tone(_finding: VerdictBasis, _code: VerdictCode) -> Tone | None:
    return None


_TONES: dict[Frame, Callable[[VerdictBasis, VerdictCode], Tone | None]] = {
    Frame.benefit: _benefit_tone,
    Frame.harm: _harm_tone,
    Frame.no_harm: _no_harm_tone,
}


# --- the answer ---------------------------------------------------------------------------------------------------

_HARMS = (Frame.harm, Frame.no_harm)
_SURE = (Certainty.moderate, Certainty.high)


def _is_insufficient(finding: VerdictBasis) -> bool:
    return verdict_code(finding) in _UNDECIDED


def _leans_to_no_harm(finding: VerdictBasis) -> bool:
    return finding.frame in _HARMS and finding.leaning is not Leaning.neither and not finding.is_towards_effect


def _is_opposite(finding: VerdictBasis) -> bool:
    has_one = finding.frame is Frame.harm or CONJUGATIONS[finding.wording.verb].opposite is not None
    is_other_way = finding.leaning is Leaning.disputes and finding.frame is not Frame.no_harm
    return finding.is_opposite and is_other_way and has_one


def _laboratory_answer(finding: VerdictBasis) -> str:
    phrase, number = finding.phrase, finding.laboratory_studies
    studies = "A laboratory study (not in people)" if number == 1 else f"Laboratory studies ({number}; none in people)"
    reports = "reports" if number == 1 else "report"
    if finding.leaning is not Leaning.neither:
        if finding.is_towards_effect:
            return f"{studies} {reports} that {phrase.clause}."
        if finding.frame is Frame.state:
            return f"{studies} {reports} that {inline(phrase.is_not(Certainty.high))}"
        between = f" between {phrase.groups}" if finding.frame is Frame.comparison else ""
        return f"{studies} {reports} little or no difference in {finding.wording.object}{between}."
    if number == 1:
        return f"{studies} could not decide whether {phrase.clause}."
    return f"Laboratory studies disagree on whether {phrase.clause}."


def _not_shown_in_people(finding: VerdictBasis) -> str:
    number = finding.laboratory_studies
    have = "a laboratory study has" if number == 1 else f"laboratory studies ({number}) have"
    return f"This has not been shown in people: only {have} looked at whether {finding.phrase.clause}."


def _reports_of_harm(finding: VerdictBasis) -> str:
    phrase, cause = finding.phrase, f"{finding.phrase.subject} {finding.phrase.number('is', 'are')} the cause"
    return (
        f"There are reports of {finding.wording.object} with {phrase.subject}, but too little evidence to say how "
        f"often, or whether {cause}."
    )


def _label_answer(finding: VerdictBasis) -> str:
    label = finding.label or "drug label"
    if label.split(" ", 1)[0].casefold() in finding.wording.subject.casefold().split():
        label = inline(label)  # the name of a substance, not of a brand
    return f"The {label} states that {_claimed(finding)}."


def _narrative_answer(finding: VerdictBasis) -> str:
    return f"A review says that {_claimed(finding)}; no study of this is recorded here."


def _claimed(finding: VerdictBasis) -> str:
    """What is claimed, as a clause: of `no_harm` the absence of a difference."""
    return finding.phrase.no_difference_clause if finding.frame is Frame.no_harm else finding.phrase.clause


def _disagree(finding: VerdictBasis) -> str:
    return f"{'Reviews' if finding.body is Body.reviews else 'Studies'} disagree on whether {finding.phrase.clause}"


def _supported_answer(finding: VerdictBasis) -> str:
    return finding.phrase.ladder(finding.certainty)


def _opposed_answer(finding: VerdictBasis) -> str:
    phrase, certainty = finding.phrase, finding.certainty
    return phrase.opposite(certainty) or phrase.less_common(certainty)


def _null_answer(finding: VerdictBasis) -> str:
    phrase, certainty = finding.phrase, finding.certainty
    if finding.frame is Frame.comparison:
        return phrase.same_in_both_groups(certainty)
    if finding.frame is Frame.state:
        return _unsure(finding) if _is_very_uncertain(finding) else phrase.is_not(certainty)
    return phrase.no_difference(certainty)


def _unsure(finding: VerdictBasis) -> str:
    return f"It is very uncertain whether {finding.phrase.clause}."


def _is_very_uncertain(finding: VerdictBasis) -> bool:
    return finding.certainty not in (Certainty.low, Certainty.moderate, Certainty.high)


def _too_little(finding: VerdictBasis) -> str:
    return f"There is too little evidence to say whether {finding.phrase.clause}."


ANSWERS: tuple[tuple[Callable[[VerdictBasis], bool], Callable[[VerdictBasis], str]], ...] = (
    (lambda f: f.body is Body.uncited, lambda _: "No source is given for this, and no study of it is recorded here."),
    (lambda f: f.body is Body.not_read, lambda _: "A source is named, but nobody has read it on this point yet."),
    (lambda f: f.body is Body.label, _label_answer),
    (lambda f: f.body is Body.narrative, _narrative_answer),
    (lambda f: f.body is Body.context, lambda _: "No study of this is recorded here."),
    (lambda f: f.body is Body.laboratory and f.is_about_laboratory, _laboratory_answer),
    (lambda f: f.body is Body.laboratory, _not_shown_in_people),
    (
        lambda f: _is_insufficient(f) and not f.is_weighable,
        lambda f: (
            f"There are studies of whether {f.phrase.clause}, but how they were made is not recorded, so they cannot "
            "be weighed."
        ),
    ),
    (lambda f: _is_insufficient(f) and f.frame is Frame.harm and f.support.direct, _reports_of_harm),
    (
        lambda f: _is_insufficient(f) and f.frame is Frame.harm and f.support.at_other_doses,
        lambda f: (
            f"There are reports of {f.wording.object} with naltrexone at other doses; it is not known whether "
            f"{f.phrase.clause}."
        ),
    ),
    (
        lambda f: _is_insufficient(f) and f.frame in _HARMS,
        lambda f: f"{_too_little(f)} That is not evidence of safety.",
    ),
    (_is_insufficient, _too_little),
    (lambda f: f.leaning is Leaning.neither, lambda f: f"{_disagree(f)}, and the answer is very uncertain."),
    (lambda f: f.consensus is Consensus.conflicting and _leans_to_no_harm(f), lambda f: f"{_disagree(f)}."),
    (_is_opposite, _opposed_answer),
    (
        lambda f: f.frame is Frame.harm and _leans_to_no_harm(f) and f.certainty not in _SURE,
        lambda f: (
            f"An increase in {f.wording.object} with {f.phrase.subject} has not been shown, and has not been ruled out."
        ),
    ),
    (lambda f: f.frame is Frame.no_harm and _leans_to_no_harm(f) and _is_very_uncertain(f), _unsure),
    (lambda f: f.is_towards_effect, _supported_answer),
    (lambda _: True, _null_answer),
)
"""Condition and sentence; the first row that fits."""


def answer_to(finding: VerdictBasis) -> str:
    """What the evidence says, as one sentence."""
    return next(sentence(finding) for fits, sentence in ANSWERS if fits(finding))


# --- the counts ---------------------------------------------------------------------------------------------------

_FOUND = {
    Frame.benefit: ("found an effect", "found no difference that matters"),
    Frame.mechanism: ("found an effect", "found no difference that matters"),
    Frame.comparison: ("found a difference", "found no difference that matters"),
    Frame.state: ("found this", "did not find this"),
    Frame.harm: ("found more", "found no clear difference"),
    Frame.no_harm: ("found no clear difference", "found more"),
}
"""What the supporting and the disputing side found."""


class CountedSide(NamedTuple):
    """The units on one side, with what they found."""

    units: Sequence[EvidenceUnit]
    found: str


def counts_text(finding: VerdictBasis, units: Sequence[EvidenceUnit], items: Sequence[CitationEvidence]) -> str | None:
    """Who found what: the leaning side first, randomised trials named apart. Null where nothing was measured."""
    studies = [unit for unit in units if not unit.is_reviews]
    voting = frozenset(citation for unit in units if unit.is_reviews for citation in unit.citations)
    systematic = [item for item in items if item.design.is_systematic and _is_current(item)]
    clauses = [*_reviews_that_vote(finding, systematic, voting)] if voting else []
    clauses += _studies(finding, studies)
    if not clauses:
        return None
    sentence = "; ".join(clauses)
    if finding.consensus is Consensus.conflicting and len(clauses) > 1:
        sentence = f"{_disagreeing(finding)}: {sentence}"
    beside = "" if voting else _reviews_beside(finding, studies, systematic)
    return f"{sentence[:1].upper()}{sentence[1:]}.{beside}"


def _disagreeing(finding: VerdictBasis) -> str:
    return f"{'Reviews' if finding.body is Body.reviews else 'Studies'} disagree"


def _studies(finding: VerdictBasis, studies: Sequence[EvidenceUnit]) -> list[str]:
    supports, disputes = _FOUND[finding.frame]
    counted_ones = [unit for unit in studies if unit.is_weighable or not unit.is_voter]
    against = [unit for unit in counted_ones if unit.stance is Stance.disputes]
    sides = [
        CountedSide([unit for unit in counted_ones if unit.stance is Stance.supports], supports),
        CountedSide([unit for unit in against if not unit.is_opposite], disputes),
        CountedSide([unit for unit in against if unit.is_opposite], "found the opposite"),
    ]
    if finding.leaning is Leaning.disputes:
        sides = [*sides[1:], sides[0]]
    sides.append(CountedSide([unit for unit in counted_ones if unit.stance is Stance.mixed], "found both"))
    clauses = [f"{_who(side.units)} {side.found}" for side in sides if side.units]
    for number, says in (
        (sum(not unit.is_voter for unit in counted_ones), "could not decide"),
        (len(studies) - len(counted_ones), "cannot be weighed"),
    ):
        if number:
            who = f"{number} more" if clauses else quantity(number, "study", "studies")
            clauses.append(f"{who} {says}")
    return clauses


def _who(units: Sequence[EvidenceUnit]) -> str:
    """`1 randomised trial and 4 other studies (185 people)`."""
    trials = [unit for unit in units if unit.randomized]
    laboratory = [unit for unit in units if not unit.human and not unit.randomized]
    others = len(units) - len(trials) - len(laboratory)
    parts = [
        quantity(len(trials), "randomised trial", "randomised trials") if trials else "",
        quantity(others, "other study", "other studies") if trials else quantity(others, "study", "studies"),
        quantity(len(laboratory), "laboratory study", "laboratory studies") if laboratory else "",
    ]
    if not others:
        parts[1] = ""
    people = "" if len(laboratory) == len(units) else f" ({_people([u.people for u in units if u not in laboratory])})"
    return join_and(part for part in parts if part) + people


def _people(numbers: Iterable[int | None]) -> str:
    numbers = list(numbers)
    total = sum(number or 0 for number in numbers)
    if not total:
        return "number of people not read"
    people = quantity(total, "person", "people")
    return f"at least {people}" if None in numbers else people


def _reviews_that_vote(
    finding: VerdictBasis, systematic: Sequence[CitationEvidence], voting: Set[str]
) -> Iterator[str]:
    supports, disputes = _FOUND[finding.frame]
    sides = [(Stance.supports, supports), (Stance.disputes, disputes)]
    if finding.leaning is Leaning.disputes:
        sides.reverse()
    is_first = True
    for stance, found in (*sides, (Stance.mixed, "found both")):
        reviews = _once(item for item in systematic if item.stance is stance and item.citation in voting)
        if reviews:
            is_first = False
            yield f"{_reviews(reviews)} {found}"
    undecided = len(_once(item for item in systematic if item.stance is Stance.inconclusive))
    if undecided:
        who = quantity(undecided, "review", "reviews") if is_first else f"{undecided} more"
        yield f"{who} could not tell"


def _reviews(reviews: Sequence[CitationEvidence]) -> str:
    """`2 reviews of trials (222 people in the larger)`: the people of the largest, never a sum."""
    of_trials = all(review.includes_designs is IncludedDesigns.randomized for review in reviews)
    number = quantity(len(reviews), "review", "reviews") + (" of trials" if of_trials else "")
    known = [review.people for review in reviews if review.people]
    if not known:
        return f"{number} (number of people not read)"
    among = {1: "", 2: " in the larger"}.get(len(reviews), " in the largest")
    return f"{number} ({quantity(max(known), 'person', 'people')}{among})"


def _reviews_beside(
    finding: VerdictBasis, studies: Sequence[EvidenceUnit], systematic: Sequence[CitationEvidence]
) -> str:
    """Direct reviews of trials that are not among the counted studies: they have no vote, and are named."""
    own = {unit.study for unit in studies}
    has_trial = any(unit.randomized for unit in studies)
    others = _once(
        item
        for item in systematic
        if item.directness is Directness.direct
        and item.includes_designs in (IncludedDesigns.randomized, IncludedDesigns.mixed)
        and (item.includes - own or not (item.includes or has_trial))
    )
    supports, disputes = _FOUND[finding.frame]
    found = {
        Stance.supports: supports,
        Stance.disputes: disputes,
        Stance.mixed: "found both",
        Stance.inconclusive: "could not tell",
    }
    clauses = [
        f"{number} {words}"
        for stance, words in found.items()
        if (number := sum(item.stance is stance for item in others))
    ]
    return f" Reviews of trials: {', '.join(clauses)}." if clauses else ""


def _once(items: Iterable[CitationEvidence]) -> list[CitationEvidence]:
    """One citation for each review."""
    return list({item.study or item.document: item for item in items}.values())


def _is_current(item: CitationEvidence) -> bool:
    return item.standing is not Standing.retracted


# --- a claim ------------------------------------------------------------------------------------------------------

_LEADS = {
    Form.regulatory_status: "Official record",
    Form.study_report: "One study reported",
    Form.usage: "How it is used",
    Form.advice: "A view or advice",
    Form.appraisal: "A view or advice",
    Form.attribution: "A view or advice",
    Form.definition_: "A definition",
    Form.gap: "A gap in research",
}
_FORM_CODES = {
    Form.regulatory_status: VerdictCode.official_record,
    Form.study_report: VerdictCode.one_study,
    Form.usage: VerdictCode.usage,
    Form.advice: VerdictCode.view,
    Form.appraisal: VerdictCode.view,
    Form.attribution: VerdictCode.view,
    Form.definition_: VerdictCode.definition_,
    Form.gap: VerdictCode.gap,
}
_LABORATORY_LEVELS = frozenset({EvidenceLevel.molecular, EvidenceLevel.cell, EvidenceLevel.animal})
_OCCURRENCES = frozenset({Effect.causes, Effect.worsens, Effect.increases, Effect.interacts})
_WARNING_EFFECTS = frozenset({Effect.contraindicated, *_OCCURRENCES})
EXPIRED = "no longer in force"


def worded_record(claim: ClaimWrite, day: str | None) -> WordedVerdict:
    """The verdict on a claim of a form that does not vote: its statement, and what sort of statement it is.

    `day` is the day of the last maintenance; a record that ended before it is marked as no longer in force.
    """
    code = _FORM_CODES[claim.form]
    if code is VerdictCode.official_record and _is_warning(claim):
        code = VerdictCode.official_warning
    is_expired = claim.form is Form.regulatory_status and _has_ended(claim, day)
    label = f"{code.label}, {EXPIRED}" if is_expired else code.label
    lead = _LEADS[claim.form]
    if claim.form is Form.regulatory_status:
        details = ", ".join(filter(None, (claim.authority, _period(claim), EXPIRED if is_expired else None)))
        lead += f" ({details})" if details else ""
    tone = Tone.caution if code is VerdictCode.official_warning or _tells_of_harm(claim) else Tone.neutral
    return WordedVerdict(VerdictRead(code=code, label=label, tone=tone), f"{lead}: {claim.statement}", None)


def _is_warning(claim: ClaimWrite) -> bool:
    """Contraindications, interactions and warnings; an approval or its absence is none, whatever its kind."""
    return claim.kind in HARM_KINDS or claim.effect in _WARNING_EFFECTS


def _tells_of_harm(claim: ClaimWrite) -> bool:
    """Whether the report of one study tells of a harm that occurred."""
    is_occurrence = claim.aspect is Aspect.occurrence or claim.effect in _OCCURRENCES
    return claim.form is Form.study_report and claim.kind in HARM_KINDS and is_occurrence


def _has_ended(claim: ClaimWrite, day: str | None) -> bool:
    known = max((date for date in (day, claim.reviewed_on, claim.as_of) if date), default=None)
    return claim.valid_to is not None and (known is None or claim.valid_to < known)


def _period(claim: ClaimWrite) -> str | None:
    if claim.valid_from and claim.valid_to:
        return f"{date_in_words(claim.valid_from)} to {date_in_words(claim.valid_to)}"
    if claim.valid_from or claim.valid_to:
        word = "since" if claim.valid_from else "until"
        return f"{word} {date_in_words(claim.valid_from or claim.valid_to or '')}"
    if claim.as_of:
        return f"as of {date_in_words(claim.as_of)}"
    return f"reviewed {date_in_words(claim.reviewed_on)}" if claim.reviewed_on else None


def worded_claim(
    claim: ClaimWrite, items: Sequence[CitationEvidence], graded: Grade, labels: dict[str, str]
) -> WordedVerdict:
    """The verdict on a claim of a form that gathers votes. `labels` has the names of cited drug labels by document.

    A claim that was published before claims had phrases gets its label as answer.
    """
    wording = claim.wording or _NO_WORDING
    finding = finding_of(claim, wording, items, graded, labels)
    code = verdict_code(finding)
    verdict = VerdictRead(code=code, label=code.label, tone=tone_of(finding, code))
    answer = answer_to(finding) if claim.wording else f"{code.label}."
    return WordedVerdict(verdict, answer, counts_text(finding, graded.units, items))


_NO_WORDING = ClaimWording(frame=Frame.mechanism, subject="This", verb=Verb.change, object="the outcome")


def finding_of(
    claim: ClaimWrite,
    wording: ClaimWording,
    items: Sequence[CitationEvidence],
    graded: Grade,
    labels: dict[str, str],
) -> VerdictBasis:
    current = [item for item in items if _is_current(item)]
    laboratory = [unit for unit in graded.units if not unit.human]
    favourable = [item for item in current if item.stance in (Stance.supports, Stance.mixed)]
    body, label = _body(items, current, graded, labels)
    has_direct = any(item.directness is not Directness.indirect for item in favourable)
    return VerdictBasis(
        wording=wording,
        consensus=graded.consensus,
        leaning=graded.leaning,
        certainty=graded.certainty,
        body=body,
        support=Support(
            direct=has_direct,
            at_other_doses=not has_direct and any(IndirectBecause.dose in i.indirect_because for i in favourable),
            some=bool(favourable),
        ),
        is_about_laboratory=claim.evidence_level in _LABORATORY_LEVELS,
        is_opposite=graded.opposite_share is not None and graded.opposite_share > Fraction(1, 2),
        is_weighable=graded.insufficient_reason is not InsufficientReason.not_weighable,
        laboratory_studies=len(laboratory),
        label=label,
    )


_BODIES = {
    AnsweringBody.primary: Body.studies,
    AnsweringBody.reviews: Body.reviews,
    AnsweringBody.laboratory: Body.laboratory,
}


def _body(
    items: Sequence[CitationEvidence], current: Sequence[CitationEvidence], graded: Grade, labels: dict[str, str]
) -> tuple[Body, str | None]:
    """What was found on the claim, and the name of the drug label if it is only that."""
    if graded.body is not None:
        return _BODIES[graded.body], None
    supporting = [item for item in current if item.stance is Stance.supports]
    label = next((item for item in supporting if item.role is CitationRole.label_), None)
    if label is not None:
        return Body.label, labels.get(label.document)
    if any(item.is_review for item in supporting):
        return Body.narrative, None
    if not items:
        return Body.uncited, None
    is_unread = any(item.stance is Stance.not_assessed for item in current)
    return (Body.not_read if is_unread else Body.context), None


# --- what interfaces show -----------------------------------------------------------------------------------------

_SAID_BY_THE_ANSWER = frozenset(_FORM_CODES.values())


def labelled_answer(verdict: VerdictRead, answer: str) -> str:
    """The label and the answer; of a record that votes do not decide the answer alone, which begins with its label."""
    return answer if verdict.code in _SAID_BY_THE_ANSWER else f"{verdict.label}. {answer}"


def claimed_text(answer: str, statement: str) -> str | None:
    """The statement, named as what is claimed; null if the answer quotes it."""
    return None if answer.endswith(statement) else f"What is claimed: {statement}"


# --- counts of citations, for pages that list them ----------------------------------------------------------------


def count_text(side: StanceCount) -> str:
    """`5 citations (4 studies, 1 review, 90 people)`."""
    numbers = (
        (side.studies, "study", "studies"),
        (side.reviews, "review", "reviews"),
        (side.participants, "person", "people"),
    )
    details = ", ".join(quantity(number, one, many) for number, one, many in numbers if number)
    citations = quantity(side.citations, "citation", "citations")
    return f"{citations} ({details})" if details else citations
