"""A patient's medicines as a request describes them, read leniently from R4 JSON. They live as long as the request.

Record systems send what no validator accepts (a Bundle without `type`, an order without a drug), so nothing is
validated: what can be read is read, and what cannot is a gap in the check.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from app.cds_hooks.bundles import Gap, Resource, ResourceList, medications, read_list
from app.cds_hooks.drugs import Formulary
from app.cds_hooks.fhir_json import text_member
from app.cds_hooks.medicines import PAST, Medicine, MedicineReader, short_reference
from app.cds_hooks.supply import recorded_on, written_on

MEDICATIONS, STOPPED, STATEMENTS = "medications", "stopped", "statements"
RECENT = timedelta(days=30)
"""How long after its last day an ended medicine is still shown: wider than the days that labels ask for."""
USUAL_SUPPLY = timedelta(days=30)
"""A page of history that goes back further than this before `RECENT` is enough: what was dispensed before is gone."""

_IGNORED = frozenset({"entered-in-error", "cancelled", "not-taken"})


class UnreadHistory(StrEnum):
    """What the pages of the history that were not sent may hold."""

    none = "none"
    older = "older"
    """Only what ended long ago: the page is sorted, newest first, and reaches far enough back."""
    recent = "recent"
    """What ended recently: all that was sent is recent."""
    unknown = "unknown"


@dataclass(frozen=True)
class Chart:
    drafts: tuple[Medicine, ...]
    current: tuple[Medicine, ...]
    past: tuple[Medicine, ...]
    gaps: frozenset[Gap]
    """What is missing from the lists, except pages of the history."""
    is_draft_cut: bool
    """Whether the drafts that the hook is about could not be read whole, since there is too much of them."""
    unread_history: UnreadHistory
    has_lists: bool
    """Whether any list of medicines was sent."""
    today: date | None
    """Today by the dates in the request, so that the same request always gets the same answer."""

    @property
    def selected(self) -> tuple[Medicine, ...]:
        """The drafts that the hook is about."""
        return tuple(draft for draft in self.drafts if draft.is_selected)

    @property
    def recent(self) -> tuple[Medicine, ...]:
        """What ended recently, or at a time that was not read."""
        return tuple(
            medicine
            for medicine in self.past
            if medicine.last_day is None or self.today is None or self.today - medicine.last_day <= RECENT
        )


def read_chart(
    formulary: Formulary,
    draft_orders: Any,
    selections: Iterable[str],
    prefetch: Mapping[str, Any] | None,
    list_names: Collection[str],
) -> Chart:
    """The drafts and the medicines in the lists of the prefetch."""
    sent = prefetch or {}
    reader = MedicineReader(formulary, medications([draft_orders, *sent.values()]))
    drafted = read_list(draft_orders)
    orders = list(drafted.orders)
    drafts, has_all = reader.medicines(order for order in orders if _status(order) not in _IGNORED | PAST)
    drafts = _selected(drafts, selections)
    ending, _ = reader.medicines(order for order in orders if _status(order) in _IGNORED | PAST)
    is_draft_cut = not has_all or Gap.too_large in drafted.gaps or any(one.is_cut for one in drafts if one.is_selected)
    lists = {name: read_list(sent[name]) for name in list_names if name in sent}
    listed_orders = [order for one in lists.values() for order in one.orders if _status(order) not in _IGNORED]
    listed, has_all_listed = reader.medicines(listed_orders)
    is_cut = is_draft_cut or not has_all_listed or any(medicine.is_cut for medicine in (*drafts, *listed))
    ended, changed = _names(ending), _names(drafts)
    listed = [replace(medicine, is_past=True) if _name(medicine) in ended else medicine for medicine in listed]
    listed = [medicine for medicine in listed if _name(medicine) not in changed]
    today = _today(orders, listed_orders)
    return Chart(
        drafts=tuple(drafts),
        current=tuple(medicine for medicine in listed if not medicine.is_past),
        past=tuple(medicine for medicine in listed if medicine.is_past),
        gaps=frozenset(_gaps(lists, list_names, listed) | ({Gap.too_large} if is_cut else set())),
        is_draft_cut=is_draft_cut,
        unread_history=_unread_history(lists.get(STOPPED), today),
        has_lists=bool(lists),
        today=today,
    )


def _status(order: Resource) -> str:
    return text_member(order, "status")


def _selected(drafts: list[Medicine], selections: Iterable[str]) -> list[Medicine]:
    """The drafts, of which those are selected that `selections` names; all of them if it names none."""
    chosen = {short_reference(selection) for selection in selections}
    names = {draft.reference for draft in drafts}
    if not chosen & {name for name in names if name}:
        return drafts
    is_open = not chosen <= names  # a draft without an id may be the one that is meant
    return [
        replace(draft, is_selected=draft.reference in chosen or (draft.reference is None and is_open))
        for draft in drafts
    ]


def _name(medicine: Medicine) -> tuple[str | None, str]:
    """What tells which order a draft changes. The id alone is not enough: ids of drafts may be made up."""
    return medicine.reference, medicine.drug.name


def _names(drafts: Iterable[Medicine]) -> set[tuple[str | None, str]]:
    return {_name(draft) for draft in drafts if draft.reference is not None}


def _today(drafts: Iterable[Resource], listed: Iterable[Resource]) -> date | None:
    """The day on which the newest draft was written; without one, the latest day on which any record was written."""
    written = [day for draft in drafts if (day := written_on(draft))]
    recorded = [day for order in listed if (day := recorded_on(order))]
    return max(written or recorded, default=None)


def _gaps(lists: Mapping[str, ResourceList], names: Collection[str], listed: Iterable[Medicine]) -> set[Gap]:
    """What is missing. Further pages of the history are judged by what the first one holds."""
    gaps = {gap for one in lists.values() for gap in one.gaps}
    if any(name not in lists for name in names):
        gaps.add(Gap.omitted)
    if any(one.is_paged for name, one in lists.items() if name != STOPPED):
        gaps.add(Gap.paged)
    if any(not medicine.drug.is_known and not medicine.is_past for medicine in listed):
        gaps.add(Gap.unrecognised)
    return gaps


def _unread_history(history: ResourceList | None, today: date | None) -> UnreadHistory:
    if history is None or not history.is_paged:
        return UnreadHistory.none
    days = [day for order in history.orders if (day := written_on(order))]
    if not days or today is None:
        return UnreadHistory.unknown
    if min(days) >= today - RECENT:
        return UnreadHistory.recent
    is_sorted = days == sorted(days, reverse=True)
    return UnreadHistory.older if is_sorted and days[-1] < today - RECENT - USUAL_SUPPLY else UnreadHistory.unknown
