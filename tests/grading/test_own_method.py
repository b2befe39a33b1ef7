"""A data set with study designs and a grading method of its own: seeded at a terminal, asked over HTTP."""

import ast
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from app.concepts.manifest_grading import Grading
from app.concepts.study_designs import SHIPPED_DESIGNS
from app.concepts.terms import SHIPPED
from app.core.errors import InvalidInput
from app.datasets import bundle
from app.datasets.file_schemas import schemas
from app.grading.definitions import share_in_words
from app.grading.method import METHOD, Method
from app.publishing import index_state, indexes
from app.settings import ROOT, settings
from app.storage.database import Database
from tests.conftest import serving
from tests.factories import small_files
from tests.test_cli import error_text, run

N_OF_1 = {
    "id": "n_of_1_trial",
    "label": "N-of-1 trial",
    "definition": "One person at a time, with periods in an order assigned by chance.",
    "weighs_as": "randomized",
    "is_crossover": True,
    "fhir": "https://example.org/designs|n1",
    "ga4gh": "example:n1",
}
EMULATION = {
    "id": "target_trial_emulation",
    "label": "Target trial emulation",
    "definition": "Records are read as if they were those of a stated trial.",
    "weighs_as": "comparative",
}
DESIGNS = {"trial-a": "n_of_1_trial", "trial-b": "target_trial_emulation"}
NAMES = {"consensus": "small-consensus/1", "certainty": "small-certainty/1"}
CLAIM = "/v1/claims/drug-eases-ache"

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the small world with these designs of studies, designs of its own and a method of its own."""

    def files(
        designs: dict[str, str] = DESIGNS, own: tuple[Any, ...] = (EMULATION, N_OF_1), grading: Any = None
    ) -> Path:
        for name, text in small_files().items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        path = tmp_path / "studies.yaml"
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        for study in data["studies"]:
            study["design"] = designs.get(study["id"], study["design"])
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
        described = {
            "id": "small", "name": "Small", "title": "A small data set", "description": "For tests.",
            "publisher": {"name": "Nobody"}, "licence": {"name": "None"}, "citation": "Small",
            "vocabularies": {"study_designs": list(own)},
        }  # fmt: skip
        described |= {"grading": grading} if grading else {}
        text = yaml.safe_dump({"dataset": described}, sort_keys=False)
        (tmp_path / "dataset.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    return files


def seed(database: Database, directory: Path) -> str:
    return error_text(run(database, "seed", "--from", str(directory)))


def asking(database: Database) -> Any:
    return serving(database.url.render_as_string(hide_password=False))


def get(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def weights(client: TestClient, **parameters: Any) -> dict[str, float]:
    return {unit["study"]: unit["weight"] for unit in get(client, f"{CLAIM}/evidence", **parameters)["units"]}


def ids(answer: Any) -> list[str]:
    return [item["id"] for item in answer["items"]]


def terms(client: TestClient, vocabulary: str) -> dict[str, Any]:
    found = next(v for v in get(client, "/v1/vocabularies")["items"] if v["name"] == vocabulary)
    return {term["value"]: term for term in found["terms"]}


def faults(directory: Path) -> list[Any]:
    with pytest.raises(InvalidInput) as caught:
        bundle.read(directory)
    return list(caught.value.errors)


# --- designs ------------------------------------------------------------------------------------------------------


def test_designs_of_a_data_set_weigh_as_they_say_and_are_found_everywhere(migrated: Database, write: Write) -> None:
    seed(migrated, write())
    with asking(migrated) as client:
        trace = get(client, f"{CLAIM}/evidence")
        assert {unit["study"]: (unit["weight"], unit["randomized"]) for unit in trace["units"]} == {
            "trial-a": (2.0, True),
            "trial-b": (1.0, False),
        }
        claim = get(client, CLAIM, labels="true")
        assert [citation["id"] for citation in claim["citations"]] == ["cit-a", "cit-review", "cit-b"]
        assert claim["citations"][0]["study"]["design_label"] == "N-of-1 trial"
        counts = claim["evidence"]["counts"]
        assert (counts["supports"]["randomized_trials"], counts["disputes"]["randomized_trials"]) == (1, 0)

        assert ids(get(client, "/v1/studies", design="n_of_1_trial")) == ["trial-a"]
        assert ids(get(client, "/v1/citations", design="target_trial_emulation")) == ["cit-b"]
        claims = get(client, "/v1/claims", design=["n_of_1_trial", "case_series"], facets="true")
        assert set(ids(claims)) == {"drug-eases-ache", "drug-causes-insomnia"}
        assert weights(client, design="n_of_1_trial") == {"trial-a": 2.0}
        found = get(client, "/v1/search", q="emulation")
        assert ids(found) == ["trial-b"]
        assert {"value": "target_trial_emulation", "count": 1} in found["facets"]["design"]
        assert ids(get(client, "/v1/search", q="drug", design="target_trial_emulation", type="claim"))

        covered = get(client, "/v1/coverage", intervention="drug", condition="ache")
        assert covered["summary"]["best_design"] == "n_of_1_trial"
        (row,) = get(client, "/v1/evidence-map", intervention="drug", condition="ache")["cells"]
        assert row["best_design"] == "n_of_1_trial"
        assert "target trial emulation" in client.get("/v1/briefs/drug/ache?format=markdown").text
        assert "N-of-1 trial: One person at a time" in client.get("/studies/trial-a").text
        assert "Target trial emulation" in client.get("/claims/drug-eases-ache").text

        (of_chance,) = get(client, "/fhir/r5/Evidence/cit-a")["studyDesign"]
        assert of_chance["text"] == "N-of-1 trial"
        assert [coding["code"] for coding in of_chance["coding"]] == ["SEVCO:01003", "n1"]
        assert get(client, "/fhir/r5/Evidence/cit-b")["studyDesign"] == [{"text": "Target trial emulation"}]

        known = terms(client, "design")
        order = list(known)
        assert order.index("n_of_1_trial") == order.index("randomized_trial_unspecified") + 1
        assert order.index("target_trial_emulation") == order.index("case_control") + 1
        own = known["n_of_1_trial"]
        assert (own["weighs_as"], own["fhir"], own["ga4gh"]) == ("randomized", N_OF_1["fhir"], "example:n1")
        assert set(terms(client, "weighs_as")) == {term["weighs_as"] for term in known.values()}


def test_an_unknown_design_is_refused_with_the_nearest(migrated: Database, write: Write) -> None:
    seed(migrated, write())
    asked = {"design": ["case_series", "n_of_one_trial"], "q": "drug"}
    with asking(migrated) as client:
        for path in ("/v1/claims", "/v1/citations", "/v1/studies", "/v1/search", f"{CLAIM}/evidence"):
            parameters = asked if path in ("/v1/search", "/v1/studies") else {"design": asked["design"]}
            answer = client.get(path, params=parameters)
            assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json"), path
            (fault,) = answer.json()["errors"]
            assert (fault["in"], fault["field"], fault["code"]) == ("query", "design", "unknown_value"), path
            assert fault["position"] == 2
            assert fault["did_you_mean"][0] == "n_of_1_trial"
            assert "target_trial_emulation" in fault["allowed"]
            assert "n_of_one" not in answer.text
        posted = client.post("/v1/search", json=asked)
        assert (posted.status_code, posted.json()["errors"][0]["in"]) == (422, "body")


def test_an_unknown_design_in_a_file_is_refused_where_it_stands(write: Write) -> None:
    (fault,) = faults(write({"trial-a": "n_of_2_trial"}))
    assert re.fullmatch(r"studies.yaml:\d+:\d+: trial-a: design", fault.field)
    assert fault.did_you_mean[0] == "n_of_1_trial"


@pytest.mark.parametrize(
    ("change", "field", "near"),
    [
        ({"weighs_as": "randomised"}, "weighs_as", "randomized"),
        ({"weights_as": "randomized"}, "weights_as", "weighs_as"),
        ({"id": "case_control"}, "id", None),
    ],
)
def test_faults_of_a_design_are_found(write: Write, change: Any, field: str, near: str | None) -> None:
    found = faults(write({}, ({**N_OF_1, **change},)))
    at = [fault for fault in found if fault.field.endswith(f": vocabularies.study_designs[0].{field}")]
    assert len(at) == 1, found
    assert re.match(r"dataset.yaml:\d+:\d+: ", at[0].field)
    assert near is None or at[0].did_you_mean[0] == near


def test_what_a_study_may_hold_follows_from_its_design(write: Write) -> None:
    directory = write()
    path = directory / "studies.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    arms = [{"name": name, "role": "intervention", "participants": 40} for name in ("One", "Two")]
    for study in data["studies"]:
        if study["id"] in DESIGNS:
            study |= {"arms": deepcopy(arms), "includes": {"completeness": "unknown"}}
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    found = {re.sub(r":\d+:\d+", "", fault.field) for fault in faults(directory)}
    assert found == {
        "studies.yaml: trial-a: includes",  # people of a crossover pass through all arms
        "studies.yaml: trial-b: includes",
        "studies.yaml: trial-b: arms",
    }


def test_a_design_that_weighs_otherwise_moves_the_grades_that_rest_on_it(migrated: Database, write: Write) -> None:
    seed(migrated, write())
    directory = write(own=({**EMULATION, "weighs_as": "not_weighable"}, {**N_OF_1, "weighs_as": "meta_analysis"}))
    assert "Grade of drug-eases-ache:" in error_text(run(migrated, "seed", "--from", str(directory), "--dry-run"))
    seed(migrated, directory)
    with asking(migrated) as client:
        serial = get(client, "/v1/meta")["serial"]
        assert serial == 2
        assert get(client, "/v1/studies/trial-a")["is_review"] is True
        assert set(ids(get(client, "/v1/studies", is_review="true"))) == {"review", "trial-a"}
        claim = get(client, CLAIM)
        assert claim["version"] == 2
        assert claim["evidence"]["review_count"] == 2
        assert weights(client) == {"trial-b": 0.0, "systematic-reviews": 2.0}
        assert get(client, "/v1/interventions/drug")["evidence"]["reviews"] == 2
        # As it was, and by what the data set said then.
        assert get(client, "/v1/studies/trial-a", serial=1)["is_review"] is False
        assert get(client, CLAIM, serial=1)["evidence"]["study_count"] == 2
        assert weights(client, serial=1) == {"trial-a": 2.0, "trial-b": 1.0}
    assert "nothing changed" in seed(migrated, directory)


def test_no_rule_names_a_design() -> None:
    """But the readers of other sources, which name designs of the software; and names that are no designs' alone."""
    shared = {"other", "laboratory", "meta_analysis", "systematic_review", "case_report"}
    names = {term.id for term in SHIPPED_DESIGNS.terms} - shared
    assert len(names) > 15
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for path in sorted((ROOT / "app").rglob("*.py"))
        if path.name != "add_source.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
    ]
    assert not found


