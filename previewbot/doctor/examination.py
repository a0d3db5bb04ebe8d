"""Puts the doctor's questions together: of the part that this process can see, or of all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from previewbot.clients.github import GitHub
from previewbot.clients.kubernetes.examining import ExaminedKube
from previewbot.clients.links import Links
from previewbot.clients.outgoing import client_session
from previewbot.clients.registry import Registry
from previewbot.config.server import Settings
from previewbot.doctor import rights
from previewbot.doctor.agents import table_age
from previewbot.doctor.check import Check, not_checked, note, ok
from previewbot.doctor.cluster import OfCluster
from previewbot.doctor.contexts import looking
from previewbot.doctor.github import Heard, OfGitHub
from previewbot.doctor.guarding import OfGuard
from previewbot.doctor.names import OfNames
from previewbot.doctor.pictures import OfPictures
from previewbot.doctor.probing import OfRoutes
from previewbot.doctor.proxies import OfProxies
from previewbot.doctor.registries import OfRegistries, hosts, url_of
from previewbot.doctor.repositories import Named, OfRepositories
from previewbot.doctor.running import Question
from previewbot.doctor.signing_in import Codes, OfSigningIn
from previewbot.doctor.web import OfWeb
from previewbot.errors import LeaseLost
from previewbot.rules.proxies import DIRECTLY, Proxies
from previewbot.rules.repositories import warnings_of

USER_AGENT = "previewbot-doctor"
SETTINGS = "settings"


@dataclass(frozen=True)
class Secrets:
    """What of the processes' secrets is here, and what was found when they were read.

    `private_key` and `signing` are None where they are not here, or cannot be used; `here` are the processes
    whose secrets are here, be they of use or not. `guard_keys` are the guard's, None where there are none;
    `pictures` is what the worker of pictures is sent.
    """

    private_key: str | None = field(default=None, repr=False)
    signing: tuple[bytes, ...] | None = field(default=None, repr=False)
    checks: tuple[Check, ...] = ()
    here: tuple[str, ...] = ()
    guard_keys: tuple[bytes, ...] | None = field(default=None, repr=False)
    pictures: bytes | None = field(default=None, repr=False)

    @property
    def who(self) -> tuple[str, ...]:
        """The processes whose part this is; all where nobody's secret is here.

        One whose secret is of no use is still that one: held to what the other may do, it would lack all of
        it.
        """
        return self.here or tuple(rights.OF)


def refuse_changes() -> None:
    """Raise LeaseLost: the doctor's clients change nothing, whoever calls them."""
    raise LeaseLost("previewbot doctor changes nothing")


@asynccontextmanager
async def questions_about(
    settings: Settings,
    secrets: Secrets,
    now: Callable[[], datetime],
    proxies: Proxies = DIRECTLY,
    *,
    codes: Codes | None = None,
) -> AsyncIterator[list[Question]]:
    """Yield the questions, and close at the end what they were asked with.

    `codes` is where people sign in, if they do, and if what that takes is here.
    """
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(client_session(proxies=proxies))

        async def connect() -> ExaminedKube:
            kube = await ExaminedKube.connect(
                settings.cluster.kubeconfig, user_agent=USER_AGENT, fence=refuse_changes
            )
            stack.push_async_callback(kube.close)
            return kube

        links = Links(USER_AGENT, proxies=proxies)
        known = [*_settings(settings), *table_age(settings, now()), *secrets.checks]
        if "controller" in secrets.here and secrets.private_key is None:
            known.append(not_checked("GitHub", "because of what is wrong with the private key"))
        urls = list(dict.fromkeys(_asked_outside(settings, secrets.here)))
        ways_out = OfProxies(session, proxies)
        questions = [Question(SETTINGS, _given(known)), *ways_out.questions(urls)]
        cluster = OfCluster(connect, settings, secrets.who, now)
        targets: list[Question] = []
        registry = Registry(session, settings.images.registries)
        services: list[Named] = []
        if codes is not None:
            web_url = settings.github.web_url
            questions += OfSigningIn(codes, settings.public_url, ways_out.before, web_url).questions()
        if secrets.private_key is not None:
            heard = Heard(now)
            github = GitHub(
                session,
                settings.github,
                secrets.private_key,
                settings.agents.known,
                user_agent=USER_AGENT,
                now=now,
                heard=heard,
            )
            asking = OfGitHub(github, settings, heard, now, ways_out.before(settings.github.api_url))
            files = OfRepositories(
                github,
                settings,
                served=lambda: asking.served,
                context=lambda: looking(cluster.kube, github, registry, links, settings, now),
                closed=lambda: cluster.closed,
            )
            questions += asking.questions(files.questions(), lambda: files.covered)
            targets = files.questions_of_targets()
            services = files.services
        if "controller" in secrets.here:
            questions += OfRegistries(registry, settings, lambda: services, ways_out.before).questions()
        questions += [*cluster.questions(), *targets]
        ways = settings.links
        if "controller" in secrets.who and ways is not None and ways.gateway is not None:
            keys = secrets.guard_keys
            routes = OfRoutes(lambda: cluster.kube, links, settings, ways.gateway, now, keys or ())
            guard = OfGuard(lambda: cluster.kube, links, ways.gateway, keys, settings.public_url, now)
            names = OfNames(ways.gateway, settings.public_url, now, asks=ways.check, proxies=proxies)
            of_routes = routes.questions()
            questions += [
                *of_routes,
                *guard.questions(),
                *names.questions(follows=[question.name for question in of_routes]),
            ]
        if settings.pictures is not None and {"controller", "pages"} & set(secrets.who):
            questions += OfPictures(settings.pictures.url, secrets.pictures, USER_AGENT).questions()
        questions += OfWeb(session, settings, secrets.signing or ()).questions()
        yield questions


def _asked_outside(settings: Settings, here: Collection[str]) -> Iterator[str]:
    """Yield what the processes that are here ask outside of the cluster, where a proxy may be on the way."""
    if "controller" in here:
        yield settings.github.api_url
        yield from map(url_of, hosts(settings))
    if "pages" in here and settings.access_or_default == "github":
        yield settings.github.api_url
        yield settings.github.web_url


def _settings(settings: Settings) -> Sequence[Check]:
    return [
        ok(SETTINGS, "all processes can read them"),
        *(note(SETTINGS, warning) for warning in warnings_of(settings)),
    ]


def _given(checks: Sequence[Check]) -> Callable[[], Awaitable[Sequence[Check]]]:
    async def ask() -> Sequence[Check]:
        return checks

    return ask
