"""What lists of concepts are filtered by, apart from the claims that name them."""

from sqlalchemy import literal

from app.concepts.models import Concept
from app.core.vocabulary import Status
from app.storage.filter_index import PUBLISHED, Filterable, values


def filterable(record_type: str) -> Filterable:
    """The concepts of one type."""
    is_one = Concept.type == record_type
    published = values(Concept.pk, {PUBLISHED.name: literal(PUBLISHED.value)})
    return Filterable(
        Concept,
        (published.where(is_one, Concept.status == Status.published),),
        is_one,
        walked=frozenset({PUBLISHED.name}),  # the table holds other types in between
    )
