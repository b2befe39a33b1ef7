"""Figures as text: an estimate as its citation states it. What was not read is not made up."""

from decimal import Decimal

from app.claims.catalogue_responses import ReportedFrequency
from app.claims.responses import EstimateRead
from app.claims.vocabulary import Comparison, Measure
from app.core.english import inline

NOT_REPORTED = "not reported"
_MINUS = "\N{MINUS SIGN}"
_COMPARISONS = {
    Comparison.within_group: "before against after, no comparison between groups",
    Comparison.single_arm: "before against after, or a share, without a comparison group",
}
_UNITS = {"{score}": "points"}


def number(value: Decimal | float) -> str:
    """Exact, without zeros at the end."""
    text = f"{Decimal(str(value)).normalize():f}"
    return text.replace("-", _MINUS)


def unit(estimate: EstimateRead) -> str:
    """With a space before it; empty for figures without one."""
    if estimate.unit is None:
        return ""
    return f" {_UNITS.get(estimate.unit, estimate.unit.strip('{}'))}"


def estimate_text(estimate: EstimateRead) -> str:
    """`Mean difference 0.34 points (95 % CI 0.27 to 0.95), p = 0.27; 12 weeks; numeric rating scale, 0-10`."""
    parts = [_sizes(estimate), _p_value(estimate)]
    details = [
        ", ".join(filter(None, parts)) or NOT_REPORTED,
        "pooled by the review" if estimate.pooled else "",
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
    return f"{measure} {number(estimate.value)}{unit(estimate)}{_interval(estimate)}{f' ({arms})' if arms else ''}"


def _interval(estimate: EstimateRead) -> str:
    if estimate.ci_low is None or estimate.ci_high is None:
        return "" if estimate.measure in (Measure.count_, Measure.proportion) else ", interval not reported"
    level = f"{number(estimate.ci_level)} % CI" if estimate.ci_level is not None else "CI, level not reported:"
    return f" ({level} {number(estimate.ci_low)} to {number(estimate.ci_high)})"


def _arms(estimate: EstimateRead) -> str:
    texts = []
    for arm in estimate.arms:
        if arm.events is not None and arm.total is not None:
            texts.append(f"{arm.events} of {arm.total} on {inline(arm.name)}")
        elif arm.value is not None:
            texts.append(f"{number(arm.value)}{unit(estimate)} on {inline(arm.name)}")
    return " against ".join(texts)


def _p_value(estimate: EstimateRead) -> str:
    if estimate.p_value is None:
        return ""
    return f"p {estimate.p_operator or '='} {number(estimate.p_value)}"
