"""An account that nobody knows installs the App, which for a public App anybody may: it gets nothing.

Web refuses what is about its repositories, the listing leaves its installation out, and a Preview that is
there nevertheless goes. Whose it is, GitHub says: the installation's account, and the repository's owner.
"""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry

from previewbot.api.github import Installation, Repository
from previewbot.config.server import Settings, parse
from previewbot.runtime.web_app import create_app
from tests.support.passes import SETTINGS, World
from tests.support.previews import NOW, a_preview
from tests.unit.test_resync import World as Listing
from tests.unit.test_resync import a_row, listed
from tests.unit.test_web_webhook import SECRET, Cluster, deliver, pull_request

OURS: dict[str, Any] = {"owners": ["Acme"]}


def a_client(cluster: Cluster, settings: Settings) -> FlaskClient:
    app = create_app(settings, (SECRET,), cluster, CollectorRegistry(), now=lambda: NOW)
    return app.test_client()


def delivered(client: FlaskClient, repository: str) -> tuple[int, str]:
    event = pull_request() | {"repository": {"id": 812, "full_name": repository}}
    answer = deliver(client, "pull_request", event)
    return answer.status_code, answer.text


def test_web_refuses_their_deliveries_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    cluster = Cluster()
    client = a_client(cluster, parse({**SETTINGS, **OURS}, {}))

    with caplog.at_level(logging.WARNING):
        answers = [delivered(client, "mallory/shop") for _ in range(50)]

    assert set(answers) == {
        (403, "mallory/shop is not served here: its account is not among the settings' `owners`")
    }
    assert cluster.pokes == []
    # Of fifty deliveries the log is warned once: who may install the App must not fill it.
    assert [record.message for record in caplog.records] == ["a repository gets nothing"]
    assert delivered(client, "ACME/shop")[0] == 202


def test_however_many_repositories_of_theirs_are_refused_web_warns_of_ones_own_that_was_forgotten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = a_client(Cluster(), parse({**SETTINGS, **OURS, "repositories": [{"match": ["acme/shop"]}]}, {}))

    with caplog.at_level(logging.WARNING):
        for number in range(300):
            delivered(client, f"mallory/x{number}")
        delivered(client, "acme/forgotten")

    told = [record.__dict__["repository"] for record in caplog.records]
    assert len(told) == 101
    assert told[-1] == "acme/forgotten"


async def test_the_listing_leaves_their_installations_out_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    strangers = [Installation(100 + number, False, f"stranger{number}") for number in range(500)]
    world = Listing(a_row(), settings=listed(**OURS))
    world.hub.found = [Installation(7, False, "ACME"), *strangers, Installation(999, False, "")]
    asked: list[int] = []
    repositories = world.hub.repositories

    async def counted(installation_id: int, *, first: bool = False) -> list[Repository]:
        asked.append(installation_id)
        return await repositories(installation_id, first=first)

    world.hub.repositories = counted  # type: ignore[method-assign]
    with caplog.at_level(logging.WARNING):
        assert await world.poked() == [(812, 42, True)]
        await world.poked()

    assert set(asked) == {7}
    (said,) = [record for record in caplog.records if "installations" in record.message]
    assert (said.__dict__["number"], len(said.__dict__["first"])) == (501, 20)


async def test_a_preview_of_theirs_that_is_there_nevertheless_goes() -> None:
    world = World(**OURS)
    assert world.cluster.preview is not None
    world.cluster.preview["spec"]["repository"] = "mallory/shop"
    world.github.covering = {"mallory/shop": 812}
    await world.settle()

    assert world.cluster.preview is None
    assert world.cluster.sessions == {}
    assert world.github.own_comments() == []


async def test_a_preview_of_theirs_is_looked_at_by_the_listing_so_that_it_goes() -> None:
    world = Listing(previews=(a_preview(),), settings=listed(owners=["other"]))
    world.hub.found = [Installation(7, False, "acme")]

    assert await world.poked() == [(812, 42, False)]


async def test_without_owners_everybody_is_served_as_before() -> None:
    world = Listing(a_row())
    world.hub.found = [Installation(7, False, "anybody")]

    assert await world.poked() == [(812, 42, True)]
