"""Record the answers that the documentation shows again: `python scripts/examples.py`."""

import json
import tempfile
from pathlib import Path

from starlette.testclient import TestClient

from app.api.examples import RECORDED, REQUESTS
from app.datasets.seed import seed
from app.main import create_app
from app.settings import ROOT, Settings
from app.storage import schema
from app.storage.database import Database


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{Path(directory) / 'examples.db'}"
        database = Database(url)
        schema.migrate(database)
        with database.write() as session:
            seed(session, ROOT / "seed_data")
        database.dispose()
        with TestClient(create_app(Settings(database_url=url))) as client:
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
