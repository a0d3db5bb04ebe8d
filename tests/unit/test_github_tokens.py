"""The App's and the installation's credentials, and each installation's own memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import jwt
import pytest
from aiohttp import web

from previewbot import errors
from tests.support import github_samples as samples
from tests.support.clock import Clock
from tests.support.github_script import in_turn, sends
from tests.support.github_town import APP, KEY, Town, a_github, github_town, private_pem

PULL = "/repos/acme/shop/pulls/7"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


async def test_a_request_carries_who_asks_which_version_and_the_installations_token(town: Town) -> None:
    town.script.on("GET", PULL, samples.pull_request())

    await town.client.pull_request("acme/shop", 7)

    token, pull = town.script.asked
    kind, _, app_token = token.headers["authorization"].partition(" ")
    claims = jwt.decode(app_token, KEY.public_key(), algorithms=["RS256"])
    assert (kind, claims["iss"]) == ("bearer", str(APP))
    assert claims["exp"] - claims["iat"] <= 600
    assert pull.headers["authorization"] == f"token {town.script.tokens[0]}"
    for asked in (token, pull):
        assert asked.headers["user-agent"] == "previewbot/test"
        assert asked.headers["x-github-api-version"] == "2022-11-28"
        assert asked.headers["accept"] == "application/vnd.github+json"


async def test_a_token_is_kept_until_five_minutes_before_its_end(town: Town) -> None:
    town.script.on("GET", PULL, samples.pull_request())

    for minutes, tokens in ((0, 1), (54, 1), (4, 2)):
        town.our_clock.forward(minutes=minutes)
        await town.client.pull_request("acme/shop", 7)
        assert len(town.script.tokens) == tokens


async def test_many_callers_at_once_ask_for_one_token(town: Town) -> None:
    town.script.on("GET", PULL, samples.pull_request())

    await asyncio.gather(*(town.client.pull_request("acme/shop", 7) for _ in range(8)))

    assert len(town.script.tokens) == 1


async def test_a_refused_token_is_replaced_once_and_the_request_repeated(town: Town) -> None:
    town.script.on("GET", PULL, *in_turn(401), samples.pull_request())

    assert (await town.client.pull_request("acme/shop", 7)).number == 7

    assert len(town.script.tokens) == 2
    assert town.script.asked[-1].headers["authorization"] == f"token {town.script.tokens[1]}"


async def test_a_second_refusal_is_told_and_not_repeated(town: Town) -> None:
    town.script.on("GET", PULL, *in_turn(401))

    with pytest.raises(errors.Unauthorized):
        await town.client.pull_request("acme/shop", 7)

    assert (len(town.script.tokens), len(town.script.paths())) == (2, 2)


async def test_eight_callers_with_one_refused_token_share_the_new_one(town: Town) -> None:
    def answer(request: web.Request) -> web.Response:
        good = request.headers["Authorization"] != f"token {town.script.tokens[0]}"
        return web.json_response(samples.pull_request() if good else {}, status=200 if good else 401)

    town.script.on("GET", PULL, answer)

    await asyncio.gather(*(town.client.pull_request("acme/shop", 7) for _ in range(8)))

    assert len(town.script.tokens) == 2


async def test_an_app_that_github_does_not_know_says_so(town: Town) -> None:
    town.script.on("POST", f"/app/installations/{town.installation.id}/access_tokens", *in_turn(401))

    with pytest.raises(errors.Unauthorized, match="the App's id and private key"):
        await town.client.pull_request("acme/shop", 7)

    assert len(town.script.asked) == 1


async def test_an_installation_that_is_gone_is_not_found(town: Town) -> None:
    with pytest.raises(errors.NotFound):
        await town.app.installation(town.installation.id + 1).pull_request("acme/shop", 7)


@pytest.mark.parametrize("key", ["", "not a key", private_pem().replace("RSA", "DSA")])
async def test_a_private_key_that_is_none_stops_the_start(key: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(errors.SettingsError, match="private key"):
            a_github(session, "http://github.invalid", Clock(), key)


async def test_an_unchanged_answer_is_asked_for_by_its_etag_and_read_from_memory(town: Town) -> None:
    def answer(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        return web.json_response(samples.pull_request(), headers={"ETag": '"v1"'})

    town.script.on("GET", PULL, answer)

    first = await town.client.pull_request("acme/shop", 7)
    second = await town.client.pull_request("acme/shop", 7)

    assert first == second
    assert [asked.headers.get("if-none-match") for asked in town.script.asked[1:]] == [None, '"v1"']


async def test_one_installation_never_reads_from_anothers_memory(town: Town) -> None:
    town.script.on("GET", PULL, sends(samples.pull_request(), ETag='"v1"'))
    other = town.installation.id + 1
    token = {"token": "ghs_other", "expires_at": "2999-01-01T00:00:00Z"}
    town.script.on("POST", f"/app/installations/{other}/access_tokens", token)

    await town.client.pull_request("acme/shop", 7)
    await town.app.installation(other).pull_request("acme/shop", 7)

    assert "if-none-match" not in town.script.asked[-1].headers


async def test_no_secret_shows_in_an_error(town: Town) -> None:
    town.script.on("GET", PULL, *in_turn(404))

    with pytest.raises(errors.NotFound) as caught:
        await town.client.pull_request("acme/shop", 7)

    assert "ghs_" not in repr(caught.value) + str(caught.value)
    assert "access_tokens" not in str(caught.value)
