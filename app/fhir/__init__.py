"""The FHIR R5 facade, for clinics and guideline tools."""

from fastapi import FastAPI

from app.fhir import outcome
from app.fhir.routes import MOUNT, facade

FACES = {f"{MOUNT}/": outcome.response}
"""How errors that arise in front of the facade are told."""


def install(app: FastAPI, base: str = "") -> None:
    """Add `/fhir`. `base` is the server's public address, such as `https://ldn.example.org`: FHIR
    wants absolute addresses, and the Host header of a request is not to be trusted for them."""
    app.mount(MOUNT, facade(app, base))
