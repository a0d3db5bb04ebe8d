"""`previewbot web`, `pages` and `controller`: settings, secrets, and then the process itself."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from previewbot.cli.files import read_head
from previewbot.cli.secret_files import (
    assertion_keys_file,
    read_assertion_keys,
    read_bearers,
    read_client_secret,
    read_cookie_keys,
    read_guard_keys,
    read_pictures_token,
    read_pictures_tokens,
    read_secret,
)
from previewbot.config.reader import MAX_BYTES
from previewbot.config.server import (
    Settings,
    document,
    parse,
    private_key,
    private_key_source,
    webhook_secret_source,
    webhook_secrets,
)
from previewbot.errors import SettingsError
from previewbot.rules.proxies import DIRECTLY, NoProxyAddress, Proxies, read_proxies
from previewbot.runtime import logs

if TYPE_CHECKING:
    from previewbot.clients.github.people import PeopleClient
    from previewbot.clients.pictures import PicturesClient
    from previewbot.clients.pictures_for_pages import PicturesForPages

# https://github.com/open-telemetry/opentelemetry-python-contrib/pull/3699
_INSTRUMENTED = (
    "previewbot {name} cannot start: something imported urllib3 into its process before it began, as "
    "automatic instrumentation does (OpenTelemetry, Datadog). Switch that off for {name}, or let it patch "
    "first: OpenTelemetry does with OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH=patch_all."
)


def web(config: Path, bind: str, metrics_bind: str) -> int:
    """Serve webhooks until SIGTERM or SIGINT; probes and metrics at an address of their own."""
    settings = load(config, os.environ)
    source = webhook_secret_source(settings, os.environ)
    signing = webhook_secrets(source, read_secret(source))
    if not _take_turns("web"):
        return 1
    # Imported here, so that each of the processes loads only what it needs.
    from prometheus_client import CollectorRegistry

    from previewbot.clients.kubernetes.web_client import WebClient
    from previewbot.runtime.bare_app import create_probes
    from previewbot.runtime.web_app import create_app
    from previewbot.runtime.web_server import PUBLIC_LIMITS, serve

    logs.configure()
    cluster = WebClient(
        settings.cluster.kubeconfig, user_agent="previewbot-web", lease=settings.cluster.listing_lease
    )
    metrics = CollectorRegistry()
    app = create_app(settings, signing, cluster, metrics, now=lambda: datetime.now(UTC))
    progress = settings.deadlines.progress.total_seconds()
    probes = create_probes(cluster, metrics, refused_for=cluster.refused_for, progress=progress)
    serve("previewbot web", app, bind, probes, metrics_bind, limits=PUBLIC_LIMITS)
    return 0


def pages(config: Path, bind: str, metrics_bind: str) -> int:
    """Serve what people and programs read until SIGTERM or SIGINT; probes and metrics as web does."""
    settings = load(config, os.environ)
    read_bearers(settings)
    read_guard_keys(settings)
    signs_in = settings.access_or_default == "github"
    if signs_in:
        read_client_secret(settings)
    if settings.people_press:
        read_cookie_keys(settings)
    proxies = proxies_of(os.environ) if signs_in else DIRECTLY
    if not _take_turns("pages"):
        return 1
    if assertion_keys_file(settings) is not None:
        read_assertion_keys(settings)
    source = _source_of_pictures(settings)
    from prometheus_client import CollectorRegistry

    from previewbot.clients.kubernetes.pages_client import PagesClient
    from previewbot.runtime.bare_app import create_probes
    from previewbot.runtime.pages_app import create_pages
    from previewbot.runtime.web_server import PAGES_LIMITS, serve

    logs.configure()
    cluster = PagesClient(
        settings.cluster.kubeconfig, user_agent="previewbot-pages", lease=settings.cluster.listing_lease
    )
    metrics = CollectorRegistry()
    app = create_pages(
        settings,
        cluster,
        now=lambda: datetime.now(UTC),
        bearers=lambda: read_bearers(settings),
        listing=cluster.list_previews,
        github=people_of(settings, proxies, "previewbot-pages") if signs_in else None,
        cookie_keys=lambda: read_cookie_keys(settings),
        assertion_keys=lambda: read_assertion_keys(settings),
        guard_keys=lambda: read_guard_keys(settings),
        metrics=metrics,
        source=source,
    )
    progress = settings.deadlines.progress.total_seconds()
    probes = create_probes(cluster, metrics, refused_for=cluster.refused_for, progress=progress)
    serve("previewbot pages", app, bind, probes, metrics_bind, limits=PAGES_LIMITS)
    return 0


def _source_of_pictures(settings: Settings) -> PicturesForPages | None:
    """Return what fetches pictures; None where none are taken. Raises SettingsError."""
    if settings.pictures is None:
        return None
    read_pictures_tokens(settings)
    from previewbot.clients.pictures_for_pages import PicturesForPages

    tokens = partial(read_pictures_tokens, settings)
    return PicturesForPages(settings.pictures.url, tokens, user_agent="previewbot-pages")


def _album(settings: Settings) -> PicturesClient | None:
    """Return whom the controller asks for pictures; None where none are taken. Raises SettingsError."""
    if settings.pictures is None:
        return None
    read_pictures_token(settings)
    from previewbot.clients.pictures import PicturesClient
    from previewbot.runtime.parts import USER_AGENT

    token = partial(read_pictures_token, settings)
    return PicturesClient(settings.pictures.url, token, user_agent=USER_AGENT)


def people_of(settings: Settings, proxies: Proxies, user_agent: str) -> PeopleClient:
    """Return what asks GitHub as the people who sign in; `user_agent` is who asks."""
    from previewbot.clients.github.people import PeopleClient

    return PeopleClient(
        settings.github,
        settings.sign_in.client_id or "",
        lambda: read_client_secret(settings),
        user_agent=user_agent,
        now=lambda: datetime.now(UTC),
        proxies=proxies,
    )


def _take_turns(name: str) -> bool:
    """Have what waits for something let others go on: gevent patches the standard library.

    Return whether it could, and say it where not; somebody may have done it before. Only for web and pages:
    the controller runs on asyncio, which needs the real sockets and threads.
    """
    from gevent import monkey

    # urllib3 keeps the ssl that it finds when it is imported, and the two would call each other for ever.
    if "urllib3" in sys.modules and not monkey.is_module_patched("ssl"):
        print(_INSTRUMENTED.format(name=name), file=sys.stderr)
        return False
    monkey.patch_all()
    return True


def controller(config: Path, bind: str, identity: str | None = None) -> int:
    """Run the controller until SIGTERM or SIGINT; without an `identity` it gets one that nobody else has."""
    import asyncio

    from previewbot.runtime.controller import run

    settings = load(config, os.environ)
    source = private_key_source(settings, os.environ)
    key = private_key(source, read_secret(source))
    read_guard_keys(settings)
    guard_keys = partial(read_guard_keys, settings)
    proxies = proxies_of(os.environ)
    pictures = _album(settings)
    logs.configure()

    async def until_told() -> int:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        # Two processes on one host must not take each other's Lease for their own, so the name ends in random
        # digits.
        name = identity or f"{socket.gethostname()}-{secrets.token_hex(4)}"
        return await run(
            settings,
            key,
            bind,
            identity=name,
            stop=stop,
            proxies=proxies,
            guard_keys=guard_keys,
            pictures=pictures,
        )

    try:
        return asyncio.run(until_told())
    except OSError as error:
        print(f"previewbot cannot listen on {bind}: {error.strerror}", file=sys.stderr)
        return 1


def load(config: Path, environment: Mapping[str, str]) -> Settings:
    """Read the settings; raises SettingsError with everything that is wrong."""
    try:
        content = read_head(config)
        # What is cut off may end within a character, and is told to be too large.
        if len(content) <= MAX_BYTES:
            content.decode()
    except OSError as error:
        raise SettingsError((f"{config} cannot be read: {error.strerror}",)) from error
    except UnicodeDecodeError as error:
        raise SettingsError((f"{config} is not UTF-8; save the file in that encoding",)) from error
    return parse(document(content), environment)


def proxies_of(environment: Mapping[str, str]) -> Proxies:
    """Return the proxies that the environment names; raises SettingsError."""
    try:
        return read_proxies(environment)
    except NoProxyAddress as error:
        raise SettingsError((str(error),)) from None
