"""The whole data set as its readers get it, and a data set with a retired record of every type."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from app.accounts.models import MAINTENANCE
from app.catalog import BY_TYPE, RESOURCES
from app.core.history import StoredRecord
from app.core.vocabulary import Status
from app.curation.service import Change, publish
from tests.conftest import Engine, opened, serving
from tests.contract.support import Item, items_of

NEWCOMER = "contract-newcomer"
"""In every type, the id of a record that the `history` data set gained at serial 2 and retired at serial 3."""
HEIR = "contract-heir"
"""In every type, the id of a record that came with the newcomer, and took over from it where that can be."""


@pytest.fixture(scope="session")
def everything(client: TestClient) -> dict[str, list[Item]]:
    """Every published record of every type, as its list shows it."""
    return {resource.type: items_of(client, resource.path, limit=200) for resource in RESOURCES}


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
        stored = stored.where(StoredRecord.id == "ldn-fibromyalgia-pain")
    content = BY_TYPE[record_type].write.model_validate_json(
        session.scalars(stored.order_by(StoredRecord.id).limit(1)).one()
    )
    born, heir = (Change(record_type, content.model_copy(update={"id": name})) for name in (NEWCOMER, HEIR))
    if record_type != "claim":
        return born, heir
    return _with_one_citation(born), _with_one_citation(heir)


def _with_one_citation(claim: Change) -> Change:
    """A citation belongs to one claim for ever, so the copy's has an id of its own: that of the claim."""
    citation = claim.content.model_dump()["citations"][0] | {"id": claim.content.id}
    fields = claim.content.model_dump() | {"citations": [citation], "relations": []}
    return Change("claim", BY_TYPE["claim"].write.model_validate(fields))
