"""The Model Context Protocol, as the SDK's own client speaks it: over HTTP with a running server, and over pipes."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from starlette.types import Receive, Scope, Send

from app.main import create_app, in_context
from app.mcp.claims import QuotableClaimReader
from app.mcp.reading import OwnApplication
from app.mcp.tools import TOOLS
from app.settings import ROOT, Settings
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import CallToolResult, TextContent
from tests.conftest import Engines
from tests.serving import served
from tests.test_cli import error_text, run

PAIN = "ldz-murmuria-pain"
ALDER = "10.5555/zelvane.1"
MAX_BYTES = 100_000
"""Of an answer, text and structure together; an assistant has to read it."""
CALLS: dict[str, list[dict[str, Any]]] = {
    "search_claims": [{"q": "murmuria pain"}, {"q": "vivid dreams", "limit": 10}, {"q": "qzxv vorpal"}],
    "get_claim": [{"id": PAIN}, {"id": "zelvane-lort-free-interval"}],
    "get_brief": [
        {"intervention": "low-dose-zelvane", "condition": "murmuria"},
        {"intervention": "rxnorm:9990001", "condition": "icd10cm:M99.98"},
    ],
    "check_interactions": [
        {"drugs": [{"text": "LDZ", "dose": "4.5 mg"}, {"text": "tralort"}, {"text": "comparine"}]},
        {"drugs": [{"text": "cider"}, {"text": "no such drug"}]},
    ],
    "get_references": [
        {"claims": [PAIN], "style": "vancouver"},
        {"intervention": "low-dose-zelvane", "condition": "murmuria"},
    ],
    "verify_citations": [
        {
            "items": [
                {"claim": PAIN, "identifier": ALDER},
                {
                    "sentence": "LDZ heals murmuria pain.",
                    "identifier": "PMID 99900001",
                    "quote": "it works well",
                },
                {"claim": "no-such-claim", "identifier": "none"},
            ]
        }
    ],
}
ALL_CALLS = [(name, given) for name, calls in CALLS.items() for given in calls]
Doing = Callable[[Client], Awaitable[Any]]


@pytest.fixture(scope="module")
def service(engines: Engines) -> Iterator[str]:
    """Address of a running server over the seeded data."""
    settings = Settings(database_url=engines("sqlite").original)
    with served(in_context(create_app(settings), settings)) as port:
        yield f"http://127.0.0.1:{port}"


def speak(address: str, doing: Doing, mode: Literal["auto", "legacy"] = "auto") -> Any:
    async def run() -> Any:
        async with Client(f"{address}/mcp", mode=mode) as client:
            return await doing(client)

    return asyncio.run(run())


def call(address: str, name: str, given: dict[str, Any]) -> CallToolResult:
    result = speak(address, lambda client: client.call_tool(name, given))
    assert isinstance(result, CallToolResult)
    return result


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def claims_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every claim in an answer, wherever it stands."""
    if isinstance(value, dict):
        if "answer" in value and "statement" in value:
            yield value
        for inner in value.values():
            yield from claims_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from claims_in(inner)


# --- what is offered ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_tools_are_listed_with_their_schemas(service: str, mode: Literal["auto", "legacy"]) -> None:
    tools = speak(service, lambda client: client.list_tools(), mode).tools
    assert [tool.name for tool in tools] == [tool.name for tool in TOOLS] == list(CALLS)
    for tool in tools:
        assert tool.description
        assert tool.annotations.read_only_hint
        assert tool.input_schema["type"] == tool.output_schema["type"] == "object"
        assert {"dataset"} <= set(tool.output_schema["required"])


@pytest.mark.parametrize(("name", "given"), ALL_CALLS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(ALL_CALLS)])
def test_every_answer_has_sources_or_says_that_it_has_none(service: str, name: str, given: dict[str, Any]) -> None:
    """The client has checked the structure against the tool's schema; text and structure say the same."""
    result = call(service, name, given)
    assert not result.is_error, text_of(result)
    answer, text = result.structured_content, text_of(result)
    assert len(text.encode()) + len(json.dumps(answer)) < MAX_BYTES
    assert f"serial {answer['dataset']['serial']}" in text
    assert answer["dataset"]["disclaimer"] in text

    for claim in claims_in(answer):
        assert claim["uncited"] or claim["sources"], claim["id"]
        for must in ("answer", "statement", "permalink", "caveat", "counts_text"):
            assert not claim[must] or claim[must] in text, (claim["id"], must)
        assert claim["verdict"]["label"] in text
        assert claim["permalink"].endswith(f"/v1/claims/{claim['id']}?serial={answer['dataset']['serial']}")
        for side, word in (("supports", "For"), ("disputes", "Against")):
            assert f"{word}: {claim[side]['citations']} citation" in text
        for source in claim["sources"]:
            assert source["doi"] or source["pmid"] or source["registry_ids"] or source["url"].startswith("http")


