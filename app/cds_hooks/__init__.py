"""CDS Hooks 2.0.1 for record systems: warns where naltrexone meets an opioid, shows cited evidence on low doses."""

from fastapi import FastAPI

from app.cds_hooks.routes import CdsService, router
from app.cds_hooks.settings import CdsSettings

__all__ = ["TAG", "install", "router"]

TAG = {"name": "cds-hooks", "description": "Cards for record systems, by the CDS Hooks 2.0.1 standard."}


def install(app: FastAPI, settings: CdsSettings | None = None) -> None:
    """Add the services. An opioid value set that cannot be read is an error here, not at the first request."""
    app.state.cds_hooks = CdsService(settings or CdsSettings())
    app.include_router(router)
