"""Which claims are clinical use definitions, and of which type: one table, applied in Python and in SQL."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select

from app.claims.models import Claim, ClaimConcept
from app.claims.schemas import ClaimWrite
from app.claims.vocabulary import Effect, Form, Kind

_EFFECTS = (Form.general_effect, Form.association)
_HARMS = (Effect.causes, Effect.worsens, Effect.increases)
_FIELDS = {"condition": "conditions", "side_effect": "side_effects", "interactant": "interactants"}


@dataclass(frozen=True)
class ClinicalUse:
    """A type of clinical use definition and the claims that belong to it. No claim matches two rows."""

    type: str
    kinds: tuple[Kind, ...]
    forms: tuple[Form, ...]
    effects: tuple[Effect, ...]
    role: str | None = None
    """The role of a concept that the claim must name."""

    def matches(self, claim: ClaimWrite) -> bool:
        return (
            claim.intervention is not None
            and claim.kind in self.kinds
            and claim.form in self.forms
            and claim.effect in self.effects
            and (self.role is None or bool(getattr(claim, _FIELDS[self.role])))
        )

    @property
    def where(self) -> ColumnElement[bool]:
        conditions = [
            Claim.intervention_pk.is_not(None),
            Claim.kind.in_(self.kinds),
            Claim.form.in_(self.forms),
            Claim.effect.in_(self.effects),
        ]
        if self.role is not None:
            conditions.append(Claim.pk.in_(select(ClaimConcept.claim_pk).where(ClaimConcept.role == self.role)))
        return and_(*conditions)


USES = (
    ClinicalUse(
        "indication",
        (Kind.efficacy,),
        _EFFECTS,
        (Effect.improves, Effect.decreases, Effect.increases, Effect.prevents),
        "condition",
    ),
    ClinicalUse("indication", (Kind.regulatory,), (Form.regulatory_status,), (Effect.approved,), "condition"),
    ClinicalUse(
        "contraindication",
        (Kind.interaction, Kind.safety),
        (Form.regulatory_status, *_EFFECTS),
        (Effect.contraindicated,),
    ),
    ClinicalUse(
        "interaction",
        (Kind.interaction,),
        (Form.regulatory_status, *_EFFECTS),
        (Effect.interacts, *_HARMS),
        "interactant",
    ),
    ClinicalUse("undesirable-effect", (Kind.safety,), (*_EFFECTS, Form.study_report), _HARMS, "side_effect"),
    ClinicalUse(
        "warning",
        (Kind.safety,),
        (Form.regulatory_status,),
        tuple(effect for effect in Effect if effect is not Effect.contraindicated),
    ),
)

TYPES = tuple(dict.fromkeys(use.type for use in USES))
HARM_TYPES = tuple(use_type for use_type in TYPES if use_type != "indication")


def use_of(claim: ClaimWrite) -> str | None:
    """The type of the claim's clinical use definition; null if it has none."""
    return next((use.type for use in USES if use.matches(claim)), None)


def of_types(types: tuple[str, ...] = TYPES) -> ColumnElement[bool]:
    """Claims that are clinical use definitions of one of the types."""
    return or_(*(use.where for use in USES if use.type in types))
