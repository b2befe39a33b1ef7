"""The whole data set as its readers get it, and a data set with a retired record of every type."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from app.accounts.models import MAINTENANCE
from app.core.content import Record
from app.core.vocabulary import Status
from app.publishing.changes import Change
from app.publishing.publish import publish
from app.registry import BY_TYPE, RESOURCES
from app.storage.history import StoredRecord
from tests.conftest import Engine, opened, serving
from tests.contract.support import Item, every, items_of

NEWCOMER = "contract-newcomer"
"""In every type, the id of a record that the `history` data set gained at serial 2 and retired at serial 3."""
HEIR = "contract-heir"
"""In every type, the id of a record that came with the newcomer, and took over from it where that can be."""


@pytest.fixture(scope="session")
def everything(client: TestClient) -> dict[str, list[Item]]:
    """Every published record of every type, as its list shows it."""
    return {r.type: items_of(client, r.path, limit=200, sort="id", **every(r.type)) for r in RESOURCES}


@pytest.fixture(scope="session")
def openapi(client: TestClient) -> Item:
    """The OpenAPI document as it is served."""
    document: Item = client.get("/openapi.json").json()
    return document


@pytest.fixture(scope="session")
def history(engine: Engine) -> Iterator[TestClient]:
    """Reads a data set in which two records of every type were published and one of them was retired."""
    url = engine.copy("history")
    with opened(url) as database:
        with database.write() as session:
            pairs = [_pair(session, resource.type) for resource in RESOURCES if resource.part_of is None]
            publish(session, MAINTENANCE, [change for pair in pairs for change in pair], "Newcomers")
        with database.write() as session:
            retired = {"status": Status.retired, "successor": HEIR}
            farewell = [Change(born.type, born.content.model_copy(update=retired)) for born, _ in pairs]
            publish(session, MAINTENANCE, farewell, "Newcomers retired")
    with serving(url) as reader:
        yield reader


def _pair(session: Session, record_type: str) -> tuple[Change, Change]:
    """Two copies of a record that exists, under ids of their own."""
    stored = select(StoredRecord.content).where(
        StoredRecord.type == record_type, StoredRecord.status == Status.published
    )
    if record_type == "claim":
        stored = stored.where(StoredRecord.id == "ldz-murmuria-pain")
    content = BY_TYPE[record_type].write.model_validate_json(
        session.scalars(stored.order_by(StoredRecord.id).limit(1)).one()
    )
    return _copied(record_type, content, NEWCOMER), _copied(record_type, content, HEIR)


def _copied(record_type: str, content: Record, name: str) -> Change:
    """The record under another name, without what can belong to one record only."""
    fields = content.model_dump() | {"id": name}
    if "citations" in fields:
        fields |= {"citations": [fields["citations"][0] | {"id": name}], "relations": []}
    fields |= {owned: [] for owned in ("identifiers", "registry_ids") if owned in fields}
    return Change(record_type, type(content).model_validate(fields))
