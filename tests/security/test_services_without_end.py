"""A pull request that changes hundreds of services holds one slot all the same."""

from __future__ import annotations

from typing import Any

import pytest

from previewbot.api import Child, Ended, Lifecycle, Observed, Reason, Status
from previewbot.config.repository import parse
from previewbot.rules.chosen import NAMES_TOLD, choose, with_a_session
from tests.support.passes import A, B, World
from tests.support.previews import NOW

SERVICES = [f"s{number:03}" for number in range(300)]
"""In the order of the file; the entry's own is `s250`."""


def configuration(services: list[str], entry: str = "s250") -> str:
    """Return a file with these services; the front end's own workload is that of `entry`."""
    parts = [
        "version: 1",
        "entry: {url: 'https://staging.example.com', namespace: staging, service: web, port: 80, "
        f"target: deployment/{entry}}}",
        "services:",
    ]
    for name in services:
        parts.append(
            f"  {name}: {{paths: ['{name}/**'], target: deployment/{name}, namespace: staging, "
            f"image: 'ghcr.io/acme/{name}:{{head_sha}}', ports: [80]}}"
        )
    return "\n".join(parts)


def a_world(**settings: Any) -> World:
    """Return a world whose pull request changes all services, of which there are all images."""
    world = World(**settings)
    world.github.configuration = configuration(SERVICES)
    world.github.paths = tuple(f"{name}/app.py" for name in SERVICES)
    world.registry.images = {f"{name}:{sha}" for name in SERVICES for sha in (A, B)}
    return world


def running(world: World) -> list[str]:
    """Return the services whose sessions are there."""
    sessions = world.cluster.sessions.values()
    return sorted(session["spec"]["target"]["name"] for session in sessions)


async def test_a_pull_request_with_300_services_gets_10_sessions_the_entrys_own_among_them() -> None:
    world = await a_world().settle()

    assert running(world) == [*SERVICES[:9], "s250"]
    assert "Not previewed: **s009**, **s010**" in world.comment
    assert "and 270 more, because the platform team allows 10 services per preview." in world.comment


async def test_nothing_is_asked_about_the_others() -> None:
    world = a_world(limits={"services": 2})
    await world.run()

    assert world.calls.made.count("registry") == 2


async def test_a_rule_may_allow_a_repository_less() -> None:
    world = await a_world(repositories=[{"match": ["acme/*"], "limits": {"services": 1}}]).settle()

    assert running(world) == ["s250"]
    assert "the platform team allows 1 service per preview" in world.comment


async def test_a_limit_that_is_lowered_ends_no_session_before_the_next_commit() -> None:
    world = await a_world(limits={"services": 3}).settle()
    assert running(world) == ["s000", "s001", "s250"]
    limits = world.settings.limits.model_copy(update={"services": 1})
    world.settings = world.settings.model_copy(update={"limits": limits})
    world.restart()
    await world.settle()
    assert running(world) == ["s000", "s001", "s250"]

    world.push(B)
    await world.settle()
    assert (running(world), world.serving) == (["s250"], [B])


async def test_another_configuration_moves_no_session_of_the_same_commit() -> None:
    world = await a_world(limits={"services": 3}).settle()
    world.configure(configuration([*reversed(SERVICES)]))
    await world.settle()

    assert running(world) == ["s000", "s001", "s250"]


# The rule

FILE = parse(configuration(["a", "b", "c", "d"], entry="c"), "preview.yaml")


@pytest.mark.parametrize(
    ("changed", "limit", "kept", "expected", "others"),
    [
        ("abcd", 4, "", "abcd", ""),
        ("abcd", 3, "", "abc", "d"),
        ("abcd", 2, "", "ac", "bd"),
        ("abcd", 1, "", "c", "abd"),
        ("abd", 2, "", "ab", "d"),
        ("bd", 9, "", "bd", ""),
        ("abcd", 2, "bd", "bd", "ac"),
        ("abcd", 1, "bd", "bd", "ac"),
        ("abc", 2, "d", "ac", "b"),
        ("abcd", 3, "d", "acd", "b"),
    ],
)
def test_of_more_services_than_are_allowed_the_entrys_own_and_the_first_are_previewed(
    changed: str, limit: int, kept: str, expected: str, others: str
) -> None:
    files = dict.fromkeys(changed, 1)

    chosen, left_out = choose(FILE, files, limit, kept)

    assert "".join(sorted(chosen)) == expected
    assert "".join(left_out.names if left_out else ()) == others


def test_of_many_others_the_first_are_named() -> None:
    many = parse(configuration(SERVICES), "preview.yaml")
    _, left_out = choose(many, dict.fromkeys(SERVICES, 1), 10)

    assert left_out is not None
    assert (left_out.count, len(left_out.names), left_out.limit) == (290, NAMES_TOLD, 10)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status(observed=Observed(head_sha=A)), {"a"}),
        (Status(observed=Observed(head_sha=B)), set()),
        (
            Status(
                observed=Observed(head_sha=A), lifecycle=Lifecycle(ended=Ended(reason=Reason.TIME_UP, at=NOW))
            ),
            set(),
        ),
    ],
    ids=["the same commit", "another commit", "it has ended"],
)
def test_only_what_runs_of_this_very_commit_is_kept(status: Status, expected: set[str]) -> None:
    children = (
        Child("PreviewSession", "staging", "1", service="a", uid="1"),
        Child("PreviewSession", "staging", "2", service="b"),
        Child("HTTPRoute", "staging", "3", uid="3"),
    )
    with_children = Status(observed=status.observed, lifecycle=status.lifecycle, children=children)

    assert with_a_session(with_children, A) == expected
