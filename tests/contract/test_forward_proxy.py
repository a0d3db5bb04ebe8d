"""Through a real forward proxy: GitHub and registries by the variables, the API server by its kubeconfig."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from previewbot.clients.github import GitHub
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.pages_client import PagesClient
from previewbot.clients.links import Links, Question
from previewbot.clients.outgoing import client_session
from previewbot.clients.registry import Registry
from previewbot.clients.tls import end_at_once
from previewbot.config.agents import built_in
from previewbot.config.server import GitHubSettings, RegistrySettings
from previewbot.errors import RemoteError, SettingsError, TryLater
from previewbot.rules.images import parse_reference
from previewbot.rules.proxies import Proxies, read_proxies
from tests.support.forward_proxy import ForwardProxy, forward_proxy
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.pki import Authority
from tests.support.servers import served

GITHUB, REGISTRY = "github.corp.example", "registry.corp.example"
LOGIN = "Basic Ym90Omh1c2g="
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DIGEST = "sha256:" + "a" * 64
KEY = rsa.generate_private_key(65537, 2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


def speaking_tls(authority: Authority, *names: str) -> ssl.SSLContext:
    certificate, key = authority.server("-".join(names) or "here", *names)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return end_at_once(context)


async def answer(request: web.Request) -> web.StreamResponse:
    if request.path.startswith("/v2/"):
        return web.Response(headers={"Docker-Content-Digest": DIGEST, "Content-Type": MANIFEST})
    if request.path.endswith("/installation"):
        return web.json_response({"id": 7, "account": {"login": "acme", "id": 1}})
    return web.json_response({"metadata": {"name": "gh-812-42"}})


@pytest.fixture(scope="module")
def port(authority: Authority) -> Iterator[int]:
    """A GitHub and a registry behind a private CA, by names that only the proxy knows."""
    with served(answer, speaking_tls(authority, GITHUB, REGISTRY)) as (url, _):
        yield int(url.rpartition(":")[2])


@pytest.fixture(params=["http", "https"])
def proxy(request: pytest.FixtureRequest, port: int, authority: Authority) -> Iterator[ForwardProxy]:
    tls = speaking_tls(authority) if request.param == "https" else None
    with forward_proxy(tls, hosts={GITHUB: port, REGISTRY: port}) as found:
        yield found


class Outside:
    """The controller's session and what it asks with it."""

    def __init__(self, session: aiohttp.ClientSession, ca_file: Path | None) -> None:
        self.session = session
        settings = GitHubSettings(
            api_url=f"https://{GITHUB}/api/v3", web_url=f"https://{GITHUB}", app_id=1, ca_file=ca_file
        )
        self.github = GitHub(
            session, settings, KEY.decode(), built_in(), user_agent="test", now=lambda: datetime.now(UTC)
        )
        self.registry = Registry(session, {REGISTRY: RegistrySettings(ca_file=ca_file)})

    async def look(self) -> tuple[int, str]:
        installation = await self.github.installation_of("acme/shop")
        image = await self.registry.find(parse_reference(f"{REGISTRY}/acme/shop:1"))
        assert image is not None
        return installation, image.digest


async def outside(environment: dict[str, str], ca_file: Path | None) -> AsyncIterator[Outside]:
    async with client_session(aiohttp.ClientTimeout(total=10), read_proxies(environment)) as session:
        yield Outside(session, ca_file)


async def test_github_and_registries_behind_a_private_ca_are_asked_through_it(
    proxy: ForwardProxy, authority: Authority
) -> None:
    async for each in outside({"HTTPS_PROXY": proxy.url}, authority.certificate):
        assert await each.look() == (7, DIGEST)

    assert proxy.asked == [f"CONNECT {GITHUB}:443", f"CONNECT {REGISTRY}:443"]
    assert b"acme" not in proxy.heard


async def test_a_proxy_that_wants_a_login_gets_it_and_nobody_else_does(
    proxy: ForwardProxy, authority: Authority
) -> None:
    proxy.login = LOGIN
    url = proxy.url.replace("://", "://bot:hush@")

    async for each in outside({"HTTPS_PROXY": url}, authority.certificate):
        assert await each.look() == (7, DIGEST)

    assert b"Proxy-Authorization" not in proxy.heard


