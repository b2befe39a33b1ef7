"""The word lists of `words.yaml`."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from app.cds_hooks.drugs import any_of


@cache
def _lists() -> dict[str, Any]:
    lists: dict[str, Any] = yaml.load(Path(__file__).with_name("words.yaml").read_text("utf-8"), yaml.CSafeLoader)
    return lists


@cache
def word_set(name: str) -> frozenset[str]:
    """The words of one list."""
    return frozenset(_lists()[name].split())


@cache
def word_pattern(name: str) -> re.Pattern[str]:
    """Matches any word of one list."""
    return any_of(word_set(name))
