"""What the evidence says, as one sentence: the table of answers (`docs/method.md`, section 6). Pure."""

from collections.abc import Callable

from app.claims.vocabulary import (
    Certainty,
    Consensus,
    Frame,
    Leaning,
)
from app.core.english import inline
from app.grading.phrases import CONJUGATIONS
from app.grading.verdict import SURE, UNDECIDED, Body, VerdictBasis, verdict_code

_HARMS = (Frame.harm, Frame.no_harm)


def _is_insufficient(finding: VerdictBasis) -> bool:
    return verdict_code(finding) in UNDECIDED


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
    return f"{finding.disagreeing} on whether {finding.phrase.clause}"


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
            f"There are reports of {f.wording.object} with {f.drug or 'the same drug'} at other doses; it is "
            f"not known whether {f.phrase.clause}."
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
        lambda f: f.frame is Frame.harm and _leans_to_no_harm(f) and f.certainty not in SURE,
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
