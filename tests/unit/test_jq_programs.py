"""Which texts may be jq programs: what surely is none is told what is wrong, the rest is mirrord's affair."""

from __future__ import annotations

from time import process_time

import jq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.mirrord.jq import NoProgram, check_jq
from previewbot.config.mirrord.jq_names import BUILT_IN

PROGRAMS = [
    ".",
    "..",
    "true",
    '.key == "value"',
    '.Body | fromjson | .tenant == "shop"',
    ".payload | fromjson | .a == 1",
    '.Body | fromjson | .customer_email | test("acme\\\\.example")',
    '(.MessageAttributes // {}) | [.. | select(type == "string" and contains("x"))] | length > 0',
    '.headers["baggage"] | test("mirrord-session=")',
    ".a.b[0][1:2][]?",
    '.a?."b"."c"',
    ".and | .if",
    ". # what follows is a remark\n| .a",
    "-1",
    "- .a + 2",
    ".[0]",
    ".[:2]",
    ".a |= . + 1",
    ".a // .b",
    '"plain"',
    '"a \\(.b + ")" ) c"',
    '"\\(1)\\(2)"',
    '@base64 "x \\(.a)"',
    ".a | @json",
    "if .a then 1 elif .b then 2 else 3 end",
    "if .a then 1 end",
    "try error(.a) catch .",
    "reduce .[] as [$a, {b: $c}] (0; . + $a + $c)",
    "foreach .[] as $x (0; . + $x; [$x, .])",
    "label $out | 1, break $out",
    "def twice(f): f | f; def add($n): . + $n; twice(add(2))",
    ". as {a: $x, $y} ?// [$x, $y] | $x",
    "1 as $x | 2 as $y | [$x, $y]",
    '{a, "b": 1, (.c): 2, $__loc__, @base64 "x": 1, if: 2}',
    "{a: 1 + 2, b: [1, 2]}",
    "$ENV.HOME",
    "limit(3; .[])",
    "[.[] | . * 2] | add",
]

NO_PROGRAMS = {
    "": "a value is missing before the end",
    ".a | | .b": "a value is missing before `|`",
    ".a |": "a value is missing before the end",
    "|": "a value is missing before `|`",
    "1 +": "a value is missing before the end",
    "(1": "`)` is missing before the end",
    ".[": "a value is missing before the end",
    "[1,]": "a value is missing before `]`",
    "}": "a value is missing before `}`",
    "{a:}": "a value is missing before `}`",
    "{(.a)}": "`:` is missing before `}`",
    ".a b": "nothing joins `b` to what stands before it",
    "1 2": "nothing joins `2` to what stands before it",
    "if 1 then 2": "`end` is missing before the end",
    "if 1": "`then` is missing before the end",
    '"abc': "a text in quotes has no end, or a \\ that escapes nothing",
    '"\\q"': "a text in quotes has no end, or a \\ that escapes nothing",
    '"\\(1"': '`)` is missing before `"`',
    "tenant": "`tenant` is no function of jq",
    "a::b": "`a::b` is no function of jq",
    "$x": "`$x` is not defined",
    "reduce .[] as $x (0; .) | $x": "`$x` is not defined",
    "(1 as $x | $x) | $x": "`$x` is not defined",
    "break $out": "`$out` is not defined",
    ".a as x | 1": "a name with $ is missing before `x`",
    "def : 1; 2": "a name is missing before `:`",
    "def f: 1": "`;` is missing before the end",
    ".a & .b": "`&` is no sign of jq",
    ".a = = 1": "a value is missing before `=`",
    ". .": "a name is missing between `.` and the end",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_may_be_one(program: str) -> None:
    check_jq(program)


@pytest.mark.parametrize(("text", "wrong"), NO_PROGRAMS.items())
def test_what_is_no_program_is_told_what_is_wrong(text: str, wrong: str) -> None:
    with pytest.raises(NoProgram) as refused:
        check_jq(text)
    assert str(refused.value) == wrong


@pytest.mark.parametrize("begins", ["(", "[", "-", ". as $x | ", "try ", "if "])
def test_a_program_without_end_is_refused_as_any_other(begins: str) -> None:
    with pytest.raises(NoProgram):
        check_jq(begins * 5_000)


def test_a_long_program_is_read_to_its_end() -> None:
    check_jq(" | ".join([".a"] * 5_000))
    check_jq("[" + ", ".join(["1"] * 5_000) + "]")


WORDS = ("..", "//", "as", "if", "then", "end", "def", "try", "$x", ".a", "1", " ")
SIGNS = st.sampled_from([*'[](){}.,:;|$"\\?', *WORDS])


@given(st.lists(SIGNS, max_size=30).map("".join))
def test_whatever_is_written_is_a_program_or_told_to_be_none(text: str) -> None:
    try:
        check_jq(text)
    except NoProgram as error:
        assert str(error)


TOKENS = st.sampled_from(
    (
        *(
            ".",
            ".a",
            "..",
            '."b"',
            "[",
            "]",
            "{",
            "}",
            "(",
            ")",
            ",",
            ";",
            ":",
            "|",
            "//",
            "?",
            "?//",
            "=",
            "|=",
        ),
        *("==", "<", "+", "-", "*", "and", "or", "not", "if", "then", "elif", "else", "end", "try", "catch"),
        *(
            "reduce",
            "foreach",
            "as",
            "$x",
            "def f:",
            "f",
            "label $x",
            "break $x",
            "1",
            '"t"',
            '"\\(1)"',
            "@json",
        ),
        *(
            "map(",
            "select(",
            "length",
            "empty",
            "null",
            "[]",
            "[0]",
            "[:1]",
            "{a:1}",
            "{$x}",
            "[$x]",
            "# x\n",
        ),
    )
)


@given(st.lists(TOKENS, max_size=8).map(" ".join))
def test_what_jq_itself_compiles_is_taken(text: str) -> None:
    try:
        jq.compile(text)
    except ValueError:
        return
    # To jq nothing at all is a program, and to mirrord's CLI a mistake.
    if text.replace("# x\n", "").strip():
        check_jq(text)


def test_a_name_is_found_at_once_however_many_there_are() -> None:
    begun = process_time()
    check_jq(f"def f({'a;' * 15_000}z): {'z|' * 15_000}.; .")
    # A tenth of a second; what looks through all of them takes five seconds.
    assert process_time() - begun < 2


@pytest.mark.parametrize(
    "text",
    ["def f(a; $b): a, b, $b; a", "(. as $x | $x), $x", "def f: def a: 1; a; a", "(label $a | .), break $a"],
)
def test_a_name_holds_where_it_is_given_and_no_further(text: str) -> None:
    with pytest.raises(NoProgram, match=r"is no function|is not defined"):
        check_jq(text)


@given(st.text())
def test_any_text_may_be_written(text: str) -> None:
    try:
        check_jq(text)
    except NoProgram as error:
        assert str(error)


def test_every_function_of_jq_is_known() -> None:
    names = {name.partition("/")[0] for name in jq.first("builtins", None)}
    assert names <= BUILT_IN
