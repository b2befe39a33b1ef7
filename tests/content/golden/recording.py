"""Answers in a form that can be compared: what clients rely on, what may be reworded, and what only identifies.

`python -m tests.content.golden.recording` records them anew from the seed data, into `answers.json.xz`.
"""

import json
import lzma
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from tests.content.golden.requests import GoldenRequest, requests

ANSWERS = Path(__file__).with_name("answers.json.xz")
COMPARED_HEADERS = (
    "content-type", "link", "location", "content-location", "content-disposition", "vary", "cache-control",
    "cdn-cache-control", "allow", "content-security-policy", "last-modified", "retry-after", "dataset-serial",
    "dataset-release", "api-version",
)  # fmt: skip
WORDS = ("title", "detail", "message", "text", "diagnostics", "description", "summary")
"""Fields of errors, and of the OpenAPI document, that hold prose."""

Recorded = dict[str, Any]


def record(client: TestClient, asked: GoldenRequest) -> Recorded:
    """One answer. Words of errors and the ETag are kept apart from the rest; request ids are left out."""
    answer = client.request(asked.method, asked.path, headers=asked.headers, json=asked.body)
    headers = {name: answer.headers[name] for name in COMPARED_HEADERS if name in answer.headers}
    recorded: Recorded = {"status": answer.status_code, "headers": headers, "etag": answer.headers.get("etag")}
    if asked.path == "/openapi.json" or answer.status_code >= 400:
        value = answer.json()
        value.pop("request_id", None)
        recorded["words"] = dict(_words(value, ""))
        recorded["body"] = without_words(value)
    else:
        recorded["body"] = answer.text
    return recorded


def _words(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            if name in WORDS and isinstance(part, str):
                yield f"{path}/{name}", part
            else:
                yield from _words(part, f"{path}/{name}")
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from _words(part, f"{path}/{position}")


def without_words(value: Any) -> Any:
    if isinstance(value, dict):
        return {n: without_words(v) for n, v in value.items() if not (n in WORDS and isinstance(v, str))}
    return [without_words(part) for part in value] if isinstance(value, list) else value


def read() -> dict[str, Recorded]:
    """The frozen answers, by the name of their request."""
    found: dict[str, Recorded] = json.loads(lzma.decompress(ANSWERS.read_bytes()))
    return found


def write(client: TestClient) -> int:
    """Freeze the answers as they are; how many."""
    answers = {asked.name: record(client, asked) for asked in requests()}
    ANSWERS.write_bytes(lzma.compress(json.dumps(answers, ensure_ascii=False, sort_keys=True).encode(), preset=9))
    return len(answers)


def main() -> None:
    from tests.conftest import fill, serving

    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/golden.db"
        fill(url)
        with serving(url) as client:
            print(f"{write(client)} answers frozen, {ANSWERS.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
