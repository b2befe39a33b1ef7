"""Awkward references as databases deliver them, made by Hypothesis from what has gone wrong somewhere."""
# ruff: noqa: E501, RUF001

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.bibliography.from_documents import reference_of
from app.bibliography.reference import Reference
from app.sources.schemas import DocumentWrite

_NAMES = {
    "Latin": (
        ("Doe", "doe", "de la Cruz", "van der Woude", "O'Brien", "O\u2019Brien", "McDonald-Smith", "Abu Test", "Le Test",
         "Müller", "Şahin", "Nguyễn", "d'Arc", "Ng", "DOE", "King, Jr.", "King III", "Kruger AND Sons", "Roe and Doe",
         "Others", "St. John", "Garc&iacute;a", "del Río-Ortega", "von und zu Doe"),
        ("Jane", "jane", "J", "J.", "J. K.", "J.K.", "JK", "Jean-Paul", "Jean Paul", "J.-P.", "Mary de la", "Th. M.",
         "Sang-Hyun (Sean)", "Martin Luther, Jr.", "Martin Luther Jr", "John W., III", "Éric", "Yu. V.", "JANE",
         "Anna AND Maria", "Anne M.", "Ludwig van", "Nguy&ecirc;n", "Ann Marie-Louise", "Marie-louise"),
    ),
    "Cyrillic": (("Иванов", "Шевченко-Бондар"), ("Иван", "А. Б.", "Иван Иванович")),
    "Greek": (("Παπαδόπουλος",), ("Αλέξανδρος", "Γ.")),
    "Han": (("王", "山田", "歐陽"), ("小明", "太郎", "修")),
    "Hangul": (("김",), ("민수",)),
    "Hebrew": (("כהן",), ("דוד",)),
    "Arabic": (("شرما",), ("محمد",)),
}  # fmt: skip
"""Family and given names by script."""
_GROUPS = (
    "The O'Brien Study Group", "Pain & Fatigue Group", "WHO", "Smith and Sons", "COVID-19 Research Group",
    "Group &amp; Co", "日本学会", "Department of Pain Medicine",
)  # fmt: skip
_PAGES = (
    "1-12", "e1-e10", "S1-S12", "xii-xxiv", "e00123-20", "529\u2014538", "529--538", "1203-9; discussion 1210-2",
    "12-15", "12\u201315", "99-101", "1199-203", "12-15, 20-25", "12,14-6", "S1-12", "P32-4", "e1080", "CD010410",
    "891-902.e1", "i-iv", "XII-XXIV", "297-297", "A12-B15", "12a-15b", "pp. 12-15", "p. 7", "e146\u2212e603", "593842",
    "00110-20", "1 - 6", "12-15 & 20-25", "538-529", "e10110-20", "S40", "2023.05.01.23289000", "1e-12e",
)  # fmt: skip
_CHAPTER_PAGES = ("317-326", "317-26", "12\u201315", "1", "xii-xxiv", "12-15, 20-25")
_TITLES = (
    "A plain title", "Effect of <i>CYP2D6</i> &amp; others", "What is it?", "It works!", "p<0.05 and x>3",
    "10<sup>9</sup> cells and H<sub>2</sub>O", "The 4<sup>th</sup> trial", "<i>In vitro</i> study of <b>LDZ</b>",
    "<jats:italic>TNF</jats:italic>-&alpha; in pain", "&lt;i&gt;In vivo&lt;/i&gt; study",
    "<mml:math><mml:msup><mml:mi>x</mml:mi><mml:mn>2</mml:mn></mml:msup></mml:math> tests", "Crinkle's disease: a trial",
    "A study in Crinkle&#x27;s disease", "\"Quoted\" words", "A title that ends in a stop.", "Title with &nbsp; space",
    "Zelvane, 4.5&#xA0;mg", "Ünïcode – dash", "日本語の題名", "Effects of 5 &lt; 6", "R&D", "<title>Wrapped</title>",
    "Role of <span class=\"nocase\">mTOR</span>", "A/B testing: 50% of patients", "Preprint: a study [Preprint]",
    "RETRACTED: A finding", "RETRACTED ARTICLE: Another finding", "[Retracted] A third finding", "Retracted: a fourth",
    "A fifth (Retracted article. See vol. 375, pg. 445, 2010)", "WITHDRAWN: A sixth", "Expression of Concern: A seventh",
    "A<br/>line break", "Back\\slash and ~tilde and ^caret and #hash", "2<sup>&minus;&Delta;&Delta;Ct</sup> method",
)  # fmt: skip
_CONTAINERS = (
    "Pain", "J Pain", "J. Pain Res.", "Arthritis &amp; Rheumatism", "Brain, Behavior, and Immunity", "medRxiv",
    "Lancet (London, England)", "bioRxiv [Preprint]", "Journal of <i>Things</i>",
)  # fmt: skip
_DOIS = (
    "10.1002/art.37734", "10.1002/(sici)1099-050x(199823/24)37:3/4<197::aid-hrm2>3.0.co;2-#", "10.1016/s0140-6736(05)1_2",
    "10.1000/a?b", "10.1000/a%b", "10.1000/100%25", "10.1101/2023.05.01.1",
)  # fmt: skip


