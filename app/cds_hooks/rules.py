"""Which rules apply to a chart, and to which medicines. Pure; the words are in `cards.py`."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

from app.cds_hooks.bundles import Gap
from app.cds_hooks.chart import Chart, UnreadHistory
from app.cds_hooks.drugs import CodedText
from app.cds_hooks.medicines import Medicine
from app.claims.doses import PICOGRAMS
from app.claims.vocabulary import Unit

LOW_TIERS = frozenset({"very_low", "low", "intermediate"})
"""Doses on which evidence about low-dose naltrexone is shown; the highest of the trials, 6 mg, is intermediate."""
LABEL_START_DOSE = 25 * PICOGRAMS[Unit.mg]
"""The daily dose, in picograms, with which the label begins. It and higher doses are not low."""
OPIOID_USE_DISORDER, ALCOHOL_USE_DISORDER = "opioid-use-disorder", "alcohol-use-disorder"
LABEL_CONDITIONS = frozenset({OPIOID_USE_DISORDER, ALCOHOL_USE_DISORDER})
"""Conditions for which the label gives the full dose; a dose above the low ones is then a step towards it."""

ConditionsOf = Callable[[CodedText], Collection[str]]
"""Ids of the conditions that the reasons of an order name."""


class Rule(StrEnum):
    """The names are stable, for those who reproduce a card."""

    both_drafted = "naltrexone-and-opioid-drafted"
    naltrexone_meets_opioid = "naltrexone-drafted-opioid-current"
    opioid_meets_naltrexone = "opioid-drafted-naltrexone-current"
    both_current = "naltrexone-and-opioid-current"
    proposed = "naltrexone-and-opioid-proposed"
    cautioned = "naltrexone-with-cautioned-medicine"
    naltrexone_after_opioid = "naltrexone-drafted-opioid-recent"
    opioid_after_naltrexone = "opioid-drafted-naltrexone-recent"
    opioid_use_disorder = "naltrexone-drafted-opioid-use-disorder"
    liver_disease = "naltrexone-drafted-liver-disease"
    hypersensitivity = "naltrexone-drafted-hypersensitivity"
    incomplete = "opioid-check-incomplete"
    record_incomplete = "record-check-incomplete"
    evidence = "ldn-evidence"

    @property
    def is_critical(self) -> bool:
        return self in _CRITICAL


_CRITICAL = (
    Rule.both_drafted,
    Rule.naltrexone_meets_opioid,
    Rule.opioid_meets_naltrexone,
    Rule.both_current,
    Rule.hypersensitivity,
)


@dataclass(frozen=True)
class Finding:
    rule: Rule
    naltrexone: tuple[Medicine, ...] = ()
    opioids: tuple[Medicine, ...] = ()
    removable: Medicine | None = None
    """The draft that a suggestion may remove."""
    gaps: tuple[Gap, ...] = ()


class NotEnoughData(Exception):
    """No list that the check needs was sent, so nothing can be checked."""


def findings(chart: Chart, conditions_of: ConditionsOf, *, views_chart: bool = False) -> list[Finding]:
    """Most urgent first. `views_chart`: nothing is being ordered, so the current medicines themselves are checked.

    NotEnoughData if a check is due and no list of medicines was sent.
    """
    if not is_check_due(chart, views_chart=views_chart):
        return []
    selected, current = DrugPair.of(chart.selected), DrugPair.of(chart.current)
    result = [*_meetings(chart, selected, current, views_chart=views_chart)]
    if not result and not chart.has_lists:
        raise NotEnoughData
    result += _recent(selected, DrugPair.of(chart.recent))
    result += _cautions(chart, selected.naltrexone)
    if not result:
        result += _dependence(selected.naltrexone, conditions_of)
    subject = current if views_chart else selected
    gaps = _gaps(chart, subject, views_chart=views_chart)
    if gaps and not any(finding.rule.is_critical for finding in result):
        result.append(Finding(Rule.incomplete, *subject, gaps=gaps))
    low = tuple(m for m in subject.naltrexone if is_low_dose(m, conditions_of(m.reasons)))
    if low:
        result.append(Finding(Rule.evidence, low))
    return result


def is_check_due(chart: Chart, *, views_chart: bool) -> bool:
    """Whether there is anything to check; otherwise lists that were not sent are not fetched."""
    is_unread = chart.is_draft_cut or any(draft.is_unread for draft in chart.selected)
    return views_chart or is_unread or any(map(_matters, chart.selected))


def is_low_dose(medicine: Medicine, conditions: Collection[str] = ()) -> bool:
    """Whether evidence on low-dose naltrexone applies: by the dose, or by the name if no dose was read.

    `conditions` are those for which it is ordered.
    """
    if not medicine.drug.is_naltrexone or medicine.drug.is_combination:
        return False
    if medicine.dose is None:
        return medicine.says_low_dose
    tiers, highest = {tier.value for tier in medicine.dose.tiers}, medicine.dose.daily.high
    if not tiers or not LOW_TIERS.issuperset(tiers) or highest is None or highest >= LABEL_START_DOSE:
        return False
    return "intermediate" not in tiers or LABEL_CONDITIONS.isdisjoint(conditions)


class DrugPair(NamedTuple):
    """The two sides of the check."""

    naltrexone: tuple[Medicine, ...]
    opioids: tuple[Medicine, ...]

    @classmethod
    def of(cls, medicines: Iterable[Medicine]) -> Self:
        medicines = tuple(medicines)
        return cls(tuple(m for m in medicines if m.drug.is_naltrexone), tuple(m for m in medicines if m.drug.is_opioid))


def _matters(medicine: Medicine) -> bool:
    return medicine.drug.is_naltrexone or medicine.drug.is_opioid or bool(medicine.drug.cautions)


def _meetings(chart: Chart, selected: DrugPair, current: DrugPair, *, views_chart: bool) -> Iterator[Finding]:
    """Pairs that would be taken together. Of two drafts at least one must be selected."""
    drafted = DrugPair.of(chart.drafts)
    if drafted.naltrexone and drafted.opioids and (selected.naltrexone or selected.opioids):
        naltrexone = drafted.naltrexone if selected.opioids else selected.naltrexone
        opioids = drafted.opioids if selected.naltrexone else selected.opioids
        yield _meeting(Rule.both_drafted, naltrexone, opioids, (selected.naltrexone or selected.opioids)[0])
    if selected.naltrexone and current.opioids:
        yield _meeting(Rule.naltrexone_meets_opioid, selected.naltrexone, current.opioids, selected.naltrexone[0])
    if selected.opioids and current.naltrexone:
        yield _meeting(Rule.opioid_meets_naltrexone, current.naltrexone, selected.opioids, selected.opioids[0])
    if views_chart and current.naltrexone and current.opioids:
        yield _meeting(Rule.both_current, current.naltrexone, current.opioids, None)


def _meeting(
    rule: Rule, naltrexone: tuple[Medicine, ...], opioids: tuple[Medicine, ...], removable: Medicine | None
) -> Finding:
    """The meeting of what is ordered; of what is only proposed if a side has nothing else."""
    ordered = DrugPair.of(medicine for medicine in (*naltrexone, *opioids) if not medicine.is_proposed)
    return Finding(rule, *ordered, removable) if all(ordered) else Finding(Rule.proposed, naltrexone, opioids)


def _recent(selected: DrugPair, ended: DrugPair) -> Iterator[Finding]:
    if selected.naltrexone and ended.opioids:
        yield Finding(Rule.naltrexone_after_opioid, selected.naltrexone, ended.opioids, selected.naltrexone[0])
    if selected.opioids and ended.naltrexone:
        yield Finding(Rule.opioid_after_naltrexone, ended.naltrexone, selected.opioids)


def _cautions(chart: Chart, naltrexone: tuple[Medicine, ...]) -> Iterator[Finding]:
    """Naltrexone with medicines of the quieter rules, where one of the two is being ordered and the other is there."""
    there = (*chart.drafts, *chart.current)
    cautioned = tuple(medicine for medicine in there if medicine.drug.cautions)
    if not naltrexone and any(medicine.drug.cautions for medicine in chart.selected):
        cautioned = tuple(medicine for medicine in chart.selected if medicine.drug.cautions)
        naltrexone = DrugPair.of(there).naltrexone
    if naltrexone and cautioned:
        yield Finding(Rule.cautioned, naltrexone, cautioned)


def _dependence(naltrexone: tuple[Medicine, ...], conditions_of: ConditionsOf) -> Iterator[Finding]:
    """Naltrexone for opioid use disorder: what was taken may be on no list."""
    ordered = tuple(m for m in naltrexone if OPIOID_USE_DISORDER in conditions_of(m.reasons))
    if ordered:
        yield Finding(Rule.opioid_use_disorder, ordered)


def _gaps(chart: Chart, subject: DrugPair, *, views_chart: bool) -> tuple[Gap, ...]:
    """The gaps that matter for the medicines in question, which may be among those that were too many to read."""
    gaps = set(chart.gaps)
    has_unread_draft = any(draft.is_unread for draft in chart.selected)
    if has_unread_draft and (gaps or any(map(_matters, (*chart.drafts, *chart.current, *chart.recent)))):
        gaps.add(Gap.unread_draft)
    elif not any(subject) and not chart.is_draft_cut and not (views_chart and Gap.too_large in gaps):
        return ()
    if subject.naltrexone and any(not medicine.drug.is_known for medicine in chart.recent):
        gaps.add(Gap.unrecognised)
    if _may_hide_recent(chart.unread_history, subject):
        gaps.add(Gap.paged)
    return tuple(gap for gap in Gap if gap in gaps)


def _may_hide_recent(history: UnreadHistory, subject: DrugPair) -> bool:
    """Whether unread pages of the history may hold what matters.

    Before naltrexone it is an opioid, which many people have had. Before an opioid it is naltrexone, which few have: a
    page that nothing is known of is no reason to interrupt every order of an opioid.
    """
    if history is UnreadHistory.recent:
        return any(subject)
    return history is UnreadHistory.unknown and bool(subject.naltrexone)
