"""Which rooms are functions of values: they wait for nothing, ask nothing and read no clock.

import-linter holds the layers; here it is what comes from outside the house, and `async def`, which no
import tells.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "previewbot"

PURE = (
    "api",
    "rules",
    "engine",
    "reconciler/observation.py",
    "reconciler/plan",
    "reconciler/children",
    "repoconfig",
    "text",
    "errors.py",
    "events.py",
)
"""Rooms and modules, below previewbot/."""

RENDER = (ROOT / "text" / "render.py", ROOT / "engine" / "view.py")
"""The renderer, which reads templates, and what gathers the values that it renders."""

FORBIDDEN = frozenset({"aiohttp", "asyncio", "flask", "gidgethub", "kubernetes", "os", "time", "urllib3"})

IMPURE = (
    "previewbot.cli",
    "previewbot.controller",
    "previewbot.github",
    "previewbot.kube",
    "previewbot.registry",
    "previewbot.web",
    "previewbot.reconciler.apply",
    "previewbot.reconciler.context",
    "previewbot.reconciler.controller",
    "previewbot.reconciler.gather",
    "previewbot.reconciler.reporters",
    "previewbot.reconciler.store",
    "previewbot.text.render",
)
"""Our own rooms that wait and ask: a pure one must not reach the outside by way of them."""


def modules(*places: str) -> Iterator[Path]:
    for place in places:
        path = ROOT / place
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


PURE_MODULES = [path for path in modules(*PURE) if path not in RENDER]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the full names of what is imported, inside functions and for type checkers only as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_within(name: str, packages: frozenset[str] | tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def lines(paths: list[Path]) -> int:
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


@pytest.mark.parametrize("path", PURE_MODULES, ids=name_of)
def test_a_pure_module_imports_nothing_that_waits_asks_or_tells_the_time(path: Path) -> None:
    names = list(imported(ast.parse(path.read_text(encoding="utf-8"))))

    assert [name for name in names if is_within(name, FORBIDDEN) or is_within(name, IMPURE)] == []


@pytest.mark.parametrize("path", PURE_MODULES, ids=name_of)
def test_a_pure_module_waits_for_nothing(path: Path) -> None:
    waits = ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert [node.lineno for node in ast.walk(tree) if isinstance(node, waits)] == []


@pytest.mark.parametrize("path", PURE_MODULES, ids=name_of)
def test_a_pure_module_asks_no_clock_for_the_moment(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    asked = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today")
        if isinstance(node.value, ast.Name) and node.value.id in ("datetime", "date")
    ]

    assert asked == []


def test_the_share_of_code_in_pure_modules_is_told(record_property: Callable[[str, object], None]) -> None:
    every = list(modules("."))
    pure, whole = lines(PURE_MODULES), lines(every)
    share = f"{pure} of {whole} lines, {pure / whole:.0%}"
    record_property("pure", share)
    print(f"in modules that are functions of values: {share}")

    assert 0 < pure < whole
