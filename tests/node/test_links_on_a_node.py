"""A link is seen working through a real Gateway, whose address is known and its hosts' names are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.node import pulls
from tests.node.conftest import Installation
from tests.node.node import Node, wait_for
from tests.node.pulls import Pull

pytestmark = pytest.mark.timeout(600)

REPOSITORY = "acme/links"


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


def opened(installation: Installation, service: str) -> Pull:
    """Open a pull request that changes a service a little."""
    files = {f"services/{service}/NOTE": b"a change"}
    return pulls.opened(installation, REPOSITORY, service, files)


def known(pull: Pull) -> tuple[str, str]:
    link: dict[str, Any] = pull.status().get("link") or {}
    return link.get("proven", ""), link.get("why", "")


def test_two_links_at_once_are_proven_through_a_real_gateway(shop: Installation) -> None:
    on_the_entry, behind_it = opened(shop, "web"), opened(shop, "pricing")
    for pull, why in ((on_the_entry, "ThisPreview"), (behind_it, "PassedOn")):
        wait_for("a link", pull.has_link, 120)
        assert known(pull) == ("Yes", why)
    for pull in (on_the_entry, behind_it):
        pull.close()


def test_where_staging_answers_there_is_no_link_until_it_does_not(shop: Installation, blind: None) -> None:
    pull = opened(shop, "web")
    wait_for(
        "what answers in the comment",
        lambda: pull.says("whoever opens it sees staging's own **web**"),
        120,
    )
    assert known(pull) == ("No", "Staging")
    assert not pull.has_link()

    _tell_agent(shop.node, "BLIND-")
    wait_for("a link", pull.has_link, 60)
    assert known(pull) == ("Yes", "ThisPreview")
    pull.close()
