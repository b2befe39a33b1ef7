"""Briefs over the neutral data set, and over scratch records that try to break them."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest
from rich.markdown import Markdown
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.bibliography.from_documents import reference_of
from app.bibliography.styles import Style, format_reference
from app.briefs import builder as briefs
from app.briefs import selection as brief_claims
from app.briefs.rendering import html, markdown
from app.briefs.responses import BriefFoot, BriefRead, Sentence
from app.briefs.wording import side
from app.claims.models import Claim
from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import Coverage, RelationType, Stance
from app.concepts.manifest import DataLicence
from app.concepts.models import Concept
from app.core.vocabulary import Status
from app.grading.wording import NO_ALL_CLEAR
from app.publishing.changes import Change
from app.sources.vocabulary import Standing
from app.storage.database import Database
from app.storage.records import CurrentRecords
from app.storage.resource import Key
from app.storage.rows import key_of
from tests import neutral
from tests.conftest import Engine, opened
from tests.factories import amended, citation, content, put, record, standing, wording

ARTICLE = "hopeful-article"
PAIN, MECHANISM, GAP = neutral.CONTESTED, "ldz-dims-the-glow", "ldz-sleep-gap"
FOOT = BriefFoot(
    release="1",
    serial=1,
    consensus_method="consensus/1",
    certainty_method="grade-like/1",
    licence=DataLicence(name="A licence", spdx="X-1", url="https://example.org/licence"),
)
UNFIT = re.compile(r"\b(failed|proved|proves|proven|works|safe|safely|natural|boosts)\b", re.IGNORECASE)


def brief_of(session: Session, intervention: str, condition: str, world: CurrentRecords | None = None) -> BriefRead:
    keys = key_of(session, Concept, intervention, "intervention"), key_of(session, Concept, condition, "condition")
    pair = brief_claims.pair_of(session, *keys)
    return briefs.build(session, world or CurrentRecords(session), pair, brief_claims.claim_ids(session, pair), FOOT)


def scratch_brief(database: Database, intervention: str, condition: str) -> BriefRead:
    with database.read() as session:
        return brief_of(session, intervention, condition)


def sentences(brief: BriefRead) -> Iterator[Sentence]:
    for section in brief.sections:
        for statement in section.statements:
            yield statement
            yield from statement.restated_by


def placed(brief: BriefRead) -> dict[str, str]:
    """Claim id → id of the section in which it stands."""
    return {
        sentence.claim_id: section.id
        for section in brief.sections
        for statement in section.statements
        for sentence in (statement, *statement.restated_by)
    }


def origin(position: int, asserts: str) -> dict[str, Any]:
    """A place of the article."""
    place = {"document": ARTICLE, "position": position, "section": f"Section {position // 10}", "paragraph": 1}
    return place | {"asserts": asserts, "hedge": "suggests", "fit": "not_checked"}


def more() -> Iterator[Change]:
    """What fills the sections that the neutral data set leaves empty, and what belongs to another drug."""
    low_dose, murmuria = neutral.LOW_DOSE, [neutral.CONDITION]
    none = {"effect": "not_applicable", "outcome": None}
    yield record(
        "claim", MECHANISM, kind="mechanism", effect="decreases", intervention=low_dose, conditions=[], outcome=None,
        mechanisms=["glow"], evidence_level="cell", wording=wording("mechanism", verb="reduce", object="the glow"),
        origins=[origin(40, "It dims the glow."), origin(50, "The glow is less.")],
    )  # fmt: skip
    yield record(
        "claim", "ldz-pain-again", intervention=low_dose, conditions=murmuria,
        origins=[origin(60, "Less pain, once more.")], relations=[{"type": "restates", "claim": PAIN}],
    )  # fmt: skip
    yield record("claim", GAP, kind="research_gap", form="gap", intervention=low_dose, conditions=murmuria, **none)
    yield record(
        "claim", "ldz-titration-advice", kind="dosing", form="usage", intervention=low_dose, conditions=murmuria,
        dosing_range="ldz-titration", **none,
    )  # fmt: skip
    yield record(
        "claim", "comparine-approval", kind="regulatory", form="regulatory_status", intervention="comparine",
        conditions=murmuria, authority="FDA", jurisdiction="US", as_of="2026-01-01",
        **(none | {"effect": "approved"}),
    )  # fmt: skip
    yield record(
        "claim", "murmuria-glows", kind="mechanism", form="association", effect="increases", intervention=None,
        conditions=murmuria, outcome=None, mechanisms=["glow"], evidence_level="human_biomarker",
        wording=wording(
            "comparison", subject="People with murmuria", plural=True, verb="have_higher", object="a glow",
            other_group="healthy people",
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def session(engine: Engine) -> Iterator[Session]:
    url = engine.copy("briefs")
    with opened(url) as database:
        put(database, *(amended(claim, statement=f"It is said of {claim.key.id}.") for claim in more()))
        with database.read() as session:
            yield session
    engine.drop(url)


@pytest.fixture(scope="session")
def brief(session: Session) -> BriefRead:
    return brief_of(session, "low-dose-zelvane", "murmuria")


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

    assert len(of_article) == 6
    assert missed == []
    assert [origin.id for origin in brief.origins] == [ARTICLE]


def test_no_claim_stands_twice(brief: BriefRead) -> None:
    ids = [sentence.claim_id for sentence in sentences(brief)]

    assert len(ids) == len(set(ids))


def test_a_claim_says_where_it_is_stated_and_how_each_place_fits_its_source(brief: BriefRead) -> None:
    statements = {s.claim_id: s for section in brief.sections for s in section.statements}

    origins = statements[MECHANISM].origins

    assert len({(origin.section, origin.paragraph) for origin in origins}) >= 2
    assert all(origin.asserts and origin.fit_label for origin in origins)


def test_best_studied_benefit_comes_first_with_both_sides_beside_each_other(brief: BriefRead) -> None:
    (section,) = (section for section in brief.sections if section.id == "does-it-help")
    by_outcome = [s for s in section.statements if s.topic == "By outcome" and s.cited]
    pain = by_outcome[0]

    assert pain.claim_id == PAIN
    for_it = {found.document.id for found in pain.citations.supports}
    against = {found.document.id for found in pain.citations.disputes}
    assert "alder-2013" in for_it
    assert against == {"birch-2024", "cedar-2025"}
    assert all(found.finding for found in (*pain.citations.supports, *pain.citations.disputes))
    assert brief.notice.claim is not None
    assert brief.notice.claim.id == pain.claim_id
    assert brief.notice.summary == f"{pain.answer} {pain.counts_text}"


def test_side_with_more_weight_is_read_first(brief: BriefRead) -> None:
    text, page = markdown(brief), html(brief, "en")

    pain = text[text.index("**Low-dose zelvane may make little or no difference to pain in people with murmuria.**") :]
    card = page[page.index(f'id="claim-{PAIN}"') :]
    for found, first, then in (
        (pain, "- Disputing: ", "- Supporting: "),
        (card, "<h4>Disputing: ", "<h4>Supporting: "),
    ):
        assert found.index(first) < found.index(then)


def test_every_sentence_is_cited_or_marked_uncited_and_its_numbers_lead_to_references(brief: BriefRead) -> None:
    references = {reference.number: reference.document.id for reference in brief.references}
    text, page = markdown(brief), html(brief, "en")

    for sentence in sentences(brief):
        assert sentence.cited == bool(sentence.footnotes)
        assert [references[note.number] for note in sentence.footnotes] == [n.document.id for n in sentence.footnotes]
        sides = [found.citation_id for stance in Stance for found in side(sentence, stance)]
        assert sorted(sides) == sorted(note.citation_id for note in sentence.footnotes)
    uncited = sum(not sentence.cited for sentence in sentences(brief))
    assert uncited > 0
    assert text.count("(uncited)") == page.count('class="uncited"') == uncited


def test_references_are_numbered_once_in_the_order_of_first_appearance(brief: BriefRead) -> None:
    seen = dict.fromkeys(note.document.id for sentence in sentences(brief) for note in sentence.footnotes)

    assert [reference.document.id for reference in brief.references] == list(seen)
    assert [reference.number for reference in brief.references] == list(range(1, len(seen) + 1))


def test_reference_reads_as_in_the_bibliography(session: Session, brief: BriefRead) -> None:
    (alder,) = (r for r in brief.references if r.document.id == "alder-2013")
    document = CurrentRecords(session).content(Key("document", "alder-2013"))

    assert alder.text == format_reference(reference_of(document), Style.ama)
    reference = (
        "Alder A, Leaf B. What zelvane did, as told by Alder. J Invent Res. 2013;1(2):1-10. doi:10.5555/zelvane.1"
    )
    assert alder.text == reference
    assert (alder.pmid, alder.url) == ("99900001", "https://doi.org/10.5555/zelvane.1")


def test_the_answer_stands_before_what_is_claimed(brief: BriefRead) -> None:
    text, page = plain(markdown(brief)), " ".join(visible(html(brief, "en")).split())
    pain = next(s for s in sentences(brief) if s.claim_id == PAIN)

    assert pain.answer == "Low-dose zelvane may make little or no difference to pain in people with murmuria."
    assert pain.verdict.label == "Conflicting, leaning against"
    for shown in (text, page):
        first, then = shown.index(pain.answer), shown.index(f"What is claimed: {pain.text}")
        assert first < then
        assert pain.counts_text is not None
        assert pain.counts_text in shown


def test_a_record_is_not_said_twice(brief: BriefRead) -> None:
    records = [s for s in sentences(brief) if s.answer.endswith(s.text)]
    text = plain(markdown(brief))

    assert records
    assert [s.claim_id for s in records if f"What is claimed: {s.text}" in text] == []


def test_too_little_evidence_never_reads_as_no_effect(brief: BriefRead) -> None:
    too_little = [s for s in sentences(brief) if s.verdict.code == "too_little"]

    assert too_little
    for sentence in too_little:
        assert re.match("There (is too little evidence|are reports)", sentence.answer), sentence.claim_id


def test_harms_of_the_parent_drug_stand_among_the_cautions_and_are_marked(brief: BriefRead) -> None:
    cautions = {s.claim_id: s for section in brief.sections if section.id == "cautions" for s in section.statements}

    assert {"zelvane-lort-contraindication", "zelvane-liver-warning"} <= set(cautions)
    inherited = cautions["zelvane-lort-contraindication"].inherited_from
    assert inherited is not None
    assert inherited.id == "zelvane"


def test_what_is_unknown_names_gaps_open_questions_and_undecided_outcomes(brief: BriefRead) -> None:
    questions = {question.id: question.coverage for question in brief.open_questions}

    assert questions["ldz-pregnancy"] is Coverage.not_searched
    assert "ldz-palewing" not in questions
    assert "ldz-murmuria-fatigue" in {claim.id for claim in brief.undecided}
    assert placed(brief)[GAP] == "unknown"


def test_markdown_has_the_sections_in_reading_order_and_the_foot(brief: BriefRead) -> None:
    text = markdown(brief)

    assert re.findall(r"^# .*$", text, re.MULTILINE) == ["# Low-dose zelvane and murmuria"]
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
    assert text.startswith(f"# {brief.title}\n\n> **Read first.** This is a record of invented evidence")
    assert len(
        re.findall(r"^  - Record: \[([a-z0-9-]+)\]\(/v1/claims/\1\?serial=\d+\), version \d+$", text, re.MULTILINE)
    ) == sum(len(section.statements) for section in brief.sections)
    assert "Release 1 of the data set, serial 1. Consensus by consensus/1, certainty by grade-like/1." in text
    assert text.endswith("Data under A licence (X-1).\n")


def test_caveats_stand_in_every_format(brief: BriefRead) -> None:
    text, page = plain(markdown(brief)), " ".join(visible(html(brief, "en")).split())

    caveats = {" ".join(s.caveat.split()) for s in sentences(brief) if s.caveat}
    assert caveats
    assert [caveat for caveat in caveats if caveat not in page] == []
    assert [caveat for caveat in caveats if caveat not in text] == []


def test_sentences_that_the_program_makes_keep_to_the_words_of_the_house(session: Session) -> None:
    statement, _, _ = brief_claims.pairs()
    world, made = CurrentRecords(session), list[str]()
    for row in session.execute(statement):
        brief = brief_of(session, row.intervention, row.condition, world)
        made += [brief.title, brief.coverage.sentence, brief.notice.summary]
        made += [text for s in brief.sections for text in (s.title, s.note or "", *(t.topic for t in s.statements))]
        made += [text for sentence in sentences(brief) for text in (sentence.answer, sentence.counts_text or "")]

    assert len(made) > 500
    assert [text for text in made if UNFIT.search(text)] == []


def test_brief_on_another_drug_tells_of_that_drug(session: Session) -> None:
    shown = placed(brief_of(session, "comparine", "murmuria"))

    assert shown["comparine-approval"] == "what-it-is"
    assert "murmuria-glows" in shown
    assert not {PAIN, MECHANISM, neutral.WARNING} & set(shown)


def test_question_that_was_searched_without_a_find_is_told_as_that(session: Session) -> None:
    brief = brief_of(session, "low-dose-zelvane", "palewing")
    by_id = {section.id: section for section in brief.sections}

    assert brief.coverage.status is Coverage.searched_none_found
    assert NO_ALL_CLEAR in brief.coverage.sentence
    assert brief.notice.summary == brief.coverage.sentence
    assert by_id["does-it-help"].statements == ()
    assert by_id["does-it-help"].note == f"Nothing is recorded here. {NO_ALL_CLEAR}"
    assert "ldz-palewing" in {question.id for question in brief.open_questions}


def test_known_pair_without_evidence_has_a_brief_that_says_so(session: Session) -> None:
    brief = brief_of(session, "cider", "palewing")

    assert brief.coverage.status is Coverage.not_searched
    assert list(sentences(brief)) == []
    assert brief.references == ()
    assert NO_ALL_CLEAR in markdown(brief)
    assert NO_ALL_CLEAR in html(brief, "en")


# --- scratch records ----------------------------------------------------------------------------------------------

HOSTILE = "</script><script>alert(1)</script> & **bold** [a link](javascript:alert) `code` _a_ # no | table ![x](y) <b>"


def test_benefit_of_the_drug_never_answers_for_its_low_dose_and_harm_does(small: Database) -> None:
    shown = placed(scratch_brief(small, "drug-low", "ache"))

    assert shown == {"low-dose-eases-ache": "does-it-help", "drug-causes-insomnia": "cautions"}


def test_retracted_source_stays_visible_and_is_marked_in_every_format(small: Database) -> None:
    put(small, amended(content(small, "document", "paper-a"), **standing("not_checked", "retracted")))

    brief = scratch_brief(small, "drug", "ache")

    (reference,) = (r for r in brief.references if r.document.id == "paper-a")
    assert reference.standing is Standing.retracted
    (pain,) = (s for s in sentences(brief) if s.claim_id == "drug-eases-ache")
    assert {note.document.id: note.standing for note in pain.footnotes}["paper-a"] is Standing.retracted
    for rendered in (markdown(brief), html(brief, "en")):
        assert "RETRACTED" in rendered
        assert "Standing: retracted." in rendered


def speaking(small: Database, text: str) -> BriefRead:
    """The brief with this text in every place that takes free text."""
    put(
        small,
        record("document", "paper-x", label=text, title=text, studies=[{"study": "trial-a", "role": "secondary"}]),
        record(
            "claim",
            "speaking",
            statement=text,
            caveat=text,
            conditions=["ache"],
            citations=[citation("cit-x", "paper-x", "trial-a", finding=text)],
        ),
        record("search", "speaking", intervention="drug", conditions=["ache"], question=text, note=text),
    )
    return scratch_brief(small, "drug", "ache")


def test_text_from_the_data_stays_text(small: Database) -> None:
    harmless = speaking(small, "Nothing special.")
    page, text = elements(html(harmless, "en")), kinds(markdown(harmless))

    for start in ("", "- ", "1. ", "12) ", "# ", "> ", "+ ", "=== ", "    "):
        hostile = speaking(small, f"{start}{HOSTILE}")
        shown = f"{start}{HOSTILE}".strip()
        assert elements(html(hostile, "en")) == page
        assert visible(html(hostile, "en")).count(shown) >= 5
        assert kinds(markdown(hostile)) == text
        assert plain(markdown(hostile)).count(shown) >= 5


def elements(page: str) -> list[str]:
    """The elements of a page with the addresses in them, whatever the serial."""
    tags = Tags()
    tags.feed(re.sub(r"\?serial=\d+", "", page))
    return tags.elements


def kinds(text: str) -> list[str]:
    """The kinds of things that a reader of Markdown finds in the text."""
    return [token.type for block in Markdown(text).parsed for token in (block, *(block.children or ()))]


class Tags(HTMLParser):
    """Collects elements with their attributes, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = StringIO()
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = tag == "style"
        self.elements.append(" ".join([tag, *(value or "" for name, value in attrs if name != "title")]))

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text.write(data)


def visible(page: str) -> str:
    """What a reader sees of a page."""
    tags = Tags()
    tags.feed(page)
    return tags.text.getvalue()


def plain(text: str) -> str:
    """What a reader sees of Markdown."""

    def words(tokens: list[Any]) -> Iterator[str]:
        for token in tokens:
            if token.children is None:
                yield token.content
            else:
                yield "".join(words(token.children))

    return "\n".join(words(Markdown(text).parsed))


def test_a_brief_that_would_be_too_long_shows_what_matters_most_and_says_that_there_is_more(
    session: Session, brief: BriefRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brief_claims, "MAX_BYTES", 100_000)

    short = brief_of(session, "low-dose-zelvane", "murmuria")

    assert 60_000 < len(short.model_dump_json()) < 120_000 < len(brief.model_dump_json())
    assert not any(section.truncated for section in brief.sections)
    whole = {section.id: len(section.statements) for section in brief.sections}
    assert [s.truncated for s in short.sections] == [len(s.statements) < whole[s.id] for s in short.sections]
    helps, elsewhere = (next(s for s in short.sections if s.id == name) for name in ("does-it-help", "elsewhere"))
    assert (helps.truncated, elsewhere.truncated) == (False, True)
