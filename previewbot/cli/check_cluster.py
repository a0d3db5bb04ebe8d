"""`previewbot check --cluster`: is what a repository's file names there? It reads, and changes nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from previewbot.cli.patience import patiently
from previewbot.clients.kubernetes.client import Kube
from previewbot.config.repository import RepositoryConfig
from previewbot.config.words import printable
from previewbot.doctor.check import safe
from previewbot.doctor.staging import see
from previewbot.doctor.staging_judged import judged
from previewbot.errors import RemoteError, SettingsError

_USER_AGENT = "previewbot-check"
_SECONDS = 60.0
"""How long the cluster may take for all of it."""

T = TypeVar("T")


def check_cluster(path: Path, config: RepositoryConfig, kubeconfig: Path | None) -> int:
    """Print what of a file does not fit the cluster; return the exit code."""
    named = printable(str(path))
    namespaces = {service.namespace for service in config.services}
    namespaces |= {front.entry.namespace for front in config.front_ends.values()}
    kinds = {service.target.kind for service in config.services}
    seen = looked_at(kubeconfig, lambda kube: see(kube, namespaces, kinds=kinds))
    if seen is None:
        return 1
    found = judged(config, seen)
    for finding in found:
        place = f"{named}:{finding.line}" if finding.line else named
        # Some of it is quoted: an image, or what the API server said.
        words = printable(finding.words)
        if finding.wrong:
            print(f"{place}: {words}", file=sys.stderr)
        else:
            print(f"{place}: warning: {words}")
    if any(finding.wrong for finding in found):
        return 1
    services, fronts = len(config.services), len(config.front_ends)
    entries = f", {fronts} {'entry' if fronts == 1 else 'entries'}" if fronts else ""
    print(f"the cluster has all of it: {services} workload{'' if services == 1 else 's'}{entries}")
    return 0


def looked_at(kubeconfig: Path | None, look: Callable[[Kube], Awaitable[T]]) -> T | None:
    """Return what a look at the cluster finds; say why it cannot be looked at, and return None.

    `kubeconfig` is the one given on the command line, if one was.
    """
    try:
        return asyncio.run(patiently(_look(kubeconfig_that_counts(kubeconfig), look), "the cluster"))
    except SettingsError as error:
        words = "; ".join(error.problems).replace("cluster.kubeconfig", "the kubeconfig")
        hint = "" if "--kubeconfig" in words else "; name one with --kubeconfig FILE"
        print(f"no cluster can be asked: {safe(words)}{hint}", file=sys.stderr)
    except RemoteError as error:
        print(f"the cluster cannot be asked now: {safe(str(error))}", file=sys.stderr)
    except TimeoutError:
        print(f"the cluster did not answer all of it within {_SECONDS:.0f} s", file=sys.stderr)
    return None


async def _look(kubeconfig: Path | None, look: Callable[[Kube], Awaitable[T]]) -> T:
    kube = await Kube.connect(kubeconfig, user_agent=_USER_AGENT)
    try:
        async with asyncio.timeout(_SECONDS):
            return await look(kube)
    finally:
        await kube.close()


def kubeconfig_that_counts(given: Path | None) -> Path | None:
    """Return the kubeconfig that counts, as for kubectl: the one given, else `KUBECONFIG`, else the home's.

    None is the cluster that this process runs in. Raises SettingsError where `KUBECONFIG` names several.
    https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
    """
    if given is not None:
        return given
    named = [each for each in os.environ.get("KUBECONFIG", "").split(os.pathsep) if each]
    if len(named) > 1:
        raise SettingsError(("KUBECONFIG names several files; say which one, with --kubeconfig FILE",))
    if named:
        return Path(named[0])
    home = Path(os.environ.get("HOME", "/nonexistent")) / ".kube" / "config"
    return home if home.is_file() else None
