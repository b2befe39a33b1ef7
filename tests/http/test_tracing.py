"""Spans name the route and nothing that was sent."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from app.http.middleware import OperatorOptions, RequestContext
from app.http.tracing import NO_TELEMETRY, tracer_from_environment
from tests.http.conftest import SECRET

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def client(app: FastAPI, exporter: InMemorySpanExporter) -> Iterator[TestClient]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    options = OperatorOptions(tracer=provider.get_tracer("test"))
    context = RequestContext(app, max_body_bytes=1000, deadline_seconds=5, options=options)
    with TestClient(context, raise_server_exceptions=False) as client:
        yield client


def test_a_span_holds_the_route_and_nothing_that_was_sent(client: TestClient, exporter: InMemorySpanExporter) -> None:
    headers = dict.fromkeys(
        ("User-Agent", "X-Patient", "Authorization", "X-Request-ID", "tracestate", "baggage"), SECRET
    )
    client.get(f"/v1/claims/{SECRET}?condition={SECRET}", headers=headers)
    client.post("/v1/drugs", json={"name": SECRET, "dose": SECRET}, headers=headers)
    client.get(f"/{SECRET}", headers=headers)
    client.get("/v1/fails", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    spans = exporter.get_finished_spans()

    assert [(span.name, (span.attributes or {})["http.response.status_code"]) for span in spans] == [
        ("GET /v1/claims/{id}", 422),
        ("POST /v1/drugs", 422),
        ("GET -", 404),
        ("GET /v1/fails", 500),
    ]
    assert SECRET not in "".join(span.to_json() for span in spans)
    assert f"0x{TRACE}" in spans[3].to_json()


def test_the_framework_traces_nothing_of_its_own(exporter: InMemorySpanExporter) -> None:
    """Its spans name path and query as soon as there is a provider, whoever configured it."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traced: TelemetryConfig = {"tracer_provider": provider, "operation_spans": False}
    untraced: TelemetryConfig = {"tracer_provider": provider, **NO_TELEMETRY}
    TestClient(FastAPI(telemetry=untraced)).get(f"/?q={SECRET}")
    assert not exporter.get_finished_spans()

    TestClient(FastAPI(telemetry=traced)).get(f"/?q={SECRET}")
    assert SECRET in exporter.get_finished_spans()[0].to_json()


def test_without_an_endpoint_there_is_no_tracer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)

    assert tracer_from_environment() is None
