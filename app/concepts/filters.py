"""The filter index of concepts. Filters on the claims that name them are in `claims/queries.py`."""

from sqlalchemy import literal

from app.concepts.models import Concept
from app.core.vocabulary import Status
from app.storage.filter_bitmaps import PUBLISHED
from app.storage.filter_index import FilterSpec, values


def filter_spec(record_type: str) -> FilterSpec:
    """The concepts of one type."""
    is_one = Concept.type == record_type
    published = values(Concept.pk, {PUBLISHED.name: literal(PUBLISHED.value)})
    return FilterSpec(
        Concept,
        (published.where(is_one, Concept.status == Status.published),),
        is_one,
        ordered=frozenset({PUBLISHED.name}),  # the table holds other types in between
    )
