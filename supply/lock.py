"""A lock file, as pip-compile writes it (https://pip-tools.readthedocs.io/en/stable/)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"^    # (?:via |  )(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?(?: \([^)]*\))?$")


@dataclass(frozen=True)
class Pin:
    """A package in one version.

    `hashes` are the SHA-256 of the files that it may be installed from, one for each platform; `via` are the
    packages that need it.
    """

    name: str
    version: str
    hashes: tuple[str, ...]
    via: tuple[str, ...]


def normalized(name: str) -> str:
    """Return a package's name as it is compared.

    https://packaging.python.org/en/latest/specifications/name-normalization/
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(text: str) -> list[Pin]:
    """Return the pins of a lock file, in its order; raises ValueError for one without a hash."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    return [_pin(block) for block in blocks if not block.startswith("#")]


def _pin(block: str) -> Pin:
    found = _PIN.match(block)
    hashes = tuple(_HASH.findall(block))
    if not found or not hashes:
        raise ValueError(f"{block.splitlines()[0]!r} is not a package pinned by version and hash")
    via = [match["name"] for line in block.splitlines() if (match := _VIA.match(line)) is not None]
    return Pin(normalized(found["name"]), found["version"], hashes, tuple(map(normalized, via)))
