"""No group of a regular expression is repeated possessively, and none is atomic.

Until Python 3.11.4 such a group may match what it does not, or miss what it does
(https://github.com/python/cpython/issues/106052): a queue's filter from which the key can be left out was
taken on Debian's 3.11.2, and there alone. One sign of several is safe: `[^"]*+`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for folder in ("previewbot", "demo/previewbot_demo") for path in (ROOT / folder).rglob("*.py")
)
# A class first: within it these signs stand for themselves.
_PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<group>\)(?:[*+?]|\{[0-9,]+\})\+|\(\?>)|.", re.DOTALL)


def groups_held(pattern: str) -> list[str]:
    return [found["group"] for found in _PARTS.finditer(pattern) if found["group"]]


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the texts that functions of `re` are called with, those of an f-string one by one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = node.func.value
            if isinstance(called, ast.Name) and called.id == "re" and node.args:
                yield from constants(ast.walk(node.args[0]))


def constants(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_the_sources_have_none() -> None:
    found = [
        (str(path.relative_to(ROOT)), line, held)
        for path in SOURCES
        for line, text in texts(ast.parse(path.read_text(encoding="utf-8")))
        if (held := groups_held(text))
    ]

    assert len(SOURCES) > 300
    assert found == []


@pytest.mark.parametrize(
    ("pattern", "held"),
    {
        r"(?:a|b)*+c": [")*+"],
        r"(?:a){2,3}+": ["){2,3}+"],
        r"(?>a|b)c": ["(?>"],
        r"(a)?+(b)++": [")?+", ")++"],
        r'[^"]*+"': [],
        r"[()*+]*": [],
        r"\)*+": [],
        r"[]()*+]": [],
        r"(a)*b+": [],
    }.items(),
)
def test_they_are_told_from_what_looks_like_them(pattern: str, held: list[str]) -> None:
    assert groups_held(pattern) == held
