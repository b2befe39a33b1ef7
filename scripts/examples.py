"""Record the answers that the documentation shows again: `python scripts/examples.py`."""

import json
import tempfile
from pathlib import Path
from typing import Any

import httpx2

from app.datasets.layout import EXAMPLES
from app.settings import ROOT
from tests.conftest import fill, serving

FILE = ROOT / "seed_data" / EXAMPLES


def main() -> None:
    examples = json.loads(FILE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{Path(directory) / 'examples.db'}"
        fill(url)
        with serving(url) as client:
            answers = {}
            for name, address in examples["requests"].items():
                answers[name] = answered(name, client.get(address))
            for name, posted in examples["posts"].items():
                answers[name] = answered(name, client.post(posted["path"], json=posted["body"]))
    recorded = {**examples, "answers": answers}
    FILE.write_text(json.dumps(recorded, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{len(answers)} answers recorded, {FILE.stat().st_size} bytes")


def answered(name: str, answer: httpx2.Response) -> Any:
    if answer.status_code != 200:
        raise SystemExit(f"{name}: {answer.url} answers {answer.status_code}: {answer.text[:300]}")
    return answer.json()


if __name__ == "__main__":
    main()
