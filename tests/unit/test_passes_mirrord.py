"""A mirrord file of the repository in a life of passes: read at one commit, remembered, judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from previewbot.api import Reason
from previewbot.reconciler import Memory
from previewbot_demo.github.trees import Link
from tests.support.passes import A, World

CONFIGURATION = """\
version: 1
services:
  checkout:
    paths: ["checkout/**"]
    image: ghcr.io/acme/checkout:{head_sha}
    mirrord: .mirrord/mirrord.json
"""
PATH = ".mirrord/mirrord.json"
SAID: dict[str, Any] = {
    "target": {"path": "deployment/checkout", "namespace": "staging"},
    "feature": {"env": {"override": {"APP_ENV": "preview-{{ key }}"}}},
}


def a_world(said: object = SAID, **settings: Any) -> World:
    world = World(**settings)
    world.github.configuration = CONFIGURATION
    world.github.repository_files[PATH] = said if isinstance(said, bytes) else json.dumps(said).encode()
    return world


async def look(world: World) -> list[str]:
    """Make a pass that looks at GitHub; return what it asked about files, in order."""
    world.poke()
    await world.run()
    about = ("file", "tip", "file at a commit", "tree", "blob")
    return [call for call in world.calls.made if call in about]


async def test_the_session_is_as_the_mirrord_file_says() -> None:
    world = await a_world().settle()

    [session] = world.cluster.sessions.values()
    key = session["spec"]["key"]
    assert world.serving == [A]
    assert session["spec"]["env"] == {"overrides": {"APP_ENV": f"preview-{key}"}}


async def test_a_look_costs_one_request_more_until_the_base_branch_moves() -> None:
    world = a_world(memory=Memory())

    first, steady = await look(world), await look(world)
    world.github.repository_files["README.md"] = b"new"
    pushed = await look(world)

    assert first == ["file", "tip", "file at a commit", "tree", "tree", "blob"]
    assert steady == ["file", "tip"]
    assert pushed == ["file", "tip", "file at a commit", "tree"]


async def test_what_is_refused_for_how_much_it_takes_is_read_once_for_a_commit() -> None:
    folders = {f"db/{number}.sql": b"" for number in range(2_001)}
    database = {"type": "pg", "name": "orders", "connection": {"url": "A"}}
    migrated = {**database, "migrations": {"flavor": "flyway", "path": "db"}}
    world = a_world({**SAID, "feature": {"db_branches": [migrated]}}, memory=Memory())
    world.github.repository_files |= folders

    first, steady = await look(world), await look(world)

    assert first == ["file", "tip", "file at a commit", "tree", "tree", "blob", "tree"]
    assert steady == ["file", "tip"]
    assert "more than 300 files together" in world.comment


async def test_another_mirrord_file_on_the_base_branch_is_another_session() -> None:
    world = await a_world().settle()
    changed = {**SAID, "feature": {"env": {"override": {"APP_ENV": "other"}}}}
    world.github.repository_files[PATH] = json.dumps(changed).encode()
    world.poke()
    await world.settle()

    [session] = world.cluster.sessions.values()
    assert session["spec"]["env"] == {"overrides": {"APP_ENV": "other"}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{\n"feature": {"netwrk": 1}}', "`.mirrord/mirrord.json`, line 2: `feature.netwrk` is unknown"),
        (b"{", "`.mirrord/mirrord.json`, line 1: is not JSON"),
        (Link(b"elsewhere.json"), "`mirrord` names `.mirrord/mirrord.json`, which is a link"),
    ],
)
async def test_what_is_wrong_in_the_file_is_told_in_the_comment(content: bytes, told: str) -> None:
    world = await a_world(content).settle()

    assert world.status.reason is Reason.CONFIGURATION_INVALID
    assert told in world.comment
    assert world.cluster.sessions == {}


async def test_a_file_that_becomes_a_secret_is_refused_without_a_rule_that_opens_it() -> None:
    said = {**SAID, "feature": {"env": {"env_file": "staging.env"}}}
    refused, allowed = (
        a_world(said, repositories=[{"match": ["acme/shop"], "secrets": secrets}])
        for secrets in (False, True)
    )
    for world in (refused, allowed):
        world.github.repository_files["staging.env"] = b"A=1\n"
        await world.settle()

    assert "which the settings do not allow for this repository" in refused.comment
    assert (refused.cluster.sessions, allowed.serving) == ({}, [A])
