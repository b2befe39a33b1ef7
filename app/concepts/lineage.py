"""From which interventions an intervention inherits harm: a dose regimen from its drug, a drug from its classes, a
class from wider ones. Benefit is never inherited.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import CTE, CompoundSelect, Select, case, select, union_all
from sqlalchemy.orm import Session, aliased

from app.concepts.models import Concept, InterventionMember
from app.concepts.schemas import ConceptRef, HarmStepRead, Inheritance
from app.concepts.vocabulary import DRUG, DRUG_CLASS, REGIMEN, HarmRelation
from app.core.english import inline
from app.core.vocabulary import Status
from app.storage.history import batches
from app.storage.serial_memory import SerialMemory


class HarmStep(NamedTuple):
    """One step from an intervention to one whose harms are passed on to it."""

    relation: HarmRelation
    source: int
    """Key of the intervention to which the step leads."""


class _Edge(NamedTuple):
    heir: int
    step: HarmStep


Lines = Mapping[int, tuple[HarmStep, ...]]
"""An intervention whose harms are inherited → the steps that lead to it, as few as possible."""


def _lines(pk: int, steps_from: Callable[[Sequence[int]], Iterable[_Edge]]) -> Lines:
    """All that an intervention inherits harm from, the nearest first."""
    found: dict[int, tuple[HarmStep, ...]] = {pk: ()}
    level = [pk]
    while level:
        edges = [edge for edge in steps_from(level) if edge.step.source not in found]
        for heir, step in edges:
            found.setdefault(step.source, (*found[heir], step))
        level = list(dict.fromkeys(edge.step.source for edge in edges))
    del found[pk]
    return found


# --- as stored ----------------------------------------------------------------------------------------------------

_member, _class = aliased(Concept), aliased(Concept)
_STATES_ITS_PARENT = (
    Concept.kind.in_((REGIMEN, DRUG_CLASS)),
    Concept.parent_pk.is_not(None),
    Concept.status == Status.published,
)
_LISTS_ITS_MEMBERS = _class.status == Status.published
"""A retired class passes nothing on."""


def _of_parents() -> Select[int, str | None, int | None]:
    """Heir, its kind, and its drug or wider class."""
    return select(Concept.pk.label("heir"), Concept.kind.label("kind"), Concept.parent_pk.label("source")).where(
        Concept.type == "intervention", *_STATES_ITS_PARENT
    )


def _of_members() -> Select[Any]:
    """Member, whether it is itself a class, and the class that lists it."""
    kind = case((_member.kind == DRUG_CLASS, DRUG_CLASS), else_=DRUG)
    columns = (
        InterventionMember.member_pk.label("heir"),
        kind.label("kind"),
        InterventionMember.class_pk.label("source"),
    )
    return (
        select(*columns)
        .join(_member, _member.pk == InterventionMember.member_pk)
        .join(_class, _class.pk == InterventionMember.class_pk)
        .where(_LISTS_ITS_MEMBERS)
    )


_RELATIONS = {
    REGIMEN: HarmRelation.drug_of_regimen,
    DRUG: HarmRelation.class_of_drug,
    DRUG_CLASS: HarmRelation.wider_class,
}
"""Kind of an heir → its relation to what it inherits from."""


def _edges(session: Session, heirs: Sequence[int] | None = None) -> list[_Edge]:
    """The steps from these interventions, or all of them: those to drugs first, then by the key of the source."""
    edges = []
    for some in [None] if heirs is None else batches(heirs):
        parents, members = _of_parents(), _of_members()
        if some is not None:
            parents = parents.where(Concept.pk.in_(some))
            members = members.where(InterventionMember.member_pk.in_(some))
        statement: CompoundSelect[Any] = union_all(parents, members)
        rows = session.execute(statement)
        edges += [_Edge(heir, HarmStep(_RELATIONS[kind], source)) for heir, kind, source in rows]
    order = list(HarmRelation)
    return sorted(edges, key=lambda edge: (edge.heir, order.index(edge.step.relation), edge.step.source))


def stored_lines(session: Session, pk: int) -> Lines:
    """All that an intervention inherits harm from, as the transaction sees it. One statement for each step."""
    return _lines(pk, lambda level: _edges(session, level))


def stored_heirs(session: Session, pks: Iterable[int]) -> set[int]:
    """All that inherit harm from these interventions, as the transaction sees it. One statement for each step."""
    heirs: set[int] = set()
    level = set(pks)
    while level:
        below: set[int] = set()
        for some in batches(level):
            children = select(Concept.pk).where(Concept.parent_pk.in_(some), *_STATES_ITS_PARENT)
            listed = (
                select(InterventionMember.member_pk)
                .join(_class, _class.pk == InterventionMember.class_pk)
                .where(InterventionMember.class_pk.in_(some), _LISTS_ITS_MEMBERS)
            )
            below.update(session.scalars(union_all(children, listed)))
        level = below - heirs
        heirs |= level
    return heirs


# --- in statements ------------------------------------------------------------------------------------------------


def inheritance() -> CTE:
    """Every intervention with each one whose harms it inherits, as the columns `heir` and `source`."""
    parents, members = _of_parents().subquery(), _of_members().subquery()
    edges = union_all(*(select(steps.c.heir, steps.c.source) for steps in (parents, members))).cte("inheritance_steps")
    closure = select(edges.c.heir, edges.c.source).cte("inheritance", recursive=True)
    further = select(closure.c.heir, edges.c.source).join(edges, edges.c.heir == closure.c.source)
    return closure.union(further)


# --- in memory ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InterventionTree:
    """The classes, drugs and dose regimens above and below each intervention."""

    steps: Mapping[int, Sequence[HarmStep]]
    """Intervention → the steps to those just above it."""
    refs: Mapping[int, ConceptRef]
    """Id and name of every intervention that has one above or below it."""

    @cached_property
    def keys(self) -> Mapping[str, int]:
        """Id → key of these interventions."""
        return {ref.id: pk for pk, ref in self.refs.items()}

    @cached_property
    def drugs(self) -> Mapping[int, int]:
        """Dose regimen → its drug."""
        return {
            heir: step.source
            for heir, steps in self.steps.items()
            for step in steps
            if step.relation is HarmRelation.drug_of_regimen
        }

    def lines(self, pk: int) -> Lines:
        """All that the intervention inherits harm from, the nearest first."""
        return _lines(pk, lambda level: [_Edge(heir, step) for heir in level for step in self.steps.get(heir, ())])

    def with_sources(self, pk: int) -> list[int]:
        """The intervention, then all that it inherits harm from."""
        return [pk, *self.lines(pk)]

    def drug(self, pk: int) -> int:
        """The drug of a dose regimen; else the intervention itself."""
        return self.drugs.get(pk, pk)

    def regimens(self, pk: int) -> list[int]:
        """The dose regimens of a drug."""
        return sorted(regimen for regimen, drug in self.drugs.items() if drug == pk)

    def relatives(self, pk: int) -> list[int]:
        """The intervention, then all that it shares warnings with: the drug, its classes, the regimens of a drug."""
        return [*self.with_sources(pk), *self.regimens(pk)]

    def line_to(self, pk: int, relative: int) -> tuple[HarmStep, ...] | None:
        """The steps from the intervention to one that it shares warnings with; null if that is none."""
        if relative == pk:
            return ()
        if self.drugs.get(relative) == pk:
            return (HarmStep(HarmRelation.regimen_of_drug, relative),)
        return self.lines(pk).get(relative)

    @cached_property
    def with_regimens(self) -> frozenset[int]:
        """Drugs that have dose regimens, and those regimens."""
        return frozenset((*self.drugs, *self.drugs.values()))


def _read_tree(session: Session) -> InterventionTree:
    steps: dict[int, list[HarmStep]] = {}
    for heir, step in _edges(session):
        steps.setdefault(heir, []).append(step)
    sources = {step.source for of_heir in steps.values() for step in of_heir}
    return InterventionTree(steps, refs_of(session, {*steps, *sources}))


_trees: SerialMemory[InterventionTree] = SerialMemory(_read_tree)


def intervention_tree(session: Session) -> InterventionTree:
    """The tree at the serial that the session sees; read from the database once for each serial."""
    return _trees.get(session)


# --- in words -----------------------------------------------------------------------------------------------------


def worded_line(heir: ConceptRef, steps: Iterable[tuple[HarmRelation, ConceptRef]]) -> Inheritance:
    """The steps from an intervention to the one that a claim is about, each worded by its relation."""
    shown: list[HarmStepRead] = []
    usual = False
    """Whether a step has left the dose of a regimen."""
    for relation, source in steps:
        usual = usual or relation is HarmRelation.drug_of_regimen
        text = _SAID_OF[relation].format(source=inline(source.name), heir=inline(heir.name))
        doses = {HarmRelation.drug_of_regimen: ", at its usual doses", HarmRelation.regimen_of_drug: ""}
        text += doses.get(relation, ", at their usual doses" if usual else "")
        shown.append(HarmStepRead(relation=relation, intervention=source, text=f"{text}."))
        heir = source
    return Inheritance(text=shown[-1].text, steps=tuple(shown))


_SAID_OF = {
    HarmRelation.drug_of_regimen: "Said of {source}, the drug",
    HarmRelation.class_of_drug: "Said of {source}, a class of drugs that includes {heir}",
    HarmRelation.wider_class: "Said of {source}, a wider class that includes {heir}",
    HarmRelation.regimen_of_drug: "Said of {source}, a dose regimen of {heir}",
}


def inheritances(session: Session, interventions: Iterable[int]) -> dict[str, Inheritance]:
    """Id of each intervention whose harms one of these inherits → how it does, by the fewest steps."""
    tree, asked = intervention_tree(session), list(dict.fromkeys(interventions))
    lines: dict[int, tuple[int, tuple[HarmStep, ...]]] = {}
    """Source → heir and steps."""
    for pk in asked:
        for source, steps in tree.lines(pk).items():
            if source not in asked and (source not in lines or len(steps) < len(lines[source][1])):
                lines[source] = pk, steps
    return {
        tree.refs[source].id: worded_line(tree.refs[pk], ((step.relation, tree.refs[step.source]) for step in steps))
        for source, (pk, steps) in lines.items()
    }


def refs_of(session: Session, pks: Iterable[int]) -> dict[int, ConceptRef]:
    """Id and name of concepts by their keys; nothing is asked for nothing."""
    refs: dict[int, ConceptRef] = {}
    for some in batches(set(pks)):
        rows = session.execute(select(Concept.pk, Concept.id, Concept.name).where(Concept.pk.in_(some)))
        refs.update((pk, ConceptRef(id=id_, name=name)) for pk, id_, name in rows)
    return refs
