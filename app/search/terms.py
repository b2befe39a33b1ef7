"""What a question asks for: terms, each with its alternatives."""

from dataclasses import dataclass, field

from app.search.analyzer import Phrase


@dataclass(frozen=True)
class QueryTerm:
    """A word, phrase or name in the question."""

    alternatives: tuple[Phrase, ...]
    """Stems, of which a record has any; the first are the words of the question."""
    is_required: bool = True
    is_risk: bool = False
    """Whether people who use the term may be at risk."""
    text: str = field(default="", compare=False)
    """Its words in the question, folded."""
