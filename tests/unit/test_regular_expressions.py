"""Which texts may be regular expressions to mirrord's CLI, which is written in Rust."""

from __future__ import annotations

import pytest
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
    ],
)
def test_what_rust_may_read_is_taken(pattern: str) -> None:
    assert is_expression(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "a)", "[a", "*", "+a", "?", "a|*", "\\", "[z-a]", "a{2,1}", "(?<n>a", "(?P<a", "(?<=a"],
)
def test_what_nobody_reads_is_refused(pattern: str) -> None:
    assert not is_expression(pattern)


@given(st.text())
def test_every_text_is_judged(pattern: str) -> None:
    assert is_expression(pattern) in (True, False)


def test_what_is_too_long_to_read_twice_is_mirrords_to_judge() -> None:
    assert is_expression("(" * 100_000)
