"""The memory behind conditional requests: bounded, so that a large repository cannot fill the process."""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from typing import Any

CacheEntry = tuple[str | None, str | None, Any, str | None]
"""What gidgethub stores for an address: ETag, Last-Modified, the decoded answer, the next page."""

DEFAULT_ENTRIES = 1_000
DEFAULT_BYTES = 4 * 1024 * 1024
_QUICKLY = 1


class BoundedCache(MutableMapping[str, CacheEntry]):
    """Answers by address; the least recently used go first once `entries` or `max_bytes` is passed.

    Kept as compressed JSON, of which the bytes are counted: as objects they would take many times that. An
    answer that alone is larger than `max_bytes` is not kept. A 304 costs nothing of the rate limit
    (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate).
    """

    def __init__(self, entries: int = DEFAULT_ENTRIES, max_bytes: int = DEFAULT_BYTES) -> None:
        self._max_entries = entries
        self._max_bytes = max_bytes
        self._items: OrderedDict[str, bytes] = OrderedDict()
        self.bytes = 0

    def __getitem__(self, key: str) -> CacheEntry:
        kept = self._items[key]
        self._items.move_to_end(key)
        etag, last_modified, answer, next_url = json.loads(zlib.decompress(kept))
        return etag, last_modified, answer, next_url

    def __setitem__(self, key: str, value: CacheEntry) -> None:
        self.pop(key, None)
        kept = zlib.compress(json.dumps(value).encode(), _QUICKLY)
        size = len(key) + len(kept)
        if size > self._max_bytes:
            return
        self._items[key] = kept
        self.bytes += size
        while len(self._items) > self._max_entries or self.bytes > self._max_bytes:
            oldest, dropped = self._items.popitem(last=False)
            self.bytes -= len(oldest) + len(dropped)

    def __delitem__(self, key: str) -> None:
        self.bytes -= len(key) + len(self._items.pop(key))

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
