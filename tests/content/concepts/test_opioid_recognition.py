"""Every opioid is recognised by code and text, and nothing else for one."""

import pytest

from app.concepts.drug_index import drug_index
from app.concepts.recognition import DrugIndex, spelling_key
from tests.concepts import test_recognition
from tests.concepts.test_recognition import ids, listed
from tests.conftest import Engine, opened

OPIOIDS = """
oxycodone | OxyContin | Percocet | hydrocodone | Vicodin | morphine | MS Contin | fentanyl | Duragesic | codeine
tramadol 50 mg | Ultram | hydromorphone | Dilaudid 2mg tab | oxymorphone | tapentadol | Nucynta ER 100 mg | meperidine
pethidine | methadone 10 mg/mL oral conc | buprenorphine | Suboxone 8-2 mg SL film | Butrans patch | levorphanol
butorphanol | nalbuphine | pentazocine | sufentanil | remifentanil | alfentanil | heroin | diamorphine
dihydrocodeine | co-codamol 30/500 | Tylenol #3 | tilidine | Tilidin/Naloxon | piritramide | ketobemidone
Cosylan (ethylmorphine) | Apadaz 6.12-325 mg tablet (benzhydrocodone-acetaminophen) | Hydromet syrup | Nalocet 2.5-300
MSIR 15 mg | opium tincture | oxyCODONE-APAP | OxyContin 20mg ER tab
oxycodone hydrochloride 5 MG Oral Tablet [Roxicodone] | Morphinsulfat | Oxycodonhydrochlorid 10 mg Retardtabletten
chlorhydrate de morphine | morfina | Ossicodone | oksykodon | petydyna | Codeinum phosphoricum | Metadon
fentanylpflaster 25 µg/h | naltrexone 1.2 mg-morphine 30 mg ER cap | Embeda | Troxyca ER | acetaminophen; oxycodone
hydrocodone/homatropine | Morphini hydrochloridum | tramadolo | idromorfone | buprénorphine
\uff2f\uff38\uff39\uff23\uff2f\uff24\uff2f\uff2e\uff25 | oxy\u00adcodone | kodeiini | levometadon | Tramadol (opioid)
narcotics
"""
OPIOID_CODES = """
rxnorm:7804 | RxNorm:1049621 | RXNORM: 7052 | rxnorm:0010689 | http://www.nlm.nih.gov/research/umls/rxnorm|5489
2.16.840.1.113883.6.88|4337 | atc:N02AA05 | ATC N02AX02 | atc:n07bc02 | atc:N02AX99 | http://www.whocc.no/atc|N01AH03
unii:76I7G6D29C | ndc:70040-0167-12 | ndc:72245019303 | http://hl7.org/fhir/sid/ndc|50991-540 | rxnorm:863845
atc:N02AJ17
"""
OTHERS = """
ibuprofen | acetaminophen | Tylenol 325 mg | aspirin 81 mg | naproxen | celecoxib | gabapentin | pregabalin
duloxetine | amitriptyline | trazodone | sertraline | bupropion | venlafaxine | apomorphine | naloxone nasal spray
Narcan | methylnaltrexone bromide 12 mg | Methyl-naltrexone | naloxegol | naldemedine | nalmefene | loperamide 2 mg
Imodium | diphenoxylate/atropine | dextromethorphan | noscapine | lofexidine | clonidine | kratom | tianeptine
metformin | lisinopril | amlodipine | atorvastatin | omeprazole | levothyroxine | prednisone | methotrexate
hydroxychloroquine | hydroxyzine | hydrocortisone | oxybutynin | oxcarbazepine | oxazepam | oxytocin | morphazinamide
codergocrine | tramazoline | methylphenidate | metadate | buspirone | butalbital | fenofibrate | phentermine
pentoxifylline | sulfasalazine | warfarin | amoxicillin | cefalexin | fluconazole | sumatriptan | cyclobenzaprine
baclofen | diazepam | zolpidem | cannabidiol | ketamine | lidocaine | Contrave | naltrexone 50 mg | LDN 4.5 mg
rxnorm:7243 | atc:N07BB04 | atc:N02BE01 | atc:N07BC04 | atc:R05DA09 | rxnorm:1551468 | Fentanyl test strips
urine drug screen: oxycodone | morphine allergy | codeine-free cough syrup | allergic to codeine and tramadol
Non-opioid analgesic | opioid antagonist | naltrexone, do not take with oxycodone | opioid agreement | no codeine
methadone withdrawal | Allergies: penicillin, morphine | see comments | 7804 | opiate screening test
preservative free saline
"""


@pytest.fixture(scope="session")
def index(engine: Engine) -> DrugIndex:
    with opened(engine.original) as database, database.read() as session:
        return drug_index(session)


@pytest.fixture(scope="session")
def opioids(index: DrugIndex) -> frozenset[str]:
    return index.expand(["opioid-analgesics"])


