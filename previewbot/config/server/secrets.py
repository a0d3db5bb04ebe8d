"""Where the secrets come from, and what makes them usable.

The controller signs as the App and needs its private key; the web process checks signatures and needs the
webhook secret. Neither needs the other's, and neither secret has a default.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from previewbot.config.server.model import Settings
from previewbot.errors import SettingsError

PRIVATE_KEY_VARIABLE = "PREVIEWBOT_GITHUB__PRIVATE_KEY"
WEBHOOK_SECRET_VARIABLE = "PREVIEWBOT_GITHUB__WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
LEAST_WEBHOOK_SECRET = 16
"""So many bytes a webhook secret has at least: whoever has seen one signed delivery can try them offline."""

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

SECRET_VARIABLES = frozenset({PRIVATE_KEY_VARIABLE, WEBHOOK_SECRET_VARIABLE})


@dataclass(frozen=True)
class SecretSource:
    """Which source to read: `value` if it is there, else `file`; exactly one of them is."""

    name: str
    file: Path | None
    value: str | None = field(default=None, repr=False)


def private_key_source(settings: Settings, environment: Mapping[str, str]) -> SecretSource:
    """Return where the App's private key is; raises SettingsError if nothing says it."""
    return _source("private_key", settings.github.private_key_file, PRIVATE_KEY_VARIABLE, environment)


def webhook_secret_source(settings: Settings, environment: Mapping[str, str]) -> SecretSource:
    """Return where the webhook secret is; raises SettingsError if nothing says it."""
    return _source(
        "webhook_secret", settings.github.webhook_secret_file, WEBHOOK_SECRET_VARIABLE, environment
    )


def private_key(source: SecretSource, content: bytes) -> str:
    """Return the private key that `content` of `source` holds; raises SettingsError if it is no PEM."""
    key = content.decode("utf-8", errors="replace").strip()
    if not key.startswith("-----BEGIN ") or "PRIVATE KEY-----" not in key:
        raise SettingsError(
            (f"{_place(source)} does not hold a private key (-----BEGIN … PRIVATE KEY-----)",)
        )
    return key + "\n"


def webhook_secrets(source: SecretSource, content: bytes) -> tuple[bytes, ...]:
    """Return the webhook secrets that `content` holds, one a line: the App's, and maybe the one before.

    Raises SettingsError if there is none, more than two, or one that could be guessed: with an empty secret
    anybody could sign.
    """
    # Two count while a secret is changed: GitHub and previewbot cannot change theirs at the same moment, and
    # what is signed with the other one meanwhile would be refused.
    if content.startswith(_MARKS) or b"\0" in content:
        raise SettingsError(
            (
                f"{_place(source)} was not saved as plain text, as Windows PowerShell's `>` does not; GitHub "
                "signs with the text alone, so save it without a byte order mark",
            )
        )
    lines = (line.removesuffix(b"\r") for line in content.split(b"\n"))
    found = tuple(dict.fromkeys(line for line in lines if line.strip()))
    if not found:
        raise SettingsError((f"{_place(source)} is empty; it must hold the webhook secret of the App",))
    if len(found) > 2:
        raise SettingsError(
            (
                f"{_place(source)} holds {len(found)} webhook secrets; it must hold one, and while that is "
                "changed the one before in a second line",
            )
        )
    shortest = min(map(len, found))
    if shortest < LEAST_WEBHOOK_SECRET:
        raise SettingsError(
            (
                f"{_place(source)} holds a webhook secret of {shortest} bytes, which can be guessed; make "
                f"one of at least {LEAST_WEBHOOK_SECRET} with `openssl rand -hex 32`, and write it into the "
                "settings of the GitHub App too",
            )
        )
    return found


def _source(name: str, file: Path | None, variable: str, environment: Mapping[str, str]) -> SecretSource:
    value = environment.get(variable)
    # An empty variable is a mistake of whoever set it. Falling back to the file would hide that.
    if value is not None and not value.strip():
        raise SettingsError((f"{variable} is empty; unset it, or put the secret there",))
    if value is not None:
        return SecretSource(name=f"github.{name}", file=None, value=value)
    if file is None:
        raise SettingsError((f"github.{name}_file is missing; write it, or set {variable}",))
    return SecretSource(name=f"github.{name}", file=file)


def _place(source: SecretSource) -> str:
    return str(source.file) if source.file is not None else f"the variable for {source.name}"
