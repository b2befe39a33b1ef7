"""Code systems by the names that others use for them, and the codes that they can have."""

import pytest

from app.concepts.code_systems import SHIPPED_SYSTEMS, code_systems_of
from app.concepts.terms import SHIPPED, CodeSystemTerm, Vocabularies

OWN = Vocabularies(
    code_systems=(
        CodeSystemTerm(
            id="tea_list",
            label="List of teas",
            definition="Teas by number.",
            fhir="https://example.org/teas",
            fhir_prefix="TEA:",
            pattern="[0-9]{3}",
            names=("Teas",),
        ),
    )
)


@pytest.mark.parametrize("term", SHIPPED.code_systems, ids=lambda term: term.id)
def test_every_name_leads_back_to_its_system(term: CodeSystemTerm) -> None:
    names = [term.id, term.label, *term.names, *term.identifiers, *(f"urn:oid:{term.oid}" if term.oid else "",)]

    assert {SHIPPED_SYSTEMS.named(name) for name in names if name} == {term.id}


def test_other_identifiers_name_no_system() -> None:
    for identifier in ("", "urn:oid:", "1.2.3", "rxnorm", "http://hl7.org/fhir/sid/icd-10"):
        assert SHIPPED_SYSTEMS.identified(identifier) is None


def test_a_data_set_adds_systems() -> None:
    systems = code_systems_of(OWN)
    assert {systems.named(name) for name in ("tea_list", "list of teas", "TEAS", "https://example.org/teas")} == {
        "tea_list"
    }
    assert systems.fhir_code("tea_list", "017") == systems.fhir_code("tea_list", "TEA:017") == "TEA:017"
    assert systems.has_form("tea_list", "017")
    assert not systems.has_form("tea_list", "17")
    assert systems.ids == (*SHIPPED_SYSTEMS.ids, "tea_list")
    assert SHIPPED_SYSTEMS.named("tea_list") is None


@pytest.mark.parametrize(
    ("system", "written", "normal"),
    [
        ("mondo", "MONDO:0007947", "0007947"),
        ("mondo", "0007947", "0007947"),
        ("hpo", "hp:0001250", "0001250"),
        ("icd10cm", "m797", "M79.7"),
        ("ndc", "0406-1170-03", "00406117003"),
        ("unii", "5s6w795cqm", "5S6W795CQM"),
    ],
)
def test_codes_have_one_normal_form(system: str, written: str, normal: str) -> None:
    assert SHIPPED_SYSTEMS.normal(system, written) == normal


def test_a_pattern_that_python_would_search_for_ever_takes_no_time() -> None:
    term = CodeSystemTerm(id="slow", label="Slow", definition="For a test.", pattern="(a+)+b")
    assert not term.has_form("a" * 5000)
    assert term.has_form("a" * 5000 + "b")


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?<=a)b"])
def test_a_pattern_without_a_linear_search_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="regular expression"):
        CodeSystemTerm(id="odd", label="Odd", definition="For a test.", pattern=pattern)
