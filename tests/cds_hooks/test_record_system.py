"""A record system at work: it discovers, fills the prefetch, signs, calls a running server and shows the cards.

It behaves like the CDS Hooks sandbox: services are told apart by address, drafts come in a Bundle without a type and
the first draft has no drug yet.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from app.cds_hooks.settings import CdsSettings, Issuer
from app.main import in_context
from app.settings import Settings
from app.storage.database import Database
from tests.cds_hooks.keys import BASE, ISSUER, RecordSystem
from tests.cds_hooks.support import LDZ, OXILORT, Json, bundle, make_app, order
from tests.serving import served


@dataclass
class Sandbox:
    address: str
    keys: RecordSystem
    chart: dict[str, Json]
    """What the patient's record holds, by resource type and status."""
    services: dict[str, Json] = field(default_factory=dict)

    def discover(self) -> None:
        found = httpx2.get(f"{self.address}/cds-services").json()["services"]
        self.services = {f"/cds-services/{service['id']}": service for service in found}

    def fires(self, hook: str, *drafts: Json, selections: list[str] | None = None) -> list[str]:
        """The cards of every service of a hook, as shown."""
        shown = []
        for path, service in self.services.items():
            if service["hook"] != hook:
                continue
            body = {
                "hook": hook,
                "hookInstance": "7f8f4dd2-5b0c-4b41-9d2d-1a3c1f0e2a11",
                "fhirServer": "https://ehr.example.org/fhir",
                "context": {
                    "userId": "Practitioner/1",
                    "patientId": "7",
                    "draftOrders": bundle(*drafts),
                    **({} if selections is None else {"selections": selections}),
                },
                "prefetch": {key: self._prefetch(template) for key, template in service["prefetch"].items()},
            }
            token = self.keys.token(path)
            answer = httpx2.post(f"{self.address}{path}", json=body, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 200, answer.text
            shown += [render(card) for card in answer.json()["cards"]]
        return shown

    def _prefetch(self, template: str) -> Json | None:
        query = template.replace("{{context.patientId}}", "7")
        assert "{{" not in query
        return next((found for asked, found in self.chart.items() if query.startswith(asked)), None)


def render(card: Json) -> str:
    """As a card on the screen; raises KeyError where the standard's members are missing."""
    detail = re.sub(r"\\(.)", r"\1", card["detail"])
    assert len(card["summary"]) < 140
    assert card["indicator"] in ("info", "warning", "critical")
    buttons = [suggestion["label"] for suggestion in card.get("suggestions", ())]
    links = [f"{link['label']} <{link['url']}>" for link in card.get("links", ())]
    assert not buttons or card["selectionBehavior"]
    return "\n".join([f"[{card['indicator']}] {card['summary']}", detail, *buttons, *links, card["source"]["label"]])


@pytest.fixture
def sandbox(scratch: Database, tmp_path: Path) -> Iterator[Sandbox]:
    keys = RecordSystem()
    given = Settings(database_url=scratch.url.render_as_string(hide_password=False), public_url=BASE)
    settings = CdsSettings(issuers=(Issuer(iss=ISSUER, jwks=str(keys.write(tmp_path))),))
    app = make_app(given, settings)
    with served(in_context(app, given, with_cache=False)) as port:
        chart = {
            "MedicationRequest?patient=7&status=active": bundle(OXILORT, type="searchset", total=1),
            "MedicationRequest?patient=7&status=stopped": bundle(type="searchset", total=0),
        }
        found = Sandbox(f"http://127.0.0.1:{port}", keys, chart)
        found.discover()
        yield found
    app.state.reads.close()


def test_a_record_system_shows_cards_with_citations(sandbox: Sandbox) -> None:
    assert sandbox.fires("order-select", order("draft-1"), selections=["MedicationRequest/draft-1"]) == []

    critical, info = sandbox.fires("order-sign", LDZ)

    assert critical.startswith("[critical] Zelvane with a current lort (oxilort)")
    assert "Remove the drafted order of zelvane" in critical
    assert info.startswith("[info] Off-label. Low-dose zelvane may make little or no difference to pain")
    assert "https://doi.org/" in info
    assert "- Supports:" in info
    assert "- Disputes:" in info


def test_the_links_of_the_cards_lead_to_what_they_showed(sandbox: Sandbox) -> None:
    shown = "\n".join(sandbox.fires("order-sign", LDZ))
    links: set[str] = set(re.findall(rf"<({re.escape(BASE)}[^>]+)>", shown))

    assert links
    for link in links:
        parts = urlsplit(link)
        answer: Any = httpx2.get(f"{sandbox.address}{parts.path}?{parts.query}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        (statement,) = re.findall(r'<p class="statement">(.*?)</p>', answer.text)
        assert html.unescape(statement)[:80] in shown
