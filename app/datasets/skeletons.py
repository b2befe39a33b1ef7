"""Skeletons of records and of a whole data set, with comments.

What is to be filled in is marked with `FILL`; `check` names each mark that is left.
"""

import re
from pathlib import Path

from app.core.errors import Fault, InvalidInput
from app.core.text import SLUG_LENGTH, SLUG_PATTERN
from app.datasets.edits import with_records
from app.datasets.file_schemas import write_schemas
from app.datasets.layout import MANIFEST, SCHEMAS, stem
from app.datasets.seed_text import schema_line, text_or_beginning
from app.registry import BY_TYPE

RECORDS = {
    "study": """\
  - id: {id}
    # What was done, and the year: how people tell this study from others.
    name: FILL
    # As in docs/method.md; an editor with the schema offers the values.
    design: FILL
    evidence_source: FILL
    # Ids of conditions.yaml.
    conditions: []
    # Each person once, also in a crossover. Leave out what was not read.
    # participants: 40
    # analysed: 38
    # Registration: nct, isrctn, eudract, ctis, anzctr or drks.
    # nct: FILL
""",
    "document": """\
  - id: {id}
    # article-journal, webpage, ...; an editor with the schema offers the values.
    kind: FILL
    # Title, names and identifiers verbatim, as read.
    title: FILL
    authors:
      - {{family: FILL, given: FILL}}
    container_title: FILL
    # As precise as known: "2013" (a year in quotes), 2013-02 or 2013-02-01.
    issued: FILL
    # The label follows from author and year. Leave out an identifier that it does not have.
    doi: FILL
    # pmid: FILL
    # The studies that it reports, by their ids in studies.yaml.
    studies:
      - {{study: FILL, role: primary}}
""",
    "claim": """\
  - id: {id}
    # One thing is said, in plain words. The id is a topic, never a verdict, and never changes.
    kind: FILL
    form: FILL
    statement: FILL
    # The phrases of the answer: `subject verb object`, whatever way the evidence points.
    wording:
      frame: FILL
      subject: FILL
      verb: FILL
      object: FILL
    effect: FILL
    # Ids of interventions.yaml, conditions.yaml and outcomes.yaml.
    intervention: FILL
    conditions: [FILL]
    outcome: FILL
    citations:
      # The document by its id, or by `doi:` or `pmid:`. The citation's id follows from claim and document.
      - document: FILL
        study: FILL
        # supports, disputes, ...: docs/method.md, section 2.
        stance: FILL
        directness: FILL
        role: FILL
        # What it found on the outcome, in your own words, with its numbers.
        finding: FILL
        verification: {{result: FILL, basis: FILL, checked_on: FILL}}
""",
}
"""Type → a record that is commented, indented as an item of its file's list."""

_DATA_SET = {
    MANIFEST: """\
# What the data set says of itself: shown by pages, answers and exports.
dataset:
  id: {id}
  name: FILL
  # The heading of the first page.
  title: FILL
  description: FILL
  publisher:
    # Who answers for the data.
    name: FILL
  licence:
    # Of the data, not of the software.
    name: FILL
  # How to cite it, without release and date.
  citation: FILL
  disclaimers:
    # What must stand wherever the data are shown.
    - text: FILL
  first_call: /v1/claims
""",
    "interventions.yaml": """\
# What is given or done. A dose regimen names its drug as `parent`.
interventions:
  - id: FILL
    name: FILL
    # drug, class or regimen.
    kind: FILL
    description: FILL
""",
    "conditions.yaml": """\
# Diseases, syndromes and states that people have.
conditions:
  - id: FILL
    name: FILL
    description: FILL
""",
    "outcomes.yaml": """\
# What is measured. `better` is the direction in which people are better off: lower or higher.
outcomes:
  - id: FILL
    name: FILL
    description: FILL
    better: FILL
""",
}


def new_record(record_type: str, record_id: str) -> str:
    """A commented skeleton of a record, to be pasted into the list of a file of its type."""
    _check_id(record_id)
    return RECORDS[record_type].format(id=record_id)


def new_file(record_type: str, record_id: str, path: Path) -> None:
    """Add the skeleton at the end of the list of a file, which is made with its first line if it is not there."""
    text = new_record(record_type, record_id)
    key = stem(BY_TYPE[record_type])
    whole = with_records(text_or_beginning(path, key), key, [text], path.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(whole.encode())


def new_data_set(record_id: str, directory: Path) -> list[str]:
    """Write the skeleton of a data set with one record of each kind, and its schemas; the names of the files."""
    _check_id(record_id)
    if directory.exists() and any(directory.iterdir()):
        reason = "holds files already; name a directory that is empty or not there"
        raise InvalidInput("The data set cannot be begun there.", errors=[Fault("file", "directory", "taken", reason)])
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in _DATA_SET.items():
        path = directory / name
        path.write_text(schema_line(path, path.stem) + text.format(id=record_id), encoding="utf-8")
    new_file("study", "first-study", directory / "studies.yaml")
    new_file("document", "first-document", directory / "documents.yaml")
    new_file("claim", "first-claim", directory / "claims" / f"{record_id}.yaml")
    write_schemas(directory / SCHEMAS)
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*.yaml"))


def _check_id(record_id: str) -> None:
    if len(record_id) > SLUG_LENGTH or not re.fullmatch(SLUG_PATTERN, record_id):
        reason = f"must be small letters, digits and single hyphens, at most {SLUG_LENGTH}, such as pain-in-children"
        raise InvalidInput("The id cannot be used.", errors=[Fault("file", "id", "string_pattern_mismatch", reason)])
