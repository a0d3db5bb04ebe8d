"""Which namespace of a cluster is staging, and what is in it: what `previewbot init` finds out by itself."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from previewbot.cli.check_cluster import kubeconfig_that_counts, looked_at
from previewbot.clients.kubernetes.client import Kube
from previewbot.config.types import is_label
from previewbot.config.words import printable
from previewbot.doctor.staging import all_namespaces, see
from previewbot.engine.draft import matches
from previewbot.engine.staging import Staging
from previewbot.errors import SettingsError
from previewbot.rules.folders import Folders

_MOST_NAMESPACES = 50
_MOST_NAMED = 20
_SYSTEM = ("kube-", "gke-", "openshift", "istio-system", "cert-manager", "previewbot", "mirrord")


class CannotDraft(Exception):
    """No file can be written; the text says why, and what to do."""


def of_cluster(named: str, kubeconfig: Path | None, folders: Folders) -> tuple[Staging, str] | None:
    """Return what is in the namespace that is named, or in the one that has most of what is built here.

    Where that cannot be told, it is the namespace of the kubeconfig's context, as for kubectl. None: the
    cluster cannot be asked, and it was said why.
    """
    usual = "" if named else _of_context(kubeconfig)

    async def look(kube: Kube) -> tuple[Staging, str, dict[tuple[str, str], str]]:
        namespace, namespaces = named, [named]
        if not named:
            listed = await all_namespaces(kube)
            namespaces = [name for name in listed if not name.startswith(_SYSTEM)]
            if (not namespaces or len(namespaces) > _MOST_NAMESPACES) and usual:
                why = (
                    f"there are {len(namespaces)} namespaces"
                    if listed
                    else "namespaces may not be listed (403)"
                )
                _say(f"{why}: this looks at {usual} alone, the namespace of the kubeconfig's context")
                namespace, namespaces = usual, [usual]
        if len(namespaces) > _MOST_NAMESPACES:
            raise CannotDraft(
                f"this cluster has {len(namespaces)} namespaces; name staging's with --namespace NS"
            )
        seen = await see(kube, namespaces, doors=True)
        if namespace in seen.missing:
            raise CannotDraft(f"this cluster has no namespace {namespace}")
        if not namespaces:
            raise CannotDraft(
                "with this login namespaces may not be listed (403); name staging's with --namespace NS"
            )
        # A login without Rollouts still sees what most of staging is.
        unread = {at: why for at, why in seen.unread.items() if at[1] in ("workloads", "services")}
        return seen.staging, namespace, unread

    found = looked_at(kubeconfig, look)
    if found is None:
        return None
    staging, namespace, unread = found
    if unread and (namespace or not staging.workloads):
        (where, part), why = next(iter(unread.items()))
        raise CannotDraft(f"the {part} of {where} {why}")
    if namespace:
        return staging, namespace
    if unread:
        names = sorted({where for where, _ in unread})
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        listed = f"{', '.join(names[:_MOST_NAMED])}{more}"
        _say(f"could not be read: {listed}; if one of these is staging, name it with --namespace NS")
    return _likeliest(staging, folders, usual)


def _likeliest(staging: Staging, folders: Folders, usual: str) -> tuple[Staging, str]:
    names = dict.fromkeys(workload.namespace for workload in staging.workloads)
    by_namespace = {name: _within(staging, name) for name in names}
    points = Counter({name: matches(inner, folders) for name, inner in by_namespace.items()})
    ranked = points.most_common()
    if not ranked:
        raise CannotDraft("no namespace has a workload; name staging's with --namespace NS")
    best = [name for name, count in ranked if count == ranked[0][1]]
    chosen = best[0] if len(best) == 1 else usual
    if chosen not in best:
        some = ", ".join(sorted(by_namespace)[:_MOST_NAMED])
        raise CannotDraft(f"several namespaces could be staging; name one with --namespace NS, of: {some}")
    return by_namespace[chosen], chosen


def _within(staging: Staging, namespace: str) -> Staging:
    return Staging(
        tuple(each for each in staging.workloads if each.namespace == namespace),
        tuple(each for each in staging.services if each.namespace == namespace),
        tuple(each for each in staging.doors if each.namespace == namespace),
    )


def _of_context(kubeconfig: Path | None) -> str:
    """Return the namespace that the kubeconfig's own context names; empty if it names none.

    What is wrong with the file is told by whoever connects with it.
    """
    try:
        path = kubeconfig_that_counts(kubeconfig)
        document = yaml.safe_load(path.read_bytes()) if path is not None else None
    except (OSError, ValueError, yaml.YAMLError, RecursionError, SettingsError):
        return ""
    if not isinstance(document, Mapping) or not isinstance(document.get("contexts"), list):
        return ""
    contexts: list[Any] = document["contexts"]
    inner = next((c.get("context") for c in contexts if _is_named(c, document.get("current-context"))), None)
    found = inner.get("namespace") if isinstance(inner, Mapping) else None
    return found if isinstance(found, str) and is_label(found) else ""


def _is_named(context: object, name: object) -> bool:
    return isinstance(context, Mapping) and context.get("name") == name


def _say(words: str) -> None:
    print(printable(words), file=sys.stderr)
