"""The registry adapter logs in as it is asked to, and its secrets stay with the host they are for."""

from __future__ import annotations

import logging
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from previewbot.api import Reason
from previewbot.clients.registry import FoundImage, Registry, reason_of
from previewbot.clients.registry.problems import Limited, NotARegistry
from previewbot.config.server import RegistrySettings
from previewbot.errors import Forbidden, RemoteError, TryLater, Unauthorized
from tests.support.registry_images import COMMIT, an_image, an_index
from tests.support.registry_server import (
    PASSWORD,
    UNKNOWN,
    USER,
    Server,
    a_server,
    answers,
    basic,
    behind,
    docker_config,
    login,
)
from tests.support.registry_tls import make_tls


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        server.serve(an_image())
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def config(tmp_path: Path, server: Server) -> Path:
    return docker_config(tmp_path / "config.json", {server.host: login()})


@pytest.fixture
def anonymous(server: Server, session: aiohttp.ClientSession, clock: Clock) -> Registry:
    return Registry(session, {server.host: RegistrySettings(plain_http=True)}, clock=clock)


@pytest.fixture
def registry(server: Server, session: aiohttp.ClientSession, clock: Clock, config: Path) -> Registry:
    access = RegistrySettings(plain_http=True, docker_config_file=config)
    return Registry(session, {server.host: access}, clock=clock)


async def test_a_registry_that_asks_for_nothing_gets_nothing(server: Server, registry: Registry) -> None:
    await registry.find(server.reference())

    assert {seen.authorization for seen in server.seen} == {""}


async def test_a_registry_that_asks_for_a_password_gets_it_and_again_without_asking(
    server: Server, registry: Registry
) -> None:
    server.wanted = {basic()}

    assert await registry.find(server.reference()) is not None
    assert await registry.find(server.reference()) is not None
    assert [seen.authorization for seen in server.seen] == ["", basic(), basic(), basic()]


async def test_a_password_that_was_changed_is_read_anew(
    server: Server, registry: Registry, config: Path
) -> None:
    server.wanted = {basic()}
    await registry.find(server.reference())
    server.wanted = {basic(USER, "new")}
    docker_config(config, {server.host: login(USER, "new")})

    assert await registry.find(server.reference()) is not None


async def test_a_wrong_password_is_refused_and_tried_once(server: Server, registry: Registry) -> None:
    server.wanted = {basic(USER, "other")}

    with pytest.raises(Unauthorized):
        await registry.find(server.reference())

    assert [seen.authorization for seen in server.seen] == ["", basic()]


async def test_a_web_servers_page_about_a_wrong_password_is_told_as_a_wrong_password(
    server: Server, registry: Registry
) -> None:
    page = {"Content-Type": "text/html", "WWW-Authenticate": 'Basic realm="Registry"'}
    server.handlers[server.path()] = answers("<h1>401 Authorization Required</h1>", status=401, headers=page)
    server.handlers["/v2/"] = server.handlers[server.path()]

    for look in (registry.find(server.reference()), registry.check(server.host)):
        with pytest.raises(Unauthorized) as caught:
            await look
        assert reason_of(caught.value) is Reason.REGISTRY_REFUSED


_ROLE = "User: arn:aws:sts::123456789012:assumed-role/previewbot-of-staging/1764219000123456789"
_IMAGE = "acme-docker-local/team-checkout/checkout-service-frontend/3f2c1ab03f2c1ab03f2c1ab03f2c1ab03f2c1ab0"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            f"{_ROLE} is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:1:"
            "repository/app because no identity-based policy allows the ecr:BatchGetImage action",
            Reason.REGISTRY_REFUSED,
        ),
        (
            "User: arn:aws:iam::1:user/ci is not authorized to perform: ecr:BatchGetImage with an explicit "
            "deny in a service control policy",
            Reason.REGISTRY_REFUSED,
        ),
        ("Request is prohibited by organization's policy.", Reason.REGISTRY_REFUSED),
        (
            f"Artifact download request rejected: {_IMAGE}/list.manifest.json was not downloaded due to the "
            "download blocking policy configured in Xray for acme-docker-local.",
            Reason.IMAGE_HELD_BACK,
        ),
        ("Requested item is quarantined", Reason.IMAGE_HELD_BACK),
    ],
)
async def test_what_holds_an_image_back_is_told_from_what_keeps_us_from_asking(
    server: Server, registry: Registry, message: str, reason: Reason
) -> None:
    denied = answers({"errors": [{"code": "DENIED", "message": message}]}, status=403)
    server.handlers[server.path()] = behind(basic(), denied)

    with pytest.raises(Forbidden) as caught:
        await registry.find(server.reference())

    assert reason_of(caught.value) is reason
    assert caught.value.message.endswith(message[-20:])


