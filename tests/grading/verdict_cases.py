"""The words of verdicts as a file that is read line by line: a grid of cases.

`python -m tests.grading.verdict_cases` writes it anew. Read what changes as a patient would.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

from app.claims.schemas import ClaimWording
from app.claims.vocabulary import Certainty, Consensus, Frame, Leaning, Verb
from app.grading.answer import answer_to
from app.grading.verdict import Body, Support, VerdictBasis, tone_of, verdict_code

GRID = Path(__file__).with_name("verdict_grid.txt")


PHRASES = {
    "benefit": ClaimWording(
        frame=Frame.benefit,
        subject="Low-dose zelvane",
        verb=Verb.reduce,
        object="pain in people with murmuria",
    ),
    "harm": ClaimWording(frame=Frame.harm, subject="Low-dose zelvane", verb=Verb.cause, object="vivid dreams"),
    "harm, plural": ClaimWording(
        frame=Frame.harm, subject="Murmuria drugs", plural=True, verb=Verb.increase, object="dizziness"
    ),
    "no harm": ClaimWording(
        frame=Frame.no_harm,
        subject="Zelvane by mouth at any dose",
        verb=Verb.increase,
        object="serious adverse events",
        limit="in trials that left out people who use lorts",
    ),
    "comparison": ClaimWording(
        frame=Frame.comparison,
        subject="People with murmuria",
        plural=True,
        verb=Verb.have_higher,
        object="blood levels of some cytokines",
        other_group="healthy people",
    ),
    "state": ClaimWording(
        frame=Frame.state,
        subject="Early worsening on low-dose zelvane",
        verb=Verb.be,
        object="short-lived in most people",
    ),
    "state, plural": ClaimWording(
        frame=Frame.state,
        subject="The side effects of low-dose zelvane",
        plural=True,
        verb=Verb.be,
        object="mild in most people",
    ),
    "mechanism": ClaimWording(
        frame=Frame.mechanism,
        subject="Low-dose zelvane",
        verb=Verb.raise_,
        object="the body's own glow in people",
    ),
    "mechanism without an opposite": ClaimWording(
        frame=Frame.mechanism, subject="Zelvane", verb=Verb.block, object="lort receptors"
    ),
}
_DECIDED = (Consensus.unanimous, Consensus.mostly, Consensus.conflicting)
_SIDES = (Leaning.supports, Leaning.disputes)
_LEVELS = (Certainty.high, Certainty.moderate, Certainty.low, Certainty.very_low)


def cases(wording: ClaimWording) -> Iterator[tuple[str, VerdictBasis]]:
    """Each case of the tables for the phrases of one claim, with its name."""
    plain = VerdictBasis(wording, Consensus.mostly, Leaning.supports, Certainty.low, Body.studies, drug="zelvane")
    for body in (Body.uncited, Body.not_read, Body.label, Body.narrative, Body.context):
        label = "Zelvane tablet label (DailyMed)" if body is Body.label else None
        yield body.value, replace(plain, consensus=Consensus.insufficient, body=body, label=label)
    for number in (1, 2):
        laboratory = replace(plain, body=Body.laboratory, laboratory_studies=number)
        yield f"laboratory ({number}), on people", laboratory
        for leaning in Leaning:
            on_itself = replace(laboratory, is_about_laboratory=True, leaning=leaning)
            yield f"laboratory ({number}), on the laboratory, {leaning}", on_itself
    undecided = replace(plain, consensus=Consensus.insufficient, certainty=Certainty.very_low)
    yield "insufficient, not weighable", replace(undecided, is_weighable=False)
    yield "insufficient, direct support", replace(undecided, support=Support(direct=True, some=True))
    yield "insufficient, other doses", replace(undecided, support=Support(at_other_doses=True, some=True))
    yield "insufficient, other support", replace(undecided, support=Support(some=True))
    yield "insufficient", undecided
    for body in (Body.studies, Body.reviews):
        neither = replace(plain, consensus=Consensus.conflicting, leaning=Leaning.neither, body=body)
        yield f"conflicting, neither, {body}", replace(neither, certainty=Certainty.very_low)
    for consensus, leaning, certainty in product(_DECIDED, _SIDES, _LEVELS):
        decided = replace(plain, consensus=consensus, leaning=leaning, certainty=certainty)
        yield f"{consensus}, {leaning}, {certainty}", decided
        if leaning is Leaning.disputes:
            yield f"{consensus}, {leaning}, {certainty}, the opposite", replace(decided, is_opposite=True)


def grid() -> str:
    """Each case for each frame: label and tone, and below it the answer."""
    return "\n".join(f"{name.upper()}\n{''.join(_case(*case) for case in cases(PHRASES[name]))}" for name in PHRASES)


def _case(name: str, finding: VerdictBasis) -> str:
    code = verdict_code(finding)
    return f"{name}: {code.label} ({code}, {tone_of(finding, code)})\n  {answer_to(finding)}\n"


if __name__ == "__main__":
    GRID.write_text(grid(), encoding="utf-8")
