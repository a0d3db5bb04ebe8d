"""YAML that tests read in large amounts: CRDs, and what helm and `previewbot render` print.

libyaml reads it ten times as fast as Python does; what it makes of it is the same.
"""

from __future__ import annotations

from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Any:
    """Return the one document of a text."""
    return yaml.load(text, _LOADER)  # noqa: S506  # of a safe one


def read_documents(text: str) -> list[Any]:
    """Return the documents of a text, but for empty ones."""
    return [document for document in yaml.load_all(text, _LOADER) if document]  # of a safe one
