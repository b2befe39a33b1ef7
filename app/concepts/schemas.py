"""Content and response models of concepts."""

from app.concepts.vocabulary import Better, CodeRelation, CodeSystem, InterventionKind
from app.core.content import ContentModel, Envelope, Record, ResponseModel
from app.core.text import OneLine, Slug, Text


class Code(ContentModel):
    """A code for the concept in a terminology, as read in a source."""

    system: CodeSystem
    code: OneLine
    relation: CodeRelation
    verified: bool
    """Whether the code was read in the terminology's own file or an equally authoritative source."""
    source: OneLine | None = None
    """Where it was read."""


class ConceptWrite(Record):
    name: OneLine
    synonyms: tuple[OneLine, ...] = ()
    description: Text
    codes: tuple[Code, ...] = ()


class InterventionWrite(ConceptWrite):
    """A drug, a class of drugs, or a dose regimen of a drug."""

    kind: InterventionKind
    parent: Slug | None = None
    """The drug of a regimen, or the wider class of a class."""
    members: tuple[Slug, ...] = ()
    """The drugs of a class."""


class ConditionWrite(ConceptWrite):
    """A disease, syndrome or state that people have."""

    parent: Slug | None = None
    """The wider condition; evidence never rolls up or down by itself."""


class MechanismWrite(ConceptWrite):
    """A biological process or target."""


class SideEffectWrite(ConceptWrite):
    """An unwanted effect. What is asserted of it (onset, course, mitigation, frequency) are claims."""


class OutcomeWrite(ConceptWrite):
    """Something that is measured to see whether a treatment helps or harms."""

    better: Better


class ConceptRef(ResponseModel):
    """A concept named inside another record."""

    id: Slug
    name: str


class OutcomeRef(ConceptRef):
    better: Better


class ConceptRead(Envelope):
    """What every concept shows of itself."""

    name: str
    synonyms: tuple[str, ...]
    description: str
    codes: tuple[Code, ...]
