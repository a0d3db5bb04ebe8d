"""Which tags are told of an image whose tag is not there, and what is suggested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.rules.images import is_tag
from previewbot.rules.tags import Alike, Wanted, alike

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
        # What else changes with each pull request is a field, too.
        ("{head_sha}", "feature-cart-3f2c1ab", "{branch}-{short_sha}"),
        ("{head_sha}", "pr-42-3f2c1ab", "pr-{number}-{short_sha}"),
        ("{head_sha}", f"{HEAD}-linux-arm64", "{head_sha}-linux-arm64"),
        # The ref of a pull request, `refs/pull/42/merge`, as tags have it.
        ("{head_sha}", "42-merge", "{number}-merge"),
        ("{head_sha}", "refs-pull-42-merge", "refs-pull-{number}-merge"),
        ("{head_sha}", "preview-42", "preview-{number}"),
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


@pytest.mark.parametrize(
    "tag",
    [
        "v1.4.2-3f2c1ab",
        "42-3f2c1ab",
        "20260201-3f2c1ab",
        "1738368000-3f2c1ab",
        "feature-cart-3f2c1ab-20260201T101500",
        "v1.4-2-g3f2c1ab",
    ],
)
def test_what_would_never_come_again_is_no_suggestion(tag: str) -> None:
    """Versions, moments and numbers of runs are others for the next commit."""
    assert alike(("latest", tag), wanted()) == Alike((tag,), of_commit=True)
    assert alike((tag, "sha-3f2c1ab"), wanted()).instead == IMAGE + "sha-{short_sha}"


def test_signatures_and_caches_are_no_images() -> None:
    signatures = tuple(f"sha256-{letter * 64}{end}" for letter in "ab" for end in ("", ".sig", ".att"))

    assert alike((*signatures, "buildcache", "cache-main", "latest"), wanted()).tags == ("latest",)


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