async def test_a_password_that_is_wanted_and_not_configured_is_said(
    server: Server, anonymous: Registry
) -> None:
    server.wanted = {basic()}

    with pytest.raises(Unauthorized, match="it wants a login and none is configured"):
        await anonymous.find(server.reference())


@pytest.mark.parametrize("challenge", ["Negotiate", ""])
async def test_a_kind_of_login_that_is_not_known_is_said(
    server: Server, registry: Registry, challenge: str
) -> None:
    server.wanted, server.challenge = {"Negotiate x"}, challenge

    with pytest.raises(Unauthorized, match="it asks for a kind of login that is not known"):
        await registry.find(server.reference())


async def test_a_config_file_that_cannot_be_read_is_a_refusal_only_where_a_login_is_wanted(
    server: Server, registry: Registry, config: Path
) -> None:
    config.unlink()

    assert await registry.find(server.reference()) is not None

    server.wanted = {basic()}
    with pytest.raises(Unauthorized, match="is no docker config file"):
        await registry.find(server.reference())


@pytest.mark.parametrize("name", ["token", "access_token"])
async def test_a_token_is_fetched_without_a_login_where_there_is_none(
    server: Server, anonymous: Registry, name: str
) -> None:
    server.wants_token("a-token", {name: "a-token"})

    assert await anonymous.find(server.reference()) is not None

    asked = next(seen for seen in server.seen if seen.path == "/token")
    assert asked.method == "GET"
    assert asked.query == {"service": "the registry", "scope": "repository:acme/web:pull"}
    assert asked.authorization == ""


async def test_a_token_is_fetched_with_the_login_and_what_else_the_realm_has(
    server: Server, registry: Registry
) -> None:
    server.wants_token()
    server.challenge = f'Bearer realm="{server.url}/token?a=b"'

    assert await registry.find(server.reference()) is not None

    asked = next(seen for seen in server.seen if seen.path == "/token")
    assert asked.query == {"a": "b", "scope": "repository:acme/web:pull"}
    assert asked.authorization == basic()


async def test_an_identity_token_is_exchanged_as_oauth2_wants_it(
    server: Server, registry: Registry, config: Path
) -> None:
    docker_config(config, {server.host: {**login("00000000", ""), "identitytoken": "refresh-me"}})
    server.wants_token("a-token", {"access_token": "a-token"})

    assert await registry.find(server.reference()) is not None

    asked = next(seen for seen in server.seen if seen.path == "/token")
    assert (asked.method, asked.authorization, asked.query) == ("POST", "", {})
    assert asked.form == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-me",
        "client_id": "previewbot",
        "service": "the registry",
        "scope": "repository:acme/web:pull",
    }


async def test_an_identity_token_does_not_follow_a_redirect(
    server: Server, registry: Registry, config: Path
) -> None:
    docker_config(config, {server.host: {"identitytoken": "refresh-me"}})
    server.wants_token()
    async with a_server() as other:
        server.handlers["/token"] = answers(status=307, headers={"Location": f"{other.url}/token"})

        with pytest.raises(TryLater):
            await registry.find(server.reference())

        assert other.seen == []


async def test_a_token_serves_every_part_of_an_image_and_later_looks(
    server: Server, registry: Registry
) -> None:
    server.wants_token()
    server.serve(an_index(an_image(COMMIT)))

    found = await registry.find(server.reference(), revision=True)
    await registry.find(server.reference("y"))

    assert found is not None
    assert found.revision == COMMIT
    assert server.requests().count("GET /token") == 1


