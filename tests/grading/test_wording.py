"""The words of verdicts: true to the tables of the method, grammatical, and never greener than the evidence."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from app.claims.responses import ClaimEvidence
from app.claims.rules import FRAME_VERBS, VOTING_FORMS, claim_faults
from app.claims.schemas import ClaimWording, ClaimWrite
from app.claims.vocabulary import Certainty, Consensus, Frame, Leaning, Tone, Verb, VerdictCode
from app.core.vocabulary import Status
from app.grading.answer import answer_to
from app.grading.derive import computed_claim
from app.grading.phrases import CONJUGATIONS
from app.grading.verdict import Body, VerdictBasis, tone_of, verdict_code
from app.grading.wording import search_text
from app.publishing.changes import Change
from app.storage.records import RecordsInMemory
from app.storage.resource import Key
from tests import neutral
from tests.factories import citation, record, small_data_set, wording
from tests.grading import verdict_cases

HEDGES = ("may", "might", "could", "probably", "possibly", "perhaps", "seems", "appears", "likely")
AUDIT_WORDS = ("not checked", "in anything read", "unit", "weight", "stance", "R5", "R6", "N1")


def sentences() -> Iterator[tuple[str, str]]:
    """Every answer of the grid, with its case."""
    for name, phrases in verdict_cases.PHRASES.items():
        for case, finding in verdict_cases.cases(phrases):
            yield f"{name}: {case}", answer_to(finding)


Judged = list[tuple[ClaimWrite, ClaimEvidence]]
"""Claims with what the method says of them."""


def judged(changes: Iterable[Change]) -> Judged:
    """The published claims among all records of a data set."""
    contents = {change.key: change.content for change in changes}
    records = RecordsInMemory(contents)
    published = [c for c in contents.values() if isinstance(c, ClaimWrite) and c.status is Status.published]
    return [(claim, computed_claim(records, claim, None).evidence) for claim in published]


def decided() -> Iterator[Change]:
    """A benefit and a harm that two large trials found, beside what the neutral data set says."""
    yield from neutral.records()
    citations = []
    for number in (1, 2):
        trial, paper = f"large-trial-{number}", f"large-paper-{number}"
        yield record(
            "study", trial, participants=600, analysed=600, comparator="placebo", blinding="double_blind",
            conditions=["gripes"],
        )  # fmt: skip
        yield record("document", paper, studies=[{"study": trial, "role": "primary"}])
        citations.append((paper, trial))
    for claim, fields in (
        ("benefit-found", {"outcome": "pain"}),
        (
            "harm-found",
            {
                "kind": "safety", "effect": "causes", "outcome": None, "side_effects": ["insomnia"],
                "aspect": "occurrence",
            },
        ),
    ):  # fmt: skip
        yield record(
            "claim",
            claim,
            intervention=neutral.LOW_DOSE,
            conditions=["gripes"],
            **fields,
            citations=[citation(f"{claim}-{paper}", paper, trial) for paper, trial in citations],
        )


@pytest.fixture(scope="module")
def claims() -> Judged:
    return judged(decided())


# --- what is read line by line ------------------------------------------------------------------------------------


def test_the_words_of_the_grid_are_those_that_were_read() -> None:
    read = verdict_cases.GRID.read_text(encoding="utf-8")
    assert read == verdict_cases.grid(), "Run tests.grading.verdict_cases, and read the diff"


# --- grammar ------------------------------------------------------------------------------------------------------


def clauses(sentence: str) -> list[str]:
    return re.split(r"[,.;:()]", sentence)


def test_no_clause_has_two_hedges_or_two_negations() -> None:
    for case, sentence in sentences():
        for clause in clauses(sentence):
            words = re.findall(r"[a-z']+", clause.casefold())
            assert sum(word in HEDGES for word in words) <= 1, (case, sentence)
            assert sum(word in ("not", "no", "nobody", "none") for word in words) <= 1 + ("little or no" in clause), (
                case
            )


def test_an_answer_is_one_sentence_without_words_of_the_method() -> None:
    for case, sentence in sentences():
        assert sentence[0].isupper(), case
        assert sentence.endswith("."), case
        assert "  " not in sentence, case
        assert not any(word in sentence for word in AUDIT_WORDS), (case, sentence)


@pytest.mark.parametrize("phrases", verdict_cases.PHRASES.values(), ids=verdict_cases.PHRASES)
def test_verbs_agree_with_their_subject(phrases: ClaimWording) -> None:
    wrong = ("make", "increase", "are", "have") if not phrases.plural else ("makes", "increases", "is", "has")
    subject = phrases.subject
    for case, finding in verdict_cases.cases(phrases):
        sentence = answer_to(finding)
        assert not any(f"{subject} {verb} " in sentence for verb in wrong), (case, sentence)


def test_opposites_belong_together() -> None:
    for verb, conjugation in CONJUGATIONS.items():
        opposite = conjugation.opposite
        if opposite is not None and verb is not Verb.ease and verb is not Verb.have_fewer:
            assert CONJUGATIONS[opposite].opposite is verb
    assert set(CONJUGATIONS) == set(Verb)


# --- codes and tones ----------------------------------------------------------------------------------------------


def test_only_a_supported_benefit_at_low_certainty_or_better_is_favourable() -> None:
    for phrases in verdict_cases.PHRASES.values():
        for case, finding in verdict_cases.cases(phrases):
            tone = tone_of(finding, verdict_code(finding))
            is_supported = finding.consensus in (Consensus.unanimous, Consensus.mostly) and finding.body is Body.studies
            expected = (
                finding.frame is Frame.benefit
                and is_supported
                and finding.leaning is Leaning.supports
                and finding.certainty in (Certainty.high, Certainty.moderate, Certainty.low)
            )
            assert (tone is Tone.favourable) == expected, case


def test_a_supported_or_conflicting_harm_is_a_caution() -> None:
    for case, finding in verdict_cases.cases(verdict_cases.PHRASES["harm"]):
        is_for = finding.body is Body.studies and finding.leaning is Leaning.supports
        is_decided = finding.consensus in (Consensus.unanimous, Consensus.mostly)
        if finding.consensus is Consensus.conflicting or (is_for and is_decided):
            assert tone_of(finding, verdict_code(finding)) is Tone.caution, case


def test_the_absence_of_a_harm_is_never_good_news() -> None:
    tones = {tone_of(f, verdict_code(f)) for _, f in verdict_cases.cases(verdict_cases.PHRASES["no harm"])}
    assert tones == {Tone.caution, Tone.unclear, Tone.neutral}


def test_a_badge_drawn_from_the_verdict_alone_is_never_wrong(claims: Judged) -> None:
    """Green for benefits that are supported, and for nothing else; harms and warnings are marked."""
    assert badges(claims).keys() == {"benefit", "warning", "harm"}


def badges(claims: Judged) -> Counter[str]:
    """How many there are of those that must be right."""
    supported = (VerdictCode.supported, VerdictCode.mostly_supported)
    looked_at = Counter[str]()
    for claim, evidence in claims:
        verdict = evidence.verdict
        if verdict.tone is Tone.favourable:
            assert claim.wording is not None, claim.id
            assert claim.wording.frame is Frame.benefit, claim.id
            assert verdict.code in supported, claim.id
            looked_at["benefit"] += 1
        if verdict.code is VerdictCode.official_warning:
            assert verdict.tone is Tone.caution, claim.id
            looked_at["warning"] += 1
        is_harm = claim.wording is not None and claim.wording.frame is Frame.harm
        if is_harm and verdict.code in (*supported, VerdictCode.weak_for):
            assert verdict.tone is Tone.caution, claim.id
            looked_at["harm"] += 1
    return looked_at


# --- the phrases --------------------------------------------------------------------------------------------------


def claim_with(phrases: object, **fields: object) -> ClaimWrite:
    content = record("claim", "one", wording=phrases, **fields).content
    assert isinstance(content, ClaimWrite)
    return content


def test_a_claim_that_gathers_votes_needs_phrases() -> None:
    assert ("wording", "is required for form general_effect: frame, subject, verb and object of the answer") in (
        claim_faults(claim_with(None))
    )
    assert not claim_faults(claim_with(None, status="retired"))


def test_other_forms_have_none() -> None:
    faults = claim_faults(claim_with(wording(), form="usage", kind="background", intervention=None))
    assert "wording" in dict(faults)


@pytest.mark.parametrize(
    ("field", "phrases"),
    [
        ("wording.object", wording(object="pain, which may go away")),
        ("wording.object", wording(object="no pain")),
        ("wording.object", wording(object="pain that doesn't go")),
        ("wording.object", wording(object="pain by 30 %")),
        ("wording.object", wording(object="pain in three people")),
        ("wording.object", wording(object="pain in people with type 2 diabetes by 3 points")),
        ("wording.object", wording(object="pain.")),
        ("wording.verb", wording(verb="cause", frame="state")),
        ("wording.verb", wording("harm", verb="improve")),
        ("wording.verb", wording(verb="have_more")),
        ("wording.other_group", wording("comparison", verb="have_more")),
        ("wording.other_group", wording(other_group="healthy people")),
        ("wording.limit", wording(limit="in trials")),
    ],
)
def test_phrases_that_would_not_fit_every_answer_are_refused(field: str, phrases: object) -> None:
    assert [name for name, _ in claim_faults(claim_with(phrases))] == [field]


@pytest.mark.parametrize(
    "phrase",
    ["the receptor TLR4 and interleukin-1beta", "weight in type 2 diabetes", "decline in stage 3 kidney disease"],
)
def test_names_with_digits_are_no_numbers(phrase: str) -> None:
    assert not claim_faults(claim_with(wording(object=phrase)))


def test_every_frame_has_verbs() -> None:
    assert all(FRAME_VERBS.get(frame, True) for frame in Frame)


# --- restatements, records, searches ------------------------------------------------------------------------------


def test_a_restatement_shows_the_answer_of_the_claim_it_restates() -> None:
    contents = {change.key: change.content for change in small_data_set()}
    records = RecordsInMemory(contents)
    restated, restating = (
        computed_claim(records, contents[Key("claim", claim_id)], None).evidence  # type: ignore[arg-type]
        for claim_id in ("drug-eases-ache", "low-dose-eases-ache")
    )
    assert (restating.verdict, restating.answer, restating.counts_text) == (
        restated.verdict,
        restated.answer,
        restated.counts_text,
    )
    assert restating.consensus is Consensus.uncited


def test_a_circle_of_restatements_leads_nowhere() -> None:
    one = record("claim", "one", relations=[{"type": "restates", "claim": "two"}])
    assert isinstance(one.content, ClaimWrite)
    two = record("claim", "two", relations=[{"type": "restates", "claim": "one"}])
    records = RecordsInMemory({change.key: change.content for change in (*small_data_set(), one, two)})
    assert computed_claim(records, one.content, None).evidence.verdict.code is VerdictCode.uncited


def official(**fields: object) -> ClaimWrite:
    content = record(
        "claim",
        "official",
        form="regulatory_status",
        kind="regulatory",
        effect="approved",
        authority="FDA",
        jurisdiction="US",
        statement="The drug is approved.",
        **fields,
    ).content
    assert isinstance(content, ClaimWrite)
    return content


@pytest.mark.parametrize(
    ("fields", "day", "label", "answer"),
    [
        ({"as_of": "2026-11-22"}, None, "Official record", "Official record (FDA, as of 22 November 2026)"),
        ({"valid_from": "2009-01"}, None, "Official record", "Official record (FDA, since January 2009)"),
        (
            {"valid_from": "2009", "valid_to": "2025-08-14"},
            "2025-08-15",
            "Official record, no longer in force",
            "Official record (FDA, 2009 to 14 August 2025, no longer in force)",
        ),
        (
            {"valid_from": "2009", "valid_to": "2025-08-14"},
            "2025-08-14",
            "Official record",
            "Official record (FDA, 2009 to 14 August 2025)",
        ),
        ({"reviewed_on": "2026-11-22"}, None, "Official record", "Official record (FDA, reviewed 22 November 2026)"),
    ],
)
def test_an_official_record_names_authority_and_date(
    fields: dict[str, object], day: str | None, label: str, answer: str
) -> None:
    claim = official(**fields)
    evidence = computed_claim(RecordsInMemory({}), claim, day).evidence
    assert (evidence.verdict.label, evidence.answer) == (label, f"{answer}: The drug is approved.")
    assert evidence.verdict.tone is Tone.neutral
    assert evidence.counts_text is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": "interaction", "effect": "contraindicated"}, VerdictCode.official_warning),
        ({"kind": "safety", "effect": "not_applicable"}, VerdictCode.official_warning),
        ({"kind": "regulatory", "effect": "not_approved"}, VerdictCode.official_record),
    ],
)
def test_warnings_of_an_authority_are_cautions(fields: dict[str, object], code: VerdictCode) -> None:
    claim = official().model_copy(update=fields)
    verdict = computed_claim(RecordsInMemory({}), claim, None).evidence.verdict
    assert verdict.code is code
    assert (verdict.tone is Tone.caution) == (code is VerdictCode.official_warning)


@pytest.mark.parametrize("form", sorted(VOTING_FORMS))
def test_a_claim_without_phrases_has_its_label_as_answer(form: str) -> None:
    claim = claim_with(None, form=form)
    evidence = computed_claim(RecordsInMemory({}), claim, None).evidence
    assert evidence.answer == f"{evidence.verdict.label}."


def test_an_empty_search_says_when_and_how_thorough() -> None:
    assert search_text("2026-11-22", is_limited=True) == "A limited search on 22 November 2026 found no study of this."
    assert search_text(None, is_limited=False) == "A search, whose day was not noted, found no study of this."


def test_the_opposite_is_said_only_where_most_disputing_weight_found_it() -> None:
    benefit = VerdictBasis(
        verdict_cases.PHRASES["benefit"],
        Consensus.mostly,
        Leaning.disputes,
        Certainty.low,
        Body.studies,
        is_opposite=True,
    )
    assert answer_to(benefit) == "Low-dose zelvane may increase pain in people with murmuria."


# --- counts -------------------------------------------------------------------------------------------------------


def test_the_second_sentence_counts_what_the_claim_counts(claims: Judged) -> None:
    assert sentences_that_count(claims) == 11


def sentences_that_count(claims: Judged) -> int:
    """How many were found; each has one set of counts: its studies are those of `evidence.counts`."""
    checked = 0
    for claim, evidence in claims:
        if (
            evidence.counts is None
            or evidence.counts_text is None
            or any(r.type == "restates" for r in claim.relations)
        ):
            continue
        text = evidence.counts_text.split(" Reviews of trials:")[0]
        studies = sum(
            int(number.replace(",", ""))
            for number in re.findall(r"([\d,]+) (?:randomised trial|other stud|laboratory stud|stud)", text)
        )
        more = sum(int(number) for number in re.findall(r"(\d+) more (?:could not decide|cannot be weighed)", text))
        sides = evidence.counts
        expected = sum(
            side.studies for side in (sides.supports, sides.disputes, sides.mixed, sides.undecided, sides.not_weighable)
        )
        assert studies + more == expected, (claim.id, text)
        checked += 1
    return checked


def test_a_patient_reads_both_sides_with_the_leaning_one_first(claims: Judged) -> None:
    (pain,) = (evidence for claim, evidence in claims if claim.id == neutral.CONTESTED)
    assert pain.counts_text == (
        "Studies disagree: 2 randomised trials (157 people) found no difference that matters; 1 randomised trial "
        "(31 people) found an effect; 1 more could not decide."
    )
