"""What a model refuses in fields, as faults with the values that would have been right and the nearest of them."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from app.core.errors import Fault, nearest
from app.datasets.yaml_files import PathInFile

_REASONS = {
    "extra_forbidden": "is no field here",
    "missing": "is missing",
    "string_type": "must be text; put what looks like a number in quotes",
    "enum": "is none of the values that may stand here",
}


def validation_faults(
    model: type[BaseModel], fields: Any, error: ValidationError, more_fields: Sequence[str] = ()
) -> Iterator[tuple[PathInFile, Fault]]:
    """Each fault with the part that it is about; `more_fields` are names that may stand at the top beside the model's.

    No message repeats what was written.
    """
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        path, code = detail["loc"], detail["type"]
        allowed: tuple[str, ...] = ()
        if code == "extra_forbidden":
            allowed = (*_names_at(model, path[:-1]), *(more_fields if len(path) == 1 else ()))
            guesses = nearest(str(path[-1]), allowed, 3)
        elif code == "enum":
            allowed = _values(_annotation_at(model, path))
            guesses = nearest(str(_value_at(fields, path)), allowed, 3)
        else:
            guesses = ()
        message = _REASONS.get(code, detail["msg"])
        if code == "enum" and allowed:
            message = f"{message}: {', '.join(allowed)}"
        yield path, Fault("file", "", code, message, allowed or None, guesses or None)


def bare(annotation: Any) -> Any:
    """The type without null and without what bounds it."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            annotation = next(part for part in get_args(annotation) if part is not type(None))
        else:
            return annotation


def _annotation_at(model: type[BaseModel], path: PathInFile) -> Any:
    annotation: Any = model
    for part in path:
        annotation = bare(annotation)
        if isinstance(part, int):
            annotation = next(iter(get_args(annotation)), None)
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel) and part in annotation.model_fields:
            annotation = annotation.model_fields[part].annotation
        else:
            return None
    return bare(annotation)


def _names_at(model: type[BaseModel], path: PathInFile) -> tuple[str, ...]:
    found = _annotation_at(model, path)
    return tuple(found.model_fields) if isinstance(found, type) and issubclass(found, BaseModel) else ()


def _values(annotation: Any) -> tuple[str, ...]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(str(member.value) for member in annotation)
    return ()


def _value_at(fields: Any, path: PathInFile) -> Any:
    for part in path:
        if isinstance(fields, Mapping) and part in fields:
            fields = fields[str(part)]
        elif isinstance(fields, list) and isinstance(part, int) and part < len(fields):
            fields = fields[part]
        else:
            return ""
    return fields
