"""How much of a record an answer shows: `fields=`, `citations=` and `labels=`, applied to its stored body.

A record that is asked for without any of them is sent as it is stored.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints
from pydantic_core import from_json, to_json
from sqlalchemy.orm import Session

from app.claims import views
from app.concepts.manifest import current_vocabularies
from app.concepts.terms import Vocabularies, with_shipped
from app.core.content import Query, QueryModel, ResponseModel, derived_query
from app.core.errors import Fault, InvalidInput, nearest
from app.core.shape import paths_of, shape_of
from app.core.vocabulary import OpenVocabulary, Term, labels_of, vocabulary_name
from app.registry import BY_TYPE

MAX_PATHS = 30
LABEL = "_label"
"""What the name of a field ends in that holds the label of the field before it."""

Tree = Mapping[str, "Tree | None"]
"""The fields to show, each with those to show of what it holds; null for all of it."""
LabelsOf = Callable[["type[Term] | OpenVocabulary"], Mapping[str, str]]


def _split(value: object) -> object:
    """Commas divide paths as repetition does."""
    if not isinstance(value, list | tuple):
        return value
    return [part for entry in value for part in (entry.split(",") if isinstance(entry, str) else (entry,))]


FieldPath = Annotated[str, StringConstraints(max_length=120, pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")]
FieldPaths = Annotated[
    tuple[FieldPath, ...],
    Field(max_length=MAX_PATHS, examples=[["id", "links.self"]]),
    BeforeValidator(_split),
]


class Selected(QueryModel):
    """What to show of each record."""

    NOT_OFFERED = {"include": "Records hold what they refer to. Name the parts to show in `fields`."}
    ONLY_SHOWING = frozenset({"fields", "labels"})
    NOT_INDEXED = ONLY_SHOWING

    fields: FieldPaths = ()
    """Show only these fields: dotted paths such as `citations.document.doi`, separated by commas or repeated, at most
    30. What must travel with a record always stays: `id`, `type`, `links`; of a claim also its answer, verdict, caveat
    and the counts of both sides. The schema of such an answer is that of the type with `Partial` at its end
    (`ClaimPartial`, `ClaimPartialList`)."""
    labels: bool = False
    """Whether to put the label of every enumeration value beside it: `stance` is followed by `stance_label`, a list by
    the list of its labels. Definitions stand in `/v1/vocabularies`."""


def selecting(query: type[Query]) -> type[Query]:
    """The query model of a list, with what to show of each record."""
    return derived_query(query.__name__, query, Selected)


class SelectedClaims(Selected):
    """What to show of each claim."""

    NOT_OFFERED = {
        "include": "Claims hold their citations, each with its document and study. Choose how many citations to show "
        "by `citations`, and the parts to show by `fields`."
    }
    ONLY_SHOWING = Selected.ONLY_SHOWING | {"citations"}
    NOT_INDEXED = ONLY_SHOWING

    citations: views.Embedded = "all"
    """Which citations to embed: all, only the strongest of the supporting and of the disputing side (`top`), or none.
    Numbers, counts and `links.citations` stay; `citations_truncated` says that there are more."""


class Presentation(NamedTuple):
    """How a record of one type is shown."""

    model: type[BaseModel]
    tree: Tree | None
    has_labels: bool
    citations: views.Embedded
    own_terms: Vocabularies = Vocabularies()
    """Those that the data set adds."""

    def with_terms(self, session: Session) -> "Presentation":
        """With the terms of the data set, where their labels are shown."""
        return self._replace(own_terms=current_vocabularies(session)) if self.has_labels else self

    def shown(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record's fields that are shown, with labels where they were asked for."""
        labels = partial(_labels_of, with_shipped(self.own_terms)) if self.has_labels else None
        shown: dict[str, Any] = _shown(record, self.model, self.tree, labels)
        return shown

    def of_body(self, body: bytes) -> bytes:
        record = views.with_citations(from_json(body), self.citations)
        return to_json(self.shown(record))

    def of_bodies(self, bodies: Sequence[bytes]) -> list[bytes]:
        return [self.of_body(body) for body in bodies]


