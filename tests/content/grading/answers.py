"""The words of the verdict on every claim, as a file that is read line by line.

`python -m tests.content.grading.answers` writes it anew. Read what changes as a patient would.
"""

from pathlib import Path

from app.claims.schemas import ClaimWrite
from app.core.vocabulary import Status
from app.datasets import bundle
from app.grading.derive import computed_claim
from app.storage.records import RecordsInMemory
from tests.conftest import SEED

ANSWERS = Path(__file__).with_name("verdict_answers.txt")


def answers() -> str:
    """Verdict, answer and counts of every published claim."""
    contents = {change.key: change.content for change in bundle.read(SEED)}
    records = RecordsInMemory(contents)
    claims = [content for content in contents.values() if isinstance(content, ClaimWrite)]
    published = sorted((c for c in claims if c.status is Status.published), key=lambda claim: claim.id)
    return "\n".join(_claim(records, claim) for claim in published)


def _claim(records: RecordsInMemory, claim: ClaimWrite) -> str:
    evidence = computed_claim(records, claim, None).evidence
    counts = f"  {evidence.counts_text}\n" if evidence.counts_text else ""
    claimed = "" if evidence.answer.endswith(claim.statement) else f"  Claimed: {claim.statement}\n"
    verdict = evidence.verdict
    return f"{claim.id}: {verdict.label} ({verdict.code}, {verdict.tone})\n  {evidence.answer}\n{counts}{claimed}"


if __name__ == "__main__":
    ANSWERS.write_text(answers(), encoding="utf-8")
