"""Reads how much is taken, and how often, from the words of an order. What is ambiguous is not read at all."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, Self

from app.cds_hooks.bounds import MAX_TEXT
from app.cds_hooks.words import word_set
from app.concepts.units import MASS, SHIPPED_UNITS, Units
from app.core.folding import unify_marks


class UnreadableDose(Exception):
    """Something is said about the dose, but it cannot be read without guessing."""


@dataclass(frozen=True)
class Span:
    """A range of numbers, both ends inclusive; a single number has two equal ends."""

    low: Decimal
    high: Decimal

    def times(self, factor: Decimal) -> "Span":
        return Span(self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Mass:
    """How much of the drug, in milligrams; where doses are of another kind, in the unit that stands for it."""

    span: Span


@dataclass(frozen=True)
class Pieces:
    """A number of capsules or tablets; `each` are the milligrams in one of them, if the words say so."""

    count: Span
    each: Decimal | None = None


@dataclass(frozen=True)
class Volume:
    """Milliliters of a solution."""

    span: Span


Quantity = Mass | Pieces | Volume


@dataclass(frozen=True)
class DoseWords:
    """What the words of an instruction say."""

    quantities: tuple[Quantity, ...] = ()
    times_a_day: Fraction | None = None
    """Null if the words do not say how often."""
    is_titration: bool = False
    """Whether the quantities are steps that follow each other."""
    is_split: bool = False
    """Whether the quantities are taken at different times of one day."""
    concentration: Decimal | None = None
    """Milligrams in one milliliter."""


@dataclass(frozen=True)
class Product:
    """What the words for a product say about its strength."""

    strength: Decimal | None = None
    """Milligrams in one capsule or tablet."""
    concentration: Decimal | None = None
    """Milligrams in one milliliter."""


def read_instruction(text: str, own_words: Collection[str] = (), amounts: "AmountWords | None" = None) -> DoseWords:
    """UnreadableDose where the words could mean several doses, or are too many. `own_words` name the drug itself."""
    if len(text) > MAX_TEXT:
        raise UnreadableDose
    folded, amounts = _folded(text), amounts or MASSES
    _refuse_ambiguous(folded, amounts)
    is_titration = _TITRATION.search(folded) is not None
    kept = _without_cautions(folded, is_titration)
    concentration, kept = _concentration(kept, amounts)
    quantities = _quantities(kept, own_words, amounts)
    is_twice = _MORNING.search(kept) is not None and _EVENING.search(kept) is not None
    is_split = is_twice and len(quantities) > 1 and not is_titration
    times = Fraction(2) if is_twice and not is_split else _times_a_day(kept, is_titration)
    return DoseWords(quantities, Fraction(1) if is_split else times, is_titration, is_split, concentration)


def read_product(texts: Iterable[str], amounts: "AmountWords | None" = None) -> Product:
    """The strength of a product, if its names agree on one."""
    amounts = amounts or MASSES
    strengths: set[Decimal] = set()
    concentrations: set[Decimal] = set()
    for text in texts:
        folded = _folded(text)
        try:
            _refuse_ambiguous(folded, amounts)
            concentration, rest = _concentration(folded, amounts)
            masses = [_span_of(match, amounts) for match in amounts.patterns.mass.finditer(rest)]
        except UnreadableDose:
            return Product()
        concentrations.update([concentration] if concentration else [])
        if any(mass.low != mass.high for mass in masses):
            return Product()
        strengths.update(mass.low for mass in masses)
    return Product(
        strengths.pop() if len(strengths) == 1 else None,
        concentrations.pop() if len(concentrations) == 1 else None,
    )


# --- folding ------------------------------------------------------------------------------------------------------

_REPLACEMENTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<=\d)[\u00a0\u202f\u2009](?=\d{3}(?!\d))", "'"),  # spaces that hold a number together
        (r"[^\S\n]{2,}", " "),  # long runs of spaces would take long to read
        (r"\s{2,}", "\n"),  # and have a line break by now
        ("\u00bd", " 1/2"),
        ("\u00bc", " 1/4"),
        ("\u00be", " 3/4"),
    )
)
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\d{10,}", " "),  # a number of an article or a person, never of a dose
        (r"\((?:s|n|en|e)\)", "s"),
        (r"\b([a-z])\.([a-z])\.(?:([a-z])\.?)?", r"\1\2\3"),
        (r"(?<!\s)\s+and\s+(?:a|one)[\s-]half\b", " 1/2"),
        (r"\b(?:one[\s-])?half(?:\s+of)?(?:\s+an?)?\b", "1/2"),
        (
            r"\b(?:one|a|an|ein|eine|une|un|una)(?=\s+(?:capsule|tablet|cap|tab|kapsel|tablette|g\u00e9lule|pill|comprim))",
            "1",
        ),
        (r"\b(?:one|eine?)\b", "1"),
        (r"\b(?:two|zwei|deux|dos)\b", "2"),
        (r"\b(?:three|drei|trois|tres)\b", "3"),
        (r"\b(?:four|vier|quatre|cuatro)\b", "4"),
        (r"\bfive\b", "5"),
        (r"\bsix\b", "6"),
        (r"(?<!\d)(\d+)\s*\((?:\1|seven|eight|nine|ten|twelve|fourteen|twenty(?:[\s-]four)?|thirty)\)", r"\1"),
        (r"\bonce\b", "1 times"),
        (r"\btwice\b", "2 times"),
        (r"\b(?:thrice)\b", "3 times"),
    )
)


def fold_unit(text: str) -> str:
    """A unit in lower case, with one spelling of the micro sign, without braces and brackets: `{Cap(s)}` is `caps`."""
    return re.sub(r"\((?:s|n|en|e)\)", "s", unicodedata.normalize("NFKC", text).strip().lower()).strip("{}")


def _folded(text: str) -> str:
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement, text)
    text = unicodedata.normalize("NFKC", unify_marks(text)).lower()
    for pattern, replacement in _WORDS:
        text = pattern.sub(replacement, text)
    return text


_CLAUSE_END = re.compile(r"[;\n]+|\.(?=\s|$)")
_CAUTION = re.compile(
    r"\b(?:avoid|do not|don't|never|unless|if|instead of|previous|previously|stop|hold)\b.*", re.DOTALL
)
_LIMIT = re.compile(r"\b(?:not? (?:to )?(?:more than|exceed\w*)|max|maximum|limit)\b.*", re.DOTALL)
_DISPENSED = re.compile(r"(?:\b(?:disp\w*|qty|quantity|supply)\b|#)\W*\d+\s*\w*")
_TITRATION = re.compile(
    r"\b(?:then|thereafter|increas\w*|titrat\w*|taper\w*|escalat\w*|raise|up to|step|weeks? \d"
    r"|after \d+ (?:days?|weeks?)"
    r"|reduc\w*|decreas\w*|steiger\w*|dann|puis|luego)\b"
)


def _without_cautions(folded: str, is_titration: bool) -> str:
    """The text without warnings, and without limits unless they are the goal of a titration."""
    clauses = [_CAUTION.sub("", clause) for clause in _CLAUSE_END.split(_DISPENSED.sub(" ", folded))]
    return "\n".join(clauses if is_titration else [_LIMIT.sub("", clause) for clause in clauses])


# --- numbers and units --------------------------------------------------------------------------------------------

_NUMBER = r"(?<![\d.,/'])(?:\d+\s+\d/\d|\d/\d|\d+(?:[.,']\d+)*|[.,]\d+)(?![\d/])"
_TO = r"\s*(?:-|to|bis|or|\u00e0)\s*"
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:([.,'])\d{3})(?:\1\d{3})*")


_VOLUME_UNIT = r"(?:ml|milliliters?|millilitres?|cc)\b"
_PIECE_UNIT = (
    r"(?:caps?|capsules?|kapseln?|kapsels|g\u00e9lules?|c\u00e1psulas?|tabs?|tablets?|tbl|tabletten?|comprim\u00e9s?|"
    r"comprimidos?|pills?|troches?|lozenges?|each|units?)\b"
)
VOLUME_UNIT, PIECE_UNIT = re.compile(_VOLUME_UNIT), re.compile(_PIECE_UNIT)


def number(text: str, *, has_thousands: bool = False) -> Decimal:
    """The value of a number. UnreadableDose if one point or comma before three digits may mean thousands or decimals,
    unless it is known that thousands are meant by a comma."""
    if "/" in text:
        whole, _, fraction = text.rpartition(" ")
        top, bottom = (Decimal(part) for part in fraction.split("/"))
        if not bottom:
            raise UnreadableDose
        return Decimal(whole.strip() or 0) + top / bottom
    separators = "".join(c for c in text if not c.isdigit())
    grouped = _THOUSANDS.fullmatch(text) is not None
    if grouped and (len(separators) > 1 or separators == "'" or (separators == "," and has_thousands)):
        return Decimal(re.sub(r"\D", "", text))
    if grouped or "'" in separators or len(separators) > 2:
        raise UnreadableDose
    if len(separators) == 2:
        whole, _, decimals = text.rpartition(separators[1])
        if separators[0] == separators[1] or not _THOUSANDS.fullmatch(whole):
            raise UnreadableDose
        return Decimal(f"{re.sub(r'[^0-9]', '', whole)}.{decimals}")
    return Decimal(text.replace(",", "."))


def _span(first: str, second: str | None = None, *, has_thousands: bool = False) -> Span:
    low = number(first, has_thousands=has_thousands)
    high = number(second, has_thousands=has_thousands) if second else low
    if not 0 < low <= high < 1_000_000:
        raise UnreadableDose
    return Span(low, high)


# --- quantities ---------------------------------------------------------------------------------------------------

_VOLUME = re.compile(rf"(?P<first>{_NUMBER})(?:{_TO}(?P<second>{_NUMBER}))?\s*{_VOLUME_UNIT}")
_BARE_COUNT = re.compile(
    r"(?:\b(?:take|give|use|nehmen|prendre|tomar)\s+"
    r"|(?:^|[\s:])(?=\d[\d/.\s-]{0,20}(?:po|qhs|hs|qd|bid|tid|nightly|daily|by mouth)\b))"
    rf"(?P<first>{_NUMBER})(?:{_TO}(?P<second>{_NUMBER}))?"
    r"(?!\s*(?:-|times|x\b|h\b|hours?|hrs?|days?|nights?|weeks?|months?|minutes?|min\b|drops?|sprays?|puffs?|tsp|tea|%|\d))"
)
_SCHEME = re.compile(r"(?<![\d.-])\d\s*-\s*\d\s*-\s*\d(?![\d.])")

_BY = re.compile(r"\bby\s+$")
_MAX_WORD = 40
_WORD_BEFORE = re.compile(r"([^\W\d_]\w*)[\s(:=,]*$")
_WORD_AFTER = re.compile(r"\s*(?:of\s+)?([^\W\d_]\w*)")


class AmountPatterns(NamedTuple):
    """Amounts in texts, in the units of one kind."""

    concentration: re.Pattern[str]
    pieces: re.Pattern[str]
    multiple: re.Pattern[str]
    mass: re.Pattern[str]
    spaced_thousands: re.Pattern[str]
    per_weight: re.Pattern[str]

    @classmethod
    def of(cls, unit: str) -> Self:
        """`unit` matches the name of a unit."""
        return cls(
            concentration=re.compile(
                rf"(?P<amount>{_NUMBER})\s*(?P<unit>{unit})\s*(?:/|per|in)\s*(?P<volume>\d+(?:[.,]\d+)?)?\s*{_VOLUME_UNIT}"
            ),
            pieces=re.compile(
                rf"(?P<first>{_NUMBER})(?:{_TO}(?P<second>{_NUMBER}))?\s*"
                rf"(?:(?:x\s*)?(?P<before>{_NUMBER})\s*(?P<unit_before>{unit})\s*)?{_PIECE_UNIT}"
                rf"(?:\s*(?:of|\u00e0|a|x|de|zu|@)\s*(?P<after>{_NUMBER})\s*(?P<unit_after>{unit})"
                rf"|\s*\(\s*(?P<bracket>{_NUMBER})\s*(?P<unit_bracket>{unit})\s*each\s*\)"
                rf"|\s*\(\s*(?P<total>{_NUMBER})\s*(?P<unit_total>{unit})\s*(?:in )?total\s*\)"
                rf"|\s*=\s*(?P<equals>{_NUMBER})\s*(?P<unit_equals>{unit}))?"
            ),
            multiple=re.compile(rf"(?P<first>{_NUMBER})\s*[x\u00d7*]\s*(?P<after>{_NUMBER})\s*(?P<unit_after>{unit})"),
            mass=re.compile(
                rf"(?P<first>{_NUMBER})\s*(?P<unit_first>{unit})?(?:{_TO}(?P<second>{_NUMBER})\s*(?P<unit>{unit}))"
                rf"|(?P<only>{_NUMBER})\s*(?P<unit_only>{unit})"
            ),
            spaced_thousands=re.compile(rf"(?<![\d.,/])\d{{1,3}} \d{{3}}\s*{unit}"),
            per_weight=re.compile(rf"{unit}\s*(?:/|per)\s*(?:kg|kilo|m2|m\u00b2|lb)"),
        )


@dataclass(frozen=True)
class AmountWords:
    """How amounts of one kind are written: of masses, if nothing else is said."""

    of: str
    """The unit that stands for the kind."""
    factors: Mapping[str, Decimal]
    """What a unit is in it, by its UCUM code, its id and common spellings, folded. `MG` is a megagauss in UCUM, but a
    milligram in an order."""
    patterns: AmountPatterns
    smallest: Decimal
    """The least amount that is told apart."""
    name: str
    """Of several of the unit, in sentences."""

    def has_thousands(self, unit: str) -> bool:
        """Whether a comma and three digits mean thousands: doses are not measured to a thousandth of a microgram."""
        return self.factors[unit] < 1


@lru_cache(maxsize=8)
def amount_words(of: str, units: Units) -> AmountWords:
    """Of a kind, in the units of a data set."""
    factors: dict[str, Decimal] = {}
    ambiguous: set[str] = set()
    for term in units.terms:
        measure = units.measure(term.id)
        if measure is None or measure.of != of:
            continue
        names = {fold_unit(name) for name in (term.id, term.ucum or term.id, term.label, *term.names)}
        one = Decimal(measure.parts.numerator) / measure.parts.denominator * units.smallest(of)
        factors |= dict.fromkeys(names, one)
        ambiguous |= names if term.id == _GRAM else names & _COUNTED
    written = sorted(map(re.escape, factors.keys() - ambiguous), key=len, reverse=True)
    patterns = AmountPatterns.of(f"(?:{'|'.join(written)})(?![a-z\u03bc])")
    kind = units.term(of)
    name = of if of == MASS or kind is None else kind.plural
    return AmountWords(of, factors, patterns, units.smallest(of), name)


_GRAM = "g"
"""Grams are those of a cream in texts."""
_COUNTED = frozenset({"unit", "units", "u"})
"""Are pieces in texts, whatever of."""
MASSES = amount_words(MASS, SHIPPED_UNITS)


def _refuse_ambiguous(folded: str, amounts: AmountWords) -> None:
    """`1 500 mcg` may be 1500 mcg, or one capsule of 500; doses per body weight and `0-0-2` are not reckoned."""
    patterns = amounts.patterns
    if patterns.spaced_thousands.search(folded) or patterns.per_weight.search(folded) or _SCHEME.search(folded):
        raise UnreadableDose


def _concentration(text: str, amounts: AmountWords) -> tuple[Decimal | None, str]:
    """The concentration in a text, and the text without it."""
    found = {
        _amount(match["amount"], match["unit"], amounts) / _span(match["volume"] or "1").low
        for match in amounts.patterns.concentration.finditer(text)
    }
    if len(found) > 1:
        raise UnreadableDose
    return (found.pop() if found else None), amounts.patterns.concentration.sub(" ", text)


def _quantities(text: str, own_words: Collection[str], amounts: AmountWords) -> tuple[Quantity, ...]:
    """What is taken, in the order of the text, in which each piece is read once."""
    found: list[tuple[int, Quantity]] = []
    readers: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Quantity | None]], ...] = (
        (amounts.patterns.pieces, lambda match: _pieces(match, amounts)),
        (amounts.patterns.multiple, lambda match: _pieces(match, amounts)),
        (amounts.patterns.mass, lambda match: _mass(match, own_words, amounts)),
        (_VOLUME, lambda match: Volume(_span(match["first"], match["second"]))),
        (_BARE_COUNT, lambda match: Pieces(_span(match["first"], match["second"]))),
    )
    for pattern, read in readers:
        matches = [match for match in pattern.finditer(text) if not _is_step(text, match)]
        found += [(match.start(), quantity) for match in matches if (quantity := read(match))]
        text = pattern.sub(lambda match: " " * len(match[0]), text)
    return tuple(quantity for _, quantity in sorted(found, key=lambda item: item[0]))


def _is_step(text: str, match: re.Match[str]) -> bool:
    """Whether it is by so much that something changes (`by 0.5 mg`)."""
    return _BY.search(text, max(match.start() - _MAX_WORD, 0), match.start()) is not None


def _pieces(match: re.Match[str], amounts: AmountWords) -> Pieces:
    parts = match.groupdict()
    count = _span(parts["first"], parts.get("second"))
    each = None
    for name in ("before", "after", "bracket", "total", "equals"):
        if parts.get(name):
            amount = _amount(parts[name], parts[f"unit_{name}"], amounts)
            each = amount / count.low if name in ("total", "equals") else amount
    return Pieces(count, each)


def _mass(match: re.Match[str], own_words: Collection[str], amounts: AmountWords) -> Mass | None:
    """Null for the amount of another drug."""
    before = _WORD_BEFORE.search(match.string[max(match.start() - _MAX_WORD, 0) : match.start()])
    after = _WORD_AFTER.match(match.string[match.end() :])
    if before and not _is_own_word(before[1], own_words, amounts):
        return None
    if after and not _is_own_word(after[1], own_words, amounts):
        return None
    return Mass(_span_of(match, amounts))


def _is_own_word(word: str, own_words: Collection[str], amounts: AmountWords) -> bool:
    """Whether a word may stand next to the amount of the order's own drug, because it names no other drug."""
    is_usual = word in word_set("own_words") or word in amounts.factors or _HOURS.match(word) is not None
    return is_usual or word in own_words


