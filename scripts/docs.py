"""Rewrite the generated parts of the documentation from the code: `python scripts/docs.py` (or `--check`).

A generated part stands between `<!-- generated: name -->` and `<!-- end -->`.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from app.cds_hooks.settings import CdsSettings
from app.claims.rules import FORMS, VOTING_FORMS
from app.claims.vocabulary import Certainty, Consensus, Stance, StanceReason
from app.grading.method import METHOD
from app.main import create_app
from app.settings import ROOT, Settings
from scripts.dependencies import is_for_linux, licence, locked

BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *[list(row) for row in rows]]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def endpoints() -> str:
    paths = create_app(Settings()).openapi()["paths"]
    rows = [
        (f"`{method.upper()} {path}`", operation["summary"])
        for path, operations in paths.items()
        for method, operation in operations.items()
    ]
    return table(("call", "what it answers"), rows)


def settings() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "`var/ldn-evidence.db` (SQLite)" if name == "database_url" else f"`{default}`"
        if name == "seed_dir":
            shown = f"`{default[0].relative_to(ROOT)}`"
        rows.append((f"`{name.upper()}`", shown, (field.description or "").replace("\n", " ")))
    for name, field in CdsSettings.model_fields.items():
        shown = json.dumps(field.default) if isinstance(field.default, tuple) else field.default
        rows.append((f"`CDS_{name.upper()}`", f"`{shown}`", (field.description or "").replace("\n", " ")))
    return table(("variable", "default", "meaning"), rows)


def weights() -> str:
    m = METHOD
    rows = (
        (f"randomized, {m.large_trial_people} people or more", str(m.randomized_large)),
        (f"randomized, fewer than {m.large_trial_people} people or unknown", str(m.randomized_small)),
        ("fixed-order placebo, registry with exposure groups, case-control", str(m.comparative)),
        ("uncontrolled", str(m.uncontrolled)),
        (f"case reports (fewer than {m.case_report_people} people), animals, cells", str(m.preclinical)),
        ("design not recorded", "0"),
        (f"all systematic reviews together, where no study votes: a meta-analysis of "
         f"{m.review_unit_people} people or more", str(m.review_unit_large)),
        ("the same, otherwise", str(m.review_unit_small)),
    )  # fmt: skip
    return table(("unit", "weight"), rows)


def consensus() -> str:
    return table(("value", "meaning"), ((f"`{term}`", term.definition) for term in Consensus))


def certainty() -> str:
    return table(("value", "meaning"), ((f"`{term}`", term.definition) for term in Certainty))


def stances() -> str:
    return table(("stance", "meaning"), ((f"`{term}`", term.definition) for term in Stance))


def reasons() -> str:
    return table(("reason", "meaning"), ((f"`{term}`", term.definition) for term in StanceReason))


def forms() -> str:
    rows = (
        (
            f"`{form}`",
            form.definition,
            "yes" if form in VOTING_FORMS else "no",
            ", ".join(s for s in Stance if s in shape.stances),
        )
        for form, shape in FORMS.items()
    )
    return table(("form", "meaning", "gathers votes", "stances its citations may take"), rows)


def licences() -> str:
    rows = sorted(
        (licence(requirement.name), requirement.name) for requirement in locked() if is_for_linux(requirement)
    )
    by_licence = {text: ", ".join(f"`{name}`" for _, name in group) for text, group in groupby(rows, key=itemgetter(0))}
    return table(("licence", "packages"), by_licence.items())


PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part
    for part in (endpoints, settings, weights, consensus, certainty, stances, reasons, forms, licences)
}


def renewed(text: str) -> str:
    return BLOCK.sub(lambda match: match[1] + PARTS[match[2]]() + match[3], text)


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def main() -> int:
    stale = [page for page in pages() if renewed(page.read_text(encoding="utf-8")) != page.read_text(encoding="utf-8")]
    if "--check" not in sys.argv:
        for page in stale:
            page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
    for page in stale:
        print(f"{page.relative_to(ROOT)}: {'stale' if '--check' in sys.argv else 'renewed'}")
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
