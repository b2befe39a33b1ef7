"""The whole data set as its readers get it, and a data set with a retired record of every type."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.accounts.models import Actor
from app.catalog import RESOURCES
from app.core.history import StoredRecord
from app.core.vocabulary import Status
from app.curation.service import Change, publish
from app.evidence.schemas import CitationWrite, ClaimWrite
from tests.conftest import Engine, opened, serving
from tests.contract.support import Item, items_of

NEWCOMER = "contract-newcomer"
"""The id, in every type, of a record that the `history` data set gained at serial 2 and retired at serial 3."""
HEIR = "contract-heir"
"""The id, in every type but citations, of the record that took over."""


@pytest.fixture(scope="session")
def everything(client: TestClient) -> dict[str, list[Item]]:
    """Every published record of every type, as its list shows it."""
    return {resource.type: items_of(client, resource.path, limit=200) for resource in RESOURCES}


@pytest.fixture(scope="session")
def history(engine: Engine) -> Iterator[TestClient]:
    """Reads a data set in which the newcomer of every type was published, changed hands and was retired."""
    url = engine.copy("history")
    with opened(url) as database:
        with database.write() as session:
            born = [_copy(session, resource.type, NEWCOMER) for resource in RESOURCES if not resource.part_of]
            heirs = [_copy(session, resource.type, HEIR) for resource in RESOURCES if not resource.part_of]
            publish(session, _actor(session), [*heirs, *born], "Newcomers")
        with database.write() as session:
            retired = [
                Change(change.type, change.content.model_copy(update={"status": Status.retired, "successor": HEIR}))
                for change in born
            ]
            publish(session, _actor(session), retired, "Newcomers retired")
    with serving(url) as reader:
        yield reader
