"""The words of verdicts as two files that are read line by line: of every claim of the data set, and a grid of cases.

`python -m tests.contract.golden.verdicts` writes both anew. Read what changes as a patient would.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

from app.claims.schemas import ClaimWording, ClaimWrite
from app.claims.vocabulary import Certainty, Consensus, Frame, Leaning, Verb
from app.core.vocabulary import Status
from app.datasets import bundle
from app.grading.answer import answer_to
from app.grading.derive import computed_claim
from app.grading.verdict import Body, Support, VerdictBasis, tone_of, verdict_code
from app.storage.records import RecordsInMemory

SEED = Path("seed_data")
ANSWERS = Path(__file__).with_name("verdict_answers.txt")
GRID = Path(__file__).with_name("verdict_grid.txt")


def answers() -> str:
    """Verdict, answer and counts of every published claim."""
    contents = {change.key: change.content for change in bundle.read(SEED)}
    records = RecordsInMemory(contents)
    claims = [content for content in contents.values() if isinstance(content, ClaimWrite)]
    published = sorted((c for c in claims if c.status is Status.published), key=lambda claim: claim.id)
    return "\n".join(_claim(records, claim) for claim in published)


def _claim(records: RecordsInMemory, claim: ClaimWrite) -> str:
    evidence = computed_claim(records, claim, None).evidence
    counts = f"  {evidence.counts_text}\n" if evidence.counts_text else ""
    claimed = "" if evidence.answer.endswith(claim.statement) else f"  Claimed: {claim.statement}\n"
    verdict = evidence.verdict
    return f"{claim.id}: {verdict.label} ({verdict.code}, {verdict.tone})\n  {evidence.answer}\n{counts}{claimed}"


PHRASES = {
    "benefit": ClaimWording(
        frame=Frame.benefit,
        subject="Low-dose naltrexone",
        verb=Verb.reduce,
        object="pain in people with fibromyalgia",
    ),
    "harm": ClaimWording(frame=Frame.harm, subject="Low-dose naltrexone", verb=Verb.cause, object="vivid dreams"),
    "harm, plural": ClaimWording(
        frame=Frame.harm, subject="Fibromyalgia drugs", plural=True, verb=Verb.increase, object="dizziness"
    ),
    "no harm": ClaimWording(
        frame=Frame.no_harm,
        subject="Naltrexone by mouth at any dose",
        verb=Verb.increase,
        object="serious adverse events",
        limit="in trials that left out people who use opioids",
    ),
    "comparison": ClaimWording(
        frame=Frame.comparison,
        subject="People with fibromyalgia",
        plural=True,
        verb=Verb.have_higher,
        object="blood levels of some cytokines",
        other_group="healthy people",
    ),
    "state": ClaimWording(
        frame=Frame.state,
        subject="Early worsening on low-dose naltrexone",
        verb=Verb.be,
        object="short-lived in most people",
    ),
    "state, plural": ClaimWording(
        frame=Frame.state,
        subject="The side effects of low-dose naltrexone",
        plural=True,
        verb=Verb.be,
        object="mild in most people",
    ),
    "mechanism": ClaimWording(
        frame=Frame.mechanism,
        subject="Low-dose naltrexone",
        verb=Verb.raise_,
        object="the body's own endorphins in people",
    ),
    "mechanism without an opposite": ClaimWording(
        frame=Frame.mechanism, subject="Naltrexone", verb=Verb.block, object="opioid receptors"
    ),
}
_DECIDED = (Consensus.unanimous, Consensus.mostly, Consensus.conflicting)
_SIDES = (Leaning.supports, Leaning.disputes)
_LEVELS = (Certainty.high, Certainty.moderate, Certainty.low, Certainty.very_low)


def cases(wording: ClaimWording) -> Iterator[tuple[str, VerdictBasis]]:
    """Each case of the tables for the phrases of one claim, with its name."""
    plain = VerdictBasis(wording, Consensus.mostly, Leaning.supports, Certainty.low, Body.studies, drug="naltrexone")
    for body in (Body.uncited, Body.not_read, Body.label, Body.narrative, Body.context):
        label = "Naltrexone tablet label (DailyMed)" if body is Body.label else None
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
    ANSWERS.write_text(answers(), encoding="utf-8")
    GRID.write_text(grid(), encoding="utf-8")
