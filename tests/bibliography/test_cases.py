"""References that came out wrong, each as it should be."""
# ruff: noqa: E501, RUF001

import json

import pytest

from app.bibliography import FORMATS
from app.bibliography.from_documents import reference_of
from app.bibliography.reference import Reference
from app.bibliography.styles import Style, apply_style
from app.sources.names import initials
from app.sources.schemas import DocumentWrite
from tests.bibliography.oracle import pandoc
from tests.bibliography.test_corpus import handed


@pytest.fixture(scope="module")
def cases() -> dict[str, Reference]:
    return {key: case for name in ("pages", "names", "doi", "retracted_title") for key, case in handed(name).items()}


STYLED = [
    ("plain-1-12", "vancouver", "Doe J. A title. Pain. 2004;1:1–12."),
    ("plain-1-12", "bmj", "Doe J. A title. Pain. 2004;1:1–12."),
    ("e-pages", "vancouver", "Doe J. A title. Lancet Rheumatol. 2024;6:e1–10."),
    ("supplement", "bmj", "Doe J. A title. Pain. 2004;1:S1–12."),
    ("roman", "vancouver", "Doe J. A title. Pain. 2004;1:xii–xxiv."),
    ("article-number", "vancouver", "Doe J. A title. mBio. 2020;11:e00123-20."),
    ("article-number", "bmj", "Doe J. A title. mBio. 2020;11:e00123-20."),
    ("article-number", "ama", "Doe J. A title. mBio. 2020;11:e00123-20."),
    ("article-number", "apa", "Doe, J. (2020). A title. mBio, 11, e00123-20."),
    ("em-dash", "ama", "Doe J. A title. Pain. 2004;1:529-538."),
    ("double-hyphen", "vancouver", "Doe J. A title. Pain. 2004;1:529–38."),
    ("discussion", "vancouver", "Doe J. A title. Pain. 2004;1:1203–9; discussion 1210–2."),
    ("no-year", "bmj", "Doe J. A title. Pain;1:12–5."),
    ("lower-case", "apa", "doe, jane, & Roe, R. (2019). Names in lower case. J."),
    ("han", "apa", "王小明, & 李华. (2018). Names in Han characters. J."),
    ("hebrew", "apa", "כהן, דוד. (2018). Names in Hebrew letters. J."),
    ("bracket", "apa", "Kim, S.-H. (Sean), & Roe, R. (2018). Call name in brackets. J."),
    ("comma-given", "apa", "Doe, M. L., Jr. (2013). Suffix as databases deliver it. J."),
    ("hash", "apa", "Doe, J. (1998). DOI that ends with a hash. J. https://doi.org/10.1002/(sici)1099-050x(199823/24)37:3/4%3C197::aid-hrm2%3E3.0.co;2-%23"),
    ("hash", "ama", "Doe J. DOI that ends with a hash. J. Published online 1998. doi:10.1002/(sici)1099-050x(199823/24)37:3/4<197::aid-hrm2>3.0.co;2-#"),
    ("r1", "apa", "Doe, J. (2010). RETRACTED: A finding that was withdrawn. Lancet."),
    ("r2", "ama", "Doe J. RETRACTED: Another finding. Lancet. Published online 2010."),
    ("p1", "ama", "Doe J. A preprint. medRxiv. Preprint posted online May 1, 2023. doi:10.1101/2023.05.01.1"),
    ("p1", "vancouver", "Doe J. A preprint [Preprint]. medRxiv; 2023. doi:10.1101/2023.05.01.1"),
    ("p1", "bmj", "Doe J. A preprint [Preprint]. medRxiv. Published Online First: 1 May 2023. doi: 10.1101/2023.05.01.1"),
    ("p1", "apa", "Doe, J. (2023). A preprint [Preprint]. medRxiv. https://doi.org/10.1101/2023.05.01.1"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "style", "text"), STYLED)
