"""What foreign corpora have in common: statements with evidence items become claims with citations and documents.

Nothing is guessed. What the model here has no place for, or asks for and a corpus does not state, is counted with its
reason and the first places where it stands.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.claims.rules import MAX_QUOTE_WORDS, MAX_QUOTES
from app.claims.schemas import CitationWrite, ClaimWrite
from app.claims.vocabulary import Kind, SubgroupBasis
from app.concepts.schemas import ConditionWrite, InterventionWrite, MechanismWrite
from app.core.content import Record
from app.core.errors import InvalidInput
from app.core.folding import words
from app.datasets import bundle
from app.datasets.layout import file_name
from app.datasets.seed_text import file_text, record_text, short_form
from app.publishing.changes import content_violations
from app.registry import BY_TYPE, RESOURCES
from app.sources.identifiers import normal_or_none
from app.sources.schemas import DocumentWrite
from app.sources.vocabulary import REGISTRIES, DocumentKind, IdentifierScheme
from app.storage.resource import Key

MAX_EXAMPLES = 3
MAX_QUOTE = 300
MAX_FINDING = 4000
_PLACE = re.compile(r"(?:\[\d+\]|\.(?:title|value))+")


class Side(Enum):
    """Where an evidence item stands in its own corpus."""

    supports = "supports"
    partially = "partially"
    """Supports a part of it."""
    against = "against"
    other = "other"


_SUPPORTING = (Side.supports, Side.partially)


@dataclass(frozen=True)
class CorpusReference:
    """The document that an evidence item names."""

    scheme: IdentifierScheme
    identifier: str
    """In normal form."""
    label: str
    title: str | None = None
    issued: str | None = None


@dataclass(frozen=True)
class CorpusItem:
    """One evidence item of a corpus."""

    at: str
    """Where it stands, such as `EID12`."""
    reference: CorpusReference
    side: Side
    direction: str
    """As the corpus words it."""
    text: str | None
    """What its curators wrote of the finding."""
    snippet: str | None = None
    """Verbatim from the document."""
    strength: str | None = None
    """How strong it is by the corpus's own scale."""


@dataclass
class CorpusStatement:
    """What a corpus states, with its evidence items; concepts are records that were accepted before."""

    key: str
    """Tells it from all others of its corpus, and never changes."""
    kind: Kind
    text: str
    condition: str | None = None
    intervention: str | None = None
    mechanism: str | None = None
    subgroup: dict[str, Any] | None = None
    """Of a claim: whom alone it is about."""
    items: list[CorpusItem] = field(default_factory=list)


