"""The numbers of the method (`docs/method.md`)."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Method:
    """The numbers of one version of the method. To change any of them makes a new version."""

    consensus: str = "consensus/1"
    certainty: str = "grade-like/1"

    # R4: weights by design
    randomized_large: Fraction = Fraction(4)
    randomized_small: Fraction = Fraction(2)
    comparative: Fraction = Fraction(1)
    uncontrolled: Fraction = Fraction(1, 2)
    preclinical: Fraction = Fraction(1, 4)
    large_trial_people: int = 50
    case_report_people: int = 5
    max_halvings: int = 2

    # R5: enough evidence, conflict, leaning
    informative_units: int = 2
    informative_weight: Fraction = Fraction(2)
    conflict_share: Fraction = Fraction(1, 5)
    leaning_share: Fraction = Fraction(3, 5)

    # R6: systematic reviews where no study is cited itself
    review_unit_large: Fraction = Fraction(4)
    review_unit_small: Fraction = Fraction(2)
    review_unit_people: int = 400

    # Steps 3, 4 and 6
    full_text_share: Fraction = Fraction(2, 3)
    inconsistency_i2: int = 75
    precise_people: int = 400
    imprecise_people: int = 100
    few_events: int = 50


METHOD = Method()
