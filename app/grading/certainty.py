"""Certainty of a claim: steps 1 to 8 of `docs/method.md`. Pure functions."""

from collections.abc import Callable, Sequence
from fractions import Fraction

from app.claims.vocabulary import AnsweringBody, Certainty, Consensus, Directness, Kind, Leaning
from app.grading.definitions import share_in_words
from app.grading.evidence import CitationEvidence, EvidenceUnit, Step, Verdict, plain, votes
from app.grading.method import Method
from app.sources.vocabulary import IncludedDesigns

_LEVELS = (Certainty.very_low, Certainty.low, Certainty.moderate, Certainty.high)

Reduction = tuple[int, str, dict[str, object]]
"""Levels that a step takes off, its sentence and its inputs."""


def certainty_of(
    units: Sequence[EvidenceUnit],
    informative: Sequence[CitationEvidence],
    verdict: Verdict,
    kind: Kind,
    method: Method,
    steps: list[Step],
) -> Certainty:
    """Steps 1 to 8: certainty in the answer that the leaning gives; without a leaning it is very low."""
    if not units:
        steps.append(Step("1", "Nothing that could be graded was measured.", {}, Certainty.not_graded))
        return Certainty.not_graded
    body, start = _body(units, method, steps)
    if verdict.body is AnsweringBody.reviews:
        informative = [item for item in informative if item.citation in body[0].citations]
    level = _LEVELS.index(start)
    for rule, (levels, text, inputs) in (
        ("3", _limitations(body)),
        ("4", _inconsistency(body, informative, verdict.consensus, method)),
        ("5", _indirectness(body)),
        ("6", _imprecision(body, informative, kind, method)),
        ("7", _concern(body)),
    ):
        steps.append(Step(rule, text, inputs, f"-{levels}" if levels else "no step"))
        level -= levels
    level = max(level, 0)
    moderate, low = _LEVELS.index(Certainty.moderate), _LEVELS.index(Certainty.low)
    if _share(body, lambda unit: unit.full_text) < method.full_text_share and level > moderate:
        level = moderate
        text = f"Less than {share_in_words(method.full_text_share)} of the weight was read in full text: capped."
        steps.append(Step("3", text, {}, "moderate"))
    if verdict.consensus is Consensus.insufficient and level > low:
        level = low
        steps.append(Step("8", "Insufficient evidence: capped at low.", {}, "low"))
    if verdict.leaning is Leaning.neither and level > 0:
        level = 0
        steps.append(Step("8", "The evidence leans to neither side: very low.", {}, "very_low"))
    certainty = _LEVELS[level]
    text = f"{certainty.label} certainty in the answer '{verdict.leaning.label.lower()}'."
    steps.append(Step("8", text, {}, certainty))
    return certainty


def _body(units: Sequence[EvidenceUnit], method: Method, steps: list[Step]) -> tuple[list[EvidenceUnit], Certainty]:
    """Steps 1 and 2: the units that are graded, and the level at which they start."""
    weighable = [unit for unit in units if unit.is_weighable] or list(units)
    reviews = [unit for unit in weighable if unit.is_reviews]
    randomized = [unit for unit in weighable if unit.randomized]
    human = [unit for unit in weighable if unit.human]
    if reviews:
        body, name = reviews, "all systematic reviews together"
        is_of_trials = reviews[0].included_designs is IncludedDesigns.randomized
        start = method.start_reviews_of_trials if is_of_trials else method.start_other_reviews
    elif any(unit.direct for unit in randomized):
        body, start, name = randomized, method.start_randomized, "all randomized studies, since at least one is direct"
    elif human:
        body, start, name = human, method.start_other, "all other studies in people"
    else:
        body, start, name = weighable, method.start_laboratory, "laboratory studies only; there is none in people"
    steps.append(Step("1", f"The body of evidence: {name}.", {"units": [unit.study for unit in body]}))
    steps.append(Step("2", f"It starts at {start.label.lower()}.", {"no_human_evidence": not human}, start))
    return body, start


