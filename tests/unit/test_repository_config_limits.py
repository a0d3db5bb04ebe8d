"""How much a `.github/preview.yaml` may hold, so that nothing in it holds the controller up.

Time is not measured: what is counted is how much of a file is read, and what a pattern may be made of.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api.github import ChangedFile, ChangedFiles
from previewbot.config import mistakes
from previewbot.config.mirrord import MirrordConfig, read_mirrord
from previewbot.config.mirrord.files import Files
from previewbot.config.reader import MAX_BYTES, MAX_NODES
from previewbot.config.repository import globs, mirrord_files, model, parse, patterns
from previewbot.config.words import Words, fill
from previewbot.errors import ConfigurationError, Problem
from previewbot.rules.changes import compare

SERVICE = """\
  {name}:
    paths: [{paths}]
    target: deployment/{name}
    namespace: staging
    image: ghcr.io/acme/{name}:{{head_sha}}
    ports: [8080]
"""
TOO_MANY_VALUES = "here the file exceeds 5000 keys and values; make it smaller"


def a_file(*services: str) -> str:
    return "version: 1\nservices:\n" + "".join(services)


def a_service(name: str = "checkout", paths: str = "services/checkout/**") -> str:
    return SERVICE.format(name=name, paths=paths)


def problems(content: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as caught:
        parse(content)
    return caught.value.problems


def filled(unit: str, head: str = "", tail: str = "") -> str:
    """Return the largest file that repeats `unit`."""
    return head + unit * ((MAX_BYTES - len(head) - len(tail)) // len(unit)) + tail


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (filled("a,", "[", "]"), 1),
        (filled("[],", "[", "]"), 1),
        (filled("{},", "[", "]"), 1),
        (filled("a: 1\n"), 2500),
        (filled("- \n"), 5000),
        (filled("? [a]\n: b\n"), 3333),
        (filled("a,", a_file(a_service()) + "triggers: {labels: [", "]}"), 9),
        (filled("1,", a_file(a_service()).replace("8080]\n", ""), "]"), 8),
    ],
    ids=["commas", "lists", "mappings", "keys", "entries", "complex keys", "labels", "ports"],
)
def test_a_file_of_very_many_values_is_told_where_it_becomes_too_large(content: str, line: int) -> None:
    assert problems(content) == (Problem(line, TOO_MANY_VALUES),)


def test_reading_ends_where_the_file_becomes_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[yaml.Event] = []
    original: Callable[[yaml.SafeLoader], yaml.Event] = yaml.SafeLoader.get_event

    def counted(loader: yaml.SafeLoader) -> yaml.Event:
        seen.append(original(loader))
        return seen[-1]

    monkeypatch.setattr(yaml.SafeLoader, "get_event", counted)
    problems(filled("a,", "[", "]"))

    assert MAX_NODES <= len(seen) < MAX_NODES + 10


@pytest.mark.parametrize(
    "content",
    ["version:" + "\t" * 4_000 + "1\n", "version:" + "\t " * 2_000 + "1\n", "{" + "\t\n" * 2_000 + "}\n"],
    ids=["in a row", "and blanks", "and lines"],
)
def test_each_sign_between_values_is_looked_at_a_few_times_however_many_there_are(
    content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    original: Callable[[yaml.SafeLoader, int], str] = yaml.SafeLoader.peek

    def counted(loader: yaml.SafeLoader, index: int = 0) -> str:
        looks.append(index)
        return original(loader, index)

    monkeypatch.setattr(yaml.SafeLoader, "peek", counted)
    problems(content)

    assert len(looks) < 10 * len(content)


def test_of_very_many_mistakes_only_those_that_are_told_are_put_into_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worded: list[str] = []

    def counted(kind: str, named: Mapping[str, object], value: str = "") -> Words:
        worded.append(kind)
        return fill(kind, named, value)

    monkeypatch.setattr(mistakes, "fill", counted)
    problems("version: 1\nservices:\n" + "".join(f"  s{number}: {{x: 1}}\n" for number in range(900)))

    # Those that every service lacks something are told once each, elsewhere.
    assert len(worded) == 16


def test_of_thousands_of_names_that_may_be_meant_some_are_told() -> None:
    databases = "".join(f"  d{number}: staging\n" for number in range(1_500))
    service = a_service("s").rstrip() + "\n    databases: [nope]\n"
    [problem] = problems(f"version: 1\ndatabases:\n{databases}services:\n{service}")

    assert problem.message.startswith(
        "`databases` names `nope`, which is not among `databases`; known here: d0,"
    )
    assert problem.message.endswith(" d99 and 1400 more")


def test_of_hundreds_of_files_that_are_wrong_no_more_are_read_than_are_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def counted(content: bytes, path: str, files: Files) -> MirrordConfig:
        read.append(path)
        return read_mirrord(content, path, files)

    monkeypatch.setattr(mirrord_files, "read_mirrord", counted)
    services = "".join(f"  s{number}: {{mirrord: m{number}.json}}\n" for number in range(300))
    known = {f"m{number}.json": b'{"x": 1, "y": 1}' for number in range(300)}
    with pytest.raises(ConfigurationError) as caught:
        parse(f"version: 1\nservices:\n{services}", files=Files(known))

    assert len([problem for problem in caught.value.problems if problem.file]) == 20
    assert read == [f"m{number}.json" for number in range(10)]


def test_a_file_with_hundreds_of_services_is_accepted() -> None:
    content = a_file(*(a_service(f"s{number}") for number in range(290)))

    assert len(parse(content).services) == 290


@pytest.mark.parametrize("piece", ["[", "{", "- ", "? "])
def test_a_deeply_nested_file_is_told_so_before_it_is_all_read(piece: str) -> None:
    assert problems(filled(piece)) == (Problem(1, "is nested too deeply"),)


def test_depth_counts_what_is_open_and_not_what_was() -> None:
    deep = "x: " + "[" * 18 + "]" * 18 + "\n"

    found = problems(a_file(a_service()) + deep + deep.replace("x", "y"))

    assert [problem.message.split(";")[0] for problem in found] == ["`x` is unknown", "`y` is unknown"]


def test_an_alias_is_refused_by_name_where_it_stands() -> None:
    found = problems("version: 1\nservices: &all {}\ntriggers: *all\n")

    assert found == (Problem(3, "the alias `*all` is not allowed; write its value out"),)


def test_a_bomb_of_aliases_is_refused_at_the_first() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))

    assert problems(bomb) == (Problem(2, "the alias `*a0` is not allowed; write its value out"),)


def test_a_tag_is_refused_at_the_first() -> None:
    told = "`!!a` begins with !, which YAML reads as a tag; put it in quotes, or remove the tag"

    assert problems(filled("!!a ,", "[", "]")) == (Problem(1, told),)


@pytest.mark.parametrize("separator", ["---\n", "...\n---\n"])
def test_a_second_document_is_refused_where_it_begins(separator: str) -> None:
    found = problems(a_file(a_service()) + separator + "version: 1\n")

    line = 9 + separator.count("\n") - 1
    assert found == (Problem(line, "a second document begins here; remove `---` and what follows"),)


def test_one_document_may_be_marked_as_such() -> None:
    assert len(parse("---\n" + a_file(a_service()) + "...\n").services) == 1


@pytest.mark.parametrize(
    "digits",
    ["9" * 60_000, "0x" + "f" * 60_000, "1:" * 30_000 + "1", "1_" * 30_000],
    ids=["decimal", "hexadecimal", "sexagesimal", "underscores"],
)
def test_a_number_of_very_many_digits_is_never_computed(digits: str) -> None:
    (found,) = problems(a_file(a_service()).replace("8080", digits))

    assert found == Problem(8, "`ports` must be a port, a number from 1 to 65535")


@pytest.mark.parametrize(
    ("line", "written", "instead"),
    [
        (5, "target: deployment/checkout", "target: " + "a" * 60_000),
        (7, "image: ghcr.io/acme/checkout", "image: ghcr.io/" + "a-" * 29_000),
        (7, "image: ghcr.io/acme/checkout", "image: " + "a." * 29_000),
        (7, "{head_sha}", "{" + "a" * 60_000 + "}"),
        (7, "{head_sha}", "{number}" * 7_000),
    ],
    ids=["target", "repository", "registry", "field", "fields"],
)
def test_a_very_long_value_is_refused_with_a_short_message(line: int, written: str, instead: str) -> None:
    found = problems(a_file(a_service()).replace(written, instead))

    assert [problem.line for problem in found] == [line]
    assert all(len(problem.message) < 300 for problem in found)


def test_patterns_are_counted_over_all_services() -> None:
    half = ",".join(f"folder{number}/**" for number in range(250))
    content = a_file(a_service("one", half), a_service("two", half))

    assert len(parse(content).services) == 2
    (found,) = problems(content.replace("folder0/**", "folder0/**,more/**", 1))
    assert found.line == 2
    assert "have 501 `paths` together" in found.message
    assert "at most 500" in found.message


def test_patterns_are_counted_before_they_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def counted(written: str) -> bool:
        looked_at.append(written)
        return True

    monkeypatch.setattr(globs, "_can_be_matched", counted)
    parse(a_file(a_service()))
    assert looked_at.pop() == "services/checkout/**"
    many = ",".join(f"folder{number}/**" for number in range(400))

    (found,) = problems(a_file(a_service("one", many), a_service("two", many)))

    assert (found.line, looked_at) == (2, [])
    assert "have 800 `paths` together" in found.message


@pytest.mark.parametrize("pattern", ["**/src/**/*.java", "**/a/**/b/**/c/**/d", "a*b*c*d*e", "**", "**/**"])
def test_a_pattern_may_have_as_many_stars_as_it_likes(pattern: str) -> None:
    assert parse(a_file(a_service(paths=f"'{pattern}'"))).services[0].paths == (pattern,)


def test_a_pattern_that_is_too_long_is_refused() -> None:
    (found,) = problems(a_file(a_service(paths=f"'{'x' * 301}'")))

    assert found.line == 4
    assert "is too long" in found.message


@pytest.mark.parametrize(
    ("pattern", "many", "found"),
    [("?" * 250, 60, 15_000), ("a*" * 100, 100, 10_000), ("**/*/**/*[ab]", 200, 1_000)],
)
def test_wildcards_are_counted_over_all_services_and_told_where_most_of_them_are(
    pattern: str, many: int, found: int
) -> None:
    heavy = "".join(f"\n      - '{pattern}{number}'" for number in range(many))
    content = a_file(a_service("one", "'*.go'"), a_service("two").replace(" [services/checkout/**]", heavy))

    told = f"`paths` have {found + 1} `*`, `?` and `[…]` over all services"
    assert problems(content) == (Problem(10, f"{told}; name folders, at most 800 of these"),)


def test_a_folder_and_all_in_it_takes_no_wildcard() -> None:
    assert globs.count_wildcards("services/checkout/**") == 0
    assert globs.count_wildcards("**/src/*/[ab]?*.py") == 5


def test_patterns_that_can_be_matched_alone_but_not_together_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else every pass would fail, and nobody would be told why."""
    monkeypatch.setattr(patterns, "_MEMORY", 100_000)
    one, two = (",".join(f"{name}{number}/**/{number}" for number in range(100)) for name in ("a", "bb"))

    found = problems(a_file(a_service("one", one), a_service("two", two)))

    assert found == (Problem(10, "`paths` cannot be matched together; use fewer and shorter ones"),)


def test_the_most_that_is_allowed_can_be_matched() -> None:
    wildcards = model._MOST_WILDCARDS // 4
    most = [f"'{'[!a-é]' * 4}{number}'" for number in range(wildcards)]
    most += [f"{number}{'é' * 45}" for number in range(500 - wildcards)]

    config = parse(a_file(a_service(paths=",".join(most))))

    assert compare(config, ChangedFiles((ChangedFile("x"),), complete=True)).files == {}


@given(st.text(st.sampled_from("ab*?[]!-^/\\.{}()|+:"), min_size=1, max_size=12), st.text(max_size=12))
def test_whatever_pattern_is_accepted_can_be_matched_with_any_path(pattern: str, path: str) -> None:
    quoted = pattern.replace("'", "''")
    with contextlib.suppress(ConfigurationError):
        config = parse(a_file(a_service(paths=f"'{quoted}'")))
        compare(config, ChangedFiles((ChangedFile(path or "x"),), complete=True))


@given(st.lists(st.sampled_from(["[", "{", "- ", "? ", "&a ", "*a", "!!x ", ": ", "\n", "a", '"', ",", "|"])))
def test_no_mixture_of_yamls_signs_breaks_the_reader(pieces: list[str]) -> None:
    assert problems("".join(pieces))
