"""Docker's credential helpers are asked by their own protocol; what they give is kept while it holds."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from previewbot.clients.registry import FoundImage, Helpers, Registry
from previewbot.clients.registry.credentials import Credentials, HelperLogin
from previewbot.clients.registry.helpers import HelperFailed
from previewbot.clients.registry.problems import LoginBroken, LoginMissing
from previewbot.config.server import RegistrySettings
from previewbot.errors import Forbidden, Unauthorized
from tests.support.credential_helpers import Helpers as Programs
from tests.support.credential_helpers import in_path
from tests.support.registry_images import an_image
from tests.support.registry_server import (
    PASSWORD,
    USER,
    Server,
    a_server,
    answers,
    basic,
    docker_config,
    login,
)

NOW = 1_800_000_000.0
ASKED = HelperLogin("cloud", "ghcr.io")


class Clock:
    """A clock that a test moves, for both kinds of time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wall(self) -> float:
        return NOW - 1000.0 + self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return in_path(tmp_path / "helpers")


@pytest.fixture
def helpers(programs: Programs, clock: Clock) -> Helpers:
    environment = {"PATH": str(programs.folder), "AWS_REGION": "eu-central-1", "HOME": "/tmp"}
    return Helpers(clock, clock.wall, environment=environment)


def jwt(**claims: float) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{payload}.c2ln"


def of_ecr(ends: float) -> str:
    """Return a password as ECR gives it: JSON in base64."""
    return base64.b64encode(json.dumps({"payload": "x", "expiration": ends}).encode()).decode()


async def test_a_helper_is_asked_as_docker_asks_it(programs: Programs, helpers: Helpers) -> None:
    programs.gives("cloud", "AWS", "a-password")

    assert await helpers.login(ASKED) == Credentials("AWS", "a-password")

    (asked,) = programs.asked
    assert (asked["arguments"], asked["input"]) == (["get"], "ghcr.io\n")
    environment = asked["environment"]
    assert isinstance(environment, dict)
    assert environment["AWS_REGION"] == "eu-central-1"


async def test_an_identity_token_comes_under_a_user_of_dockers_own(
    programs: Programs, helpers: Helpers
) -> None:
    programs.gives("cloud", "<token>", "refresh-me")

    assert await helpers.login(ASKED) == Credentials("<token>", "refresh-me", "refresh-me")


async def test_a_helper_that_knows_no_login_for_a_registry_is_no_failure(
    programs: Programs, helpers: Helpers
) -> None:
    programs.put("cloud", "print('credentials not found in native keychain'); sys.exit(1)")

    assert await helpers.login(ASKED) is None


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "print('AccessDenied, the role may not be assumed'); sys.exit(1)",
            "fails with 1: AccessDenied, the role may not be assumed",
        ),
        ("sys.exit(3)", "fails with 3: it does not say why"),
        (
            "sys.stderr.write('ERROR: (gcloud.auth) You do not have an active account\\n'); sys.exit(1)",
            "fails with 1: ERROR: (gcloud.auth) You do not have an active account",
        ),
        ("sys.stderr.write('x' * 10_000_000 + 'why'); sys.exit(1)", "fails with 1: xxx"),
        ("os.kill(os.getpid(), 9)", "fails with -9"),
        ("print('password: AKIAIOSFODNN7EXAMPLE'); sys.exit(1)", "fails with 1: password: "),
        ("", "writes no Username and Secret"),
        ("print('{}')", "writes no Username and Secret"),
        ("print('[]')", "writes no Username and Secret"),
        ("print('[' * 50000)", "writes no Username and Secret"),
        ('print(\'{"Username": "a", "Secret": 5}\')', "writes no Username and Secret"),
        ("print('x' * 100000)", "writes more than 64 KiB"),
    ],
)
async def test_a_helper_that_gives_none_is_said_to_and_why(
    programs: Programs, helpers: Helpers, script: str, told: str
) -> None:
    programs.put("cloud", script)

    with pytest.raises(HelperFailed) as caught:
        await helpers.login(ASKED)

    assert told in str(caught.value)
    assert "AKIAIOSFODNN7EXAMPLE" not in str(caught.value)


async def test_a_helper_that_is_not_there_is_named(helpers: Helpers) -> None:
    with pytest.raises(HelperFailed, match="docker-credential-cloud is not in PATH"):
        await helpers.login(ASKED)


async def test_a_helper_that_cannot_be_started_is_named(programs: Programs, helpers: Helpers) -> None:
    path = programs.folder / "docker-credential-cloud"
    path.write_text("#!/nowhere/at/all\n")
    path.chmod(0o755)

    with pytest.raises(HelperFailed, match="docker-credential-cloud cannot be started: No such file"):
        await helpers.login(ASKED)


