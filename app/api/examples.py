"""Real answers in the documentation: the requests, and how the recorded answers enter the OpenAPI document.

`python scripts/examples.py` records them again from the seed data; a test asks each request and compares.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

RECORDED = Path(__file__).with_name("examples.json")

REQUESTS: dict[str, str] = json.loads(Path(__file__).with_name("example_requests.json").read_text(encoding="utf-8"))
"""One request for each operation, by its id; the answers are short where that shows enough."""


class PostedExample(NamedTuple):
    path: str
    body: Mapping[str, Any]


POSTED: dict[str, PostedExample] = {
    name: PostedExample(**posted)
    for name, posted in json.loads(Path(__file__).with_name("example_posts.json").read_text(encoding="utf-8")).items()
}
"""The same for operations that take a body."""


def add(openapi: dict[str, Any]) -> dict[str, Any]:
    """Put the recorded answers where readers and generators of documentation look for them."""
    recorded: dict[str, Any] = json.loads(RECORDED.read_bytes()) if RECORDED.exists() else {}
    for operations in openapi["paths"].values():
        for operation in operations.values():
            name = operation.get("operationId")
            content = operation.get("responses", {}).get("200", {}).get("content", {}).get("application/json")
            if content is not None and name in recorded:
                summary = f"POST {POSTED[name].path}" if name in POSTED else f"GET {REQUESTS[name]}"
                content["examples"] = {"recorded": {"summary": summary, "value": recorded[name]}}
    return openapi