def test_text(cases: dict[str, Reference], case: str, style: str, text: str) -> None:
    assert apply_style(cases[case], Style(style)) == text


RIS = [
    ("double-hyphen", ["SP  - 529", "EP  - 538"]),
    ("em-dash", ["SP  - 529", "EP  - 538"]),
    ("discussion", ["SP  - 1203", "EP  - 1209", "N1  - Pages: 1203-1209; discussion 1210-1212."]),
    ("article-number", ["SP  - e00123-20"]),
    ("family-only", ["AU  - Abu Test,", "AU  - Le Test,", "AU  - Doe, J"]),
    ("comma-given", ["AU  - Doe, Martin Luther Jr."]),
    ("hash", [
        "DO  - 10.1002/(sici)1099-050x(199823/24)37:3/4<197::aid-hrm2>3.0.co;2-#",
        "UR  - https://doi.org/10.1002/(sici)1099-050x(199823/24)37:3/4%3C197::aid-hrm2%3E3.0.co;2-%23",
    ]),
    ("r2", ["TI  - RETRACTED: Another finding"]),
    ("p1", ["TY  - UNPB", "T2  - medRxiv", "M3  - Preprint"]),
]  # fmt: skip


@pytest.mark.parametrize(("case", "lines"), RIS, ids=[case for case, _ in RIS])
def test_ris(cases: dict[str, Reference], case: str, lines: list[str]) -> None:
    made = FORMATS["ris"].render([cases[case]], "").splitlines()
    tags = {line[:2] for line in lines} | ({"SP", "EP"} if lines[0].startswith("SP") else set())
    assert [line for line in made if line[:2] in tags] == lines


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("345-50 contd", ["SP  - 345", "EP  - 350", "N1  - Pages: 345-350 contd."]),
        ("101\u20139 passim", ["SP  - 101", "EP  - 109", "N1  - Pages: 101-109 passim."]),
        ("523-32.e1-4", ["SP  - 523", "EP  - 532.e4", "N1  - Pages: 523-532.e1-e4."]),
        ("12&ndash;15", ["SP  - 12", "EP  - 15"]), ("12&amp;#8211;15", ["SP  - 12", "EP  - 15"]),
        ("1,234-1,240", ["SP  - 1234", "EP  - 1240"]), ("12+", ["SP  - 12+"]), ("0001-0012", ["SP  - 0001", "EP  - 0012"]),
    ],
)  # fmt: skip
def test_ris_names_the_first_and_the_last_page(page: str, lines: list[str]) -> None:
    made = FORMATS["ris"].render([_document(title="T", page=page)], "").splitlines()
    assert [line for line in made if line[:2] in ("SP", "EP", "N1")] == lines


BIBTEX = [
    ("em-dash", 'pages = "529--538"'),
    ("double-hyphen", 'pages = "529--538"'),
    ("article-number", 'pages = "e00123-20"'),
    ("family-only", 'author = "{Abu Test} and {Le Test} and Doe, J"'),
    ("and-names", 'author = "{Kruger AND Sons}, X and Doe, {Anna AND Maria}"'),
    ("and-names", 'institution = "{Smith AND Sons}"'),
    ("comma-given", 'author = "Doe, Jr., Martin Luther"'),
    ("hash", "doi = {10.1002/(sici)1099-050x(199823/24)37:3/4<197::aid-hrm2>3.0.co;2-#}"),
    ("p1", "@misc{p1,"),
    ("p1", 'type = "Preprint"'),
    ("p1", 'howpublished = "medRxiv"'),
]


@pytest.mark.parametrize(("case", "part"), BIBTEX)
def test_bibtex(cases: dict[str, Reference], case: str, part: str) -> None:
    assert part in FORMATS["bibtex"].render([cases[case]], "")


