"""The fields of a kubeconfig, each with the mistakes that it can have. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from previewbot.errors import SettingsError

Section = Mapping[str, Any]


@dataclass(frozen=True)
class Pem:
    """What is in a PEM file: its text, or the file that has it. Both empty if there is none."""

    text: str = field(default="", repr=False)
    file: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.text or self.file)


NO_PEM = Pem()


def unusable(words: str, path: Path | None = None) -> SettingsError:
    """Return the error for a kubeconfig, or a login, that cannot be used; `path` for a file as a whole."""
    return SettingsError((f"cluster.kubeconfig{f' ({path})' if path else ''}: {words}",))


def pem_of(section: Section, key: str, where: str, beside: Path) -> Pem:
    """Return what a key, or the same with `-data`, holds; with both it is the latter, as in kubectl."""
    data = text_of(section, f"{key}-data", where)
    if not data:
        return Pem(file=file_of(section, key, where, beside))
    try:
        return Pem(base64.b64decode("".join(data.split()), validate=True).decode("ascii"))
    except (binascii.Error, ValueError):
        raise unusable(f"{where}: {key}-data is not a PEM file in base64") from None


def file_of(section: Section, key: str, where: str, beside: Path) -> Path | None:
    """Return the file that a key names, beside the kubeconfig if its name is relative; None without one."""
    name = text_of(section, key, where)
    return beside.absolute() / name if name else None


def text_of(section: Section, key: str, where: str) -> str:
    """Return a text, empty without one."""
    value = section.get(key)
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise unusable(f"{where}: {key} must be a text")
    return str(value)


def truth_of(section: Section, key: str, where: str) -> bool:
    """Return whether a key is true."""
    value = section.get(key)
    if value is not None and not isinstance(value, bool):
        # "false" as a text would count as true.
        raise unusable(f"{where}: {key} must be true or false")
    return bool(value)


def header_of(token: str, where: str) -> str:
    """Return a token; raises SettingsError for one that cannot be sent."""
    if not is_header(token):
        raise unusable(f"{where} has characters that no token has")
    return token


def is_header(text: str) -> bool:
    """Return whether a text can be sent as a header's value."""
    return text.isascii() and text.isprintable()
