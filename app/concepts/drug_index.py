"""Reads the drugs of the data set into the index in which `recognition` looks them up."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.concepts.manifest import current_code_systems
from app.concepts.models import Concept, ConceptCode, ConceptSynonym, InterventionMember
from app.concepts.recognition import DrugIndex, DrugName, DrugRecord, MatchedBy, spelling_key
from app.concepts.vocabulary import DRUG, DRUG_CLASS, REGIMEN, CodeRelation
from app.core.folding import words
from app.core.vocabulary import Status
from app.storage.serial_memory import SerialMemory


def _read_index(session: Session) -> DrugIndex:
    """Four statements."""
    index = DrugIndex(systems=current_code_systems(session))
    columns = (Concept.pk, Concept.id, Concept.name, Concept.kind, Concept.status, Concept.successor, Concept.parent_pk)
    rows = session.execute(select(*columns).where(Concept.type == "intervention").order_by(Concept.id)).all()
    for row in rows:
        index.records[row.pk] = DrugRecord(row.pk, row.id, row.name, row.kind)
        if row.status != Status.published:
            index.successors[row.id] = row.successor
            continue
        index.ids[row.id] = row.pk
        if row.parent_pk is not None:
            index.members.setdefault(row.parent_pk, []).append(row.pk)
            if row.kind == REGIMEN:
                index.drugs[row.pk] = row.parent_pk
            else:
                index.classes.setdefault(row.pk, []).append(row.parent_pk)
    published = set(index.ids.values())
    for row in rows:
        if row.pk in published:
            _add_name(index, row.pk, row.name, MatchedBy.name_, is_substance=True)
            index.names.setdefault(tuple(words(row.id)), {}).setdefault(row.pk, MatchedBy.name_)
    synonyms = select(ConceptSynonym.concept_pk, ConceptSynonym.text).order_by(ConceptSynonym.concept_pk)
    for pk, text in session.execute(synonyms):
        if pk in published:
            # Names of substances are written in lower case, those of products with a capital.
            _add_name(index, pk, text, MatchedBy.synonym, is_substance=text[:1].islower())
    _add_codes(index, session.scalars(select(ConceptCode)), published)
    for class_pk, member_pk in session.execute(select(InterventionMember.class_pk, InterventionMember.member_pk)):
        if member_pk in published:
            index.members.setdefault(class_pk, []).append(member_pk)
            index.classes.setdefault(member_pk, []).append(class_pk)
    return index


def _add_name(index: DrugIndex, pk: int, text: str, matched_by: MatchedBy, *, is_substance: bool) -> None:
    """Names of substances are also recognised as other languages spell them; names of products are not translated."""
    phrase = tuple(words(text))
    if not phrase:
        return
    index.names.setdefault(phrase, {}).setdefault(pk, matched_by)
    index.written.append(DrugName(" ".join(phrase), text, index.records[pk], matched_by))
    if index.records[pk].kind == DRUG_CLASS:
        index.class_names.setdefault(pk, []).append(text)
    if is_substance and len(phrase) == 1 and index.records[pk].kind == DRUG:
        index.spellings.setdefault(spelling_key(phrase[0]), set()).add(pk)


def _add_codes(index: DrugIndex, codes: Iterable[ConceptCode], published: set[int]) -> None:
    """Exact matches first."""
    relations = list(CodeRelation)
    for code in codes:
        if code.concept_pk in published:
            entry = (code.concept_pk, CodeRelation(code.relation))
            index.codes.setdefault((code.system, code.code), []).append(entry)
    for entries in index.codes.values():
        entries.sort(key=lambda entry: (relations.index(entry[1]), index.records[entry[0]].id))


_memory: SerialMemory[DrugIndex] = SerialMemory(_read_index)


def drug_index(session: Session) -> DrugIndex:
    """The index at the serial that the session sees; read from the database once for each serial."""
    return _memory.get(session)
