"""The article is covered, statement by statement, with just the references that it attaches."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import AttachedBy, RelationType, Stance
from tests.content.seed import citations, claims

HERE = Path(__file__).parent
ARTICLE = "swing-care-ldn-fibromyalgia"

REFERENCES = {
    1: "jackson-2021",
    2: "younger-2013",
    3: "younger-2013",
    4: "williams-2018",
    5: "polo-2019",
    6: "yang-2023",
    7: "younger-2014",
}
"""The article's reference list: seven numbers, six works."""


PARAGRAPHS: list[dict[str, Any]] = json.loads((HERE / "article.json").read_text(encoding="utf-8"))


def of_paragraph(section: str, paragraph: int) -> list[ClaimWrite]:
    place = (ARTICLE, section, paragraph)
    return [
        claim
        for claim in claims().values()
        if claim.origin and (claim.origin.document, claim.origin.section, claim.origin.paragraph) == place
    ]


@pytest.mark.parametrize("row", PARAGRAPHS, ids=lambda row: f"{row['section']} {row['paragraph']}")
def test_paragraph_of_the_article_is_covered_with_just_its_references(row: dict[str, Any]) -> None:
    found = of_paragraph(row["section"], row["paragraph"])

    assert len(found) >= row["claims"]
    attached = {
        number: citation.document
        for claim in found
        for citation in claim.citations
        if citation.attached_by.by is AttachedBy.origin
        for number in citation.attached_by.reference_numbers
    }
    assert attached == {number: REFERENCES[number] for number in row["reference_numbers"]}


def test_article_claims_all_stand_in_a_known_paragraph() -> None:
    known = {(row["section"], row["paragraph"]) for row in PARAGRAPHS}
    placed = {(c.origin.section, c.origin.paragraph) for c in claims().values() if c.origin}

    assert placed == known
    assert sum(claim.origin is not None for claim in claims().values()) >= 90


def test_references_2_and_3_are_one_paper_cited_once_where_both_stand() -> None:
    both = [citation for _, citation in citations() if set(citation.attached_by.reference_numbers) >= {2, 3}]

    assert [citation.document for citation in both] == ["younger-2013"]
    alone = {citation.document for _, citation in citations() if {2, 3} & set(citation.attached_by.reference_numbers)}
    assert alone == {"younger-2013"}


def test_reference_7_covers_its_whole_list_and_is_assessed_nowhere() -> None:
    listed = [claim for paragraph in range(2, 7) for claim in of_paragraph("Risks and Side Effects of LDN", paragraph)]

    assert listed
    for claim in listed:
        attached = [c for c in claim.citations if c.attached_by.by is AttachedBy.origin]
        assert [(c.document, c.stance, c.attached_by.reference_numbers) for c in attached] == [
            ("younger-2014", Stance.not_assessed, (7,))
        ], claim.id


def test_equal_statements_are_linked_as_restatements() -> None:
    def hub(claim: ClaimWrite) -> str:
        return next((r.claim for r in claim.relations if r.type is RelationType.restates), claim.id)

    by_statement: dict[str, set[str]] = {}
    for claim in claims().values():
        by_statement.setdefault(claim.statement.rstrip(".").lower(), set()).add(hub(claim))

    assert {statement: hubs for statement, hubs in by_statement.items() if len(hubs) > 1} == {}


def test_restatements_carry_no_evidence_but_what_the_article_attached() -> None:
    for claim in claims().values():
        if any(relation.type is RelationType.restates for relation in claim.relations):
            assert all(c.attached_by.by is AttachedBy.origin for c in claim.citations), claim.id