# How long it is kept


@pytest.mark.parametrize(
    ("secret", "seconds"),
    [
        ("opaque", 600.0),
        (jwt(exp=NOW + 10_000), 9_880.0),
        (of_ecr(NOW + 40_000), 39_880.0),
        (of_ecr(NOW + 1e9), 43_200.0),
        (jwt(exp=NOW - 5), 30.0),
        (jwt(iat=NOW), 600.0),
        ("eyJ.!!!.x", 600.0),
        (jwt(exp=float("inf")), 600.0),
        (jwt(exp=10**400), 600.0),
        (base64.b64encode(b"[1]").decode(), 600.0),
    ],
)
async def test_what_a_helper_gives_is_kept_until_shortly_before_it_ends(
    programs: Programs, helpers: Helpers, clock: Clock, secret: str, seconds: float
) -> None:
    programs.gives("cloud", "AWS", secret)
    await helpers.login(ASKED)

    clock.now += seconds - 1
    await helpers.login(ASKED)
    assert len(programs.asked) == 1

    clock.now += 2
    await helpers.login(ASKED)
    assert len(programs.asked) == 2


async def test_many_who_need_a_login_at_once_start_one_program(programs: Programs, helpers: Helpers) -> None:
    programs.gives("cloud", "AWS", "a-password")

    found = await asyncio.gather(*(helpers.login(ASKED) for _ in range(10)))

    assert found == [Credentials("AWS", "a-password")] * 10
    assert len(programs.asked) == 1


async def test_a_helper_that_fails_is_not_started_again_at_once(
    programs: Programs, helpers: Helpers, clock: Clock
) -> None:
    programs.put("cloud", "sys.exit(1)")
    for _ in range(3):
        with pytest.raises(HelperFailed):
            await helpers.login(ASKED)
    assert len(programs.asked) == 1

    programs.gives("cloud", "AWS", "a-password")
    clock.now += 31

    assert await helpers.login(ASKED) == Credentials("AWS", "a-password")


# In a look at a registry


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def a_registry(
    server: Server, session: aiohttp.ClientSession, helpers: Helpers, clock: Clock, **access: object
) -> Registry:
    settings = RegistrySettings.model_validate({"plain_http": True, **access})
    return Registry(session, {server.host: settings}, clock=clock, helpers=helpers)


