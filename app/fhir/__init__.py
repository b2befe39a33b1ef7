"""The FHIR R5 interface, for clinics and guideline tools."""

from fastapi import FastAPI

from app.fhir import outcome
from app.fhir.routes import MOUNT, fhir_app

ERROR_RENDERERS = {f"{MOUNT}/": outcome.response}
"""By path prefix, how errors are rendered that arise before a request reaches this interface."""


def install(app: FastAPI, base: str = "") -> None:
    """Add `/fhir`. `base` is the server's public address, such as `https://kb.example.org`: FHIR wants absolute
    addresses, and the Host header of a request cannot be trusted."""
    app.mount(MOUNT, fhir_app(app, base))
