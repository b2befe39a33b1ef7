"""Checks of our own for Schemathesis; `schemathesis.toml` names this module."""

import json
import re
from typing import Any

import schemathesis
from fhir.resources.operationoutcome import OperationOutcome
from schemathesis import Case, CheckContext, GenerationMode, Response

MEANINGS = frozenset(
    {
        "ambiguous_code",
        "foreign_cursor",
        "json_only",
        "malformed_code",
        "malformed_cursor",
        "malformed_identifier",
        "missing",
        "too_large",
        "unknown_serial",
        "unknown_system",
        "unknown_value",
    }
)
"""Why a request of the right form may be refused: what it names does not exist, cannot be read, or is not enough."""

BEYOND_SCHEMAS = re.compile(
    r"q|doi|pmid|dose|items\.\d+(\.\w+)?|drugs\.\d+(\.dose|\.text)?|feedback\.\d+|updated_since"
)
"""Fields with rules that no schema tells: text without control characters, units of doses, exactly one name for each
drug, and of claim and sentence for each citation to verify, what goes with an outcome of feedback, days that exist."""


@schemathesis.check
def one_shape_of_errors(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Every error is a problem, whoever raised it; below `/fhir`, and for 412 of CDS Hooks, an OperationOutcome."""
    if response.status_code < 400 or case.method.upper() == "HEAD":
        return
    if case.path.startswith("/fhir/"):
        assert response.headers["content-type"][0] == "application/fhir+json; charset=utf-8"
        OperationOutcome.model_validate_json(response.content)
    elif not (case.path.startswith("/cds-services") and response.status_code == 412):
        assert response.headers["content-type"][0] == "application/problem+json"
        assert json.loads(response.content)["status"] == response.status_code


@schemathesis.check
def bounded_and_traceable(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Every answer names its request; no error is large."""
    assert "x-request-id" in response.headers
    assert response.status_code < 400 or len(response.content) <= 8192


@schemathesis.check
def refused_for_its_meaning_alone(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """A request that fits the schema may be refused for what it names, never for its form."""
    valid = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if valid and response.status_code in (400, 422):
        errors = json.loads(response.content).get("errors", [])
        codes = {error["code"] for error in errors if not BEYOND_SCHEMAS.fullmatch(error["field"])}
        assert codes <= MEANINGS, f"refused for {sorted(codes - MEANINGS)}"
