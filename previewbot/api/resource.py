"""Where a kind of object is kept by the API server."""

from __future__ import annotations

from typing import NamedTuple


class Resource(NamedTuple):
    """A resource of the API server; the oldest ones, such as pods, have no group.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
    """

    group: str
    version: str
    plural: str
