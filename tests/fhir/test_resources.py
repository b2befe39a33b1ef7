"""Every resource of the data set is what HL7 defines, names only what exists, and shows no claim bare."""

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select

from app.claims.models import Claim
from app.claims.schemas import ClaimWrite
from app.core.vocabulary import Status
from app.fhir import library, uses
from app.fhir.related import CITO_TERMS
from app.fhir.types import TYPES
from app.fhir.validation import render_all
from app.fhir.values import CITO
from app.fhir.wording import NOTE
from app.registry import BY_TYPE
from app.storage.database import Database
from app.storage.history import StoredRecord
from tests.fhir.conftest import BASE, Json, model
from tests.fhir.strict import violations

NAMES = [fhir_type.name for fhir_type in TYPES]


def walk(value: Any) -> Iterator[Json]:
    """Every object at any depth."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def notes(resource: Json) -> list[str]:
    extended = [e["valueAnnotation"]["text"] for e in resource.get("extension", []) if e["url"] == NOTE]
    return extended + [note["text"] for note in resource.get("note", [])]


def stances_of(use: Json) -> dict[str, set[str]]:
    """The documents that a clinical use cites, by stance."""
    stances: dict[str, set[str]] = {}
    for extension in use["extension"]:
        if extension["url"] != NOTE:
            artifact = extension["valueRelatedArtifact"]
            coding = artifact["classifier"][0]["coding"][0]
            assert coding["system"] == CITO
            stances.setdefault(coding["code"], set()).add(artifact["resourceReference"]["reference"])
    return stances


@pytest.fixture(scope="module")
def claims(seeded: Database) -> dict[str, ClaimWrite]:
    with seeded.read() as session:
        rows = session.execute(select(StoredRecord.id, StoredRecord.content).where(StoredRecord.type == "claim"))
        write = BY_TYPE["claim"].write
        found = {record_id: write.model_validate_json(content) for record_id, content in rows}
        return {name: claim for name, claim in found.items() if claim.status is Status.published}  # type: ignore[misc]


@pytest.fixture(scope="module")
def answers(seeded: Database) -> dict[str, str]:
    with seeded.read() as session:
        rows = session.execute(select(StoredRecord.id, StoredRecord.derived).where(StoredRecord.type == "claim"))
        return {record_id: json.loads(derived)["evidence"]["answer"] for record_id, derived in rows}


@pytest.mark.parametrize("name", [*NAMES, "Library"])
def test_every_resource_is_valid(resources: dict[str, list[Json]], name: str) -> None:
    faults = []
    for resource in resources[name]:
        checked = model(name).model_validate(resource)
        faults += [f"{resource['id']}: {violation}" for violation in violations(checked)]

    assert resources[name]
    assert faults == []


def test_the_walker_sees_what_the_models_let_pass() -> None:
    wrong = model("ClinicalUseDefinition").model_validate(
        {
            "resourceType": "ClinicalUseDefinition",
            "type": "banana",
            "subject": [{"reference": "Citation/alder-2013"}],
            "category": [],
        }
    )

    assert [violation.split(":")[0] for violation in violations(wrong)] == [
        "ClinicalUseDefinition.category",
        "ClinicalUseDefinition.subject",
        "ClinicalUseDefinition.type",
    ]


def test_rendering_everything_counts_what_is_there(seeded: Database, resources: dict[str, list[Json]]) -> None:
    recorded_statements: list[str] = []

    counts = render_all(seeded, BASE, lambda name, _done: recorded_statements.append(name))

    assert counts == {name: len(found) for name, found in resources.items()}
    assert set(recorded_statements) == set(counts)
    assert resources["Library"][0]["relatedArtifact"] == [
        {"type": "composed-of", "display": f"{name}: {counts[name]}", "document": {"url": f"{BASE}/fhir/r5/{name}"}}
        for name in NAMES
    ]


def test_every_claim_use_and_citation_is_there(resources: dict[str, list[Json]], claims: dict[str, ClaimWrite]) -> None:
    ids = {name: {resource["id"] for resource in found} for name, found in resources.items()}

    assert ids["ArtifactAssessment"] == set(claims)
    assert ids["Evidence"] == {citation.id for claim in claims.values() for citation in claim.citations}
    assert ids["ClinicalUseDefinition"] == {name for name, claim in claims.items() if uses.use_of(claim)}
    assert {resource["type"] for resource in resources["ClinicalUseDefinition"]} == set(uses.TYPES)


def test_references_lead_to_resources_that_exist(resources: dict[str, list[Json]]) -> None:
    known = {f"{name}/{resource['id']}" for name, found in resources.items() for resource in found}

    for found in resources.values():
        for resource in found:
            contained = {f"#{inner['id']}" for inner in resource.get("contained", [])}
            named = {inner["reference"] for inner in walk(resource) if isinstance(inner.get("reference"), str)}
            assert named <= known | contained, resource["id"]


def test_ids_are_fhir_ids_and_unknown_is_left_out(resources: dict[str, list[Json]]) -> None:
    for found in resources.values():
        for resource in found:
            assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", resource["id"])
            for inner in walk(resource):
                assert not [name for name, value in inner.items() if value in (None, "", [], {})], resource["id"]


@pytest.mark.parametrize("name", ["Evidence", "ClinicalUseDefinition", "ArtifactAssessment"])
def test_a_claims_text_never_stands_bare(
    resources: dict[str, list[Json]], claims: dict[str, ClaimWrite], answers: dict[str, str], name: str
) -> None:
    """The answer, then the caveat and both sides' counts stand in the narrative and, for programs, in a note."""
    claim_of: Callable[[Json], ClaimWrite] = lambda resource: claims[resource["id"]]  # noqa: E731
    if name == "Evidence":
        owner = {citation.id: claim for claim in claims.values() for citation in claim.citations}
        claim_of = lambda resource: owner[resource["id"]]  # noqa: E731
    for resource in resources[name]:
        caveat = claim_of(resource).caveat
        told = "\n".join(notes(resource))
        for text in (told, unescape(resource["text"]["div"])):
            assert text.index(answers[claim_of(resource).id]) < text.index("Supporting: ")
            assert re.search(r"Supporting: \d+ citation.* Disputing: \d+ citation", text)
        assert caveat is None or caveat in told


