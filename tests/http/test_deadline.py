"""Past the deadline of its request work stops, so that the threads of a server are free for those who still wait."""

import http.client
import threading
import time
from collections.abc import Callable
from contextvars import copy_context

import pytest
from starlette.requests import Request

from app.api.briefs import read_brief
from app.briefs import selection
from app.cds_hooks.chart import read_chart
from app.cds_hooks.drugs import load_formulary
from app.concepts.models import Concept
from app.core import deadline
from app.fhir.rendered import ResourceCache, ResourceRenderer
from app.fhir.types import TYPES
from app.http.reads import reads_of
from app.main import create_app, in_context
from app.questions.evidence_map import evidence_map
from app.questions.interaction_responses import InteractionCheck
from app.questions.interactions import check
from app.settings import Settings
from app.storage.read_view import ReadView
from app.storage.rows import key_of
from tests.cds_hooks.support import bundle, order
from tests.conftest import Engine, opened
from tests.serving import served

MAX_SECONDS = 5.0
"""How long the endless work goes on where nothing stops it."""


def test_the_thread_of_an_answer_that_takes_too_long_is_free_again(engine: Engine) -> None:
    given = Settings(database_url=engine.original, pool_size=1, deadline_seconds=0.3)
    app = create_app(given)
    ended_after: list[float] = []
    has_ended = threading.Event()

    def endless(view: ReadView) -> None:
        started = time.monotonic()
        try:
            while time.monotonic() < started + MAX_SECONDS:
                deadline.check()
                time.sleep(0.005)
        finally:
            ended_after.append(time.monotonic() - started)
            has_ended.set()

    @app.get("/endless")
    async def route(request: Request) -> None:
        await reads_of(request).run(request, endless)

    def status_of(path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    with served(in_context(app, given, with_cache=False)) as port:
        assert status_of("/endless") == 503
        assert has_ended.wait(2 * MAX_SECONDS)
        assert ended_after[0] < MAX_SECONDS / 2
        assert status_of("/v1/coverage?intervention=low-dose-zelvane&condition=murmuria") == 200
    app.state.reads.close()


def _brief(view: ReadView) -> object:
    session = view.session
    keys = [
        key_of(session, Concept, name, kind)
        for name, kind in (("low-dose-zelvane", "intervention"), ("murmuria", "condition"))
    ]
    return read_brief(view, selection.pair_of(session, *keys))


def _evidence_map(view: ReadView) -> object:
    pk = key_of(view.session, Concept, "low-dose-zelvane", "intervention")
    return evidence_map(view.session, intervention_pk=pk, condition_pks=(), outcome_pks=())


def _interactions(view: ReadView) -> object:
    asked = InteractionCheck.model_validate({"drugs": [{"id": "zelvane"}, {"id": "metlort"}]})
    return check(view.session, asked)


def _fhir(view: ReadView) -> object:
    renderer = ResourceRenderer(view.session, ResourceCache(), view.serial, "http://testserver")
    fhir_type = next(one for one in TYPES if one.record_type == "document")
    return renderer.read_many(fhir_type, ["hopeful-article"])


def _chart(view: ReadView) -> object:
    return read_chart(load_formulary(view.session), bundle(order(text="Zelvane 4.5 mg capsule")), [], None, [])


@pytest.mark.parametrize("work", [_brief, _evidence_map, _interactions, _fhir, _chart])
def test_work_over_many_records_stops_at_the_deadline(engine: Engine, work: Callable[[ReadView], object]) -> None:
    def late() -> None:
        deadline.begin().start(-1)
        work(view)

    with opened(engine.original) as database, database.view() as view:
        work(view)
        with pytest.raises(deadline.DeadlinePassed):
            copy_context().run(late)


def test_without_a_request_there_is_no_deadline() -> None:
    deadline.check()


def test_the_clock_of_a_deadline_can_stand_still() -> None:
    def request() -> None:
        running = deadline.begin()
        deadline.check()
        running.start(-1)
        running.stop()
        deadline.check()

    copy_context().run(request)
