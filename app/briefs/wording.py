"""Sentences of a brief that no curator wrote: sides, sources, origins, marks of references, the foot. Pure."""

from collections.abc import Iterable

from app.bibliography.from_documents import WARNINGS
from app.briefs import responses
from app.claims.responses import ClaimSummary
from app.claims.vocabulary import Basis, Directness, Fit, Stance
from app.core.english import date_in_words, inline, join_sentences, quantity
from app.grading.wording import claimed_text
from app.questions.coverage import PendingStudy
from app.questions.searches import SearchMatch

SIDES = {
    Stance.supports: "Supporting",
    Stance.disputes: "Disputing",
    Stance.mixed: "Mixed",
    Stance.inconclusive: "Inconclusive",
    Stance.background: "Background",
    Stance.not_assessed: "Not assessed",
}


def claimed(sentence: responses.Sentence | ClaimSummary) -> str | None:
    """What is claimed, named as such; null where the answer quotes the statement already."""
    text = sentence.text if isinstance(sentence, responses.Sentence) else sentence.statement
    return claimed_text(sentence.answer, text)


def stances(sentence: responses.Sentence) -> list[Stance]:
    """The stances of the citations: the side with more weight, then the other side, then what decides nothing."""
    unique = dict.fromkeys(note.stance for note in sentence.footnotes)
    return sorted(unique, key=lambda stance: stance not in (Stance.supports, Stance.disputes))


def side(sentence: responses.Sentence, stance: Stance) -> tuple[responses.BriefCitation, ...]:
    citations: tuple[responses.BriefCitation, ...] = getattr(sentence.citations, stance.value)
    return citations


def side_title(sentence: responses.Sentence, stance: Stance) -> str:
    """`Supporting: 4 studies, 90 people`. Stances without counts have their name alone."""
    counts = {Stance.supports: sentence.supports, Stance.disputes: sentence.disputes}.get(stance)
    if counts is None:
        return SIDES[stance]
    amounts = [
        quantity(counts.studies, "study", "studies") if counts.studies else "",
        quantity(counts.participants, "person", "people") if counts.participants else "",
        quantity(counts.reviews, "review", "reviews") if counts.reviews else "",
    ]
    return f"{SIDES[stance]}: {', '.join(filter(None, amounts)) or quantity(counts.documents, 'document', 'documents')}"


def source_line(citation: responses.BriefCitation) -> str:
    """Label, design, number of people and directness of a source, how it was read, and a warning where it has one."""
    parts = [citation.document.label]
    if citation.design_label:
        parts.append(inline(citation.design_label))
    if citation.participants is not None:
        parts.append(quantity(citation.participants, "person", "people"))
    if citation.directness is Directness.indirect:
        parts.append("indirect")
    if citation.extent is not None:
        parts.append(inline(citation.extent.label))
    if citation.basis in (Basis.abstract, Basis.secondary_source):
        parts.append(f"read in {'the abstract' if citation.basis is Basis.abstract else 'a secondary source'}")
    if citation.standing in WARNINGS:
        parts.append(citation.standing.label.upper())
    return ", ".join(parts)


def qualifiers(citation: responses.BriefCitation) -> str:
    """On which part of the sentence the source bears, how strongly by a scale of others, and its own words."""
    strength = citation.strength
    return join_sentences(
        f"{citation.extent.label}: {citation.extent_note}" if citation.extent else "",
        f"Strength by {strength.scale}: {strength.value}." if strength else "",
        *(f"“{quote.text}”" for quote in citation.quotes),
    )


def validity(sentence: responses.Sentence) -> str:
    """From when to when a regulatory fact held."""
    return join_sentences(
        f"From {sentence.valid_from}." if sentence.valid_from else "",
        f"Until {sentence.valid_to}." if sentence.valid_to else "",
        f"As of {date_in_words(sentence.as_of)}." if sentence.as_of else "",
    )


def inheritance(statement: responses.Statement) -> str:
    """The drug or class and the dose that the statement is about, where they differ from the brief's."""
    inherited, dose = statement.inheritance, statement.dose
    return join_sentences(
        inherited.text if inherited else "",
        f"Dose: {dose.dose_text}." if dose else "",
    )


def origin_line(origin: responses.BriefOrigin) -> str:
    """What the source article says, and how that compares with its own source where somebody compared them."""
    numbers = f", its references {', '.join(map(str, origin.reference_numbers))}" if origin.reference_numbers else ""
    place = f"{origin.document.label}, “{origin.section}”, paragraph {origin.paragraph}{numbers}"
    is_compared = origin.fit is not Fit.not_checked
    return join_sentences(
        f"{place}: {origin.asserts.rstrip('.')}.",
        f"Compared with its source: {inline(origin.fit_label)}." if is_compared else "",
    )


def origins_line(origins: Iterable[responses.BriefOrigin]) -> str:
    """What documents say of a claim, place by place; empty if none states it."""
    return " ".join(map(origin_line, origins))


def question_line(question: SearchMatch) -> str:
    when = f" ({question.searched_on})" if question.searched_on else ""
    topic = f"{question.topic}: " if question.topic else ""
    return f"{topic}{question.question} {question.coverage.label}{when}."


def pending_line(study: PendingStudy) -> str:
    parts = [study.name, *study.registry_ids]
    if study.recruitment:
        parts.append(inline(study.recruitment.label))
    return f"{', '.join(parts)}: {inline(study.results.label)}."


def reference_marks(reference: responses.BriefReference) -> str:
    """Standing, notice and interest of a source. The text of a reference with a warning holds the notice already."""
    notice = None if reference.standing in WARNINGS else reference.notice
    return join_sentences(
        f"Standing: {inline(reference.standing_label)}.",
        notice.text if notice else "",
        f"Interest of the publisher: {inline(reference.interest_label)}." if reference.interest_label else "",
    )


def foot_lines(brief: responses.BriefRead) -> tuple[str, ...]:
    foot = brief.foot
    release = f"Release {foot.release} of the data set" if foot.release else "No release of the data set yet"
    return (
        f"{release}, serial {foot.serial}. Consensus by {foot.consensus_method}, certainty by {foot.certainty_method}.",
        f"Data under {foot.licence.name} ({foot.licence.spdx}).",
    )
