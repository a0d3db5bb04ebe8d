"""Reads JSON that comes from outside."""

from __future__ import annotations

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    """Return what a JSON text holds; raises ValueError for whatever it cannot be read as.

    Of thousands of nested brackets Python's parser says RecursionError, which is no ValueError: whoever sends
    them would end more than the reading of what they sent.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