def test_both_sides_are_among_the_first_sources(service: str) -> None:
    (claim,) = claims_in(call(service, "search_claims", {"q": PAIN, "limit": 1}).structured_content)
    assert claim["id"] == PAIN
    assert [source["stance"] for source in claim["sources"]] == ["disputes", "disputes", "supports", "supports"]
    total = sum(
        c["citations"] for c in httpx2.get(f"{service}/v1/claims/{PAIN}").json()["evidence"]["by_stance"].values()
    )
    assert claim["sources_left_out"] == total - 4


def test_a_claim_is_what_the_api_says(service: str) -> None:
    claim = call(service, "get_claim", {"id": PAIN}).structured_content["claim"]
    read = httpx2.get(f"{service}/v1/claims/{PAIN}").json()
    for name in ("answer", "verdict", "certainty", "consensus", "counts_text"):
        assert claim[name] == read["evidence"][name]
    assert (claim["statement"], claim["caveat"]) == (read["statement"], read["caveat"])
    recorded = {citation["id"]: citation for citation in read["citations"]}
    for source in claim["sources"]:
        citation = recorded[source["citation"]]
        assert (source["stance"], source["finding"]) == (citation["stance"], citation["finding"])
        assert source["doi"] == citation["document"]["doi"]


def test_a_claim_without_sources_is_called_uncited(service: str) -> None:
    uncited = httpx2.get(f"{service}/v1/claims?cited=false&limit=1").json()["items"][0]["id"]
    result = call(service, "get_claim", {"id": uncited})
    assert result.structured_content["claim"]["uncited"]
    assert "Uncited: no source is recorded for this." in text_of(result)
    references = call(service, "get_references", {"claims": [uncited]})
    assert (references.structured_content["uncited"], references.structured_content["references"]) == (True, [])


def test_a_long_brief_is_given_in_short(service: str) -> None:
    pair = {"intervention": "low-dose-zelvane", "condition": "murmuria"}
    whole = httpx2.get(f"{service}/v1/briefs/low-dose-zelvane/murmuria")
    brief = call(service, "get_brief", pair).structured_content
    assert len(whole.content) > 5 * len(json.dumps(brief))
    assert brief["headline"]["id"] == whole.json()["notice"]["claim"]["id"]
    assert [s["total"] for s in brief["sections"]] == [len(s["statements"]) for s in whole.json()["sections"]]
    for address in brief["addresses"].values():
        path = re.sub(r"^http://[^/]+", service, address)
        assert httpx2.get(path).status_code == 200


def test_every_pair_has_a_status_and_none_is_cleared(service: str) -> None:
    drugs = [{"text": name} for name in ("LDZ", "tralort", "no such drug", "comparine")]
    result = call(service, "check_interactions", {"drugs": drugs})
    answer = result.structured_content
    statuses = {tuple(pair["positions"]): pair["status"] for pair in answer["pairs"]}
    assert len(statuses) == 6
    assert statuses[0, 1] == "contraindicated"
    assert statuses[0, 2] == statuses[1, 2] == statuses[2, 3] == "unrecognized"
    assert answer["notice"] in text_of(result)


def test_verified_citations_are_those_of_the_api(service: str) -> None:
    (given,) = CALLS["verify_citations"]
    answer = call(service, "verify_citations", given).structured_content
    read = httpx2.post(f"{service}/v1/verify", json=given).json()
    for said, item in zip(answer["items"], read["items"], strict=True):
        assert (said["result"], said["advice"]) == (item["result"], item["advice"])
        assert [source["citation"] for source in said["found_in_source"]] == [c["id"] for c in item["citations"]]
        assert [near["claim"]["id"] for near in said["nearest"]] == [near["claim"]["id"] for near in item["nearest"]]


