"""The pages: the evidence browser for readers, and the readers of the API's description for developers."""

from fastapi import FastAPI

from app.web import claims, concepts, conditions, doses, embed, evidence_map, safety, search, site, sources, start

ROUTERS = (
    start.router,
    search.router,
    evidence_map.router,
    conditions.router,
    claims.router,
    sources.router,
    safety.router,
    doses.router,
    concepts.router,
    embed.router,
    site.router,
)


def install(app: FastAPI) -> None:
    """Add the pages; they are no part of the OpenAPI document. Call it last: see `site.install_error_pages`."""
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    site.install_error_pages(app, ROUTERS)
