"""What a model is made of, as far down as it goes: which fields hold other models, and which hold terms."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.core.vocabulary import OpenVocabulary, Term


class FieldShape(NamedTuple):
    """What a field holds, alone or several times."""

    model: type[BaseModel] | None
    vocabulary: type[Term] | OpenVocabulary | None


@cache
def shape_of(model: type[BaseModel]) -> Mapping[str, FieldShape]:
    """The fields of a model by name, in its order."""
    model.model_rebuild()  # a field may name a model that was defined after this one
    return {name: _shape(field) for name, field in model.model_fields.items()}


def _shape(field: FieldInfo) -> FieldShape:
    parts = [*_parts(field.annotation), *field.metadata]
    types = [part for part in parts if isinstance(part, type)]
    model = next((part for part in types if issubclass(part, BaseModel)), None)
    closed = next((part for part in types if issubclass(part, Term)), None)
    return FieldShape(model, closed or next((part for part in parts if isinstance(part, OpenVocabulary)), None))


def _parts(annotation: Any) -> Iterator[Any]:
    """The type itself, or those that an optional one or a list is made of, with what marks them."""
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _parts(argument)


@cache
def open_fields(model: type[BaseModel]) -> Mapping[str, OpenVocabulary]:
    """The fields of a model itself that hold terms of open vocabularies."""
    fields = ((name, field.vocabulary) for name, field in shape_of(model).items())
    return {name: vocabulary for name, vocabulary in fields if isinstance(vocabulary, OpenVocabulary)}


@cache
def paths_of(model: type[BaseModel]) -> tuple[str, ...]:
    """Every field at any depth, as a dotted path; lists take no step of their own."""
    return tuple(_paths(model))


def _paths(model: type[BaseModel]) -> Iterator[str]:
    for name, field in shape_of(model).items():
        yield name
        if field.model is not None:
            yield from (f"{name}.{path}" for path in paths_of(field.model))


@cache
def _leading_to_open_values(model: type[BaseModel]) -> Mapping[str, FieldShape]:
    """The fields of a model that hold terms of open vocabularies, themselves or further down."""
    return {
        name: field
        for name, field in shape_of(model).items()
        if isinstance(field.vocabulary, OpenVocabulary) or (field.model and _leading_to_open_values(field.model))
    }


def open_values(content: BaseModel, within: str = "") -> Iterator[tuple[str, OpenVocabulary, str]]:
    """The fields of a model at any depth that hold terms of open vocabularies: path, vocabulary and value."""
    for name, field in _leading_to_open_values(type(content)).items():
        value = getattr(content, name)
        items = {f"[{i}]": item for i, item in enumerate(value)} if isinstance(value, tuple) else {"": value}
        for position, item in items.items():
            at = f"{within}{name}{position}"
            if isinstance(item, BaseModel):
                yield from open_values(item, f"{at}.")
            elif isinstance(field.vocabulary, OpenVocabulary) and item is not None:
                yield at, field.vocabulary, item