def _text(values: Sequence[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


def _optional(values: Sequence[str]) -> st.SearchStrategy[str | None]:
    return st.one_of(_text(values), _text(values), _text(values), st.none())


@st.composite
def _authors(draw: st.DrawFn) -> dict[str, str]:
    families, givens = _NAMES[draw(st.sampled_from(("Latin",) * 6 + tuple(_NAMES)))]
    form = draw(st.sampled_from(("person", "person", "person", "person", "family", "group")))
    if form == "group":
        return {"literal": draw(_text(_GROUPS))}
    family = draw(_text(families))
    if form == "family":
        return {"family": family.removesuffix(", Jr.")}
    return {"family": family, "given": draw(_text(givens))}


@st.composite
def documents(draw: st.DrawFn) -> DocumentWrite:
    kind = draw(st.sampled_from(("article-journal",) * 6 + ("chapter", "report", "webpage", "dataset", "regulation")))
    pages = {"article-journal": _PAGES, "chapter": _CHAPTER_PAGES}.get(kind)
    doi = draw(_optional(_DOIS))
    standing = draw(
        st.sampled_from(("not_checked",) * 5 + ("retracted", "expression_of_concern", "preprint", "corrected"))
    )
    published = draw(st.sampled_from(("2004", "2013-02", "2023-05-01", "1998-12-31", None)))
    return DocumentWrite.model_validate(
        {
            "id": "document",
            "kind": kind if standing != "preprint" else "article-journal",
            "label": "Doe 2020",
            "title": draw(_optional(_TITLES)),
            "authors": draw(st.lists(_authors(), max_size=8)),
            "container_title": draw(_optional(_CONTAINERS))
            if kind in ("article-journal", "chapter", "webpage")
            else None,
            "issued": published,
            "volume": draw(_optional(("1", "65", "12 Suppl 1"))) if pages else None,
            "issue": draw(_optional(("2", "Suppl 1", "3-4"))) if kind == "article-journal" else None,
            "page": draw(_optional(pages)) if pages else None,
            "publisher": draw(_optional(("DailyMed", "Smith AND Sons", "FDA &amp; Co")))
            if kind != "article-journal"
            else None,
            "url": draw(st.sampled_from((None, "https://example.org/a_b?c=%22d%22&e"))),
            "accessed": "2026-11-28" if kind == "webpage" else None,
            "identifiers": [{"scheme": "doi", "value": doi}] if doi else [],
            "standing": [{"standing": standing, "on": "2024-05"}],
        }
    )


def corpus(size: int) -> list[Reference]:
    """So many different references, the same in every run."""
    made: dict[str, Reference] = {}

    @settings(
        max_examples=size * 3, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(documents())
    def collect(document: DocumentWrite) -> None:
        made.setdefault(document.model_dump_json(), reference_of(document))

    collect()
    return [replace(reference, id=f"record-{at}") for at, reference in enumerate([*made.values()][:size])]
