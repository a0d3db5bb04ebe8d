"""What a token may not read in one repository says nothing of another that the same agent asks about."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from previewbot.api.reference import Reference
from previewbot.asking import Access, State
from previewbot.asking.github import GitHubSource
from previewbot.asking.github_answers import DeploymentSeen
from previewbot.errors import Forbidden

SHA = "a" * 40
OURS = {"login": "previewbot[bot]", "type": "Bot"}


def _answer(path: str) -> Any:
    if re.search(r"/pulls/1$", path):
        ends = {"head": {"sha": SHA}, "base": {"sha": "b" * 40, "repo": {"id": 7}}}
        return {"number": 1, "state": "open", **ends}
    if path.endswith("/statuses"):
        return [{"id": 2, "state": "failure", "creator": OURS}]
    return [{"id": 1, "creator": OURS, "payload": {"preview": "gh-7-1"}}] if "/deployments" in path else []


@pytest.fixture
async def source() -> AsyncIterator[GitHubSource]:
    async def handle(request: web.Request) -> web.StreamResponse:
        if "/closed/" in request.path and "/pulls/" not in request.path:
            return web.json_response({"message": "Resource not accessible by integration"}, status=403)
        return web.json_response(_answer(request.path))

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield GitHubSource(session, Access(api_url=str(server.make_url("")).rstrip("/"), token="t"))


async def test_what_is_refused_in_one_repository_is_asked_for_in_the_next(source: GitHubSource) -> None:
    with pytest.raises(Forbidden, match="may read none"):
        await source.look(Reference("acme/closed", 1), SHA)
    assert (await source.look(Reference("acme/shop", 1), SHA)).standing.state is State.FAILED


@pytest.mark.parametrize(
    ("payload", "ours"),
    [
        ({"preview": "gh-7-1"}, True),
        ('{"preview": "gh-7-1"}', True),
        ({"preview": "gh-7-2"}, False),
        ("gh-7-1", False),
        ("[" * 9_999, False),
        (["gh-7-1"], False),
    ],
)
def test_a_deployment_is_ours_by_the_preview_in_its_payload_an_object_or_a_text(
    payload: object, ours: bool
) -> None:
    seen = DeploymentSeen.model_validate({"id": 1, "creator": OURS, "payload": payload})

    assert seen.is_ours("previewbot", "gh-7-1") is ours