@pytest.mark.parametrize("text", [*listed(OPIOIDS), *listed(OPIOID_CODES)])
def test_an_opioid_is_recognised(index: DrugIndex, opioids: frozenset[str], text: str) -> None:
    assert opioids.intersection(ids(index.by_text(text)))


@pytest.mark.parametrize("text", listed(OTHERS))
def test_another_drug_is_not_taken_for_an_opioid(index: DrugIndex, opioids: frozenset[str], text: str) -> None:
    assert not opioids.intersection(ids(index.by_text(text)))


def test_there_are_enough_of_them() -> None:
    assert len({*listed(OPIOIDS), *listed(OPIOID_CODES)}) >= 60
    assert len(set(listed(OTHERS))) >= 60


@pytest.mark.parametrize(
    ("text", "drugs"),
    [
        ("Embeda", ["morphine", "naltrexone"]),
        ("rxnorm:863845", ["morphine", "naltrexone"]),
        ("Contrave", ["bupropion", "naltrexone"]),
        ("buprenorphine/naloxone", ["buprenorphine", "naloxone"]),
        ("oxycodone and naltrexone", ["oxycodone", "naltrexone"]),
        ("Oxycodone; stop before any naltrexone", ["oxycodone"]),
        ("Naltrexone 4.5 mg, do not take with oxycodone", ["naltrexone"]),
        ("LDN 3mg (compounded)", ["low-dose-naltrexone"]),
        ("Naltrexon 4,5 mg Kapsel", ["naltrexone"]),
        ("tramadol (opioid)", ["tramadol"]),
        ("opioid pain relievers", ["opioid-analgesics"]),
    ],
)
def test_a_product_is_all_its_ingredients(index: DrugIndex, text: str, drugs: list[str]) -> None:
    assert ids(index.by_text(text)) == drugs


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ("oxycodone", "certain"),
        ("OxyContin 20mg ER tab", "certain"),
        ("oxycodone hydrochloride 5 MG Oral Tablet [Roxicodone]", "certain"),
        ("rxnorm:1049621", "certain"),
        ("Morphinsulfat", "probable"),
        ("kodeiini", "probable"),
        ("oxycodone as Bob takes it", "probable"),
        ("atc:N02AX99", "probable"),
    ],
)
def test_it_says_how_sure_it_is(index: DrugIndex, text: str, confidence: str) -> None:
    assert index.by_text(text).confidence == confidence


@pytest.mark.parametrize(
    ("text", "reason", "near"),
    [
        ("oxicontin", "unknown_name", "oxycodone"),
        ("percoset 5/325", "unknown_name", "oxycodone"),
        ("hydro codone", "unknown_name", "hydrocodone"),
        ("Vicodine ES", "unknown_name", "hydrocodone"),
        ("morphine allergy", "only_mentioned", "morphine"),
        ("Fentanyl test strips", "not_a_drug", None),
        ("ibuprofen", "unknown_name", None),
        ("rxnorm:5640", "unknown_code", None),
    ],
)
def test_a_near_miss_is_offered_and_never_taken(index: DrugIndex, text: str, reason: str, near: str | None) -> None:
    test_recognition.test_a_near_miss_is_offered_and_never_taken(index, text, reason, near)


@pytest.mark.parametrize(
    ("code", "drug"),
    [
        ("rxnorm:7804", "oxycodone"),
        ("rxnorm:1049621", "oxycodone"),
        ("ndc:70040-0167-01", "benzhydrocodone"),
        ("atc:N02AA05", "oxycodone"),
        ("atc:N02AX98", "opioid-analgesics"),
        ("unii:F850569PQR", "naloxone"),
        ("cas:16590-41-3", "naltrexone"),
        ("mesh:d009271", "naltrexone"),
    ],
)
def test_each_code_system_leads_to_its_drug(index: DrugIndex, code: str, drug: str) -> None:
    assert ids(index.by_code(code)) == [drug]


def test_a_code_of_a_system_that_is_not_known_is_said_to_be_so(index: DrugIndex) -> None:
    assert index.by_code("homegrown:7804").reason == "unknown_system"
    assert index.by_id("oxycodon").reason == "unknown_id"
    assert [drug.id for drug in index.by_id("oxycodon").near] == ["oxycodone"]


def test_no_two_substances_are_spelled_alike(index: DrugIndex) -> None:
    shared = {key: pks for key, pks in index.spellings.items() if len(pks) > 1}
    assert shared == {}


@pytest.mark.parametrize(
    "names",
    [
        "oxycodone Oxycodon oksykodon oxicodona Oxycodonum",
        "pethidine petidin Petydyna péthidine",
        "naltrexone naltrekson",
    ],
)
def test_languages_agree_on_the_key_of_a_name(names: str) -> None:
    assert len({spelling_key(name.lower().replace("é", "e")) for name in names.split()}) == 1
