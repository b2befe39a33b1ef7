"""How much CPU and memory loading a data set takes: `python -m benchmarks.loading [--claims 7000]`.

The data set is synthetic: its DOIs have the prefix 10.5555, which is reserved for examples. Measured are a first load,
a load in which nothing changed, and one in which one claim changed, each by the command line in a process of its own.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

_CONDITIONS, _OUTCOMES, _DRUGS = 60, 40, 30
_CLAIMS_PER_FILE = 250
_STANCES = (
    {"stance": "supports"},
    {"stance": "supports"},
    {"stance": "disputes", "stance_reason": "n1d_named_null"},
    {"stance": "inconclusive", "stance_reason": "underpowered"},
)
_DESIGNS = ("randomized_parallel_trial", "retrospective_cohort", "case_series")


def data_set(claims: int) -> dict[str, Any]:
    """Path of each file, and what it holds: claims with two citations each, and a document and a study for each."""
    draw = random.Random(20_261_128)  # noqa: S311 - reproducible, not secret
    drugs = [f"drug-{n}" for n in range(_DRUGS)]
    conditions = [f"condition-{n}" for n in range(_CONDITIONS)]
    outcomes = [f"outcome-{n}" for n in range(_OUTCOMES)]
    files: dict[str, Any] = {
        "dataset.yaml": {
            "dataset": {
                "id": "synthetic",
                "name": "Synthetic",
                "title": "Synthetic claims",
                "description": "Made to measure loading; nothing in it is true.",
                "publisher": {"name": "Nobody"},
                "licence": {"name": "CC0"},
                "citation": "Synthetic claims",
            }
        },
        "interventions.yaml": [
            {"id": name, "name": name.title(), "kind": "drug", "description": "A drug."} for name in drugs
        ],
        "conditions.yaml": [{"id": name, "name": name.title(), "description": "A condition."} for name in conditions],
        "outcomes.yaml": [
            {"id": name, "name": name.title(), "description": "An outcome.", "better": "lower"} for name in outcomes
        ],
        "studies.yaml": [
            {
                "id": f"study-{n}",
                "name": f"Study {n} of a drug",
                "design": _DESIGNS[n % len(_DESIGNS)],
                "evidence_source": "human_clinical",
                "participants": 10 + n % 400,
                "conditions": [draw.choice(conditions)],
            }
            for n in range(claims)
        ],
        "documents.yaml": [
            {
                "id": f"document-{n}",
                "kind": "article-journal",
                "title": f"Report {n} on what a drug does in a condition",
                "authors": [{"family": f"Author{n % 977}", "given": "Ann"}, {"family": "Leaf", "given": "Bo"}],
                "container_title": "Journal of Invented Results",
                "issued": str(1990 + n % 35),
                "volume": str(n % 90),
                "page": f"{n}-{n + 9}",
                "identifiers": [{"scheme": "doi", "value": f"10.5555/synthetic.{n}"}],
                "studies": [{"study": f"study-{n}", "role": "primary"}],
            }
            for n in range(claims)
        ],
    }
    for record_type, records in list(files.items())[1:]:
        files[record_type] = {record_type.removesuffix(".yaml"): records}
    for start in range(0, claims, _CLAIMS_PER_FILE):
        some = [
            _claim(n, claims, draw, drugs, conditions, outcomes)
            for n in range(start, min(start + _CLAIMS_PER_FILE, claims))
        ]
        files[f"claims/part-{start:05}.yaml"] = {"claims": some}
    return files


def _claim(
    number: int, claims: int, draw: random.Random, drugs: list[str], conditions: list[str], outcomes: list[str]
) -> dict[str, Any]:
    drug, condition, outcome = draw.choice(drugs), draw.choice(conditions), draw.choice(outcomes)
    object_ = f"{outcome} in people with {condition}"
    sources = sorted({number, draw.randrange(claims)})
    return {
        "id": f"claim-{number}",
        "kind": "efficacy",
        "form": "general_effect",
        "statement": f"{drug.title()} may reduce {object_}.",
        "wording": {"frame": "benefit", "subject": drug.title(), "verb": "reduce", "object": object_},
        "effect": "improves",
        "intervention": drug,
        "conditions": [condition],
        "outcome": outcome,
        "citations": [_citation(source, draw) for source in sources],
    }


def _citation(source: int, draw: random.Random) -> dict[str, Any]:
    return {
        "document": f"document-{source}",
        "study": f"study-{source}",
        **draw.choice(_STANCES),
        "directness": "direct",
        "role": "primary_result",
        "finding": f"What was measured in study {source} differed between the groups by the end of treatment.",
        "verification": {"result": "verified", "basis": "abstract", "checked_on": "2026-11-28"},
    }


def write(directory: Path, claims: int) -> None:
    for name, content in data_set(claims).items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False, width=120), encoding="utf-8")


def change_one(directory: Path) -> None:
    path = directory / "claims" / "part-00000.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("study 0 differed", "study 0 hardly differed"))


def run(*arguments: str, url: str) -> tuple[float, float, str]:
    """CPU seconds and peak memory in MB of a command, and the last line that it says."""
    command = [sys.executable, "-m", "app.cli", *arguments]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url}, stdout=said, stderr=said)  # noqa: S603 - our own command
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        lines = said.read().strip().splitlines() or [""]
    if process.returncode:
        raise SystemExit("\n".join(lines[-20:]))
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, lines[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--claims", type=int, default=7_000)
    parser.add_argument("--database", help="Address of an empty PostgreSQL database; SQLite by default.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        files = Path(name) / "files"
        write(files, options.claims)
        url = options.database or f"sqlite:///{name}/evidence.db"
        run("migrate", url=url)
        idle, _, _ = run("--help", url=url)
        print(f"command line alone: {idle:.1f} CPU s")
        print("| load | CPU s | peak MB | |\n|---|---|---|---|")
        for what in ("first", "unchanged", "one claim changed"):
            if what.startswith("one"):
                change_one(files)
            cpu, peak, last = run("seed", "--from", str(files), url=url)
            print(f"| {what} | {cpu:.1f} | {peak:.0f} | {last} |", flush=True)


if __name__ == "__main__":
    main()
