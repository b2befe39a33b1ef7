"""What the CDS Hooks services of a data set are called, check and say: the section `cds` of its manifest.

Pairs of drugs that must not meet are records of their own, the interaction rules. Here stands what they cannot say:
ids and titles of services, the sentences of cards, checks of diagnoses and allergies, and which claims are shown for
an order of the intervention that the data set is about. All of it has a default or may be left out.
"""

import string
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from app.core.content import ContentModel
from app.core.text import OneLine, Slug, Text

MAX_SUMMARY_LENGTH = 139
"""The standard's bound is below 140 characters."""


def _with_slots(*names: str) -> Callable[[str], str]:
    def checked(template: str) -> str:
        if not {field for _, field, _, _ in string.Formatter().parse(template) if field is not None} <= set(names):
            raise ValueError(f"the only slots are {', '.join(f'{{{name}}}' for name in names)}")
        return template

    return checked


Summary = Annotated[
    OneLine, Field(max_length=MAX_SUMMARY_LENGTH), AfterValidator(_with_slots("first", "second", "answer"))
]
Situation = Annotated[Text, AfterValidator(_with_slots("first", "second", "gaps"))]


class CdsReason(ContentModel):
    """A reason that a prescriber may give for not following a card."""

    code: Slug
    label: OneLine


class CdsTexts(ContentModel):
    """The sentences of one sort of card."""

    name: Slug | None = None
    """What the rule is called in the extension of a card, in the log and in metrics; never changed later."""
    summary: Summary | None = None
    """`{first}` and `{second}` stand for the medicines of either side."""
    situation: Situation | None = None
    """The first paragraph: which orders meet; `{gaps}` stands for what could not be read."""
    note: Text | None = None
    """A paragraph in bold."""


CdsSituation = Literal[
    "both_drafted", "first_drafted", "second_drafted", "both_current", "proposed", "first_after_second",
    "second_after_first", "cautioned",
]  # fmt: skip
"""How the drugs of an interaction rule meet."""


class CdsInteraction(ContentModel):
    """How cards speak of interaction rules; rules that are named together share a card."""

    rules: tuple[Slug, ...] = Field(min_length=1)
    note: Text | None = None
    """A paragraph in bold on cards about drugs that meet, or met a short while ago in this order."""
    texts: dict[CdsSituation, CdsTexts] = {}


class CdsCheck(CdsTexts):
    """What is checked before the intervention is signed, beside interactions."""

    id: Slug
    claims: tuple[Slug, ...] = Field(min_length=1)
    override_reasons: tuple[CdsReason, ...] = ()


class CdsReasonCheck(CdsCheck):
    """Warns where the intervention is ordered for a condition and nothing else was found."""

    condition: Slug


class CdsPatientCheck(CdsCheck):
    """Looks into a list of the patient's record; a service of its own names it."""

    reads: Literal["conditions", "allergies"]
    """The list of diagnoses, or that of allergies, in which the intervention itself is looked for."""
    icd10: tuple[Annotated[str, Field(pattern=r"^[A-Z][0-9][0-9A-Z.]{0,6}$")], ...] = ()
    """How codes of ICD-10 and ICD-10-CM begin that are meant."""
    words: tuple[OneLine, ...] = ()
    """What the text of a diagnosis contains."""
    is_critical: bool = False


class CdsServiceWords(ContentModel):
    """A service as discovery shows it."""

    hook: Literal["order-select", "order-sign", "patient-view"]
    id: Slug | None = None
    """By default the id of the data set, a hyphen and the hook."""
    title: OneLine
    description: OneLine
    is_on: bool = True
    """Whether it answers unless `CDS_SERVICES` says which do."""
    patient_check: Slug | None = None
    """Of a service that makes one check of the patient's record and no other."""


class CdsEvidence(ContentModel):
    """The card that shows what is on record on the intervention, for and against, when it is ordered."""

    name: Slug = "evidence"
    names: tuple[OneLine, ...] = ()
    """Names of a product that say that the card fits, where no dose was read."""
    tiers: tuple[str, ...] = ()
    """Dose tiers that the card is about; any dose where there are none."""
    below_mg: Decimal | None = None
    """Daily doses from here on get no card."""
    full_dose_conditions: tuple[Slug, ...] = ()
    """Conditions for which doses in `full_dose_tiers` are a step towards a full dose, and get no card."""
    full_dose_tiers: tuple[str, ...] = ()
    tier_notes: dict[str, OneLine] = {}
    """A sentence on a dose in this tier."""
    unread_dose: OneLine = "Dose not read."
    claims: tuple[Slug, ...] = ()
    """Shown on each card."""
    conditions: dict[Slug, tuple[Slug, ...]] = {}
    """The claims for a condition that the order gives as its reason."""
    default_condition: Slug | None = None
    """Whose claims are shown where the order gives no reason."""
    summary: Summary = "Open for the evidence, for and against."
    summary_with_answer: Summary = "{answer}"
    """Where the reason is known, and the answer of the first claim is short enough."""


