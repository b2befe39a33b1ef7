"""Base models of content, which curators write, of responses, which the API shows, and of query strings."""

from collections.abc import Mapping, Set
from functools import cache
from typing import Any, ClassVar, TypeVar, cast

from pydantic import BaseModel, ConfigDict, create_model

from app.core.text import Slug
from app.core.vocabulary import Status


class ContentModel(BaseModel):
    """A frozen value with no unknown fields; the same shape in seed files, history and exports."""

    # In answers every field is present, so that none is optional there.
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )


class Record(ContentModel):
    """The fields of every record. Ids are opaque topics, never verdicts, and are never renamed or reused."""

    id: Slug
    status: Status = Status.published
    successor: Slug | None = None
    """The record of the same type that takes over when this one is retired."""


class ResponseModel(BaseModel):
    """A response. Every field is always present; unknown is null, 'does not apply' is an empty list."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,  # defaults are for what was stored by earlier releases
    )

    ALWAYS_SHOWN: ClassVar[frozenset[str]] = frozenset()
    """Fields that stay where a request asks for some fields only."""


class RequestModel(BaseModel):
    """The body of a request, or a part of it: unknown fields are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class QueryModel(BaseModel):
    """The parameters of an address; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    NOT_OFFERED: ClassVar[Mapping[str, str]] = {}
    """Parameters that a client may expect from other APIs, each with what to use here."""
    ONLY_SHOWING: ClassVar[frozenset[str]] = frozenset()
    """Parameters that say how much of each record is shown, and choose no records."""
    NOT_INDEXED: ClassVar[frozenset[str]] = frozenset()
    """Parameters that take SQL beyond an index, counting, or reading bodies; those of a model and of all its bases."""

    def takes_more_than_indexes(self) -> bool:
        """Whether the request has a parameter that is not answered by an index alone."""
        return not self.model_fields_set.isdisjoint(_not_indexed(type(self)))


Query = TypeVar("Query", bound=QueryModel)


def derived_query(name: str, base: type[Query], *others: type[QueryModel], **fields: Any) -> type[Query]:
    """A model of a query with the parameters of others and some more, each as (annotation, default).

    Parameters that are added take their descriptions from their annotations: for docstrings pydantic would look through
    the source of every caller, which took a third of the time to load the service.
    """
    made: Any = create_model(
        name, __base__=(base, *others), __cls_kwargs__={"use_attribute_docstrings": False}, **fields
    )
    return cast("type[Query]", made)


@cache
def _not_indexed(model: type[QueryModel]) -> frozenset[str]:
    return frozenset().union(*(vars(base).get("NOT_INDEXED", ()) for base in model.__mro__))


class Envelope(ResponseModel):
    """The fields that every published record has besides its content."""

    ALWAYS_SHOWN: ClassVar[frozenset[str]] = frozenset({"id", "type", "links"})

    id: Slug
    version: int
    """Counts the changes of content or derived values, from 1."""
    status: Status
    successor: Slug | None
    updated_at: str
    """When this version was published (RFC 3339, UTC)."""


def shared_fields(content: ContentModel, response: type[ResponseModel]) -> dict[str, Any]:
    """The fields that a response shows as they are written: those of both models, without those of every record."""
    names = common_fields(type(content), response) - Envelope.model_fields.keys()
    return {name: getattr(content, name) for name in names}


@cache
def common_fields(content: type[ContentModel], response: type[ResponseModel]) -> Set[str]:
    """The names of the fields that both models have."""
    return content.model_fields.keys() & response.model_fields.keys()


class RecordLinks(ResponseModel):
    """Path-absolute addresses."""

    self: str
    permalink: str
    """The record as it is now, for ever: its address at the serial at which these bytes last changed."""
    versions: str
    html: str
    """The page that shows it to readers."""
