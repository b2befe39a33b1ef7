"""CDS Hooks 2.0.1 for record systems: warns where naltrexone meets an opioid, shows cited evidence on low doses."""

from fastapi import FastAPI

from app.cds_hooks import drugs
from app.cds_hooks.routes import Face, router
from app.cds_hooks.settings import CdsSettings

__all__ = ["TAG", "install", "router"]

TAG = {"name": "cds-hooks", "description": "Cards for record systems, by the CDS Hooks 2.0.1 standard."}


def install(app: FastAPI, given: CdsSettings | None = None) -> None:
    """Add the face. An opioid value set that cannot be read is an error here, not at the first patient."""
    settings = given or CdsSettings()
    app.state.cds_hooks = Face(settings, drugs.load(settings.opioid_value_set))
    app.include_router(router)
