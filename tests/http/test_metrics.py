"""What an operator sees of the service: figures by route, never what was asked."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from app.cds_hooks.settings import CdsSettings
from app.main import create_app, in_context
from app.settings import Settings
from app.storage.database import Database
from tests.cds_hooks.support import active, bundle, make_app, order, request
from tests.http.conftest import SECRET

ADDRESS = "127.0.0.1:0"
SIGN = "/cds-services/zelvane-order-sign"
SAMPLE = re.compile(r"^(\w+)(\{.*\})? (\S+)$", re.MULTILINE)


@pytest.fixture
def observed(scratch: Database) -> Iterator[tuple[TestClient, Any]]:
    """A service that counts, and its metrics."""
    url = scratch.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, metrics_address=ADDRESS, rate_limit="10000/hour", deadline_seconds=5)
    app = make_app(settings, CdsSettings())
    with TestClient(in_context(app, settings), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 1)) as client:
        yield client, app.state.metrics


def scrape(metrics: Any) -> dict[str, float]:
    with metrics.served(ADDRESS) as port:
        text = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
    assert SECRET not in text
    return {name + labels: float(value) for name, labels, value in SAMPLE.findall(text)}


def test_requests_are_counted_by_route_and_status(scratch: Database, observed: tuple[TestClient, Any]) -> None:
    client, metrics = observed
    answers = [client.get("/v1/claims/ldz-murmuria-pain") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    client.get(f"/v1/claims/{SECRET}")
    client.get(f"/{SECRET}?q={SECRET}")
    figures = scrape(metrics)

    assert figures['evidence_http_requests_total{route="/v1/claims/{id}",status="200"}'] == 3
    assert figures['evidence_http_requests_total{route="/v1/claims/{id}",status="404"}'] == 1
    assert figures['evidence_http_requests_total{route="-",status="404"}'] == 1
    assert figures['evidence_http_request_duration_seconds_count{route="/v1/claims/{id}"}'] == 4
    assert figures['evidence_http_request_duration_seconds_bucket{le="+Inf",route="/v1/claims/{id}"}'] == 4
    assert figures['evidence_http_request_duration_seconds_sum{route="/v1/claims/{id}"}'] > 0
    assert figures["evidence_response_cache_hits_total"] + figures["evidence_response_cache_misses_total"] == 5
    if scratch.is_sqlite:  # on PostgreSQL the first answers come before the cache knows the serial
        assert figures["evidence_response_cache_hits_total"] == 2
        assert figures["evidence_response_cache_entries"] == 2  # as it was made, and compressed
        assert figures["evidence_response_cache_bytes"] > 1000
    assert figures["evidence_dataset_serial"] == 1
    assert "evidence_dataset_age_seconds" in figures
    assert figures["evidence_database_read_slots"] == 10
    assert figures["evidence_database_read_slots_in_use"] == figures["evidence_http_deadlines_total"] == 0
    assert figures["evidence_rate_limit_refusals_total"] == 0
    assert figures["process_resident_memory_bytes"] > 0


def test_cards_and_feedback_are_counted(observed: tuple[TestClient, Any]) -> None:
    client, metrics = observed
    drafted, current = order(text="Zelvane 4.5 mg capsule"), active("77", "Oxilort 5 mg tablet")
    body = request(drafted, medications=bundle(current))
    assert client.post(SIGN, json=body).status_code == 200
    told = {"card": "a", "outcome": "overridden", "outcomeTimestamp": "2026-01-05T10:05:31Z"}
    for _ in range(2):
        assert client.post(f"{SIGN}/feedback", json={"feedback": [told, told]}).status_code == 200
    figures = scrape(metrics)

    assert figures['evidence_cds_cards_total{issuer="none",rule="zelvane-drafted-lort-current"}'] == 1
    assert figures['evidence_cds_feedback_total{outcome="overridden",service="zelvane-order-sign"}'] == 4


def test_figures_stay_there_when_the_database_is_away(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/empty.db", metrics_address=ADDRESS)
    app = create_app(settings)
    in_context(app, settings)
    figures = scrape(app.state.metrics)
    app.state.reads.close()

    assert figures["evidence_response_cache_entries"] == 0
    assert "evidence_dataset_serial" not in figures


def test_nothing_is_counted_unless_an_address_is_given(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/empty.db")
    app = create_app(settings)
    context = in_context(app, settings)
    app.state.reads.close()

    assert app.state.metrics is None
    assert context.options.metrics is None
