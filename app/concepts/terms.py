"""The terms of open vocabularies: those that come with the software (`terms.yaml`), and those that a data set adds.

The manifest of a data set holds its own under `vocabularies` (`app.concepts.manifest`).
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from app.concepts.weighing import WeighsAs
from app.core.content import ContentModel
from app.core.errors import nearest
from app.core.folding import words
from app.core.text import Exact, OneLine, Text, Url
from app.core.ucum import SYSTEM, is_ucum
from app.core.vocabulary import MAX_TERM_LENGTH, TERM_PATTERN

_FILE = Path(__file__).with_name("terms.yaml")

TermId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=MAX_TERM_LENGTH)]
Oid = Annotated[str, StringConstraints(pattern=r"^[0-2](\.(0|[1-9][0-9]*))+$", max_length=100)]
UnitId = Annotated[str, StringConstraints(pattern=TERM_PATTERN, max_length=MAX_TERM_LENGTH)]
"""A UCUM code such as `mg/kg` and `[iU]`, or a name for what UCUM has none for."""
CuriePrefix = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._]*$", max_length=MAX_TERM_LENGTH)]


def _address_template(text: str) -> str:
    if text.count("{code}") != 1 or text.count("{") != 1:
        raise ValueError("must hold {code} once, where the code stands")
    return text


@lru_cache(maxsize=256)
def _validator(pattern: str) -> SchemaValidator:
    """Checks whole texts against a pattern. The engine takes time that grows with the text alone."""
    return SchemaValidator(core_schema.str_schema(pattern=f"^(?:{pattern})$"))


def _readable_pattern(pattern: str) -> str:
    try:
        _validator(pattern)
    except SchemaError as error:
        raise ValueError("must be a regular expression without back-references and looking around") from error
    return pattern


def _ucum_code(text: str) -> str:
    if not is_ucum(text):
        raise ValueError("must be a UCUM code such as mg/kg, [iU] or {puff}")
    return text


class OpenTerm(ContentModel):
    """A value of an open vocabulary."""

    id: TermId
    label: OneLine
    definition: Text
    fhir: OneLine | None = None
    """How FHIR names it: `system|code`."""
    ga4gh: OneLine | None = None
    """How GA4GH's standards name it: a CURIE such as `ncit:C38288`."""

    @property
    def fhir_name(self) -> str | None:
        """How FHIR names it: of a code system its URI, else `system|code`."""
        return self.fhir


