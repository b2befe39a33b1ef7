"""Makes the skeleton of a document, and of the study behind it, from what a source states; nothing is invented.

Fields that a study should have and the source does not state are null, with a comment for the curator.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from app.bibliography import markup
from app.concepts.study_designs import SHIPPED_DESIGNS
from app.core.errors import InvalidInput
from app.core.folding import words
from app.core.text import SLUG_LENGTH
from app.datasets import bundle
from app.datasets.edits import file_defaults, with_records
from app.datasets.layout import file_name, stem
from app.datasets.seed_text import NO_DEFAULTS, file_text, record_text, short_form, text_or_beginning
from app.datasets.source_formats import read_references
from app.datasets.source_formats.record import SourceFile, StatedSource
from app.datasets.source_services import SourceServices
from app.registry import BY_TYPE
from app.settings import Settings
from app.sources.identifiers import identify, normalise
from app.sources.schemas import DocumentStudy, DocumentWrite, Identifier, StudyWrite
from app.sources.vocabulary import (
    REGISTRIES,
    UNRECORDED_DESIGN,
    DocumentKind,
    EvidenceSource,
    Recruitment,
    StudyRole,
)

MAX_FILE_BYTES = 50_000_000
MIN_TITLE_LIKENESS = 93
"""Per cent of likeness from which on two titles of four words and more are nearly the same."""
DESIGNS = {
    "Meta-Analysis": "meta_analysis",
    "Network Meta-Analysis": "meta_analysis",
    "Systematic Review": "systematic_review",
    "Scoping Review": "scoping_review",
    "Randomized Controlled Trial": "randomized_trial_unspecified",
}
"""Publication types of PubMed that state a design, the most telling first."""
STUDY_TYPES = frozenset({
    "Clinical Trial", "Clinical Trial, Phase I", "Clinical Trial, Phase II", "Clinical Trial, Phase III",
    "Clinical Trial, Phase IV", "Clinical Trial Protocol", "Controlled Clinical Trial", "Pragmatic Clinical Trial",
    "Adaptive Clinical Trial", "Equivalence Trial", "Observational Study", "Case Reports", "Clinical Study",
    "Comparative Study", "Multicenter Study", "Twin Study", "Validation Study", "Evaluation Study",
})  # fmt: skip
"""Further publication types that make a study, without saying which design."""
_SHOULD_HAVE = (
    "population", "participants", "planned", "analysed", "comparator", "blinding", "duration", "recruitment", "results",
)  # fmt: skip
_NOT_STATED = "not stated by the source"


@dataclass
class SourceSkeleton:
    """The records made from one source record, with comments for the curator."""

    document: DocumentWrite
    study: StudyWrite | None
    document_comments: Mapping[str, str]
    study_comments: Mapping[str, str]

    def text_of(self, record_type: str, defaults: Mapping[str, Any] = NO_DEFAULTS) -> str | None:
        """The document or the study as YAML for a file that has such defaults; null where no study was made."""
        if record_type == "document":
            return record_text(short_form(self.document, defaults), self.document_comments)
        if self.study is None:
            return None
        fields = short_form(self.study, defaults) | dict.fromkeys(_gaps(self.study))
        return record_text(fields, self.study_comments)


@dataclass
class AddedSources:
    """What was made, and what a curator must know."""

    skeletons: list[SourceSkeleton] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Both files, as far as there is something to write in them."""
        records = {stem(BY_TYPE[name]): self.records(name) for name in ("document", "study")}
        return "\n".join(file_text(name, texts) for name, texts in records.items() if texts)

    def records(self, record_type: str, defaults: Mapping[str, Any] = NO_DEFAULTS) -> list[str]:
        """The documents or the studies as YAML."""
        return [text for one in self.skeletons if (text := one.text_of(record_type, defaults))]


def read_source(source: str, config: Settings) -> SourceFile:
    """The records in a file, or what the network knows of a DOI, PMID or PMCID."""
    path = Path(source)
    if path.is_file():
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InvalidInput(f"{path.name} has more than {MAX_FILE_BYTES // 1_000_000} MB; split it.", errors=[])
        return read_references(path.read_bytes(), path.name)
    found = identify(source)
    if found is None:
        hint = "For a PMID write pmid:NUMBER." if source.strip().isdigit() else "Check its spelling."
        raise InvalidInput(f"There is no such file, and it is no DOI, PMID or PMCID. {hint}", errors=[])
    if found[0] in REGISTRIES:
        raise InvalidInput("That is a trial. Name a document: a DOI, a PMID, a PMCID or a file.", errors=[])
    return SourceServices(config).look_up(*found)


