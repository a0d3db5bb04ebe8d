"""Which entries of a docker config file are for a repository: those that nodes would use. Pure.

The rule is the kubelet's, with whose Secrets this reads the same file: the part before the first `/` is
compared label by label, with `*`, `?` and `[…]` within a label; a port must be the same, and a path a
beginning (https://kubernetes.io/docs/concepts/containers/images/#config-json). Of several that fit all are
tried, the most exact one first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from previewbot.config.registries import DOCKER_HUB, registry_name

_HUB_SERVER = "registry-1.docker.io"
_VERSION_RE = re.compile(r"/v[12](?=/|$)")
_GLOB_RE = re.compile(r"[*?\[]")
_PORT_RE = re.compile(r"(?P<host>.*?)(?::(?P<port>[0-9]+))?", re.DOTALL)


def entries_for(section: object, registry: str, repository: str) -> list[Any]:
    """Return the entries of a section that are for a repository, the most exact one first."""
    if not isinstance(section, Mapping):
        return []
    scopes = [(_scope(str(key)), "://" in str(key), section[key]) for key in section]
    fitting = [each for each in scopes if _fits(each[0], registry, repository)]
    # As the kubelet sorts them, so that a longer path and a name come before a shorter one and a pattern.
    # Where one is written in two ways, the plain way counts first.
    fitting.sort(key=lambda each: (not _is_pattern(each[0], registry), each[0], not each[1]), reverse=True)
    return [entry for _, _, entry in fitting]


def _scope(key: str) -> str:
    """Return `ghcr.io` for `https://ghcr.io/v2/`, and `docker.io` for all of Docker Hub's names."""
    host, slash, path = re.sub(r"^https?://", "", key).partition("/")
    host = DOCKER_HUB if host.lower() == _HUB_SERVER else registry_name(host)
    path = _VERSION_RE.sub("", slash + path, count=1) if _VERSION_RE.match(slash + path) else slash + path
    return host if path in ("", "/") else host + path


def _fits(scope: str, registry: str, repository: str) -> bool:
    host, slash, path = scope.partition("/")
    return f"/{repository}".startswith(slash + path) and _same_host(host, registry)


def _same_host(pattern: str, host: str) -> bool:
    # Before it is taken for a pattern: the brackets of `[::1]:5000` are no set of characters.
    if pattern == host:
        return True
    wanted, found = _PORT_RE.fullmatch(pattern), _PORT_RE.fullmatch(host)
    if wanted is None or found is None or wanted["port"] != found["port"] or host.startswith("["):
        return False
    labels, of_host = wanted["host"].split("."), found["host"].split(".")
    if len(labels) != len(of_host):
        return False
    # Go writes "none of these" with a ^, Python with a !.
    return all(fnmatchcase(b, a.replace("[^", "[!")) for a, b in zip(labels, of_host, strict=True))


def _is_pattern(scope: str, registry: str) -> bool:
    host = scope.partition("/")[0]
    return host != registry and _GLOB_RE.search(host) is not None
