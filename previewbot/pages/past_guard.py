"""What programs are told so that they get past the guard before a preview: a bearer that names its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from previewbot.api import LinkKind, Preview
from previewbot.config.server import Bearer, GatewaySettings
from previewbot.errors import SettingsError
from previewbot.people.sealing import Keys
from previewbot.rules.environment_keys import wrong_identity
from previewbot.rules.guard_bearers import end_for_programs, signed


class PastGuard:
    """Says it of previews behind a guard, and of no others; `gateway` is the one that is guarded.

    Whoever asks with a bearer for all previews is told it only if that is to let into all of them
    (`opens_all`): workflows of many repositories may have it, and so the code of their pull requests.
    """

    def __init__(
        self, gateway: GatewaySettings | None, keys: Keys, now: Callable[[], datetime], *, opens_all: bool
    ) -> None:
        self._gateway, self._keys, self._now, self._opens_all = gateway, keys, now, opens_all

    def __call__(self, preview: Preview, asks: Bearer) -> dict[str, Any]:
        """Return the fields of a preview's JSON that are about it; none where there is nothing to get past.

        They are for whoever `asks` with a bearer of the settings that is for this repository. Without keys
        none can be signed, and the guard lets in nobody either, which it says in the log. Nor is one signed
        for a key that is not this pull request's, which is another's, or nobody's.
        """
        if self._gateway is None or preview.status.link.kind is not LinkKind.GATEWAY:
            return {}
        if not asks.reads(preview.repository) or not (asks.repository or self._opens_all):
            return {}
        if wrong_identity(preview.name, preview.spec):
            return {}
        until = end_for_programs(self._now())
        try:
            bearer = signed(self._keys(), preview.spec.environment_key, self._gateway.domain, until)
        except SettingsError:
            return {}
        return {"bearer": bearer, "bearer_until": until.isoformat().replace("+00:00", "Z")}
