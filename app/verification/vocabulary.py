"""The closed vocabularies of the verification of citations."""

from app.core.vocabulary import Term, vocabularies_of


class VerificationResult(Term):
    """What is recorded here of a source that is cited for a claim. The first that fits is given."""

    identifier_unreadable = (
        "identifier_unreadable",
        "Identifier not readable",
        "The identifier has the form of no scheme that is known here; nothing was looked up.",
    )
    claim_unknown = "claim_unknown", "Claim not recorded", "There is no claim with this id; nothing was compared."
    claim_retired = "claim_retired", "The claim was withdrawn, and no other took its place."
    source_unknown = (
        "source_unknown",
        "Source not recorded",
        "No document or study here has the identifier. That says neither that it exists nor that it does not.",
    )
    other_title = (
        "other_title",
        "Another title",
        "The identifier belongs to a document with another title than the one given.",
    )
    retracted = "retracted", "The source was withdrawn: it counts for nothing."
    supports = "supports", "The source is recorded as supporting the claim."
    disputes = "disputes", "The source is recorded as disputing the claim."
    mixed = "mixed", "Points both ways", "What is recorded of the source on the claim points both ways."
    inconclusive = "inconclusive", "The source is recorded as not able to decide the claim."
    background = "background", "The source is recorded as context; it does not test the claim."
    not_assessed = (
        "not_assessed",
        "Cited, not read",
        "The source is cited for the claim, and nobody here has read the part that matters.",
    )
    other_report = (
        "other_report",
        "Another report of its study is cited",
        "The source is not cited for the claim; another document on the same study is.",
    )
    not_cited = "not_cited", "The source is recorded, and not cited for the claim."
    compare_claims = (
        "compare_claims",
        "Cited for claims near the sentence",
        "The sentence is no recorded claim. The source is cited for claims near it, which must be compared with it.",
    )
    not_cited_nearby = (
        "not_cited_nearby",
        "Not cited for claims near the sentence",
        "The sentence is no recorded claim. The source is recorded, and cited for none of the nearest claims.",
    )
    no_claim_near = "no_claim_near", "No claim near the sentence", "No recorded claim is near the sentence."


class TitleResult(Term):
    """How a title that was given compares with the recorded one."""

    same = "same", "The same words, whatever their case, accents, punctuation and markup."
    near = "near", "Almost the same words, or the same without the subtitle."
    different = "different", "Other words: the identifier belongs to another document."
    not_recorded = "not_recorded", "No title is recorded of the source, so nothing was compared."


class QuoteResult(Term):
    """Where a quotation was found in what may be held of a source. The text of no source is held here."""

    in_recorded_quote = (
        "in_recorded_quote",
        "In a recorded quotation",
        "The words stand in a short quotation that a curator took from the source.",
    )
    in_title = "in_title", "The words stand in the title of the source."
    our_words = (
        "our_words",
        "Words of this site",
        "The words are those in which this site puts what the source found; they are no quotation from it.",
    )
    too_short = "too_short", "Too short", "Fewer than four words can stand anywhere; nothing was compared."
    no_text_held = (
        "no_text_held",
        "No text held",
        "The text of the source is not held here, so nobody compared the quotation with it.",
    )


VOCABULARIES = vocabularies_of(__name__)
