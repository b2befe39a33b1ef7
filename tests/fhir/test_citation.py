"""Titles and kinds of documents as FHIR says them."""

import pytest

from app.bibliography.from_documents import plain_title
from app.fhir.citation import citation
from app.sources.schemas import DocumentWrite
from app.sources.vocabulary import Standing


def _cited(**fields: object) -> dict[str, object]:
    document = DocumentWrite.model_validate({"id": "d", "kind": "article-journal", "label": "D", **fields})
    artifact: dict[str, object] = citation(document)["citedArtifact"]
    return artifact


@pytest.mark.parametrize(
    ("title", "standing", "text"),
    [
        ("<i>In vivo</i> &amp; CO<sub>2</sub>", "current", "In vivo & CO₂"),
        ("RETRACTED ARTICLE A finding", "retracted", "RETRACTED: A finding"),
        ("A finding", "retracted", "A finding"),
        ("A finding [Preprint]", "preprint", "A finding"),
        (None, "current", "D"),
    ],
)
def test_title_is_read_as_in_references(title: str | None, standing: str, text: str) -> None:
    assert _cited(title=title, standing=[{"standing": standing}])["title"] == [{"text": text}]
    assert plain_title(title, "D", Standing(standing)) == text  # the name in JSON-LD


def test_preprint_is_no_journal_article_and_in_no_periodical() -> None:
    cited = _cited(title="A", container_title="medRxiv preprint", standing=[{"standing": "preprint"}])
    assert cited["publicationForm"] == [{"publishedIn": {"title": "medRxiv"}}]
    assert _classifier(cited) == "Preprint"
    article = _cited(title="A", container_title="Pain")
    assert article["publicationForm"][0]["publishedIn"]["type"]["coding"][0]["display"] == "Periodical"  # type: ignore[index]
    assert _classifier(article) == "Journal Article"


def _classifier(cited: dict[str, object]) -> str:
    display: str = cited["classification"][0]["classifier"][0]["coding"][0]["display"]  # type: ignore[index]
    return display
