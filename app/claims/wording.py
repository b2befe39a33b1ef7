"""Counts and the verdict of a claim in words, for interfaces that show a claim as text."""

from app.claims.responses import ClaimSummary, StanceCount
from app.claims.vocabulary import Consensus


def count_text(side: StanceCount) -> str:
    """`5 citations (4 studies, 1 review, 90 people)`."""
    numbers = (
        (side.studies, "study", "studies"),
        (side.reviews, "review", "reviews"),
        (side.participants, "person", "people"),
    )
    details = ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in numbers if number)
    citations = f"{side.citations} citation{'' if side.citations == 1 else 's'}"
    return f"{citations} ({details})" if details else citations


def verdict_text(summary: ClaimSummary) -> str:
    """`Consensus: conflicting, leaning: disputes.`"""
    has_votes = summary.consensus not in (Consensus.not_applicable, Consensus.uncited)
    leaning = f", leaning: {summary.leaning.label.lower()}" if has_votes else ""
    return f"Consensus: {summary.consensus.label.lower()}{leaning}."
