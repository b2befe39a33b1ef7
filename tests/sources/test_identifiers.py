"""Identifiers have one normal form, whatever way they are written, and nothing else passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sources.identifiers import IdentifierError, address, identify, normalise
from app.sources.vocabulary import REGISTRIES
from app.sources.vocabulary import IdentifierScheme as Scheme


@pytest.mark.parametrize(
    ("scheme", "written", "normal"),
    [
        (Scheme.doi, "10.1002/art.37734", "10.1002/art.37734"),
        (Scheme.doi, "https://doi.org/10.1002/ART.37734", "10.1002/art.37734"),
        (Scheme.doi, "http://dx.doi.org/10.1002/art.37734/", "10.1002/art.37734"),
        (Scheme.doi, "  DOI: 10.1002/Art.37734 ", "10.1002/art.37734"),
        (Scheme.doi, "10.1016/S2665-9913(23)00278-3", "10.1016/s2665-9913(23)00278-3"),
        (Scheme.pmid, "PMID: 23359310", "23359310"),
        (Scheme.pmid, "https://pubmed.ncbi.nlm.nih.gov/23359310/", "23359310"),
        (Scheme.pmcid, "pmc7921161", "PMC7921161"),
        (Scheme.pmcid, "https://pmc.ncbi.nlm.nih.gov/articles/PMC7921161/", "PMC7921161"),
        (Scheme.nct, "nct00568555", "NCT00568555"),
        (Scheme.nct, "https://clinicaltrials.gov/study/NCT00568555", "NCT00568555"),
        (Scheme.doi, "https://www.doi.org/10.1002%2Fart.37734", "10.1002/art.37734"),
        (Scheme.doi, "doi.org/10.1002/art.37734?utm_source=x&y=1", "10.1002/art.37734"),
        (Scheme.doi, "https://doi.org/10.1002/art.37734#abstract", "10.1002/art.37734"),
        (Scheme.doi, "https://doi.org/10.1002/art.37734?", "10.1002/art.37734"),
        (Scheme.doi, "doi:https://doi.org/10.1002/art.37734", "10.1002/art.37734"),
        (Scheme.doi, "DOI 10.1002/art.37734", "10.1002/art.37734"),
        (Scheme.doi, "info:doi/10.1002/art.37734", "10.1002/art.37734"),
        (Scheme.doi, "10.1002/art.37734.", "10.1002/art.37734"),
        (Scheme.doi, "(doi:10.1002/art.37734),", "10.1002/art.37734"),
        (Scheme.doi, "<https://doi.org/10.1002/art.37734>", "10.1002/art.37734"),
        (Scheme.doi, "10.1016/S2665-9913(23)00278-3).", "10.1016/s2665-9913(23)00278-3"),
        (Scheme.doi, "10.1002/art\u00ad.37734\u200b", "10.1002/art.37734"),
        (Scheme.doi, "10.1186/s13063\u2010020\u201100001\u20131", "10.1186/s13063-020-00001-1"),
        (
            Scheme.doi,
            "10.1002/(SICI)1096-9861(19960129)365:1<113::AID-CNE9>3.0.CO;2-6",
            "10.1002/(sici)1096-9861(19960129)365:1<113::aid-cne9>3.0.co;2-6",
        ),
        (
            Scheme.doi,
            "https://doi.org/10.1002/(SICI)1096-9861(19960129)365:1%3C113::AID-CNE9%3E3.0.CO;2-6",
            "10.1002/(sici)1096-9861(19960129)365:1<113::aid-cne9>3.0.co;2-6",
        ),
        (
            Scheme.doi,
            "10.1002/(SICI)1096-9861(19960129)365:1&lt;113::AID-CNE9&gt;3.0.CO;2-6",
            "10.1002/(sici)1096-9861(19960129)365:1<113::aid-cne9>3.0.co;2-6",
        ),
        (
            Scheme.doi,
            "https://doi.org/10.1002/(sici)1099-050x(199823/24)37:3/4%3C197::aid-hrm2%3E3.0.co;2-%23",
            "10.1002/(sici)1099-050x(199823/24)37:3/4<197::aid-hrm2>3.0.co;2-#",
        ),
        (Scheme.pmid, "http://www.ncbi.nlm.nih.gov/pubmed/23359310", "23359310"),
        (Scheme.pmid, "https://pubmed.ncbi.nlm.nih.gov/23359310/?from_term=ldz#abstract", "23359310"),
        (Scheme.pmid, "europepmc.org/article/MED/23359310", "23359310"),
        (Scheme.pmid, "PMID 23359310.", "23359310"),
        (Scheme.pmid, "\uff12\uff13\uff13\uff15\uff19\uff13\uff11\uff10", "23359310"),
        (Scheme.pmid, "https://pubmed.ncbi.nlm.nih.gov/?term=23359310", "23359310"),
        (Scheme.pmid, "https://www.ncbi.nlm.nih.gov/m/pubmed/23359310/", "23359310"),
        (Scheme.pmid, "pubmed.gov/23359310", "23359310"),
        (Scheme.pmid, "europepmc.org/med/23359310", "23359310"),
        (Scheme.pmid, "PMID23359310", "23359310"),
        (Scheme.pmid, "PubMed ID 23359310", "23359310"),
        (Scheme.pmid, "PMID: 23359310 [PubMed - indexed for MEDLINE]", "23359310"),
        (Scheme.pmid, "23359310.0", "23359310"),
        (Scheme.pmcid, "PMCID:7921161", "PMC7921161"),
        (Scheme.pmcid, "https://www.ncbi.nlm.nih.gov/labs/pmc/articles/PMC7921161/", "PMC7921161"),
        (Scheme.pmcid, "https://www.ncbi.nlm.nih.gov/pmc/articles/7921161", "PMC7921161"),
        (Scheme.pmcid, "PMC7921161.1", "PMC7921161"),
        (Scheme.pmcid, "PMC-7921161", "PMC7921161"),
        (Scheme.nct, "clinicaltrials.gov/NCT00568555", "NCT00568555"),
        (Scheme.nct, "https://clinicaltrials.gov/ct2/show/results/NCT00568555", "NCT00568555"),
        (Scheme.nct, "https://beta.clinicaltrials.gov/study/NCT00568555", "NCT00568555"),
        (Scheme.nct, "NCT-00568555", "NCT00568555"),
        (Scheme.nct, "NCT: 00568555", "NCT00568555"),
        (Scheme.nct, "ClinicalTrials.gov number, NCT00568555", "NCT00568555"),
        (Scheme.doi, "10.1002%252Fart.37734", "10.1002/art.37734"),
        (Scheme.doi, "//doi.org/10.1002/art.37734", "10.1002/art.37734"),
        (Scheme.doi, "doi=10.1002/art.37734", "10.1002/art.37734"),
        (Scheme.doi, "10.1002/art.37734 [doi]", "10.1002/art.37734"),
        (Scheme.doi, "\u201c10.1002/art.37734\u201d", "10.1002/art.37734"),
        (Scheme.doi, "10.1002/art.37734\u3002", "10.1002/art.37734"),
        (Scheme.doi, "https://doi.org/10.1002/art.37734</a>", "10.1002/art.37734"),
        (Scheme.doi, "10.1002/art.37734&rft.x=1", "10.1002/art.37734"),
        (Scheme.doi, "10.1000/a`b", "10.1000/a`b"),
        (Scheme.pmcid, "https://www.ncbi.nlm.nih.gov/pmc/articles/PMC7921161/pdf/main.pdf", "PMC7921161"),
        (Scheme.pmcid, "PMCID: PMC 7921161", "PMC7921161"),
        (Scheme.nct, "https://clinicaltrials.gov/ct2/show/NCT00568555?term=ldz", "NCT00568555"),
        (Scheme.nct, "ClinicalTrials.gov Identifier: NCT00568555", "NCT00568555"),
        (Scheme.nct, "nct:NCT00568555", "NCT00568555"),
        (Scheme.eudract, "https://www.clinicaltrialsregister.eu/ctr-search/trial/2019-000702-30/DK", "2019-000702-30"),
        (Scheme.eudract, "EudraCT: 2019-000702-30", "2019-000702-30"),
        (Scheme.eudract, "2019-000702-30-dk", "2019-000702-30-DK"),
        (
            Scheme.eudract,
            "https://www.clinicaltrialsregister.eu/ctr-search/search?query=2019-000702-30",
            "2019-000702-30",
        ),
        (Scheme.ctis, "EU CT number: 2023-503698-40-00", "2023-503698-40-00"),
        (Scheme.ctis, "https://euclinicaltrials.eu/ctis-public/view/2023-503698-40-00?lang=en", "2023-503698-40-00"),
        (Scheme.isrctn, "isrctn 10175490", "ISRCTN10175490"),
        (Scheme.isrctn, "ISRCTN registry ISRCTN10175490.", "ISRCTN10175490"),
        (Scheme.isrctn, "http://www.controlled-trials.com/ISRCTN10175490/", "ISRCTN10175490"),
        (Scheme.isrctn, "https://www.isrctn.com/ISRCTN10175490?q=x", "ISRCTN10175490"),
        (Scheme.anzctr, "ANZCTR: ACTRN12623000498695", "ACTRN12623000498695"),
        (Scheme.anzctr, "https://www.anzctr.org.au/ACTRN12623000498695.aspx", "ACTRN12623000498695"),
        (Scheme.drks, "DRKS-00031815", "DRKS00031815"),
        (Scheme.drks, "https://drks.de/search/en/trial/DRKS00031815", "DRKS00031815"),
    ],
)
def test_an_identifier_is_brought_into_its_normal_form(scheme: Scheme, written: str, normal: str) -> None:
    assert normalise(scheme, written) == normal
    assert normalise(scheme, normal) == normal


@pytest.mark.parametrize(
    ("scheme", "written"),
    [
        (Scheme.doi, "11.1002/art.37734"),
        (Scheme.doi, "10.1002/"),
        (Scheme.doi, "10.1002/with space"),
        (Scheme.doi, "10.1002/" + "x" * 200),
        (Scheme.doi, "https://doi.org.evil.example/10.1002/art.37734"),
        (Scheme.pmid, "0"),
        (Scheme.pmid, "0123"),
        (Scheme.pmid, "1234567890"),
        (Scheme.pmid, "23359310\n1"),
        (Scheme.pmcid, "7921161"),
        (Scheme.nct, "NCT0056855"),
        (Scheme.eudract, "2019-000702"),
        (Scheme.eudract, "2023-503698-40-00"),
        (Scheme.ctis, "2019-000702-30"),
        (Scheme.isrctn, "ISRCTN1017549"),
        (Scheme.anzctr, "ACTRN1262300049869"),
        (Scheme.drks, "10175490"),
        (Scheme.pmid, ""),
    ],
)
def test_what_is_no_identifier_is_refused_with_what_one_looks_like(scheme: Scheme, written: str) -> None:
    with pytest.raises(IdentifierError, match=r"must be an? .*(such as|digits)"):
        normalise(scheme, written)


@given(st.sampled_from(sorted(Scheme)), st.text(max_size=60))
def test_the_normal_form_of_any_text_is_plain_and_stable(scheme: Scheme, text: str) -> None:
    try:
        normal = normalise(scheme, text)
    except IdentifierError:
        return
    assert normal.isascii()
    assert normal == normalise(scheme, normal)


def test_a_reader_can_open_every_scheme_that_has_an_address() -> None:
    assert address(Scheme.doi, "10.1002/art.37734") == "https://doi.org/10.1002/art.37734"
    assert address(Scheme.pmid, "23359310") == "https://pubmed.ncbi.nlm.nih.gov/23359310"
    eudract = "https://www.clinicaltrialsregister.eu/ctr-search/search?query=2019-000702-30"
    assert address(Scheme.eudract, "2019-000702-30") == address(Scheme.eudract, "2019-000702-30-DK") == eudract
    assert address(Scheme.isrctn, "ISRCTN10175490") == "https://www.isrctn.com/ISRCTN10175490"
    assert address(Scheme.anzctr, "ACTRN12623000498695") == "https://www.anzctr.org.au/ACTRN12623000498695.aspx"
    for scheme in REGISTRIES:
        assert address(scheme, "X").startswith("https://")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://doi.org/10.1002%2Fart.37734", (Scheme.doi, "10.1002/art.37734")),
        ("10.1002/art.37734.", (Scheme.doi, "10.1002/art.37734")),
        ("pmid:23359310", (Scheme.pmid, "23359310")),
        ("http://www.ncbi.nlm.nih.gov/pubmed/23359310", (Scheme.pmid, "23359310")),
        ("https://www.ncbi.nlm.nih.gov/pmc/articles/PMC7921161/", (Scheme.pmcid, "PMC7921161")),
        ("NCT00568555", (Scheme.nct, "NCT00568555")),
        ("2019-000702-30", (Scheme.eudract, "2019-000702-30")),
        ("2023-503698-40-00", (Scheme.ctis, "2023-503698-40-00")),
        ("ISRCTN10175490", (Scheme.isrctn, "ISRCTN10175490")),
        ("ACTRN12623000498695", (Scheme.anzctr, "ACTRN12623000498695")),
        ("DRKS00031815", (Scheme.drks, "DRKS00031815")),
        ("23359310", None),
        ("4.5 mg", None),
        ("pain", None),
    ],
)
def test_an_identifier_is_recognised_with_its_scheme(text: str, found: tuple[Scheme, str] | None) -> None:
    assert identify(text) == found


def test_the_address_of_a_doi_is_a_uri_that_leads_back_to_it() -> None:
    doi = "10.1002/(sici)1099-050x(199823/24)37:3/4<197::aid-hrm2>3.0.co;2-#"
    link = address(Scheme.doi, doi)
    assert link == "https://doi.org/10.1002/(sici)1099-050x(199823/24)37:3/4%3C197::aid-hrm2%3E3.0.co;2-%23"
    assert normalise(Scheme.doi, link) == doi
