"""The quality of the search on judged questions: `python -m benchmarks.relevance.run [--all]`.

Prints nDCG@10 (gain 2^grade - 1) and recall@10 (of the records judged 2 or 3, at most ten) of each set: of those the
search is tuned on also the ten worst questions, of the one held out only the means, so that nobody tunes to it. `--all`
prints every question. It seeds a new database.
"""

import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import yaml
from sqlalchemy.orm import Session

from app.datasets.seed import seed
from app.search import service
from app.settings import ROOT
from app.storage import schema
from app.storage.database import Database

SETS = {"tuned on": "questions.yaml", "public": "public.yaml", "held out": "held_out.yaml"}
"""Name of each set of judged questions -> its file. The search is tuned on all but the last."""
HELD_OUT = "held out"
DEPTH = 10
GRADES = (3, 2, 1)


@dataclass(frozen=True)
class Question:
    text: str
    grades: Mapping[str, int]
    """`type/id` -> how well it answers the question, 1 to 3."""
    risk: bool
    """Whether the person who asks may be at risk."""


@dataclass(frozen=True)
class Score:
    question: Question
    hits: Sequence[str]
    """`type/id`, the best first."""
    ndcg: float
    recall: float


def questions(name: str) -> list[Question]:
    """The questions of a set; KeyError for a name that is not in `SETS`."""
    entries = yaml.safe_load(Path(__file__).with_name(SETS[name]).read_text(encoding="utf-8"))
    return [
        Question(
            entry["q"],
            {record: grade for grade in GRADES for record in entry.get(grade, [])},
            entry.get("risk", False),
        )
        for entry in entries
    ]


def score(session: Session, question: Question) -> Score:
    hits = [f"{hit.type}/{hit.id}" for hit in service.search(session, question.text, {}).hits[:DEPTH]]
    best = _gain(sorted(question.grades.values(), reverse=True)[:DEPTH])
    good = {record for record, grade in question.grades.items() if grade >= 2}
    ndcg = _gain([question.grades.get(record, 0) for record in hits]) / best
    return Score(question, hits, ndcg, len(good.intersection(hits)) / min(len(good), DEPTH))


def _gain(grades: Sequence[int]) -> float:
    return math.fsum((2.0**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def run() -> dict[str, list[Score]]:
    """Name of each set -> the scores of its questions."""
    with tempfile.TemporaryDirectory() as directory:
        database = Database(f"sqlite:///{directory}/relevance.db")
        schema.migrate(database)
        with database.write() as session:
            seed(session, ROOT / "seed_data")
        with database.read() as session:
            scores = {name: [score(session, question) for question in questions(name)] for name in SETS}
        database.dispose()
    return scores


def main() -> None:
    scores_by_set = run()
    with_all = "--all" in sys.argv[1:]
    for name in SETS if with_all else (name for name in SETS if name != HELD_OUT):
        worst = sorted(scores_by_set[name], key=lambda s: (s.ndcg, s.question.text))
        for s in worst if with_all else worst[:DEPTH]:
            missed = [record for record, grade in s.question.grades.items() if grade == 3 and record not in s.hits]
            misses = f"   misses {', '.join(missed)}" if missed else ""
            print(f"{s.ndcg:.2f} {s.recall:.2f}  {s.question.text}{misses}")
    for name, scores in scores_by_set.items():
        for title, some in ((name, scores), (f"{name}, at risk", [s for s in scores if s.question.risk])):
            print(
                f"{title}: {len(some)} questions, nDCG@{DEPTH} {fmean(s.ndcg for s in some):.3f}, "
                f"recall@{DEPTH} {fmean(s.recall for s in some):.3f}"
            )


if __name__ == "__main__":
    main()
