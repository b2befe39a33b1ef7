"""Briefs of the data set: where each statement of the article stands, and what is said of pain and of other drugs."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.bibliography.from_documents import reference_of
from app.bibliography.styles import Style, format_reference
from app.briefs import selection as brief_claims
from app.briefs.rendering import html, markdown
from app.briefs.responses import BriefRead
from app.claims.models import Claim
from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import Coverage, RelationType
from app.core.vocabulary import Status
from app.grading.wording import NO_ALL_CLEAR
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from tests.briefs.test_briefs import (
    UNFIT,
    brief_of,
    placed,
    plain,
    sentences,
    test_a_record_is_not_said_twice,
    test_caveats_stand_in_every_format,
    test_every_sentence_is_cited_or_marked_uncited_and_its_numbers_lead_to_references,
    test_no_claim_stands_twice,
    test_references_are_numbered_once_in_the_order_of_first_appearance,
    test_too_little_evidence_never_reads_as_no_effect,
    visible,
)
from tests.conftest import Engine, opened

__all__ = [
    "test_a_record_is_not_said_twice",
    "test_caveats_stand_in_every_format",
    "test_every_sentence_is_cited_or_marked_uncited_and_its_numbers_lead_to_references",
    "test_no_claim_stands_twice",
    "test_references_are_numbered_once_in_the_order_of_first_appearance",
    "test_too_little_evidence_never_reads_as_no_effect",
]

ARTICLE = "swing-care-ldn-fibromyalgia"


@pytest.fixture(scope="session")
def session(engine: Engine) -> Iterator[Session]:
    with opened(engine.original) as database, database.read() as session:
        yield session


@pytest.fixture(scope="session")
def brief(session: Session) -> BriefRead:
    return brief_of(session, "low-dose-naltrexone", "fibromyalgia")


def test_every_statement_of_the_article_is_in_the_brief_or_hangs_on_one_that_is(
    session: Session, brief: BriefRead
) -> None:
    world, shown = CurrentRecords(session), placed(brief)
    claims: list[ClaimWrite] = [
        world.content(Key("claim", i))
        for i in session.scalars(select(Claim.id).where(Claim.status == Status.published))
    ]
    hanging = (RelationType.restates, RelationType.reports, RelationType.bears_on)
    of_article = [claim for claim in claims if any(origin.document == ARTICLE for origin in claim.origins)]

    missed = [
        claim.id
        for claim in of_article
        if claim.id not in shown and not any(r.claim in shown for r in claim.relations if r.type in hanging)
    ]

    assert len(of_article) >= 100
    assert missed == []
    assert [origin.id for origin in brief.origins] == [ARTICLE]


def test_a_claim_says_where_it_is_stated_and_how_each_place_fits_its_source(brief: BriefRead) -> None:
    statements = {s.claim_id: s for section in brief.sections for s in section.statements}

    origins = statements["ldn-endorphin-rebound"].origins

    assert len({(origin.section, origin.paragraph) for origin in origins}) >= 2
    assert all(origin.asserts and origin.fit_label for origin in origins)


def test_best_studied_benefit_comes_first_with_both_sides_beside_each_other(brief: BriefRead) -> None:
    (section,) = (section for section in brief.sections if section.id == "does-it-help")
    by_outcome = [s for s in section.statements if s.topic == "By outcome" and s.cited]
    pain = by_outcome[0]

    assert pain.claim_id == "ldn-fibromyalgia-pain"
    for_it = {found.document.id for found in pain.citations.supports}
    against = {found.document.id for found in pain.citations.disputes}
    assert "younger-2013" in for_it
    assert {"bested-2023", "bruun-2024", "rodriguez-freire-innova"} <= against
    assert all(found.finding for found in (*pain.citations.supports, *pain.citations.disputes))
    assert brief.notice.claim is not None
    assert brief.notice.claim.id == pain.claim_id
    assert brief.notice.summary == f"{pain.answer} {pain.counts_text}"


def test_reference_reads_as_in_the_bibliography(session: Session, brief: BriefRead) -> None:
    (younger,) = (r for r in brief.references if r.document.id == "younger-2013")
    document = CurrentRecords(session).content(Key("document", "younger-2013"))

    assert younger.text == format_reference(reference_of(document), Style.ama)
    assert younger.text.startswith("Younger J, Noor N, McCue R, Mackey S. Low-dose naltrexone for the treatment of")
    assert younger.text.endswith("2013;65(2):529-538. doi:10.1002/art.37734")
    assert (younger.pmid, younger.url) == ("23359310", "https://doi.org/10.1002/art.37734")


def test_the_answer_stands_before_what_is_claimed(brief: BriefRead) -> None:
    text, page = plain(markdown(brief)), " ".join(visible(html(brief, "en")).split())
    pain = next(s for s in sentences(brief) if s.claim_id == "ldn-fibromyalgia-pain")

    assert pain.answer == "Low-dose naltrexone may make little or no difference to pain in people with fibromyalgia."
    assert pain.verdict.label == "Conflicting, leaning against"
    for shown in (text, page):
        first, then = shown.index(pain.answer), shown.index(f"What is claimed: {pain.text}")
        assert first < then
        assert pain.counts_text is not None
        assert pain.counts_text in shown


def test_side_with_more_weight_is_read_first(brief: BriefRead) -> None:
    text, page = markdown(brief), html(brief, "en")

    pain = text[
        text.index("**Low-dose naltrexone may make little or no difference to pain in people with fibromyalgia.**") :
    ]
    card = page[page.index('id="claim-ldn-fibromyalgia-pain"') :]
    for found, first, then in (
        (pain, "- Disputing: ", "- Supporting: "),
        (card, "<h4>Disputing: ", "<h4>Supporting: "),
    ):
        assert found.index(first) < found.index(then)


def test_harms_of_the_parent_drug_stand_among_the_cautions_and_are_marked(brief: BriefRead) -> None:
    cautions = {s.claim_id: s for section in brief.sections if section.id == "cautions" for s in section.statements}

    assert {"naltrexone-opioid-contraindication", "naltrexone-liver-warning"} <= set(cautions)
    inherited = cautions["naltrexone-opioid-contraindication"].inherited_from
    assert inherited is not None
    assert inherited.id == "naltrexone"


def test_what_is_unknown_names_gaps_open_questions_and_undecided_outcomes(brief: BriefRead) -> None:
    questions = {question.id: question.coverage for question in brief.open_questions}

    assert questions["ldn-pregnancy"] is Coverage.not_searched
    assert "ldn-lupus" not in questions
    assert "ldn-fibromyalgia-fatigue" in {claim.id for claim in brief.undecided}
    assert placed(brief)["ldn-sleep-research-gap"] == "unknown"


def test_markdown_has_the_sections_in_reading_order_and_the_foot(brief: BriefRead) -> None:
    text = markdown(brief)

    assert re.findall(r"^# .*$", text, re.MULTILINE) == ["# Low-dose naltrexone and fibromyalgia"]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "What it is",
        "How it may work",
        "Does it help?",
        "Dosing",
        "Side effects",
        "Cautions",
        "What is unknown",
        "In other conditions",
        "References",
    ]
    topics = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert [t for t in topics if t in ("By outcome", "Contraindications", "Vivid dreams", "Open questions")] == [
        "By outcome",
        "Vivid dreams",
        "Contraindications",
        "Open questions",
    ]
    assert text.startswith(f"# {brief.title}\n\n> **Read first.** This is a record of published evidence")
    assert len(
        re.findall(r"^  - Record: \[([a-z0-9-]+)\]\(/v1/claims/\1\?serial=\d+\), version \d+$", text, re.MULTILINE)
    ) == sum(len(section.statements) for section in brief.sections)
    assert "Release 1 of the data set, serial 1. Consensus by consensus/1, certainty by grade-like/1." in text
    assert text.endswith("Data under A licence (X-1).\n")


def test_sentences_that_the_program_makes_keep_to_the_words_of_the_house(session: Session) -> None:
    statement, _, _ = brief_claims.pairs()
    world, made = CurrentRecords(session), list[str]()
    for row in session.execute(statement):
        brief = brief_of(session, row.intervention, row.condition, world)
        made += [brief.title, brief.coverage.sentence, brief.notice.summary]
        made += [text for s in brief.sections for text in (s.title, s.note or "", *(t.topic for t in s.statements))]
        made += [text for sentence in sentences(brief) for text in (sentence.answer, sentence.counts_text or "")]

    assert len(made) > 1000
    assert [text for text in made if UNFIT.search(text)] == []


def test_brief_on_another_drug_tells_of_that_drug(session: Session) -> None:
    shown = placed(brief_of(session, "pregabalin", "fibromyalgia"))

    assert shown["pregabalin-fibromyalgia-fda-approval"] == "what-it-is"
    assert shown["sublingual-cyclobenzaprine-fibromyalgia-fda-approval"] == "what-it-is"
    assert "fibromyalgia-cytokines" in shown
    assert not {"ldn-fibromyalgia-pain", "endorphins-own-painkillers", "naltrexone-opioid-contraindication"} & set(
        shown
    )


def test_question_that_was_searched_without_a_find_is_told_as_that(session: Session) -> None:
    brief = brief_of(session, "low-dose-naltrexone", "lupus")
    by_id = {section.id: section for section in brief.sections}

    assert brief.coverage.status is Coverage.searched_none_found
    assert NO_ALL_CLEAR in brief.coverage.sentence
    assert brief.notice.summary == brief.coverage.sentence
    assert by_id["does-it-help"].statements == ()
    assert by_id["does-it-help"].note == f"Nothing is recorded here. {NO_ALL_CLEAR}"
    assert "ldn-lupus" in {question.id for question in brief.open_questions}


def test_known_pair_without_evidence_has_a_brief_that_says_so(session: Session) -> None:
    brief = brief_of(session, "disulfiram", "lupus")

    assert brief.coverage.status is Coverage.not_searched
    assert list(sentences(brief)) == []
    assert brief.references == ()
    assert NO_ALL_CLEAR in markdown(brief)
    assert NO_ALL_CLEAR in html(brief, "en")


def test_a_brief_that_would_be_too_long_shows_what_matters_most_and_says_that_there_is_more(
    session: Session, brief: BriefRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brief_claims, "MAX_BYTES", 400_000)

    short = brief_of(session, "low-dose-naltrexone", "fibromyalgia")

    assert 300_000 < len(short.model_dump_json()) < 450_000
    assert not any(section.truncated for section in brief.sections)
    whole = {section.id: len(section.statements) for section in brief.sections}
    assert [s.truncated for s in short.sections] == [len(s.statements) < whole[s.id] for s in short.sections]
    helps, elsewhere = (next(s for s in short.sections if s.id == name) for name in ("does-it-help", "elsewhere"))
    assert (helps.truncated, elsewhere.truncated) == (False, True)
