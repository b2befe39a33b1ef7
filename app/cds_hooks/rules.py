"""Which rules apply to a chart, and to which medicines. Pure; the words are in `cards.py`."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self

from app.cds_hooks.bundles import Gap
from app.cds_hooks.chart import Chart, UnreadHistory
from app.cds_hooks.drugs import CodedText, Formulary, Interaction
from app.cds_hooks.medicines import Medicine
from app.claims.doses import PICOGRAMS
from app.concepts.manifest_cds import CdsEvidence, CdsPatientCheck, CdsReasonCheck
from app.concepts.units import MASS

ConditionsOf = Callable[[CodedText], Collection[str]]
"""Ids of the conditions that the reasons of an order name."""


class Rule(StrEnum):
    """Why a card is shown. Under which name it says so, the manifest of the data set decides (`wording.py`)."""

    both_drafted = "both_drafted"
    first_drafted = "first_drafted"
    """A drug of the first set of an interaction rule, while one of the second is current."""
    second_drafted = "second_drafted"
    both_current = "both_current"
    proposed = "proposed"
    cautioned = "cautioned"
    """Of rules that do not contraindicate."""
    first_after_second = "first_after_second"
    second_after_first = "second_after_first"
    reason_check = "reason_check"
    patient_check = "patient_check"
    incomplete = "incomplete"
    record_incomplete = "record_incomplete"
    evidence = "evidence"


_CRITICAL = (Rule.both_drafted, Rule.first_drafted, Rule.second_drafted, Rule.both_current)


@dataclass(frozen=True)
class Finding:
    rule: Rule
    first: tuple[Medicine, ...] = ()
    second: tuple[Medicine, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    """Those by which the medicines meet, or could not be examined."""
    check: CdsReasonCheck | CdsPatientCheck | None = None
    removable: Medicine | None = None
    """The draft that a suggestion may remove."""
    gaps: tuple[Gap, ...] = ()

    @property
    def is_critical(self) -> bool:
        if self.rule is Rule.patient_check:
            return isinstance(self.check, CdsPatientCheck) and self.check.is_critical
        return self.rule in _CRITICAL


class NotEnoughData(Exception):
    """No list that the check needs was sent, so nothing can be checked."""


def findings(
    chart: Chart, formulary: Formulary, conditions_of: ConditionsOf, *, views_chart: bool = False
) -> list[Finding]:
    """Most urgent first. `views_chart`: nothing is being ordered, so the current medicines themselves are checked.

    NotEnoughData if a check is due and no list of medicines was sent.
    """
    if not is_check_due(chart, formulary, views_chart=views_chart):
        return []
    result = [
        finding for interaction in formulary.loud for finding in _meetings(chart, interaction, views_chart=views_chart)
    ]
    if not result and not chart.has_lists:
        raise NotEnoughData
    result += [finding for interaction in formulary.loud for finding in _recent(chart, interaction)]
    result += [finding for interaction in formulary.quiet for finding in _cautions(chart, interaction)]
    watched = [medicine for medicine in chart.selected if medicine.drug.is_watched]
    if not result:
        result += _reason_checks(formulary, watched, conditions_of)
    subject = DrugPair.of(chart.current if views_chart else chart.selected, *formulary.loud)
    gaps = _gaps(chart, formulary, subject, views_chart=views_chart)
    if gaps and formulary.loud and not any(finding.is_critical for finding in result):
        medicines = (*subject.first, *subject.second)
        concerned = (one for one in formulary.loud if any(one.concerns(medicine.drug) for medicine in medicines))
        result.append(Finding(Rule.incomplete, *subject, tuple(concerned) or formulary.loud, gaps=gaps))
    seen = [medicine for medicine in chart.current if medicine.drug.is_watched] if views_chart else watched
    if evidence := formulary.cds.evidence:
        fitting = tuple(medicine for medicine in seen if is_fitting(medicine, evidence, conditions_of))
        if fitting:
            result.append(Finding(Rule.evidence, fitting))
    return result


def is_check_due(chart: Chart, formulary: Formulary, *, views_chart: bool) -> bool:
    """Whether there is anything to check; otherwise lists that were not sent are not fetched."""
    is_unread = chart.is_draft_cut or any(draft.is_unread for draft in chart.selected)
    return views_chart or is_unread or any(formulary.matters(draft.drug) for draft in chart.selected)


def is_fitting(medicine: Medicine, evidence: CdsEvidence, conditions_of: ConditionsOf) -> bool:
    """Whether the evidence applies: by the dose, or by the name if no dose was read."""
    if not medicine.drug.is_watched or medicine.drug.is_combination:
        return False
    if medicine.dose is None:
        return medicine.fits_evidence or not evidence.names
    tiers, highest = [tier.value for tier in medicine.dose.tiers], medicine.dose.daily.high
    if evidence.tiers and (not tiers or not set(evidence.tiers).issuperset(tiers)):
        return False
    is_mass = medicine.dose.daily.of == MASS
    if evidence.below_mg is not None and (
        highest is None or not is_mass or highest >= evidence.below_mg * PICOGRAMS["mg"]
    ):
        return False
    if set(evidence.full_dose_tiers).isdisjoint(tiers):
        return True
    return set(evidence.full_dose_conditions).isdisjoint(conditions_of(medicine.reasons))


class DrugPair(NamedTuple):
    """The two sides of a check."""

    first: tuple[Medicine, ...]
    second: tuple[Medicine, ...]

    @classmethod
    def of(cls, medicines: Iterable[Medicine], *interactions: Interaction) -> Self:
        medicines = tuple(medicines)
        return cls(
            tuple(m for m in medicines if any(one.is_first(m.drug) for one in interactions)),
            tuple(m for m in medicines if any(one.is_second(m.drug) for one in interactions)),
        )


def _meetings(chart: Chart, interaction: Interaction, *, views_chart: bool) -> Iterator[Finding]:
    """Pairs that would be taken together. Of two drafts at least one must be selected."""
    selected, current, drafted = (
        DrugPair.of(medicines, interaction) for medicines in (chart.selected, chart.current, chart.drafts)
    )
    if drafted.first and drafted.second and (selected.first or selected.second):
        first = drafted.first if selected.second else selected.first
        second = drafted.second if selected.first else selected.second
        removable = (selected.first or selected.second)[0]
        yield _meeting(Rule.both_drafted, DrugPair(first, second), interaction, removable)
    if selected.first and current.second:
        pair = DrugPair(selected.first, current.second)
        yield _meeting(Rule.first_drafted, pair, interaction, selected.first[0])
    if selected.second and current.first:
        pair = DrugPair(current.first, selected.second)
        yield _meeting(Rule.second_drafted, pair, interaction, selected.second[0])
    if views_chart and current.first and current.second:
        yield _meeting(Rule.both_current, current, interaction, None)


def _meeting(rule: Rule, pair: DrugPair, interaction: Interaction, removable: Medicine | None) -> Finding:
    """The meeting of what is ordered; of what is only proposed if a side has nothing else."""
    everything = (*pair.first, *pair.second)
    ordered = DrugPair.of((medicine for medicine in everything if not medicine.is_proposed), interaction)
    if all(ordered):
        return Finding(rule, *ordered, (interaction,), removable=removable)
    return Finding(Rule.proposed, *pair, (interaction,))


def _recent(chart: Chart, interaction: Interaction) -> Iterator[Finding]:
    selected, ended = DrugPair.of(chart.selected, interaction), DrugPair.of(chart.recent, interaction)
    if selected.first and ended.second:
        yield Finding(
            Rule.first_after_second, selected.first, ended.second, (interaction,), removable=selected.first[0]
        )
    if selected.second and ended.first:
        yield Finding(Rule.second_after_first, ended.first, selected.second, (interaction,))


def _cautions(chart: Chart, interaction: Interaction) -> Iterator[Finding]:
    """Medicines of a quieter rule, where one of the two is being ordered and the other is there."""
    there = DrugPair.of((*chart.drafts, *chart.current), interaction)
    selected = DrugPair.of(chart.selected, interaction)
    first, second = (selected.first, there.second) if selected.first else (there.first, selected.second)
    if first and second:
        yield Finding(Rule.cautioned, first, second, (interaction,))


def _reason_checks(formulary: Formulary, watched: Iterable[Medicine], conditions_of: ConditionsOf) -> Iterator[Finding]:
    """The intervention ordered for a condition that is warned of: what was taken may be on no list."""
    for check in formulary.cds.reason_checks:
        ordered = tuple(medicine for medicine in watched if check.condition in conditions_of(medicine.reasons))
        if ordered:
            yield Finding(Rule.reason_check, ordered, check=check)


def _gaps(chart: Chart, formulary: Formulary, subject: DrugPair, *, views_chart: bool) -> tuple[Gap, ...]:
    """The gaps that matter for the medicines in question, which may be among those that were too many to read."""
    gaps = set(chart.gaps)
    has_unread_draft = any(draft.is_unread for draft in chart.selected)
    there = (*chart.drafts, *chart.current, *chart.recent)
    if has_unread_draft and (gaps or any(formulary.matters(medicine.drug) for medicine in there)):
        gaps.add(Gap.unread_draft)
    elif not any(subject) and not chart.is_draft_cut and not (views_chart and Gap.too_large in gaps):
        return ()
    if subject.first and any(not medicine.drug.is_known for medicine in chart.recent):
        gaps.add(Gap.unrecognised)
    if _may_hide_recent(chart.unread_history, subject):
        gaps.add(Gap.paged)
    return tuple(gap for gap in Gap if gap in gaps)


def _may_hide_recent(history: UnreadHistory, subject: DrugPair) -> bool:
    """Whether unread pages of the history may hold what matters.

    The first set of a rule is the smaller one. Before a drug of it, one of the second set matters, which many people
    have had. Before one of the second set it is the other way round: a page that nothing is known of is no reason to
    interrupt every order.
    """
    if history is UnreadHistory.recent:
        return any(subject)
    return history is UnreadHistory.unknown and bool(subject.first)
