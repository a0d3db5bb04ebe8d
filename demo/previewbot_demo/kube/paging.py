"""Lists in pages: `limit`, and `continue`, which goes on with the list as it was when it began
(https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from previewbot_demo.kube import status
from previewbot_demo.kube.store import Store

Object = dict[str, Any]


def page(query: Mapping[str, str], items: Sequence[Object], store: Store) -> tuple[list[Object], Object]:
    """Return the items of one page, and the list's metadata; raises KubeError.

    A page after a change is refused as if the change had been compacted away: a client must cope with that
    at any time, and the past is not kept here.
    """
    limit, start = _limit(query.get("limit", "")), ("", "")
    if query.get("continue"):
        version, start = _opened(query["continue"])
        if version != store.version:
            raise status.continue_expired()
    left = [item for item in items if _position(item) > start]
    metadata: Object = {"resourceVersion": str(store.version), "continue": ""}
    if not limit or len(left) <= limit:
        return left, metadata
    token = json.dumps({"rv": store.version, "start": _position(left[limit - 1])})
    metadata["continue"] = base64.urlsafe_b64encode(token.encode()).decode()
    metadata["remainingItemCount"] = len(left) - limit
    return left[:limit], metadata


def _limit(text: str) -> int:
    if not text:
        return 0
    if not text.isdecimal():
        raise status.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _opened(token: str) -> tuple[int, tuple[str, str]]:
    try:
        found = json.loads(base64.urlsafe_b64decode(token))
        return int(found["rv"]), (str(found["start"][0]), str(found["start"][1]))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise status.bad_request(f"invalid continue token: continue key is not valid: {error}") from error


def _position(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
