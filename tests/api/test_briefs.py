"""Briefs over HTTP: formats, names, caching, the list of them, and the file that the command line writes."""

import base64
import hashlib
import re

import pytest
from starlette.testclient import TestClient

from app.api.briefs import MEDIA_TYPES, Format, brief_file
from app.briefs.responses import BriefRead
from app.core.errors import NotAcceptable, NotFound
from app.http.negotiation import negotiate
from app.storage.database import Database
from app.storage.history import referrers
from app.storage.resource import Key
from tests.conftest import Engine, opened
from tests.factories import amended, content, put

PATH = "/v1/briefs/low-dose-zelvane/murmuria"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_brief_is_json_that_meets_its_schema(client: TestClient) -> None:
    response = client.get(PATH)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    brief = BriefRead.model_validate_json(response.content)
    assert brief.foot.serial == int(response.headers["dataset-serial"])
    assert brief.foot.release == response.headers["dataset-release"]
    assert brief.links.self == PATH


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("text/markdown", "text/markdown; charset=utf-8"),
        (BROWSER, "text/html; charset=utf-8"),
        ("text/*;q=0.5, application/json;q=0.4", "text/markdown; charset=utf-8"),
        ("application/json;q=0, */*", "text/markdown; charset=utf-8"),
    ],
)
def test_client_gets_the_format_that_it_likes_best(client: TestClient, accept: str, media_type: str) -> None:
    response = client.get(PATH, headers={"Accept": accept})

    assert response.headers["content-type"] == media_type
    assert {"accept", "accept-encoding"} <= {name.strip().lower() for name in response.headers["vary"].split(",")}


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "application/json;q=nonsense", ";;,"])
def test_refused_formats_are_answered_with_those_there_are(client: TestClient, accept: str) -> None:
    response = client.get(PATH, headers={"Accept": accept})

    assert response.status_code == 406
    assert response.json()["errors"][0]["allowed"] == ["application/json", "text/markdown", "text/html"]
    with pytest.raises(NotAcceptable):
        negotiate(accept, list(MEDIA_TYPES.values()))


def test_format_goes_before_the_accept_header_and_must_be_known(client: TestClient) -> None:
    chosen = client.get(PATH, params={"format": "markdown"}, headers={"Accept": BROWSER})
    refused = client.get(PATH, params={"format": "pdf"})

    assert chosen.headers["content-type"] == "text/markdown; charset=utf-8"
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["allowed"] == ["json", "markdown", "html"]


def test_codes_lead_to_the_canonical_address(client: TestClient) -> None:
    by_code = client.get("/v1/briefs/rxnorm:9990001/icd10cm:M99.97")

    assert by_code.headers["content-location"] == "/v1/briefs/zelvane/murmuria?format=json"
    assert by_code.content == client.get(by_code.headers["content-location"]).content


def test_every_format_has_its_own_etag_and_is_not_sent_twice(client: TestClient) -> None:
    tags = {kind: client.get(PATH, params={"format": kind}).headers["etag"] for kind in ("json", "markdown", "html")}

    assert len(set(tags.values())) == 3
    for kind, tag in tags.items():
        again = client.get(PATH, params={"format": kind}, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/v1/briefs/aspirin/murmuria", "/v1/briefs/zelvane/icd10cm:Z99.9"])
def test_unknown_names_are_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_unknown_id_is_answered_with_the_nearest(client: TestClient) -> None:
    response = client.get("/v1/briefs/low-dose-zelvan/murmuria")

    assert response.status_code == 404
    assert response.json()["errors"][0]["did_you_mean"][0] == "low-dose-zelvane"


@pytest.mark.parametrize("name", ["Murmuria", "nosuch:1", "a--b", "x" * 200])
def test_names_that_cannot_be_ids_or_codes_are_refused(client: TestClient, name: str) -> None:
    assert client.get(f"/v1/briefs/low-dose-zelvane/{name}").status_code == 422


def test_retired_condition_is_gone_and_names_its_successor(scratch_client: TestClient, scratch: Database) -> None:
    retired = amended(content(scratch, "condition", "ravens-disease"), status="retired", successor="weariness")
    with scratch.read() as session:
        naming = referrers(session, [Key("condition", "ravens-disease")])
    moved = [amended(content(scratch, key.type, key.id), conditions=["weariness"]) for key in sorted(naming)]
    put(scratch, *moved, retired)

    response = scratch_client.get("/v1/briefs/low-dose-zelvane/ravens-disease")

    assert response.status_code == 410
    assert response.json()["successor"] == "weariness"


def test_page_runs_nothing_and_loads_nothing(client: TestClient) -> None:
    response = client.get(PATH, params={"format": "html"})

    page = response.text
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script|<link|<img|\sstyle=|\son[a-z]+=", page)
    assert response.headers["x-content-type-options"] == "nosniff"


def test_anchors_and_addresses_of_the_page_lead_somewhere(client: TestClient) -> None:
    page = client.get(PATH, params={"format": "html"}).text

    ids = re.findall(r'\sid="([^"]+)"', page)
    anchors = set(re.findall(r'href="#([^"]+)"', page))
    own = {address for address in re.findall(r'href="([^"#]+)"', page) if not re.match("https?://", address)}
    assert len(ids) == len(set(ids))
    assert anchors <= set(ids)
    assert all(address.startswith("../") for address in own)
    some = sorted(own)[:: max(1, len(own) // 12)]
    assert {
        client.get(f"{PATH.rpartition('/')[0]}/{address}".replace("&amp;", "&")).status_code for address in some
    } == {200}


def test_list_names_every_pair_once_in_order_and_pages_to_the_end(client: TestClient) -> None:
    whole = client.get("/v1/briefs", params={"limit": 200}).json()
    paged, address = [], "/v1/briefs?limit=5"
    while address:
        page = client.get(address).json()
        paged += page["items"]
        address = page["next"]

    pairs = [(item["intervention"]["id"], item["condition"]["id"]) for item in whole["items"]]
    assert pairs == sorted(set(pairs))
    assert paged == whole["items"]
    assert whole["total"] == len(pairs)
    murmuria = next(item for item in whole["items"] if item["links"]["self"] == PATH)
    claims = client.get("/v1/claims", params={"intervention": "low-dose-zelvane", "condition": "murmuria"}).json()
    assert 0 < murmuria["statements"] <= claims["total"]
    assert murmuria["studies"] == 5


def test_list_can_be_narrowed_and_its_briefs_exist(client: TestClient) -> None:
    items = client.get("/v1/briefs", params={"condition": "icd10cm:M99.97"}).json()["items"]

    assert items
    assert {item["condition"]["id"] for item in items} == {"murmuria"}
    assert {client.get(item["links"]["self"]).status_code for item in items} == {200}
    assert client.get("/v1/briefs", params={"condition": "nonsense"}).status_code == 422


@pytest.mark.parametrize("kind", list(Format))
def test_file_holds_what_the_api_serves(engine: Engine, client: TestClient, kind: Format) -> None:
    with opened(engine.original) as database:
        text = brief_file(database, "low-dose-zelvane", "murmuria", kind)

    assert text == client.get(PATH, params={"format": kind}).text


def test_file_of_an_unknown_pair_is_refused(engine: Engine) -> None:
    with opened(engine.original) as database, pytest.raises(NotFound):
        brief_file(database, "aspirin", "murmuria", Format.json)