@pytest.mark.parametrize("status", [407, 403, 502])
async def test_a_proxy_that_refuses_is_told_as_the_proxy_and_without_its_login(
    status: int, proxy: ForwardProxy, authority: Authority
) -> None:
    proxy.refuses = status
    url = proxy.url.replace("://", "://bot:hush@")

    async for each in outside({"HTTPS_PROXY": url}, authority.certificate):
        for ask in (
            each.github.installation_of("acme/shop"),
            each.registry.find(parse_reference(f"{REGISTRY}/acme/shop:1")),
        ):
            with pytest.raises(TryLater, match=f"the proxy {proxy.url} answered {status}") as refused:
                await ask
            assert "hush" not in str(refused.value)


async def test_a_proxy_that_is_not_there_is_told_as_the_proxy(authority: Authority) -> None:
    async for each in outside({"HTTPS_PROXY": "http://bot:hush@127.0.0.1:9"}, authority.certificate):
        with pytest.raises(TryLater, match=r"the proxy http://127.0.0.1:9 cannot be reached"):
            await each.github.installation_of("acme/shop")


async def test_what_no_proxy_names_is_asked_directly_in_the_same_session(
    proxy: ForwardProxy, authority: Authority
) -> None:
    environment = {"HTTPS_PROXY": proxy.url, "NO_PROXY": "10.0.0.0/8,.corp.example:5000," + GITHUB}
    async for each in outside(environment, authority.certificate):
        with pytest.raises(TryLater, match="GitHub cannot be reached"):
            # Nobody but the proxy knows the name.
            await each.github.installation_of("acme/shop")
        assert await each.registry.find(parse_reference(f"{REGISTRY}/acme/shop:1"))

    assert proxy.asked == [f"CONNECT {REGISTRY}:443"]


async def test_what_is_not_encrypted_goes_through_the_proxy_for_that() -> None:
    with served(answer) as (url, _), forward_proxy(login=LOGIN, hosts={REGISTRY: int(url[-5:])}) as proxy:
        environment = {"HTTP_PROXY": proxy.url.replace("://", "://bot:hush@")}
        async with client_session(aiohttp.ClientTimeout(total=10), read_proxies(environment)) as session:
            for _ in range(2):
                async with session.get(f"http://{REGISTRY}/a?b=c") as response:
                    assert (await response.json())["metadata"]["name"] == "gh-812-42"
            proxy.login = "another"
            with pytest.raises(aiohttp.ClientError, match=f"the proxy {proxy.url} answered 407"):
                await session.get(f"http://{REGISTRY}/a")

    assert proxy.asked == [f"GET http://{REGISTRY}/a?b=c"] * 2 + [f"GET http://{REGISTRY}/a"]


async def test_without_the_ca_nothing_is_said_and_the_words_say_why(port: int) -> None:
    with forward_proxy(hosts={GITHUB: port}) as proxy:
        async for each in outside({"HTTPS_PROXY": proxy.url}, None):
            with pytest.raises(TryLater, match="its certificate is not trusted: unable to get local issuer"):
                await each.github.installation_of("acme/shop")
        assert b"acme" not in proxy.heard


async def test_githubs_ca_may_be_written_anew_under_a_running_process(
    port: int, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(Authority(tmp_path / "other").certificate.read_bytes())
    with forward_proxy(hosts={GITHUB: port}) as proxy:
        async for each in outside({"HTTPS_PROXY": proxy.url}, ca_file):
            with pytest.raises(TryLater, match="its certificate is not trusted"):
                await each.github.installation_of("acme/shop")
            (tmp_path / "new.pem").write_bytes(authority.certificate.read_bytes())
            (tmp_path / "new.pem").rename(ca_file)
            assert await each.github.installation_of("acme/shop") == 7
            ca_file.unlink()
            with pytest.raises(TryLater, match=r"github\.ca_file: .*ca\.pem cannot be read as certificates"):
                await each.github.installation_of("acme/shop")


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["missing", "empty", "none"])
async def test_a_ca_file_that_is_none_keeps_it_from_starting(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)

    async with client_session(aiohttp.ClientTimeout(total=10), Proxies()) as session:
        with pytest.raises(SettingsError, match=r"github\.ca_file: .*ca\.pem cannot be read as certificates"):
            Outside(session, tmp_path / "ca.pem")


