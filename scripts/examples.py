"""Record the answers that the documentation shows again: `python scripts/examples.py`."""

import json
import tempfile
from pathlib import Path

from app.api.examples import RECORDED, REQUESTS
from tests.conftest import fill, serving


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{Path(directory) / 'examples.db'}"
        fill(url)
        with serving(url) as client:
            answers = {}
            for name, address in REQUESTS.items():
                answer = client.get(address)
                if answer.status_code != 200:
                    raise SystemExit(f"{name}: {address} answers {answer.status_code}: {answer.text[:300]}")
                answers[name] = answer.json()
    RECORDED.write_text(json.dumps(answers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{len(answers)} answers recorded, {RECORDED.stat().st_size} bytes")


if __name__ == "__main__":
    main()