@pytest.mark.parametrize("name", ["bibtex", "ris"])
def test_names_come_back_as_they_were_recorded(cases: dict[str, Reference], name: str) -> None:
    asked = [cases[case] for case in ("family-only", "and-names", "lower-case", "han", "hebrew", "bracket")]
    read = json.loads(pandoc(FORMATS[name].render(asked, ""), name, "csljson"))
    names = [
        [(author.get("literal") or author["family"], author.get("given")) for author in item["author"]] for item in read
    ]
    assert names == [[(author.family, author.given) for author in reference.authors] for reference in asked]


@pytest.mark.parametrize(
    ("given", "apart", "together"),
    [
        ("Jane", "J.", "J"), ("jane", "jane", "jane"), ("J. K.", "J. K.", "JK"), ("J.K.", "J. K.", "JK"),
        ("Jean-Paul", "J.-P.", "JP"), ("Jean-paul", "J.", "J"), ("Mary de la", "M. de la", "M de la"),
        ("Yu. V.", "Yu. V.", "YuV"), ("Sang-Hyun (Sean)", "S.-H. (Sean)", "SH (Sean)"), ("小明", "小明", "小明"),
        ("דוד", "דוד", "דוד"), ("Иван", "И.", "И"), ("Éric", "É.", "É"), ("", "", ""), ("-", "", ""),
        ("jean-paul", "jean-paul", "jean-paul"), ("jean-paul marie", "jean-paul marie", "jean-paul marie"),
        ("Jean\u2010Paul", "J.-P.", "JP"), ("Jean\u2011Paul", "J.-P.", "JP"), ("Anne de-la", "A. de-la", "A de-la"),
    ],
)  # fmt: skip
def test_initials(given: str, apart: str, together: str) -> None:
    assert initials(given, ". ") == apart
    assert initials(given, "", with_hyphen=False) == together


def _document(**fields: object) -> Reference:
    return reference_of(DocumentWrite.model_validate({"id": "d", "kind": "article-journal", "label": "D", **fields}))


@pytest.mark.parametrize(
    "title",
    [
        "RETRACTED: A finding", "RETRACTED ARTICLE: A finding", "Retracted: A finding", "[Retracted] A finding",
        "WITHDRAWN: A finding", "A finding (Retracted article. See vol. 375, pg. 445, 2010)", "A finding [RETRACTED]",
        "<b>RETRACTED:</b> A finding", "RETRACTED: RETRACTED ARTICLE: A finding", "Expression of Concern: A finding",
        "This article has been retracted: A finding", "Notice of Retraction: A finding", "A finding",
        "RETRACTED - A finding", "RETRACTED \u2014 A finding", "Retracted \u2013 A finding", "RETRACTED-A finding",
        "RETRACTED\u2014A finding", "RETRACTED ARTICLE A finding", "***RETRACTED*** A finding", "*Retracted*: A finding",
        "RETRACTED\uff1aA finding", "RETRACTED. A finding", "A finding \u2013 RETRACTED ARTICLE", "A finding - RETRACTED",
        "A finding. RETRACTED", "A finding: RETRACTED", "A finding RETRACTED ARTICLE", "A finding ***RETRACTED***",
        "Retraction: A finding", "Retraction notice: A finding", "WITHDRAWN A finding", "[RETRACTED] \u2013 A finding", "(Retracted): A finding", "<b>RETRACTED</b> A finding",
        "<b>RETRACTED: A finding</b>", "<i>RETRACTED ARTICLE</i>: A finding", "A finding <b>RETRACTED</b>",
        "Retracted article \u2013 A finding", "RETRACTED: A finding (Retracted)",
    ],
)  # fmt: skip
def test_a_publishers_warning_is_not_repeated(title: str) -> None:
    retracted = _document(title=title, standing=[{"standing": "retracted"}])
    assert retracted.shown_title == "RETRACTED: A finding"
    assert "RETRACTED: A finding" in apply_style(retracted, Style.apa)
    assert "Retracted." not in apply_style(retracted, Style.apa)


