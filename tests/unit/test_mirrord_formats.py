"""A mirrord file is JSON, TOML or YAML: what is read of it, and in which line each key was."""

from __future__ import annotations

import json
import tomllib
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from previewbot.config.keys import KEY
from previewbot.config.mirrord.model import MirrordFile
from previewbot.config.mirrord.reading import read_document
from previewbot.config.reader import Document, Plain, Unreadable
from previewbot.config.schema import schema_of

TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Co"), exclude_characters="{}\x7f"), max_size=20
) | st.sampled_from(['"', "\\", "\n", "é", "/"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
BLANKS = st.sampled_from((None, 0, 1, 4, "\t"))


def read(text: str, end: str = "json") -> Document:
    return read_document(text.encode(), f"mirrord.{end}", schema_of(MirrordFile))


def mistake(text: str, end: str = "json") -> str:
    with pytest.raises(Unreadable) as refused:
        read(text, end)
    return f"{refused.value.mistake.line}: {refused.value.mistake.tell()}"


@given(VALUES, BLANKS)
@example({"a": [{"b": None}], "": ""}, None)
def test_json_is_read_as_everybody_reads_it(value: Any, indent: Any) -> None:
    assert read(json.dumps(value, indent=indent)).value == value


@given(st.text(st.sampled_from("{}[]\",:\\ \n\tabtrue1-.eE/*#'"), max_size=30))
def test_what_is_no_json_to_others_is_none_here(text: str) -> None:
    try:
        expected = json.loads(text, parse_constant=_no_number, object_pairs_hook=_distinct)
    except ValueError:
        assert is_refused(text)
    else:
        assert _with_numbers(read(text).value) == expected


def is_refused(text: str) -> bool:
    try:
        return read(text).mistakes != []
    except Unreadable:
        return True


def _no_number(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("twice")
    return found


def _with_numbers(value: Any) -> Any:
    if isinstance(value, Plain):
        return json.loads(value.written)
    if isinstance(value, dict):
        return {key: _with_numbers(inner) for key, inner in value.items()}
    return [_with_numbers(inner) for inner in value] if isinstance(value, list) else value


def test_each_key_of_json_has_its_line() -> None:
    document = read('{\n "a": {\n  "b": [\n   1,\n   {"c":\n    2}]\n }\n}')
    lines = {path: (place.key_line, place.line) for path, place in document.places.items()}
    assert lines[("a", "b")] == (3, 3)
    assert lines[("a", "b", 1)] == (5, 5)
    assert lines[("a", "b", 1, "c")] == (5, 6)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: is empty, which is no JSON; write at least `{}`"),
        (" \n ", "1: is empty"),
        ('{"a": 1,\n}', "1: is not JSON: a comma stands before }; remove it"),
        ("[1,]", "1: is not JSON: a comma stands before ]; remove it"),
        ("{\n// why\n}", "2: is not JSON: comments are not allowed in it"),
        ("{'a': 1}", "1: is not JSON: the key `'a'` has no double quotes"),
        ("{a: 1}", "1: is not JSON: the key `a` has no double quotes"),
        ("{\"a\": 'b'}", "1: is not JSON: a text begins with a single quote"),
        ('{"a" 1}', "1: is not JSON: a colon was expected, not `1`"),
        ('{"a": 1 "b": 2}', '1: is not JSON: a comma or } was expected, not `"b":`'),
        ('{"a": 1', "1: is not JSON: it ends where a comma or } was expected"),
        ('{"a": "b\n"}', "1: is not JSON: a text has a sign in it that must be escaped"),
        ('{"a": "b', "1: is not JSON: a text does not end"),
        ('{"a": nul}', "1: is not JSON: a value was expected, not `nul`"),
        ("{} {}", "1: is not JSON: nothing more was expected, not `{`"),
        ('{"a": "\\ud800"}', "1: has one half of a character"),
        ("[" * 30 + "]" * 30, "1: is nested too deeply"),
        ("[" + "1," * 6_000 + "1]", "1: here the file exceeds 5000 keys and values"),
    ],
)
def test_what_is_no_json_is_told_in_words(text: str, told: str) -> None:
    assert mistake(text).startswith(told)


@pytest.mark.parametrize(
    ("end", "text"),
    [
        ("toml", '[feature.network]\nincoming = "steal"\n[target]\npath = "deployment/web"'),
        ("yaml", "feature: {network: {incoming: steal}}\ntarget: {path: deployment/web}"),
        ("yml", "feature:\n  network:\n    incoming: steal\ntarget:\n  path: deployment/web"),
        ("json", '{"feature": {"network": {"incoming": "steal"}}, "target": {"path": "deployment/web"}}'),
    ],
)
def test_the_formats_say_the_same(end: str, text: str) -> None:
    assert read(text, end).value == {
        "feature": {"network": {"incoming": "steal"}},
        "target": {"path": "deployment/web"},
    }


def test_a_file_without_an_end_is_json() -> None:
    assert read_document(b"{}", ".mirrord/config", schema_of(MirrordFile)).value == {}


@pytest.mark.parametrize("end", ["yaml", "toml"])
def test_an_empty_file_of_yaml_or_toml_says_nothing(end: str) -> None:
    assert read("", end).value == {}


TOML = """\
key = "a"
operator = true
[feature.env]
override.A = '''
b = 1
[c]
'''
include = [
  "x", # [
  "y",
]
"exclude" = ["]"]
[[feature.preview.config_mounts]]
mount_at = "/a"
type = "text"
[[feature.preview.config_mounts]]
mount_at = "/b"
"""


def test_each_key_of_toml_has_its_line() -> None:
    document = read(TOML, "toml")
    lines = {path: place.line for path, place in document.places.items()}
    assert document.value == tomllib.loads(TOML)
    assert lines == {
        (): 1,
        ("key",): 1,
        ("operator",): 2,
        ("feature",): 3,
        ("feature", "env"): 3,
        ("feature", "env", "override"): 4,
        ("feature", "env", "override", "A"): 4,
        ("feature", "env", "include"): 8,
        ("feature", "env", "include", 0): 8,
        ("feature", "env", "include", 1): 8,
        ("feature", "env", "exclude"): 12,
        ("feature", "env", "exclude", 0): 12,
        ("feature", "preview"): 13,
        ("feature", "preview", "config_mounts"): 13,
        ("feature", "preview", "config_mounts", 0): 13,
        ("feature", "preview", "config_mounts", 0, "mount_at"): 14,
        ("feature", "preview", "config_mounts", 0, "type"): 15,
        ("feature", "preview", "config_mounts", 1): 16,
        ("feature", "preview", "config_mounts", 1, "mount_at"): 17,
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = ", "1: is not TOML (Invalid value)"),
        (f"a = {'1' * 5_000}", "0: is not TOML (a number has too many digits)"),
        (f"a = 0x{'f' * 5_000}", "0: is not TOML (a number has too many digits)"),
        ("a = 1\na = 2", "2: is not TOML (Cannot overwrite a value)"),
        ("a = [" + "1," * 6_000 + "]", "0: here the file exceeds 5000 keys and values"),
        ("a = " + "[" * 200 + "]" * 200, ""),
        ("\n" + "a." * 30_000 + "a = 1", "2: is nested too deeply"),
        ("[" + "a ." * 20_000 + "a]", "1: is nested too deeply"),
        ("b = '''\n\n'''\nx = {" + '"a".' * 15_000 + "a = 1}", "4: is nested too deeply"),
    ],
)
def test_what_is_no_toml_is_told_in_words(text: str, told: str) -> None:
    assert mistake(text, "toml").startswith(told)


