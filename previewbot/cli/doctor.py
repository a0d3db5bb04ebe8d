"""`previewbot doctor`: what is wrong with an installation, whose it is, and what to do."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from previewbot.cli.patience import still_waiting
from previewbot.cli.secret_files import (
    GUARD_KEYS,
    PICTURES,
    assertion_keys_file,
    bearer_source,
    guard_source,
    is_here,
    pictures_source,
    read_assertion_keys,
    read_bearers,
    read_client_secret,
    read_cookie_keys,
    read_guard_keys,
    read_pictures_token,
    read_secret,
    sign_in_sources,
    sources_of_pages,
)
from previewbot.cli.serve import load, people_of, proxies_of
from previewbot.clients.github.app import rsa_key
from previewbot.config.server import (
    SecretSource,
    Settings,
    private_key,
    private_key_source,
    webhook_secret_source,
    webhook_secrets,
)
from previewbot.doctor import rights
from previewbot.doctor.check import Check, not_checked, note, ok, wrong
from previewbot.doctor.examination import SETTINGS, USER_AGENT, Secrets, questions_about
from previewbot.doctor.guarding import KEYS
from previewbot.doctor.pictures_judged import FILE
from previewbot.doctor.report import as_json, exit_code, summary
from previewbot.doctor.running import asked
from previewbot.errors import SettingsError

_TERMINATED = 128 + signal.SIGTERM

KEY, SECRET, BEARER = "the private key", "the webhook secret", "the bearer of programs"
CLIENT_SECRET, COOKIE_KEYS = "the client secret", "the keys of cookies"
PROXY_KEYS = "the proxy's keys"

T = TypeVar("T")


def doctor(config: Path, *, json: bool, process: str | None = None) -> int:
    """Look at everything, and tell each finding as soon as it is there; return the exit code.

    `process` says whose part is looked at; without it that follows from whose secrets are here.

    Raises SettingsError for settings that cannot be read; as JSON they are a finding like any other.
    """
    try:
        return _doctor(config, json=json, process=process)
    except SettingsError as error:
        if not json:
            raise
        # Whoever reads JSON reads it whatever is wrong.
        print(as_json([wrong(SETTINGS, problem) for problem in error.problems]))
        return 2


def _doctor(config: Path, *, json: bool, process: str | None) -> int:
    settings = load(config, os.environ)
    secrets = secrets_of(settings, os.environ, process)

    def tell(check: Check) -> None:
        if not json:
            print(check.line, flush=True)

    try:
        checks = asyncio.run(_examined(settings, secrets, tell))
    except asyncio.CancelledError:
        return _TERMINATED
    print(as_json(checks) if json else summary(checks))
    return exit_code(checks)


async def _examined(settings: Settings, secrets: Secrets, tell: Callable[[Check], None]) -> list[Check]:
    # A pod that is told to end takes its probe away again, as after Ctrl-C; so does whoever hangs up.
    working = asyncio.current_task()
    assert working is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    found: list[Check] = []
    proxies = proxies_of(os.environ)
    signs_in = "pages" in secrets.here and settings.access_or_default == "github"
    codes = people_of(settings, proxies, USER_AGENT) if signs_in else None
    async with (
        questions_about(settings, secrets, lambda: datetime.now(UTC), proxies, codes=codes) as questions,
        aclosing(asked(questions, still_waiting)) as checks,
    ):
        async for check in checks:
            found.append(check)
            tell(check)
    return found


def secrets_of(settings: Settings, environment: Mapping[str, str], process: str | None = None) -> Secrets:
    """Read the secrets that are here: the chart gives each process only its own.

    `process` says whose part this is, whatever is here.
    """
    key = _secret(
        _Wanted(KEY, "controller", "it is an RSA key in PEM form"),
        lambda: private_key_source(settings, environment),
        _usable_key,
    )
    signing = _secret(
        _Wanted(SECRET, "web", "it can be used"),
        lambda: webhook_secret_source(settings, environment),
        webhook_secrets,
    )
    here = (*key.here, *signing.here)
    if process is not None:
        here = (process,)
    elif _pages_are_here(settings, here):
        here = (*here, "pages")
    guard_keys, of_guard = _of_guard(settings, here)
    token, of_pictures = _of_pictures(settings, here)
    others = (*_bearer(settings, here), *_of_sign_in(settings, here), *of_guard, *of_pictures)
    return Secrets(key.value, signing.value, (key.check, signing.check, *others), here, guard_keys, token)


def _pages_are_here(settings: Settings, others: Sequence[str]) -> bool:
    """Return whether what is pages' is here; where it has no secret at all, whether all others are."""
    # These are the controller's too, and say nothing of whose part this is.
    sources = [each for each in sources_of_pages(settings) if each.name not in (GUARD_KEYS, PICTURES)]
    return any(map(is_here, sources)) if sources else len(others) == len(rights.OF) - 1


