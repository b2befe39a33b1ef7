"""Figures as text: an estimate as its citation states it. What was not read is not made up."""

from decimal import Decimal

from app.claims.catalogue_responses import ReportedFrequency
from app.claims.responses import EstimateRead
from app.claims.vocabulary import Comparison, Measure
from app.core.english import inline, quantity

NOT_REPORTED = "not reported"
_MINUS = "\N{MINUS SIGN}"
_COMPARISONS = {
    Comparison.within_group: "before against after, no comparison between groups",
    Comparison.single_arm: "before against after, or a share, without a comparison group",
}
_UNITS = {"{score}": "points"}


def number(value: Decimal | float | None) -> str:
    """Exact, without zeros at the end, with a true minus sign; `not reported` for null."""
    if value is None:
        return NOT_REPORTED
    text = f"{Decimal(str(value)).normalize():f}"
    return text.replace("-", _MINUS)


def unit(estimate: EstimateRead) -> str:
    """With a space before it; empty for figures without one."""
    if estimate.unit is None:
        return ""
    return f" {_UNITS.get(estimate.unit, estimate.unit.strip('{}'))}"


def estimate_text(estimate: EstimateRead) -> str:
    """`Mean difference 0.34 points (95 % CI 0.27 to 0.95), p = 0.27; 12 weeks; numeric rating scale, 0-10`."""
    p_value = f"p {p_value_text(estimate)}" if estimate.p_value is not None else ""
    studies = f" from {quantity(estimate.k, 'study', 'studies')}" if estimate.k else ""
    details = [
        ", ".join(filter(None, [_sizes(estimate), p_value])) or NOT_REPORTED,
        f"pooled by the review{studies}" if estimate.pooled else "",
        estimate.timepoint or "",
        estimate.scale or "",
        _COMPARISONS.get(estimate.comparison, "") if estimate.comparison else "",
    ]
    return "; ".join(filter(None, details))


def frequency_text(frequency: ReportedFrequency) -> str:
    """`placebo: 12 of 47 (25.5 %), 12 weeks`; what the source does not give is left out."""
    of = f" of {frequency.total}" if frequency.total is not None else ""
    events = f"{frequency.events}{of}" if frequency.events is not None else ""
    percent = f"{number(frequency.percent)} %" if frequency.percent is not None else ""
    counted = f"{events} ({percent})" if events and percent else events or f"{percent}{of}" or NOT_REPORTED
    arm = f"{frequency.arm}: " if frequency.arm else ""
    return f"{arm}{counted}{f', {frequency.timepoint}' if frequency.timepoint else ''}"


def _sizes(estimate: EstimateRead) -> str:
    if estimate.value is None:
        return _arms(estimate)
    measure = estimate.measure.label if estimate.measure else "Value"
    arms = _arms(estimate)
    return f"{measure} {number(estimate.value)}{unit(estimate)}{_after_value(estimate)}{f' ({arms})' if arms else ''}"


def _after_value(estimate: EstimateRead) -> str:
    if interval := interval_text(estimate):
        return f" ({interval}{', level not reported' if estimate.ci_level is None else ''})"
    return "" if estimate.measure in (Measure.count_, Measure.proportion) else ", interval not reported"


def interval_text(estimate: EstimateRead) -> str | None:
    """`95 % CI 0.27 to 0.95`; null where not both ends are reported."""
    if estimate.ci_low is None or estimate.ci_high is None:
        return None
    level = f"{number(estimate.ci_level)} % " if estimate.ci_level is not None else ""
    return f"{level}CI {number(estimate.ci_low)} to {number(estimate.ci_high)}"


def _arms(estimate: EstimateRead) -> str:
    texts = []
    for arm in estimate.arms:
        if arm.events is not None:
            counted = f"{arm.events} of {number(arm.total)}"
        elif arm.value is not None:
            counted = f"{number(arm.value)}{unit(estimate)}"
        else:
            continue
        texts.append(f"{counted} on {inline(arm.name)}{f' (n = {arm.n})' if arm.n is not None else ''}")
    return " against ".join(texts)


def p_value_text(estimate: EstimateRead) -> str:
    """`= 0.27`, `< 0.001`."""
    return NOT_REPORTED if estimate.p_value is None else f"{estimate.p_operator or '='} {number(estimate.p_value)}"
