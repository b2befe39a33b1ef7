"""Identifiers have one normal form, whatever way they are written, and nothing else passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sources.identifiers import IdentifierError, address, normalise
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
        (Scheme.eudract, "EudraCT: 2019-000702-30", "2019-000702-30"),
        (Scheme.eudract, "2019-000702-30-dk", "2019-000702-30-DK"),
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
        (Scheme.pmid, "２３３５９３１０"),  # noqa: RUF001 - digits, but not those of an identifier
        (Scheme.pmcid, "7921161"),
        (Scheme.nct, "NCT0056855"),
        (Scheme.nct, "NCT００５６８５５５"),  # noqa: RUF001
        (Scheme.eudract, "2019-000702"),
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
    assert address(Scheme.eudract, "2019-000702-30") is None
