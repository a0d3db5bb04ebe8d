"""A link is seen working through a real Gateway, whose address is known and its hosts' names are not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from previewbot_demo.tasks import COPILOT
from tests.node.conftest import Installation
from tests.node.node import Node, wait_for

pytestmark = pytest.mark.timeout(600)

REPOSITORY = "acme/links"
OPEN = "[Open the preview]"


@pytest.fixture(scope="module")
def shop(installation: Installation) -> Installation:
    """A repository like the shop's, with its check behind the front end."""
    installation.town.create_repository(REPOSITORY, installation.town.files())
    return installation


@pytest.fixture
def blind(installation: Installation) -> Iterator[None]:
    """An agent that hands on every request to staging, and says so."""
    try:
        _tell_agent(installation.node, "BLIND=yes")
        yield
    finally:
        _tell_agent(installation.node, "BLIND-")


def _tell_agent(node: Node, variable: str) -> None:
    node.kubectl("--namespace", "staging", "set", "env", "deployment/mirrord-agent", variable)
    node.kubectl(
        "--namespace", "staging", "rollout", "status", "--timeout", "60s", "deployment/mirrord-agent"
    )


def opened(installation: Installation, service: str) -> int:
    """Open a pull request that changes a service a little."""

    async def work() -> int:
        github, files = installation.town.github, {f"services/{service}/NOTE": b"a change"}
        return github.open_pull_request(REPOSITORY, COPILOT, f"copilot/{service}", files, "A change")

    return installation.town.do(work())


def comment(installation: Installation, number: int) -> str:
    found = installation.town.github.comments(number, REPOSITORY)
    return next((comment.body for comment in found if comment.by_app), "")


def has_link(installation: Installation, number: int) -> bool:
    return OPEN in comment(installation, number)


def known(installation: Installation, number: int) -> tuple[str, str]:
    name = f"gh-{installation.town.github.find(REPOSITORY).id}-{number}"
    link: dict[str, Any] = (installation.node.get("preview", name).get("status") or {}).get("link") or {}
    return link.get("proven", ""), link.get("why", "")


def closed(installation: Installation, number: int) -> None:
    async def work() -> None:
        installation.town.github.close(number, REPOSITORY)

    installation.town.do(work())


def test_two_links_at_once_are_proven_through_a_real_gateway(shop: Installation) -> None:
    on_the_entry, behind_it = opened(shop, "web"), opened(shop, "pricing")
    for number, why in ((on_the_entry, "ThisPreview"), (behind_it, "PassedOn")):
        wait_for("a link", partial(has_link, shop, number), 120)
        assert known(shop, number) == ("Yes", why)
    for number in (on_the_entry, behind_it):
        closed(shop, number)


def test_where_staging_answers_there_is_no_link_until_it_does_not(shop: Installation, blind: None) -> None:
    number = opened(shop, "web")
    wait_for(
        "what answers in the comment",
        lambda: "whoever opens it sees staging's own **web**" in comment(shop, number),
        120,
    )
    assert known(shop, number) == ("No", "Staging")
    assert OPEN not in comment(shop, number)

    _tell_agent(shop.node, "BLIND-")
    wait_for("a link", partial(has_link, shop, number), 60)
    assert known(shop, number) == ("Yes", "ThisPreview")
    closed(shop, number)
