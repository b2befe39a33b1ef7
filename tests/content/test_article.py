"""The article is covered, statement by statement, with just the references that it attaches."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.claims.schemas import ClaimWrite, Origin
from app.claims.vocabulary import AttachedBy, RelationType, Stance
from tests.content.seed import citations, claims, retired_claims

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


def of_paragraph(section: str, paragraph: int) -> list[tuple[ClaimWrite, Origin]]:
    """The statements of a paragraph, each with its claim."""
    return [
        (claim, origin)
        for claim in claims().values()
        for origin in claim.origins
        if (origin.document, origin.section, origin.paragraph) == (ARTICLE, section, paragraph)
    ]


@pytest.mark.parametrize("row", PARAGRAPHS, ids=lambda row: f"{row['section']} {row['paragraph']}")
def test_paragraph_of_the_article_is_covered_with_just_its_references(row: dict[str, Any]) -> None:
    found = of_paragraph(row["section"], row["paragraph"])

    assert len(found) >= row["claims"]
    attached = {
        number: citation.document
        for claim, origin in found
        for number in origin.reference_numbers
        for citation in claim.citations
        if number in citation.attached_by.reference_numbers
    }
    assert attached == {number: REFERENCES[number] for number in row["reference_numbers"]}


def test_article_claims_all_stand_in_a_known_paragraph() -> None:
    known = {(row["section"], row["paragraph"]) for row in PARAGRAPHS}
    origins = [origin for claim in claims().values() for origin in claim.origins]

    assert {(origin.section, origin.paragraph) for origin in origins} == known
    assert 100 <= sum(bool(claim.origins) for claim in claims().values()) <= 125


def test_statements_of_the_article_stand_in_its_order() -> None:
    places = [(row["section"], row["paragraph"]) for row in PARAGRAPHS]
    origins = sorted((o.position, (o.section, o.paragraph)) for c in claims().values() for o in c.origins)

    assert [position for position, _ in origins] == list(range(1, len(origins) + 1))
    assert len(origins) >= 183
    order = [places.index(place) for _, place in origins]
    assert order == sorted(order)


def test_references_2_and_3_are_one_paper_cited_once_where_both_stand() -> None:
    both = [citation for _, citation in citations() if set(citation.attached_by.reference_numbers) >= {2, 3}]

    assert [citation.document for citation in both] == ["younger-2013"]
    alone = {citation.document for _, citation in citations() if {2, 3} & set(citation.attached_by.reference_numbers)}
    assert alone == {"younger-2013"}


def test_reference_7_covers_its_whole_list_and_is_assessed_nowhere() -> None:
    listed = [
        claim for paragraph in range(2, 7) for claim, _ in of_paragraph("Risks and Side Effects of LDN", paragraph)
    ]

    assert listed
    for claim in listed:
        attached = [c for c in claim.citations if 7 in c.attached_by.reference_numbers]
        assert [(c.document, c.stance) for c in attached] == [("younger-2014", Stance.not_assessed)], claim.id


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


def test_merged_claims_are_retired_and_what_they_said_stands_with_their_successors() -> None:
    assert len(retired_claims()) >= 80
    for claim in retired_claims().values():
        successor = claims()[claim.successor or ""]
        stated = {(origin.position, origin.section, origin.paragraph, origin.asserts) for origin in successor.origins}
        assert {(o.position, o.section, o.paragraph, o.asserts) for o in claim.origins} <= stated, claim.id
        numbers = {number for origin in successor.origins for number in origin.reference_numbers}
        assert {number for origin in claim.origins for number in origin.reference_numbers} <= numbers, claim.id


def test_relations_lead_to_published_claims() -> None:
    published = claims()

    assert [(c.id, r.claim) for c in published.values() for r in c.relations if r.claim not in published] == []
