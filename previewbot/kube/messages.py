"""What Kubernetes says when it refuses, in one line."""

from __future__ import annotations

import json


def message_of(body: str | bytes | None) -> str:
    """Return the message of a `Status` object, or the beginning of whatever was answered."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
    try:
        status = json.loads(text)
    except ValueError:
        return text[:300]
    return str(status.get("message", ""))[:500] if isinstance(status, dict) else text[:300]
