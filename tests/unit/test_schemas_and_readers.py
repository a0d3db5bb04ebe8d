"""The published schemas and the readers take the same values, as far as a schema can say what a value is.

A schema that is stricter marks in an editor what is right; one that is looser lets a mistake pass there.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from docs import reference
from previewbot.config import repository, server
from previewbot.errors import ConfigurationError, SettingsError
from tests.unit import test_repository_config, test_settings

PAGES = reference.pages()
Key = tuple[str | int, ...]


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(PAGES[f"docs/schemas/{name}.schema.json"]))


PREVIEW, SETTINGS = schema("preview"), schema("settings")
FILE: dict[str, Any] = yaml.safe_load(test_repository_config.EXAMPLE)
SERVER: dict[str, Any] = yaml.safe_load(test_settings.EXAMPLE)


def places(value: object, path: Key = ()) -> list[Key]:
    """Return where the single values of a document are."""
    if isinstance(value, dict):
        return [place for key, inner in value.items() for place in places(inner, (*path, key))]
    if isinstance(value, list):
        return [place for at, inner in enumerate(value) for place in places(inner, (*path, at))]
    return [path]


def changed(document: dict[str, Any], place: Key, value: object) -> dict[str, Any]:
    made: Any = copy.deepcopy(document)
    inner = made
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return dict(made)


def at(document: Any, place: Key) -> Any:
    for key in place:
        document = document[key]
    return document


def read(document: dict[str, Any], parse: Callable[[str], object]) -> bool:
    """Return whether a reader takes a document."""
    try:
        parse(json.dumps(document, ensure_ascii=False))
    except (ConfigurationError, SettingsError):
        return False
    return True


def read_preview(document: dict[str, Any]) -> bool:
    return read(document, repository.parse)


def read_settings(document: dict[str, Any]) -> bool:
    return read(document, lambda text: server.parse(server.document(text), {}))


def near(value: object) -> st.SearchStrategy[object]:
    """Return values that are one or two signs away from one that is right, and others that are not far."""
    if not isinstance(value, str):
        return st.sampled_from([0, 1, 2, 80, 65_535, 65_536, -1, True, False, None, "", "80", "true", [], {}])
    signs = st.sampled_from(
        [*"aA0129-._/@:#?%{}[]!*\\~+,;=&$|^()<>'\"` \t\n", "ä", "\u202e", "//", "./", ":0"]
    )
    edits = st.lists(
        st.tuples(st.integers(0, len(value)), st.integers(0, 2), signs | st.just("")), max_size=2
    )

    def edited(changes: list[tuple[int, int, str]]) -> str:
        text = value
        for start, removed, added in changes:
            text = text[:start] + added + text[start + removed :]
        return text

    whole = st.sampled_from(
        ["", " ", "/", "0", "1", "true", value * 2, value.upper(), value.title(), value + "/"]
    )
    return edits.map(edited) | whole | st.sampled_from([None, 1, True, [value], {value: value}])


def some(document: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return documents of which one value is near to what it should be."""
    return st.sampled_from(places(document)).flatmap(
        lambda place: near(at(document, place)).map(lambda value: changed(document, place, value))
    )


URL = ("entry", "url")


@settings(max_examples=200)
@given(some(FILE))
@example(changed(FILE, URL, "https://staging.example.com/@me"))
@example(changed(FILE, URL, "HTTPS://staging.example.com"))
@example(changed(FILE, URL, "https://[::1]:8080/x"))
@example(changed(FILE, URL, "https://x:"))
def test_the_schema_of_a_repositorys_file_takes_what_its_reader_takes(document: dict[str, Any]) -> None:
    assert PREVIEW.is_valid(document) or not read_preview(document)


@settings(max_examples=200)
@given(some(SERVER))
def test_the_schema_of_the_settings_takes_what_their_reader_takes(document: dict[str, Any]) -> None:
    # That a key without a value is the same as none, no editor need know.
    if not any(at(document, place) is None for place in places(document)):
        assert SETTINGS.is_valid(document) or not read_settings(document)


@pytest.mark.parametrize(
    ("place", "values"),
    [
        (
            URL,
            [
                "https://",
                "https://:80",
                "https://x:y",
                "https://a:1:2",
                "https://x y",
                "https://x/'",
                "ftp://x",
            ],
        ),
        (
            URL,
            ["https://me@x.example.com", "https://x[::1]", "https://x/`", "https://x/(", "https://x/\\", ""],
        ),
        (("entry", "target"), ["deployment/Web", "deployment/-w", "rollout/a/container/B", "deployment/a/b"]),
        (("services", "checkout", "target"), ["deployment/a_b", "deployment/a/container/" + "x" * 64]),
        (("services", "checkout", "paths", 0), ["./services/**", "#x", " ", "x" * 301, "a\nb"]),
        (
            ("services", "checkout", "open"),
            ["cart", "//evil.example.com", "/a b", "/ä", "/x)y", "/x'y", "", "/\\x"],
        ),
        (
            ("services", "checkout", "image"),
            [
                *("ghcr.io/acme/checkout:{sha}", "ghcr.io/acme/checkout:{head_sha", "ghcr.io/acme/checkout"),
                *("https://ghcr.io/acme/checkout:x", "ghcr.io/acme/checkout@sha256:00", "acme/checkout:x"),
                *(
                    "{branch}.io/acme/x:y",
                    "ghcr.io/Acme/checkout:x",
                    "ghcr.io/acme/:x",
                    "ghcr.io:x",
                    "a.b/c:-x",
                ),
            ],
        ),
        (("services", "checkout", "namespace"), ["Staging", "-x", "x-", "x" * 64, "a.b", ""]),
        (("services", "checkout", "ports", 0), [0, 65_536, -1, "080", True, 1.5]),
        (("triggers", "labels", 0), ["", " ", "a\nb", "a\x1bb", 1]),
        (("ttl",), ["8", "h", "0h", "0d0s", "8h 3m", "3m8h", "1.5h", "", "8h\n3m", 8]),
        (("version",), [2, 0, "1", True]),
    ],
)
def test_the_schema_of_a_repositorys_file_refuses_what_its_reader_refuses(
    place: Key, values: list[object]
) -> None:
    for value in values:
        document = changed(FILE, place, value)

        assert not read_preview(document), value
        assert not PREVIEW.is_valid(document), value


# Of the others no schema says in a few signs how a pattern of .gitignore ends, or that a year is the longest.
SAID_IN_FULL = [
    place
    for place in places(FILE)
    if place[-1] in ("namespace", "service", "target", "image", "open", "port", "agents")
]


@settings(max_examples=200)
@given(
    st.sampled_from(SAID_IN_FULL).flatmap(
        lambda place: near(at(FILE, place)).map(lambda value: changed(FILE, place, value))
    )
)
def test_where_the_schema_says_all_it_takes_nothing_else(document: dict[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False)
    # To Python's regular expressions a text also ends before its last line break, and to no editor's.
    if "\\n" not in text and "\u202e" not in text:
        assert read_preview(document) or not PREVIEW.is_valid(document)