def _of_sign_in(settings: Settings, here: Sequence[str]) -> list[Check]:
    """Return how the files of a sign-in stand, where people sign in here, or come by a proxy."""
    wanted: dict[str, Callable[[Settings], object]] = {}
    if sign_in_sources(settings):
        # People who come by a proxy need the keys alone.
        wanted = {} if settings.by_proxy else {CLIENT_SECRET: read_client_secret}
        wanted[COOKIE_KEYS] = read_cookie_keys
    if assertion_keys_file(settings) is not None:
        wanted[PROXY_KEYS] = read_assertion_keys
    if "pages" not in here:
        return [not_checked(name, "it is not here: it is pages'") for name in wanted]
    found = []
    for name, read in wanted.items():
        try:
            read(settings)
        except SettingsError as error:
            by_proxy = settings.by_proxy is not None and name == COOKIE_KEYS
            nobody = "what people press is refused" if by_proxy else "nobody can sign in"
            told = f"{'; '.join(error.problems)}: {nobody} until that is put right"
            found.append(wrong(name, told))
        else:
            found.append(ok(name, "it can be used"))
    return found


def _of_guard(settings: Settings, here: Sequence[str]) -> tuple[tuple[bytes, ...] | None, list[Check]]:
    """Return the guard's keys, and how their file stands; nothing where there is no guard."""
    both = _OfBoth(KEYS, "they can be used", "nobody gets past the guard, and no link is announced")
    return both.read(guard_source(settings), here, lambda: read_guard_keys(settings))


def _of_pictures(settings: Settings, here: Sequence[str]) -> tuple[bytes | None, list[Check]]:
    """Return what the worker of pictures is sent, and how its file stands; nothing where there is none."""
    both = _OfBoth(FILE, "it can be used", "no pictures are taken or shown, and neither starts so")
    return both.read(pictures_source(settings), here, lambda: read_pictures_token(settings))


@dataclass(frozen=True)
class _OfBoth:
    """A secret of pages' and the controller's: what its finding is called, what is said of one that can be
    used, and what does not go on where it cannot."""

    name: str
    fine: str
    lacking: str

    def read(
        self, source: SecretSource | None, here: Sequence[str], use: Callable[[], T]
    ) -> tuple[T | None, list[Check]]:
        """Return what `use` reads, and how it stands; nothing where there is no `source`."""
        if source is None:
            return None, []
        if not is_here(source) and "pages" not in here and "controller" not in here:
            words = f"{source.file} is not here: it is pages' and the controller's"
            return None, [not_checked(self.name, words)]
        try:
            value = use()
        except SettingsError as error:
            return None, [wrong(self.name, f"{'; '.join(error.problems)}: {self.lacking}")]
        return value, [ok(self.name, self.fine)]


def _bearer(settings: Settings, here: Sequence[str]) -> list[Check]:
    """Return how what opens the JSON to programs stands, if the settings want that opened."""
    source = bearer_source(settings)
    if source is None:
        return []
    if not is_here(source) and "pages" not in here:
        return [not_checked(BEARER, f"{source.file} is not here: it is pages'")]
    try:
        found = read_bearers(settings)
    except SettingsError as error:
        # Whoever changes it while pages runs does not stop it: that lets nobody in until it is put right.
        told = f"{'; '.join(error.problems)}: pages does not start so, and one that runs lets no program in"
        return [wrong(BEARER, told)]
    lines = Counter(each.repository for each in found)
    twice = [name or "all previews" for name, number in lines.items() if number > 1]
    if twice:
        words = f"two count for {', '.join(twice)}; take the second line away once all send the first"
        return [note(BEARER, words)]
    if "" not in lines:
        return [ok(BEARER, f"they can be used, each for one repository's previews ({len(lines)})")]
    opens = settings.guarded is not None and settings.api.opens_previews
    told = "it can be used; whoever sends it reads how every preview stands"
    return [ok(BEARER, f"{told}, and gets past the guard into each (api.opens_previews)" if opens else told)]


@dataclass(frozen=True)
class _Wanted:
    """A secret: what its finding is called, whose it is, and what is said of one that can be used."""

    name: str
    who: str
    words: str

    @property
    def whose(self) -> str:
        """Whose it is, in words."""
        return "web's" if self.who == "web" else f"the {self.who}'s"


@dataclass(frozen=True)
class _Read(Generic[T]):
    """What came of reading a secret: `here` has whose it is where it is here, be it one of no use."""

    check: Check
    value: T | None = field(default=None, repr=False)
    here: tuple[str, ...] = ()


def _secret(
    wanted: _Wanted, find: Callable[[], SecretSource], use: Callable[[SecretSource, bytes], T]
) -> _Read[T]:
    here: tuple[str, ...] = ()
    try:
        source = find()
        if not is_here(source):
            return _Read(not_checked(wanted.name, f"{source.file} is not here: it is {wanted.whose}"))
        here = (wanted.who,)
        return _Read(ok(wanted.name, wanted.words), use(source, read_secret(source)), here)
    except SettingsError as error:
        return _Read(wrong(wanted.name, "; ".join(error.problems)), here=here)


def _usable_key(source: SecretSource, content: bytes) -> str:
    key = private_key(source, content)
    rsa_key(key)
    return key
