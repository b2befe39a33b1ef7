"""Warming: a running server renders everything once, and says how much."""

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.fhir.validation import render_all
from app.fhir.warming import warm
from app.storage.database import Database
from tests.fhir.conftest import BASE


def test_a_warmed_server_has_rendered_every_resource_that_there_is(url: str, seeded: Database) -> None:
    rendered = render_all(seeded, BASE)
    del rendered["Library"]  # made of the data set, not of a record
    assert warm(url.removesuffix("/fhir/r5")) == rendered


def test_the_command_tells_the_numbers(url: str) -> None:
    told = CliRunner().invoke(app, ["render", "--warm", url.removesuffix("/fhir/r5")])
    assert told.exit_code == 0
    assert "Evidence" in told.output


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "nonsense", "http://[bad"])
def test_a_server_that_cannot_be_read_is_said_in_a_line(address: str) -> None:
    told = CliRunner().invoke(app, ["render", "--warm", address])
    assert told.exit_code == 1
    assert "cannot be read" in told.output