async def test_a_token_is_for_one_repository(server: Server, registry: Registry) -> None:
    server.wants_token()
    await registry.find(server.reference())
    await registry.find(server.reference(repository="acme/other"))

    scopes = [seen.query["scope"] for seen in server.seen if seen.path == "/token"]
    assert scopes == ["repository:acme/web:pull", "repository:acme/other:pull"]
    assert [seen.authorization for seen in server.seen if seen.path.endswith("x")] == [
        "",
        "Bearer a-token",
        "",
        "Bearer a-token",
        # There is no such image: a GET has the last word.
        "Bearer a-token",
    ]


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ({}, 50.0),
        ({"expires_in": 300}, 290.0),
        ({"expires_in": 300.5}, 290.5),
        ({"expires_in": "300"}, 50.0),
        ({"expires_in": None}, 50.0),
        ({"expires_in": True}, 50.0),
        ({"expires_in": 5}, 0.0),
        ({"expires_in": -5}, 0.0),
        ({"expires_in": 10**400}, 3590.0),
    ],
)
async def test_a_token_is_used_until_shortly_before_it_ends(
    server: Server, registry: Registry, clock: Clock, answer: dict[str, Any], seconds: float
) -> None:
    server.wants_token("a-token", {"token": "a-token", **answer})

    async def fetched_again(after: float) -> bool:
        await registry.find(server.reference())
        clock.now += after
        server.seen.clear()
        await registry.find(server.reference())
        return "GET /token" in server.requests()

    assert seconds == 0.0 or not await fetched_again(seconds - 0.1)
    clock.now += 10_000
    assert await fetched_again(seconds + 0.1)


async def test_a_token_that_is_no_longer_accepted_is_replaced_once(
    server: Server, registry: Registry
) -> None:
    server.wants_token("one")
    await registry.find(server.reference())
    server.wants_token("two")
    server.seen.clear()

    assert await registry.find(server.reference()) is not None
    assert server.requests().count("GET /token") == 1

    server.wanted = {"Bearer never"}
    server.seen.clear()
    with pytest.raises(Unauthorized):
        await registry.find(server.reference())
    assert server.requests().count("GET /token") == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthorized),
        (403, Forbidden),
        (404, Unauthorized),
        (400, Unauthorized),
        (302, TryLater),
        (429, Limited),
        (503, TryLater),
    ],
)
async def test_a_token_server_that_refuses_is_never_an_image_that_is_missing(
    server: Server, registry: Registry, status: int, kind: type[RemoteError]
) -> None:
    server.wants_token()
    server.handlers["/token"] = answers(status=status, headers={"Location": f"{server.url}/elsewhere"})

    with pytest.raises(RemoteError) as caught:
        await registry.find(server.reference())

    assert type(caught.value) is kind
    assert "GET /elsewhere" not in server.requests()


@pytest.mark.parametrize(
    "body",
    ["", "<html>", "[]", "{}", '{"token": ""}', '{"token": 5}', '{"token": "a\\nb"}', '{"token": "ü"}'],
)
async def test_a_token_server_that_gives_no_token_is_tried_later(
    server: Server, registry: Registry, body: str
) -> None:
    server.wants_token()
    server.handlers["/token"] = answers(body)

    with pytest.raises(TryLater, match="its token server gives no token"):
        await registry.find(server.reference())


@pytest.mark.parametrize(
    "realm",
    ["http://127.0.0.1:1/token", "", "/token", "ftp://x/t", "https://", "https://me:pw@x/", "https://["],
)
async def test_a_password_goes_to_a_token_server_only_over_tls(
    tmp_path: Path, session: aiohttp.ClientSession, realm: str
) -> None:
    tls = make_tls(tmp_path)
    async with a_server(tls.server_context()) as server:
        config = docker_config(tmp_path / "config.json", {server.host: login()})
        access = RegistrySettings(ca_file=tls.ca_file, docker_config_file=config)
        server.wanted, server.challenge = {"Bearer x"}, f'Bearer realm="{realm}"'

        with pytest.raises(Unauthorized, match="is not https"):
            await Registry(session, {server.host: access}).find(server.reference())


