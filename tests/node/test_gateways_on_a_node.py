"""A real Gateway that does not take the route, and one that is not there: no link until that is mended."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import urllib3
import yaml

from tests.node import pulls
from tests.node.conftest import Installation
from tests.node.node import wait_for
from tests.node.pulls import OPEN, Pull

pytestmark = pytest.mark.timeout(900)

REPOSITORY = "acme/gateways"
SECONDS = 90.0
"""So long a Gateway that says nothing is waited for, and a moment more."""

TO_PREVIEWBOT_ALONE = {
    "from": "Selector",
    "selector": {"matchLabels": {"kubernetes.io/metadata.name": "previewbot"}},
}


@pytest.fixture(scope="module")
def shop(installation: Installation) -> Installation:
    installation.town.create_repository(REPOSITORY, installation.town.files())
    return installation


def opened(installation: Installation, branch: str) -> Pull:
    return pulls.opened(installation, REPOSITORY, branch, {"services/web/NOTE": branch.encode()})


def says(pull: Pull, words: str, seconds: float = SECONDS) -> str:
    try:
        wait_for(f"{words!r} in the comment", lambda: pull.says(words), seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}; instead: {pull.comment()}") from error
    return pull.comment()


def phase_of(pull: Pull) -> str:
    return str(pull.status()["phase"])


def allow(installation: Installation, gateway: str, namespaces: object) -> None:
    """Change whose routes the Gateway's listener takes."""
    change = [
        {"op": "replace", "path": "/spec/listeners/0/allowedRoutes", "value": {"namespaces": namespaces}}
    ]
    installation.node.kubectl(
        "patch", "gateway", gateway, "--namespace", "gateways", "--type=json", "--patch", json.dumps(change)
    )


def link_in(text: str) -> str:
    return text.partition(f"{OPEN}(")[2].partition(")")[0]


def test_a_listener_that_takes_no_routes_of_staging_gives_no_link_until_it_does(shop: Installation) -> None:
    allow(shop, "public", TO_PREVIEWBOT_ALONE)
    try:
        pull = opened(shop, "refused")
        said = says(pull, "runs, but has no link:", 180)
        assert OPEN not in said
        assert "This is for your platform team" in said
        assert phase_of(pull) == "Deploying"
    finally:
        allow(shop, "public", {"from": "All"})
    link = link_in(says(pull, OPEN))
    answer = urllib3.request("GET", link, retries=False, timeout=10.0)
    assert answer.status == 200
    assert phase_of(pull) == "Ready"

    allow(shop, "public", TO_PREVIEWBOT_ALONE)
    try:
        # One that people have goes with what the Gateway says.
        assert OPEN not in says(pull, "runs, but has no link:")
    finally:
        allow(shop, "public", {"from": "All"})
    assert link_in(says(pull, OPEN)) == link
    pull.close()


@pytest.fixture
def misspelt(shop: Installation) -> Iterator[Installation]:
    """An installation whose settings name a Gateway that is not there."""
    helm = "helm upgrade previewbot charts/previewbot --namespace previewbot --wait --values"
    good = yaml.safe_load((shop.engineer.folder / "values.yaml").read_text(encoding="utf-8"))
    wrong = yaml.safe_load(yaml.safe_dump(good))
    wrong["settings"]["links"]["gateway"]["name"] = "publik"
    shop.engineer.write("misspelt.yaml", yaml.safe_dump(wrong))
    shop.engineer.types(f"{helm} misspelt.yaml")
    try:
        yield shop
    finally:
        shop.engineer.types(f"{helm} values.yaml")
        shop.node.kubectl("delete", "gateway", "publik", "--namespace", "gateways", "--ignore-not-found")


def test_a_gateway_that_the_settings_misspell_is_named_and_the_link_comes_once_it_is_there(
    misspelt: Installation,
) -> None:
    pull = opened(misspelt, "misspelt")
    said = says(pull, "there is no Gateway gateways/publik", 180)
    assert OPEN not in said
    assert phase_of(pull) == "Deploying"

    public = misspelt.node.get("gateway", "public", "--namespace", "gateways")
    misspelt.node.apply(
        {
            **{key: public[key] for key in ("apiVersion", "kind", "spec")},
            "metadata": {"name": "publik", "namespace": "gateways"},
        }
    )
    link = link_in(says(pull, OPEN))
    assert urllib3.request("GET", link, retries=False, timeout=10.0).status == 200
    pull.close()
