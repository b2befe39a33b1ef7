"""The pages of the application: its routes outside the API, with real ids and with each choice that they offer."""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin

from fastapi.routing import APIRoute

from app.http.queries import query_model
from app.main import create_app
from app.registry import RESOURCES
from app.settings import Settings

NO_PAGES = ("/v1/", "/fhir/", "/cds-services", "/infobutton", "/static/", "/healthz", "/readyz")
"""What lies below is data, files and probes."""
NO_HTML = frozenset({"/favicon.ico", "/embed.js", "/opensearch.xml", "/sitemap.xml", "/robots.txt", "/llms.txt"})
READERS = frozenset({"/docs", "/reference"})
"""Vendored software draws these: what it makes of keyboard, contrast and width is its own."""
QUERIES = {"/search": ("", "?q=murmuria", "?q=zzyzx")}
"""What a page is asked where its query is free text: nothing, something that is found, and something that is not."""
MAX_EXAMPLES = 4
"""Records of each type that are looked at."""


@lru_cache(maxsize=1)
def page_routes() -> dict[str, APIRoute]:
    """Every route that answers with a page, by its path."""
    app = create_app(Settings())  # opens no database before the first request
    try:
        return {
            route.path: route
            for route in _flat(app.routes)
            if "GET" in (route.methods or ()) and not route.path.startswith(NO_PAGES) and route.path not in NO_HTML
        }
    finally:
        app.state.reads.close()


def _flat(routes: Iterable[Any]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif (router := getattr(route, "original_router", None)) is not None:
            yield from _flat(router.routes)


def addresses(url: str, path: str) -> list[str]:
    """The pages of one route: for some records as they are, and for one of them with each choice of its query."""
    filled = _filled(url, path)
    asked = [f"{filled[0]}{query}" for query in QUERIES.get(path, ())]
    base = next((address for address in asked if "?" in address), filled[0])
    choices = [
        f"{base}{'&' if '?' in base else '?'}{name}={urllib.parse.quote(str(value))}"
        for name, values in _choices(page_routes()[path]).items()
        for value in values
    ]
    return [*(asked or filled), *choices]


def _filled(url: str, path: str) -> list[str]:
    """The path with real ids in the place of its parameters."""
    names = re.findall(r"\{(\w+)\}", path)
    if not names:
        return [path]
    found = [_examples(ids(url, _collection(path, name))) for name in names]
    assert all(found), f"no record for a parameter of {path}"
    rows = zip(*found, strict=False) if len(found) > 1 else ((one,) for one in found[0])
    return [path.format(**dict(zip(names, row, strict=True))) for row in rows]


def _collection(path: str, name: str) -> str:
    """The list of the API in which the values of a parameter are: of `{id}` by the segment before it."""
    known = {resource.path.rpartition("/")[2]: resource.path for resource in RESOURCES}
    by_type = {resource.type: resource.path for resource in RESOURCES}
    before = path.partition(f"/{{{name}}}")[0].rpartition("/")[2]
    collection = known.get(before) or by_type.get(name.removesuffix("_id"))
    assert collection, f"tests/browser/addresses.py does not know what stands for {{{name}}} in {path}"
    return collection


@lru_cache(maxsize=64)
def ids(url: str, collection: str) -> tuple[str, ...]:
    """The records of a list of the API, those with the most bytes first."""
    with urllib.request.urlopen(f"{url}{collection}?limit=200") as response:  # noqa: S310 - our own server
        items = json.load(response)["items"]
    items.sort(key=lambda item: len(json.dumps(item)), reverse=True)
    return tuple(item["id"] for item in items)


def _examples(found: Sequence[str]) -> list[str]:
    """The first and the last, and some between them at equal distances."""
    last = len(found) - 1
    places = {round(number * last / (MAX_EXAMPLES - 1)) for number in range(MAX_EXAMPLES)}
    return [found[place] for place in sorted(places)] if found else []


def _choices(route: APIRoute) -> dict[str, tuple[Any, ...]]:
    """The closed parameters of a route and their values, however the route reads its query."""
    annotations = {field.name: field.field_info.annotation for field in route.dependant.query_params}
    for dependency in route.dependant.dependencies:
        model = query_model(dependency.call)
        if model is not None:
            annotations |= {name: field.annotation for name, field in model.model_fields.items()}
    return {name: values for name, annotation in annotations.items() if (values := _values(annotation))}


def _values(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if isinstance(annotation, type) and hasattr(annotation, "__members__"):
        return tuple(member.value for member in annotation.__members__.values())
    return next((values for part in get_args(annotation) if (values := _values(part))), ())
