"""A brief as Markdown (CommonMark). Pure. Text from the data is escaped, so that no reader takes it for markup."""

import re
from collections.abc import Iterator

from app.briefs import wording as words
from app.briefs.responses import BriefCitation, BriefRead, Section, Sentence, Statement
from app.grading.wording import NO_ALL_CLEAR, verdict

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!$^])")
_LINE_START = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))")


def escape(text: str) -> str:
    """Text that no reader of Markdown takes for markup, on one line."""
    flat = " ".join(text.split())
    escaped = _SPECIAL.sub(r"\\\1", flat.replace("&", "&amp;"))
    return _LINE_START.sub(lambda match: f"{match[1]}{_as_text(match[2])}", escaped)


def _as_text(start: str) -> str:
    """A character that starts a list at the start of a line, as a character reference; of a number its first digit."""
    return f"&#{ord(start[0])};{start[1:]}"


def markdown(brief: BriefRead) -> str:
    return "\n".join(_lines(brief)) + "\n"


def _lines(brief: BriefRead) -> Iterator[str]:
    yield f"# {escape(brief.title)}"
    yield ""
    yield f"> **Read first.** {escape(brief.notice.disclaimer)}"
    yield ""
    yield f"**In short:** {escape(brief.notice.summary)}"
    if claim := brief.notice.claim:
        yield ""
        yield f"On the claim: {escape(claim.statement)} {escape(verdict(claim))}"
        if claim.caveat:
            yield ""
            yield f"Note: {escape(claim.caveat)}"
    yield ""
    yield f"**Coverage:** {escape(brief.coverage.sentence)}"
    for section in brief.sections:
        yield from _section(brief, section)
    yield from _references(brief)
    yield ""
    yield "---"
    for line in words.foot_lines(brief):
        yield ""
        yield escape(line)


def _section(brief: BriefRead, section: Section) -> Iterator[str]:
    yield ""
    yield f"## {escape(section.title)}"
    if section.note:
        yield ""
        yield f"*{escape(section.note)}*"
    topic = None
    for statement in section.statements:
        if statement.topic != topic:
            topic = statement.topic
            yield ""
            yield f"### {escape(topic)}"
            yield ""
        yield from _statement(statement, with_findings=section.id == "does-it-help")
    if section.truncated:
        yield ""
        yield f"[There are more statements than are shown here.]({brief.links.claims})"
    if section.id == "unknown":
        yield from _unknown(brief)


def _statement(statement: Statement, *, with_findings: bool) -> Iterator[str]:
    yield f"- **{escape(statement.text)}**{_marks(statement)}"
    notes = (
        f"Note: {statement.caveat}" if statement.caveat else "",
        words.inheritance(statement),
        words.validity(statement),
        verdict(statement),
        statement.certainty_text,
    )
    for note in notes:
        if note:
            yield f"  - {escape(note)}"
    for origin in statement.origins:
        yield f"  - Stated by {escape(words.origin_line(origin))}"
    for stance in words.stances(statement):
        yield f"  - {escape(words.side_title(statement, stance))}"
        yield from (_citation(citation, with_findings) for citation in words.side(statement, stance))
    for sentence in statement.restated_by:
        yield from _restated(sentence)
    yield f"  - Record: [{statement.claim_id}]({statement.permalink}), version {statement.version}"


def _marks(sentence: Sentence) -> str:
    numbers = sorted({footnote.number for footnote in sentence.footnotes})
    return f" \\[{', '.join(map(str, numbers))}\\]" if numbers else " (uncited)"


def _citation(citation: BriefCitation, with_finding: bool) -> str:
    finding = f": {escape(citation.finding)}" if with_finding and citation.finding else ""
    return f"    - \\[{citation.number}\\] {escape(words.source_line(citation))}{finding}"


def _restated(sentence: Sentence) -> Iterator[str]:
    source = words.origins_line(sentence.origins) or sentence.text
    yield f"  - Also stated by {escape(source)}{_marks(sentence)} [{sentence.claim_id}]({sentence.permalink})"
    for note in (f"Note: {sentence.caveat}" if sentence.caveat else "", verdict(sentence)):
        if note:
            yield f"    - {escape(note)}"


def _unknown(brief: BriefRead) -> Iterator[str]:
    if brief.undecided:
        yield ""
        yield "### Measured or claimed, and not decided"
        yield ""
    for undecided in brief.undecided:
        yield f"- {escape(undecided.claim.statement)} {escape(verdict(undecided.claim))}"
        yield f"  - {escape(undecided.certainty_text)}"
        if undecided.claim.caveat:
            yield f"  - Note: {escape(undecided.claim.caveat)}"
    if brief.open_questions:
        yield ""
        yield "### Open questions"
        yield ""
    for question in brief.open_questions:
        yield f"- {escape(words.question_line(question))}"
        if question.note:
            yield f"  - {escape(question.note)}"
    yield ""
    yield "### Studies without results"
    yield ""
    if not brief.pending_studies:
        yield f"None is recorded. {NO_ALL_CLEAR}"
    for study in brief.pending_studies:
        yield f"- {escape(words.pending_line(study))} [{study.id}]({study.links.self})"


def _references(brief: BriefRead) -> Iterator[str]:
    yield ""
    yield "## References"
    yield ""
    if not brief.references:
        yield "No source is cited."
    for reference in brief.references:
        yield f"{reference.number}. {escape(reference.text)} {escape(words.reference_marks(reference))}"
        if reference.url:
            yield f"   <{_url(reference.url)}>"
    for origin in brief.origins:
        yield ""
        yield f"Statements marked “stated by” come from {escape(origin.label)}, which is no evidence for them."


def _url(address: str) -> str:
    """An address that cannot end the angle brackets around it."""
    return address.replace("<", "%3C").replace(">", "%3E").replace(" ", "%20").replace("\\", "%5C")