@pytest.mark.parametrize(
    "title",
    [
        "Withdrawn patients: a study", "Removal of lorts", "Retraction of the lung", "Retracted position of the jaw",
        "Retraction-free surgery", "Retracted-position splints", "RETRACTED POSITION OF THE JAW", "The tongue, retracted",
        "Outcome of patients withdrawn", "THE JAW RETRACTED", "Removed",
    ],
)  # fmt: skip
def test_a_title_that_only_sounds_like_a_warning_stays(title: str) -> None:
    retracted = _document(title=title, standing=[{"standing": "retracted"}])
    assert retracted.shown_title == f"RETRACTED: {title}"


@pytest.mark.parametrize("title", ["RETRACTED ARTICLE A finding", "Retracted: A finding", "A finding. RETRACTED"])
def test_a_document_that_is_not_retracted_keeps_every_word(title: str) -> None:
    assert _document(title=title).shown_title == title


@pytest.mark.parametrize(
    ("container", "server"),
    [
        ("medRxiv preprint", "medRxiv"), ("medRxiv [Preprint]", "medRxiv"), ("medRxiv, preprint", "medRxiv"),
        ("medRxiv - Preprint", "medRxiv"), ("bioRxiv preprint server", "bioRxiv"), ("Preprints.org", "Preprints.org"),
        ("JMIR Preprints", "JMIR Preprints"), ("Preprint", "Preprint"), ("PeerJ Preprints", "PeerJ Preprints"),
    ],
)  # fmt: skip
def test_a_server_says_preprint_once(container: str, server: str) -> None:
    preprint = _document(container_title=container, standing=[{"standing": "preprint"}])
    assert preprint.server == server


@pytest.mark.parametrize("style", [Style.bmj, Style.ama, Style.vancouver, Style.apa])
@pytest.mark.parametrize("is_preprint", [True, False])
def test_a_name_of_the_net_keeps_its_stop(style: Style, is_preprint: bool) -> None:
    standing = [{"standing": "preprint" if is_preprint else "not_checked"}]
    text = apply_style(_document(title="T", container_title="Preprints.org", standing=standing), style)
    assert "Preprints.org" in text
    short = apply_style(_document(title="T", container_title="J. Pain Res."), style)
    assert ("J. Pain Res" if style == Style.apa else "J Pain Res") in short


def test_a_retracted_preprint_says_both_once() -> None:
    text = apply_style(
        _document(
            title="RETRACTED: A finding [Preprint]", container_title="medRxiv [Preprint]", issued="2023-05-01",
            standing=[{"standing": "preprint"}, {"standing": "retracted", "on": "2024"}],
        ),
        Style.ama,
    )  # fmt: skip
    assert text == "RETRACTED: A finding. medRxiv. Preprint posted online May 1, 2023."


def test_entities_are_read_in_names_and_containers() -> None:
    reference = _document(
        title="T", authors=[{"family": "Garc&iacute;a", "given": "Jos&#233;"}], container_title="Pain &amp; <i>Care</i>"
    )
    assert apply_style(reference, Style.ama) == "García J. T. Pain & Care."


def test_a_notice_leads_to_its_doi_however_that_is_written() -> None:
    for doi in ("10.1000/<a>", "https://doi.org/10.1000/<a>", "doi: 10.1000/<A>"):
        reference = _document(standing=[{"standing": "retracted", "notice": {"doi": doi}}])
        assert reference.notice == "Retracted. Notice: https://doi.org/10.1000/%3Ca%3E."


