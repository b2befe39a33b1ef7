"""Imports every models module, so that the metadata is whole for migrations and tests."""

from app.accounts import models as accounts
from app.bibliography import formatted as bibliography
from app.claims import models as evidence
from app.concepts import manifest
from app.concepts import models as concepts
from app.datasets import applied_files
from app.publishing import index_state as projections
from app.search import models as search
from app.sources import models as sources
from app.storage import filter_index as filters
from app.storage import history, replay
from app.storage.database import Base

__all__ = [
    "accounts",
    "applied_files",
    "bibliography",
    "concepts",
    "evidence",
    "filters",
    "history",
    "manifest",
    "metadata",
    "projections",
    "replay",
    "search",
    "sources",
]

metadata = Base.metadata
