"""What has to be said of a chart: which rule fires, on which medicines. Pure; the words are in `cards.py`."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.cds_hooks.reading import Chart, Gap, Medicine
from app.claims.vocabulary import DoseTier

LOW_TIERS = frozenset({DoseTier.very_low, DoseTier.low, DoseTier.intermediate})
"""Doses on which evidence about low-dose naltrexone is shown; the highest of the trials, 6 mg, is intermediate."""


class Rule(StrEnum):
    """Stable names, for those who reproduce a card."""

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
        return self in (
            Rule.both_drafted,
            Rule.naltrexone_meets_opioid,
            Rule.opioid_meets_naltrexone,
            Rule.both_current,
        )


@dataclass(frozen=True)
class Finding:
    rule: Rule
    naltrexone: tuple[Medicine, ...] = ()
    opioids: tuple[Medicine, ...] = ()
    removable: Medicine | None = None
    """The draft that a suggestion may take away."""
    gaps: tuple[Gap, ...] = ()


class NotEnoughData(Exception):
    """Nothing was sent that the check could be made on."""


def findings(chart: Chart, *, views_chart: bool = False) -> list[Finding]:
    """Most urgent first. `views_chart`: nothing is being ordered, so the current medicines are looked at themselves.

    NotEnoughData where a check is due and no list of medicines was sent.
    """
    naltrexone, opioids = _naltrexone(chart.drafts), _opioids(chart.drafts)
    if not is_due(chart, views_chart=views_chart):
        return []
    found = [*_critical(chart, naltrexone, opioids, views_chart)]
    if not found and not chart.sent:
        raise NotEnoughData
    found += _recent(chart, naltrexone, opioids)
    if chart.gaps and not any(finding.rule.is_critical for finding in found):
        gaps = tuple(gap for gap in Gap if gap in chart.gaps)
        found.append(Finding(Rule.incomplete, naltrexone, opioids, gaps=gaps))
    low = tuple(m for m in (_naltrexone(chart.current) if views_chart else naltrexone) if is_low_dose(m))
    if low:
        found.append(Finding(Rule.evidence, low))
    return found


def is_due(chart: Chart, *, views_chart: bool) -> bool:
    """Whether there is anything to check; only then are medicines that were not sent worth asking for."""
    return views_chart or any(medicine.drug.naltrexone or medicine.drug.opioid for medicine in chart.drafts)


def is_low_dose(medicine: Medicine) -> bool:
    """Whether evidence on low-dose naltrexone is about this: by the dose, or by its name where no dose was read."""
    if not medicine.drug.naltrexone or medicine.drug.combination:
        return False
    if medicine.dose is None:
        return medicine.says_low_dose
    return bool(medicine.dose.tiers) and LOW_TIERS.issuperset(medicine.dose.tiers)


def _critical(
    chart: Chart, naltrexone: tuple[Medicine, ...], opioids: tuple[Medicine, ...], views_chart: bool
) -> Iterator[Finding]:
    current_naltrexone, current_opioids = _naltrexone(chart.current), _opioids(chart.current)
    if naltrexone and opioids:
        yield Finding(Rule.both_drafted, naltrexone, opioids, naltrexone[0])
    if naltrexone and current_opioids:
        yield Finding(Rule.naltrexone_meets_opioid, naltrexone, current_opioids, naltrexone[0])
    if opioids and current_naltrexone:
        yield Finding(Rule.opioid_meets_naltrexone, current_naltrexone, opioids, opioids[0])
    if views_chart and current_naltrexone and current_opioids:
        yield Finding(Rule.both_current, current_naltrexone, current_opioids)


def _recent(chart: Chart, naltrexone: tuple[Medicine, ...], opioids: tuple[Medicine, ...]) -> Iterator[Finding]:
    recent = tuple(medicine for medicine in chart.past if chart.recently(medicine))
    if naltrexone and (ended := _opioids(recent)):
        yield Finding(Rule.naltrexone_after_opioid, naltrexone, ended, naltrexone[0])
    if opioids and (ended := _naltrexone(recent)):
        yield Finding(Rule.opioid_after_naltrexone, ended, opioids)


def _naltrexone(medicines: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    return tuple(medicine for medicine in medicines if medicine.drug.naltrexone)


def _opioids(medicines: tuple[Medicine, ...]) -> tuple[Medicine, ...]:
    return tuple(medicine for medicine in medicines if medicine.drug.opioid)
