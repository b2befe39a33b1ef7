"""OpenTelemetry: one span for each request, with nothing in it that a client sent.

FastAPI's own spans name the path and the query, which may name a patient; they are switched off (`NO_TELEMETRY`).
"""

from __future__ import annotations

import os
import time

from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

from app.core.logging import AccessLine

NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def tracer_from_environment() -> Tracer | None:
    """Sends spans by OTLP over HTTP where `OTEL_EXPORTER_OTLP_ENDPOINT` says; null where it is not set.

    Needs `pip install ldn-evidence[otel]`. The other variables of OpenTelemetry count as well, such as
    `OTEL_SERVICE_NAME` and `OTEL_TRACES_SAMPLER`. What was not sent yet is sent when the process ends.
    """
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("ldn_evidence")


def record_span(tracer: Tracer, scope: Scope, line: AccessLine) -> None:
    """A span that has just ended. It continues the trace that `traceparent` names, and keeps nothing else of it."""
    sent = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"
    }
    ended_at = time.time_ns()
    span = tracer.start_span(
        f"{line.method} {line.route}",
        TraceContextTextMapPropagator().extract(sent),
        SpanKind.SERVER,
        {
            "http.request.method": line.method,
            "http.route": line.route,
            "http.response.status_code": line.status,
            "http.response.body.size": line.bytes,
            "app.request_id": line.request_id,
        },
        start_time=ended_at - int(line.seconds * 1e9),
    )
    if line.status >= 500:
        span.set_status(Status(StatusCode.ERROR))
    span.end(ended_at)