def test_the_shipped_designs_stand_in_the_order_in_which_they_weigh() -> None:
    joined = SHIPPED.joined(SHIPPED).study_designs
    assert joined == SHIPPED.study_designs
    assert SHIPPED_DESIGNS.rank("randomized_parallel_trial") == 0
    assert SHIPPED_DESIGNS.rank("unheard_of") == len(SHIPPED_DESIGNS.terms)
    assert not SHIPPED_DESIGNS.design("unheard_of").is_review


# --- the method ---------------------------------------------------------------------------------------------------

METHOD_OF_ITS_OWN = {
    **NAMES, "randomized_small": "3/2", "comparative": 0.75, "informative_units": 3, "conflict_share": "1/4",
    "leaning_share": "2/3", "full_text_share": 1,
}  # fmt: skip


def test_the_method_of_a_data_set_is_what_grades_and_what_answers_say(migrated: Database, write: Write) -> None:
    seed(migrated, write())
    with asking(migrated) as client:
        first = get(client, CLAIM)
        assert first["evidence"]["consensus"] == "conflicting"
        assert first["evidence"]["method"] == METHOD.certainty
    said = seed(migrated, write(grading=METHOD_OF_ITS_OWN))
    assert "serial 2" in said
    with asking(migrated) as client:
        meta = get(client, "/v1/meta")
        assert (meta["serial"], meta["methods"]) == (2, NAMES)
        claim = get(client, CLAIM)
        evidence = claim["evidence"]
        assert (evidence["consensus_method"], evidence["method"]) == tuple(NAMES.values())
        assert (evidence["consensus"], evidence["insufficient_reason"]) == ("insufficient", "too_few")
        assert claim["version"] == 2
        trace = get(client, f"{CLAIM}/evidence")
        assert {unit["study"]: unit["weight"] for unit in trace["units"]} == {"trial-a": 1.5, "trial-b": 0.75}
        texts = " ".join(step["text"] for step in trace["steps"])
        assert "or 1.5, comparative 0.75, uncontrolled 1/2" in texts
        assert "Fewer than three studies found for or against it." in texts
        assert trace["evidence"] == trace["as_published"] == evidence
        what_if = get(client, f"{CLAIM}/evidence", exclude_standing="retracted")
        assert what_if["evidence"]["method"] == NAMES["certainty"]
        assert get(client, "/v1/briefs/drug/ache")["foot"]["consensus_method"] == NAMES["consensus"]
        assert terms(client, "insufficient_reason")["too_few"]["definition"].startswith("Fewer than three studies")
        assert "one quarter" in terms(client, "consensus")["conflicting"]["definition"]
        assert terms(client, "leaning")["neither"]["definition"] == "Neither side has two thirds of the weight."
        statement = get(client, CLAIM, format="va-spec")
        assert statement["specifiedBy"]["name"] == NAMES["certainty"]
        types = [
            part["type"].get("text") for part in get(client, "/fhir/r5/ArtifactAssessment/drug-eases-ache")["content"]
        ]
        assert f"Consensus ({NAMES['consensus']})" in types

        # Every claim was graded anew, uncited ones too; the state before is as it was.
        uncited = get(client, "/v1/claims/low-dose-eases-ache")
        assert uncited["evidence"]["method"] == NAMES["certainty"]
        assert get(client, CLAIM, serial=1)["evidence"] == first["evidence"]
        then = get(client, f"{CLAIM}/evidence", serial=1)
        assert then["evidence"] == first["evidence"]
        assert {unit["study"]: unit["weight"] for unit in then["units"]} == {"trial-a": 2.0, "trial-b": 1.0}
    assert "nothing changed" in seed(migrated, write(grading=METHOD_OF_ITS_OWN))


