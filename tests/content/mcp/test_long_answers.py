"""Answers to assistants stay readable over the shipped data set, the longest ones too."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from app.main import create_app, in_context
from app.settings import Settings
from tests.conftest import Engines
from tests.mcp.test_mcp import MAX_BYTES, call, claims_in, text_of
from tests.serving import served

PAIN = "ldn-fibromyalgia-pain"
YOUNGER = "10.1002/art.37734"
PAIR = {"intervention": "low-dose-naltrexone", "condition": "fibromyalgia"}
NEAR = {"sentence": "naltrexone reduces pain in fibromyalgia", "identifier": YOUNGER, "quote": "not one word of it"}
OPIOIDS = ("naltrexone", "tramadol", "methadone", "oxycodone", "morphine", "fentanyl", "codeine", "alcohol")
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("search_claims", {"q": "naltrexone pain", "limit": 10}),
    ("search_claims", {"q": "vivid dreams", "limit": 10}),
    ("get_claim", {"id": PAIN}),
    ("get_claim", {"id": "naltrexone-opioid-free-interval"}),
    ("get_brief", PAIR),
    ("get_brief", {"intervention": "rxnorm:7243", "condition": "icd10cm:M32.9"}),
    ("check_interactions", {"drugs": [{"text": drug} for drug in ("LDN", *OPIOIDS, "buprenorphine")]}),
    ("check_interactions", {"drugs": [{"text": drug} for drug in ("LDN", "tramadol", "levothyroxine")]}),
    ("get_references", {"claims": [PAIN], "style": "vancouver"}),
    ("get_references", PAIR),
    ("verify_citations", {"items": [NEAR] * 5}),
]


@pytest.fixture(scope="module")
def service(engines: Engines) -> Iterator[str]:
    settings = Settings(database_url=engines("sqlite", "shipped").original)
    with served(in_context(create_app(settings), settings)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(("name", "given"), CALLS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(CALLS)])
def test_the_longest_answers_can_be_read(service: str, name: str, given: dict[str, Any]) -> None:
    result = call(service, name, given)
    assert not result.is_error, text_of(result)
    answer, text = result.structured_content, text_of(result)
    assert len(text.encode()) + len(json.dumps(answer)) < MAX_BYTES
    for claim in claims_in(answer):
        assert claim["uncited"] or claim["sources"], claim["id"]
        for source in claim["sources"]:
            assert source["doi"] or source["pmid"] or source["registry_ids"] or source["url"].startswith("http")


def test_a_brief_of_a_megabyte_is_given_in_short(service: str) -> None:
    whole = httpx2.get(f"{service}/v1/briefs/low-dose-naltrexone/fibromyalgia")
    brief = call(service, "get_brief", PAIR).structured_content
    assert len(whole.content) > 10 * len(json.dumps(brief))
