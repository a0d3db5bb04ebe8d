"""What a mirrord file says that has no effect on a preview, or another than on the CLI's: it is told of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import BaseModel

from previewbot.config.mirrord.database_notes import notes_of_database
from previewbot.config.mirrord.filters import HttpFilter, headers_needed
from previewbot.config.mirrord.model import MirrordFile
from previewbot.config.schema import KeyPath


class Note(NamedTuple):
    """What is to be said of a key: the kind of the words, and what they name."""

    path: KeyPath
    kind: str
    named: Mapping[str, object]


WITHOUT_EFFECT = (
    "accept_invalid_certificates",
    "agent",
    "api",
    "baggage",
    "ci",
    "container",
    "experimental",
    "external_proxy",
    "feature.copy_target",
    "feature.env.load_from_process",
    "feature.env.mapping",
    "feature.env.unset",
    "feature.fs",
    "feature.hostname",
    "feature.magic",
    "feature.network.dns",
    "feature.network.incoming.http_filter.ports",
    "feature.network.incoming.https_delivery",
    "feature.network.incoming.ignore_localhost",
    "feature.network.incoming.listen_ports",
    "feature.network.incoming.on_concurrent_steal",
    "feature.network.incoming.port_mapping",
    "feature.network.incoming.tls_delivery",
    "feature.network.ipv6",
    "feature.network.outgoing",
    "internal_proxy",
    "kube_context",
    "kubeconfig",
    "multi_cluster",
    "operator",
    "profile",
    "sip_binaries",
    "skip_build_tools",
    "skip_extra_build_tools",
    "skip_processes",
    "skip_sip",
    "startup_retry",
    "telemetry",
    "traceparent",
    "use_proxy",
)
"""What is about a process on somebody's machine, or what the CLI leaves out of a preview as well."""

DECIDED_BY_PREVIEWBOT = {
    "key": "key_ours",
    "feature.preview.creation_timeout_secs": "deadline_ours",
    "feature.preview.image": "image_ours",
}
"""What previewbot decides itself."""

UNUSED: frozenset[KeyPath] = frozenset(
    tuple(key.split(".")) for key in (*WITHOUT_EFFECT, *DECIDED_BY_PREVIEWBOT)
)
"""The keys of which a preview has nothing, whatever they say: their templates need not be filled in."""


def notes_of(model: MirrordFile) -> Iterator[Note]:
    """Yield what is to be said of a mirrord file."""
    for dotted in WITHOUT_EFFECT:
        if _said(model, dotted) is not None:
            yield Note(tuple(dotted.split(".")), "no_effect", {})
    for dotted, kind in DECIDED_BY_PREVIEWBOT.items():
        if _said(model, dotted) is not None:
            yield Note(tuple(dotted.split(".")), kind, {})
    yield from _of_requests(model)
    yield from _of_preview(model)
    yield from _of_databases(model)


def _of_requests(model: MirrordFile) -> Iterator[Note]:
    path = "feature.network.incoming"
    incoming = _said(model, path)
    if incoming is None or _said(model, f"{path}.mode") == "off":
        return
    if _said(model, f"{path}.mode") is None:
        yield Note(tuple(path.split(".")), "steal_instead", {})
    http_filter = _said(model, f"{path}.http_filter")
    if isinstance(http_filter, HttpFilter):
        needed = headers_needed(http_filter.narrowed().conditions)
        if needed:
            yield Note((*path.split("."), "http_filter"), "header_needed", {"written": needed[0]})


def _of_preview(model: MirrordFile) -> Iterator[Note]:
    preview = model.feature.preview if model.feature else None
    if preview is None:
        return
    path = ("feature", "preview")
    if "infinite" in (preview.ttl_mins, preview.ttl_secs):
        said = "ttl_secs" if preview.ttl_secs is not None else "ttl_mins"
        yield Note((*path, said), "ttl_infinite", {})
    if (
        preview.idle is not None
        and not preview.idle.is_enabled
        and preview.idle.wake_timeout_secs is not None
    ):
        yield Note((*path, "idle", "wake_timeout_secs"), "wake_without_sleep", {})


def _of_databases(model: MirrordFile) -> Iterator[Note]:
    databases = (model.feature.db_branches if model.feature else None) or ()
    for number, database in enumerate(databases):
        for keys, kind, named in notes_of_database(database):
            yield Note(("feature", "db_branches", number, *keys), kind, named)


def _said(model: BaseModel, dotted: str) -> object:
    """Return what a file says under a key; None if nothing."""
    found: object = model
    for name in dotted.split("."):
        if not isinstance(found, BaseModel):
            return None
        found = getattr(found, name)
    return found
