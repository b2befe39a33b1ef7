"""The sentences of a brief that no curator wrote: certainty in words, references, verdicts and marks. Pure."""

from collections.abc import Iterable

from app.briefs.responses import (
    BriefCitation,
    BriefOrigin,
    BriefRead,
    BriefReference,
    Sentence,
    Statement,
)
from app.claims.responses import ClaimEvidence, ClaimSummary
from app.claims.rules import VOTING_FORMS
from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import Basis, Certainty, Consensus, Directness, Effect, Leaning, Stance, StanceReason
from app.questions.coverage import NO_ALL_CLEAR, PendingStudy, SearchMatch, counted
from app.sources.vocabulary import Standing
from app.storage.resource import Key, RecordReader


def inline(name: str) -> str:
    """A name as it stands inside a sentence: `Multiple sclerosis` gets a small letter, `Crohn's disease` does not."""
    first = name.split(" ", 1)[0]
    proper = first.endswith(("'s", "\N{RIGHT SINGLE QUOTATION MARK}s")) or any(c.isupper() for c in first[1:])
    return name if proper else name[:1].lower() + name[1:]


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def joined(*sentences: str | None) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def certainty_text(records: RecordReader, claim: ClaimWrite, evidence: ClaimEvidence) -> str:
    """The certainty of a claim as one sentence that holds the direction."""
    if claim.form not in VOTING_FORMS:
        return f"Not graded: {inline(claim.form.label)}."
    if evidence.consensus is Consensus.uncited:
        return "Not graded: no citation is recorded for this statement."
    if evidence.certainty is Certainty.not_graded:
        return f"Not graded: nothing that decides it was measured. {NO_ALL_CLEAR}"
    sentence = f"{evidence.certainty.label} certainty{_answer(records, claim, evidence.leaning)}"
    if evidence.consensus is Consensus.insufficient:
        return f"{sentence}; there is too little evidence to decide. {NO_ALL_CLEAR}"
    return f"{sentence}."


def _answer(records: RecordReader, claim: ClaimWrite, leaning: Leaning) -> str:
    statement = _clause(claim.statement)
    if leaning is Leaning.supports:
        return f" that {statement}"
    if leaning is Leaning.neither:
        return f", with the evidence leaning neither way, on whether {statement}"
    return f" that {_denial(records, claim) or f'this is not so: {statement}'}"


def _denial(records: RecordReader, claim: ClaimWrite) -> str | None:
    """A benefit or harm that was not seen, said of its outcome; null where the other direction was seen instead."""
    opposite = any(citation.stance_reason is StanceReason.opposite for citation in claim.citations)
    directed = claim.effect not in (Effect.no_difference, Effect.not_applicable)
    if claim.intervention is None or claim.outcome is None or claim.comparator is None or opposite or not directed:
        return None
    treatment = inline(records.content(Key("intervention", claim.intervention)).name)
    outcome = inline(records.content(Key("outcome", claim.outcome)).name)
    people = (
        listed(inline(records.content(Key("condition", c)).name) for c in claim.conditions) if claim.conditions else ""
    )
    where = f"{outcome} in {people}" if people else outcome
    if claim.comparator == "placebo":
        return f"{treatment} differs little or not from placebo for {where}"
    return f"there is little or no difference from {inline(claim.comparator)} with {treatment} for {where}"


def _clause(statement: str) -> str:
    """The statement's main clause, to stand behind `that`."""
    return inline(statement.split(";", 1)[0].rstrip(". "))


# --- what the renderings share ------------------------------------------------------------------------------------

SIDES = {
    Stance.supports: "Supporting",
    Stance.disputes: "Disputing",
    Stance.mixed: "Mixed",
    Stance.inconclusive: "Inconclusive",
    Stance.background: "Background",
    Stance.not_assessed: "Not assessed",
}
_VERDICTS = {
    Consensus.unanimous: {Leaning.supports: "Unanimously for", Leaning.disputes: "Unanimously against"},
    Consensus.mostly: {Leaning.supports: "Mostly for", Leaning.disputes: "Mostly against"},
}
_LEANS = {Leaning.supports: "leaning for", Leaning.disputes: "leaning against", Leaning.neither: "leaning neither way"}


def stances(sentence: Sentence) -> list[Stance]:
    """The stances that are taken: the side with more weight first, then the other, then what decides nothing."""
    taken = list(dict.fromkeys(note.stance for note in sentence.footnotes))
    return sorted(taken, key=lambda stance: stance not in (Stance.supports, Stance.disputes))


