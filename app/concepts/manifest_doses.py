"""The bands of doses that a data set tells apart for an intervention: the section `dose_tiers` of its manifest."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.concepts.vocabulary import Unit
from app.core.content import ContentModel
from app.core.text import DoseNumber, OneLine, Slug

BandName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
"""The value by which a band of doses is named, such as in the filter `tier`."""


class DoseBand(ContentModel):
    """A band begins where the one before it ends, the first at nothing, and the last one has no end."""

    value: BandName
    label: OneLine
    definition: OneLine
    below: DoseNumber | None = None
    """Its end, which is the first dose of the next band."""
    up_to: DoseNumber | None = None
    """Its end, which is a dose of this band."""

    @property
    def end(self) -> DoseNumber | None:
        return self.up_to if self.below is None else self.below


class DoseTiers(ContentModel):
    """The bands of an intervention; they hold for what inherits from it as well, such as the regimens of a drug."""

    intervention: Slug
    unit: Unit
    per: Literal["day", "week"] = "day"
    """Whether the ends of the bands are totals of a day or of a week. Doses of any period are compared with them, in
    any unit that can be compared with `unit`."""
    bands: tuple[DoseBand, ...] = Field(min_length=1)
    """From the lowest to the highest."""

    @model_validator(mode="after")
    def _ascending(self) -> "DoseTiers":
        *others, last = self.bands
        if last.below is not None or last.up_to is not None:
            raise ValueError("the last band has no end: leave out its `below` and `up_to`")
        if any((band.below is None) == (band.up_to is None) for band in others):
            raise ValueError("every band but the last has an end: either `below` or `up_to`")
        ends = [band.end for band in others if band.end is not None]
        if any(end <= 0 for end in ends) or any(one >= other for one, other in pairwise(ends)):
            raise ValueError("the bands ascend: each ends above the one before it")
        if len({band.value for band in self.bands}) < len(self.bands):
            raise ValueError("no two bands have the same `value`")
        return self
