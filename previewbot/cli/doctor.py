"""`previewbot doctor`: what is wrong with an installation, whose it is, and what to do."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

from previewbot.cli.serve import load, proxies_of, read_secret
from previewbot.clients.github.app import rsa_key
from previewbot.config.server import (
    SecretSource,
    Settings,
    private_key,
    private_key_source,
    webhook_secret_source,
    webhook_secrets,
)
from previewbot.doctor.check import Check, not_checked, ok, wrong
from previewbot.doctor.examination import Secrets, questions_about
from previewbot.doctor.report import as_json, exit_code, summary
from previewbot.doctor.running import asked
from previewbot.errors import SettingsError

_TERMINATED = 128 + signal.SIGTERM

KEY, SECRET = "the private key", "the webhook secret"


def doctor(config: Path, *, json: bool) -> int:
    """Look at everything, and tell each finding as soon as it is there; return the exit code.

    Raises SettingsError for settings that cannot be read.
    """
    settings = load(config, os.environ)
    secrets = secrets_of(settings, os.environ)

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
    # A pod that is told to end takes its probe away again, as after Ctrl-C.
    working = asyncio.current_task()
    assert working is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    found: list[Check] = []
    async with (
        questions_about(settings, secrets, lambda: datetime.now(UTC), proxies_of(os.environ)) as questions,
        aclosing(asked(questions, _waiting)) as checks,
    ):
        async for check in checks:
            found.append(check)
            tell(check)
    return found


def _waiting(what: str) -> None:
    print(f"… still waiting: {what}", file=sys.stderr, flush=True)


def secrets_of(settings: Settings, environment: Mapping[str, str]) -> Secrets:
    """Read the secrets that are here: the chart gives each process only its own."""
    key, signing, checks = None, None, list[Check]()
    try:
        source = private_key_source(settings, environment)
        if _is_here(source):
            key = private_key(source, read_secret(source))
            rsa_key(key)
            checks.append(ok(KEY, "it is an RSA key in PEM form"))
        else:
            checks.append(not_checked(KEY, f"{source.file} is not here: it is the controller's"))
    except SettingsError as error:
        key = None
        checks.append(wrong(KEY, "; ".join(error.problems)))
    try:
        source = webhook_secret_source(settings, environment)
        if _is_here(source):
            signing = webhook_secrets(source, read_secret(source))
            checks.append(ok(SECRET, "it can be used"))
        else:
            checks.append(not_checked(SECRET, f"{source.file} is not here: it is web's"))
    except SettingsError as error:
        checks.append(wrong(SECRET, "; ".join(error.problems)))
    return Secrets(key, signing, tuple(checks))


def _is_here(source: SecretSource) -> bool:
    return source.file is None or source.file.exists()
