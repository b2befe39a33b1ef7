"""Whether the terms that contents use are there: those that come with the software, or those of the data set."""

from collections.abc import Iterator

from app.concepts.code_systems import code_systems_of
from app.concepts.schemas import ConceptWrite
from app.concepts.terms import SHIPPED, Vocabularies, nearest_terms
from app.core.content import Record
from app.core.errors import Fault
from app.core.shape import open_values
from app.core.vocabulary import vocabulary_name


def term_faults(content: Record, own: Vocabularies) -> Iterator[tuple[str, Fault]]:
    """Fields with a term that is not there, each with the nearest right ones, and with codes that their system cannot
    have. `own` are the terms of the data set."""
    values = list(open_values(content))
    known = SHIPPED.joined(own) if values else SHIPPED
    for field, vocabulary, value in values:
        name = vocabulary_name(vocabulary.name)
        terms = known.terms(name)
        allowed = tuple(term.id for term in terms)
        if value not in allowed:
            reason = f"is none of the terms that may stand here ({', '.join(allowed)}); dataset.yaml may add to them"
            yield field, Fault("file", "", "unknown_term", reason, allowed, nearest_terms(value, terms) or None)
    if isinstance(content, ConceptWrite):
        systems = code_systems_of(own)
        for i, code in enumerate(content.codes):
            if not systems.has_form(code.system, code.code):
                reason = f"is no code of {code.system}: those have the form {systems.pattern(code.system)}"
                yield f"codes[{i}].code", Fault("file", "", "malformed_code", reason)
