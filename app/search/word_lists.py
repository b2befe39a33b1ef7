"""The word lists of `words/*.yaml` and of the data set, as sets and tables of folded words or stems."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, islice, takewhile
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.orm import Session

from app.concepts.manifest import SearchWords, current_manifest
from app.core.folding import words
from app.search.analyzer import Phrase, stem, stems
from app.storage.serial_memory import SerialMemory

MAX_SAID = 8
"""Words and phrases with the same start whose meanings are suggested."""
FOLDER = Path(__file__).with_name("words")


@cache
def load(name: str) -> Any:
    return yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)


def _words(name: str) -> frozenset[str]:
    return frozenset(" ".join(load(name).values()).split())


def _phrases(text: str) -> list[str]:
    """Words and phrases between commas."""
    return text.split(", ")


def _pairs(synonyms: Iterable[Sequence[str]], *expansions: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is said, and what is meant by it."""
    yield from ((one, other) for group in synonyms for one in group for other in group)
    for table in expansions:
        for alternatives, phrases in table.items():
            yield from ((said, meant) for meant in _phrases(alternatives) for said in _phrases(phrases))


STOP_WORDS = _words("stop_words")
OPTIONAL_WORDS = _words("optional_words")


class WordLists:
    """General English and the words of a data set."""

    def __init__(self, own: SearchWords) -> None:
        general = _pairs(load("synonyms"), load("expansions"), load("other_languages"))
        pairs = list(chain(general, _pairs(own.synonyms, own.expansions, own.other_languages)))
        table: dict[Phrase, dict[Phrase, None]] = {}
        for one, other in pairs:
            said, meant = stems(one), stems(other)
            if said != meant:
                table.setdefault(said, {})[meant] = None
        self.alternatives: dict[Phrase, tuple[Phrase, ...]] = {said: tuple(meant) for said, meant in table.items()}
        """Synonyms and expansions, as stems: what a question says -> other ways to say it."""
        self.risk_terms = frozenset(map(stem, chain(_words("risk_terms"), own.risk_terms)))
        """Stems."""
        self.words_in_phrases = {word for phrase in self.alternatives if len(phrase) > 1 for word in phrase}
        self._said = sorted({" ".join(words(said)) for said, _ in pairs})

    def meant_by(self, start: str) -> tuple[Phrase, ...]:
        """What is meant by words and phrases that start with a folded text, as stems."""
        said = islice(self._said, bisect_left(self._said, start), None)
        meant = (self.alternatives.get(stems(one), ()) for one in takewhile(lambda one: one.startswith(start), said))
        return tuple(dict.fromkeys(chain.from_iterable(islice(meant, MAX_SAID))))


def _of_current(session: Session) -> WordLists:
    return WordLists(current_manifest(session).search)


_CURRENT = SerialMemory(_of_current)


def word_lists(session: Session) -> WordLists:
    """The words of the data set as of now, with those of general English."""
    return _CURRENT.get(session)