class CdsDepot(ContentModel):
    """A product that is given once for a long time."""

    names: tuple[OneLine, ...] = Field(min_length=1)
    rxnorm: tuple[str, ...] = ()
    days: int
    """How long it acts."""
    source: OneLine
    """Where that was read."""


_OTHER_KEYS = frozenset({"serial", "service", "service_version", "rule", "dose", "gaps", "claims"})
"""What else stands in the extension of a card."""


class CdsManifest(ContentModel):
    """What the services of CDS Hooks check and say."""

    enabled: bool = True
    """Whether there are any services."""
    services: tuple[CdsServiceWords, ...] = ()
    """By default those of the hooks of orders, where the data set has interaction rules."""
    intervention: Slug | None = None
    """The drug that the checks and the evidence are about. Its dose and the reason of its order are read."""
    own_words: tuple[OneLine, ...] = ()
    """Words for it that may stand next to an amount in an order; other unknown words name another drug."""
    keys: tuple[Slug, Slug] = ("first", "second")
    """The names under which the extension of a card lists the medicines of both sides."""
    sides: tuple[OneLine, OneLine] = ("the one medicine", "the other medicine")
    """What the two sides are called where a card has no order of them to name."""
    interactions: tuple[CdsInteraction, ...] = ()
    incomplete: CdsTexts = CdsTexts()
    """Of cards that say that medicines could not be read."""
    record_incomplete: CdsTexts = CdsTexts()
    """Of cards that say that a list of diagnoses or allergies could not be read."""
    reason_checks: tuple[CdsReasonCheck, ...] = ()
    patient_checks: tuple[CdsPatientCheck, ...] = ()
    evidence: CdsEvidence | None = None
    antidotes: tuple[OneLine, ...] = ()
    """Drugs that reverse an overdose: with a word such as `kit`, a product is to be carried, not taken."""
    depots: tuple[CdsDepot, ...] = ()

    @model_validator(mode="after")
    def _names_what_it_has(self) -> Self:
        checks = {None, *(check.id for check in self.patient_checks)}
        if not checks.issuperset(one.patient_check for one in self.services):
            raise ValueError("a service names a patient check that is not described")
        names = [one.id or one.hook for one in self.services]
        if len(set(names)) < len(names):
            raise ValueError("two services have the same id")
        if len({*self.keys} - _OTHER_KEYS) < len(self.keys):
            raise ValueError(f"`keys` must differ, also from {', '.join(sorted(_OTHER_KEYS))}")
        if self.intervention is None and (self.evidence or self.reason_checks or self.patient_checks):
            raise ValueError("checks and evidence need an `intervention` that they are about")
        return self

    def records(self) -> list[tuple[str, str, str]]:
        """Field, type and id of each record that the section names."""
        named = [("intervention", "intervention", self.intervention)]
        for index, interaction in enumerate(self.interactions):
            named += [(f"interactions[{index}].rules", "interaction_rule", rule) for rule in interaction.rules]
        for name, checks in (("reason_checks", self.reason_checks), ("patient_checks", self.patient_checks)):
            for index, check in enumerate(checks):
                named += [(f"{name}[{index}].claims", "claim", claim) for claim in check.claims]
        named += [
            (f"reason_checks[{index}].condition", "condition", check.condition)
            for index, check in enumerate(self.reason_checks)
        ]
        if self.evidence:
            named += [("evidence.claims", "claim", claim) for claim in self.evidence.claims]
            conditions = (*self.evidence.full_dose_conditions, *self.evidence.conditions)
            named += [("evidence.conditions", "condition", condition) for condition in conditions]
            named += [
                (f"evidence.conditions.{condition}", "claim", claim)
                for condition, claims in self.evidence.conditions.items()
                for claim in claims
            ]
            named.append(("evidence.default_condition", "condition", self.evidence.default_condition))
        return [(f"cds.{field}", kind, record) for field, kind, record in named if record is not None]
