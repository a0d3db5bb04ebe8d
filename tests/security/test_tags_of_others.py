"""Attack: whoever answers for a registry, or may push to it, lists tags that lead elsewhere or say something.

A list of tags is asked for when a build is done and its tag is not there, with the registry's login; some of
its tags stand in the comment.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from previewbot.clients.registry import Registry
from previewbot.clients.registry.transport import Limits
from previewbot.config.server import RegistrySettings
from previewbot.errors import RemoteError
from previewbot.rules.images import ImageReference
from tests.support.github_ci_samples import runs_of, workflow_run
from tests.support.passes import A, World
from tests.support.registry_server import (
    PASSWORD,
    USER,
    Handler,
    Server,
    a_server,
    answers,
    basic,
    behind,
    docker_config,
    login,
)

LIST = "/v2/acme/checkout/tags/list"
SECRET = "ghp_" + "aB3xY9" * 6


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        yield server


async def listed(server: Server, path: Path, limits: Limits | None = None) -> tuple[str, ...]:
    """List the tags of a repository with a login."""
    config = docker_config(path / "config.json", {server.host: login(USER, PASSWORD)})
    access = {server.host: RegistrySettings(plain_http=True, docker_config_file=config)}
    async with aiohttp.ClientSession() as session:
        registry = Registry(session, access, limits=limits or Limits())
        return await registry.tags(ImageReference(server.host, "acme/checkout", "x"))


def page(tags: list[Any], link: str = "") -> Handler:
    """Answer with tags to whoever has the login."""
    body = answers({"name": "acme/checkout", "tags": tags}, headers={"Link": link} if link else None)
    return behind(basic(), body)


@pytest.mark.parametrize(
    "link",
    [
        "http://{evil}/v2/acme/checkout/tags/list?last=a",
        "//{evil}/v2/acme/checkout/tags/list?last=a",
        "/v2/other/secret/tags/list?last=a",
        "/admin/delete?all=1",
        "../../../../metadata",
        "http://[::1",
    ],
)
async def test_the_next_page_never_lies_elsewhere(server: Server, tmp_path: Path, link: str) -> None:
    async with a_server() as evil:
        server.handlers[LIST] = page(["a"], f'<{link.format(evil=evil.host)}>; rel="next"')

        assert await listed(server, tmp_path) == ("a",)
        assert evil.seen == []
        assert {seen.path for seen in server.seen} == {LIST}


async def test_pages_without_end_come_to_an_end(server: Server, tmp_path: Path) -> None:
    server.handlers[LIST] = page(["a"], f'<{LIST}?last=a>; rel="next"')

    assert await listed(server, tmp_path) == ("a",) * 5
    assert len(server.seen) <= 10


async def test_a_page_without_end_is_given_up(server: Server, tmp_path: Path) -> None:
    server.handlers[LIST] = page(["a" * 100] * 2000)

    with pytest.raises(RemoteError):
        await listed(server, tmp_path, Limits(body=100_000))


@pytest.mark.parametrize(
    "body",
    [
        {"tags": None},
        {"tags": "latest"},
        {
            "tags": [
                None,
                7,
                {},
                [],
                "",
                " ",
                "x" * 129,
                "a`b",
                "](http://evil)",
                "@acme/all",
                "a\nb",
                "ä",
                "<b>",
            ]
        },
        {},
        [],
        b"[" * 100_000,
    ],
    ids=str,
)
async def test_what_is_no_tag_is_not_read(server: Server, tmp_path: Path, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    server.handlers[LIST] = answers(content)

    assert await listed(server, tmp_path) == ()


async def test_another_hosts_list_is_none(server: Server, tmp_path: Path) -> None:
    async with a_server() as evil:
        evil.handlers["/x"] = answers({"tags": ["evil"]})
        server.handlers[LIST] = answers(status=302, headers={"Location": f"{evil.url}/x"})

        with pytest.raises(RemoteError):
            await listed(server, tmp_path)
        assert all(seen.authorization == "" for seen in evil.seen)


async def test_a_tag_that_looks_like_a_secret_is_not_told() -> None:
    world = World()
    world.registry.images = {f"checkout:{SECRET}", f"checkout:{A[:7]}-{SECRET}", "checkout:latest"}
    world.github.ci = runs_of(workflow_run(name="Build image", updated_at="2026-02-01T09:00:00Z"))
    await world.settle(3)

    assert "among others, `latest`." in world.comment
    assert SECRET not in json.dumps(world.cluster.preview)
    assert SECRET not in world.comment


async def test_a_fork_that_nobody_approved_has_no_tags_listed() -> None:
    world = World()
    world.github.fork = True
    world.registry.images.clear()
    world.github.ci = runs_of(workflow_run(name="Build image", updated_at="2026-02-01T09:00:00Z"))
    for _ in range(5):
        world.poke()
        await world.run()
        assert not {"tags", "runs", "registry"} & set(world.calls.made)
        world.clock.forward(seconds=60)
