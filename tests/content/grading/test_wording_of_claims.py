"""The words of the verdicts on the claims of the data set."""

import pytest

from app.claims.vocabulary import Tone, VerdictCode
from app.datasets import bundle
from tests.conftest import SEED
from tests.content.grading.answers import ANSWERS, answers
from tests.grading.test_wording import Judged, badges, judged, sentences_that_count


@pytest.fixture(scope="module")
def claims() -> Judged:
    return judged(bundle.read(SEED))


def test_the_words_of_every_claim_are_those_that_were_read() -> None:
    assert ANSWERS.read_text(encoding="utf-8") == answers(), "Run tests.content.grading.answers, and read the diff"


def test_a_badge_of_no_claim_is_wrong(claims: Judged) -> None:
    assert badges(claims).keys() >= {"warning", "harm"}


NEUTRAL_CODES = {
    VerdictCode.not_read, VerdictCode.uncited, VerdictCode.no_study, VerdictCode.laboratory_only,
    VerdictCode.official_record, VerdictCode.one_study, VerdictCode.usage, VerdictCode.view, VerdictCode.definition_,
    VerdictCode.gap,
}  # fmt: skip
NEUTRAL_LEFTOVERS = {
    "ldn-central-sensitization": "mechanism, conflicting",
    "fibromyalgia-cytokines": "comparison, conflicting",
    "naltrexone-serious-adverse-events": "no harm, supported",
}
"""Claims that vote and are graded, and of which no row of the table says more than `neutral`."""


def test_what_is_neutral_for_want_of_a_row_is_known(claims: Judged) -> None:
    neutral = {
        claim.id
        for claim, evidence in claims
        if evidence.verdict.tone is Tone.neutral and evidence.verdict.code not in NEUTRAL_CODES
    }
    restating = {claim.id for claim, _ in claims if any(r.type == "restates" for r in claim.relations)}
    assert neutral - restating == set(NEUTRAL_LEFTOVERS)


def test_the_second_sentence_of_every_claim_counts_what_the_claim_counts(claims: Judged) -> None:
    assert sentences_that_count(claims) > 40


def test_a_patient_reads_of_pain_with_the_leaning_side_first(claims: Judged) -> None:
    (pain,) = (evidence for claim, evidence in claims if claim.id == "ldn-fibromyalgia-pain")
    assert pain.counts_text == (
        "Studies disagree: 3 randomised trials (255 people) found no difference that matters; 1 randomised trial and 4 "
        "other studies (185 people) found an effect; 1 more could not decide."
    )
