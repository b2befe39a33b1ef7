"""The words of `product_words.yaml`, which stand beside the names of drugs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

_FILE = Path(__file__).with_name("product_words.yaml")
Phrases = frozenset[tuple[str, ...]]


@dataclass(frozen=True)
class ProductWords:
    """Words and phrases, folded."""

    plain: frozenset[str]
    """Strengths, forms, salts: they do not change which drug is named."""
    joiners: frozenset[str]
    endings: tuple[str, ...]
    """Longest first."""
    not_after: Phrases
    not_among: Phrases
    not_before: Phrases
    still_before: Phrases
    supplies: Phrases
    uninformative: frozenset[str]

    def says_something(self, word: str) -> bool:
        """Whether a word may be the name of a drug, or change which one is meant."""
        return len(word) > 1 and not word[0].isdigit() and word not in self.plain and word not in self.uninformative

    def joins(self, word: str) -> bool:
        """Whether a word may stand between two ingredients of one product."""
        return not self.says_something(word) or word in self.joiners

    def names_supply(self, text: Sequence[str]) -> bool:
        """Whether the words name a test or a supply."""
        joined = f" {' '.join(text)} "
        return any(f" {' '.join(phrase)} " in joined for phrase in self.supplies)

    def is_negated_by(self, following: Sequence[str]) -> bool:
        """Whether the words after the name of a drug say that it is not in the product."""
        return self.starts_with(self.not_before, following) and not self.starts_with(self.still_before, following)

    @staticmethod
    def ends_with(phrases: Phrases, text: Sequence[str]) -> bool:
        return any(tuple(text[-n:]) in phrases for n in range(1, min(len(text), 4) + 1))

    @staticmethod
    def starts_with(phrases: Phrases, text: Sequence[str]) -> bool:
        return any(tuple(text[:n]) in phrases for n in range(1, min(len(text), 4) + 1))


def _load() -> ProductWords:
    lists = yaml.load(_FILE.read_text(encoding="utf-8"), yaml.CSafeLoader)

    def phrases(name: str) -> Phrases:
        return frozenset(tuple(phrase.split()) for phrase in re.split(r"(?<!\s)\s*\|\s*", lists[name].strip()))

    return ProductWords(
        plain=frozenset(f"{lists['plain']} {lists['salts']}".split()),
        joiners=frozenset(lists["joiners"].split()),
        endings=tuple(sorted(lists["endings"].split(), key=len, reverse=True)),
        not_after=phrases("not_after"),
        not_among=phrases("not_among"),
        not_before=phrases("not_before"),
        still_before=phrases("still_before"),
        supplies=phrases("supplies"),
        uninformative=frozenset(lists["uninformative"].split()),
    )


PRODUCT_WORDS = _load()
