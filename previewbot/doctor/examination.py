"""Puts the doctor's questions together: of the half that this process can see, or of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from previewbot.clients.github import GitHub
from previewbot.clients.kubernetes.examining import ExaminedKube
from previewbot.clients.links import Links
from previewbot.clients.outgoing import client_session
from previewbot.clients.registry import Registry
from previewbot.config.server import Settings
from previewbot.doctor.check import Check, note, ok
from previewbot.doctor.cluster import OfCluster
from previewbot.doctor.contexts import looking
from previewbot.doctor.github import Heard, OfGitHub
from previewbot.doctor.names import OfNames
from previewbot.doctor.probing import OfRoutes
from previewbot.doctor.registries import OfRegistries, hosts
from previewbot.doctor.repositories import OfRepositories
from previewbot.doctor.running import Question
from previewbot.doctor.web import OfWeb
from previewbot.errors import LeaseLost
from previewbot.rules.proxies import DIRECTLY, Proxies
from previewbot.rules.repositories import warnings_of

USER_AGENT = "previewbot-doctor"
SETTINGS = "settings"


@dataclass(frozen=True)
class Secrets:
    """What of the two secrets is here, and what was found when they were read.

    `private_key` is None where this is not the controller's half, `signing` where it is not web's.
    """

    private_key: str | None = field(default=None, repr=False)
    signing: tuple[bytes, ...] | None = field(default=None, repr=False)
    checks: tuple[Check, ...] = ()

    @property
    def who(self) -> tuple[str, ...]:
        """The processes whose half this is; both where neither's secret is here."""
        found = {"controller": self.private_key, "web": self.signing}
        return tuple(name for name, secret in found.items() if secret is not None) or tuple(found)


def refuse_changes() -> None:
    """Raise LeaseLost: the doctor's clients change nothing, whoever calls them."""
    raise LeaseLost("previewbot doctor changes nothing")


@asynccontextmanager
async def questions_about(
    settings: Settings, secrets: Secrets, now: Callable[[], datetime], proxies: Proxies = DIRECTLY
) -> AsyncIterator[list[Question]]:
    """Yield the questions, and close at the end what they were asked with."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(client_session(proxies=proxies))

        async def connect() -> ExaminedKube:
            kube = await ExaminedKube.connect(
                settings.cluster.kubeconfig, user_agent=USER_AGENT, fence=refuse_changes
            )
            stack.push_async_callback(kube.close)
            return kube

        links = Links(USER_AGENT, proxies=proxies)
        known = [*_settings(settings), *secrets.checks, *_ways_out(settings, secrets, proxies)]
        questions = [Question(SETTINGS, _given(known))]
        cluster = OfCluster(connect, settings, secrets.who, now)
        targets: list[Question] = []
        if secrets.private_key is not None:
            heard = Heard(now)
            github = GitHub(
                session, settings.github, secrets.private_key, user_agent=USER_AGENT, now=now, heard=heard
            )
            registry = Registry(session, settings.images.registries)
            asking = OfGitHub(github, settings, heard, now)
            files = OfRepositories(
                github,
                settings,
                served=lambda: asking.served,
                context=lambda: looking(cluster.kube, github, registry, links, settings, now),
            )
            questions += asking.questions(files.questions(), lambda: files.covered)
            questions += OfRegistries(registry, settings, lambda: files.services).questions()
            targets = files.questions_of_targets()
        questions += [*cluster.questions(), *targets]
        ways = settings.links
        if "controller" in secrets.who and ways is not None and ways.gateway is not None:
            questions += OfRoutes(lambda: cluster.kube, links, settings, ways.gateway, now).questions()
            questions += OfNames(ways.gateway, settings.public_url, now, asks=ways.check).questions()
        questions += OfWeb(session, settings, secrets.signing or ()).questions()
        yield questions


def _settings(settings: Settings) -> Sequence[Check]:
    return [
        ok(SETTINGS, "both processes would start with them"),
        *(note(SETTINGS, warning) for warning in warnings_of(settings)),
    ]


def _ways_out(settings: Settings, secrets: Secrets, proxies: Proxies) -> Sequence[Check]:
    """Return through which proxies requests go, where there are any."""
    urls = [settings.github.api_url, *(f"https://{host}/" for host in hosts(settings))]
    if secrets.private_key is None or proxies == DIRECTLY:
        return []
    ways = ((urlsplit(url).netloc, proxies.of(url)) for url in urls)
    told = ", ".join(f"{host} {f'through {proxy.url}' if proxy else 'directly'}" for host, proxy in ways)
    return [ok("proxies", f"by HTTPS_PROXY and NO_PROXY: {told}; the API server as its kubeconfig says")]


def _given(checks: Sequence[Check]) -> Callable[[], Awaitable[Sequence[Check]]]:
    async def ask() -> Sequence[Check]:
        return checks

    return ask
