"""What to make of a result, in sentences for an editor, and for a program that must not cite what it did not read."""

from collections.abc import Iterator

from app.claims.vocabulary import Directness, Verification
from app.sources.vocabulary import Standing
from app.verification.findings import Findings
from app.verification.vocabulary import QuoteResult, TitleResult, VerificationResult

NOTICE = (
    "Compared was what is recorded here: identifiers, titles, standing, and findings in our own words. The text of no "
    "source is held here, so read the source before you cite it."
)

ADVICE = {
    VerificationResult.identifier_unreadable: "Correct the identifier; nothing was looked up.",
    VerificationResult.claim_unknown: "Correct the id of the claim, or send the sentence instead.",
    VerificationResult.claim_retired: "Do not use this claim any more.",
    VerificationResult.source_unknown: (
        "Nothing is recorded of this source here. Open the identifier and read the source before you cite it: that it "
        "is unknown here does not show that it exists."
    ),
    VerificationResult.other_title: (
        "The identifier and the title name different works. Do not cite before you know which one is meant."
    ),
    VerificationResult.retracted: "Do not cite this as evidence: the source was retracted.",
    VerificationResult.supports: (
        "The source is recorded as supporting the claim. Give the answer with it: other sources may say otherwise."
    ),
    VerificationResult.disputes: "The source is recorded as disputing the claim. Do not cite it in support.",
    VerificationResult.mixed: "What the source found points both ways. Cite both, or neither.",
    VerificationResult.inconclusive: "The source could not decide the claim. Cite it for neither side.",
    VerificationResult.background: "The source is context and does not test the claim. Do not cite it as evidence.",
    VerificationResult.not_assessed: (
        "Nobody here has read what the source says on the claim. Read it before you cite it."
    ),
    VerificationResult.other_report: (
        "This document is not cited for the claim here; another one on the same study is. See which of them says it."
    ),
    VerificationResult.not_cited: (
        "The source is recorded here, and not cited for this claim. Read it before you cite it for that."
    ),
    VerificationResult.compare_claims: (
        "Compare your sentence with each claim in `nearest`: it may say more than they do, or the opposite. The source "
        "counts only for the claim under which it stands."
    ),
    VerificationResult.not_cited_nearby: (
        "The source is cited for none of the claims nearest to your sentence. Read it before you cite it for that."
    ),
    VerificationResult.no_claim_near: (
        "No claim here is near your sentence, so nothing speaks for or against it. Read the source before you cite it."
    ),
}
_OF_STANDING = {
    Standing.expression_of_concern: "The journal has warned of problems with it: read the notice.",
    Standing.superseded: "A newer version replaces it: cite that one.",
    Standing.corrected: "It was corrected: read the notice.",
    Standing.preprint: "It is a preprint and was not peer reviewed.",
    Standing.not_checked: "Nobody has yet looked whether it was corrected or retracted.",
}
_OF_QUOTE = {
    QuoteResult.in_recorded_quote: "The quotation is one that a curator recorded; compare it with the source itself.",
    QuoteResult.in_title: "The quotation is from the title of the source, not from its text.",
    QuoteResult.our_words: "These are words of this site, not of the source: do not put them in quotation marks.",
    QuoteResult.too_short: "The quotation is too short to be compared.",
    QuoteResult.no_text_held: "The quotation was not verified: no text of the source is held here.",
}


def advice_on(result: VerificationResult, findings: Findings) -> str:
    return " ".join(_sentences(result, findings))


_NOTHING_COMPARED = (
    VerificationResult.identifier_unreadable,
    VerificationResult.claim_unknown,
    VerificationResult.claim_retired,
    VerificationResult.source_unknown,
)


def _sentences(result: VerificationResult, findings: Findings) -> Iterator[str]:
    yield ADVICE[result]
    if result in _NOTHING_COMPARED:
        return
    if findings.citations and all(citation.directness is Directness.indirect for citation in findings.citations):
        yield "It bears on the claim only indirectly: see `indirect_because`."
    if findings.citations and all(one.verification.result is Verification.unverified for one in findings.citations):
        yield "Nobody here has checked the finding against the source."
    if findings.replaced is not None and findings.replaced.successor is not None:
        yield "The claim was retired; its successor was compared."
    if findings.source is not None and findings.source.standing in _OF_STANDING:
        yield _OF_STANDING[findings.source.standing]
    if findings.title is not None and findings.title.result is TitleResult.near:
        yield "The title differs a little from the recorded one."
    if findings.quote is not None:
        yield _OF_QUOTE[findings.quote.result]
