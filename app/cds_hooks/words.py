"""The word lists of `words.yaml`."""

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from app.cds_hooks.drugs import CodedText, Coding, any_of
from app.concepts.code_systems import RXNORM, SHIPPED_SYSTEMS


class Depot(NamedTuple):
    """A product that is given once for a long time."""

    names: re.Pattern[str]
    codes: frozenset[Coding]
    days: int
    """How long it acts."""


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


@cache
def _depots() -> tuple[Depot, ...]:
    uri = SHIPPED_SYSTEMS.uri(RXNORM) or ""
    return tuple(
        Depot(any_of(entry["names"]), frozenset(Coding(uri, code) for code in entry["rxnorm"]), entry["days"])
        for entry in _lists()["depots"]
    )


def depot_days(product: CodedText) -> int:
    """How many days a depot product acts; 0 for any other product."""
    return max((depot.days for depot in _depots() if _is_product(depot, product)), default=0)


def _is_product(depot: Depot, product: CodedText) -> bool:
    return not depot.codes.isdisjoint(product.codes) or any(map(depot.names.search, product.words))
