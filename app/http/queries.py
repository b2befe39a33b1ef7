"""Query models read in one validation.

FastAPI reads a model given as `Query()` field by field, which costs a list of claims 195 µs a request; pydantic needs
20. `query_of(Model)` is a dependency that hands the whole query string to pydantic. The OpenAPI document is written
as if the model were given as `Query()`: see `document`.
"""

from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin
from urllib.parse import parse_qsl

from fastapi import Depends, FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

Model = TypeVar("Model", bound=BaseModel)


def query_of(model: type[Model]) -> Any:
    """A dependency: the query string as a model, which refuses unknown parameters if it forbids extra fields.

    A parameter that takes one value may stand once.
    """
    repeatable = frozenset(name for name, field in model.model_fields.items() if is_sequence(field.annotation))
    is_optional = not any(field.is_required() for field in model.model_fields.values())
    defaults = model() if is_optional else None

    async def read(request: Request) -> Model:
        query: bytes = request.scope["query_string"]
        if not query and defaults is not None:
            return defaults
        values: dict[str, Any] = {}
        repeated = set()
        for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            if name in repeatable:
                values.setdefault(name, []).append(value)
            else:
                if name in values:
                    repeated.add(name)
                values[name] = value
        refuse_repeated(repeated & model.model_fields.keys())
        try:
            return model.model_validate(values)
        except ValidationError as error:
            faults = error.errors(include_url=False)
            raise RequestValidationError([{**fault, "loc": ("query", *fault["loc"])} for fault in faults]) from None

    read.query_model = model  # type: ignore[attr-defined]  # for the OpenAPI document and for error messages
    return Depends(read)


def refuse_repeated(names: Iterable[str]) -> None:
    """RequestValidationError if there are any: which of the values counts would be a guess."""
    message = "Send this parameter once."
    faults = [{"type": "repeated_parameter", "loc": ("query", name), "msg": message} for name in sorted(names)]
    if faults:
        raise RequestValidationError(faults)


def is_sequence(annotation: Any) -> bool:
    """Whether a parameter of this type may be repeated."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return is_sequence(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return any(map(is_sequence, get_args(annotation)))
    return origin in (list, tuple, set, frozenset)


def query_model(call: Any) -> type[BaseModel] | None:
    """The model of a dependency made by `query_of`; null for any other."""
    return getattr(call, "query_model", None)


def document(app: FastAPI, openapi: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the parameters of query models, as FastAPI itself describes them."""
    described = FastAPI()
    for path, method, model in _queries(app):
        described.add_api_route(path, _endpoint(model), methods=[method])
    schemas = described.openapi()
    for path, operations in schemas["paths"].items():
        for method, operation in operations.items():
            parameters = openapi["paths"][path][method].setdefault("parameters", [])
            parameters.extend(one for one in operation.get("parameters", []) if one["in"] == "query")
    openapi["components"]["schemas"] = schemas["components"]["schemas"] | openapi["components"]["schemas"]
    return openapi


def _queries(app: FastAPI) -> Iterator[tuple[str, str, type[BaseModel]]]:
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for dependency in route.dependant.dependencies:
                if (model := query_model(dependency.call)) is not None:
                    yield from ((route.path, method, model) for method in sorted(route.methods or ()))


def _endpoint(model: type[BaseModel]) -> Any:
    def endpoint(query: Any) -> None: ...

    endpoint.__annotations__ = {"query": Annotated[model, Query()], "return": None}
    return endpoint
