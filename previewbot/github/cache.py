"""The memory behind conditional requests: bounded, so that a large repository cannot fill the process."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from typing import Any

CacheEntry = tuple[str | None, str | None, Any, str | None]
"""What gidgethub stores for an address: ETag, Last-Modified, the decoded answer, the next page."""

DEFAULT_ENTRIES = 1_000
DEFAULT_BYTES = 4 * 1024 * 1024


class BoundedCache(MutableMapping[str, CacheEntry]):
    """Answers by address; the least recently used go first once `entries` or `max_bytes` (of JSON) is passed.

    An answer that alone is larger than `max_bytes` is not kept. A 304 costs nothing of the rate limit
    (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate).
    """

    def __init__(self, entries: int = DEFAULT_ENTRIES, max_bytes: int = DEFAULT_BYTES) -> None:
        self._max_entries = entries
        self._max_bytes = max_bytes
        self._items: OrderedDict[str, tuple[CacheEntry, int]] = OrderedDict()
        self.bytes = 0

    def __getitem__(self, key: str) -> CacheEntry:
        entry, _ = self._items[key]
        self._items.move_to_end(key)
        return entry

    def __setitem__(self, key: str, value: CacheEntry) -> None:
        self.pop(key, None)
        size = len(key) + len(json.dumps(value))
        if size > self._max_bytes:
            return
        self._items[key] = (value, size)
        self.bytes += size
        while len(self._items) > self._max_entries or self.bytes > self._max_bytes:
            _, (_, dropped) = self._items.popitem(last=False)
            self.bytes -= dropped

    def __delitem__(self, key: str) -> None:
        _, size = self._items.pop(key)
        self.bytes -= size

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
