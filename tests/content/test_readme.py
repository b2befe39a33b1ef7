"""What the README says of the shipped data set is what the service answers."""

import json
import re
from typing import Any

from starlette.testclient import TestClient

from app.settings import ROOT


def test_first_call_of_the_readme_answers_what_it_shows(client: TestClient) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    call = re.search(r"curl -s 'localhost:8000(/[^']+)'", readme)
    shown = re.search(r"```json\n(.*?)```", readme, re.DOTALL)
    assert call is not None
    assert shown is not None
    answer = client.get(call[1]).json()
    assert_shown(json.loads(shown[1]), answer)


def assert_shown(shown: Any, answer: Any, at: str = "answer") -> None:
    """Everything shown stands in the answer; the answer may hold more fields."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in answer, f"{at}.{name}"
            assert_shown(value, answer[name], f"{at}.{name}")
    elif isinstance(shown, list):
        assert len(shown) == len(answer), at
        for index, value in enumerate(shown):
            assert_shown(value, answer[index], f"{at}[{index}]")
    else:
        assert shown == answer, at


def test_every_address_that_the_readme_recommends_answers(client: TestClient) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## For browsers and record systems")[2].partition("\n## ")[0]
    addresses = [address for line in section.splitlines() for address in re.findall(r"`(/[^`]*)`", line)]
    assert addresses
    for address in addresses:
        assert client.get(address).status_code == 200, address
