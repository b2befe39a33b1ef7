"""What a model is made of, as far down as it goes: which fields hold other models, and which hold enumerations."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from app.core.vocabulary import Term


class FieldShape(NamedTuple):
    """What a field holds, alone or several times."""

    model: type[BaseModel] | None
    vocabulary: type[Term] | None


@cache
def shape_of(model: type[BaseModel]) -> Mapping[str, FieldShape]:
    """The fields of a model by name, in its order."""
    model.model_rebuild()  # a field may name a model that was defined after this one
    return {name: _shape(field.annotation) for name, field in model.model_fields.items()}


def _shape(annotation: Any) -> FieldShape:
    types = [part for part in _parts(annotation) if isinstance(part, type)]
    model = next((part for part in types if issubclass(part, BaseModel)), None)
    vocabulary = next((part for part in types if issubclass(part, Term)), None)
    return FieldShape(model, vocabulary)


def _parts(annotation: Any) -> Iterator[Any]:
    """The type itself, or those that an optional one or a list is made of."""
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _parts(argument)


@cache
def paths_of(model: type[BaseModel]) -> tuple[str, ...]:
    """Every field at any depth, as a dotted path; lists take no step of their own."""
    return tuple(_paths(model))


def _paths(model: type[BaseModel]) -> Iterator[str]:
    for name, field in shape_of(model).items():
        yield name
        if field.model is not None:
            yield from (f"{name}.{path}" for path in paths_of(field.model))