def test_a_change_of_the_software_grades_by_the_method_of_the_data_set(migrated: Database, write: Write) -> None:
    seed(migrated, write(grading=METHOD_OF_ITS_OWN))
    with migrated.write() as session:
        index_state.record(session, {"tables": 0})
    indexes.refresh(migrated)
    with asking(migrated) as client:
        assert get(client, "/v1/meta")["serial"] == 1
        assert weights(client) == {"trial-a": 1.5, "trial-b": 0.75}
        assert get(client, CLAIM)["evidence"]["method"] == NAMES["certainty"]
        assert ids(get(client, "/v1/studies", is_review="true")) == ["review"]


def test_without_a_method_of_its_own_a_data_set_is_graded_by_that_of_the_software_again(
    migrated: Database, write: Write
) -> None:
    seed(migrated, write(grading=METHOD_OF_ITS_OWN))
    seed(migrated, write())
    with asking(migrated) as client:
        assert get(client, "/v1/meta")["methods"] == {"consensus": METHOD.consensus, "certainty": METHOD.certainty}
        assert weights(client) == {"trial-a": 2.0, "trial-b": 1.0}
        assert get(client, CLAIM)["evidence"]["method"] == METHOD.certainty


def test_other_numbers_take_another_name(migrated: Database, write: Write) -> None:
    seed(migrated, write(grading=METHOD_OF_ITS_OWN))
    other = {**METHOD_OF_ITS_OWN, "comparative": 2}
    said = error_text(run(migrated, "seed", "--from", str(write(grading=other))), 1)
    assert re.search(r"dataset.yaml:\d+:\d+: grading.consensus: names the method of serial 1", said)
    seed(migrated, write(grading={**other, "consensus": "small-consensus/2"}))
    with asking(migrated) as client:
        assert weights(client)["trial-b"] == 2.0
        assert get(client, CLAIM)["evidence"]["consensus_method"] == "small-consensus/2"


