"""Two servers that do nothing but send recorded answers: the least that an ASGI function, and a FastAPI route, cost.

`python benchmarks/bare.py asgi|fastapi RECORDING PORT`
"""

import pickle
import sys
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]


class Recorded(NamedTuple):
    """The answer to one address, and the headers of its 304."""

    headers: Headers
    body: bytes
    not_modified: Headers


def asgi_app(recording: dict[str, Recorded]) -> ASGIApp:
    """Sends headers and bytes by path and query, and 304 to whoever sends `If-None-Match`."""
    answers = {address.encode(): answer for address, answer in recording.items()}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        query: bytes = scope["query_string"]
        answer = answers[scope["raw_path"] + b"?" + query if query else scope["raw_path"]]
        status, headers, body = 200, answer.headers, answer.body
        for name, _ in scope["headers"]:
            if name == b"if-none-match":
                status, headers, body = 304, answer.not_modified, b""
                break
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def fastapi_app(recording: dict[str, Recorded]) -> ASGIApp:
    """One route with one path parameter that returns bytes; answers are numbered in the order of the recording."""
    from fastapi import FastAPI, Response  # the other server must not pay for it

    bodies = {str(number): answer.body for number, answer in enumerate(recording.values())}
    app = FastAPI()

    @app.get("/{number}")
    async def answer(number: str) -> Response:
        return Response(bodies[number], media_type="application/json")

    return app


def main(kind: str, recording: Path, port: int) -> None:
    answers: dict[str, Recorded] = {
        address: Recorded(*parts)
        for address, parts in pickle.loads(recording.read_bytes()).items()  # noqa: S301 - written by run.py a moment ago
    }
    app = asgi_app(answers) if kind == "asgi" else fastapi_app(answers)
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
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
