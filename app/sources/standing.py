"""How far a document stands: the one entry of its history that holds now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.sources.identifiers import normal_or_none
from app.sources.vocabulary import IdentifierScheme, Standing

if TYPE_CHECKING:
    from app.sources.schemas import StandingEntry

SERIOUSNESS = {
    standing: rank
    for rank, standing in enumerate(
        (
            Standing.not_checked,
            Standing.current,
            Standing.reinstated,
            Standing.corrected,
            Standing.preprint,
            Standing.superseded,
            Standing.expression_of_concern,
            Standing.retracted,
        )
    )
}
"""From the least to the most serious."""
CHECKS = frozenset({Standing.not_checked, Standing.current})
"""They say that somebody looked, or that nobody did, and change nothing that was stated."""
_LIFTED_BY_REINSTATEMENT = frozenset({Standing.retracted, Standing.expression_of_concern})


def entry_in_force(history: Sequence[StandingEntry]) -> StandingEntry:
    """The most serious entry that no reinstatement has lifted; of two alike, the later in the history.

    What a feed says is often undated, or two things on one day. Then nothing tells which came last, and what warns a
    reader holds.
    """
    reinstatements = [entry for entry in history if entry.standing is Standing.reinstated]
    standing = [
        (SERIOUSNESS[entry.standing], position)
        for position, entry in enumerate(history)
        if entry.standing not in _LIFTED_BY_REINSTATEMENT
        or not any(_lifts(reinstatement, entry) for reinstatement in reinstatements)
    ]
    return history[max(standing)[1]]


def checked_on(history: Sequence[StandingEntry]) -> str | None:
    """When somebody last looked and found nothing new; null if nobody did, or nobody said when."""
    return max((entry.on for entry in history if entry.standing is Standing.current and entry.on), default=None)


def notice_doi(entry: StandingEntry) -> str | None:
    """The DOI of the notice in its normal form; null if there is none that can be read."""
    return normal_or_none(IdentifierScheme.doi, entry.notice.doi) if entry.notice else None


def _lifts(reinstatement: StandingEntry, entry: StandingEntry) -> bool:
    """Whether the reinstatement names the notice of the entry, or came later for certain."""
    notice = notice_doi(entry)
    if notice is not None and notice == notice_doi(reinstatement):
        return True
    if entry.on is None or reinstatement.on is None:
        return False
    known = min(len(entry.on), len(reinstatement.on))  # `2024` may be before or after `2024-05`
    return entry.on[:known] < reinstatement.on[:known]
