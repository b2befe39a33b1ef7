"""Which rules apply to a chart, and to which medicines. Pure; the words are in `cards.py`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

from app.cds_hooks.chart import Chart, Gap, Medicine
from app.claims.vocabulary import DoseTier

LOW_TIERS = frozenset({DoseTier.very_low, DoseTier.low, DoseTier.intermediate})
"""Doses on which evidence about low-dose naltrexone is shown; the highest of the trials, 6 mg, is intermediate."""


class Rule(StrEnum):
    """The names are stable, for those who reproduce a card."""

    both_drafted = "naltrexone-and-opioid-drafted"
    naltrexone_meets_opioid = "naltrexone-drafted-opioid-current"
    opioid_meets_naltrexone = "opioid-drafted-naltrexone-current"
    both_current = "naltrexone-and-opioid-current"
    naltrexone_after_opioid = "naltrexone-drafted-opioid-recent"
    opioid_after_naltrexone = "opioid-drafted-naltrexone-recent"
    incomplete = "opioid-check-incomplete"
    evidence = "ldn-evidence"

    @property
    def is_critical(self) -> bool:
        return self in _CRITICAL


_CRITICAL = (Rule.both_drafted, Rule.naltrexone_meets_opioid, Rule.opioid_meets_naltrexone, Rule.both_current)


@dataclass(frozen=True)
class Finding:
    rule: Rule
    naltrexone: tuple[Medicine, ...] = ()
    opioids: tuple[Medicine, ...] = ()
    removable: Medicine | None = None
    """The draft that a suggestion may remove."""
    gaps: tuple[Gap, ...] = ()


class NotEnoughData(Exception):
    """No list of medicines was sent, so nothing can be checked."""


def findings(chart: Chart, *, views_chart: bool = False) -> list[Finding]:
    """Most urgent first. `views_chart`: nothing is being ordered, so the current medicines themselves are checked.

    NotEnoughData if a check is due and no list of medicines was sent.
    """
    if not is_check_due(chart, views_chart=views_chart):
        return []
    drafted, current = _Pair.of(chart.drafts), _Pair.of(chart.current)
    result = [*_critical(drafted, current, views_chart)]
    if not result and not chart.has_lists:
        raise NotEnoughData
    result += _recent(drafted, _Pair.of(medicine for medicine in chart.past if chart.is_recent(medicine)))
    if chart.gaps and not any(finding.rule.is_critical for finding in result):
        gaps = tuple(gap for gap in Gap if gap in chart.gaps)
        result.append(Finding(Rule.incomplete, *drafted, gaps=gaps))
    low = tuple(filter(is_low_dose, (current if views_chart else drafted).naltrexone))
    if low:
        result.append(Finding(Rule.evidence, low))
    return result


def is_check_due(chart: Chart, *, views_chart: bool) -> bool:
    """Whether there is anything to check; otherwise lists that were not sent are not fetched."""
    return views_chart or any(medicine.drug.is_naltrexone or medicine.drug.is_opioid for medicine in chart.drafts)


def is_low_dose(medicine: Medicine) -> bool:
    """Whether evidence on low-dose naltrexone applies: by the dose, or by the name if no dose was read."""
    if not medicine.drug.is_naltrexone or medicine.drug.is_combination:
        return False
    if medicine.dose is None:
        return medicine.says_low_dose
    return bool(medicine.dose.tiers) and LOW_TIERS.issuperset(medicine.dose.tiers)


class _Pair(NamedTuple):
    naltrexone: tuple[Medicine, ...]
    opioids: tuple[Medicine, ...]

    @classmethod
    def of(cls, medicines: Iterable[Medicine]) -> Self:
        medicines = tuple(medicines)
        return cls(tuple(m for m in medicines if m.drug.is_naltrexone), tuple(m for m in medicines if m.drug.is_opioid))


def _critical(drafted: _Pair, current: _Pair, views_chart: bool) -> Iterator[Finding]:
    if drafted.naltrexone and drafted.opioids:
        yield Finding(Rule.both_drafted, *drafted, drafted.naltrexone[0])
    if drafted.naltrexone and current.opioids:
        yield Finding(Rule.naltrexone_meets_opioid, drafted.naltrexone, current.opioids, drafted.naltrexone[0])
    if drafted.opioids and current.naltrexone:
        yield Finding(Rule.opioid_meets_naltrexone, current.naltrexone, drafted.opioids, drafted.opioids[0])
    if views_chart and current.naltrexone and current.opioids:
        yield Finding(Rule.both_current, *current)


def _recent(drafted: _Pair, ended: _Pair) -> Iterator[Finding]:
    if drafted.naltrexone and ended.opioids:
        yield Finding(Rule.naltrexone_after_opioid, drafted.naltrexone, ended.opioids, drafted.naltrexone[0])
    if drafted.opioids and ended.naltrexone:
        yield Finding(Rule.opioid_after_naltrexone, ended.naltrexone, drafted.opioids)
