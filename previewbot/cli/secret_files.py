"""Reads the secrets that the settings name, and says in words what keeps one from being read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from previewbot.cli.files import read_head
from previewbot.config.reader import MAX_BYTES
from previewbot.config.server import (
    Bearer,
    SecretSource,
    Settings,
    bearers,
    client_secret,
    cookie_keys,
    shared_secrets,
)
from previewbot.errors import SettingsError

if TYPE_CHECKING:
    from previewbot.people.assertions import Key

BEARERS = "api.bearer_file"
CLIENT_SECRET, COOKIE_KEYS = "sign_in.client_secret_file", "sign_in.cookie_keys_file"
ASSERTION_KEYS = "proxy.assertion.keys_file"
GUARD_KEYS = "links.gateway.guard.keys_file"
PICTURES = "pictures.token_file"


def is_here(source: SecretSource) -> bool:
    """Return whether a secret is where this process runs: the chart gives each process only its own."""
    try:
        return source.file is None or source.file.exists()
    except OSError:
        # It is meant to be here, and cannot be looked at: whoever reads it is told why.
        return True


def read_secret(source: SecretSource) -> bytes:
    """Return what a source holds; raises SettingsError if it cannot be read."""
    if source.value is not None:
        return source.value.encode()
    assert source.file is not None
    try:
        content = read_head(source.file)
    except PermissionError as error:
        words = f"{source.file} cannot be read: {error.strerror}; let the user of this process read it"
        raise SettingsError((f"{source.name}: {words}",)) from error
    except OSError as error:
        raise SettingsError((f"{source.name}: {source.file} cannot be read: {error.strerror}",)) from error
    if len(content) > MAX_BYTES:
        raise SettingsError((f"{source.name}: {source.file} is larger than {MAX_BYTES // 1024} KiB",))
    return content


def bearer_source(settings: Settings) -> SecretSource | None:
    """Return where the bearer of programs is; None where the settings name none."""
    file = settings.api.bearer_file
    return None if file is None else SecretSource(name=BEARERS, file=file)


def read_bearers(settings: Settings) -> tuple[Bearer, ...]:
    """Return the bearers that count now, none where no file is named; raises SettingsError."""
    source = bearer_source(settings)
    if source is None or source.file is None:
        return ()
    return bearers(source.file, read_secret(source))


def pictures_source(settings: Settings) -> SecretSource | None:
    """Return where the secret is that the worker of pictures shares; None where there is no worker."""
    pictures = settings.pictures
    return None if pictures is None else SecretSource(name=PICTURES, file=pictures.token_file)


def read_pictures_tokens(settings: Settings) -> tuple[bytes, ...]:
    """Return the secrets shared with the worker of pictures that count now, the one that is sent first.

    Raises SettingsError.
    """
    file = settings.pictures.token_file if settings.pictures is not None else None
    return shared_secrets(*_read(file, PICTURES))


def read_pictures_token(settings: Settings) -> bytes:
    """Return the secret that is sent to the worker of pictures now; raises SettingsError."""
    return read_pictures_tokens(settings)[0]


def sign_in_sources(settings: Settings) -> tuple[SecretSource, ...]:
    """Return where the secrets of a sign-in are; none where nobody signs in, and of people who come by a
    proxy only what their forms are known by."""
    sign_in, proxy = settings.sign_in, settings.by_proxy
    if proxy is not None and proxy.they_press and sign_in.cookie_keys_file is not None:
        return (SecretSource(name=COOKIE_KEYS, file=sign_in.cookie_keys_file),)
    if settings.access_or_default != "github":
        return ()
    files = {CLIENT_SECRET: sign_in.client_secret_file, COOKIE_KEYS: sign_in.cookie_keys_file}
    return tuple(SecretSource(name=name, file=file) for name, file in files.items() if file)


def read_client_secret(settings: Settings) -> str:
    """Return the App's client secret that counts now; raises SettingsError if it cannot be read."""
    return client_secret(*_read(settings.sign_in.client_secret_file, CLIENT_SECRET))


def read_cookie_keys(settings: Settings) -> tuple[bytes, ...]:
    """Return the keys of cookies that count now, the one that encrypts first; raises SettingsError."""
    return cookie_keys(*_read(settings.sign_in.cookie_keys_file, COOKIE_KEYS))


def assertion_keys_file(settings: Settings) -> Path | None:
    """Return where the keys of a proxy are by which people come; None where it signs nothing."""
    proxy = settings.proxy if settings.access_or_default == "proxy" else None
    return proxy.assertion.keys_file if proxy is not None and proxy.assertion is not None else None


def read_assertion_keys(settings: Settings) -> tuple[Key, ...]:
    """Return the keys of the proxy that count now; raises SettingsError if they cannot be read."""
    # It brings ssl along, which pages must not have before gevent has patched it.
    from previewbot.people.assertions import assertion_keys

    return assertion_keys(*_read(assertion_keys_file(settings), ASSERTION_KEYS))


def guard_source(settings: Settings) -> SecretSource | None:
    """Return where the guard's keys are; None where there is no guard."""
    gateway = settings.guarded
    file = gateway.guard.keys_file if gateway is not None and gateway.guard is not None else None
    return None if file is None else SecretSource(name=GUARD_KEYS, file=file)


def read_guard_keys(settings: Settings) -> tuple[bytes, ...]:
    """Return the guard's keys that count now, the one that signs first, and none where there is no guard.

    Raises SettingsError if they cannot be read.
    """
    source = guard_source(settings)
    return () if source is None else cookie_keys(*_read(source.file, GUARD_KEYS))


def sources_of_pages(settings: Settings) -> tuple[SecretSource, ...]:
    """Return where all secrets of pages are."""
    proxys = assertion_keys_file(settings)
    found = (
        bearer_source(settings),
        pictures_source(settings),
        *sign_in_sources(settings),
        None if proxys is None else SecretSource(name=ASSERTION_KEYS, file=proxys),
        guard_source(settings),
    )
    return tuple(source for source in found if source is not None)


def check_secret_of_pages(source: SecretSource, content: bytes) -> None:
    """Raise SettingsError if what a source of pages holds cannot be used."""
    from previewbot.people.assertions import assertion_keys

    judges: Mapping[str, Callable[[Path, bytes], object]] = {
        BEARERS: bearers,
        CLIENT_SECRET: client_secret,
        COOKIE_KEYS: cookie_keys,
        ASSERTION_KEYS: assertion_keys,
        GUARD_KEYS: cookie_keys,
        PICTURES: shared_secrets,
    }
    assert source.file is not None
    judges[source.name](source.file, content)


def _read(file: Path | None, name: str) -> tuple[Path, bytes]:
    if file is None:
        raise SettingsError((f"{name} is missing in the settings",))
    return file, read_secret(SecretSource(name=name, file=file))
