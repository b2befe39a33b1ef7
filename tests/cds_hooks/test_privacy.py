"""What a request says of a patient lives in memory for that request: canaries are put everywhere and found nowhere."""

import json
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.settings import ROOT
from tests.cds_hooks.fhir_server import FhirServer, answer, fhir_server
from tests.cds_hooks.keys import RecordSystem
from tests.cds_hooks.support import RXNORM, SIGN, Json
from tests.conftest import Engines

CANARY = f"CANARY{uuid.uuid4().hex}"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Everything the server writes lies here."""
    return tmp_path / "server"


@pytest.fixture
def ehr() -> RecordSystem:
    return RecordSystem()


@pytest.fixture
def fhir() -> Iterator[FhirServer]:
    with fhir_server() as found:
        yield found


@contextmanager
def running(place: Path, ehr: RecordSystem, engines: Engines, fhir: FhirServer, *mode: str) -> Iterator[Any]:
    """A server over a copy of the data; its address and its process."""
    place.mkdir()
    database = place / "evidence.db"
    original = engines("sqlite").original.removeprefix("sqlite:///")
    with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(database)) as copy:
        source.backup(copy)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = [f"sqlite:///{database}", str(port), str(ehr.write(place.parent)), fhir.host, *mode]
    with (place / "stdout").open("wb") as out, (place / "stderr").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.cds_hooks.server", *arguments], cwd=ROOT, stdout=out, stderr=err
        )
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(200):
                if process.poll() is not None or _answers(address):
                    break
                time.sleep(0.1)
            yield address, process, database
        finally:
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/cds-services").status_code == 200
    except httpx2.TransportError:
        return False


def found_in(place: Path) -> list[str]:
    """Files that hold a canary; the database's log file among them."""
    files = [path for path in place.rglob("*") if path.is_file()]
    assert {"stderr", "stdout", "evidence.db"} <= {path.name for path in files}
    return [path.name for path in files if CANARY.encode() in path.read_bytes()]


def patient(**fields: Any) -> Json:
    """A request with a canary in every field that can hold one."""
    order = {
        "resourceType": "MedicationRequest",
        "id": CANARY,
        "status": "draft",
        "intent": CANARY,
        "identifier": [{"system": CANARY, "value": CANARY}],
        "medicationCodeableConcept": {
            "text": f"Zelvane 4.5 mg {CANARY}",
            "coding": [{"system": RXNORM, "code": "9990001", "display": f"zelvane {CANARY}"}],
        },
        "subject": {"reference": f"Patient/{CANARY}", "display": CANARY},
        "requester": {"reference": f"Practitioner/{CANARY}"},
        "authoredOn": CANARY,
        "note": [{"text": CANARY}],
        "reasonCode": [{"text": CANARY, "coding": [{"system": "http://snomed.info/sct", "code": CANARY}]}],
        "dosageInstruction": [{"text": f"4.5 mg {CANARY}", "patientInstruction": CANARY}],
        "contained": [{"resourceType": "Patient", "name": [{"family": CANARY}]}],
        CANARY: CANARY,
    }
    lort = {
        **order,
        "id": f"{CANARY}-2",
        "status": "active",
        "medicationCodeableConcept": {"text": f"oxilort {CANARY}"},
    }
    person = {
        "resourceType": "Patient",
        "id": CANARY,
        "identifier": [{"value": CANARY}],
        "name": [{"family": CANARY, "given": [CANARY]}],
        "telecom": [{"value": CANARY}],
        "address": [{"line": [CANARY], "city": CANARY}],
        "birthDate": CANARY,
    }
    return {
        "hook": "order-sign",
        "hookInstance": str(uuid.uuid4()),
        "fhirServer": f"https://{CANARY}.example",
        "fhirAuthorization": {"access_token": CANARY, "subject": CANARY, "patient": CANARY, "scope": CANARY},
        "context": {
            "userId": f"Practitioner/{CANARY}",
            "patientId": CANARY,
            "encounterId": CANARY,
            "selections": [CANARY],
            "draftOrders": {"resourceType": "Bundle", "entry": [{"fullUrl": CANARY, "resource": order}]},
        },
        "prefetch": {
            "patient": person,
            "medications": {"resourceType": "Bundle", "entry": [{"fullUrl": CANARY, "resource": lort}]},
            "stopped": None,
            "statements": {"resourceType": "OperationOutcome", "issue": [{"diagnostics": CANARY}]},
            CANARY: CANARY,
        },
        CANARY: CANARY,
        **fields,
    }


