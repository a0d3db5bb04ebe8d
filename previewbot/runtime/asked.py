"""Requests that were made elsewhere than in a comment, by the Preview that they are for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from previewbot.api import preview_of_request

Object = Mapping[str, Any]


class AskedElsewhere:
    """Call it for the requests of a Preview, in no order; `wake` is called with its name for each new one."""

    def __init__(self, wake: Callable[[str], None]) -> None:
        self._wake = wake
        self._by_preview: dict[str, dict[str, Object]] = {}

    def __call__(self, preview: str) -> Sequence[Object]:
        """Return the requests of a Preview as the watch last told."""
        return tuple(self._by_preview.get(preview, {}).values())

    def previews(self) -> Iterable[str]:
        """Return the names of the Previews that there are requests for, whether these are there or not."""
        return tuple(self._by_preview)

    def changed(self, before: Object | None, after: Object | None) -> None:
        """Take a change that the watch told of."""
        obj = after or before
        assert obj is not None
        name = str(obj["metadata"]["name"])
        preview = preview_of_request(name)
        # The CRD allows no other name. Whatever it is, it is for nobody.
        if not preview:
            return
        if after is None:
            of_preview = self._by_preview.get(preview, {})
            of_preview.pop(name, None)
            if not of_preview:
                self._by_preview.pop(preview, None)
            return
        self._by_preview.setdefault(preview, {})[name] = after
        if before is None:
            self._wake(preview)