def test_an_export_is_graded_again_by_its_own_method(migrated: Database, write: Write, tmp_path: Path) -> None:
    seed(migrated, write(grading=METHOD_OF_ITS_OWN))
    output = tmp_path / "export.jsonl"
    error_text(run(migrated, "export", "--output", str(output)))
    assert NAMES["certainty"] in output.read_text(encoding="utf-8").partition("\n")[0]
    assert " 0 differences" in error_text(run(migrated, "grade", "--from", str(output)))


@pytest.mark.parametrize(
    ("grading", "field", "near"),
    [
        ({**NAMES, "randomised_large": 5}, "randomised_large", "randomized_large"),
        ({**NAMES, "comparative": "much"}, "comparative", None),
        ({**NAMES, "comparative": "1/0"}, "comparative", None),
        ({**NAMES, "comparative": "1e999999999"}, "comparative", None),
        ({**NAMES, "preclinical": 0}, "preclinical", None),
        ({**NAMES, "comparative": -1}, "comparative", None),
        ({**NAMES, "comparative": True}, "comparative", None),
        ({**NAMES, "conflict_share": "2/3"}, "conflict_share", None),
        ({**NAMES, "leaning_share": "1/3"}, "leaning_share", None),
        ({**NAMES, "informative_units": "1/2"}, "informative_units", None),
        ({**NAMES, "start_other": "lo"}, "start_other", "low"),
        ({**NAMES, "start_other": "not_graded"}, "start_other", None),
        ({**NAMES, "consensus": "Our consensus"}, "consensus", None),
        ({**NAMES, "consensus": METHOD.consensus, "comparative": 2}, "consensus", None),
        ({**NAMES, "certainty": "grade-like/9"}, "certainty", None),
        ({"consensus": "small-consensus/1", "comparative": 2}, "certainty", None),
        ({"certainty": "small-certainty/1", "comparative": 2}, "consensus", None),
        ({**NAMES, "imprecise_people": 500}, "imprecise_people", None),
        ({**NAMES, "randomized_small": 5}, "randomized_small", None),
        ({**NAMES, "review_unit_small": 5}, "review_unit_small", None),
    ],
)
def test_faults_of_a_method_are_found_where_they_stand(
    write: Write, grading: Any, field: str, near: str | None
) -> None:
    (fault,) = faults(write(grading=grading))
    assert re.fullmatch(rf"dataset.yaml:\d+:\d+: grading.{field}", fault.field), fault
    assert near is None or near in (fault.did_you_mean or fault.message)


def test_the_names_of_the_software_may_be_stated_with_its_numbers(write: Write) -> None:
    shipped = {"consensus": METHOD.consensus, "certainty": METHOD.certainty, "conflict_share": 0.2}
    assert bundle.read(write(grading=shipped))


def test_every_number_of_the_method_can_be_stated_and_is_offered_by_editors() -> None:
    parameters = Method.model_fields.keys() - {"designs"}
    assert Grading.model_fields.keys() == parameters
    text = schemas()["dataset.json"]
    assert all(f'"{parameter}"' in text for parameter in (*parameters, "study_designs", "weighs_as"))
    shipped = Grading.model_validate({name: getattr(METHOD, name) for name in parameters})
    assert Grading.model_validate_json(shipped.model_dump_json()) == shipped


@pytest.mark.parametrize(
    ("share", "words"),
    [
        ("3/5", "three fifths"),
        ("1/5", "one fifth"),
        ("1/2", "half"),
        ("2/3", "two thirds"),
        ("11/20", "55 %"),
    ],
)
def test_shares_are_said_in_words(share: str, words: str) -> None:
    assert share_in_words(Fraction(share)) == words
