"""Those who never validate do not pay for the validator."""

import subprocess
import sys

SERVED = """
import sys
from starlette.testclient import TestClient
from app.storage.database import Database
from tests.fhir.conftest import fhir_client
for name in list(sys.modules):
    if name.split(".")[0] == "fhir":
        raise SystemExit("loaded by the tests themselves")
with fhir_client(Database(sys.argv[1])) as client:
    assert client.get("/fhir/r5/Evidence?_count=5").status_code == 200
    assert client.get("/fhir/r5/metadata").status_code == 200
    assert client.get("/infobutton?mainSearchCriteria.v.dn=LDZ").status_code == 200
print(sorted({name.split(".")[0] for name in sys.modules} & {"fhir", "fhircraft", "fhirclient", "fhirpy", "lxml"}))
"""


def test_serving_loads_no_fhir_library(engines: object) -> None:
    url = engines("sqlite").original  # type: ignore[operator]
    finished = subprocess.run(
        [sys.executable, "-c", SERVED, url], capture_output=True, text=True, check=False, timeout=120
    )

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines()[-1] == "[]"
