"""The numbers of the method (`docs/method.md`), read from `method.yaml`, where they have a name and a version."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict

from app.claims.vocabulary import Certainty

_FILE = Path(__file__).with_name("method.yaml")


def _fraction(value: Any) -> Any:
    return Fraction(value) if isinstance(value, int | str) else value


Ratio = Annotated[Fraction, BeforeValidator(_fraction)]
"""An exact number; in YAML an integer or a text such as `1/2`."""


class Method(BaseModel):
    """The numbers of one version of the method. To change any of them makes a new version."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    consensus: str
    certainty: str

    # R4: weights by design
    randomized_large: Ratio
    randomized_small: Ratio
    comparative: Ratio
    uncontrolled: Ratio
    preclinical: Ratio
    large_trial_people: int
    case_report_people: int
    max_halvings: int

    # R5: enough evidence, conflict, leaning, unanimity
    informative_units: int
    informative_weight: Ratio
    conflict_share: Ratio
    leaning_share: Ratio
    unanimous_units: int
    unanimous_independent_trials: int

    # R6: systematic reviews where no study votes
    review_unit_large: Ratio
    review_unit_small: Ratio
    review_unit_people: int
    review_unit_counts: int

    # Step 2: where certainty starts
    start_randomized: Certainty
    start_other: Certainty
    start_laboratory: Certainty
    start_reviews_of_trials: Certainty
    start_other_reviews: Certainty

    # Steps 3, 4 and 6
    full_text_share: Ratio
    inconsistency_i2: int
    precise_people: int
    imprecise_people: int
    few_events: int

    # Coding (`app/grading/coding.py`)
    important_harm_ratio: Ratio


def load_method(path: Path = _FILE) -> Method:
    """The method in a YAML file; pydantic's ValidationError if a number is missing, unknown or malformed."""
    return Method.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


METHOD = load_method()
