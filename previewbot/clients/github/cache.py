"""The memory behind conditional requests: bounded, so that a large repository cannot fill the process."""

from __future__ import annotations

import json
import zlib
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from typing import Any

CacheEntry = tuple[str | None, str | None, Any, str | None]
"""What gidgethub stores for an address: ETag, Last-Modified, the decoded answer, the next page."""

PAGE_SIZE = 100
"""The longest page that GitHub gives."""

DEFAULT_ENTRIES = 20_000
"""Two for each repository of a large installation, and what pull requests need. The listing asks about one
after the other: with less room than that each would be gone when it is asked about again, and be paid for."""

DEFAULT_BYTES = 4 * 1024 * 1024
_QUICKLY = 1
_BLOBS = "/git/blobs/"


class BoundedCache(MutableMapping[str, CacheEntry]):
    """Answers by address; the least recently used go first once `entries` or `max_bytes` is passed.

    A last page that is full is not kept: the next item begins a page of its own and leaves this one, and its
    ETag, as they are (https://github.com/app-sre/github-mirror/issues/113), so that nobody would look there.

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
        # A blob never changes: whoever asked keeps it, and here it would take the place of many others.
        if _BLOBS in key or (value[3] is None and _is_full(value[2])):
            return
        kept = zlib.compress(json.dumps(value).encode(), _QUICKLY)
        size = len(key) + len(kept)
        # Not kept at all: to make room for it everything else would have to go, and it would not even fit
        # then.
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


def _is_full(answer: Any) -> bool:
    """Return whether an answer is a page, or an object with one, to which nothing can be added."""
    # A listing is a list, or an object such as `{"total_count": 3, "check_runs": [...]}`.
    lists = (
        [answer] if isinstance(answer, list) else list(answer.values()) if isinstance(answer, dict) else []
    )
    return any(isinstance(found, list) and len(found) >= PAGE_SIZE for found in lists)
