"""Imports every models module, so that the metadata is whole for migrations and tests."""

from app.accounts import models as accounts
from app.concepts import models as concepts
from app.core import filters, history, replay
from app.core.database import Base
from app.curation import models as curation
from app.curation import projections
from app.evidence import models as evidence
from app.interchange import models as interchange
from app.search import models as search
from app.sources import models as sources

__all__ = [
    "accounts",
    "concepts",
    "curation",
    "evidence",
    "filters",
    "history",
    "interchange",
    "metadata",
    "projections",
    "replay",
    "search",
    "sources",
]

metadata = Base.metadata
