"""LIMIT: what a server of this kind can do at best. It answers recorded bytes and headers from a dict."""

import pickle
import sys
from pathlib import Path

import uvicorn
from starlette.types import Receive, Scope, Send

Answers = dict[bytes, tuple[list[tuple[bytes, bytes]], bytes, list[tuple[bytes, bytes]]]]
"""Path and query → headers and body of the answer, headers of its 304."""


def main(recorded: Path, port: int) -> None:
    answers: Answers = pickle.loads(recorded.read_bytes())  # noqa: S301 - written by run.py a moment ago

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers, body, not_modified = answers[scope["raw_path"] + b"?" + scope["query_string"]]
        status = 200
        for name, _ in scope["headers"]:
            if name == b"if-none-match":
                headers, body, status = not_modified, b"", 304
                break
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
