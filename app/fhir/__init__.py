"""The faces for clinics and guideline tools: the FHIR R5 facade and the HL7 Infobutton."""

from fastapi import FastAPI

from app.fhir import infobutton, outcome
from app.fhir.routes import MOUNT, facade

FACES = {f"{MOUNT}/": outcome.response}
"""How errors that arise in front of the facade are told."""


def install(app: FastAPI, base: str = "") -> None:
    """Add `/fhir` and `/infobutton`. `base` is the server's public address, such as `https://ldn.example.org`: FHIR
    wants absolute addresses, and the Host header of a request is not to be trusted for them."""
    app.mount(MOUNT, facade(app, base))
    app.include_router(infobutton.router(base.rstrip("/")))
