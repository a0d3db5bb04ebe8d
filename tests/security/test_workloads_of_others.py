"""A repository names a workload that is another team's: a session would take that team's traffic.

`preview.yaml` of the least important repository could name any workload of the open namespaces. A rule of the
settings says which are its own; the rest is told by its line, with whose decision it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from previewbot.api import Phase, Reason
from tests.support.observations import BOUNDS, FACTS, planned, running
from tests.support.passes import CONFIGURATION, A, B, World, ready

OWN = {"match": ["acme/shop"], "targets": ["deployment/checkout"], "entries": ["staging/web"]}
BOTH = {"targets": ["deployment/checkout", "deployment/pricing"]}
WIDE: dict[str, Any] = {
    "cluster": {"namespaces": ["staging", "payments"]},
    "images": {"allowed": ["ghcr.io/acme/", "ghcr.io/payments/"]},
}
WHOSE = "That is the platform team's to decide, in previewbot's settings"


def with_checkout(**changes: str) -> str:
    """The configuration with one service, in which something else stands."""
    written = CONFIGURATION.split("  pricing:")[0]
    for key, value in changes.items():
        line = next(line for line in written.splitlines() if line.startswith(f"    {key}:"))
        written = written.replace(line, f"    {key}: {value}")
    return written


@pytest.mark.parametrize(
    ("rule", "changes", "words"),
    [
        (
            OWN,
            {"target": "deployment/payments"},
            r"in line 7: the target `deployment/payments` is not open to this repository; "
            r"open are: deployment/checkout.",
        ),
        (OWN, {"target": "statefulset/checkout"}, "the target `statefulset/checkout` is not open"),
        (OWN, {"target": "deployment/payments/container/app"}, "is not open to this repository"),
        (
            OWN | {"namespaces": ["staging"]},
            {"namespace": "payments"},
            "in line 8: the namespace `payments` is not open to this repository; choose from: staging.",
        ),
        (
            OWN | {"images": ["ghcr.io/acme/checkout"]},
            {"image": '"ghcr.io/payments/api:{head_sha}"'},
            "in line 9: the image `ghcr.io/payments/api:{head_sha}` is not allowed here; it must begin with "
            "one of: ghcr.io/acme/checkout.",
        ),
    ],
    ids=["target", "kind", "container", "namespace", "image"],
)
async def test_what_is_not_its_own_is_not_made_and_the_comment_says_whose_decision_that_is(
    rule: dict[str, Any], changes: dict[str, str], words: str
) -> None:
    world = World(**WIDE, repositories=[rule])
    world.github.configuration = with_checkout(**changes)
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.cluster.routes == {}
    assert words in world.comment
    assert WHOSE in world.comment


async def test_what_is_its_own_runs_whatever_container_it_names() -> None:
    world = World(**WIDE, repositories=[OWN])
    world.github.configuration = with_checkout(target="deployment/checkout/container/app")
    await world.settle()

    assert world.serving == [A]
    assert world.cluster.leads_to() == "staging"


async def test_what_the_settings_took_back_ends_although_it_serves() -> None:
    world = await ready(World(**WIDE))
    world.settings = World(**WIDE, repositories=[OWN | {"targets": ["deployment/pricing"]}]).settings
    world.restart()
    await world.settle()

    assert world.cluster.sessions == {}
    assert (world.status.phase, world.status.reason) == (
        Phase.FAILED,
        Reason.CONFIGURATION_NOT_ALLOWED,
    )
    assert "the target `deployment/checkout` is not open to this repository" in world.comment
    # Whoever wrote the file made no mistake.
    assert "settings do not allow what `.github/preview.yaml` asks for**" in world.comment
    assert "mistake" not in world.comment
    assert world.cluster.leads_to() == "page"


async def test_an_image_that_the_settings_took_back_ends_although_it_is_pinned() -> None:
    branch = with_checkout(image='"ghcr.io/acme/{branch}:{head_sha}"')
    world = World(**WIDE)
    world.github.configuration, world.github.branch = branch, "evil"
    world.registry.images = {f"evil:{A}"}
    await ready(world)

    # A branch's name is the author's to choose: the file's own check sees a sample of it.
    world.settings = World(**WIDE, repositories=[OWN | {"images": ["ghcr.io/acme/main"]}]).settings
    world.restart()
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.service.waiting is not None
    assert world.service.waiting.reason is Reason.IMAGE_NOT_ALLOWED
    # And there it stays: what is gone is not ended again and again.
    stored = world.status
    await world.settle(passes=3, seconds=1)
    now = world.status
    assert (now.phase, now.services, now.children) == (stored.phase, stored.services, stored.children)


async def test_a_branchs_name_leads_to_no_image_outside_the_rule() -> None:
    world = World(**WIDE, repositories=[OWN | {"images": ["ghcr.io/acme/main"]}])
    world.github.configuration = with_checkout(image='"ghcr.io/acme/{branch}:{head_sha}"')
    world.github.branch, world.registry.images = "evil", {f"evil:{A}"}
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.service.waiting is not None
    assert world.service.waiting.reason is Reason.IMAGE_NOT_ALLOWED
    assert "ask your platform team to allow it" in world.comment


async def test_a_mistake_in_the_file_ends_nothing_that_is_its_own() -> None:
    world = await ready(World(**WIDE, repositories=[OWN | BOTH]))
    world.configure(with_checkout(target="deployment/payments"))
    await world.settle()

    assert world.serving == [A]
    assert "the target `deployment/payments` is not open to this repository" in world.comment


@pytest.mark.parametrize(
    ("narrowed", "creates"),
    [
        ({}, True),
        ({"targets": ("deployment/other",)}, False),
        ({"namespaces": ("payments",)}, False),
    ],
    ids=["its own", "target", "namespace"],
)
def test_no_way_past_the_reading_of_the_file_ends_in_a_session(
    narrowed: dict[str, Any], creates: bool
) -> None:
    # The facts have a file that nobody held to these bounds.
    plan = planned(running(), facts=replace(FACTS, bounds=replace(BOUNDS, **narrowed)))

    assert plan.creates is creates


async def test_the_next_commit_runs_only_what_is_its_own() -> None:
    world = await ready(World(**WIDE, repositories=[OWN | BOTH]))
    world.configure(with_checkout(target="deployment/payments"))
    world.push(B)
    await world.settle()

    assert world.serving == [A]


async def test_what_the_settings_took_back_ends_although_its_service_has_another_name_by_now() -> None:
    # The session goes on under the new name; the label that it was made with has the old one.
    world = await ready(World(**WIDE))
    world.configure(with_checkout().replace("  checkout:\n", "  till:\n"))
    await world.settle()
    assert ([service.name for service in world.status.services], world.serving) == (["till"], [A])

    world.settings = World(**WIDE, repositories=[OWN | {"targets": ["deployment/pricing"]}]).settings
    world.restart()
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.cluster.leads_to() == "page"


async def test_an_image_that_the_settings_took_back_ends_under_another_name_while_the_next_is_awaited() -> (
    None
):
    world = await ready(World(**WIDE))
    # The session of before serves on until there is the image that the file names now.
    world.configure(
        with_checkout(image='"ghcr.io/acme/till:{head_sha}"').replace("  checkout:\n", "  till:\n")
    )
    await world.settle()
    assert world.serving == [A]

    world.settings = World(**WIDE, repositories=[OWN | {"images": ["ghcr.io/acme/till"]}]).settings
    world.restart()
    await world.settle()

    assert world.cluster.sessions == {}


async def test_what_runs_in_a_namespace_that_the_settings_took_back_ends() -> None:
    world = await ready(World(cluster={"namespaces": ["staging", "payments"]}))

    world.settings = World(cluster={"namespaces": ["payments"]}).settings
    world.restart()
    await world.settle()

    assert world.cluster.sessions == {}
    assert world.cluster.leads_to() == "page"
    assert not world.status.slot.held
