"""Where a kind of object is kept by the API server."""

from __future__ import annotations

from typing import NamedTuple

GROUP = "previewbot.dev"
"""Of our own kinds of objects, and of what we write on others'."""


class Resource(NamedTuple):
    """A resource of the API server; the oldest ones, such as pods, have no group.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
    """

    group: str
    version: str
    plural: str
