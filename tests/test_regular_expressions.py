"""No text makes a regular expression of the program slow: all take time in proportion to what they read."""

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

import app
from app.cds_hooks.dose_text import amount_words
from app.cds_hooks.drugs import OrderWords
from app.cds_hooks.words import word_pattern
from app.concepts.units import SHIPPED_UNITS
from app.datasets.files_beside import read_manifest
from app.settings import ROOT

SIZE = 10_000
MAX_CPU_SECONDS = 0.02
"""What is not linear takes a tenth of a second and more."""
UNITS = ("a", "0", " ", "(", "a ", "1 ", "1,", "1-", "<i ", "test ", "a:", "'a", '\\"', "\\'")
"""What is repeated, before something that ends no match."""
SEARCHING = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
"""Methods that begin at every position."""

Method = tuple[re.Pattern[Any], bool]
"""A pattern, and whether it is searched for, not only compared with the beginning."""


def patterns() -> Iterator[tuple[str, Method]]:
    """All patterns of the program, by where they stand."""
    sources = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "app").rglob("*.py"))}
    everything = "\n".join(sources.values())
    for info in pkgutil.walk_packages(app.__path__, "app."):
        for name, value in vars(importlib.import_module(info.name)).items():
            for position, pattern in enumerate(compiled_in(value)):
                methods = set(re.findall(rf"\b{name}\.(\w+)", everything))
                yield f"{name}-{position}", (pattern, bool(methods & SEARCHING) or not methods)
    for path, source in sources.items():
        for call in ast.walk(ast.parse(source)):
            if isinstance(call, ast.Call) and (method := inline(call)):
                yield f"{path.stem}-{call.lineno}", method
    yield "rescue_words", (word_pattern("rescue_words"), True)
    manifest = read_manifest(ROOT / "seed_data")
    assert manifest is not None
    assert manifest.cds is not None
    yield from (
        (f"{of}-amounts", (pattern, True))
        for of in ("mg", "[iU]")
        for pattern in amount_words(of, SHIPPED_UNITS).patterns
    )
    yield from (("order-words", (pattern, True)) for pattern in OrderWords(manifest.cds).patterns())


def compiled_in(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Iterable) and isinstance(value, tuple | list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from compiled_in(part)


def inline(call: ast.Call) -> Method | None:
    """The pattern of `re.sub(r"...", ...)` and the like."""
    function = call.func
    if not (isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "re"):
        return None
    text = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    if function.attr in ("compile", "escape") or not isinstance(text, str | bytes):
        return None
    return re.compile(text), function.attr in SEARCHING


ALL = dict({pattern: (where, (pattern, is_searched)) for where, (pattern, is_searched) in patterns()}.values())


def test_the_patterns_are_found() -> None:
    assert len(ALL) > 100


@pytest.mark.parametrize("where", ALL)
def test_a_pattern_is_linear(where: str) -> None:
    pattern, is_searched = ALL[where]
    own_words = " ".join(re.findall("[a-z]{3,}", str(pattern.pattern))) or "a"
    for unit in (*UNITS, own_words, f"{own_words[:9]} 1"):
        text: Any = (unit * (SIZE // len(unit)) + "\x01")[:SIZE]
        text = text.encode() if isinstance(pattern.pattern, bytes) else text
        assert cpu_seconds(pattern, is_searched, text) < MAX_CPU_SECONDS, (pattern.pattern, unit)


def cpu_seconds(pattern: re.Pattern[Any], is_searched: bool, text: Any) -> float:
    """Of one look at the text; where it was long, the shortest of three, for other work may have come between."""
    seconds: list[float] = []
    while len(seconds) < 3 and min(seconds, default=MAX_CPU_SECONDS) >= MAX_CPU_SECONDS:
        started = time.thread_time()
        if is_searched:
            pattern.sub("", text) if isinstance(text, str) else pattern.sub(b"", text)
        else:
            pattern.match(text)
            pattern.fullmatch(text)
        seconds.append(time.thread_time() - started)
    return min(seconds)
