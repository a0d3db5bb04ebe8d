"""A registry's password goes to the registry and to known token servers, and asks for one right only.

A 401 names a token server ("realm") and a scope. Whoever answers in a registry's place, or runs a registry
that others use, writes both: the realm would get the password, or be any address that the controller reaches
and they do not; the scope would get a token that may push.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.clients.registry import Registry
from previewbot.clients.registry.access import Accesses
from previewbot.clients.registry.credentials import Credentials, logins_for
from previewbot.config.server import RegistrySettings
from previewbot.errors import Unauthorized
from previewbot.rules.images import parse_reference
from tests.support.registry_images import an_image
from tests.support.registry_server import PASSWORD, USER, Server, a_server, basic, docker_config, login


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        server.serve(an_image())
        yield server


@pytest.fixture
async def other() -> AsyncIterator[Server]:
    """A token server elsewhere, which gives everybody what the registry wants."""
    async with a_server() as other:
        other.wants_token()
        yield other


def a_registry(
    server: Server, session: aiohttp.ClientSession, config: Path | None, token_server: str | None = None
) -> Registry:
    access = RegistrySettings(plain_http=True, docker_config_file=config, token_server=token_server)
    return Registry(session, {server.host: access})


@pytest.fixture(params=["password", "identity token", "nothing"])
def config(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Path | None:
    """What is known for the registry."""
    entries = {"password": login(), "identity token": {"identitytoken": PASSWORD}, "nothing": {}}
    entry = entries[request.param]
    return docker_config(tmp_path / "config.json", {server.host: entry}) if entry else None


# Where a token is asked for


async def test_a_token_server_that_nobody_named_is_not_even_asked(
    server: Server, other: Server, session: aiohttp.ClientSession, config: Path | None
) -> None:
    server.wanted, server.challenge = other.wanted, other.challenge

    with pytest.raises(Unauthorized) as refused:
        await a_registry(server, session, config).find(server.reference())

    assert other.seen == []
    assert f"images.registries.{server.host}.token_server" in str(refused.value)
    assert f"{other.url}/token" in str(refused.value)


async def test_a_long_address_of_a_token_server_is_told_whole_since_it_is_to_be_copied(
    server: Server, session: aiohttp.ClientSession
) -> None:
    realm = f"http://127.0.0.2:1/artifactory/api/docker/{'team-' * 20}docker/v2/token"
    server.wanted, server.challenge = {"Bearer x"}, f'Bearer realm="{realm}"'

    with pytest.raises(Unauthorized) as refused:
        await a_registry(server, session, None).find(server.reference())

    assert f"'{realm}'" in str(refused.value)


async def test_a_token_server_that_the_settings_name_gets_the_login(
    server: Server, other: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    server.wanted, server.challenge = other.wanted, other.challenge
    config = docker_config(tmp_path / "config.json", {server.host: login()})

    found = await a_registry(server, session, config, f"{other.url}/token").find(server.reference())

    assert found is not None
    assert [seen.authorization for seen in other.seen] == [basic()]


async def test_the_registry_itself_may_give_the_token(
    server: Server, session: aiohttp.ClientSession, config: Path | None
) -> None:
    server.wants_token()

    assert await a_registry(server, session, config).find(server.reference()) is not None


@pytest.mark.parametrize("written", ["", "/", "/jwt/auth", "/jwt/auth/"])
@pytest.mark.parametrize(
    "realm", ["https://gitlab.acme.example/jwt/auth", "https://gitlab.acme.example/jwt/auth/"]
)
def test_a_token_server_of_the_settings_counts_with_and_without_a_slash_at_its_end(
    realm: str, written: str
) -> None:
    access = RegistrySettings(token_server=f"https://gitlab.acme.example{written}")
    place = Accesses({"registry.acme.example": access}).place(parse_reference("registry.acme.example/a/web"))

    assert place.gives_tokens(realm)


async def test_a_login_of_the_settings_does_not_follow_another_page_of_the_token_server(
    server: Server, other: Server, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    config = docker_config(tmp_path / "config.json", {server.host: login()})
    server.wanted, server.challenge = {"Bearer x"}, f'Bearer realm="{other.url}/users/mallory/notes"'

    with pytest.raises(Unauthorized, match="token_server"):
        await a_registry(server, session, config, f"{other.url}/token").find(server.reference())

    assert other.seen == []


@pytest.mark.parametrize(
    ("image", "realm", "known"),
    [
        # https://docs.docker.com/reference/api/registry/auth/
        ("nginx", "https://auth.docker.io/token", True),
        ("docker.io/acme/web", "https://auth.docker.io/token", True),
        ("docker.io/acme/web", "https://registry-1.docker.io/token", True),
        ("docker.io/acme/web", "https://auth.docker.io/other", False),
        # https://docs.gitlab.com/administration/packages/container_registry/
        ("registry.gitlab.com/acme/web", "https://gitlab.com/jwt/auth", True),
        ("registry.gitlab.com/acme/web", "https://gitlab.com/acme/web", False),
        # What these answer under /v2/.
        ("registry.digitalocean.com/acme/web", "https://api.digitalocean.com/v2/registry/auth", True),
        ("registry.digitalocean.com/acme/web", "https://api.digitalocean.com/v2/droplets", False),
        (
            "rg.nl-ams.scw.cloud/acme/web",
            "https://api.scaleway.com/registry-internal/v1/regions/nl-ams/tokens",
            True,
        ),
        (
            "rg.nl-ams.scw.cloud/acme/web",
            "https://api.scaleway.com/registry-internal/v1/regions/fr-par/tokens",
            False,
        ),
        # These give tokens themselves.
        ("ghcr.io/acme/web", "https://ghcr.io/token", True),
        ("quay.io/acme/web", "https://quay.io/v2/auth", True),
        ("europe-docker.pkg.dev/acme/web/x", "https://europe-docker.pkg.dev/v2/token", True),
        ("acme.azurecr.io/web", "https://acme.azurecr.io/oauth2/token", True),
        ("acme.jfrog.io/docker/web", "https://acme.jfrog.io/artifactory/api/docker/docker/v2/token", True),
        ("us.icr.io/acme/web", "https://us.icr.io/oauth/token", True),
        ("iad.ocir.io/acme/web", "https://iad.ocir.io/12345678/docker/token", True),
        ("public.ecr.aws/acme/web", "https://public.ecr.aws/token/", True),
        ("harbor.acme.example/web/x", "https://harbor.acme.example/service/token", True),
        ("harbor.acme.example/web/x", "https://HARBOR.acme.example:443/service/token", True),
        # What is another host, however like it looks.
        ("ghcr.io/acme/web", "https://auth.docker.io/token", False),
        ("ghcr.io/acme/web", "https://ghcr.io.evil.example/token", False),
        ("ghcr.io/acme/web", "https://ghcr.io:8443/token", False),
        ("ghcr.io/acme/web", "https://ghcr.io@evil.example/token", False),
        ("ghcr.io/acme/web", "https://evil.example/ghcr.io/token", False),
        ("ghcr.io/acme/web", "https://evil.example\\@ghcr.io/token", False),
        ("ghcr.io/acme/web", "http://ghcr.io/token", False),
        ("ghcr.io/acme/web", "https://ghcr.io:port/token", False),
        # Nor what only the controller can reach.
        ("ghcr.io/acme/web", "http://169.254.169.254/latest/meta-data/", False),
        ("ghcr.io/acme/web", "https://kubernetes.default.svc/api/v1/secrets", False),
        ("ghcr.io/acme/web", "https://127.0.0.1:6443/", False),
        ("ghcr.io/acme/web", "https://[::1]/", False),
    ],
)
def test_the_token_servers_that_are_known(image: str, realm: str, known: bool) -> None:
    assert Accesses({}).place(parse_reference(image)).gives_tokens(realm) is known


@pytest.mark.parametrize(
    ("setting", "realm", "known"),
    [
        ("https://gitlab.example.com/jwt/auth", "https://gitlab.example.com/jwt/auth", True),
        ("https://gitlab.example.com/jwt/auth", "https://gitlab.example.com/jwt/auth/?x=y", True),
        ("https://gitlab.example.com/jwt/auth", "https://gitlab.example.com/acme/notes", False),
        ("https://gitlab.example.com/jwt/auth", "https://gitlab.example.com/jwt/auth/../../notes", False),
        ("https://gitlab.example.com/jwt/auth", "http://gitlab.example.com/jwt/auth", False),
        ("https://gitlab.example.com/jwt/auth", "https://registry.example.com/jwt/auth", True),
        ("https://gitlab.example.com", "https://gitlab.example.com/any", True),
    ],
)
def test_the_token_server_of_a_setting(setting: str, realm: str, known: bool) -> None:
    access = {"registry.example.com": RegistrySettings(token_server=setting)}
    place = Accesses(access).place(parse_reference("registry.example.com/acme/web"))

    assert place.gives_tokens(realm) is known


@given(st.text(alphabet="https:/@.ghcrio\\?#[]1 ", max_size=40))
def test_whatever_a_challenge_names_no_address_elsewhere_is_known(text: str) -> None:
    if Accesses({}).place(parse_reference("ghcr.io/acme/web")).gives_tokens(text):
        assert text.startswith("https://ghcr.io")


# What is asked for


@pytest.mark.parametrize(
    "scope",
    [
        "repository:acme/web:pull,push,delete",
        "repository:acme/other:pull",
        "repository:acme/web:pull repository:acme/other:pull,push",
        "registry:catalog:*",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["password", "identity token"])
async def test_only_the_right_to_pull_what_is_looked_for_is_asked_for(
    server: Server, session: aiohttp.ClientSession, tmp_path: Path, scope: str, kind: str
) -> None:
    entry = login() if kind == "password" else {"identitytoken": PASSWORD}
    config = docker_config(tmp_path / "config.json", {server.host: entry})
    server.wants_token()
    server.challenge += f',scope="{scope}"'

    assert await a_registry(server, session, config).find(server.reference()) is not None

    asked = next(seen for seen in server.seen if seen.path == "/token")
    assert {**asked.query, **asked.form}["scope"] == "repository:acme/web:pull"


# Where the logins are


def test_a_docker_config_file_without_an_end_is_not_read_to_it() -> None:
    with pytest.raises(ValueError, match="/dev/zero is larger than 1 MiB"):
        logins_for("ghcr.io", "acme/web", Path("/dev/zero"))


def test_a_docker_config_file_that_is_too_large_is_said(tmp_path: Path) -> None:
    large = docker_config(tmp_path / "config.json", {"ghcr.io": {"auth": "x" * 2_000_000}})

    with pytest.raises(ValueError, match=r"config\.json is larger than 1 MiB"):
        logins_for("ghcr.io", "acme/web", large)


def test_one_with_hundreds_of_logins_is_read(tmp_path: Path) -> None:
    auths = {f"registry-{number}.example.com": login() for number in range(1_000)}
    config = docker_config(tmp_path / "config.json", auths)

    (found,) = logins_for("registry-999.example.com", "acme/web", config)

    assert isinstance(found, Credentials)
    assert found.basic() == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
