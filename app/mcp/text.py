"""Answers of tools as text. Each line can be quoted by itself: whoever repeats a claim repeats how it stands."""

from collections.abc import Iterator

from app.claims.schemas import Checked
from app.grading.wording import count_text
from app.mcp.answers import (
    AnsweredDataset,
    BriefInShort,
    CitationAnswer,
    CitationsAnswer,
    CitedSource,
    ClaimAnswer,
    ClaimsFound,
    InteractionsChecked,
    QuotableClaim,
    ReferencesFound,
)
from app.sources.standing import CHECKS
from app.sources.vocabulary import Standing

UNCITED = "Uncited: no source is recorded for this. Do not state it as evidence."


def of_search(answer: ClaimsFound) -> str:
    several = f"{answer.total}{' or more' if answer.total_is == 'at_least' else ''} claims match"
    first = answer.note or f"{several}; shown are {len(answer.claims)}."
    return _join([first, *map(_claim, answer.claims), _foot(answer.dataset)])


def of_claim(answer: ClaimAnswer) -> str:
    return _join([_claim(answer.claim), _foot(answer.dataset)])


def of_brief(brief: BriefInShort) -> str:
    by_id = {claim.id: claim for claim in brief.claims}
    parts = [brief.title, brief.coverage_sentence, brief.summary]
    if brief.headline is not None:
        parts.append(_claim(brief.headline))
    written = {brief.headline.id} if brief.headline else set()
    for section in brief.sections:
        note = f" {section.note}" if section.note else ""
        parts.append(f"## {section.title} ({section.total} claims){note}")
        parts += [_claim(by_id[claim]) for claim in section.claims if claim in by_id and claim not in written]
        written.update(section.claims)
    if not brief.claims:
        parts.append(UNCITED)
    parts.append(
        f"Not known: {brief.undecided} questions with too little evidence, {brief.open_questions} open questions. "
        f"The whole brief, with {brief.references} references: {brief.addresses.html}"
    )
    return _join([*parts, _foot(brief.dataset)])


def of_interactions(checked: InteractionsChecked) -> str:
    names = [drug.name if drug else "(not recognized)" for drug in checked.drugs]
    pairs = [
        f"- {names[pair.positions[0]]} + {names[pair.positions[1]]}: {pair.status.label}. {pair.sentence}"
        + (f" {pair.dose_note}" if pair.dose_note else "")
        for pair in checked.pairs
    ]
    parts = [f"{checked.headline.label}. {checked.headline.answer}", "\n".join(pairs), checked.notice]
    parts += [UNCITED] if checked.uncited else map(_claim, checked.claims)
    return _join([*parts, _foot(checked.dataset)])


def of_references(answer: ReferencesFound) -> str:
    lines = [
        f"{reference.number}. {reference.text}{_mark(reference.standing)}"
        + _identifiers(reference.pmid, reference.pmcid)
        for reference in answer.references
    ]
    head = UNCITED if answer.uncited else f"{answer.total} publications are cited, for and against."
    more = f"{answer.left_out} more are left out: {answer.bibtex}" if answer.left_out else ""
    cite = f"To cite the data set itself: {answer.how_to_cite}"
    return _join([head, "\n".join(lines), more, cite, _foot(answer.dataset)])


def of_verification(answer: CitationsAnswer) -> str:
    return _join([*map(_verified, answer.items), answer.notice, _foot(answer.dataset)])


def _verified(item: CitationAnswer) -> str:
    lines = [f"Citation {item.position + 1}: {item.result.label}. {item.advice}"]
    lines += [f"- {fault.field}: {fault.message}" for fault in item.errors]
    if item.source is not None:
        title = f", {item.source.title}" if item.source.title else ""
        lines.append(f"Source: {item.source.name}{title} ({item.source.scheme}:{item.source.identifier})")
    if item.title is not None and item.title.other_document is not None:
        lines.append(f"The title given is that of {item.title.other_document.label}.")
    if item.claim is not None:
        lines += ["On the claim:", _claim(item.claim), "What this source says on it:", _sources(item.found_in_source)]
    for near in item.nearest:
        lines += ["A claim near the sentence:", _claim(near.claim), "What this source says on it:"]
        lines.append(_sources(near.found_in_source))
    return "\n".join(lines)


# --- a claim ------------------------------------------------------------------------------------------------------


def _claim(claim: QuotableClaim) -> str:
    return "\n".join(_claim_lines(claim))


def _claim_lines(claim: QuotableClaim) -> Iterator[str]:
    yield claim.answer
    certainty = claim.certainty.label.lower()
    yield f"Verdict: {claim.verdict.label}. Certainty: {certainty}. {claim.counts_text or ''}".strip()
    yield f"What is claimed: {claim.statement}"
    if claim.inheritance:
        yield f"Must be said: {claim.inheritance}"
    if claim.caveat:
        yield f"{'Caveat, must be said' if claim.caveat_required else 'Caveat'}: {claim.caveat}"
    for side, count in (("For", claim.supports), ("Against", claim.disputes)):
        yield f"{side}: {count_text(count)}."
    if claim.uncited:
        yield UNCITED
    elif claim.sources:
        yield _sources(claim.sources)
    if claim.sources_left_out:
        yield f"{claim.sources_left_out} more sources: {claim.url}"
    yield f"Permalink: {claim.permalink}"


def _sources(sources: tuple[CitedSource, ...]) -> str:
    return "\n".join(map(_source, sources)) or "Nothing is recorded."


def _source(source: CitedSource) -> str:
    doi = f" doi:{source.doi}" if source.doi else ""
    finding = f" Found, in our words: {source.finding}" if source.finding else ""
    finding += f" It bears on a part of the claim only: {source.extent_note}" if source.extent_note else ""
    named = doi + _identifiers(source.pmid, source.pmcid, *source.registry_ids)
    return (
        f"- [{source.stance.label.lower()}, {source.directness.label.lower()}] {source.label}{_mark(source.standing)}."
        f"{named or f' {source.url}'}.{finding} (finding {_checked(source.verification)})"
    )


def _checked(checked: Checked) -> str:
    against = f" against {checked.basis.label.lower()}" if checked.basis else ""
    return checked.result.label.lower() + against


def _identifiers(pmid: str | None, *others: str | None) -> str:
    return "".join([f" PMID {pmid}" if pmid else "", *(f" {other}" for other in others if other)])


def _mark(standing: Standing) -> str:
    return "" if standing in CHECKS else f" [{standing.label.upper()}]"


def _foot(dataset: AnsweredDataset) -> str:
    release = f", release {dataset.release}" if dataset.release else ""
    return f"From {dataset.name}, serial {dataset.serial}{release}, {dataset.licence}. {dataset.disclaimer}"


def _join(parts: list[str]) -> str:
    return "\n\n".join(part for part in parts if part)
