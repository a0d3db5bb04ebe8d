"""One cause, one line: what follows from something that is told already is not told as wrong again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import pytest

from previewbot.clients.outgoing import client_session
from previewbot.clients.registry import Checked, FoundImage, Registry
from previewbot.config.repository import parse
from previewbot.config.server import GatewaySettings, Settings
from previewbot.doctor.check import Check, State, ok, wrong
from previewbot.doctor.names import OfNames
from previewbot.doctor.names_judged import TLS
from previewbot.doctor.proxies import PROXIES, OfProxies
from previewbot.doctor.registries import OfRegistries
from previewbot.doctor.repositories import Named
from previewbot.doctor.running import Question, asked
from previewbot.errors import Forbidden, NoAnswer, RemoteError
from previewbot.rules.images import ImageReference
from previewbot.rules.proxies import read_proxies
from tests.support import passes
from tests.support.forward_proxy import forward_proxy

SETTINGS = Settings.model_validate(passes.SETTINGS)
CLOSED_PORT = 9
HOST = "ghcr.io"


def now() -> datetime:
    return datetime.now(UTC)


async def certificate(names: OfNames, before: Sequence[Check] = ()) -> Check:
    """Return what is found of the certificate, after these findings."""

    def given(check: Check) -> Question:
        async def ask() -> Sequence[Check]:
            return [check]

        return Question(check.name, ask)

    questions = [*map(given, before), *names.questions(follows=[check.name for check in before])]
    return [check async for check in asked(questions)][-1]


NOBODY_ANSWERS: dict[str, tuple[Sequence[Check], State, str]] = {
    "nothing else is wrong": ((), State.WRONG, "nobody answers"),
    "the link says so": ([wrong("links: an address", "x")], State.NOT_CHECKED, "links: an address"),
    "the Gateway is not there": ([wrong("links: the Gateway", "x")], State.NOT_CHECKED, "links: the Gateway"),
    "the Gateway is fine": ([ok("links: the Gateway", "x")], State.WRONG, "nobody answers"),
}


@pytest.mark.parametrize(("before", "state", "words"), NOBODY_ANSWERS.values(), ids=NOBODY_ANSWERS.keys())
async def test_that_nobody_answers_at_links_is_told_once(
    before: Sequence[Check], state: State, words: str
) -> None:
    gateway = GatewaySettings(
        name="public", namespace="gateways", domain="preview.localhost", scheme="https", port=CLOSED_PORT
    )

    check = await certificate(OfNames(gateway, "https://p.example.com", now, asks=True), before)

    assert (check.name, check.state) == (TLS, state), check.line
    assert words in check.words


async def test_where_a_proxy_leads_to_links_no_certificate_is_looked_at_beside_it() -> None:
    gateways = {"HTTPS_PROXY": "http://proxy.corp.example.com:3128"}
    gateway = GatewaySettings(name="public", namespace="gateways", domain="preview.example.com")
    names = OfNames(gateway, "https://p.example.com", now, asks=True, proxies=read_proxies(gateways))
    [question] = [each for each in names.questions() if each.name == TLS]

    [check] = await question.ask()

    assert check.state is State.NOT_CHECKED
    assert "http://proxy.corp.example.com:3128" in check.words


class Refusing:
    """A registry that takes our login and shows some of its images to others only."""

    def __init__(self, errors: Mapping[str, RemoteError]) -> None:
        self._errors = errors

    async def check(self, host: str) -> Checked:
        return Checked(host, "robot")

    async def find(self, reference: ImageReference) -> FoundImage | None:
        error = self._errors.get(reference.repository)
        if error is not None:
            raise error
        return None


def named(*names: str) -> list[Named]:
    services = "".join(
        f"  {name}: {{target: deployment/{name}, namespace: staging, paths: ['{name}/**'], "
        f"image: '{HOST}/acme/{name}:{{head_sha}}'}}\n"
        for name in names
    )
    config = parse(f"version: 1\nservices:\n{services}".encode(), "preview.yaml")
    return [Named("acme/shop", service) for service in config.services]


async def test_images_that_are_refused_for_one_reason_are_one_line() -> None:
    refused, silent = Forbidden("x", status=403, message="denied"), NoAnswer("x", message="no answer in time")
    registry = Refusing({"acme/web": refused, "acme/cart": refused, "acme/search": silent})
    settings = SETTINGS.model_copy(
        update={"images": SETTINGS.images.model_copy(update={"allowed": (f"{HOST}/acme/",)})}
    )
    services = named("web", "cart", "search", "pricing")
    asking = OfRegistries(cast(Registry, registry), settings, lambda: services)
    [question] = asking.questions()

    checks = await question.ask()

    wrong = [check.name for check in checks if check.state is State.WRONG]
    assert wrong == [f"images {HOST}/acme/web, {HOST}/acme/cart", f"images {HOST}/acme/search"]
    assert [check.name for check in checks if check.state is State.OK][1:] == [f"images {HOST}/acme/pricing"]


URLS = ("http://github.corp.example/api/v3", "http://127.0.0.1/", "http://ghcr.io/")
OTHERWISE: dict[str, tuple[int, State, str]] = {
    "it answers": (200, State.OK, "github.corp.example through"),
    "it wants a login": (407, State.WRONG, "wants a login"),
    "it does not go to one host": (403, State.OK, "github.corp.example through"),
}


@pytest.mark.parametrize(("status", "state", "words"), OTHERWISE.values(), ids=OTHERWISE.keys())
async def test_a_proxy_is_looked_at_before_those_it_leads_to(status: int, state: State, words: str) -> None:
    with forward_proxy(refuses=status) as running:
        [check] = await proxied(running.url)

    assert check.state is state, check.line
    assert words in check.words


async def test_a_proxy_that_is_not_there_is_told_of_with_its_address() -> None:
    [check] = await proxied(f"http://127.0.0.1:{CLOSED_PORT}")

    assert check.state is State.WRONG
    assert f"the proxy http://127.0.0.1:{CLOSED_PORT} cannot be reached: see HTTPS_PROXY" in check.words


async def test_what_is_asked_directly_waits_for_no_proxy() -> None:
    proxies = read_proxies({"HTTPS_PROXY": "http://proxy.example.com:3128", "NO_PROXY": "ghcr.io"})
    async with client_session() as session:
        asking = OfProxies(session, proxies)

        assert asking.before("https://ghcr.io/") == ()
        assert asking.before("https://api.github.com") == (PROXIES,)
        assert asking.questions(["https://ghcr.io/"]) == []


async def proxied(proxy: str) -> list[Check]:
    proxies = read_proxies({"HTTP_PROXY": proxy})
    async with client_session(proxies=proxies) as session:
        [question] = OfProxies(session, proxies).questions(URLS)
        return [*await question.ask()]
