"""How much of one request is read. What leaves something out says so, and the card says that the check is incomplete.

Far above what records hold: what stays below these bounds takes at most about a second, whatever it is. Work is
counted, not timed, so that the same request always gets the same answer.
"""

MAX_ENTRIES = 5000
"""Of each list."""
MAX_PARTS = 500
"""Codes, ingredients and references of one order or diagnosis."""
MAX_DEPTH = 8
"""Of ingredients in ingredients."""
MAX_TEXT = 1000
"""Characters of one text."""
MAX_INSTRUCTIONS = 100
"""Dosage instructions of one order, and doses of one instruction."""
_MAX_WORK = 400_000
"""Of all that is read of one request."""

ORDER_WORK, PART_WORK, CODE_WORK, STRENGTH_WORK, INSTRUCTION_WORK = 70, 3, 10, 5, 10
TEXT_WORK, DOSE_WORK, REASON_WORK, SCANNED_PER_WORK = 1, 5, 1, 100
"""What reading costs, by measurement, where a character of a product's name costs 1: an order, a part, a code, a
strength, and a dosage instruction or a dose in it; a character of a name, of a dosage instruction and of a reason; 100
characters in which only a word is looked for."""


class WorkCounter:
    """The work that one request has taken."""

    def __init__(self) -> None:
        self._work = 0

    def add(self, work: int) -> None:
        self._work += work

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be read."""
        return self._work >= _MAX_WORK