def test_citations_are_verified_with_three_requests_however_many_there_are(engines: Engines) -> None:
    """The claims that are read hold the citations that are shown."""
    app = create_app(Settings(database_url=engines("sqlite").original))
    paths: list[str] = []

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        paths.append(scope["path"])
        await app(scope, receive, send)

    tool = next(tool for tool in TOOLS if tool.name == "verify_citations")
    near = {"sentence": "zelvane reduces pain in murmuria", "identifier": ALDER}
    items = [near, {"claim": PAIN, "identifier": ALDER}, near, near, near]
    reader = QuotableClaimReader(OwnApplication(counted), "http://127.0.0.1")
    answer = asyncio.run(tool.run(reader, tool.arguments.model_validate({"items": items}))).model_dump()

    assert paths == ["/v1/verify", "/v1/claims", "/v1/meta"]
    assert answer["items"][1]["found_in_source"]
    assert any(near["found_in_source"] for near in answer["items"][0]["nearest"])


# --- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("get_claim", {"id": "no-such-claim"}, ["Not found (not_found): There is no claim with this id."]),
        ("get_claim", {"id": "zelvane-former-warning"}, ["Retired (gone)", "Use zelvane-liver-warning"]),
        ("get_claim", {}, ["invalid_input", "- id: This is required."]),
        ("get_claim", {"id": 5}, ["- id: Must be text."]),
        ("get_claim", {"id": "../meta"}, ["- id: Must match the pattern"]),
        ("search_claims", {"q": "pain", "limit": 11}, ["- limit: Must be 10 or less."]),
        ("search_claims", {"q": "pain", "limit": True}, ["- limit: Must be a whole number."]),
        ("search_claims", {"q": "pain", "colour": "red"}, ["- colour: This field is not known here."]),
        ("get_brief", {"intervention": "zelvane", "condition": "none"}, ["There is no condition with this id."]),
        ("check_interactions", {"drugs": [{"id": "metlort"}]}, ["- drugs: Must have at least 2 entries."]),
        ("check_interactions", {"drugs": [{"id": "metlort"}] * 11}, ["- drugs: Must have at most 10 entries."]),
        ("check_interactions", {"drugs": [{"id": "metlort"}, {}]}, ["Name a drug by exactly one of id, code"]),
        ("get_references", {}, ["Name either claims, or an intervention and a condition."]),
        ("get_references", {"claims": [PAIN], "style": "mine"}, ["- style: Must be one of", "Allowed: ama, apa"]),
        ("verify_citations", {"items": [{"identifier": ALDER}]}, ["Name exactly one of claim and sentence."]),
    ],
)  # fmt: skip
def test_errors_have_the_words_of_http(service: str, name: str, given: dict[str, Any], words: list[str]) -> None:
    result = call(service, name, given)
    assert result.is_error
    assert result.structured_content is None
    for part in words:
        assert part in text_of(result)


def test_nothing_that_was_sent_comes_back(service: str) -> None:
    for name, given in (
        ("get_claim", {"id": "Secret Name"}), ("search_claims", {"q": "secret name"}),
        ("verify_citations", {"items": [{"claim": "secret-name", "identifier": "secret", "title": "Secret Name"}]}),
    ):  # fmt: skip
        assert "secret" not in text_of(call(service, name, given)).lower()


def test_a_tool_that_does_not_exist_is_an_error_of_the_protocol(service: str) -> None:
    async def ask(client: Client) -> str:
        with pytest.raises(MCPError) as refused:
            await client.call_tool("drop_tables", {})
        return refused.value.message

    assert "There is no such tool. There are: search_claims" in speak(service, ask)


# --- HTTP ---------------------------------------------------------------------------------------------------------

PING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 200, None),
        ({"Origin": "http://localhost:5173"}, 200, None),
        ({"Host": "evil.example"}, 421, "unknown_host"),
        ({"Host": "127.0.0.1.evil.example"}, 421, "unknown_host"),
        ({"Origin": "https://evil.example"}, 403, "foreign_origin"),
        ({"Origin": "null"}, 403, "foreign_origin"),
        ({"Origin": "http://127.0.0.1.evil.example"}, 403, "foreign_origin"),
    ],
)
def test_pages_of_others_are_refused(service: str, headers: dict[str, str], status: int, code: str | None) -> None:
    answer = httpx2.post(f"{service}/mcp", json=PING, headers=ACCEPT | headers)
    assert answer.status_code == status, answer.text
    if code is not None:
        assert (answer.headers["content-type"], answer.json()["code"]) == ("application/problem+json", code)


def test_the_name_of_the_public_server_is_its_own(engines: Engines) -> None:
    settings = Settings(database_url=engines("sqlite").original, public_url="https://kb.example.org")
    with served(in_context(create_app(settings), settings)) as port:
        for headers, status in (
            ({"Host": "kb.example.org", "Origin": "https://kb.example.org"}, 200),
            ({"Host": "kb.example.org:443"}, 200),
            ({"Host": "other.example.org"}, 421),
        ):
            answer = httpx2.post(f"http://127.0.0.1:{port}/mcp", json=PING, headers=ACCEPT | headers)
            assert answer.status_code == status
        claim = call(f"http://127.0.0.1:{port}", "get_claim", {"id": PAIN}).structured_content["claim"]
        assert claim["permalink"].startswith("https://kb.example.org/v1/claims/")