def test_resources_without_a_note_hold_no_claims_text(
    resources: dict[str, list[Json]], claims: dict[str, ClaimWrite]
) -> None:
    statements = {claim.statement for claim in claims.values()}

    for name in ("Citation", "MedicationKnowledge", "Substance", "Library"):
        for resource in resources[name]:
            texts = {text for inner in walk(resource) for text in inner.values() if isinstance(text, str)}
            assert not statements & texts, resource["id"]


def test_both_sides_of_a_contested_claim_are_cited_with_their_stance(resources: dict[str, list[Json]]) -> None:
    (use,) = (found for found in resources["ClinicalUseDefinition"] if found["id"] == "ldz-murmuria-pain")
    stances = stances_of(use)

    assert "Citation/alder-2013" in stances["supports"]
    assert {"Citation/birch-2024", "Citation/cedar-2025"} <= stances["disputes"]
    assert set(stances) <= set(CITO_TERMS.values())


def test_the_lort_contraindication_holds_for_the_low_dose_too(resources: dict[str, list[Json]]) -> None:
    found = {resource["id"]: resource for resource in resources["ClinicalUseDefinition"]}
    contraindication = found["zelvane-lort-contraindication"]
    issues = {resource["id"]: resource.get("clinicalUseIssue", []) for resource in resources["MedicationKnowledge"]}

    assert [subject["reference"] for subject in contraindication["subject"]] == [
        "Substance/zelvane",
        "Substance/low-dose-zelvane",
    ]
    for drug in ("zelvane", "low-dose-zelvane"):
        named = [issue["reference"] for issue in issues[drug]]
        assert "ClinicalUseDefinition/zelvane-lort-contraindication" in named


def test_a_condition_that_the_drug_is_approved_for_is_not_told_to_forbid_it(resources: dict[str, list[Json]]) -> None:
    bodies = {r["id"]: r["contraindication"] for r in resources["ClinicalUseDefinition"] if "contraindication" in r}
    assert "zelvane-hushsyrup-in-ciderism" in bodies
    for body in bodies.values():
        if "otherTherapy" in body:
            assert "coding" not in body["diseaseSymptomProcedure"]["concept"]


def test_benefits_are_not_called_approved(resources: dict[str, list[Json]]) -> None:
    categories = {r["id"]: r["category"][0]["text"] for r in resources["ClinicalUseDefinition"] if "category" in r}

    assert categories["ldz-murmuria-pain"] == "Studied use; not an approval"
    assert categories["zelvane-approved"].startswith("Approved use (")


def test_the_table_of_uses_reads_the_same_in_python_and_in_sql(seeded: Database, claims: dict[str, ClaimWrite]) -> None:
    with seeded.read() as session:
        for use in uses.USES:
            found = set(session.scalars(select(Claim.id).where(use.where, Claim.status == Status.published)))
            assert found == {name for name, claim in claims.items() if use.matches(claim)}
    for claim in claims.values():
        assert sum(use.matches(claim) for use in uses.USES) <= 1


SHAPES = [(t.name, t.summary, t.mandatory) for t in TYPES] + [("Library", library.SUMMARY, library.MANDATORY)]


@pytest.mark.parametrize(("name", "summary", "mandatory"), SHAPES)
def test_summaries_hold_the_elements_that_hl7_marks(
    resources: dict[str, list[Json]], name: str, summary: tuple[str, ...], mandatory: tuple[str, ...]
) -> None:
    produced = {element for resource in resources[name] for element in resource}
    always = {"resourceType", "id", "meta", "extension", "note"}
    marked = set(model(name).summary_elements_sequence())

    assert produced & marked <= {*summary, *mandatory, *always}
    assert produced & {*summary, *mandatory} <= marked | set(mandatory)
