"""Reads the secrets that the settings name, and says in words what keeps one from being read."""

from __future__ import annotations

from previewbot.cli.files import read_head
from previewbot.config.reader import MAX_BYTES
from previewbot.config.server import SecretSource, Settings, bearers
from previewbot.errors import SettingsError


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
    return None if file is None else SecretSource(name="api.bearer_file", file=file)


def read_bearers(settings: Settings) -> tuple[bytes, ...]:
    """Return the bearers that count now, none where no file is named; raises SettingsError."""
    source = bearer_source(settings)
    if source is None or source.file is None:
        return ()
    return bearers(source.file, read_secret(source))
