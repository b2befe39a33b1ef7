"""`ldn-evidence add-source`: what a source states becomes a skeleton, in every format alike; nothing is invented."""

import json
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from app import cli
from app.datasets import bundle
from app.datasets.seed_text import file_text, record_text, short_form
from app.settings import settings
from app.sources.schemas import Author, DocumentWrite, StudyWrite
from app.sources.vocabulary import DocumentKind
from tests.factories import small_files

FILES = Path(__file__).parent / "source_files"
TRIAL = FILES / "trial.nbib"
FORMATS = ("trial.nbib", "trial.xml", "crossref.json", "items.csl.json", "references.ris", "references.bib")
"""Each holds the same paper first."""


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Small seed files, with comments."""
    seed = tmp_path / "seed"
    seed.mkdir()
    for name, text in small_files().items():
        (seed / name).write_text(f"# How to edit: {name}\n{text}# The end.\n", encoding="utf-8")
    return seed


def run(*arguments: str | Path, **environment: str) -> Result:
    """Without a network: every service is where nothing listens."""
    nowhere = dict.fromkeys(("CROSSREF_URL", "PUBMED_URL", "PMC_IDS_URL"), "http://127.0.0.1:9")
    environment = {**nowhere, "NO_PROXY": "*", "COLUMNS": "200", **environment}
    result = CliRunner().invoke(cli.app, ["add-source", *map(str, arguments)], env=environment)
    assert "Traceback" not in result.output
    return result


def added(directory: Path, record_id: str) -> tuple[DocumentWrite, list[StudyWrite]]:
    """The document as `bundle.read` reads it, and its studies."""
    contents = {(change.type, change.content.id): change.content for change in bundle.read(directory)}
    document = contents["document", record_id]
    assert isinstance(document, DocumentWrite)
    studies = [contents["study", link.study] for link in document.studies]
    return document, [study for study in studies if isinstance(study, StudyWrite)]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_states_the_same_paper(directory: Path, name: str) -> None:
    run(FILES / name, "--to", directory)
    document, _ = added(directory, "doe-2019")
    assert (document.kind, document.label, document.issued) == ("article-journal", "Doe 2019", "2019-03-04")
    assert document.title == "A synthetic trial of nothing in particular: a file that was written for a test"
    assert [author.family or author.literal for author in document.authors] == [
        "Doe",
        "O'Neil",
        "Synthetic Study Group",
    ]
    assert document.authors_complete
    assert (document.container_title, document.container_title_short) == ("Journal of synthetic records", "J Synth")
    assert (document.volume, document.issue, document.page) == ("12", "3", "305-310")
    identifiers = {entry.scheme.value: entry.value for entry in document.identifiers}
    expected = {"doi": "10.5555/synthetic.1", "pmid": "999001", "pmcid": "PMC9990001"}
    assert identifiers == (expected if name != "crossref.json" else {"doi": "10.5555/synthetic.1"})


@pytest.mark.parametrize("name", ["trial.nbib", "trial.xml", "crossref.json"])
def test_a_retraction_is_taken_with_its_notice(directory: Path, name: str) -> None:
    run(FILES / name, "--to", directory)
    (entry,) = added(directory, "doe-2019")[0].standing
    assert (entry.standing, entry.on) == ("retracted", "2021-02-06")
    assert entry.notice
    assert entry.notice.doi == "10.5555/synthetic.notice"


@pytest.mark.parametrize("name", ["trial.nbib", "trial.xml"])
def test_a_trial_becomes_a_study_with_gaps(directory: Path, name: str) -> None:
    run(FILES / name, "--to", directory)
    document, (study,) = added(directory, "doe-2019")
    assert [link.role for link in document.studies] == ["primary"]
    assert (study.design, study.evidence_source) == ("randomized_trial_unspecified", "human_clinical")
    assert [entry.value for entry in study.registry_ids] == ["NCT09999991"]
    unknown = ("population", "participants", "planned", "analysed", "comparator", "blinding", "duration", "results")
    assert [getattr(study, field) for field in unknown] == [None] * len(unknown)
    assert [len(parts) for parts in (study.arms, study.conditions, study.limitations)] == [0, 0, 0]
    text = (directory / "studies.yaml").read_text(encoding="utf-8")
    assert "participants: null  # not stated by the source" in text


@pytest.mark.parametrize("name", ["items.csl.json", "references.ris", "references.bib"])
def test_a_source_without_publication_types_makes_no_study(directory: Path, name: str) -> None:
    run(FILES / name, "--to", directory)
    document, _ = added(directory, "doe-2019")
    assert document.studies == ()
    assert [entry.standing for entry in document.standing] == ["not_checked"]


@pytest.mark.parametrize(
    ("types", "design", "role"),
    [
        ("Meta-Analysis|Systematic Review", "meta_analysis", "review"),
        ("Systematic Review", "systematic_review", "review"),
        ("Clinical Trial Protocol", "other", "protocol"),
        ("Clinical Trial, Phase II", "other", "primary"),
        ("Case Reports", "other", "primary"),
    ],
)
def test_a_design_is_taken_only_where_a_publication_type_states_it(
    directory: Path, tmp_path: Path, types: str, design: str, role: str
) -> None:
    lines = "\n".join(f"PT  - {kind}" for kind in types.split("|"))
    text = re.sub("PT  - Randomized Controlled Trial", lines, TRIAL.read_text(encoding="utf-8"))
    (tmp_path / "one.nbib").write_text(text, encoding="utf-8")
    run(tmp_path / "one.nbib", "--to", directory)
    document, (study,) = added(directory, "doe-2019")
    assert (study.design, document.studies[0].role) == (design, role)
    assert bool(study.registry_ids) == (role != "review")


def test_a_review_of_a_kind_that_is_not_stated_makes_no_study(directory: Path, tmp_path: Path) -> None:
    text = TRIAL.read_text(encoding="utf-8").replace("Randomized Controlled Trial", "Review")
    (tmp_path / "one.nbib").write_text(text, encoding="utf-8")
    result = run(tmp_path / "one.nbib", "--to", directory)
    assert "add its study by hand" in result.stderr
    assert added(directory, "doe-2019")[1] == []


def test_without_a_directory_the_skeleton_is_printed_and_reads_back(tmp_path: Path) -> None:
    result = run(TRIAL)
    documents, _, studies = result.stdout.partition("\nstudies:")
    (tmp_path / "documents.yaml").write_text(documents, encoding="utf-8")
    (tmp_path / "studies.yaml").write_text(f"studies:{studies}", encoding="utf-8")
    assert len(bundle.read(tmp_path)) == 2


def test_what_stood_in_the_files_stays_with_its_comments(directory: Path) -> None:
    before = {path.name: path.read_text(encoding="utf-8") for path in directory.iterdir()}
    run(TRIAL, "--to", directory)
    for path in directory.iterdir():
        assert path.read_text(encoding="utf-8").startswith(before[path.name].rstrip())
    changed = {path.name for path in directory.iterdir() if path.read_text(encoding="utf-8") != before[path.name]}
    assert changed == {"documents.yaml", "studies.yaml"}


def test_files_in_short_can_be_added_to(written_files: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(written_files, tmp_path / "seed")
    result = run(TRIAL, "--to", directory)
    assert result.exit_code == 0, result.output
    assert added(directory, "doe-2019")[0].label == "Doe 2019"


# --- duplicates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_an_identifier_in_any_spelling_is_a_duplicate(directory: Path, name: str) -> None:
    run(TRIAL, "--to", directory)
    path = directory / "documents.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("10.5555/synthetic.1}", "https://doi.org/10.5555/SYNTHETIC.1}"),
        encoding="utf-8",
    )
    before = path.read_text(encoding="utf-8")
    result = run(FILES / name, "--to", directory)
    assert "is recorded as doe-2019" in result.stderr
    assert "doe-2019" not in path.read_text(encoding="utf-8")[len(before) :]


def test_a_title_that_is_nearly_the_same_is_named(directory: Path, tmp_path: Path) -> None:
    run(TRIAL, "--to", directory)
    title = "A Synthetic Trial of Nothing in Particular - A File that was written for a Test"
    other = f"TY  - JOUR\nTI  - {title}\nPY  - 2020\n"
    (tmp_path / "same.ris").write_text(other, encoding="utf-8")
    assert "seems to be doe-2019" in run(tmp_path / "same.ris", "--to", directory).stderr
    (tmp_path / "other.ris").write_text(other.replace("2020", "2003"), encoding="utf-8")
    assert run(tmp_path / "other.ris", "--to", directory).exit_code == 0


def test_one_paper_in_two_files_is_added_once_and_a_second_one_gets_an_id_of_its_own(
    directory: Path, tmp_path: Path
) -> None:
    second = "TY  - JOUR\nAU  - Doe, J\nTI  - Something entirely different\nPY  - 2019\nER  - \n"
    (tmp_path / "second.ris").write_text(second, encoding="utf-8")
    result = run(TRIAL, FILES / "crossref.json", tmp_path / "second.ris", "--to", directory)
    assert "2 documents written" in result.stderr
    assert added(directory, "doe-2019-b")[0].title == "Something entirely different"


def test_a_trial_that_is_recorded_is_not_made_again(directory: Path, tmp_path: Path) -> None:
    run(TRIAL, "--to", directory)
    text = TRIAL.read_text(encoding="utf-8")
    for old, new in (("999001", "999003"), ("synthetic.1", "synthetic.3"), ("PMC9990001", "PMC9990003")):
        text = text.replace(old, new)
    text = re.sub(r"TI  - .*\n {6}a test\.", "TI  - A later report.", text)
    (tmp_path / "later.nbib").write_text(text, encoding="utf-8")
    result = run(tmp_path / "later.nbib", "--to", directory)
    assert "is recorded as study doe-2019-study" in result.stderr
    assert added(directory, "doe-2019-b")[0].studies == ()


# --- odd files ----------------------------------------------------------------------------------------------------


def test_markup_in_titles_stays_and_what_cannot_be_read_is_named(directory: Path) -> None:
    result = run(FILES / "items.csl.json", "--to", directory)
    document, _ = added(directory, "van-gogh-2020")
    assert document.title == "On <i>E. coli</i> and CO<sub>2</sub> in rooms that do not exist"
    assert [entry.standing for entry in document.standing] == ["preprint"]
    assert (document.issued, document.url) == ("2020", None)
    for sentence in ("is a range, a season", "is no http or https address", "type, 'book', is no kind", "Work 4 is no"):
        assert sentence in result.stderr


def test_tex_in_titles_is_resolved(directory: Path) -> None:
    result = run(FILES / "references.bib", "--to", directory)
    document, _ = added(directory, "muller-2020")
    assert document.title == "On <i>E. coli</i> in Müller's CO<sub>2</sub> & other rooms"
    assert not document.authors_complete
    assert "The rest was read" in result.stderr


def test_a_type_without_a_kind_is_taken_as_the_caller_says(directory: Path) -> None:
    assert "'CONF', is no kind here" in run(FILES / "references.ris", "--to", directory).stderr
    run(FILES / "references.ris", "--to", directory, "--kind", "report")
    assert added(directory, "a-talk-that-nobody-2018")[0].kind == "report"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"hello", "is in no format"),
        (b"", "is in no format"),
        (b"{", "is no JSON"),
        (b'{"a": 1}', "no work of Crossref"),
        (b"<a>", "is no XML"),
        (b"<a/>", "holds no article of PubMed"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "defines entities"),
        (b"TY  - JOUR\nER  - ", "neither a title nor an identifier"),
        (b"TY  - JOUR\nTI  - x\nDO  - nonsense\n", "must be a DOI"),
        ("TY  - JOUR\nTI  - Größe\n".encode("cp1252"), "read as Windows-1252"),
        (b"TY  - JOUR\nTI  - x\nPY  - Apr-May 2019\n", "it was taken as 2019"),
        (b"TY  - JOUR\nTI  - " + b"long " * 200, "more than 500 characters"),
    ],
)
def test_an_odd_file_gets_a_plain_sentence(directory: Path, tmp_path: Path, raw: bytes, sentence: str) -> None:
    (tmp_path / "odd.txt").write_bytes(raw)
    assert sentence in run(tmp_path / "odd.txt", "--to", directory).stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_no_harm(directory: Path, tmp_path: Path, encoding: str) -> None:
    (tmp_path / "one.nbib").write_text(TRIAL.read_text(encoding="utf-8"), encoding=encoding)
    run(tmp_path / "one.nbib", "--to", directory)
    assert added(directory, "doe-2019")[0].label == "Doe 2019"


def test_values_that_yaml_could_misread_come_back_as_they_were(directory: Path, tmp_path: Path) -> None:
    values = {"VL": "007", "IS": "1:30", "T2": "yes", "TI": "null: #1 {a}, [b] & *c 'd' \"e\" %f", "PB": "1.50"}
    text = "TY  - JOUR\n" + "".join(f"{tag}  - {value}\n" for tag, value in values.items()) + "PY  - 2001\nAU  - No,\n"
    (tmp_path / "one.ris").write_text(text, encoding="utf-8")
    run(tmp_path / "one.ris", "--to", directory)
    document, _ = added(directory, "no-2001")
    read = (document.volume, document.issue, document.container_title, document.title, document.publisher)
    assert read == tuple(values.values())


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: re.sub(r"^(?=[- ])", "      ", text, flags=re.MULTILINE),
        lambda _: "# Nothing yet.\ndocuments: []\n# The end.\n",
        lambda _: "",
    ],
    ids=["Windows", "indented", "empty list", "empty file"],
)
def test_a_file_keeps_its_manner(tmp_path: Path, change: Callable[[str], str]) -> None:
    before = change("# One.\ndocuments:\n- id: one\n  kind: report\n  label: One\n# The end.\n")
    if before:
        (tmp_path / "documents.yaml").write_bytes(before.encode())
    run(FILES / "crossref.json", "--to", tmp_path)
    after = (tmp_path / "documents.yaml").read_bytes().decode()
    assert added(tmp_path, "doe-2019")[0].label == "Doe 2019"
    assert after.count("\n") == after.count("\r\n") or "\r" not in before
    first = [] if before else ["# yaml-language-server: $schema=schema/documents.json"]
    assert first + [line for line in before.splitlines() if line.startswith("#")] == [
        line for line in after.splitlines() if line.startswith("#")
    ]


def test_a_file_in_another_style_is_left_as_it_is(tmp_path: Path) -> None:
    flow = "documents: [{id: one, kind: report, label: One}]\n"
    (tmp_path / "documents.yaml").write_text(flow, encoding="utf-8")
    assert "nothing was written" in run(TRIAL, "--to", tmp_path).stderr
    assert (tmp_path / "documents.yaml").read_text(encoding="utf-8") == flow


@given(
    st.lists(st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=300), max_size=5)
)
@hypothesis_settings(max_examples=200, deadline=None)
def test_any_text_comes_back_from_yaml_as_it_was(texts: list[str]) -> None:
    values = [text.strip() for text in texts if text.strip()]
    document = DocumentWrite(
        id="one",
        kind=DocumentKind.report,
        label=values[0] if values else "One",
        note="\n".join(values) or None,
        authors=tuple(Author(family=value, given=value) for value in values),
    )
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "documents.yaml"
        path.write_text(file_text("documents", [record_text(short_form(document))]), encoding="utf-8")
        assert [change.content for change in bundle.read(Path(directory))] == [document]


def test_a_directory_with_faults_is_left_as_it_is(directory: Path) -> None:
    path = directory / "documents.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "nonsense: true\n", encoding="utf-8")
    before = path.read_bytes()
    assert run(TRIAL, "--to", directory).exit_code == 1
    assert path.read_bytes() == before


# --- the network --------------------------------------------------------------------------------------------------

Services = tuple[dict[str, tuple[int, bytes]], dict[str, str], list[str]]
"""Answers by the beginning of their address, settings of the command, and the addresses that were asked."""


@pytest.fixture
def services() -> Iterator[Services]:
    """A server in the shapes of Crossref, EFetch and the converter of identifiers."""
    answers: dict[str, tuple[int, bytes]] = {}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            fitting = (answer for begin, answer in answers.items() if self.path.startswith(begin))
            status, body = next(fitting, (404, b"Resource not found."))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/works/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        config = {"CROSSREF_URL": base, "PUBMED_URL": f"{base}/entrez", "PMC_IDS_URL": f"{base}/idconv"}
        yield answers, config, asked
        server.shutdown()


CROSSREF = "/works/10.5555%2Fsynthetic.1"
EFETCH = "/entrez/efetch.fcgi?db=pubmed&id=999001&retmode=xml"
IDS = {"pmid": 999001, "pmcid": "PMC9990001", "doi": "10.5555/synthetic.1", "requested-id": "PMC9990001"}


def known(answers: dict[str, tuple[int, bytes]]) -> None:
    answers[CROSSREF] = 200, (FILES / "crossref.json").read_bytes()
    answers[EFETCH] = 200, (FILES / "trial.xml").read_bytes()
    answers["/idconv/?ids="] = 200, json.dumps({"status": "ok", "records": [IDS]}).encode()


@pytest.mark.parametrize("name", ["https://doi.org/10.5555/Synthetic.1", "pmid:999001", "PMC9990001"])
def test_any_identifier_brings_what_both_services_state(directory: Path, services: Services, name: str) -> None:
    answers, config, _ = services
    known(answers)
    result = run(name, "--to", directory, **config)
    assert result.exit_code == 0, result.output
    document, (study,) = added(directory, "doe-2019")
    assert {entry.scheme.value: entry.value for entry in document.identifiers} == {
        "doi": "10.5555/synthetic.1",
        "pmid": "999001",
        "pmcid": "PMC9990001",
    }
    assert document.publisher == "Synthetic Press"
    assert [entry.standing for entry in document.standing] == ["retracted"]
    assert study.design == "randomized_trial_unspecified"


def test_one_source_is_better_than_none(directory: Path, services: Services) -> None:
    answers, config, _ = services
    known(answers)
    answers["/idconv/?ids="] = 503, b""
    result = run("10.5555/synthetic.1", "--to", directory, **config)
    assert "only one source was asked" in result.stderr
    assert added(directory, "doe-2019")[0].studies == ()


def test_two_sources_that_mean_different_papers_are_not_mixed(directory: Path, services: Services) -> None:
    answers, config, _ = services
    known(answers)
    answers[EFETCH] = 200, (FILES / "trial.xml").read_bytes().replace(b"10.5555/synthetic.1<", b"10.5555/other<")
    result = run("10.5555/synthetic.1", "--to", directory, **config)
    assert "pubmed gives another DOI, 10.5555/other; nothing was taken from it" in result.stderr
    document, studies = added(directory, "doe-2019")
    assert [entry.value for entry in document.identifiers] == ["10.5555/synthetic.1"]
    assert studies == []


def test_without_a_network_the_message_says_what_to_do(directory: Path) -> None:
    result = run("10.5555/synthetic.1", "--to", directory)
    assert result.exit_code == 1
    assert "cannot be reached from here" in result.stderr
    assert "/works/10.5555%2Fsynthetic.1 where there is a network, save what it shows" in result.stderr


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((404, b"Resource not found."), "Crossref knows no DOI 10.5555/synthetic.1"),
        ((429, b""), "answered 429"),
        ((500, b""), "answered 500"),
        ((302, b""), "answered 302"),
        ((200, b"<html>Please log in</html>"), "is no JSON"),
    ],
)
def test_an_answer_that_is_no_work_is_named(
    directory: Path, services: Services, answer: tuple[int, bytes], sentence: str
) -> None:
    answers, config, asked = services
    answers[CROSSREF] = answer
    result = run("10.5555/synthetic.1", "--to", directory, **config)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert len(asked) == 1  # no redirect is followed


def test_an_unknown_pmid_is_named(directory: Path, services: Services) -> None:
    answers, config, _ = services
    answers[EFETCH] = 200, b"<PubmedArticleSet></PubmedArticleSet>"
    assert "PubMed knows no PMID 999001" in run("pmid:999001", "--to", directory, **config).stderr


@pytest.mark.parametrize(
    ("source", "sentence"),
    [("999001", "For a PMID write pmid:NUMBER"), ("NCT01234567", "That is a trial"), ("nosuch.ris", "no such file")],
)
def test_what_names_no_document_gets_a_remedy(directory: Path, source: str, sentence: str) -> None:
    assert sentence in run(source, "--to", directory).stderr
