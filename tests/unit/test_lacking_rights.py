"""Permissions that the App asks for and was not granted: named, once, with what they cost."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api.github import Installation
from previewbot.config.server import parse
from previewbot.rules.app_rights import (
    EVENTS,
    PERMISSIONS,
    accepted_in_words,
    lacking_permissions,
    needed_permissions,
)
from previewbot.runtime.lacking_rights import LackingRights
from tests.support import passes

SETTINGS = parse({**passes.SETTINGS, "check": "on", "deployments": {"environment": "preview"}}, {})
GRANTED = {name: needed.level for name, needed in PERMISSIONS.items()}
ALL = Installation(7, False, "acme", GRANTED, tuple(EVENTS), "https://github.com/settings/installations/7")


def said(caplog: pytest.LogCaptureFixture) -> list[list[str]]:
    """Return what was said to be lacking, warning by warning."""
    return [record.__dict__["lacking"] for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("name", sorted(PERMISSIONS))
def test_a_permission_that_was_not_granted_is_named_once(name: str, caplog: pytest.LogCaptureFixture) -> None:
    rights = LackingRights(SETTINGS)
    without = replace(ALL, permissions={k: v for k, v in GRANTED.items() if k != name})
    for _ in range(3):
        rights.look([without])
    [[words]] = said(caplog)

    assert words.startswith(f"`{name}: {PERMISSIONS[name].level}` (without it ")


@pytest.mark.parametrize(
    ("setting", "granted", "lacking"),
    [
        ({}, {"checks": "read"}, ["checks: write", "deployments: write"]),
        ({"check": "required"}, {"checks": "read", "deployments": "write"}, ["checks: write"]),
        ({"deployments": "off"}, {"checks": "write"}, []),
        ({"deployments": "off"}, {"checks": "read"}, ["checks: write"]),
        ({"check": "off"}, {"checks": "read", "deployments": "write"}, []),
        ({"check": "off"}, {"deployments": "write"}, ["checks: read"]),
        (
            {"check": "off", "verdicts": "check"},
            {"checks": "read", "deployments": "write"},
            ["checks: write"],
        ),
        ({"check": "off", "deployments": "off"}, {"checks": "read"}, []),
    ],
)
def test_a_place_that_is_turned_off_needs_no_permission(
    setting: dict[str, str], granted: dict[str, str], lacking: list[str]
) -> None:
    settings = SETTINGS.model_copy(update=setting)
    others = {name: level for name, level in GRANTED.items() if name not in ("checks", "deployments")}

    said = lacking_permissions(others | granted, needed_permissions(settings))

    assert [words.split("`")[1] for words in said] == lacking
    on = [words for words in said if "write" in words]
    assert all(re.search(r"without it there .*; with `\w+: off` in the settings", words) for words in on)


def test_what_is_accepted_is_forgotten_and_said_again_if_it_is_taken_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rights = LackingRights(SETTINGS)
    without = replace(ALL, permissions={**GRANTED, "pull_requests": "read"})
    for installation in (without, ALL, without):
        rights.look([installation])

    assert len(said(caplog)) == 2


def test_events_are_named_too_and_where_all_is_accepted_nothing_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rights = LackingRights(SETTINGS)
    rights.look([ALL, Installation(8, False, "globex")])
    assert said(caplog) == []
    rights.look([replace(ALL, events=tuple(name for name in EVENTS if name != "repository"))])
    [[words]] = said(caplog)

    assert words.startswith("`repository`")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("checks=read", "`checks: read`"),
        ("issues=write; pull_requests=write", "`issues: write` or `pull_requests: write`"),
        (
            "contents=read,metadata=read; administration=write",
            "`contents: read` and `metadata: read` or `administration: write`",
        ),
        ("", ""),
        ("allows_permissionless_access=true", ""),
        ("<script>=read", ""),
    ],
)
def test_githubs_header_is_read_as_words(header: str, words: str) -> None:
    assert accepted_in_words(header) == words


@given(st.text())
def test_whatever_a_header_holds_only_names_and_levels_are_said(header: str) -> None:
    assert accepted_in_words(header).isascii()