def test_what_has_no_quotes_in_toml_is_known_as_it_was_written() -> None:
    places = read("[feature.env]\noverride = {A = 1, B = true}\noverride2.C = 1979-05-27", "toml").places
    assert places["feature", "env", "override", "A"].written == "1"
    assert places["feature", "env", "override", "B"].written == "true"
    assert places["feature", "env", "override2", "C"].written == "1979-05-27"


def test_a_text_of_many_dots_is_no_key() -> None:
    assert read('a = "' + "b." * 100 + '"', "toml").value == {"a": "b." * 100}


@pytest.mark.parametrize("begun", ['"""\n\\', "'''\n'", '"\\'])
def test_texts_of_toml_that_do_not_end_are_gone_over_once(begun: str) -> None:
    started = process_time()
    with pytest.raises(Unreadable):
        read(begun * (64 * 1024 // len(begun)), "toml")
    # Some hundredths of a second; what looks for the end of each takes many seconds.
    assert process_time() - started < 4


@given(st.text(max_size=60) | st.text("\"'\\\n=a[]#.", max_size=30))
def test_no_text_of_toml_makes_the_reader_fail(text: str) -> None:
    try:
        read(text, "toml")
    except Unreadable as refused:
        assert str(refused.mistake.tell())


@pytest.mark.parametrize("written", ["{{ key }}", "{{key}}", "{{\tkey  }}"])
@pytest.mark.parametrize("end", ["json", "yaml", "toml"])
def test_the_key_is_marked_wherever_it_is_written(written: str, end: str) -> None:
    text = {"json": '{"key": "a-%s-b"}', "yaml": 'key: "a-%s-b"', "toml": 'key = "a-%s-b"'}[end]
    assert read(text % written, end).value == {"key": f"a-{KEY}-b"}


@pytest.mark.parametrize(
    "written",
    [
        "{{ get_env(name='GITHUB_TOKEN') }}",
        "{{ git_branch }}",
        "{{ key | upper }}",
        "{{- key -}}",
        "{{ 'key' }}",
        "{% include '/etc/passwd' %}",
        "{% raw %}{{ key }}{% endraw %}",
        "{# a comment #}",
        "{{",
        "{{{{ key }}}}",
    ],
)
def test_nothing_else_of_the_template_language_is_taken(written: str) -> None:
    document = read(json.dumps({"key": "x", "target": written}, indent=1))
    assert [mistake.line for mistake in document.mistakes][:1] == [3]
    assert "is not filled in" in str(document.mistakes[0].tell())


@pytest.mark.parametrize("text", [f'{{"key": "{KEY}"}}', '{"key": "\\ue000"}', '{"key": "\\uE000"}'])
def test_nobody_writes_the_mark_of_the_key_himself(text: str) -> None:
    assert "U+E000" in mistake(text)


def test_a_name_with_another_end_is_told() -> None:
    assert "ends with .json, .toml, .yaml, .yml, not with `.ini`" in mistake("{}", "ini")