def add_sources(
    files: Iterable[SourceFile], directories: Sequence[Path], kind: DocumentKind | None = None
) -> AddedSources:
    """Skeletons of what the directories do not have yet. `kind` is for records whose type is unknown."""
    changes = bundle.read(*directories)
    documents = [change.content for change in changes if isinstance(change.content, DocumentWrite)]
    studies = [change.content for change in changes if isinstance(change.content, StudyWrite)]
    result = AddedSources()
    for file in files:
        result.notes += file.doubts
        for record in file.records:
            result.notes += record.doubts
            if duplicate := _duplicate(record, documents):
                result.notes.append(duplicate)
                continue
            if "title" not in record.fields and not record.identifiers:
                result.notes.append(f"{record.at}: has neither a title nor an identifier; it was left out.")
                continue
            record.kind = record.kind or kind
            if record.kind is None:
                result.notes.append(_unknown_kind(record))
                continue
            skeleton = _skeleton(record, documents, studies, result.notes)
            result.skeletons.append(skeleton)
            documents.append(skeleton.document)
            studies += [skeleton.study] if skeleton.study else []
    return result


def append(result: AddedSources, directory: Path, directories: Sequence[Path]) -> list[str]:
    """Write the skeletons behind the records of the directory's files; the names of the files.

    Nothing is written unless `directories`, of which it is one, are without fault afterwards.
    """
    texts = {}
    for record_type in ("document", "study"):
        path = directory / file_name(BY_TYPE[record_type])
        before = text_or_beginning(path, path.stem)
        if records := result.records(record_type, file_defaults(before, path.stem)):
            texts[path] = with_records(before, path.stem, records)
    bundle.write_checked(directories, texts)
    return [path.name for path in texts]


# --- duplicates ---------------------------------------------------------------------------------------------------


def _duplicate(record: StatedSource, documents: Sequence[DocumentWrite]) -> str | None:
    """A sentence that names the document which the record is, or seems to be; null if there is none."""
    title, year = _title_key(record.fields.get("title")), (record.fields.get("issued") or "")[:4]
    for document in documents:
        theirs = {entry.scheme: normalise(entry.scheme, entry.value) for entry in document.identifiers}
        for scheme, normal in record.identifiers.items():
            if theirs.get(scheme) == normal:
                more = [f"{other.label} {text}" for other, text in record.identifiers.items() if other not in theirs]
                beyond = f" The source also states {', '.join(more)}." if more else ""
                return f"{record.at}: is recorded as {document.id} ({scheme.label} {normal}).{beyond}"
    for document in documents:
        other_year = (document.issued or "")[:4]
        is_near = not year or not other_year or abs(int(year) - int(other_year)) <= 1
        likeness = fuzz.ratio(title, _title_key(document.title)) if title and is_near else 0
        if likeness >= MIN_TITLE_LIKENESS and title.count(" ") >= 3:
            return (
                f"{record.at}: seems to be {document.id}, which has nearly the same title and year; it was left out. "
                "If it is another document, copy its skeleton from a run without --to, against an empty directory."
            )
    return None


@lru_cache(maxsize=100_000)
def _title_key(title: str | None) -> str:
    return " ".join(words(markup.plain(markup.marked(title)))) if title else ""


def _unknown_kind(record: StatedSource) -> str:
    kinds = ", ".join(kind.value for kind in DocumentKind)
    what = f"its type, {record.type_text!r}, is no kind here" if record.type_text else "it states no type"
    return f"{record.at}: {what}; it was left out. Say what such records are: --kind, one of {kinds}."


# --- skeletons ----------------------------------------------------------------------------------------------------


