import pytest

from app.bibliography.from_documents import reference_of
from app.bibliography.reference import Reference
from app.datasets import bundle
from app.sources.schemas import DocumentWrite
from tests.conftest import SEED


@pytest.fixture(scope="session")
def documents() -> list[Reference]:
    """Every document of the data set."""
    contents = [change.content for change in bundle.read(SEED)]
    return [reference_of(content) for content in contents if isinstance(content, DocumentWrite)]
