"""What a cookie holds: JSON that only previewbot can read and make, under keys that change."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_VERSION = 1

Keys = Callable[[], tuple[bytes, ...]]
"""The keys that count now, as Fernet takes them: the first encrypts, each decrypts. Raises SettingsError."""


class Sealing:
    """Encrypts values for one purpose; what was sealed for another purpose is as unreadable as garbage."""

    def __init__(self, purpose: str, keys: Keys) -> None:
        self._purpose, self._keys = purpose, keys

    def seal(self, values: Mapping[str, Any]) -> str:
        """Return values as text for a cookie; raises SettingsError if there is no key."""
        whole = {**values, "version": _VERSION, "purpose": self._purpose}
        return self._fernet().encrypt(json.dumps(whole).encode()).decode("ascii")

    def opened(self, text: str) -> dict[str, Any] | None:
        """Return the values in a text, None if it is not ours; raises SettingsError if there is no key."""
        fernet = self._fernet()
        try:
            found = json.loads(fernet.decrypt(text.encode()))
        except (InvalidToken, ValueError):
            return None
        ours = {"version": _VERSION, "purpose": self._purpose}
        if not isinstance(found, dict) or any(found.get(key) != value for key, value in ours.items()):
            return None
        return found

    def _fernet(self) -> MultiFernet:
        return MultiFernet([Fernet(key) for key in self._keys()])
