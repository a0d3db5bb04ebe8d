"""Where the programs are that tests start: in `KUBEBUILDER_ASSETS`, else where tests/cluster built them."""

from __future__ import annotations

import os
from pathlib import Path


def binary(name: str) -> Path:
    """Return the path of a program; one that is missing is a failure, never a reason to skip."""
    given = assets()
    places = [*([given] if given is not None else []), cache() / "bin"]
    for place in places:
        if os.access(place / name, os.X_OK):
            return place / name
    raise AssertionError(f"there is no {name} in {' or '.join(map(str, places))}: run `make test-binaries`")


def assets() -> Path | None:
    """Return the folder that `KUBEBUILDER_ASSETS` names, as envtest has it, or None."""
    given = os.environ.get("KUBEBUILDER_ASSETS")
    return Path(given) if given else None


def cache() -> Path:
    """Return the folder that keeps what was built."""
    given = os.environ.get("PREVIEWBOT_TEST_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "previewbot"


def gateway_api_crds() -> Path:
    """Return the folder with the Gateway API's own CRDs."""
    return definitions("gateway-api")


def definitions(folder: str) -> Path:
    """Return a folder with what a vendor ships: `tests/cluster/definitions.py` says which there are."""
    found = cache() / folder
    if not found.is_dir():
        raise AssertionError(f"there are no CRDs in {found}: run `make test-binaries`")
    return found
