"""The method in force (`docs/method.md`): the numbers of `method.yaml`, where they have a name and a version, those
that the data set states in their place, and how its designs weigh."""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.claims.vocabulary import Certainty
from app.concepts.manifest import (
    UNDESCRIBED,
    Manifest,
    StoredManifest,
    current_manifest,
    manifest_at,
    manifest_in_force,
)
from app.concepts.manifest_grading import Grading, exact
from app.concepts.study_designs import SHIPPED_DESIGNS, StudyDesigns

_FILE = Path(__file__).with_name("method.yaml")


Exact = Annotated[Fraction, BeforeValidator(exact)]
"""An exact number; in YAML an integer or a text such as `1/2`."""


class Method(BaseModel):
    """The numbers of one version of the method, and how designs weigh. To change a number makes a new version."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    consensus: str
    certainty: str

    # R4: weights by design
    randomized_large: Exact
    randomized_small: Exact
    comparative: Exact
    uncontrolled: Exact
    preclinical: Exact
    large_trial_people: int
    case_report_people: int
    max_halvings: int

    # R5: enough evidence, conflict, leaning, unanimity
    informative_units: int
    informative_weight: Exact
    conflict_share: Exact
    leaning_share: Exact
    unanimous_units: int
    unanimous_independent_trials: int

    # R6: systematic reviews where no study votes
    review_unit_large: Exact
    review_unit_small: Exact
    review_unit_people: int
    review_unit_counts: int

    # Step 2: where certainty starts
    start_randomized: Certainty
    start_other: Certainty
    start_laboratory: Certainty
    start_reviews_of_trials: Certainty
    start_other_reviews: Certainty

    # Steps 3, 4 and 6
    full_text_share: Exact
    inconsistency_i2: int
    precise_people: int
    imprecise_people: int
    few_events: int

    # Coding (`app/grading/coding.py`)
    important_harm_ratio: Exact

    designs: StudyDesigns = SHIPPED_DESIGNS
    """Each of them says how it weighs; no numbers of the file."""


def load_method(path: Path = _FILE) -> Method:
    """The method in a YAML file; pydantic's ValidationError if a number is missing, unknown or malformed."""
    return Method.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


METHOD = load_method()
"""That of the software, which holds for a data set that states no other."""


@lru_cache(maxsize=16)
def _method_with(grading: Grading | None, designs: StudyDesigns) -> Method:
    stated = grading.model_dump(exclude_none=True) if grading else {}
    return Method.model_validate({**dict(METHOD), **stated, "designs": designs})


def _numbers(method: Method) -> dict[str, object]:
    return method.model_dump(exclude={*_NAMES, "designs"})


_NAMES = ("consensus", "certainty")


def has_same_numbers(method: Method, other: Method) -> bool:
    """Whether both make the same of the same evidence, as far as designs weigh the same."""
    return _numbers(method) == _numbers(other)


def grading_faults(grading: Grading) -> Iterator[tuple[str, str]]:
    """Names that are missing or not the data set's own, and numbers that contradict each other: where, and why."""
    method = _method_with(grading, SHIPPED_DESIGNS)
    is_own = not has_same_numbers(method, METHOD)
    for part in _NAMES:
        name, shipped = getattr(grading, part), getattr(METHOD, part)
        family = shipped.partition("/")[0]
        if name is None and is_own:
            yield part, f"is missing: numbers other than those of {shipped} need a name, such as my-{family}/1"
        elif name is not None and name.partition("/")[0] == family and (is_own or name != shipped):
            yield part, f"is a name of the software's own method: choose another, such as my-{family}/1"
    if method.imprecise_people > method.precise_people:
        yield "imprecise_people", f"must not exceed precise_people, which is {method.precise_people}"
    if method.randomized_small > method.randomized_large:
        yield "randomized_small", f"must not exceed randomized_large, which is {method.randomized_large}"
    if method.review_unit_small > method.review_unit_large:
        yield "review_unit_small", f"must not exceed review_unit_large, which is {method.review_unit_large}"


def method_of(manifest: Manifest) -> Method:
    """The method of a data set: what its manifest leaves out is that of the software."""
    return _method_with(manifest.grading, manifest.study_designs)


def method_in_force(session: Session) -> Method:
    """The method that derived values of this transaction follow."""
    return method_of(manifest_in_force(session))


def current_method(session: Session, serial: int | None = None) -> Method:
    """The method as of now, or the one that the data set stated at a serial."""
    later = select(StoredManifest.serial).where(StoredManifest.serial > serial).limit(1) if serial else None
    if later is None or session.scalar(later) is None:
        return method_of(current_manifest(session))
    return method_of(manifest_at(session, serial) or UNDESCRIBED)