class CorpusImport:
    """Collects the records of a corpus, and counts what cannot be expressed."""

    strength_scale: str | None = None
    """The name of the corpus's own scale of strength."""

    def __init__(self, corpus: str, therapy_kind: str | None = None) -> None:
        self.corpus = corpus
        """Its name, as texts say it."""
        self.therapy_kind = therapy_kind
        self.records: dict[Key, Record] = {}
        self.left_out: dict[str, list[str]] = {}
        """The places by reason."""
        self._statements: dict[str, CorpusStatement] = {}

    def leave_out(self, reason: str, at: str) -> None:
        self.left_out.setdefault(reason, []).append(at)

    def state(self, statement: CorpusStatement) -> None:
        """Take a statement; one that was made before gains the items of this one."""
        known = self._statements.setdefault(statement.key, statement)
        if known is not statement and known.text == statement.text:
            known.items += statement.items
        elif known is not statement:
            for item in statement.items:
                self.leave_out("stands on a second entry of that name with another text", item.at)

    def concept(
        self, make: type[ConditionWrite | MechanismWrite | InterventionWrite], key: str, at: str, **fields: Any
    ) -> str | None:
        """The id of the concept with that key, which is made where it is new; null if the model refuses it."""
        record_type = {ConditionWrite: "condition", MechanismWrite: "mechanism", InterventionWrite: "intervention"}[
            make
        ]
        concept_id = _id(fields["name"], key)
        if Key(record_type, concept_id) in self.records:
            return concept_id
        return concept_id if self._accept(record_type, at, lambda: make(id=concept_id, **fields)) else None

    def therapy(self, name: str, at: str) -> str | None:
        """The id of a therapy as an intervention; null where nobody said what sort of intervention therapies are."""
        if self.therapy_kind is None:
            reason = (
                "names a therapy; whether it is a drug, a class or a regimen is not stated (--therapy-kind says it)"
            )
            self.leave_out(reason, at)
            return None
        description = f"A therapy as {self.corpus} names it."
        return self.concept(
            InterventionWrite, name.lower(), at, name=name, kind=self.therapy_kind, description=description
        )

    def finish(self) -> None:
        """Make claims, citations and documents of the statements."""
        for statement in self._statements.values():
            self._claim(statement)
        named = {key for key in self.records if key.type == "claim"}
        for key in tuple(named):
            named |= {reference.key for reference in BY_TYPE["claim"].references(self.records[key])}
        self.records = {key: record for key, record in self.records.items() if key in named}

    def write(self, directory: Path) -> None:
        """The seed files in a directory that must be new or empty, once `bundle.read` has accepted them."""
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise InvalidInput("The directory for the result must be new or empty.", errors=[])
        with tempfile.TemporaryDirectory() as temporary:
            trial = Path(temporary) / "seed"
            trial.mkdir()
            for name, text in self.files():
                (trial / name).write_text(text, encoding="utf-8")
            bundle.read(trial)
            shutil.copytree(trial, directory, dirs_exist_ok=True)

    def files(self) -> Iterator[tuple[str, str]]:
        """Name and text of every seed file."""
        comment = f"Made from {self.corpus} by `ldn-evidence import-corpus`; what was checked by nobody is unverified."
        for resource in RESOURCES:
            texts = [
                record_text(short_form(record)) for key, record in self.records.items() if key.type == resource.type
            ]
            if texts and resource.part_of is None:
                name = file_name(resource)
                yield name, file_text(name.removesuffix(".yaml"), texts, comment)

    def counts(self) -> dict[str, int]:
        """How many records of each type were made, citations among them."""
        counts: dict[str, int] = {}
        for key, record in self.records.items():
            plural = BY_TYPE[key.type].plural
            counts[plural] = counts.get(plural, 0) + 1
            if isinstance(record, ClaimWrite):
                counts["citations"] = counts.get("citations", 0) + len(record.citations)
        return counts

    def report(self) -> Iterator[str]:
        """A line for each reason, the most frequent first."""
        for reason, places in sorted(self.left_out.items(), key=lambda entry: (-len(entry[1]), entry[0])):
            more = ", …" if len(places) > MAX_EXAMPLES else ""
            yield f"{len(places)} times: {reason} ({', '.join(places[:MAX_EXAMPLES])}{more})"

    def _claim(self, statement: CorpusStatement) -> None:
        claim_id = _id(statement.text.removeprefix(f"{self.corpus} lists "), f"{self.corpus} {statement.key}")
        against = sum(item.side is Side.against for item in statement.items)
        supporting = sum(item.side in _SUPPORTING for item in statement.items)
        citations = list(self._citations(claim_id, statement, takes_sides=not against))
        if not citations:
            self.leave_out("is left without a citation", statement.items[0].at)
            return
        caveat = (
            f"Of the evidence items of {self.corpus} on this, {against} speak against it and {supporting} for it. It "
            "does not state the reasons that this data set asks for, so no side is counted; each finding names its own."
        )
        self._accept(
            "claim",
            statement.items[0].at,
            lambda: ClaimWrite.model_validate(
                {
                    "id": claim_id,
                    "kind": statement.kind,
                    "form": "attribution",
                    "statement": statement.text,
                    "effect": "not_applicable",
                    "intervention": statement.intervention,
                    "conditions": [statement.condition] if statement.condition else [],
                    "mechanisms": [statement.mechanism] if statement.mechanism else [],
                    "subgroup": statement.subgroup,
                    "caveat": caveat if against else None,
                    "caveat_required": bool(against),
                    "citations": citations,
                }
            ),
        )

    def _citations(self, claim_id: str, statement: CorpusStatement, *, takes_sides: bool) -> Iterator[CitationWrite]:
        """One for each document: what several items say of it stands in one finding."""
        by_document: dict[str, list[CorpusItem]] = {}
        for item in statement.items:
            if document := self._document(item):
                by_document.setdefault(document, []).append(item)
        for document, items in by_document.items():
            supports = takes_sides and all(item.side in _SUPPORTING and item.text for item in items)
            partial = [item for item in items if item.side is Side.partially] if supports else []
            for item in items:
                self._count_direction(item, supports=supports, takes_sides=takes_sides)
            yield CitationWrite.model_validate(
                {
                    "id": _id(f"cit {document}", f"{claim_id} {document}"),
                    "document": document,
                    "stance": "supports" if supports else "not_assessed",
                    "directness": "unknown",
                    "role": "background",
                    "finding": self._finding(items),
                    "extent": "partially" if partial else None,
                    "extent_note": self._finding(partial) if partial else None,
                    "strength": self._strength(items, takes_a_side=supports),
                    "quotes": [{"text": quote} for quote in self._quotes(items)],
                    "verification": {"result": "unverified"},
                }
            )

    def _count_direction(self, item: CorpusItem, *, supports: bool, takes_sides: bool) -> None:
        if item.side is Side.against:
            reason = "speaks against the statement; our `disputes` asks for a reason, which is not stated"
        elif item.side is Side.other:
            reason = f"has the direction {item.direction!r}, which is no stance here"
        elif not takes_sides:
            reason = "supports a statement that another item speaks against; neither side is taken"
        elif not item.text:
            reason = "supports without a text; our `supports` asks for a finding"
        elif not supports:
            reason = "supports, but another item on the same document does not"
        else:
            return
        self.leave_out(f"{reason}: its citation is `not_assessed`", item.at)

    def _finding(self, items: Iterable[CorpusItem]) -> str:
        """What the corpus says, with its direction, item by item as far as it fits."""
        finding = ""
        for item in items:
            text = f"{self.corpus}, {item.direction}: {item.text or 'no text.'}"
            if len(finding) + len(text) < MAX_FINDING:
                finding = f"{finding} {text}".strip()
            else:
                self.leave_out(f"has a text that makes its finding longer than {MAX_FINDING} characters", item.at)
        return finding or f"{self.corpus}, no text."

    def _strength(self, items: Sequence[CorpusItem], *, takes_a_side: bool) -> dict[str, str] | None:
        """What all items on the document agree on, by the corpus's own scale."""
        values = {item.strength for item in items}
        value = items[0].strength if takes_a_side and len(values) == 1 else None
        for item in items:
            if item.strength and value is None:
                reason = "items on one document differ in it" if takes_a_side else "its citation takes no side"
                self.leave_out(f"has a strength by the corpus's own scale, but {reason}", item.at)
        return {"value": value, "scale": self.strength_scale} if value and self.strength_scale else None

    def _quotes(self, items: Iterable[CorpusItem]) -> list[str]:
        """The first snippets that are short enough to be quoted."""
        quotes: list[str] = []
        for item in items:
            if not item.snippet or item.snippet in quotes:
                continue
            if len(item.snippet.split()) > MAX_QUOTE_WORDS or len(item.snippet) > MAX_QUOTE:
                reason = (
                    f"quotes more than {MAX_QUOTE_WORDS} words or {MAX_QUOTE} characters; the quotation was left out"
                )
                self.leave_out(reason, item.at)
            elif len(quotes) == MAX_QUOTES:
                reason = f"is a quotation beyond the first {MAX_QUOTES} from one document for one statement"
                self.leave_out(reason, item.at)
            else:
                quotes.append(item.snippet)
        return quotes

    def _document(self, item: CorpusItem) -> str | None:
        reference = item.reference
        prefix = "pmid " if reference.scheme is IdentifierScheme.pmid else ""
        document_id = _id(f"{prefix}{reference.identifier}", reference.identifier, is_whole=True)
        known = self.records.get(Key("document", document_id))
        if isinstance(known, DocumentWrite):
            if reference.title and known.title != reference.title:
                self.leave_out("gives another title of a document than the item before it", item.at)
            return document_id
        is_registration = reference.scheme in REGISTRIES
        fields = {
            "id": document_id,
            "kind": DocumentKind.dataset if is_registration else DocumentKind.article_journal,
            "label": reference.label,
            "title": reference.title,
            "issued": reference.issued,
            "identifiers": [{"scheme": reference.scheme, "value": reference.identifier}],
            "unverified_fields": () if is_registration else ("kind",),
        }
        accepted = self._accept("document", item.at, lambda: DocumentWrite.model_validate(fields))
        return document_id if accepted else None

    def _accept(self, record_type: str, at: str, make: Callable[[], Record]) -> bool:
        """Keep a record that the model accepts; count why it refuses another."""
        try:
            content = make()
            faults = [f"{name} {reason}" for name, reason in content_violations(BY_TYPE[record_type], content)]
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False, include_context=False)
            faults = [f"{'.'.join(map(str, detail['loc']))} {detail['msg']}" for detail in details]
        if faults:
            self.leave_out(f"is refused as a {record_type}: {_PLACE.sub('', faults[0])}", at)
            return False
        self.records[Key(record_type, content.id)] = content
        return True


def reference_of(
    scheme: IdentifierScheme, identifier: str, label: str | None = None, **fields: str | None
) -> CorpusReference | None:
    """The reference with its identifier in normal form; null if it cannot be read."""
    normal = normal_or_none(scheme, identifier)
    if normal is None:
        return None
    return CorpusReference(scheme, normal, label or f"{scheme.label} {normal}", **fields)


def subgroup_of(label: str, key: str, basis: SubgroupBasis) -> dict[str, Any]:
    """A subgroup as a field of a claim; the same key always gives the same id."""
    return {"id": _id(label, key), "label": label, "basis": basis}


def _id(text: str, key: str, *, is_whole: bool = False) -> str:
    """An id that is the same whenever the corpus is read: words of the text, and a digest of the key.

    An identifier that fits `is_whole` without its digest.
    """
    slug = "-".join(words(text))
    if is_whole and len(slug) <= 48 and key.isalnum():
        return slug
    return f"{slug[:40].strip('-')}-{blake2b(key.encode(), digest_size=5).hexdigest()}".strip("-")
