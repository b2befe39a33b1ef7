"""The sentences of a brief that no curator wrote: certainty in words, references as text. Pure."""

from collections.abc import Iterable

from app.core.resource import Key, World
from app.evidence.reads import ClaimEvidence
from app.evidence.rules import VOTING_FORMS
from app.evidence.schemas import ClaimWrite
from app.evidence.vocabulary import Certainty, Consensus, Effect, Leaning, StanceReason
from app.sources.identifiers import address
from app.sources.render import author_name, identified
from app.sources.schemas import DocumentWrite
from app.sources.vocabulary import IdentifierScheme

NO_INFERENCE = "This is not evidence of no effect or of safety."
MOST_AUTHORS = 6


def inline(name: str) -> str:
    """A name or sentence as it stands inside a sentence: `Multiple sclerosis` falls, `Crohn's disease` and `LDN` stay."""
    first = name.split(" ", 1)[0]
    proper = first.endswith(("'s", "\N{RIGHT SINGLE QUOTATION MARK}s")) or any(c.isupper() for c in first[1:])
    return name if proper else name[:1].lower() + name[1:]


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def certainty_text(world: World, claim: ClaimWrite, evidence: ClaimEvidence) -> str:
    """The certainty of a claim as one sentence that holds the direction."""
    if claim.form not in VOTING_FORMS:
        return f"Not graded: {inline(claim.form.label)}."
    if evidence.consensus is Consensus.uncited:
        return "Not graded: no citation is recorded."
    if evidence.certainty is Certainty.not_graded:
        return f"Not graded: nothing that decides it was measured. {NO_INFERENCE}"
    sentence = f"{evidence.certainty.label} certainty{_answer(world, claim, evidence.leaning)}"
    if evidence.consensus is Consensus.insufficient:
        return f"{sentence}; there is too little evidence to decide. {NO_INFERENCE}"
    return f"{sentence}."


def _answer(world: World, claim: ClaimWrite, leaning: Leaning) -> str:
    statement = _clause(claim.statement)
    if leaning is Leaning.supports:
        return f" that {statement}"
    if leaning is Leaning.neither:
        return f", with the evidence leaning neither way, on whether {statement}"
    return f" that {_denial(world, claim) or f'it does not hold that {statement}'}"


def _denial(world: World, claim: ClaimWrite) -> str | None:
    """A benefit or harm that was not seen, said of its outcome; null where the other direction was seen instead."""
    opposite = any(citation.stance_reason is StanceReason.opposite for citation in claim.citations)
    directed = claim.effect not in (Effect.no_difference, Effect.not_applicable)
    if claim.intervention is None or claim.outcome is None or claim.comparator is None or opposite or not directed:
        return None
    treatment = inline(world.content(Key("intervention", claim.intervention)).name)
    outcome = inline(world.content(Key("outcome", claim.outcome)).name)
    people = listed(inline(world.content(Key("condition", c)).name) for c in claim.conditions) if claim.conditions else ""
    where = f"{outcome} in {people}" if people else outcome
    if claim.comparator == "placebo":
        return f"{treatment} differs little or not from placebo for {where}"
    return f"there is little or no difference from {inline(claim.comparator)} with {treatment} for {where}"


def _clause(statement: str) -> str:
    """The statement's main clause, to stand behind `that`."""
    return inline(statement.split(";", 1)[0].rstrip(". "))


def reference_text(document: DocumentWrite) -> str:
    """Authors, title, container, year, volume(issue):page and identifiers, as far as they were read."""
    names = [author_name(author) for author in document.authors]
    shown = names[:MOST_AUTHORS] + (["et al"] if len(names) > MOST_AUTHORS or not document.authors_complete else [])
    parts = [", ".join(shown) if names else None, document.title, document.container_title or document.publisher]
    parts.append(_place(document))
    if doi := identified(document, IdentifierScheme.doi):
        parts.append(f"doi:{doi}")
    if pmid := identified(document, IdentifierScheme.pmid):
        parts.append(f"PMID {pmid}")
    if len(parts) == 4 and document.url:
        parts.append(document.url)
    told = [part.rstrip(".") for part in parts if part]
    return f"{'. '.join(told)}." if told else document.label


def _place(document: DocumentWrite) -> str | None:
    volume = (document.volume or "") + (f"({document.issue})" if document.issue else "")
    pages = ":".join(part for part in (volume, document.page) if part)
    year = (document.issued or "")[:4]
    return ";".join(part for part in (year, pages) if part) or None


def reference_url(document: DocumentWrite) -> str | None:
    """Where a reader can open it: by DOI, else by PMID, else at its own address."""
    for scheme in (IdentifierScheme.doi, IdentifierScheme.pmid, IdentifierScheme.pmcid, IdentifierScheme.nct):
        if normal := identified(document, scheme):
            return address(scheme, normal)
    return document.url
