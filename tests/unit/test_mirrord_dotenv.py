"""A file of variables is read as mirrord's CLI reads it, but for variables of the machine that runs it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.mirrord import read_mirrord
from previewbot.config.mirrord.dotenv import NoVariables, read_variables
from previewbot.config.mirrord.files import Files, NoFile
from previewbot.engine.translation.preview import parts_of_mirrord
from tests.unit.test_mirrord_file import PATH, feature, problems, read

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "export")
TEXTS = st.text(st.characters(exclude_characters="\0\r", codec="utf-8"), max_size=20)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("\n  \n# a comment\n  # another\n", {}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("  A = 1  ", {"A": "1"}),
        ("export A=1", {"A": "1"}),
        ("export=1", {"export": "1"}),
        ("A=", {"A": ""}),
        ("A= # nothing", {"A": ""}),
        ("A=1 # one", {"A": "1"}),
        ("A=1#one", {"A": "1#one"}),
        ("A=a\"b c\"'d e'", {"A": "ab cd e"}),
        ("A='$HOME \\n'", {"A": "$HOME \\n"}),
        ('A="a\\nb \\" \\\\ \\$x"', {"A": 'a\nb " \\ $x'}),
        ("A=a\\ b", {"A": "a b"}),
        ("A='one\ntwo'\nB=1", {"A": "one\ntwo", "B": "1"}),
        ('A="one\n# two" # it\'s\nB=1', {"A": "one\n# two", "B": "1"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A=1\nB=$A-${A}", {"A": "1", "B": "1-1"}),
        ("A.B=1", {"A.B": "1"}),
        ("A=b=c", {"A": "b=c"}),
    ],
)
def test_a_file_of_variables(text: str, found: dict[str, str]) -> None:
    assert read_variables(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A", "line 1: is not NAME=value"),
        ("A=1\n1=2", "line 2: is not NAME=value"),
        ("export A", "line 1: is not NAME=value"),
        ("A=b c", "line 1: has a blank within a value: put the value in quotes"),
        ("A='b", "line 1: a text in quotes does not end"),
        ('B=1\nA="b\nc', "line 2: a text in quotes does not end"),
        ("A=\\x", "line 1: has a backslash before a sign that needs none"),
        ("A=${B", "line 1: has ${ without }"),
        ("A=$PATH", "line 1: names a variable with $ that is not above it: put the value in single quotes"),
        ('A="${GITHUB_TOKEN}"', "line 1: names a variable with $ that is not above it"),
        ("A=$", "line 1: names a variable with $"),
    ],
)
def test_what_is_no_file_of_variables(text: str, told: str) -> None:
    with pytest.raises(NoVariables) as refused:
        read_variables(text)
    assert str(refused.value).startswith(told)


def test_lines_within_quotes_are_gone_over_once() -> None:
    lines = "\n" * 60_000
    assert read_variables(f"A='{lines}'\nB=1") == {"A": lines, "B": "1"}
    with pytest.raises(NoVariables, match="line 1: a text in quotes does not end"):
        read_variables(f"A=it's{lines}")


def test_values_that_fill_in_each_other_do_not_grow_without_end() -> None:
    ten_times = [f"{name}={f'${above}' * 10}" for above, name in zip("ABCDEFG", "BCDEFGH", strict=True)]
    with pytest.raises(NoVariables, match="line 5: makes the values too long with"):
        read_variables("\n".join(["A=aaaaaaaaaa", *ten_times]))
    assert len(read_variables("\n".join(["A=aaaaaaaaaa", *ten_times[:3]]))["D"]) == 10_000


@given(st.dictionaries(NAMES, TEXTS.filter(lambda text: "'" not in text), max_size=5))
def test_whatever_stands_in_single_quotes_is_taken_as_it_is(values: dict[str, str]) -> None:
    text = "\n".join(f"{name}='{value}'" for name, value in values.items())
    assert read_variables(text) == values


@given(st.text(max_size=80))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    try:
        read_variables(text)
    except NoVariables as refused:
        assert refused.line >= 1


def test_what_the_mirrord_file_says_wins_over_its_file_of_variables() -> None:
    written = feature(env={"env_file": "a.env", "override": {"B": "mine"}})
    found = read(written, {".mirrord/a.env": b"A=1\nB=2", "a.env": NoFile.MISSING})
    environment = parts_of_mirrord(found).environment
    assert environment is not None
    assert environment.overrides == {"A": "1", "B": "mine"}


def test_a_mistake_in_it_is_told_where_it_is_named() -> None:
    written = feature(env={"env_file": "a.env"})
    (problem,) = problems(written, {".mirrord/a.env": b"A=1\nB", "a.env": NoFile.MISSING})
    assert problem == "4: `feature.env.env_file` names `a.env`, whose line 2 is not NAME=value"


def test_it_is_no_text_of_another_encoding() -> None:
    written = feature(env={"env_file": "a.env"})
    (problem,) = problems(written, {".mirrord/a.env": b"A=\xff", "a.env": NoFile.MISSING})
    assert "names `a.env`, which is not UTF-8" in problem


def test_a_key_in_it_is_not_filled_in_as_the_cli_does_not() -> None:
    files = Files({".mirrord/a.env": b"A='{{ key }}'", "a.env": NoFile.MISSING})
    found = read_mirrord(b'{"feature": {"env": {"env_file": "a.env"}}}', PATH, files)
    assert found.variables is not None
    assert found.variables.overrides == {"A": "{{ key }}"}
