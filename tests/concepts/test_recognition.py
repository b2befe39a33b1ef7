"""Drugs are recognised by id, code and text: every drug of a class, and nothing else for one."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.concepts.drug_index import drug_index
from app.concepts.recognition import DrugIndex, Recognition, spelling_key
from app.storage.database import Database
from tests.conftest import Engine, opened
from tests.factories import Fields, amended, content, put, record
from tests.neutral import DRUG, LOW_DOSE, OPPOSED
from tests.statements import recorded_statements

LORTS = """
oxilort | Oxinex | OXINEX 20mg ER tab | oxilort sulfate 5 MG Oral Tablet [Oxinex] | tralort 50 mg | Trastop | metlort
metlort 10 mg/mL oral conc | Metnova patch | morlort | Morquil 2mg tab | Lortstay | buplort | oxiLORT-APAP | Oxilortum
oxilortsulfat | sulfate de morlort | oxilort; acetaminophen | zelvane 1.2 mg-oxilort 30 mg ER cap | Oxizel | Oxizel ER
oxi\u00adlort | \uff2f\uff38\uff29\uff2c\uff2f\uff32\uff34 | tralort (lort painkillers) | lort painkillers
oxilort as Bob takes it | rxnorm:9990100 | RxNorm:9990110 | RXNORM: 9990101 | rxnorm:009990102
http://www.nlm.nih.gov/research/umls/rxnorm|9990103 | 2.16.840.1.113883.6.88|9990104 | atc:N98AA05 | ATC N98AA02
atc:n98aa03 | atc:N98AA99 | http://www.whocc.no/atc|N98AA04 | unii:76I7G6D29C | ndc:90040-0167-12
http://hl7.org/fhir/sid/ndc|90040-167
"""
OTHERS = """
zelvane | zelvane 50 mg | LDZ 4.5 mg | comparine | hushsyrup | cider | ibuprofen | Narcan | metformin | omeprazole
rxnorm:9990001 | atc:N99XX01 | atc:N99AA05 | rxnorm:9990011 | oxilort test strips | urine drug screen: oxilort
morlort allergy | lort-free cough syrup | oxilort-free cough syrup | allergic to oxilort and tralort | no oxilort
zelvane, do not take with oxilort | lort agreement | metlort withdrawal | Allergies: penicillin, morlort | see comments
9990100 | apomorlort | oxilo | methylzelvane
"""


def listed(text: str) -> list[str]:
    return [entry.strip() for line in text.splitlines() for entry in line.split(" | ") if entry.strip()]


def _code(system: str, code: str, relation: str = "exactMatch") -> Fields:
    return {"system": system, "code": code, "relation": relation, "verified": True, "source": "Invented"}


ADDED: dict[str, list[Fields]] = {
    DRUG: [_code("unii", "5S6W795CQM"), _code("cas", "16590-41-3")],
    "oxilort": [_code("unii", "76I7G6D29C"), _code("ndc", "90040-167", "narrowMatch")],
    OPPOSED: [_code("atc", "N98AA")],
}
"""Codes of more systems, besides those that the records have."""


@pytest.fixture(scope="session")
def index(engine: Engine) -> Iterator[DrugIndex]:
    url = engine.copy("recognition")
    with opened(url) as database:
        for drug, codes in ADDED.items():
            own = content(database, "intervention", drug)
            put(database, amended(own, codes=[*own.content.model_dump(mode="json")["codes"], *codes]))
        with database.read() as session:
            yield drug_index(session)
    engine.drop(url)


@pytest.fixture(scope="session")
def lorts(index: DrugIndex) -> frozenset[str]:
    return index.expand([OPPOSED])


def ids(recognition: Recognition) -> list[str]:
    return [drug.id for drug in recognition.drugs]


@pytest.mark.parametrize("text", listed(LORTS))
def test_a_drug_of_the_class_is_recognised(index: DrugIndex, lorts: frozenset[str], text: str) -> None:
    assert lorts.intersection(ids(index.by_text(text)))


@pytest.mark.parametrize("text", listed(OTHERS))
def test_another_drug_is_not_taken_for_one_of_the_class(index: DrugIndex, lorts: frozenset[str], text: str) -> None:
    assert not lorts.intersection(ids(index.by_text(text)))


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("Oxizel", ["oxilort", DRUG]),
        ("rxnorm:9990300", ["oxilort", DRUG]),
        ("oxilort/comparine", ["oxilort", "comparine"]),
        ("oxilort and zelvane", ["oxilort", DRUG]),
        ("Oxilort; stop before any zelvane", ["oxilort"]),
        ("Zelvane 4.5 mg, do not take with oxilort", [DRUG]),
        ("LDZ 3mg (compounded)", [LOW_DOSE]),
        ("Zelvan 4,5 mg Kapsel", [DRUG]),
        ("tralort (lort painkillers)", ["tralort"]),
        ("lort painkillers", [OPPOSED]),
    ],
)
def test_a_product_is_all_its_ingredients(index: DrugIndex, text: str, drugs: list[str]) -> None:
    assert ids(index.by_text(text)) == drugs


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ("oxilort", "certain"),
        ("Oxinex 20mg ER tab", "certain"),
        ("oxilort sulfate 5 MG Oral Tablet [Oxinex]", "certain"),
        ("rxnorm:9990100", "certain"),
        ("Oxilortsulfat", "probable"),
        ("oksilort", "probable"),
        ("oxilort as Bob takes it", "probable"),
        ("atc:N98AA99", "probable"),
    ],
)
def test_it_says_how_sure_it_is(index: DrugIndex, text: str, confidence: str) -> None:
    assert index.by_text(text).confidence == confidence


@pytest.mark.parametrize(
    ("text", "reason", "near"),
    [
        ("oxinax", "unknown_name", "oxilort"),
        ("trastap 5/325", "unknown_name", "tralort"),
        ("tra lort", "unknown_name", "tralort"),
        ("Metnove ES", "unknown_name", "metlort"),
        ("morlort allergy", "only_mentioned", "morlort"),
        ("Oxilort test strips", "not_a_drug", None),
        ("ibuprofen", "unknown_name", None),
        ("rxnorm:5640", "unknown_code", None),
    ],
)
def test_a_near_miss_is_offered_and_never_taken(index: DrugIndex, text: str, reason: str, near: str | None) -> None:
    recognition = index.by_text(text)
    assert (recognition.drugs, recognition.reason) == ((), reason)
    assert [drug.id for drug in recognition.near[:1]] == ([near] if near else [])


@pytest.mark.parametrize(
    ("code", "drug"),
    [
        ("rxnorm:9990100", "oxilort"),
        ("rxnorm:9990110", "oxilort"),
        ("ndc:90040-0167-01", "oxilort"),
        ("atc:N98AA01", "oxilort"),
        ("atc:N98AA98", OPPOSED),
        ("unii:5S6W795CQM", DRUG),
        ("cas:16590-41-3", DRUG),
        ("mesh:d999002", DRUG),
    ],
)
def test_each_code_system_leads_to_its_drug(index: DrugIndex, code: str, drug: str) -> None:
    assert ids(index.by_code(code)) == [drug]


def test_a_code_of_a_system_that_is_not_known_is_said_to_be_so(index: DrugIndex) -> None:
    assert index.by_code("homegrown:7804").reason == "unknown_system"
    assert index.by_id("oxilor").reason == "unknown_id"
    assert [drug.id for drug in index.by_id("oxilor").near] == ["oxilort"]


@pytest.mark.parametrize(
    "names", ["oxilort Oxilort oksilort oxilorta Oxilortum", "tralort tralorte Tralorta trálort", "zelvane zelvan"]
)
def test_languages_agree_on_the_key_of_a_name(names: str) -> None:
    assert len({spelling_key(name.lower().replace("á", "a")) for name in names.split()}) == 1


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read(index: DrugIndex, text: str) -> None:
    recognition = index.by_text(text)
    assert bool(recognition.drugs) is (recognition.reason is None)
    assert bool(recognition.drugs) is (recognition.confidence is not None)


def test_the_index_is_read_once_for_each_serial(scratch: Database) -> None:
    with scratch.read() as session:
        first = drug_index(session)
    with recorded_statements() as statements, scratch.read() as session:
        assert drug_index(session) is first
    assert not [sql for sql, _ in statements if "concept" in sql]
    put(scratch, amended(content(scratch, "intervention", "oxilort"), synonyms=["Nobodyknewit"]))
    with scratch.read() as session:
        assert ids(drug_index(session).by_text("nobodyknewit 5 mg")) == ["oxilort"]


def test_a_narrower_class_belongs_to_the_wider_one(scratch: Database) -> None:
    put(
        scratch,
        record("intervention", "wide", kind="class"),
        record("intervention", "narrow", kind="class", parent="wide", members=["tralort"]),
    )
    with scratch.read() as session:
        assert drug_index(session).expand(["wide"]) == {"wide", "narrow", "tralort"}


def test_similar_names_are_looked_for_at_the_first_words_alone(index: DrugIndex) -> None:
    unknown = [f"zzyx{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(100)]
    assert index.by_text(" ".join(["oxinax", *unknown])).near
    assert not index.by_text(" ".join([*unknown, "oxinax"])).near
    assert not index.by_text("oxinax", suggest=False).near