async def test_the_token_server_may_have_a_certificate_of_the_same_ca(
    tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    tls = make_tls(tmp_path)
    async with a_server(tls.server_context()) as server, a_server(tls.server_context()) as tokens:
        digest = server.serve(an_image())
        tokens.wants_token()
        server.wanted, server.challenge = tokens.wanted, tokens.challenge
        access = RegistrySettings(ca_file=tls.ca_file, token_server=f"{tokens.url}/token")
        registry = Registry(session, {server.host: access})

        assert await registry.find(server.reference()) == FoundImage(digest)


@pytest.mark.parametrize("kind", ["token", "password"])
async def test_what_was_given_to_a_registry_does_not_follow_a_redirect_to_another_host(
    server: Server, registry: Registry, kind: str
) -> None:
    if kind == "token":
        server.wants_token()
    else:
        server.wanted = {basic()}
    image = an_image(COMMIT)
    digest = server.serve(image)
    blob = server.path(image.blobs[0].digest, "blobs")
    async with a_server() as storage:
        storage.handlers["/bucket"] = answers(image.blobs[0].body)
        server.handlers[f"GET {blob}"] = answers(status=307, headers={"Location": f"{storage.url}/bucket"})

        assert await registry.find(server.reference(), revision=True) == FoundImage(digest, COMMIT)

    assert server.seen[-1].authorization in server.wanted
    assert [seen.authorization for seen in storage.seen] == [""]


async def test_it_does_not_come_back_after_another_host_was_in_between(
    server: Server, registry: Registry
) -> None:
    server.wanted = {basic()}
    async with a_server() as between:
        back = f"{server.url}/back"
        between.handlers["/there"] = answers(status=307, headers={"Location": back})
        server.handlers["/back"] = answers(UNKNOWN, status=404)
        await registry.find(server.reference())
        server.handlers[server.path()] = answers(status=307, headers={"Location": f"{between.url}/there"})

        assert await registry.find(server.reference()) is None

    assert server.seen[-2].authorization == basic()
    assert [seen.authorization for seen in server.seen if seen.path == "/back"] == ["", ""]


async def test_a_redirect_within_the_host_keeps_the_login(server: Server, registry: Registry) -> None:
    server.wanted = {basic()}
    server.serve(an_image(), "elsewhere")
    server.handlers[server.path()] = answers(status=307, headers={"Location": server.path("elsewhere")})

    assert await registry.find(server.reference()) is not None


@pytest.mark.parametrize("challenge", ["basic", "bearer"])
async def test_another_host_to_which_a_registry_redirects_gets_no_login_for_the_asking(
    server: Server, registry: Registry, challenge: str
) -> None:
    async with a_server() as other:
        other.wants_token()
        if challenge == "basic":
            other.challenge = 'Basic realm="give me"'
        server.handlers[server.path()] = answers(status=307, headers={"Location": other.url + server.path()})

        with pytest.raises(NotARegistry, match="another host, to which it redirects, wants a login"):
            await registry.find(server.reference())

        assert [(seen.method, seen.path, seen.authorization) for seen in other.seen] == [
            ("HEAD", server.path(), "")
        ]


async def test_a_token_of_one_registry_is_not_sent_to_another(
    server: Server, session: aiohttp.ClientSession, config: Path
) -> None:
    async with a_server() as other:
        access = RegistrySettings(plain_http=True, docker_config_file=config)
        registry = Registry(session, {server.host: access, other.host: access})
        server.wants_token()
        other.serve(an_image())
        other.wanted = {"Bearer x"}
        other.challenge = f'Bearer realm="{other.url}/token"'
        other.handlers["/token"] = answers({"token": "x"})

        await registry.find(server.reference())
        await registry.find(other.reference())

        assert [seen.authorization for seen in other.seen] == ["", "", "Bearer x", "Bearer x"]


@pytest.mark.parametrize("refuses", ["registry", "token server", "nobody"])
async def test_neither_logs_nor_errors_show_a_secret(
    server: Server, registry: Registry, caplog: pytest.LogCaptureFixture, refuses: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server.wants_token("secret-token")
    if refuses == "registry":
        server.wanted = {"Bearer other"}
    if refuses == "token server":
        server.handlers["/token"] = answers(status=401)
    shown = repr(registry)

    try:
        await registry.find(server.reference())
    except RemoteError as error:
        shown += repr(error) + "".join(traceback.format_exception(error))

    shown += caplog.text
    assert (refuses == "nobody") == ("Unauthorized" not in shown)
    for secret in (PASSWORD, basic(), "secret-token"):
        assert secret not in shown
