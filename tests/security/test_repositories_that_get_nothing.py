"""Somebody works on a repository that no rule is for: pull requests, pushes and commands cost nothing there.

With `repositories` in the settings, what matches none of them gets nothing: no Preview that stays, no
comment, no look beyond the one that says what the repository is called, and no flood in the log.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from previewbot.api.github import Installation, Repository
from previewbot.config.server import parse
from previewbot.errors import TryLater
from previewbot.runtime.web_app import create_app
from tests.support.passes import SETTINGS, World, ready
from tests.support.previews import NOW, a_preview
from tests.unit.test_resync import World as Listing
from tests.unit.test_resync import a_row, listed
from tests.unit.test_web_webhook import SECRET, Cluster, check_run, deliver, issue_comment, pull_request

OTHERS: dict[str, Any] = {"repositories": [{"match": ["acme/other"]}]}
NOBODY: dict[str, Any] = {"repositories": []}
EXCLUDED: dict[str, Any] = {"repositories": [{"match": ["acme/shop"], "targets": []}, {"match": ["*/*"]}]}

WITHOUT = pytest.mark.parametrize(
    "settings", [OTHERS, NOBODY, EXCLUDED], ids=["others", "nobody", "excluded"]
)


@WITHOUT
def test_web_makes_no_preview_there_and_writes_nothing(
    settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    cluster = Cluster()
    app = create_app(
        parse({**SETTINGS, **settings}, {}), (SECRET,), cluster, CollectorRegistry(), now=lambda: NOW
    )
    client = app.test_client()
    events = [
        ("pull_request", pull_request()),
        ("issue_comment", issue_comment()),
        ("check_run", check_run()),
    ]

    with caplog.at_level(logging.WARNING):
        answers = {deliver(client, event, payload).status_code for event, payload in events * 30}

    assert answers == {204}
    assert cluster.pokes == []
    assert [record.message for record in caplog.records] == ["a repository gets nothing"]


def test_of_thousands_of_such_repositories_web_warns_of_few(caplog: pytest.LogCaptureFixture) -> None:
    settings = parse({**SETTINGS, **OTHERS}, {})
    app = create_app(settings, (SECRET,), Cluster(), CollectorRegistry(), now=lambda: NOW)
    client = app.test_client()

    with caplog.at_level(logging.WARNING):
        for number in range(500):
            repository = {"id": number + 1, "full_name": f"acme/x{number}"}
            deliver(client, "pull_request", pull_request() | {"repository": repository})

    assert len(caplog.records) == 100


@WITHOUT
async def test_the_listing_asks_nothing_about_its_pull_requests(
    settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    world = Listing(a_row(), settings=listed(**settings))
    world.hub.found = [Installation(7, False, "acme")]

    with caplog.at_level(logging.WARNING):
        assert await world.poked() == []
        await world.poked()

    assert world.hub.asked == []
    (said,) = caplog.records
    assert (said.message, said.__dict__["first"]) == (
        "repositories of installation 7 get nothing",
        ["acme/shop"],
    )


async def test_the_listing_goes_on_with_those_that_get_something() -> None:
    world = Listing(settings=listed(**OTHERS))
    world.hub.covered = {7: [Repository(812, "acme/shop", "main"), Repository(900, "Acme/Other", "main")]}
    world.hub.rows = {"acme/shop": [a_row(1)], "Acme/Other": [a_row(2)]}

    assert await world.poked() == [(900, 2, True)]


@WITHOUT
async def test_a_command_there_has_no_effect_and_one_request_is_all_that_a_look_costs(
    settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    world = World(**settings)
    world.say("/preview start")
    with caplog.at_level(logging.WARNING):
        await world.run()

    assert [call for call in world.calls.made if call in ("comments", "file", "files", "permission")] == []
    assert world.calls.made.count("pull request") == 1
    assert world.cluster.preview is None
    assert world.github.own_comments() == []
    assert world.github.reacted == []
    assert [record.message for record in caplog.records] == ["a repository gets nothing"]


@WITHOUT
async def test_a_preview_from_before_is_removed_and_its_comment_says_whose_decision_that_is(
    settings: dict[str, Any],
) -> None:
    world = await ready()
    assert "Open the preview" in world.comment
    world.settings = World(**settings).settings
    world.restart()
    world.say("/preview start")
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.cluster.preview is None
    assert "Open the preview" not in world.comment
    assert "your platform team's settings do not include this repository (any more)" in world.comment
    assert len(world.github.own_comments()) == 1


async def test_a_comment_that_was_written_in_a_pass_that_died_gets_its_last_words_too() -> None:
    world = World()
    # The comment was written, and the process died before it was noted.
    world.calls.watch("create comment", lambda: world.fail("put status", by=RuntimeError("killed")))
    for _ in range(6):
        try:
            await world.run()
        except RuntimeError:
            break
    world.mend()
    assert "previewbot status" in world.comment

    world.settings = World(**NOBODY).settings
    world.restart()
    await world.settle()
    assert "do not include this repository (any more)" in world.comment
    assert world.cluster.preview is None


async def test_a_preview_from_before_is_looked_at_by_the_listing_so_that_it_goes() -> None:
    world = Listing(previews=(a_preview(),), settings=listed(**NOBODY))

    assert await world.poked() == [(812, 42, False)]


async def test_what_cannot_be_read_at_github_ends_nothing() -> None:
    world = await ready()
    world.settings = World(**NOBODY).settings
    world.restart()
    world.fail_github(TryLater("GitHub", status=500))
    await world.settle(passes=3)

    assert len(world.cluster.sessions) == 1
