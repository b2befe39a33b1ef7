"""Content and response models of concepts."""

from app.concepts.vocabulary import Better, CodeRelation, CodeSystem, HarmRelation, InterventionKind
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


class HarmStepRead(ResponseModel):
    """One step from an intervention to one whose harms are passed on to it."""

    relation: HarmRelation
    intervention: ConceptRef
    """The one to which the step leads."""
    text: str
    """For people: whether it is said of the drug at its usual doses, or of a class that includes it."""


class Inheritance(ResponseModel):
    """Why a harm that is said of one intervention is shown for another. Benefit is never inherited."""

    text: str
    """For people; it must stand wherever the claim is shown for the other intervention."""
    steps: tuple[HarmStepRead, ...]
    """From the intervention in question to the one that the claim is about, each with the next one above."""


class OutcomeRef(ConceptRef):
    better: Better


class ConceptRead(Envelope):
    """What every concept shows of itself."""

    name: str
    synonyms: tuple[str, ...]
    description: str
    codes: tuple[Code, ...]