def side(sentence: Sentence, stance: Stance) -> tuple[BriefCitation, ...]:
    found: tuple[BriefCitation, ...] = getattr(sentence.citations, stance.value)
    return found


def side_title(sentence: Sentence, stance: Stance) -> str:
    """`Supporting: 4 studies, 90 people`; sides that are not counted are named alone."""
    counts = {Stance.supports: sentence.supports, Stance.disputes: sentence.disputes}.get(stance)
    if counts is None:
        return SIDES[stance]
    told = [
        counted(counts.studies, "study", "studies") if counts.studies else "",
        counted(counts.participants, "person", "people") if counts.participants else "",
        counted(counts.reviews, "review", "reviews") if counts.reviews else "",
    ]
    return f"{SIDES[stance]}: {', '.join(filter(None, told)) or counted(counts.documents, 'document', 'documents')}"


def verdict(told: Sentence | ClaimSummary) -> str:
    """The consensus with both sides' counts; empty where there are no votes."""
    if told.consensus in (Consensus.not_applicable, Consensus.uncited):
        return ""
    word = _VERDICTS.get(told.consensus, {}).get(told.leaning) or f"{told.consensus.label}, {_LEANS[told.leaning]}"
    return (
        f"{word}: {counted(told.supports.citations, 'citation', 'citations')} for, {told.disputes.citations} against."
    )


def source_line(citation: BriefCitation) -> str:
    """Who found it, by which design, in how many people, how directly, and whether the source still stands."""
    told = [citation.document.label]
    if citation.design_label:
        told.append(inline(citation.design_label))
    if citation.participants is not None:
        told.append(counted(citation.participants, "person", "people"))
    if citation.directness is Directness.indirect:
        told.append("indirect")
    if citation.basis in (Basis.abstract, Basis.secondary_source):
        told.append(f"read in {'the abstract' if citation.basis is Basis.abstract else 'a secondary source'}")
    if citation.standing in MARKED:
        told.append(citation.standing.label.upper())
    return ", ".join(told)


MARKED = (Standing.retracted, Standing.expression_of_concern)
"""Standings that are told wherever a source is named."""


def validity(sentence: Sentence) -> str:
    """From when to when a regulatory fact held."""
    told = [
        f"From {sentence.valid_from}." if sentence.valid_from else "",
        f"Until {sentence.valid_to}." if sentence.valid_to else "",
        f"As known in {sentence.as_of}." if sentence.as_of else "",
    ]
    return " ".join(filter(None, told))


def inheritance(statement: Statement) -> str:
    """Of which drug, and at which dose, it was said."""
    told = []
    if statement.inherited_from:
        told.append(f"Said of {inline(statement.inherited_from.name)}, the parent drug, not of the low dose itself.")
    if statement.dose:
        told.append(f"Dose: {statement.dose.dose_text}.")
    return " ".join(told)


def origin_line(origin: BriefOrigin) -> str:
    """What the source article says, where it differs from the statement or not."""
    numbers = f", its references {', '.join(map(str, origin.reference_numbers))}" if origin.reference_numbers else ""
    return (
        f"{origin.document.label}, “{origin.section}”{numbers}: {origin.asserts.rstrip('.')}. "
        f"Compared with its source: {inline(origin.fit_label)}."
    )


def question_line(question: SearchMatch) -> str:
    when = f" ({question.searched_on})" if question.searched_on else ""
    topic = f"{question.topic}: " if question.topic else ""
    return f"{topic}{question.question} {question.coverage.label}{when}."


def pending_line(study: PendingStudy) -> str:
    told = [study.name, *study.registry_ids]
    if study.recruitment:
        told.append(inline(study.recruitment.label))
    return f"{', '.join(told)}: {inline(study.results.label)}."


def reference_marks(reference: BriefReference) -> str:
    """What has to be known of a source besides where it is."""
    told = [f"Standing: {inline(reference.standing_label)}."]
    if reference.notice and reference.notice.text:
        told.append(reference.notice.text)
    if reference.interest_label:
        told.append(f"Interest of the publisher: {inline(reference.interest_label)}.")
    return " ".join(told)


def foot_lines(brief: BriefRead) -> tuple[str, ...]:
    foot = brief.foot
    release = f"Release {foot.release} of the data set" if foot.release else "No release of the data set yet"
    return (
        f"{release}, serial {foot.serial}. Consensus by {foot.consensus_method}, certainty by {foot.certainty_method}.",
        f"Data under {foot.licence.name} ({foot.licence.spdx}).",
    )
