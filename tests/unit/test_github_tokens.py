"""The App's and the installation's credentials, and each installation's own memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from previewbot import errors
from tests.support import github_samples as samples
from tests.support.github_server import (
    APP_ID,
    INSTALLATION,
    TOKEN_PATH,
    Clock,
    World,
    a_github,
    a_world,
    app_claims,
    in_turn,
    private_pem,
    sends,
)

PULL = "/repos/acme/shop/pulls/7"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as world:
        yield world


async def test_a_request_carries_who_asks_which_version_and_the_installations_token(world: World) -> None:
    world.server.on("GET", PULL, samples.pull_request())

    await world.client.pull_request("acme/shop", 7)

    token, pull = world.server.asked
    assert app_claims(token.headers["authorization"])["iss"] == str(APP_ID)
    assert pull.headers["authorization"] == "token ghs_1"
    for asked in (token, pull):
        assert asked.headers["user-agent"] == "previewbot/test"
        assert asked.headers["x-github-api-version"] == "2022-11-28"
        assert asked.headers["accept"] == "application/vnd.github+json"


async def test_a_token_is_kept_until_five_minutes_before_its_end(world: World) -> None:
    world.server.on("GET", PULL, samples.pull_request())

    for minutes, tokens in ((0, 1), (54, 1), (2, 2)):
        world.clock.forward(minutes=minutes)
        await world.client.pull_request("acme/shop", 7)
        assert world.server.tokens == tokens


async def test_many_callers_at_once_ask_for_one_token(world: World) -> None:
    world.server.on("GET", PULL, samples.pull_request())

    await asyncio.gather(*(world.client.pull_request("acme/shop", 7) for _ in range(8)))

    assert world.server.tokens == 1


async def test_a_refused_token_is_replaced_once_and_the_request_repeated(world: World) -> None:
    world.server.on("GET", PULL, *in_turn(401), samples.pull_request())

    assert (await world.client.pull_request("acme/shop", 7)).number == 7

    assert world.server.tokens == 2
    assert world.server.asked[-1].headers["authorization"] == "token ghs_2"


async def test_a_second_refusal_is_told_and_not_repeated(world: World) -> None:
    world.server.on("GET", PULL, *in_turn(401))

    with pytest.raises(errors.Unauthorized):
        await world.client.pull_request("acme/shop", 7)

    assert (world.server.tokens, len(world.server.paths())) == (2, 2)


async def test_eight_callers_with_one_refused_token_share_the_new_one(world: World) -> None:
    def answer(request: web.Request) -> web.Response:
        good = request.headers["Authorization"] == "token ghs_2"
        return web.json_response(samples.pull_request() if good else {}, status=200 if good else 401)

    world.server.on("GET", PULL, answer)

    await asyncio.gather(*(world.client.pull_request("acme/shop", 7) for _ in range(8)))

    assert world.server.tokens == 2


async def test_an_app_that_github_does_not_know_says_so(world: World) -> None:
    world.server.on("POST", f"/app/installations/{INSTALLATION}/access_tokens", *in_turn(401))

    with pytest.raises(errors.Unauthorized, match="the App's id and private key"):
        await world.client.pull_request("acme/shop", 7)

    assert len(world.server.asked) == 1


async def test_an_installation_that_is_gone_is_not_found(world: World) -> None:
    with pytest.raises(errors.NotFound):
        await world.github.installation(INSTALLATION + 1).pull_request("acme/shop", 7)


@pytest.mark.parametrize("key", ["", "not a key", private_pem().replace("RSA", "DSA")])
async def test_a_private_key_that_is_none_stops_the_start(key: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(errors.SettingsError, match="private key"):
            a_github(session, "http://github.invalid", Clock(), key)


async def test_an_unchanged_answer_is_asked_for_by_its_etag_and_read_from_memory(world: World) -> None:
    def answer(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        return web.json_response(samples.pull_request(), headers={"ETag": '"v1"'})

    world.server.on("GET", PULL, answer)

    first = await world.client.pull_request("acme/shop", 7)
    second = await world.client.pull_request("acme/shop", 7)

    assert first == second
    assert [asked.headers.get("if-none-match") for asked in world.server.asked[1:]] == [None, '"v1"']


async def test_one_installation_never_reads_from_anothers_memory(world: World) -> None:
    world.server.on("GET", PULL, sends(samples.pull_request(), ETag='"v1"'))
    other = INSTALLATION + 1
    token = {"token": "ghs_other", "expires_at": "2999-01-01T00:00:00Z"}
    world.server.on("POST", f"/app/installations/{other}/access_tokens", token)

    await world.client.pull_request("acme/shop", 7)
    await world.github.installation(other).pull_request("acme/shop", 7)

    assert "if-none-match" not in world.server.asked[-1].headers


async def test_no_secret_shows_in_an_error(world: World) -> None:
    world.server.on("GET", PULL, *in_turn(404))

    with pytest.raises(errors.NotFound) as caught:
        await world.client.pull_request("acme/shop", 7)

    assert "ghs_" not in repr(caught.value) + str(caught.value)
    assert TOKEN_PATH not in str(caught.value)