class CodeSystemTerm(OpenTerm):
    """A terminology or registry that codes belong to."""

    fhir: Url | None = None
    """The URI by which FHIR names it. Without one its codes are not shown in FHIR."""
    fhir_prefix: OneLine | None = None
    """What FHIR writes in front of each code, such as `MONDO:`; it is not part of the code here."""
    ga4gh: CuriePrefix | None = None
    """The prefix of its CURIEs as registered at identifiers.org, which GA4GH's standards use, such as `mondo`."""
    oid: Oid | None = None
    """The OID by which HL7 version 3 (Infobutton, CDA) names it."""
    pattern: Annotated[OneLine, AfterValidator(_readable_pattern)] | None = None
    """A regular expression for the whole of a code; without one any code may stand."""
    address: Annotated[Url, AfterValidator(_address_template)] | None = None
    """Where a code is looked up, with `{code}` in its place."""
    names: tuple[OneLine, ...] = ()
    """What else people write for it, as in `ORPHA:558`; case and punctuation do not matter."""

    def has_form(self, code: str) -> bool:
        """Whether a code in normal form may be one of this system."""
        if self.pattern is None:
            return True
        try:
            _validator(self.pattern).validate_python(code)
        except ValidationError:
            return False
        return True

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The URI and the OID that name it."""
        return tuple(filter(None, (self.fhir, self.oid)))

    @property
    def spellings(self) -> frozenset[str]:
        """Everything that people write for it, folded."""
        return _folded((self.id, self.label, self.ga4gh or self.id, *self.names))


class InterventionKindTerm(OpenTerm):
    """A kind of intervention."""


class RouteTerm(OpenTerm):
    """A way to give a drug."""


class StudyDesignTerm(OpenTerm):
    """A way to make a study."""

    weighs_as: WeighsAs
    """How the method weighs its studies; from this follow whether it is a review, and its place among the designs."""
    is_crossover: bool = False
    """Whether people go from one arm to another: then the arms may hold more people than took part."""

    @property
    def is_review(self) -> bool:
        return self.weighs_as.is_review

    @property
    def is_systematic(self) -> bool:
        return self.weighs_as.is_systematic

    @property
    def is_randomized(self) -> bool:
        return self.weighs_as.is_randomized


class UnitFactor(ContentModel):
    """What one of a unit is in another one, exactly."""

    amount: Exact[Annotated[Decimal, Field(gt=0)]]
    """How many of the other unit one is."""
    of: UnitId
    """The other unit."""


class UnitTerm(OpenTerm):
    """A unit in which doses are given. Doses are compared where their units lead to the same one by `equals`."""

    id: UnitId
    ucum: Annotated[UnitId, AfterValidator(_ucum_code)] | None = None
    """Its code in UCUM, which FHIR writes; null where UCUM has none."""
    equals: UnitFactor | None = None
    """What one of it is in another unit; null for a unit that the others of its kind are measured in."""
    exact_to: Exact[Annotated[Decimal, Field(gt=0, le=1)]] | None = None
    """Of a unit without `equals`: the smallest amount that comparisons tell apart, by default a millionth. The largest
    daily total is 1,800,000,000,000,000 times as much."""
    names: tuple[OneLine, ...] = ()
    """What else people write for it; refusals suggest the unit by them, and orders are read by them."""

    @property
    def fhir_name(self) -> str | None:
        """By its code in UCUM, unless the term says otherwise."""
        return self.fhir or (f"{SYSTEM}|{self.ucum}" if self.ucum else None)

    @property
    def plural(self) -> str:
        """The label for several, such as `milligrams per kilogram`."""
        head, per, rest = self.label.partition(" per ")
        return f"{head}{'' if head.endswith('s') else 's'}{per}{rest}"

    @property
    def smallest(self) -> Decimal:
        return self.exact_to or Decimal("0.000001")

    @model_validator(mode="after")
    def _measured_once(self) -> "UnitTerm":
        if self.equals is not None and self.exact_to is not None:
            raise ValueError("a unit with `equals` is as exact as the one that it is measured in: leave out `exact_to`")
        if self.exact_to is not None and 1 % self.exact_to:
            raise ValueError("one is a whole number of `exact_to`")
        return self


class Vocabularies(ContentModel):
    """Terms by vocabulary, in the order in which they are shown."""

    code_systems: tuple[CodeSystemTerm, ...] = ()
    """Terminologies and registries."""
    intervention_kinds: tuple[InterventionKindTerm, ...] = ()
    """What interventions are: drugs, procedures, diets."""
    routes: tuple[RouteTerm, ...] = ()
    """How drugs are given."""
    study_designs: tuple[StudyDesignTerm, ...] = ()
    """How studies are made. A design ranks behind those of the software that weigh as it does."""
    units: tuple[UnitTerm, ...] = ()
    """In what doses are given."""

    def terms(self, vocabulary: str) -> tuple[OpenTerm, ...]:
        """Those of a vocabulary by the name that answers give it, such as `code_system`."""
        found: tuple[OpenTerm, ...] = getattr(self, _SECTIONS.get(vocabulary, f"{vocabulary}s"))
        return found

    def labels(self, vocabulary: str) -> Mapping[str, str]:
        return {term.id: term.label for term in self.terms(vocabulary)}

    def joined(self, other: "Vocabularies") -> "Vocabularies":
        """With those terms of the other whose ids are new."""
        joined: dict[str, Any] = {}
        for name in type(self).model_fields:
            own = getattr(self, name)
            ids = {term.id for term in own}
            new = [term for term in getattr(other, name) if term.id not in ids]
            joined[name] = _by_strength(own, new) if name == "study_designs" else (*own, *new)
        return Vocabularies(**joined)

    def faults(self, known: "Vocabularies", earlier: "Vocabularies") -> Iterator[tuple[str, str]]:
        """Terms that stand twice or have an id or a name of a known one: where, and why they are refused. `earlier` are
        those of data sets on which this one builds; it may repeat them, and measure in their units."""
        for name in type(self).model_fields:
            shipped = {term.id for term in getattr(known, name)}
            ids: set[str] = set()
            for i, term in enumerate(getattr(self, name)):
                if term.id in ids or term.id in shipped:
                    what = "stands twice" if term.id in ids else "comes with the software; leave it out"
                    yield f"{name}[{i}].id", what
                ids.add(term.id)
        yield from self._taken_names(known)
        yield from self._measures(known.joined(earlier))

    def differences(self, earlier: "Vocabularies") -> Iterator[tuple[str, str]]:
        """Terms that stand in both with the same id and another meaning: where, and why they are refused."""
        for name in type(self).model_fields:
            others = {term.id: term for term in getattr(earlier, name)}
            for i, term in enumerate(getattr(self, name)):
                if others.get(term.id, term) != term:
                    yield f"{name}[{i}].id", "stands in an earlier dataset.yaml with another content"

    def _taken_names(self, known: "Vocabularies") -> Iterator[tuple[str, str]]:
        """A URI, an OID and a spelling name one code system."""
        owners = {name: term.id for term in known.code_systems for name in (*term.identifiers, *term.spellings)}
        for i, term in enumerate(self.code_systems):
            for name in (*term.identifiers, *sorted(term.spellings)):
                owner = owners.setdefault(name, term.id)
                if owner != term.id:
                    yield f"code_systems[{i}]", f"has the name {name!r}, which is one of {owner}"

    def _measures(self, known: "Vocabularies") -> Iterator[tuple[str, str]]:
        """What a unit equals is said in a unit that is there, and not in itself by way of others."""
        units = {term.id: term for term in (*self.units, *known.units)}
        for i, term in enumerate(self.units):
            passed, base = {term.id}, term
            while base.equals is not None:
                if base.equals.of not in units:
                    if base is term:
                        yield f"units[{i}].equals.of", f"is none of the units that are there ({', '.join(units)})"
                    break
                base = units[base.equals.of]
                if base.id in passed:
                    yield f"units[{i}].equals.of", "leads back to the unit itself"
                    break
                passed.add(base.id)


_SECTIONS = {"design": "study_designs"}
"""Names of vocabularies in answers whose section in a manifest has another name than their plural."""


def _by_strength(designs: Iterable[StudyDesignTerm], more: Iterable[StudyDesignTerm]) -> tuple[StudyDesignTerm, ...]:
    """Each further design stands behind the first ones in a row that weigh as it does; else at the end."""
    ordered = list(designs)
    for term in more:
        same = [other.weighs_as is term.weighs_as for other in ordered]
        place = same.index(True) if True in same else len(same)
        while place < len(same) and same[place]:
            place += 1
        ordered.insert(place, term)
    return tuple(ordered)


def nearest_terms(written: str, terms: Iterable[OpenTerm]) -> tuple[str, ...]:
    """The ids of the terms that may be meant: by label or another name, else those that are most alike."""
    plain, terms = "".join(words(written)), tuple(terms)
    named = [term.id for term in terms if plain in _names(term)]
    return tuple(named) or nearest(written.lower(), [term.id for term in terms], 3)


def _names(term: OpenTerm) -> frozenset[str]:
    if isinstance(term, CodeSystemTerm):
        return term.spellings
    others = term.names if isinstance(term, UnitTerm) else ()
    return _folded((term.id, term.label, *others))


def _folded(names: Iterable[str]) -> frozenset[str]:
    """The names that have Latin letters or digits; of others nothing remains."""
    return frozenset("".join(words(name)) for name in names) - {""}


SHIPPED = Vocabularies.model_validate(yaml.load(_FILE.read_text(encoding="utf-8"), yaml.CSafeLoader))


@lru_cache(maxsize=8)
def with_shipped(own: Vocabularies) -> Vocabularies:
    """The terms that come with the software, and those of a data set."""
    return SHIPPED.joined(own)