def _share(body: Sequence[EvidenceUnit], condition: Callable[[EvidenceUnit], bool]) -> Fraction:
    """Share of the body's weight in units that meet a condition."""
    of_those = [unit for unit in body if condition(unit)]
    if not of_those:
        return Fraction(0)
    weight = sum((unit.weight for unit in body), Fraction(0))
    return sum((unit.weight for unit in of_those), Fraction(0)) / weight if weight else Fraction(0)


def _limitations(body: Sequence[EvidenceUnit]) -> Reduction:
    """Step 3: known serious limits."""
    limited, full_text = _share(body, lambda unit: unit.limited), _share(body, lambda unit: unit.full_text)
    text = f"Studies with a known serious limit hold {_percent(limited)} of the weight; not assessed is not low risk."
    inputs: dict[str, object] = {"limited_share": float(limited), "full_text_share": float(full_text)}
    return int(limited >= Fraction(1, 2)), text, inputs


def _inconsistency(
    body: Sequence[EvidenceUnit], informative: Sequence[CitationEvidence], consensus: Consensus, method: Method
) -> Reduction:
    """Step 4: conflicting results, or I² of the newest direct pooled estimate."""
    pooled = [item for item in informative if item.pooled_i2 is not None and item.directness is Directness.direct]
    newest = max(pooled, key=lambda item: (item.issued or "", item.citation), default=None)
    i2 = newest.pooled_i2 if newest else None
    inputs: dict[str, object] = {"units": len(body), "i2": None if i2 is None else float(i2)}
    if len(body) == 1:
        return 0, "One unit: inconsistency cannot be assessed.", inputs
    is_heterogeneous = i2 is not None and i2 >= method.inconsistency_i2
    read = "not read." if i2 is None else f"{plain(i2)} %."
    text = f"Consensus is {consensus.label.lower()}; I² of the newest direct pooled estimate: {read}"
    return int(consensus is Consensus.conflicting or is_heterogeneous), text, inputs


def _indirectness(body: Sequence[EvidenceUnit]) -> Reduction:
    """Step 5: indirect evidence; two levels where most of it is indirect for two reasons."""
    indirect, doubly = _share(body, lambda unit: bool(unit.reasons)), _share(body, lambda unit: len(unit.reasons) >= 2)
    levels = 0 if indirect < Fraction(1, 2) else (2 if doubly > indirect / 2 else 1)
    text = f"Indirect studies hold {_percent(indirect)} of the weight."
    return levels, text, {"indirect_share": float(indirect), "two_reasons_share": float(doubly)}


def _imprecision(
    body: Sequence[EvidenceUnit], informative: Sequence[CitationEvidence], kind: Kind, method: Method
) -> Reduction:
    """Step 6: few people, few events of harm, no confidence interval."""
    people = sum(unit.people or 0 for unit in body)
    unread = sum(unit.people is None for unit in body)
    levels = 0 if people >= method.precise_people else (1 if people >= method.imprecise_people else 2)
    text = f"{people} people were analysed" + (f" ({unread} studies of unknown size add none)." if unread else ".")
    counts = [item.events for item in informative if item.events is not None]
    if kind is Kind.safety and counts and sum(counts) < method.few_events:
        levels = 2
        text += f" Only {sum(counts)} events were counted."
    has_interval = any(item.has_ci and item.directness is Directness.direct for item in informative)
    if not has_interval:
        levels += 1
        text += " No confidence interval on this outcome was read from a direct source."
    return levels, text, {"people": people, "interval_read": has_interval, "events": sum(counts) if counts else None}


def _concern(body: Sequence[EvidenceUnit]) -> Reduction:
    """Step 7: documents under an expression of concern that supply half or more of one side."""
    sides = zip(votes(body), votes(unit for unit in body if unit.of_concern), strict=True)
    is_doubtful = any(total and doubtful * 2 >= total for total, doubtful in sides)
    text = (
        "Documents under an expression of concern supply half or more of one side."
        if is_doubtful
        else "No side rests on documents under an expression of concern."
    )
    return int(is_doubtful), f"{text} Publication bias was not assessed and gives no credit.", {}


def _percent(share: Fraction) -> str:
    return f"{round(float(share) * 100)} %"
