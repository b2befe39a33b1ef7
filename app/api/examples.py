"""Real answers in the documentation: how the examples of the data set enter the OpenAPI document.

`python scripts/examples.py` records those of the shipped data set again; a test asks each request and compares.
"""

from typing import Any

from app.concepts.manifest import Examples


def add(openapi: dict[str, Any], examples: Examples) -> dict[str, Any]:
    """Put them where readers and generators of documentation look for them."""
    for operations in openapi["paths"].values():
        for operation in operations.values():
            _add_to(operation, examples)
    return openapi


def _add_to(operation: dict[str, Any], examples: Examples) -> None:
    name = str(operation.get("operationId"))
    for parameter in operation.get("parameters", ()):
        if values := examples.parameters.get(name, {}).get(parameter["name"]):
            parameter["schema"]["examples"] = list(values)
    asked = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if asked is not None and name in examples.bodies:
        asked["examples"] = {title: {"value": value} for title, value in examples.bodies[name].items()}
    content = operation.get("responses", {}).get("200", {}).get("content", {}).get("application/json")
    if content is not None and name in examples.answers:
        posted = examples.posts.get(name)
        summary = f"POST {posted.path}" if posted else f"GET {examples.requests.get(name, '')}"
        content["examples"] = {"recorded": {"summary": summary, "value": examples.answers[name]}}
