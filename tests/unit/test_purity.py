"""What decides waits for nobody and reads no clock: that is what its imports cannot tell.

The rooms are those of a contract of import-linter in pyproject.toml, which forbids asyncio, clients, clocks.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACT = "What decides neither waits for anybody nor reads a clock"
AT_LEAST = 0.60
"""The share of the package's lines that such a contract is to keep."""

_CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}


def modules_of_the_contract() -> list[Path]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (c for c in settings["tool"]["importlinter"]["contracts"] if c["name"] == CONTRACT)
    found: list[Path] = []
    for module in contract["source_modules"]:
        path = ROOT / module.replace(".", "/")
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return found


PURE = modules_of_the_contract()


def waits_and_clocks(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that wait for something, or ask what time it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield from [node.lineno] if (node.value.id, node.attr) in _CLOCKS else []


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_decides_waits_for_nobody_and_reads_no_clock(path: Path) -> None:
    assert list(waits_and_clocks(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code", ["async def ask(): pass", "from datetime import datetime\nnow = datetime.now()"]
)
def test_such_a_line_would_be_found(code: str) -> None:
    assert list(waits_and_clocks(ast.parse(code))) != []


def test_most_of_the_package_is_of_that_kind() -> None:
    pure = sum(_lines(path) for path in PURE)
    everything = sum(_lines(path) for path in (ROOT / "previewbot").rglob("*.py"))

    assert pure / everything >= AT_LEAST


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())
