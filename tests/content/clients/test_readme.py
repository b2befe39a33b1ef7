"""The example of the Python client's page reads the shipped data set."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.test_python_client import SOURCE, package
from tests.conftest import Engines, application
from tests.serving import served

__all__ = ["package"]


@pytest.fixture(scope="module")
def url(engines: Engines) -> Iterator[str]:
    with application(engines("sqlite", "shipped").original) as app, served(app) as port:
        yield f"http://127.0.0.1:{port}"


def test_the_example_of_the_readme_runs(package: Path, url: str) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (SOURCE / "README.md").read_text(), re.DOTALL)
    run = subprocess.run(
        [sys.executable, "-c", example.replace("http://127.0.0.1:8000", url)],
        cwd=package,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "disputes" in run.stdout
    assert "supports" in run.stdout
