"""Recognises drugs by id, code or text. All interfaces ask here.

Codes come first. Text is folded (`app.core.folding`), and the longest names in it count, as whole words: not
inside a longer one. Strengths, salts and forms beside a name are put aside. A name that is only mentioned (`free of`,
`allergy`) is not taken, and neither is a name that is merely similar: those are offered as `near`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from app.concepts.code_systems import NDC, RXNORM, SHIPPED_SYSTEMS, CodeSystems
from app.concepts.product_words import PRODUCT_WORDS
from app.concepts.queries import ancestors
from app.concepts.schemas import ConceptRef
from app.concepts.vocabulary import DRUG_CLASS, REGIMEN, CodeRelation, InterventionKind
from app.core.errors import nearest
from app.core.folding import fold
from app.core.vocabulary import Term

MAX_NEAR = 5
MIN_SPELLING = 5
"""Letters of a name that is recognised in the spelling of other languages, or in one word with a salt or form."""
MAX_COMPARED = 20
"""Words of a text for which similar names are looked for."""
_MAX_COMPARED_LENGTH = 60
_MAX_REMEMBERED = 4096
MAX_WORDS_BETWEEN = 3
"""Words between a phrase such as `allergic to` and the drugs that it speaks of."""

_WORD = re.compile(r"[0-9a-z]+")
_END = re.compile(r"[.;](?:\s|$)|[()\[\]]")
"""Ends what a phrase such as `not with` speaks of."""
_CODE = re.compile(r"\s*(\S.*?)\s*[|]\s*(\S+)\s*|\s*(\S.*?)\s*:\s*([^:\s]+)\s*|\s*(\S+)\s+([A-Za-z]*[0-9]\S*)\s*")
"""`system|code`, `system:code`, or `system code`."""


class MatchedBy(Term):
    """By what a drug was recognized."""

    id_ = "id", "The record's id."
    code = "code", "A code that the record carries, or a code within one that it carries."
    name_ = "name", "The record's name."
    synonym = "synonym", "Another name of it: of a product, of a salt, in another language."
    spelling = "spelling", "Its international name as another language spells it, or in one word with a salt or form."


class Confidence(Term):
    """How sure a recognition is. What is merely similar is never recognized."""

    certain = "certain", "An id, a code of the drug, or a name with nothing beside it but strength, salt and form."
    probable = "probable", "A name beside words that were not understood, or a code of a group of drugs."


class UnrecognizedReason(Term):
    """Why a drug was not recognized."""

    unknown_id = "unknown_id", "Unknown id", "No intervention has this id."
    retired_id = "retired_id", "Retired id", "The intervention with this id was retired."
    unknown_system = "unknown_system", "Unknown code system", "The code names a system that is not known here."
    unknown_code = "unknown_code", "Unknown code", "No drug here carries this code, which does not say that it is safe."
    unknown_name = "unknown_name", "Unknown name", "No drug here has this name."
    only_mentioned = "only_mentioned", "A drug is mentioned, but not as the one that is taken, as in an allergy."
    not_a_drug = "not_a_drug", "Not a drug", "The text names a test or a supply."


@dataclass(frozen=True)
class DrugRecord:
    """An intervention as the index holds it."""

    pk: int
    id: str
    name: str
    kind: InterventionKind

    @property
    def ref(self) -> ConceptRef:
        return ConceptRef(id=self.id, name=self.name)


@dataclass(frozen=True)
class Recognition:
    """What an id, a code or a text was recognized as."""

    drugs: tuple[DrugRecord, ...] = ()
    """Several for a product of several known drugs; empty if nothing was recognized."""
    matched_by: MatchedBy | None = None
    confidence: Confidence | None = None
    relation: CodeRelation | None = None
    """Of the code to the record."""
    near: tuple[DrugRecord, ...] = ()
    """Drugs that may be meant, where none was recognized."""
    reason: UnrecognizedReason | None = None
    """Why none was recognized."""
    mentioned: tuple[DrugRecord, ...] = ()
    """Further drugs that the text names, apart from the product."""
    unread: tuple[str, ...] = ()
    """Folded words of the text that say something, but were not understood."""


@dataclass(frozen=True)
class _Mention:
    """A name in a text, by the positions of its words."""

    first: int
    last: int
    drugs: tuple[DrugRecord, ...]
    matched_by: MatchedBy


class DrugName(NamedTuple):
    """A name as it is written."""

    folded: str
    text: str
    drug: DrugRecord
    matched_by: MatchedBy


@dataclass
class DrugIndex:
    """The published interventions of one serial by their ids, codes and names."""

    records: dict[int, DrugRecord] = field(default_factory=dict)
    """Retired ones included: a claim may still name one."""
    ids: dict[str, int] = field(default_factory=dict)
    successors: dict[str, str | None] = field(default_factory=dict)
    codes: dict[tuple[str, str], list[tuple[int, CodeRelation]]] = field(default_factory=dict)
    names: dict[tuple[str, ...], dict[int, MatchedBy]] = field(default_factory=dict)
    spellings: dict[str, set[int]] = field(default_factory=dict)
    members: dict[int, list[int]] = field(default_factory=dict)
    """Class → its members and narrower classes; drug → its dose regimens."""
    written: list[DrugName] = field(default_factory=list)
    classes: dict[int, list[int]] = field(default_factory=dict)
    """Drug → its classes; class → the wider one."""
    class_names: dict[int, list[str]] = field(default_factory=dict)
    drugs: dict[int, int] = field(default_factory=dict)
    """Dose regimen → its drug."""
    systems: CodeSystems = SHIPPED_SYSTEMS
    """The code systems that are known."""

    # --- what is asked --------------------------------------------------------------------------------------------

    def by_id(self, record_id: str) -> Recognition:
        """The intervention with the id; the successor of a retired one is offered."""
        if record_id in self.ids:
            return Recognition((self.records[self.ids[record_id]],), MatchedBy.id_, Confidence.certain)
        if record_id in self.successors:
            successor = self.ids.get(self.successors[record_id] or "")
            offered = (self.records[successor],) if successor is not None else ()
            return Recognition(near=offered, reason=UnrecognizedReason.retired_id)
        recognised = self.by_text(record_id)
        near = recognised.drugs or recognised.near
        near = near or tuple(self.records[self.ids[one]] for one in nearest(record_id, sorted(self.ids)))
        return Recognition(near=near[:MAX_NEAR], reason=UnrecognizedReason.unknown_id)

    def by_code(self, text: str) -> Recognition:
        """What carries a `system:code`, else the nearest wider code; a system may be named as people write it."""
        code = self._as_code(text)
        return self.by_coding(*code) if code else Recognition(reason=UnrecognizedReason.unknown_system)

    def by_coding(self, system: str, code: str) -> Recognition:
        """What carries the code, else the nearest wider code."""
        normal = self.systems.normal(system, code)
        if system == RXNORM:
            normal = normal.lstrip("0")
        for candidate in ancestors(system, normal):
            carriers = self.codes.get((system, candidate))
            if not carriers:
                continue
            drugs = self._in_order(pk for pk, relation in carriers if relation is carriers[0][1])
            is_group = candidate != normal and system != NDC
            is_group = is_group or any(drug.kind == DRUG_CLASS for drug in drugs)
            relation = CodeRelation.narrow if candidate != normal else carriers[0][1]
            confidence = Confidence.probable if is_group else Confidence.certain
            return Recognition(drugs, MatchedBy.code, confidence, relation)
        return Recognition(reason=UnrecognizedReason.unknown_code)

    def by_text(self, text: str, *, suggest: bool = True) -> Recognition:
        """The drugs of a product that a text names; `system:code` is read as a code.

        `suggest` looks for drugs with similar names where none was recognized, which takes most of the time then.
        """
        if code := self._as_code(text):
            return self.by_coding(*code)
        recognised = _TextReader(self, fold(text)).recognition()
        if suggest and recognised.reason is UnrecognizedReason.unknown_name:
            return replace(recognised, near=self.similar(recognised.unread))
        return recognised

    def expand(self, ids: Iterable[str]) -> frozenset[str]:
        """The ids of the interventions, of the members of classes, and of the dose regimens of drugs."""
        pending = [self.ids[one] for one in ids if one in self.ids]
        found: set[int] = set()
        while pending:
            pk = pending.pop()
            if pk not in found:
                found.add(pk)
                pending += self.members.get(pk, ())
        return frozenset(self.records[pk].id for pk in found)

    def names_starting_with(self, start: str) -> list[DrugName]:
        """Names of which some word starts with a folded text, those that begin with it first."""
        found = [name for name in self.written if f" {start}" in f" {name.folded}"]
        return sorted(found, key=lambda name: (not name.folded.startswith(start), name.folded, name.drug.id))

    def drug_of(self, record: DrugRecord) -> DrugRecord:
        """The drug of a dose regimen; any other record itself."""
        pk = self.drugs.get(record.pk) if record.kind == REGIMEN else None
        return record if pk is None else self.records[pk]

    def names_of_classes(self, record: DrugRecord) -> list[str]:
        """The names of the classes of a drug, and of wider ones: what is said of a class is said of its members."""
        pending, names = list(self.classes.get(record.pk, ())), list[str]()
        for class_pk in pending:  # grows while it is read
            names += [name for name in self.class_names.get(class_pk, ()) if name not in names]
            pending += [one for one in self.classes.get(class_pk, ()) if one not in pending]
        return names

    # --- names ----------------------------------------------------------------------------------------------------

    @cached_property
    def lengths(self) -> dict[str, tuple[int, ...]]:
        """First word of names → their numbers of words, the largest first."""
        lengths: dict[str, set[int]] = {}
        for name in self.names:
            lengths.setdefault(name[0], set()).add(len(name))
        return {word: tuple(sorted(found, reverse=True)) for word, found in lengths.items()}

    @cached_property
    def single_words(self) -> list[str]:
        """Names of one word, to which slips are compared."""
        return sorted(name[0] for name in self.names if len(name) == 1 and len(name[0]) >= MIN_SPELLING)

    def named(self, phrase: tuple[str, ...]) -> tuple[tuple[DrugRecord, ...], MatchedBy] | None:
        """The drugs with exactly this name; a drug goes before a class of the same name."""
        carriers = self.names.get(phrase)
        if not carriers:
            return None
        drugs = self._in_order(carriers)
        if any(drug.kind != DRUG_CLASS for drug in drugs):
            drugs = tuple(drug for drug in drugs if drug.kind != DRUG_CLASS)
        ways = {carriers[drug.pk] for drug in drugs}
        return drugs, MatchedBy.name_ if ways == {MatchedBy.name_} else MatchedBy.synonym

    def spelled(self, word: str) -> tuple[DrugRecord, ...]:
        """The drug whose international name this is in another language, or in one word with a salt or form."""
        for part in (word, *_without_endings(word)):
            if part != word and (carriers := self.names.get((part,))):
                drugs = self._in_order(carriers)
            elif len(part) >= MIN_SPELLING and (pks := self.spellings.get(spelling_key(part))):
                drugs = self._in_order(pks)
            else:
                continue
            if len(drugs) == 1:
                return drugs
        return ()

    def similar(self, unread: Sequence[str]) -> tuple[DrugRecord, ...]:
        """Drugs whose names differ by a slip or two from one of the first words, or from two that belong together."""
        compared = unread[:MAX_COMPARED]
        pairs = ["".join(pair) for pair in pairwise(compared)]
        near: dict[int, tuple[int, str]] = {}
        for word in (*compared, *pairs):
            for name, distance in self._similar_names(word):
                for pk in self.names[(name,)]:
                    near[pk] = min(near.get(pk, (99, "")), (distance, name))
        return tuple(self.records[pk] for pk in sorted(near, key=lambda pk: (near[pk], pk))[:MAX_NEAR])

    @cached_property
    def _similar_names(self) -> Callable[[str], tuple[tuple[str, int], ...]]:
        """The names next to a word, each with the slips between; the words that were asked last are remembered."""
        return lru_cache(_MAX_REMEMBERED)(self._find_similar_names)

    def _find_similar_names(self, word: str) -> tuple[tuple[str, int], ...]:
        if not MIN_SPELLING <= len(word) <= _MAX_COMPARED_LENGTH:
            return ()
        slips = 1 if len(word) < 7 else 2
        names = [name for name in self.single_words if abs(len(name) - len(word)) <= slips]
        found = process.extract(word, names, scorer=OSA.distance, score_cutoff=slips, limit=MAX_NEAR)
        return tuple((name, int(distance)) for name, distance, _ in found)

    def _in_order(self, pks: Iterable[int]) -> tuple[DrugRecord, ...]:
        return tuple(sorted((self.records[pk] for pk in set(pks)), key=lambda drug: drug.id))

    def _as_code(self, text: str) -> tuple[str, str] | None:
        """The code system and the code of a text that is a code. Where only a space divides them, the code must look
        like one: `go 5` is none."""
        match = _CODE.fullmatch(text)
        if match is None:
            return None
        written, code = (part for part in match.groups() if part is not None)
        system = self.systems.named(written)
        is_code = system is not None and (match.group(5) is None or self.systems.has_form(system, code))
        return (system, code) if system and is_code else None


# --- text ---------------------------------------------------------------------------------------------------------


class _TextReader:
    """Reads one folded text."""

    def __init__(self, index: DrugIndex, folded: str) -> None:
        self.index = index
        self.text = folded
        self.spans = [match.span() for match in _WORD.finditer(folded)]
        self.words = [folded[start:end] for start, end in self.spans]

    def recognition(self) -> Recognition:
        if whole := self.index.named(tuple(self.words)):
            return Recognition(whole[0], whole[1], Confidence.certain)
        if PRODUCT_WORDS.names_supply(self.words):
            return Recognition(reason=UnrecognizedReason.not_a_drug)
        mentions = list(self._mentions())
        contents = [mention for mention in mentions if not self._is_only_mentioned(mention)]
        read = {position for mention in mentions for position in range(mention.first, mention.last + 1)}
        unread = tuple(
            word for i, word in enumerate(self.words) if i not in read and PRODUCT_WORDS.says_something(word)
        )
        # A drug says more than its class, which may stand in brackets behind it.
        drugs_only = [m for m in contents if any(d.kind != DRUG_CLASS for d in m.drugs)]
        contents = drugs_only or contents
        if not contents:
            if not mentions:
                return Recognition(reason=UnrecognizedReason.unknown_name, unread=unread)
            near = _unique(drug for mention in mentions for drug in mention.drugs)[:MAX_NEAR]
            return Recognition(near=near, reason=UnrecognizedReason.only_mentioned, unread=unread)
        product, others = self._product(contents)
        drugs = _unique(drug for mention in product for drug in mention.drugs)
        mentioned = tuple(drug for drug in _unique(d for m in others for d in m.drugs) if drug not in drugs)
        is_spelled = any(mention.matched_by is MatchedBy.spelling for mention in product)
        is_certain = not unread and not mentioned and not is_spelled
        return Recognition(
            drugs=drugs,
            matched_by=max((mention.matched_by for mention in product), key=list(MatchedBy).index),
            confidence=Confidence.certain if is_certain else Confidence.probable,
            mentioned=mentioned,
            unread=unread,
        )

    def _mentions(self) -> Iterator[_Mention]:
        """The longest names in the text, from left to right."""
        start = 0
        while start < len(self.words):
            mention = self._longest_name(start) or self._spelled_name(start)
            if mention:
                yield mention
            start = mention.last + 1 if mention else start + 1

    def _longest_name(self, start: int) -> _Mention | None:
        for length in self.index.lengths.get(self.words[start], ()):
            if named := self.index.named(tuple(self.words[start : start + length])):
                return _Mention(start, start + length - 1, *named)
        return None

    def _spelled_name(self, position: int) -> _Mention | None:
        word = self.words[position]
        if word in PRODUCT_WORDS.plain or not word.isalpha():
            return None
        drugs = self.index.spelled(word)
        return _Mention(position, position, drugs, MatchedBy.spelling) if drugs else None

    def _is_only_mentioned(self, mention: _Mention) -> bool:
        """Whether the words around a name say that the product does not contain it."""
        before = self.words[max(0, mention.first - 8) : mention.first]
        between = range(MAX_WORDS_BETWEEN + 1)
        after = self.words[mention.last + 1 : mention.last + 4]
        position = mention.first
        return (
            (PRODUCT_WORDS.ends_with(PRODUCT_WORDS.not_after, before) and not self._has_end(position - 1, position))
            or any(
                PRODUCT_WORDS.ends_with(PRODUCT_WORDS.not_among, before[: len(before) - n])
                and not self._has_end(position - 1 - n, position)
                for n in between
                if n < len(before)
            )
            or (PRODUCT_WORDS.is_negated_by(after) and not self._has_end(mention.last, mention.last + 1))
        )

    def _product(self, contents: Sequence[_Mention]) -> tuple[list[_Mention], list[_Mention]]:
        """The first name with those that are joined to it as ingredients of one product; and the others."""
        product, others = [contents[0]], list[_Mention]()
        for mention in contents[1:]:
            if not others and self._are_joined(product[-1], mention):
                product.append(mention)
            else:
                others.append(mention)
        return product, others

    def _are_joined(self, one: _Mention, other: _Mention) -> bool:
        between = self.words[one.last + 1 : other.first]
        is_plain = all(PRODUCT_WORDS.joins(word) for word in between)
        gap = self.text[self.spans[one.last][1] : self.spans[other.first][0]]
        return is_plain and not re.search(r"[()\[\]]|[.]\s", gap)

    def _has_end(self, first: int, second: int) -> bool:
        """Whether a sentence or bracket ends between two words."""
        return bool(_END.search(self.text[self.spans[first][1] : self.spans[second][0]]))


def _unique(drugs: Iterable[DrugRecord]) -> tuple[DrugRecord, ...]:
    return tuple(dict.fromkeys(drugs))


def _without_endings(word: str) -> Iterator[str]:
    """The word without a salt or form that is written together with it."""
    if not word.endswith(PRODUCT_WORDS.endings):
        return
    for ending in PRODUCT_WORDS.endings:
        if word.endswith(ending) and len(word) - len(ending) >= MIN_SPELLING:
            yield word[: -len(ending)]


_SPELLINGS = (("ph", "f"), ("th", "t"), ("ck", "k"), ("qu", "k"), ("x", "ks"), ("y", "i"), ("j", "i"), ("w", "v"))
_SOFT_C = re.compile(r"c(?=[ei])")
_DOUBLE = re.compile(r"(.)\1+")
_LAST_VOWELS = re.compile(r"(?:um|us|[aeio])$")


def spelling_key(word: str) -> str:
    """What is left of an international name where languages agree: `-one`, `-on`, `-ona` and `-onum`, `x` and `ks`."""
    key = word
    for written, common in _SPELLINGS:
        key = key.replace(written, common)
    key = _SOFT_C.sub("s", key).replace("c", "k").replace("h", "")
    key = _DOUBLE.sub(r"\1", key)
    return _LAST_VOWELS.sub("", key)
