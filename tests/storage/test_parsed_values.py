"""Values parsed from stored texts are remembered within a bound of the memory that they take."""

import gc
import tracemalloc

import app.registry
from app.core.vocabulary import Status
from app.sources.schemas import DocumentWrite
from app.sources.vocabulary import DocumentKind
from app.storage.history import text_of
from app.storage.records import _ParsedTexts

MAX_BYTES = 2_000_000

assert app.registry.RESOURCES  # what is parsed is registered there


def test_remembered_values_take_no_more_memory_than_the_bound() -> None:
    text = text_of(
        DocumentWrite.model_construct(
            id="a-page", status=Status.published, label="A page", title="Title", kind=DocumentKind.webpage
        )
    )
    parsed = _ParsedTexts(MAX_BYTES)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(3_000):
        parsed.content("document", text.replace("Title", f"Title {number}"))
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert used < 1.3 * MAX_BYTES
