"""The word lists of `words/*.yaml`, as sets and tables of folded words or stems."""

from bisect import bisect_left
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Any

import yaml

from app.core.folding import words
from app.search.analyzer import Phrase, stem, stems

MAX_SAID = 8
"""Words and phrases with the same start whose meanings are suggested."""
FOLDER = Path(__file__).with_name("words")


def load(name: str) -> Any:
    return yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)


def _words(name: str) -> frozenset[str]:
    return frozenset(" ".join(load(name).values()).split())


def _phrases(text: str) -> list[str]:
    """Words and phrases between commas."""
    return text.split(", ")


def _pairs() -> list[tuple[str, str]]:
    """What is said, and what is meant by it."""
    pairs = [(one, other) for group in load("synonyms") for one in group for other in group]
    pairs += [
        (said, meant)
        for name in ("expansions", "other_languages")
        for alternatives, phrases in load(name).items()
        for meant in _phrases(alternatives)
        for said in _phrases(phrases)
    ]
    return pairs


def _alternatives() -> dict[Phrase, tuple[Phrase, ...]]:
    table: dict[Phrase, tuple[Phrase, ...]] = {}
    for one, other in _pairs():
        said, meant = stems(one), stems(other)
        if said != meant:
            table[said] = tuple(dict.fromkeys((*table.get(said, ()), meant)))
    return table


STOP_WORDS = _words("stop_words")
OPTIONAL_WORDS = _words("optional_words")
RISK_TERMS = frozenset(map(stem, _words("risk_terms")))
"""Stems."""
ALTERNATIVES = _alternatives()
"""Synonyms and expansions, as stems: what a question says -> other ways to say it."""
_SAID = sorted({" ".join(words(said)) for said, _ in _pairs()})


def meant_by(start: str) -> tuple[Phrase, ...]:
    """What is meant by words and phrases that start with a folded text, as stems."""
    said = islice(_SAID, bisect_left(_SAID, start), None)
    meant = (ALTERNATIVES.get(stems(one), ()) for one in takewhile(lambda one: one.startswith(start), said))
    return tuple(dict.fromkeys(chain.from_iterable(islice(meant, MAX_SAID))))