def test_no_outcome_leaves_a_trace_of_the_patient(
    place: Path, ehr: RecordSystem, engines: Engines, fhir: FhirServer
) -> None:
    seen: dict[str, int] = {}
    with running(place, ehr, engines, fhir) as (address, process, database):

        def post(name: str, path: str = SIGN, token: str | None = None, query: str = "", **sent: Any) -> None:
            bearer = token or ehr.token(path, jti=f"{CANARY}-{name}", sub=CANARY, tenant=CANARY)
            headers = {"Authorization": f"Bearer {bearer}", "X-Patient": CANARY, "Cookie": CANARY, "User-Agent": CANARY}
            headers["Content-Type"] = "application/json"
            answer = httpx2.post(f"{address}{path}{query}", headers=headers, timeout=30, **sent)
            seen[name] = answer.status_code
            if name not in (
                "cards",
                "fetched",
                "not fetched",
            ):  # they carry the draft's id back, to name the order that may be removed
                assert CANARY not in answer.text, name
                assert CANARY not in str(answer.headers), name

        post("cards", json=patient())
        reason = {"reason": {"code": CANARY, "system": CANARY}, "userComment": CANARY}
        told = {
            "card": CANARY,
            "outcome": "overridden",
            "outcomeTimestamp": "2026-01-05T10:05:31Z",
            "overrideReason": reason,
        }
        post("feedback", f"{SIGN}/feedback", json={"feedback": [told]})
        post("malformed", content=f'{{"hook": "{CANARY}'.encode())
        post("refused", token=CANARY, json=patient())
        post("unknown", f"/cds-services/{CANARY}", json=patient())
        fhir.lists = {"status": patient()["prefetch"]["medications"]}
        post("fetched", json=patient(fhirServer=fhir.address, prefetch=None))
        fhir.failure = lambda handler: answer(handler, CANARY.encode(), 500)
        post("not fetched", json=patient(fhirServer=fhir.address, prefetch={"statements": None}))
        assert all(CANARY in path and CANARY in str(token) for path, token in fhir.requests)
        post("nothing to check", json=patient(prefetch={"patient": {"id": CANARY}}))
        post("too large", content=iter([json.dumps(patient(padding=CANARY * 110_000)).encode()]))
        post("wrong hook", json=patient(hook=CANARY))
        post("wrong instance", json=patient(hookInstance=CANARY))
        post("wrong serial", query=f"?serial={CANARY}", json=patient())
        post("bad feedback", f"{SIGN}/feedback", json={"feedback": [{**told, "outcome": CANARY}]})
        with _broken(database, "ALTER TABLE publications RENAME TO away", "ALTER TABLE away RENAME TO publications"):
            post("database trouble", json=patient())
        reasoned = patient()
        gripes = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "K99", "display": CANARY}]}]
        reasoned["context"]["draftOrders"]["entry"][0]["resource"]["reasonCode"] = gripes
        with _broken(database, "UPDATE record_states SET content = 'x' WHERE id = 'ldz-gripes-remission'"):
            post("our own fault", json=reasoned)
        _hang_up(address, ehr.token(SIGN))
        time.sleep(0.5)
        half = _half_sent(address, ehr.token(SIGN))
        process.kill()
        process.wait()
        half.close()

    assert seen == {
        "cards": 200, "fetched": 200, "not fetched": 200, "feedback": 200, "malformed": 400, "refused": 401,
        "unknown": 404, "nothing to check": 412, "too large": 413, "wrong hook": 422, "wrong instance": 422,
        "wrong serial": 422, "bad feedback": 422, "database trouble": 503, "our own fault": 500,
    }  # fmt: skip
    assert b'"route"' in (place / "stderr").read_bytes()
    assert found_in(place) == []


def test_the_search_would_find_what_was_logged_or_stored(
    place: Path, ehr: RecordSystem, engines: Engines, fhir: FhirServer
) -> None:
    with running(place, ehr, engines, fhir, "leak") as (address, _, database):
        httpx2.get(f"{address}/cds-services?patient={CANARY}")
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("INSERT INTO feedback_counts VALUES (?, '', '', 1)", (CANARY,))
            connection.commit()
            assert {"stderr", "evidence.db-wal"} <= set(found_in(place))


@contextmanager
def _broken(database: Path, *statements: str) -> Iterator[None]:
    first, *last = statements
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        connection.execute(first)
        connection.commit()
        yield
        for statement in last:
            connection.execute(statement)
        connection.commit()


def _half_sent(address: str, token: str) -> socket.socket:
    """A request whose body stops half way."""
    host, _, port = address.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)))
    head = f"POST {SIGN} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 99999\r\n\r\n"
    connection.sendall(head.encode() + json.dumps(patient()).encode()[:2000])
    return connection


def _hang_up(address: str, token: str) -> None:
    _half_sent(address, token).close()
