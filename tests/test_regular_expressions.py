"""No text makes a regular expression of the program slow: all take time in proportion to what they read."""

import ast
import importlib
import re
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

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


PACKAGES = sorted(
    path.name for path in (ROOT / "app").iterdir() if (path / "__init__.py").exists() or path.suffix == ".py"
)


@cache
def sources() -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "app").rglob("*.py"))}


@cache
def methods() -> dict[str, set[str]]:
    """Name → what is called on anything of that name."""
    called: dict[str, set[str]] = {}
    for source in sources().values():
        for name, method in re.findall(r"\b(\w+)\.(\w+)", source):
            called.setdefault(name, set()).add(method)
    return called


@cache
def patterns(package: str) -> dict[re.Pattern[Any], bool]:
    """All patterns of a package, and whether they are searched for, not only compared with the beginning."""
    found: dict[re.Pattern[Any], bool] = {}
    for path, source in sources().items():
        inside = path.relative_to(ROOT / "app")
        if inside.parts[0] != package:
            continue
        module = ".".join(("app", *inside.with_suffix("").parts)).removesuffix(".__init__")
        for name, value in vars(importlib.import_module(module)).items():
            called = methods().get(name, set())
            found.update(dict.fromkeys(compiled_in(value), bool(called & SEARCHING) or not called))
        calls = (call for call in ast.walk(ast.parse(source)) if isinstance(call, ast.Call))
        found.update(method for call in calls if (method := inline(call)))
    if package == "cds_hooks":
        manifest = read_manifest(ROOT / "seed_data")
        assert manifest is not None
        assert manifest.cds is not None
        amounts = (pattern for of in ("mg", "[iU]") for pattern in amount_words(of, SHIPPED_UNITS).patterns)
        words = (word_pattern("rescue_words"), *OrderWords(manifest.cds).patterns())
        found.update(dict.fromkeys((*amounts, *words), True))
    return found


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


def test_the_patterns_are_found() -> None:
    assert len({pattern for package in PACKAGES for pattern in patterns(package)}) > 100


@pytest.mark.parametrize("package", PACKAGES)
def test_every_pattern_is_linear(package: str) -> None:
    for pattern, is_searched in patterns(package).items():
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