# The API server


@pytest.fixture
def kubeconfig(port: int, authority: Authority, proxy: ForwardProxy, tmp_path: Path) -> Any:
    def write(proxy_url: str) -> Path:
        path = write_kubeconfig(
            tmp_path / "kubeconfig", f"https://{GITHUB}:6443", authority=authority.certificate
        )
        document = yaml.safe_load(path.read_text("utf-8"))
        document["clusters"][0]["cluster"]["proxy-url"] = proxy_url
        path.write_text(yaml.safe_dump(document), "utf-8")
        return path

    return write


async def as_the_controller(path: Path) -> object:
    kube = await Kube.connect(path, user_agent="test")
    try:
        return await kube.get_preview("gh-812-42")
    finally:
        await kube.close()


def as_web(path: Path) -> object:
    client = PagesClient(path, user_agent="test")
    try:
        return client.get_preview("gh-812-42")
    finally:
        client.close()


async def test_the_api_server_is_asked_through_the_proxy_of_its_kubeconfig(
    proxy: ForwardProxy, kubeconfig: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As kubectl: the exceptions are the environment's, and the proxy is the kubeconfig's.
    monkeypatch.setenv("NO_PROXY", "*")
    proxy.login = LOGIN
    path = kubeconfig(proxy.url.replace("://", "://bot:hush@"))

    assert as_web(path) and await as_the_controller(path)

    assert proxy.asked == [f"CONNECT {GITHUB}:6443"] * 2


@pytest.mark.parametrize("status", [407, 403])
async def test_a_proxy_that_refuses_the_api_server_is_told_as_the_proxy_by_both(
    status: int, proxy: ForwardProxy, kubeconfig: Any
) -> None:
    proxy.refuses = status
    path = kubeconfig(proxy.url.replace("://", "://bot:hush@"))

    for ask in (as_web, as_the_controller):
        with pytest.raises(RemoteError, match=f"the proxy {proxy.url} answered {status}") as refused:
            found = ask(path)
            assert not isinstance(found, dict) and await found  # type: ignore[misc]
        assert "hush" not in str(refused.value)


async def test_a_proxy_of_the_kubeconfig_that_is_not_there_is_told_by_both(kubeconfig: Any) -> None:
    path = kubeconfig("http://127.0.0.1:9")

    with pytest.raises(RemoteError, match=r"the proxy http://127\.0\.0\.1:9 cannot be reached"):
        as_web(path)
    with pytest.raises(RemoteError, match=r"the proxy http://127\.0\.0\.1:9 cannot be reached"):
        await as_the_controller(path)


# A link


@pytest.mark.parametrize(("exceptions", "asked"), [("", 1), (f".corp.example,{GITHUB}", 0)])
async def test_a_link_is_asked_by_the_same_rule_and_directly_where_the_proxy_refuses(
    exceptions: str, asked: int, port: int, authority: Authority
) -> None:
    tls = ssl.create_default_context(cafile=str(authority.certificate))
    url = f"https://{GITHUB}:{port}/"
    with forward_proxy(hosts={GITHUB: port}) as proxy:
        proxies = read_proxies({"HTTPS_PROXY": proxy.url, "NO_PROXY": exceptions})

        def links() -> Links:
            return Links("test", tls=tls, proxies=proxies)

        # Without a proxy the Gateway's address is where it is found.
        found = await links().ask(Question(url, addresses=("127.0.0.1",)))
        assert (found.status, len(proxy.asked)) == (200, asked)

        proxy.refuses = 403
        found = await links().ask(Question(url, addresses=("127.0.0.1",)))
        assert found.status == 200
