"""Which tags are told of an image whose tag is not there, and what is suggested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.rules.tags import Alike, Wanted, alike, is_tag

HEAD = "3f2c1ab" + "0" * 33
MERGE = "e" * 40
IMAGE = "ghcr.io/acme/checkout:"
OTHER = "9" * 40


def wanted(template: str = "{head_sha}") -> Wanted:
    return Wanted(IMAGE + template, HEAD, (MERGE,), 42, "feature/cart")


@pytest.mark.parametrize(
    ("template", "tag", "instead"),
    [
        ("{head_sha}", "sha-3f2c1ab", "sha-{short_sha}"),
        ("{head_sha}", "3f2c1ab", "{short_sha}"),
        ("{short_sha}", HEAD, "{head_sha}"),
        ("{head_sha}", f"git-{HEAD}-amd64", "git-{head_sha}-amd64"),
        ("sha-{short_sha}", f"sha-{MERGE[:7]}", "sha-{short_merge_sha}"),
        ("{head_sha}", MERGE, "{merge_sha}"),
        ("{head_sha}", "pr-42", "pr-{number}"),
        ("{head_sha}", "PR_42", "PR_{number}"),
        ("{head_sha}", "feature-cart", "{branch}"),
    ],
)
def test_a_tag_of_this_commit_in_another_form_is_what_was_meant(
    template: str, tag: str, instead: str
) -> None:
    listed = ("latest", OTHER, tag, "v1.2.0")

    assert alike(listed, wanted(template)) == Alike((tag,), of_commit=True, instead=IMAGE + instead)


def test_a_tag_with_the_whole_commit_is_preferred_to_the_pull_requests() -> None:
    assert alike(("pr-42", "sha-3f2c1ab", "feature-cart"), wanted()).tags == ("sha-3f2c1ab",)


def test_a_form_that_no_field_writes_is_told_without_a_suggestion() -> None:
    tag = f"build-{HEAD[:12]}"

    assert alike(("latest", tag), wanted()) == Alike((tag,), of_commit=True)


@pytest.mark.parametrize("tag", ["v1.42", "pr-421", "pr-4", "feature", "cart", f"x{HEAD[:6]}", "a" + HEAD])
def test_what_is_not_of_this_commit_is_not_taken_for_it(tag: str) -> None:
    assert alike((tag,), wanted()) == Alike((tag,))


def test_of_other_tags_those_are_told_that_name_a_commit_too() -> None:
    listed = ("latest", "main", "v1", f"sha-{OTHER[:7]}", OTHER)

    assert alike(listed, wanted()).tags == (f"sha-{OTHER[:7]}", OTHER, "latest")
    assert alike(listed, wanted("pr-{number}")).tags == ("latest", "main", "v1")


def test_what_looks_like_a_secret_is_not_repeated() -> None:
    assert alike(("ghp_" + "aB3" * 12, "latest"), wanted()).tags == ("latest",)


@given(st.lists(st.text(max_size=200), max_size=20))
def test_whatever_a_registry_lists_only_tags_are_told_and_few_of_them(listed: list[str]) -> None:
    found = alike(listed, wanted())

    assert len(found.tags) <= 3
    assert all(is_tag(tag) for tag in found.tags)
    assert "`" not in found.instead