def presentation(record_type: str, query: object) -> Presentation | None:
    """What the query asks for; null where records are shown as they are stored. InvalidInput for unknown paths."""
    if not isinstance(query, Selected):
        return None
    citations = query.citations if isinstance(query, SelectedClaims) else "all"
    if not query.fields and not query.labels and citations == "all":
        return None
    model = BY_TYPE[record_type].read
    return Presentation(model, _tree_of(model, query.fields) if query.fields else None, query.labels, citations)


def refuse_unless_json(query: QueryModel) -> None:
    """InvalidInput if a parameter is there that says how JSON is to look, for an answer in another format."""
    named = query.model_fields_set & SelectedClaims.model_fields.keys()
    if named:
        message = "This says how JSON is to look; leave it out of requests for other formats."
        faults = [Fault("query", name, "json_only", message) for name in sorted(named)]
        raise InvalidInput("A parameter does not go with the format.", errors=faults)


# --- fields -------------------------------------------------------------------------------------------------------


def _tree_of(model: type[BaseModel], paths: Iterable[str]) -> Tree:
    known = frozenset(paths_of(model))
    unknown = [path for path in paths if path not in known]
    if unknown:
        message = "Records of this type have no such field; name it by its dotted path, such as `links.self`."
        faults = [
            Fault("query", "fields", "unknown_value", message, did_you_mean=_nearest_paths(path, model))
            for path in unknown
        ]
        raise InvalidInput("A field to show does not exist.", errors=faults)
    return _tree(model, [path.split(".") for path in paths])


def _nearest_paths(path: str, model: type[BaseModel]) -> tuple[str, ...]:
    """Fields of the same name elsewhere in the record, else those whose path is nearest."""
    known = paths_of(model)
    leaf = path.rpartition(".")[2]
    return tuple(one for one in known if one.rpartition(".")[2] == leaf)[:5] or nearest(path, known)


def _tree(model: type[BaseModel], paths: Iterable[Sequence[str]]) -> Tree:
    """The fields that the paths name and those that always stay, in the order of the model."""
    wanted: dict[str, list[Sequence[str]] | None] = {}
    for name, *rest in paths:
        below = wanted.setdefault(name, [])
        if not rest:
            wanted[name] = None
        elif below is not None:
            below.append(rest)
    for name in always_shown(model):
        if has_choice(model, name):
            wanted.setdefault(name, [])
        else:
            wanted[name] = None
    return dict(_branches(model, wanted))


def _branches(
    model: type[BaseModel], wanted: Mapping[str, Sequence[Sequence[str]] | None]
) -> Iterator[tuple[str, Tree | None]]:
    for name, field in shape_of(model).items():
        if name in wanted:
            below = wanted[name]
            yield name, None if below is None or field.model is None else _tree(field.model, below)


def has_choice(model: type[BaseModel], name: str) -> bool:
    """Whether parts of a field that always stays may be left out: of the evidence of a claim, but not of a count."""
    part = shape_of(model)[name].model
    return part is not None and bool(always_shown(part))


def always_shown(model: type[BaseModel]) -> frozenset[str]:
    """Fields that `fields=` cannot leave out."""
    return model.ALWAYS_SHOWN if issubclass(model, ResponseModel) else frozenset()


# --- what is shown ------------------------------------------------------------------------------------------------


def _shown(value: Any, model: type[BaseModel], tree: Tree | None, labels: LabelsOf | None) -> Any:
    if isinstance(value, list):
        return [_shown(part, model, tree, labels) for part in value]
    if not isinstance(value, dict) or (tree is None and labels is None):
        return value
    shown: dict[str, Any] = {}
    shape = shape_of(model)
    for name in value if tree is None else tree:
        part, field = value[name], shape[name]
        below = tree[name] if tree is not None else None
        shown[name] = part if field.model is None else _shown(part, field.model, below, labels)
        if labels is not None and field.vocabulary is not None:
            shown[name + LABEL] = _label(part, labels(field.vocabulary))
    return shown


def _labels_of(terms: Vocabularies, vocabulary: type[Term] | OpenVocabulary) -> Mapping[str, str]:
    if isinstance(vocabulary, OpenVocabulary):
        return terms.labels(vocabulary_name(vocabulary.name))
    return labels_of(vocabulary)


def _label(value: Any, labels: Mapping[str, str]) -> Any:
    return [labels.get(entry) for entry in value] if isinstance(value, list) else labels.get(value)