@pytest.mark.parametrize(
    ("given", "name", "suffix"),
    [
        ("Martin Luther, Jr.", "Martin Luther", "Jr."), ("Robert, III, MD", "Robert", "III"), ("John, MD", "John", None),
        ("John, PhD", "John", None), ("John, M.D., Ph.D.", "John", None), ("Robert Jr., MD", "Robert", "Jr."),
        ("Robert jr.", "Robert", "Jr."), ("Robert, JR", "Robert", "Jr"), ("Ann, RN, MSc, FRCP", "Ann", None),
        ("Robert, sr., DO, MPH", "Robert", "Sr."), ("John W., 3rd", "John W.", "3rd"), ("J R", "J R", None),
        ("Jane, Mary", "Jane, Mary", None), ("MD", "MD", None), ("Jr.", "Jr.", None), ("J. D.", "J. D.", None),
        ("John, Fred", "John, Fred", None), ("Ma, Mary", "Ma, Mary", None), ("Jane, Ed", "Jane, Ed", None), ("John, V", "John, V", None),
        ("John, MD PhD", "John", None), ("John, M. D.", "John, M. D.", None),
        ("Do", "Do", None), (", MD", ", MD", None),
    ],
)  # fmt: skip
def test_what_stands_behind_given_names(given: str, name: str, suffix: str | None) -> None:
    (author,) = _document(authors=[{"family": "Doe", "given": given}]).authors
    assert (author.family, author.given, author.suffix) == ("Doe", name, suffix)


@pytest.mark.parametrize(
    ("author", "style", "text"),
    [
        ({"family": "Doe", "given": "jean-paul"}, "apa", "Doe, jean-paul. (2020). T."),
        ({"family": "'t Hooft", "given": "Gerard"}, "apa", "\u2019t Hooft, G. (2020). T."),
        ({"family": "in 't Veld", "given": "B. A."}, "ama", "in \u2019t Veld BA. T."),
        ({"family": "\u2018t Hooft", "given": "Gerard"}, "ama", "\u2019t Hooft G. T."),
        ({"family": "Doe", "given": "Robert, III, MD"}, "apa", "Doe, R., III. (2020). T."),
        ({"family": "\U00020bb7", "given": "\U0002a6b2\u592a"}, "apa", "\U00020bb7\U0002a6b2\u592a. (2020). T."),
        ({"family": "Doe", "given": "Jean\u2010Paul"}, "apa", "Doe, J.-P. (2020). T."),
    ],
)  # fmt: skip
def test_names_in_text(author: dict[str, str], style: str, text: str) -> None:
    assert apply_style(_document(title="T", authors=[author], issued="2020"), Style(style)).startswith(text)


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("The '90s", "The \u201990s"), ("Rock 'n' roll", "Rock \u2019n\u2019 roll"), ("'Tis pain", "\u2019Tis pain"),
        ("A 't' test", "A \u201ct\u201d test"), ("The 'so-called' test", "The \u201cso-called\u201d test"),
    ],
)  # fmt: skip
def test_apostrophes_open_no_quotation(title: str, shown: str) -> None:
    assert apply_style(_document(title=title), Style.ama).startswith(shown)


@pytest.mark.parametrize(
    ("author", "line", "read"),
    [
        ({"literal": "FDA, Center for Drugs"}, "FDA Center for Drugs,", "FDA Center for Drugs"),
        ({"literal": "Smith and Sons, Ltd."}, "Smith and Sons Ltd.,", "Smith and Sons Ltd."),
        ({"literal": "A,B"}, "A B,", "A B"),
        ({"family": "Doe, Roe"}, "Doe Roe,", "Doe Roe"),
        ({"family": "Doe, Roe", "given": "Jane"}, "Doe Roe, Jane", "Doe Roe"),
    ],
)  # fmt: skip
def test_a_comma_within_a_name_takes_nothing_apart_in_ris(author: dict[str, str], line: str, read: str) -> None:
    made = FORMATS["ris"].render([_document(title="T", authors=[author])], "")
    assert f"AU  - {line}\n" in made
    (item,) = json.loads(pandoc(made, "ris", "csljson"))
    names = item["author"][0]
    assert (names.get("literal") or names["family"], names.get("given")) == (read, author.get("given"))