def _span_of(match: re.Match[str], amounts: AmountWords) -> Span:
    """An amount or a range of amounts in the unit that stands for their kind."""
    if match["only"]:
        unit = match["unit_only"]
        return _span(match["only"], has_thousands=amounts.has_thousands(unit)).times(amounts.factors[unit])
    unit, first_unit = match["unit"], match["unit_first"] or match["unit"]
    low, high = _amount(match["first"], first_unit, amounts), _amount(match["second"], unit, amounts)
    if not 0 < low <= high:
        raise UnreadableDose
    return Span(low, high)


def _amount(written: str, unit: str, amounts: AmountWords) -> Decimal:
    return number(written, has_thousands=amounts.has_thousands(unit)) * amounts.factors[unit]


# --- how often ----------------------------------------------------------------------------------------------------

_PER = r"\s*(?:a|per|each|every|/|pro|par|por|in|the)?\s*(?:an?\s+)?"
_WEEK, _DAY = r"(?:weeks?|weekly|wk|woche|semaine|semana)\b", r"(?:days?|daily|d|tag|t\u00e4glich|jour|d\u00eda|dia)\b"
_COUNTED_PER_WEEK = re.compile(rf"(?<!\d)(\d+)\s*(?:x|times?|days?|nights?){_PER}{_WEEK}")
_COUNTED_PER_DAY = re.compile(rf"(?<!\d)(\d+)\s*(?:x|times?){_PER}{_DAY}")
_HOURS = re.compile(r"\b(?:every|q|alle)\s*(\d+)\s*(?:h|hrs?|hours?|hourly|stunden)\b")
_DAYS = re.compile(r"\b(?:every|q|alle)\s*(\d+)\s*(?:d|days?|nights?|tage)\b")
_RARE = re.compile(
    r"\bmonth|\bmonat|\bmois|\bmes\b|\bevery\s*\d+\s*w|\bq\s*\d+\s*w|\bdose range\b"
    r"|(?<!\d)\d+\s*(?:-|to)\s*\d+\s*times\b"
)
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)(?:s|day|sday|nesday|rsday|urday)?s?\b")
_EVERY = re.compile(r"\bevery\b(?!\s+(?:day|night|evening|morning|bedtime))|\bq\d")
_MORNING = re.compile(r"\b(?:am|qam|morning|mane|breakfast|morgens|matin)\b")
_EVENING = re.compile(r"\b(?:pm|qpm|evening|night|nightly|nocte|bedtime|hs|qhs|supper|dinner|abends|soir)\b")
_DAILY_WORDS: tuple[tuple[re.Pattern[str], Fraction], ...] = (
    (re.compile(r"\bq\.?i\.?d\b"), Fraction(4)),
    (re.compile(r"\bt\.?i\.?d\b"), Fraction(3)),
    (re.compile(r"\bb\.?i\.?d\b"), Fraction(2)),
)
_OTHER_DAYS: tuple[tuple[re.Pattern[str], Fraction], ...] = (
    (
        re.compile(
            r"\bevery (?:other|second|2nd) (?:day|night|evening|morning)|\balternat\w+ (?:days?|nights?)|\bqod\b"
            r"|jeden (?:zweiten|2\.?) tag|un jour sur 2"
        ),
        Fraction(1, 2),
    ),
    (re.compile(r"\bevery (?:third|3rd) (?:day|night)"), Fraction(1, 3)),
    (re.compile(r"\btiw\b"), Fraction(3, 7)),
    (re.compile(r"\b(?:weekly|every week|each week|per week|a week|q\s*week|w\u00f6chentlich)\b"), Fraction(1, 7)),
)


def _times_a_day(text: str, is_titration: bool) -> Fraction | None:
    """How often a day; null if nothing is said. In a titration, weeks and days are those of the steps."""
    if match := _COUNTED_PER_DAY.search(text):
        return Fraction(match[1])
    if match := _HOURS.search(text):
        return Fraction(24, int(match[1]) or 24)
    times = next((times for pattern, times in _DAILY_WORDS if pattern.search(text)), None)
    if times or is_titration:
        return times
    return _times_a_week(text)


def _times_a_week(text: str) -> Fraction | None:
    """How often a day, of what is not taken on each day; UnreadableDose for months and for what is not understood."""
    if match := _COUNTED_PER_WEEK.search(text):
        return Fraction(int(match[1]), 7)
    if match := _DAYS.search(text):
        return Fraction(1, int(match[1]) or 1)
    for pattern, times in _OTHER_DAYS:
        if pattern.search(text):
            return times
    if days := set(_WEEKDAY.findall(text)):
        return Fraction(len(days), 7)
    if _RARE.search(text) or _EVERY.search(text):
        raise UnreadableDose
    return None
