import pytest

from app.bibliography.from_documents import reference_of
from app.bibliography.reference import Reference
from app.sources.schemas import DocumentWrite
from tests import neutral


@pytest.fixture(scope="session")
def documents() -> list[Reference]:
    """Every document of the neutral data set."""
    contents = [change.content for change in neutral.records()]
    return [reference_of(content) for content in contents if isinstance(content, DocumentWrite)]