@pytest.mark.parametrize("way", ["setting", "credHelpers", "credsStore"])
async def test_a_registry_gets_what_a_helper_gives(
    server: Server,
    session: aiohttp.ClientSession,
    programs: Programs,
    helpers: Helpers,
    clock: Clock,
    tmp_path: Path,
    way: str,
) -> None:
    programs.gives("cloud", "AWS", "a-password")
    server.wanted = {basic("AWS", "a-password")}
    digest = server.serve(an_image())
    more = {"credHelpers": {server.host: "cloud"}} if way == "credHelpers" else {"credsStore": "cloud"}
    config = docker_config(tmp_path / "config.json", {}, **more)
    access = {"credential_helper": "cloud"} if way == "setting" else {"docker_config_file": str(config)}

    found = await a_registry(server, session, helpers, clock, **access).find(server.reference())

    assert found == FoundImage(digest)
    assert programs.asked[0]["input"] == f"{server.host}\n"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_login_that_ended_before_its_time_is_asked_for_again(
    server: Server,
    session: aiohttp.ClientSession,
    programs: Programs,
    helpers: Helpers,
    clock: Clock,
    status: int,
) -> None:
    valid = "first"

    async def ecr(request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if given == basic("AWS", valid):
            image = an_image().manifest
            headers = {"Content-Type": image.media_type, "Docker-Content-Digest": image.digest}
            return await answers(image.body, headers=headers)(request)
        refusal = answers(status=status if given else 401, headers={"WWW-Authenticate": "Basic"})
        return await refusal(request)

    server.serve(an_image())
    server.handlers[server.path()] = ecr
    programs.gives("cloud", "AWS", "first")
    registry = a_registry(server, session, helpers, clock, credential_helper="cloud")
    assert await registry.find(server.reference()) is not None

    valid = "second"
    programs.gives("cloud", "AWS", "second")
    clock.now += 40

    assert await registry.find(server.reference()) is not None
    assert len(programs.asked) == 2


async def test_a_login_that_is_refused_for_good_does_not_start_its_program_with_each_look(
    server: Server, session: aiohttp.ClientSession, programs: Programs, helpers: Helpers, clock: Clock
) -> None:
    async def denies(request: web.Request) -> web.StreamResponse:
        status = 403 if "Authorization" in request.headers else 401
        return await answers(status=status, headers={"WWW-Authenticate": "Basic"})(request)

    server.handlers[server.path()] = denies
    programs.gives("cloud", "AWS", "a-password")
    registry = a_registry(server, session, helpers, clock, credential_helper="cloud")
    for _ in range(6):
        with pytest.raises(Forbidden):
            await registry.find(server.reference())
        clock.now += 10

    assert len(programs.asked) <= 3


async def test_one_that_fails_leaves_the_login_in_the_file_its_turn(
    server: Server,
    session: aiohttp.ClientSession,
    programs: Programs,
    helpers: Helpers,
    clock: Clock,
    tmp_path: Path,
) -> None:
    programs.put("cloud", "sys.exit(1)")
    server.wanted = {basic()}
    digest = server.serve(an_image())
    config = docker_config(tmp_path / "config.json", {server.host: login()})
    access = {"credential_helper": "cloud", "docker_config_file": str(config)}

    found = await a_registry(server, session, helpers, clock, **access).find(server.reference())

    assert found == FoundImage(digest)


async def test_one_that_fails_is_told_as_that_and_so_is_one_that_has_no_login_for_its_registry(
    server: Server, session: aiohttp.ClientSession, programs: Programs, helpers: Helpers, clock: Clock
) -> None:
    server.wanted = {basic()}
    registry = a_registry(server, session, helpers, clock, credential_helper="cloud")
    programs.put("cloud", "print('the token endpoint does not answer'); sys.exit(1)")
    with pytest.raises(LoginBroken, match="fails with 1: the token endpoint does not answer"):
        await registry.find(server.reference())

    programs.put("cloud", "print('credentials not found in native keychain'); sys.exit(1)")
    clock.now += 31
    with pytest.raises(LoginBroken, match=f"docker-credential-cloud has no login for {server.host}"):
        await registry.find(server.reference())

    # Whatever went wrong there may be over soon.
    programs.gives("cloud", USER, PASSWORD)
    digest = server.serve(an_image())
    clock.now += 31
    assert await registry.find(server.reference()) == FoundImage(digest)


async def test_one_for_all_registries_need_not_know_each(
    server: Server,
    session: aiohttp.ClientSession,
    programs: Programs,
    helpers: Helpers,
    clock: Clock,
    tmp_path: Path,
) -> None:
    server.wanted = {basic()}
    config = docker_config(tmp_path / "config.json", {}, credsStore="cloud")
    registry = a_registry(server, session, helpers, clock, docker_config_file=str(config))
    programs.put("cloud", "print('credentials not found in native keychain'); sys.exit(1)")

    with pytest.raises(LoginMissing):
        await registry.find(server.reference())


async def test_a_public_image_is_found_where_a_helper_has_no_login(
    server: Server, session: aiohttp.ClientSession, programs: Programs, helpers: Helpers, clock: Clock
) -> None:
    server.wants_token()
    digest = server.serve(an_image())
    registry = a_registry(server, session, helpers, clock, credential_helper="cloud")
    programs.put("cloud", "print('credentials not found in native keychain'); sys.exit(1)")

    assert await registry.find(server.reference()) == FoundImage(digest)

    server.handlers["/token"] = answers({"errors": [{"code": "DENIED", "message": "denied"}]}, status=403)
    clock.now += 3600
    with pytest.raises(LoginBroken, match="docker-credential-cloud has no login"):
        await registry.find(server.reference())


async def test_where_a_helper_has_none_the_login_in_the_file_is_the_one_that_counts(
    server: Server,
    session: aiohttp.ClientSession,
    programs: Programs,
    helpers: Helpers,
    clock: Clock,
    tmp_path: Path,
) -> None:
    programs.put("cloud", "print('credentials not found in native keychain'); sys.exit(1)")
    config = docker_config(tmp_path / "config.json", {server.host: login(USER, "old")})
    access = {"credential_helper": "cloud", "docker_config_file": str(config)}
    registry = a_registry(server, session, helpers, clock, **access)
    server.wanted = {basic()}

    with pytest.raises(Unauthorized) as caught:
        await registry.find(server.reference())

    assert type(caught.value) is Unauthorized


async def test_a_public_image_starts_no_program(
    server: Server, session: aiohttp.ClientSession, programs: Programs, helpers: Helpers, clock: Clock
) -> None:
    digest = server.serve(an_image())
    registry = a_registry(server, session, helpers, clock, credential_helper="cloud")

    assert await registry.find(server.reference()) == FoundImage(digest)
    assert programs.asked == []