def _skeleton(
    record: StatedSource, documents: Sequence[DocumentWrite], studies: Sequence[StudyWrite], notes: list[str]
) -> SourceSkeleton:
    label = _label(record)
    document_id = _free_id(label, {document.id for document in documents})
    study, comments = _study(record, document_id, label, studies, notes)
    role = _role(record, study) if study else None
    document = DocumentWrite(
        id=document_id,
        kind=record.kind or DocumentKind.article_journal,
        label=label,
        authors=tuple(record.authors),
        authors_complete=record.authors_complete,
        identifiers=tuple(Identifier(scheme=scheme, value=text) for scheme, text in record.identifiers.items()),
        studies=(DocumentStudy(study=study.id, role=role),) if study and role else (),
        **({"standing": tuple(sorted(record.standing, key=lambda e: e.on or ""))} if record.standing else {}),
        **record.fields,
    )
    missing = [name for name in ("title", "authors", "container_title", "issued") if not getattr(document, name)]
    if missing:
        notes.append(f"{record.at}: {', '.join(missing)}: {_NOT_STATED}.")
    hint = {"studies": "primary, unless it is a further report of a study recorded before"}
    return SourceSkeleton(document, study, hint if role is StudyRole.primary else {}, comments)


def _label(record: StatedSource) -> str:
    year = (record.fields.get("issued") or "")[:4]
    first = record.authors[0] if record.authors else None
    name = (first.family or first.literal or "") if first else ""
    name = name or " ".join((record.fields.get("title") or record.at).split()[:4])
    return f"{name[:200]} {year}".strip()


def _free_id(label: str, taken: set[str]) -> str:
    """An id made from the label, with a letter behind it where others have it already."""
    base = "-".join(words(label))[: SLUG_LENGTH - 12].strip("-") or "source"
    letters = ("", *(f"-{letter}" for letter in "bcdefghijklmnopqrstuvwxyz"), *(f"-{n}" for n in range(27, 10_000)))
    return next(f"{base}{letter}" for letter in letters if f"{base}{letter}" not in taken)


def _study(
    record: StatedSource, document_id: str, label: str, studies: Sequence[StudyWrite], notes: list[str]
) -> tuple[StudyWrite | None, dict[str, str]]:
    """The study that the publication types speak of, and comments for its fields; null where they speak of none."""
    types = record.publication_types
    stated = next((kind for kind in DESIGNS if kind in types), None)
    kind = stated or next((kind for kind in types if kind in STUDY_TYPES), None)
    if kind is None:
        if "Review" in types:
            notes.append(f"{record.at}: is a review of a kind that PubMed does not state; add its study by hand.")
        return None, {}
    design = DESIGNS[stated] if stated else UNRECORDED_DESIGN
    registered = () if _is_review(design) else tuple(record.registrations)
    recorded = {
        (entry.scheme, normalise(entry.scheme, entry.value)): study.id
        for study in studies
        for entry in study.registry_ids
    }
    for registration in registered:
        if registration in recorded:
            notes.append(
                f"{record.at}: its trial, {registration[1]}, is recorded as study {recorded[registration]}; "
                "link the document to it by hand, as a primary or a secondary report."
            )
            return None, {}
    human, animal = "humans" in record.subjects, "animals" in record.subjects
    source = EvidenceSource.human_clinical if human and not animal else EvidenceSource.other
    study = StudyWrite(
        id=_free_id(f"{document_id} {'review' if _is_review(design) else 'study'}", {study.id for study in studies}),
        name=f"{kind} ({label})",
        design=design,
        evidence_source=EvidenceSource.animal if animal and not human else source,
        registry_ids=tuple(Identifier(scheme=scheme, value=number) for scheme, number in registered),
        recruitment=Recruitment.protocol if kind == "Clinical Trial Protocol" else None,
    )
    comments = {
        "design": f"PubMed says: {', '.join(sorted(types))}",
        "evidence_source": "by the headings of PubMed" if study.evidence_source is not EvidenceSource.other
        else _NOT_STATED,
    }  # fmt: skip
    return study, comments | dict.fromkeys(_gaps(study), _NOT_STATED)


def _is_review(design: str) -> bool:
    return SHIPPED_DESIGNS.design(design).is_review


def _gaps(study: StudyWrite) -> list[str]:
    names = ("population", "includes") if _is_review(study.design) else _SHOULD_HAVE
    return [name for name in names if getattr(study, name) is None]


def _role(record: StatedSource, study: StudyWrite) -> StudyRole:
    if _is_review(study.design):
        return StudyRole.review
    return StudyRole.protocol if "Clinical Trial Protocol" in record.publication_types else StudyRole.primary
