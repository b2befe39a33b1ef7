"""Recognizes drugs by id, code, name or synonym; case and accents do not matter."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.concepts.models import Concept, ConceptCode, ConceptSynonym
from app.concepts.schemas import ConceptRef
from app.concepts.vocabulary import CodeRelation
from app.core.errors import nearest
from app.core.vocabulary import Status, Term


class MatchedBy(Term):
    """By what a drug was recognized."""

    id_ = "id", "The record's id."
    code = "code", "A code that the record carries."
    name_ = "name", "The record's name, whatever the case and accents."
    synonym = "synonym", "Another name of it."


@dataclass(frozen=True)
class DrugMatch:
    """The record that a drug was recognized as; `pk` is null if there is none, and `near` lists similar records."""

    pk: int | None = None
    ref: ConceptRef | None = None
    matched_by: MatchedBy | None = None
    relation: CodeRelation | None = None
    near: tuple[ConceptRef, ...] = ()


def fold(text: str) -> str:
    """Letters and digits in lower case without accents, one space between words."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in plain.casefold()).split())


class DrugNames:
    """Index of the published interventions by their names. Three statements, whatever the number of drugs."""

    def __init__(self, session: Session, codes: Sequence[str]) -> None:
        concepts = session.execute(
            select(Concept.pk, Concept.id, Concept.name, Concept.status, Concept.successor)
            .where(Concept.type == "intervention")
            .order_by(Concept.id)
        ).all()
        self.refs = {row.pk: ConceptRef(id=row.id, name=row.name) for row in concepts}
        """Every intervention, retired ones included: a claim may still name one."""
        self._ids = {row.id: row.pk for row in concepts if row.status == Status.published}
        self._successors = {row.id: row.successor for row in concepts if row.status != Status.published}
        published = set(self._ids.values())
        synonyms = session.execute(
            select(ConceptSynonym.concept_pk, ConceptSynonym.text).order_by(ConceptSynonym.concept_pk)
        ).all()
        self._names = _index((fold(ref.name), pk) for pk, ref in self.refs.items() if pk in published)
        self._synonyms = _index((fold(text), pk) for pk, text in synonyms if pk in published)
        self._folded_ids = {fold(record_id): pk for record_id, pk in self._ids.items()}
        self._codes = self._carriers(session, codes, published)

    def _carriers(
        self, session: Session, codes: Sequence[str], published: set[int]
    ) -> Mapping[str, list[tuple[int, CodeRelation]]]:
        """Which interventions carry each `system:code`, exact matches first."""
        values = {code.partition(":")[2].upper() for code in codes}
        rows = session.scalars(select(ConceptCode).where(ConceptCode.code.in_(sorted(values))))
        relations = list(CodeRelation)
        carriers: dict[str, list[tuple[int, CodeRelation]]] = {}
        for row in rows:
            if row.concept_pk in published:
                entry = (row.concept_pk, CodeRelation(row.relation))
                carriers.setdefault(f"{row.system}:{row.code}", []).append(entry)
        return {
            code: sorted(entries, key=lambda entry: (relations.index(entry[1]), self.refs[entry[0]].id))
            for code, entries in carriers.items()
        }

    def by_id(self, record_id: str) -> DrugMatch:
        pk = self._ids.get(record_id)
        if pk is not None:
            return DrugMatch(pk, self.refs[pk], MatchedBy.id_)
        successor = self._successors.get(record_id)
        if successor in self._ids:
            return DrugMatch(near=(self.refs[self._ids[successor]],))
        return DrugMatch(near=tuple(self.refs[self._ids[near]] for near in nearest(record_id, sorted(self._ids))))

    def by_code(self, code: str) -> DrugMatch:
        system, _, value = code.partition(":")
        entries = self._codes.get(f"{system.lower()}:{value.upper()}", [])
        if not entries:
            return DrugMatch()
        pk, relation = entries[0]
        if sum(1 for entry in entries if entry[1] is relation) > 1:
            return DrugMatch(near=tuple(self.refs[pk] for pk, _ in entries[:5]))
        return DrugMatch(pk, self.refs[pk], MatchedBy.code, relation)

    def by_text(self, text: str) -> DrugMatch:
        folded = fold(text)
        for index, matched_by in ((self._names, MatchedBy.name_), (self._synonyms, MatchedBy.synonym)):
            pks = index.get(folded, [])
            if len(pks) == 1:
                return DrugMatch(pks[0], self.refs[pks[0]], matched_by)
            if pks:
                return DrugMatch(near=tuple(self.refs[pk] for pk in pks[:5]))
        if folded in self._folded_ids:
            pk = self._folded_ids[folded]
            return DrugMatch(pk, self.refs[pk], MatchedBy.id_)
        close = nearest(folded, sorted({*self._names, *self._synonyms}))
        pks = [pk for name in close for pk in self._names.get(name, self._synonyms.get(name, []))]
        return DrugMatch(near=tuple(self.refs[pk] for pk in dict.fromkeys(pks)))


def _index(entries: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for name, pk in entries:
        pks = index.setdefault(name, [])
        if pk not in pks:
            pks.append(pk)
    return index
