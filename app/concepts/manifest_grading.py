"""The method by which a data set wants its claims graded: the section `grading` of its manifest."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema

from app.core.content import ContentModel

MethodName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*/[1-9][0-9]*$", max_length=40)]
"""A name with a version, such as `tea-consensus/1`."""
Level = Literal["high", "moderate", "low", "very_low"]
"""A level of certainty."""

_NUMBER = r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,9}|/[1-9][0-9]{0,8})?"
_WRITTEN: dict[str, Any] = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"^{_NUMBER}$"}]}


def exact(value: Any) -> Any:
    """The number that is written as `2`, `0.5` or `1/2`; a float as it is printed."""
    is_number = isinstance(value, int | float | Decimal | str | Fraction) and not isinstance(value, bool)
    if not is_number or not re.fullmatch(_NUMBER, str(value)):
        raise ValueError("must be a number, written as 2, 0.5 or 1/2")
    return Fraction(str(value))


def _within(lowest: Fraction, highest: Fraction) -> BeforeValidator:
    def check(value: Any) -> Any:
        number = exact(value)
        if not lowest <= number <= highest:
            raise ValueError(f"must be from {lowest} to {highest}")
        return number

    return BeforeValidator(check)


_AS_TEXT = PlainSerializer(str, return_type=str, when_used="json")
Weight = Annotated[Fraction, _within(Fraction(1, 1000), Fraction(1000)), _AS_TEXT, WithJsonSchema(_WRITTEN)]
"""Not 0: what weighs nothing is what nobody recorded the design of."""
Total = Annotated[Fraction, _within(Fraction(0), Fraction(1000)), _AS_TEXT, WithJsonSchema(_WRITTEN)]
MinorShare = Annotated[Fraction, _within(Fraction(0), Fraction(1, 2)), _AS_TEXT, WithJsonSchema(_WRITTEN)]
MajorShare = Annotated[Fraction, _within(Fraction(1, 2), Fraction(1)), _AS_TEXT, WithJsonSchema(_WRITTEN)]
Share = Annotated[Fraction, _within(Fraction(0), Fraction(1)), _AS_TEXT, WithJsonSchema(_WRITTEN)]
Ratio = Annotated[Fraction, _within(Fraction(1), Fraction(1000)), _AS_TEXT, WithJsonSchema(_WRITTEN)]
Number = Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
Amount = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
Few = Annotated[int, Field(ge=1, le=100, strict=True)]


class Grading(ContentModel):
    """The numbers of the method that differ from those of the software, and the names of the method with them. What is
    left out is as in the software. `docs/method.md` explains the rules."""

    consensus: MethodName | None = None
    """The name under which grades say by what the consensus was found, such as `tea-consensus/1`. Another name or
    version for other numbers."""
    certainty: MethodName | None = None
    """The same for the certainty."""

    randomized_large: Weight | None = None
    """R4: what a randomized trial of many people weighs."""
    randomized_small: Weight | None = None
    """R4: what another randomized trial weighs."""
    comparative: Weight | None = None
    """R4: what a comparison without random assignment weighs."""
    uncontrolled: Weight | None = None
    """R4: what a study without a comparison weighs."""
    preclinical: Weight | None = None
    """R4: what a case report and work in the laboratory weigh."""
    large_trial_people: Amount | None = None
    """R4: from how many people on a randomized trial is large."""
    case_report_people: Number | None = None
    """R4: below how many people a study weighs as a case report."""
    max_halvings: Annotated[int, Field(ge=0, le=20, strict=True)] | None = None
    """R4: for how many reasons of indirectness a weight is halved at most."""

    informative_units: Few | None = None
    """R5: how many units must vote."""
    informative_weight: Total | None = None
    """R5: how much they must weigh together."""
    conflict_share: MinorShare | None = None
    """R5: the share of the weight on the smaller side from which on studies conflict."""
    leaning_share: MajorShare | None = None
    """R5: the share of the weight to which the evidence leans."""
    unanimous_units: Few | None = None
    """R5: how many units make unanimity, one of them randomized."""
    unanimous_independent_trials: Few | None = None
    """R5: how many randomized trials of different authors do."""

    review_unit_large: Weight | None = None
    """R6: what all systematic reviews together weigh with a large meta-analysis among them."""
    review_unit_small: Weight | None = None
    """R6: what they weigh without one."""
    review_unit_people: Amount | None = None
    """R6: from how many people on a meta-analysis is large."""
    review_unit_counts: Few | None = None
    """R6: as how many units they count."""

    start_randomized: Level | None = None
    """Step 2: where certainty starts for randomized trials."""
    start_other: Level | None = None
    """Step 2: for other studies in people."""
    start_laboratory: Level | None = None
    """Step 2: for laboratory work."""
    start_reviews_of_trials: Level | None = None
    """Step 2: for reviews of randomized trials."""
    start_other_reviews: Level | None = None
    """Step 2: for other reviews."""

    full_text_share: Share | None = None
    """Step 3: the share of the weight that must have been read in full text for high certainty."""
    inconsistency_i2: Annotated[int, Field(ge=0, le=100, strict=True)] | None = None
    """Step 4: I² of a pooled estimate, in per cent, from which on results are inconsistent."""
    precise_people: Number | None = None
    """Step 6: from how many people on nothing is imprecise."""
    imprecise_people: Number | None = None
    """Step 6: below how many people imprecision takes two levels."""
    few_events: Number | None = None
    """Step 6: below how many events of harm it does."""

    important_harm_ratio: Ratio | None = None
    """Coding: the smallest increase of a harm that matters, as a ratio."""
