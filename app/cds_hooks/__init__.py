"""CDS Hooks 2.0.1 for record systems: warns where medicines must not meet, shows cited evidence on what is ordered."""

from fastapi import FastAPI

from app.cds_hooks.routes import MAX_BODY_BYTES, CdsService, router
from app.cds_hooks.settings import CdsSettings

__all__ = ["MAX_BODY_BYTES", "TAG", "install", "router"]

TAG = {"name": "cds-hooks", "description": "Cards for record systems, by the CDS Hooks 2.0.1 standard."}


def install(app: FastAPI, base_url: str, settings: CdsSettings | None = None) -> None:
    """Add the services. `base_url` is this server as record systems address it.

    Issuers without https are an error here, not at the first request.
    """
    app.state.cds_hooks = CdsService(settings or CdsSettings(), base_url)
    app.include_router(router)
