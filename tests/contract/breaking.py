"""What in a new OpenAPI document breaks a client of the old one.

Answers may gain fields and enumeration values; requests may gain optional parameters and accepted values.
"""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
Schema = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "patch")
_FLOORS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_CEILINGS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def breaks(old: Document, new: Document) -> list[str]:
    """Every break, in words; empty where each client of `old` can go on with `new`."""
    return sorted(set(_operations(old, new)))


def _operations(old: Document, new: Document) -> Iterator[str]:
    for path, operations in old["paths"].items():
        if path not in new["paths"]:
            yield f"{path}: removed"
            continue
        for method in METHODS:
            if method not in operations:
                continue
            at = f"{method.upper()} {path}"
            if method not in new["paths"][path]:
                yield f"{at}: removed"
                continue
            before, after = operations[method], new["paths"][path][method]
            if before.get("operationId") != after.get("operationId"):
                yield f"{at}: operationId changed"
            yield from _parameters(at, old, new, before, after)
            yield from _bodies(at, old, new, before, after)
            yield from _responses(at, old, new, before, after)


def _parameters(at: str, old: Document, new: Document, before: Document, after: Document) -> Iterator[str]:
    was = {(found["in"], found["name"]): found for found in before.get("parameters", [])}
    now = {(found["in"], found["name"]): found for found in after.get("parameters", [])}
    for key, parameter in was.items():
        where = f"{at} {key[1]}"
        if key not in now:
            yield f"{where}: parameter removed"
            continue
        if now[key].get("required") and not parameter.get("required"):
            yield f"{where}: parameter became required"
        yield from _Comparison(old, new, request=True).schemas(where, parameter["schema"], now[key]["schema"])
    for key, parameter in now.items():
        if key not in was and parameter.get("required"):
            yield f"{at} {key[1]}: new required parameter"


def _bodies(at: str, old: Document, new: Document, before: Document, after: Document) -> Iterator[str]:
    was, now = before.get("requestBody"), after.get("requestBody")
    if now and now.get("required") and not (was and was.get("required")):
        yield f"{at}: body became required"
    for media_type, content in (was or {}).get("content", {}).items():
        found = (now or {}).get("content", {}).get(media_type)
        if found is None:
            yield f"{at}: {media_type} is no longer accepted"
        else:
            yield from _Comparison(old, new, request=True).schemas(f"{at} body", content["schema"], found["schema"])


def _responses(at: str, old: Document, new: Document, before: Document, after: Document) -> Iterator[str]:
    for status, response in before.get("responses", {}).items():
        if status not in after.get("responses", {}):
            if status.startswith("2"):
                yield f"{at} {status}: removed"
            continue
        now = after["responses"][status].get("content", {})
        for media_type, content in response.get("content", {}).items():
            if media_type not in now:
                yield f"{at} {status}: {media_type} removed"
            elif "schema" in content:
                comparison = _Comparison(old, new, request=False)
                yield from comparison.schemas(f"{at} {status}", content["schema"], now[media_type].get("schema", {}))


class _Comparison:
    """Two schemas side by side, references followed, each pair of them once."""

    def __init__(self, old: Document, new: Document, *, request: bool) -> None:
        self.old = old
        self.new = new
        self.request = request
        self.seen: set[tuple[str, str]] = set()

    def schemas(self, at: str, old: Schema, new: Schema) -> Iterator[str]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair):
            if pair in self.seen:
                return
            self.seen.add(pair)
        was, now = _choices(self.old, old), _choices(self.new, new)
        removed, added = was.keys() - now.keys(), now.keys() - was.keys()
        if (removed and (self.request or added)) or (added and not self.request):
            yield f"{at}: type changed"
        for kind in was.keys() & now.keys():
            yield from self._alike(at, was[kind], now[kind])

    def _alike(self, at: str, was: Schema, now: Schema) -> Iterator[str]:
        yield from self._values(at, was, now)
        yield from self._properties(at, was, now)
        if "items" in was and "items" in now:
            yield from self.schemas(f"{at}[]", was["items"], now["items"])
        if isinstance(was.get("additionalProperties"), dict) and isinstance(now.get("additionalProperties"), dict):
            yield from self.schemas(f"{at}{{}}", was["additionalProperties"], now["additionalProperties"])

    def _values(self, at: str, was: Schema, now: Schema) -> Iterator[str]:
        if not self.request:
            return
        allowed, still = _values(was), _values(now)
        if still is not None and (allowed is None or set(allowed) - set(still)):
            yield f"{at}: fewer values accepted"
        if any(name in now and _tighter(name, _bounds_of(was), now) for name in (*_FLOORS, *_CEILINGS)):
            yield f"{at}: narrower bounds"
        if now.get("pattern", was.get("pattern")) != was.get("pattern"):
            yield f"{at}: another pattern"

    def _properties(self, at: str, was: Schema, now: Schema) -> Iterator[str]:
        after: dict[str, Schema] = now.get("properties", {})
        for name, schema in was.get("properties", {}).items():
            if name not in after:
                yield f"{at}.{name}: field removed"
            else:
                yield from self.schemas(f"{at}.{name}", schema, after[name])
        required_before, required_now = set(was.get("required", [])), set(now.get("required", []))
        changed = required_now - required_before if self.request else required_before - required_now
        for name in changed & (set(after) if self.request else set(was.get("properties", {})) & set(after)):
            yield f"{at}.{name}: field became {'required' if self.request else 'optional'}"


def _bounds_of(schema: Schema) -> Schema:
    """The schema; of one that lists texts, the bounds of their lengths."""
    values = _values(schema)
    if not values or not all(isinstance(value, str) for value in values):
        return schema
    lengths = [len(value) for value in values]
    return {"minLength": min(lengths), "maxLength": max(lengths), **schema}


def _tighter(name: str, was: Schema, now: Schema) -> bool:
    if name not in was:
        return True
    return bool(now[name] > was[name] if name in _FLOORS else now[name] < was[name])


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _choices(document: Document, schema: Schema) -> dict[str, Schema]:
    """The schema's alternatives by type; an alternative of objects stands for all of them."""
    if "$ref" in schema:
        return _choices(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives:
        found: dict[str, Schema] = {}
        for alternative in alternatives:
            found |= _choices(document, alternative)
        return found
    kind = schema.get("type", "any")
    return {kind: schema} if isinstance(kind, str) else dict.fromkeys(kind, schema)
