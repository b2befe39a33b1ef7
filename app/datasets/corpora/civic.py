"""CIViC's evidence summaries: a table, one evidence item in a row, as CIViC releases it every month.

Rows that state the same of the same variant are one claim: molecular profile, disease, therapy, type and significance.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.claims.vocabulary import Kind, SubgroupBasis
from app.concepts.code_systems import DOID
from app.concepts.schemas import ConditionWrite
from app.concepts.vocabulary import CodeRelation
from app.core.errors import Fault, InvalidInput
from app.datasets.corpora.corpus import (
    CorpusImport,
    CorpusItem,
    CorpusReference,
    CorpusStatement,
    Side,
    reference_of,
    subgroup_of,
)
from app.datasets.source_formats.record import one_line
from app.sources.vocabulary import IdentifierScheme

NAME = "CIViC"
_FILES = "*ClinicalEvidenceSummaries.tsv"
_COLUMNS = (
    "molecular_profile", "molecular_profile_id", "disease", "doid", "therapies", "evidence_type", "evidence_direction",
    "significance", "evidence_statement", "citation_id", "source_type", "citation", "evidence_status", "evidence_id",
)  # fmt: skip
_NO_PLACE = {
    "rating": "has a rating, which has no place here",
    "phenotypes": "has phenotypes, which have no place here",
    "nct_ids": "names trials; whether it reports them is not stated, so no study was made",
    "variant_origin": "has an origin of the variant, which has no place here",
    "therapy_interaction_type": "says how therapies interact, which has no place here",
}
_SCHEMES = {"PubMed": IdentifierScheme.pmid, "ASH": IdentifierScheme.doi}
_SIDES = {"Supports": Side.supports, "Does Not Support": Side.against}
_ON_PEOPLE_WITH_IT = frozenset({"Predictive", "Prognostic"})
"""Types of evidence that are about people with the disease and the molecular profile."""
_YEAR = re.compile(r",\s(\d{4})(?:,|$)")
"""In `Doe et al., 2011` and `Doe et al., 2011, J Synth`."""
_Row = Mapping[str, str]


def read(directory: Path, corpus: CorpusImport) -> None:
    """Every table of the directory; InvalidInput if there is none, or if it lacks a column."""
    corpus.strength_scale = f"{NAME} evidence level"
    paths = sorted(directory.glob(_FILES))
    if not paths:
        raise InvalidInput(f"There is no file {_FILES} in that directory.", errors=[])
    seen: set[str] = set()
    for path in paths:
        for number, row in enumerate(_rows(path), 2):
            at = f"EID{row['evidence_id']}" if row["evidence_id"] else f"{path.name}, row {number}"
            if at in seen:
                corpus.leave_out("stands a second time", at)
            else:
                seen.add(at)
                _read_row(corpus, row, at)


def _rows(path: Path) -> Iterator[_Row]:
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_MINIMAL)
    missing = [name for name in _COLUMNS if name not in (table.fieldnames or ())]
    if missing:
        faults = [Fault("file", f"{path.name}: {name}", "missing_column", "is missing") for name in missing]
        raise InvalidInput("This is no table of CIViC's evidence summaries.", errors=faults)
    try:
        for row in table:
            yield {name: one_line(value) for name, value in row.items() if name is not None}
    except csv.Error as error:
        raise InvalidInput(f"{path.name}: line {table.line_num} is no row of a table.", errors=[]) from error


def _read_row(corpus: CorpusImport, row: _Row, at: str) -> None:
    if row["evidence_status"] != "accepted":
        corpus.leave_out("is not accepted by the editors of CIViC", at)
        return
    reference = _reference(corpus, row, at)
    statement = _statement(corpus, row, at) if reference else None
    if reference is None or statement is None:
        return
    for column, reason in _NO_PLACE.items():
        if row.get(column) not in (None, "", "N/A", "Unknown"):
            corpus.leave_out(reason, at)
    if row.get("is_flagged", "").lower() == "true":
        corpus.leave_out("is flagged for review, which has no place here", at)
    direction = row["evidence_direction"] or "no direction"
    side = _SIDES.get(direction, Side.other)
    text, level = row["evidence_statement"] or None, row.get("evidence_level") or None
    statement.items.append(CorpusItem(at, reference, side, direction, text, strength=level))
    corpus.state(statement)


def _reference(corpus: CorpusImport, row: _Row, at: str) -> CorpusReference | None:
    scheme = _SCHEMES.get(row["source_type"])
    if scheme is None:
        corpus.leave_out(
            f"cites a source of {row['source_type'] or 'no'} type, whose numbers are recorded nowhere here", at
        )
        return None
    year = _YEAR.search(row["citation"])
    reference = reference_of(scheme, row["citation_id"], row["citation"], issued=year[1] if year else None)
    if reference is None:
        corpus.leave_out("cites a source by a number that cannot be read", at)
    return reference


def _statement(corpus: CorpusImport, row: _Row, at: str) -> CorpusStatement | None:
    """The statement without its items; null where the model cannot express it."""
    therapy, disease, significance = row["therapies"], row["disease"], row["significance"] or "no significance"
    if "," in therapy:
        corpus.leave_out("names several therapies; a claim has one intervention", at)
        return None
    intervention = corpus.therapy(therapy, at) if therapy else None
    condition = _condition(corpus, row, at) if disease else None
    if (therapy and intervention is None) or (disease and condition is None):
        return None
    where = f", in {disease}" if disease else ""
    text = (
        f"{NAME} lists {significance} as {row['evidence_type']} evidence for {row['molecular_profile']}"
        f"{f', with {therapy}' if therapy else ''}{where}."
    )
    key = (row["molecular_profile_id"], row["doid"] or disease, therapy, row["evidence_type"], significance)
    kind = Kind.efficacy if intervention else Kind.background
    group = None
    if condition and row["evidence_type"] in _ON_PEOPLE_WITH_IT and row["molecular_profile"]:
        label = f"people with {row['molecular_profile']}"
        group = subgroup_of(label, f"{NAME} {row['molecular_profile_id']}", SubgroupBasis.biomarker)
    return CorpusStatement(" | ".join(key), kind, text, condition, intervention, subgroup=group)


def _condition(corpus: CorpusImport, row: _Row, at: str) -> str | None:
    doid = row["doid"].upper().removeprefix("DOID:")
    code = {"system": DOID, "code": doid, "relation": CodeRelation.exact, "verified": False, "source": NAME}
    if not doid:
        corpus.leave_out("names a disease without a code", at)
    return corpus.concept(
        ConditionWrite,
        doid or row["disease"].lower(),
        at,
        name=row["disease"],
        description=f"A disease as {NAME} names it.",
        codes=(code,) if doid else (),
    )