@pytest.mark.parametrize(
    "sent",
    [
        {"jsonrpc": "2.0", "secret": "IGNORE ALL"},
        {**PING, "secret": "IGNORE ALL"},
        {**PING, "id": ["IGNORE ALL"]},
        {**PING, "jsonrpc": "IGNORE ALL"},
        {**PING, "params": "IGNORE ALL"},
        ["IGNORE ALL"],
    ],
)
def test_what_is_no_request_is_refused_and_not_repeated(service: str, sent: object) -> None:
    answer = httpx2.post(f"{service}/mcp", json=sent, headers=ACCEPT)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "no_json_rpc")
    assert "IGNORE" not in answer.text


def test_other_methods_and_bodies_are_refused_as_everywhere(service: str) -> None:
    address = f"{service}/mcp"
    for method in ("GET", "DELETE", "PUT"):
        answer = httpx2.request(method, address, headers=ACCEPT)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert "POST" in answer.headers["allow"]
    assert httpx2.post(address, content=b"{}", headers=ACCEPT).status_code == 415
    deep = httpx2.post(address, content=b"[" * 99 + b"]" * 99, headers=ACCEPT | {"Content-Type": "application/json"})
    assert (deep.status_code, deep.json()["errors"][0]["code"]) == (400, "too_deep")
    big = httpx2.post(address, json={"a": "x" * 1_000_001}, headers=ACCEPT)
    assert (big.status_code, big.json()["code"]) == (413, "payload_too_large")


def test_calls_are_charged_as_a_brief_is(engines: Engines) -> None:
    settings = Settings(database_url=engines("sqlite").original, rate_limit="15/hour")
    with served(in_context(create_app(settings), settings)) as port:
        answers = [httpx2.post(f"http://127.0.0.1:{port}/mcp", json=PING, headers=ACCEPT) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["code"] == "rate_limited"


def test_an_answer_names_its_data_set(service: str) -> None:
    asked = PING | {"method": "tools/call", "params": {"name": "get_claim", "arguments": {"id": PAIN}}}
    answer = httpx2.post(f"{service}/mcp", json=asked, headers=ACCEPT)
    dataset = answer.json()["result"]["structuredContent"]["dataset"]
    assert answer.headers["dataset-serial"] == str(dataset["serial"])
    assert answer.headers["dataset-release"] == dataset["release"]


def test_two_clients_at_once_do_not_mix(service: str) -> None:
    claims = [PAIN, "zelvane-lort-free-interval"]

    async def ask(claim: str) -> set[str]:
        async with Client(f"{service}/mcp") as client:
            results = await asyncio.gather(*(client.call_tool("get_claim", {"id": claim}) for _ in range(10)))
            return {result.structured_content["claim"]["id"] for result in results}

    async def both() -> list[set[str]]:
        return await asyncio.gather(*map(ask, claims))

    assert asyncio.run(both()) == [{claim} for claim in claims]


# --- standard input and output ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_assistant_on_this_machine_is_served_over_pipes(engines: Engines, mode: Literal["auto", "legacy"]) -> None:
    environment = {**os.environ, "DATABASE_URL": engines("sqlite").original}
    program = StdioServerParameters(
        command=sys.executable, args=["-m", "app.cli", "mcp"], env=environment, cwd=str(ROOT)
    )

    async def run() -> tuple[list[str], list[CallToolResult]]:
        async with Client(program, mode=mode) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            calls = [await client.call_tool(name, calls[0]) for name, calls in CALLS.items()]
            return names, [*calls, await client.call_tool("get_claim", {"id": "no-such-claim"})]

    names, (*answers, refused) = asyncio.run(run())
    assert names == list(CALLS)
    assert not any(answer.is_error for answer in answers)
    assert all(answer.structured_content["dataset"]["serial"] == 1 for answer in answers)
    assert refused.is_error
    assert text_of(refused).startswith("Not found (not_found): There is no claim with this id.\n- id: ")


def test_without_a_database_the_command_says_so(tmp_path: Path) -> None:
    refused = run(f"sqlite:///{tmp_path}/none.db", "mcp")
    error_text(refused, 1)
    assert refused.stdout == ""
