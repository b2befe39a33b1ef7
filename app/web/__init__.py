"""The pages: the evidence browser for readers, and the readers of the API's description for developers."""

from fastapi import FastAPI

from app.web import claims, concepts, doses, error_pages, safety, sources, start

ROUTERS = (start.router, claims.router, sources.router, safety.router, doses.router, concepts.router)


def install(app: FastAPI) -> None:
    """Add the pages; they are no part of the OpenAPI document."""
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    error_pages.install(app)
