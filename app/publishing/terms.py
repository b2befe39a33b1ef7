"""Whether the terms that contents use are there: those that come with the software, or those of the data set; and what
follows from them."""

from collections.abc import Iterator
from dataclasses import replace

from pydantic import BaseModel

from app.claims.doses import measure_and_period
from app.claims.vocabulary import PeriodUnit
from app.concepts.code_systems import SHIPPED_SYSTEMS, code_systems_of
from app.concepts.projection import repeated_codes
from app.concepts.schemas import ConceptWrite
from app.concepts.study_designs import study_designs_of
from app.concepts.terms import Vocabularies, nearest_terms, with_shipped
from app.concepts.units import units_of
from app.core.content import Record
from app.core.errors import Fault
from app.core.shape import open_values
from app.core.vocabulary import vocabulary_name
from app.sources.rules import design_faults
from app.sources.schemas import StudyWrite


def term_faults(content: Record, own: Vocabularies) -> Iterator[tuple[str, Fault]]:
    """Fields with a term that is not there, each with the nearest right ones, with codes that their system cannot have,
    and with what a study of its design cannot have. `own` are the terms of the data set."""
    yield from unknown_terms(content, own)
    designs = study_designs_of(own)
    if isinstance(content, StudyWrite) and content.design in designs:
        for field, reason in design_faults(content, designs.design(content.design)):
            yield field, Fault("file", "", "rule", reason)
    if isinstance(content, ConceptWrite):
        systems = code_systems_of(own)
        if own.code_systems:
            known = {field for field, _ in repeated_codes(content, SHIPPED_SYSTEMS)}
            for field, reason in repeated_codes(content, systems):
                if field not in known:
                    yield field, Fault("file", "", "rule", reason)
        for i, code in enumerate(content.codes):
            if not systems.has_form(code.system, code.code):
                reason = f"is no code of {code.system}: those have the form {systems.pattern(code.system)}"
                yield f"codes[{i}].code", Fault("file", "", "malformed_code", reason)
    if isinstance(content, StudyWrite):
        for i, arm in enumerate(content.arms):
            if fault := _unit_fault(arm.dose_unit, own):
                yield f"arms[{i}].dose_unit", fault


def _unit_fault(written: str | None, own: Vocabularies) -> Fault | None:
    """The fault of a unit that may name its period; null for one that is there."""
    if written is None or measure_and_period(written, units_of(own)):
        return None
    unit, _, period = written.rpartition("/")
    if period not in (PeriodUnit.d, PeriodUnit.wk):
        return _unknown("unit", written, own)
    fault = _unknown("unit", unit, own)
    close = fault.did_you_mean and tuple(f"{one}/{period}" for one in fault.did_you_mean)
    return replace(fault, did_you_mean=close)


def unknown_terms(content: BaseModel, own: Vocabularies) -> Iterator[tuple[str, Fault]]:
    """Fields of open vocabularies with a term that is not there."""
    known = with_shipped(own)
    for field, vocabulary, value in open_values(content):
        name = vocabulary_name(vocabulary.name)
        if all(term.id != value for term in known.terms(name)):
            yield field, _unknown(name, value, own)


def _unknown(vocabulary: str, written: str, own: Vocabularies) -> Fault:
    terms = with_shipped(own).terms(vocabulary)
    allowed = tuple(term.id for term in terms)
    reason = f"is none of the terms that may stand here ({', '.join(allowed)}); dataset.yaml may add to them"
    return Fault("file", "", "unknown_term", reason, allowed, nearest_terms(written, terms) or None)
