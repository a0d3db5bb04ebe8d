"""Which texts may be regular expressions to mirrord's CLI, which is written in Rust."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.keys import KEY
from previewbot.config.mirrord.expressions import is_expression


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "^very",
        f".*mirrord-session={KEY}.*",
        "(?i)shop",
        "[[:alpha:]]+",
        r"\p{Greek}\P{L}",
        r"\p{Letter}",
        "[a-z&&[^b]]",
        r"(?<name>a)\k<name>",
        "(?P<name>a)(?P=name)",
        r"(a)\1",
        "(?=a)(?!b)(?<=c)(?<!d)",
        "(?>a)b*+",
        "a**",
        r"\h\z",
        r"\x{1F600}\u{41}",
        r"\b{start}a",
        "x{1001}",
        "a{",
        "a{,",
        "a{}",
        "^*",
        "a{0,3}?",
        "[]a]",
        "[^]]",
        "[a-]",
        "[a-z-b]",
        "[-a]",
        "[[a-z]--[b]]",
        "a]",
        "(?i-s:a)(?s)",
        "(?P>name)",
        "(?x)a # a remark (",
        "()",
        "(|a)",
    ],
)
def test_what_rust_may_read_is_taken(pattern: str) -> None:
    assert is_expression(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "a)",
        "[a",
        "*",
        "+a",
        "?",
        "a|*",
        "\\",
        "[z-a]",
        "a{2,1}",
        "(?<n>a",
        "(?P<a",
        "(?<=a",
        "a{" + "1" * 5_000 + "}",
    ],
)
def test_what_nobody_reads_is_refused(pattern: str) -> None:
    assert not is_expression(pattern)


@given(st.text())
def test_every_text_is_judged(pattern: str) -> None:
    assert is_expression(pattern) in (True, False)


@given(st.text(st.sampled_from("ab*+?{}()[]|\\\\^$-,1<>!=:P"), max_size=12))
def test_what_re2_reads_is_taken(pattern: str) -> None:
    """Of what RE2 knows Rust knows all; but for a class within a class, which is none there."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error:
        return
    assert is_expression(pattern)


@pytest.mark.parametrize("begins", ["(", "[", "(a", "a{1", "\\", "(?:", "[^"])
def test_a_pattern_without_end_is_judged_as_any_other(begins: str) -> None:
    assert is_expression(begins * 50_000) in (True, False)
